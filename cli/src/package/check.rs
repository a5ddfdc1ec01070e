//! `fengni evidence check`: what a package proves to somebody who pins a checkpoint.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use fengni_core::Digest;
use fengni_core::evidence::{Evidence, Findings};
use serde_json::json;

use super::stamp;
use crate::connect::load_genesis;
use crate::ending::Ending;
use crate::output::Output;

/// `fengni evidence check`.
#[derive(Args, Debug)]
#[command(
    after_help = "A package cannot say which checkpoint to believe: take the founding document, or the digest that
the network published, from somewhere else.

Exit codes: 0 every word is proven; 1 refused, or incomplete; 2 undecided: no checkpoint was given;
3 could not run.

Examples:
  fengni evidence check c1.html --genesis genesis.bin
  fengni evidence check c1.html --checkpoint-digest 5e0f...
  fengni-evidence c1.html --checkpoint 5e0f...      the same, without anything but sdk/core"
)]
pub(crate) struct EvidenceCheckArgs {
    /// The package
    file: PathBuf,
    /// Founding document to trust from, as genesis.bin or genesis.toml
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint_digest")]
    genesis: Option<PathBuf>,
    /// Digest of the checkpoint to trust from
    #[arg(long, value_name = "DIGEST")]
    checkpoint_digest: Option<String>,
}

pub(crate) fn run(args: &EvidenceCheckArgs, output: Output) -> Result<Ending> {
    let pinned = match (&args.genesis, &args.checkpoint_digest) {
        (Some(path), _) => Some(load_genesis(path)?.checkpoint().digest()),
        (None, Some(digits)) => Some(Digest::from_hex(digits).ok_or_else(|| anyhow!("{digits} is no digest"))?),
        (None, None) => None,
    };
    let page = super::read(&args.file)?;
    let evidence = match Evidence::from_page(&page) {
        Ok(evidence) => evidence,
        Err(error) => return Ok(refused(&error.to_string(), output)),
    };
    let findings = match evidence.judge() {
        Ok(findings) => findings,
        Err(error) => return Ok(refused(&format!("the package proves nothing: {error}"), output)),
    };
    let mut defects: Vec<String> = findings.defects.iter().map(ToString::to_string).collect();
    if pinned.is_some_and(|pinned| pinned != findings.checkpoint) {
        defects.insert(0, format!("judged against another checkpoint, {}", findings.checkpoint));
    }
    if evidence.page(&findings) != page {
        defects
            .push("the page's words are not those of its proof, or another version of this program wrote them".into());
    }
    let timestamp = evidence.timestamp.as_ref().map(|reply| stamp::read(&reply.0, &evidence.package.imprint()));
    let timestamp = match timestamp {
        Some(Ok(stamped)) => Some(stamped),
        Some(Err(error)) => {
            defects.push(format!("the attached timestamp: {error:#}"));
            None
        }
        None => None,
    };
    let ending = match pinned {
        _ if !defects.is_empty() => Ending::Refused,
        Some(_) => Ending::Holds,
        None => Ending::Undecided,
    };
    let result = match ending {
        Ending::Holds => "proven",
        Ending::Refused => "refused",
        _ => "undecided",
    };
    let facts = json!({
        "result": result,
        "defects": defects,
        "place": evidence.package.place,
        "events": findings.history.events(),
        "as_of_height": findings.header.height,
        "as_of_time": findings.header.time,
        "checkpoint_digest": findings.checkpoint,
        "imprint": evidence.package.imprint(),
        "timestamp": timestamp,
        "identifier": findings.content.as_ref().map(|content| content.identifier.to_string()),
        "history": findings.history,
    });
    output.answer(&facts, || text(result, &defects, &evidence, &findings, timestamp.as_deref()));
    Ok(ending)
}

fn refused(reason: &str, output: Output) -> Ending {
    output.answer(&json!({ "result": "refused", "defects": [reason] }), || {
        format!("refused: {reason}\nnext: ask whoever made it for another copy")
    });
    Ending::Refused
}

fn text(result: &str, defects: &[String], evidence: &Evidence, findings: &Findings, timestamp: Option<&str>) -> String {
    let mut lines = Vec::new();
    match result {
        "proven" => lines.push("proven: every word of the page follows from its proof, but the maker's own: software, time of making".to_owned()),
        "undecided" => lines.push(format!(
            "undecided: everything follows from checkpoint {}; next: compare it with what the network published, and give --genesis or --checkpoint-digest",
            findings.checkpoint
        )),
        _ => lines.extend(defects.iter().map(|defect| format!("refused: {defect}"))),
    }
    lines.push(findings.summary());
    lines.extend(
        findings.content.as_ref().map(|content| format!("shown is {}, of {}", content.identifier, content.place)),
    );
    lines.push(match timestamp {
        Some(time) => format!(
            "a timestamp says {time}, judge its signature with: openssl ts -verify -digest {} -in REPLY -CAfile SERVICE",
            evidence.package.imprint()
        ),
        None => "no timestamp from outside is attached".to_owned(),
    });
    lines.join("\n")
}

/// The package of a file, where it proves something.
pub(super) fn judged(path: &std::path::Path) -> Result<(Evidence, Findings)> {
    let evidence = super::load(path)?;
    let findings = evidence.judge().context("the package proves nothing")?;
    Ok((evidence, findings))
}
