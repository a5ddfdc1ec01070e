//! Timestamps from outside (RFC 3161): a request for a service, and its reply beside the package.
//!
//! Here a reply is held against the package alone. Whether to believe its signature is a question
//! of the service's certificates, which `openssl ts -verify` answers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;
use cms::signed_data::EncapsulatedContentInfo;
use der::asn1::{AnyRef, OctetString};
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _, Reader as _, SliceReader};
use fengni_core::Digest;
use fengni_core::bytes::Bytes;
use fengni_core::evidence::Evidence;
use serde_json::json;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

use super::check::judged;
use crate::ending::Ending;
use crate::output::Output;
use crate::private;

/// SHA-256, RFC 5754 section 2.2.
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// The reply was granted, or granted with changes: RFC 3161, section 2.4.2.
const GRANTED: [u8; 2] = [0, 1];
/// Bytes of a reply, at most: a signature and a chain of certificates.
const REPLY_BYTES: u64 = 64 * 1024;

/// `fengni evidence request`.
#[derive(Args, Debug)]
#[command(after_help = "Send the request to a service that the reader believes, then attach its reply.

Examples:
  fengni evidence request c1.html --out c1.tsq
  curl -H 'Content-Type: application/timestamp-query' --data-binary @c1.tsq https://tsa.example > c1.tsr
  fengni evidence stamp c1.html --reply c1.tsr --out c1-stamped.html")]
pub(crate) struct RequestArgs {
    /// The package
    file: PathBuf,
    /// File for the request; must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `fengni evidence stamp`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni evidence stamp c1.html --reply c1.tsr --out c1-stamped.html")]
pub(crate) struct StampArgs {
    /// The package
    file: PathBuf,
    /// The service's reply
    #[arg(long, value_name = "FILE")]
    reply: PathBuf,
    /// The page with the timestamp; must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn request(args: &RequestArgs, output: Output) -> Result<Ending> {
    private::must_be_new(&args.out)?;
    let imprint = super::load(&args.file)?.package.imprint();
    let request = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint {
            hash_algorithm: cms::cert::x509::spki::AlgorithmIdentifier { oid: SHA_256, parameters: None },
            hashed_message: OctetString::new(imprint.0)?,
        },
        req_policy: None,
        nonce: None,
        // The reply is to be of use when the service's page of certificates is gone.
        cert_req: true,
        extensions: None,
    };
    std::fs::write(&args.out, request.to_der()?).with_context(|| args.out.display().to_string())?;
    output.answer(&json!({ "file": args.out, "imprint": imprint }), || {
        format!(
            "wrote {} for SHA-256 {imprint}\nnext: send it to a timestamp service as application/timestamp-query, then fengni evidence stamp",
            args.out.display()
        )
    });
    Ok(Ending::Holds)
}

pub(super) fn stamp(args: &StampArgs, output: Output) -> Result<Ending> {
    private::must_be_new(&args.out)?;
    let (evidence, findings) = judged(&args.file)?;
    let reply = load_reply(&args.reply)?;
    let time = read(&reply, &evidence.package.imprint()).with_context(|| args.reply.display().to_string())?;
    let stamped = Evidence { timestamp: Some(Bytes(reply)), ..evidence };
    std::fs::write(&args.out, stamped.page(&findings)).with_context(|| args.out.display().to_string())?;
    output.answer(&json!({ "file": args.out, "timestamp": time }), || {
        format!("wrote {}: the service says {time}", args.out.display())
    });
    Ok(Ending::Holds)
}

/// What a token is about. What follows in it, certificates and signatures, is for who judges those:
/// services order it as they like.
fn content(signed_data: &[u8]) -> der::Result<EncapsulatedContentInfo> {
    let mut reader = SliceReader::new(signed_data)?;
    reader.sequence(|inner| {
        let _version: u8 = inner.decode()?;
        let _digests: AnyRef<'_> = inner.decode()?;
        let content = inner.decode()?;
        inner.read_slice(inner.remaining_len())?;
        Ok(content)
    })
}

fn load_reply(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    ensure!(size <= REPLY_BYTES, "{} is too large for a timestamp service's reply", path.display());
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// When a reply says that these bytes were there, by the service's clock.
///
/// # Errors
/// A reply that grants nothing, cannot be read, or is for other bytes.
pub(super) fn read(reply: &[u8], imprint: &Digest) -> Result<String> {
    let reply = TimeStampResp::from_der(reply).map_err(|error| anyhow!("no reply of RFC 3161: {error}"))?;
    if !GRANTED.contains(&(reply.status.status as u8)) {
        bail!("the service granted nothing; next: ask it again, or another one");
    }
    let token = reply.time_stamp_token.context("the reply holds no timestamp")?;
    let content = content(&token.content.to_der()?).map_err(|error| anyhow!("its token: {error}"))?;
    let content = content.econtent.context("its token holds nothing")?;
    let stamped = TstInfo::from_der(content.value()).map_err(|error| anyhow!("its token: {error}"))?;
    let of = &stamped.message_imprint;
    ensure!(
        of.hash_algorithm.oid == SHA_256 && of.hashed_message.as_bytes() == imprint.0,
        "it is for other bytes than this package; next: attach the reply to the request for this file"
    );
    let at = stamped.gen_time.to_unix_duration();
    Ok(fengni_core::Millis::from_secs(at.as_secs()).show() + " +08:00")
}
