//! Use codes (用证码): the holder lets one department use one certificate once, now (SHR-11).
//!
//! ```text
//! FU1: base45( [version, grantee, resource, fields, mode, item, case, purpose,
//!               book, line, time, lifetime, nonce, holder, signature] )
//! ```
//!
//! It is for whoever waits at a counter: nothing of it is on the ledger, and the provider that takes
//! it takes it once. Rules I-6 and I-7: `sdk/spec/access.md`.

use bincode::Encode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::form::{are_fields, unprinted};
use crate::case::{is_item, is_number};
use crate::certificate::cbor::{self, Cbor, Reader, Writer, Wrong};
use crate::code::{CodeError, LIFETIME_SECS_MAX, text};
use crate::codec::{self, encoded_as};
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::limits::{ACCESS_FIELDS, USE_CODE_BYTES};
use crate::number::{BookNumber, LineNumber, LinePlace, MemberNumber, PurposeCode, ResourceNumber};
use crate::record::Mode;
use crate::verify::SKEW_SECS;

/// What every use code's text begins with.
pub const PREFIX: &str = "FU1:";

const FORMAT: u8 = 1;
const ENTRIES: usize = 15;

/// What a holder agrees to. Time and randomness come from the wallet.
#[derive(Clone, PartialEq, Eq, Encode)]
pub struct UseTerms {
    /// Who may use it.
    pub grantee: MemberNumber,
    /// The edition of the resource.
    pub resource: ResourceNumber,
    /// Which items of it, by number, in rising order.
    pub fields: Vec<u16>,
    /// How.
    pub mode: Mode,
    /// Code of the service item (实施编码).
    pub item: String,
    /// The case (办件编号).
    pub case: String,
    /// What for.
    pub purpose: PurposeCode,
    /// The one certificate by which the holder says who they are.
    pub certificate: LinePlace,
    /// When the holder signed, in seconds since 1970-01-01T00:00:00Z.
    pub issued_secs: u64,
    /// How long it may be used, in seconds, 1 to 300.
    pub lifetime_secs: u32,
    /// Fresh randomness of the wallet.
    pub nonce: [u8; 16],
    /// The certificate's key, which signs.
    pub holder: PublicKey,
}

/// A use code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UseCode {
    terms: UseTerms,
    signature: Signature,
}

unprinted!(UseTerms, UseCode);

/// Why there is no use code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum UseCodeError {
    /// I-6: it says too little or too much.
    #[error("a use code is for a service item's code, a case's number, and items of data in rising order")]
    Form,
    /// I-6: for how long.
    #[error("a use code holds 1 to {LIFETIME_SECS_MAX} seconds")]
    Lifetime,
    /// I-6: too large to be read as a QR code.
    #[error("the use code has {bytes} bytes, above the limit of {USE_CODE_BYTES}: name fewer items of data")]
    TooLarge {
        /// Bytes of the code.
        bytes: usize,
    },
    /// I-6: not the holder's word.
    #[error("the use code was not signed with the key that it names")]
    Signature,
    /// I-7: too early.
    #[error("the use code is from later than now: one of the two clocks is wrong")]
    Early,
    /// I-7: too late.
    #[error("the use code has expired: ask for a new one")]
    Expired,
}

impl UseTerms {
    /// Rule I-6: whether it is what a use code says, before a holder reads it: a text could rewrite the screen.
    ///
    /// # Errors
    /// [`UseCodeError::Form`] and [`UseCodeError::Lifetime`].
    pub fn check(&self) -> Result<(), UseCodeError> {
        if !is_item(&self.item) || !is_number(&self.case) || !are_fields(&self.fields) {
            Err(UseCodeError::Form)
        } else if !(1..=LIFETIME_SECS_MAX).contains(&self.lifetime_secs) {
            Err(UseCodeError::Lifetime)
        } else {
            Ok(())
        }
    }

    /// Rule I-6: what a use code is known by, from the journal that keeps it from being taken twice
    /// to the receipt.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("use-code", &[&codec::encode(self)])
    }

    /// Rule I-6: the bytes that the holder signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message("use-code", &[&self.digest(domain).0])
    }

    /// Rule I-6: the use code.
    ///
    /// # Errors
    /// [`UseCodeError::Form`], [`UseCodeError::Lifetime`], [`UseCodeError::TooLarge`], and
    /// [`UseCodeError::Signature`] where it is another key's.
    pub fn sign(self, domain: &Domain, key: &SecretKey) -> Result<UseCode, UseCodeError> {
        self.sign_with(domain, |message| Some(key.sign(message)))
    }

    /// As [`UseTerms::sign`], by a key that does not leave its hardware.
    ///
    /// # Errors
    /// As [`UseTerms::sign`].
    pub fn sign_with(
        self,
        domain: &Domain,
        sign: impl FnOnce(&[u8]) -> Option<Signature>,
    ) -> Result<UseCode, UseCodeError> {
        self.check()?;
        let message = self.message(domain);
        let signature = sign(&message).filter(|signature| self.holder.verify(&message, signature));
        let code = UseCode { terms: self, signature: signature.ok_or(UseCodeError::Signature)? };
        let bytes = cbor::encode(&code).len();
        if bytes > USE_CODE_BYTES { Err(UseCodeError::TooLarge { bytes }) } else { Ok(code) }
    }
}

impl UseCode {
    /// What it says.
    pub fn terms(&self) -> &UseTerms {
        &self.terms
    }

    /// Reads the text of a use code.
    ///
    /// # Errors
    /// [`CodeError::Prefix`], [`CodeError::Base45`] and [`CodeError::Encoding`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Ok(cbor::decode(&text::bytes_of(text, PREFIX, USE_CODE_BYTES)?, USE_CODE_BYTES)?)
    }

    /// The text a QR code carries in its alphanumeric mode.
    pub fn to_text(&self) -> String {
        text::text_of(&cbor::encode(self), PREFIX)
    }

    /// Rule I-6: whether the holder's key signed exactly this.
    ///
    /// # Errors
    /// [`UseCodeError::Signature`].
    pub fn check_signature(&self, domain: &Domain) -> Result<(), UseCodeError> {
        let signed = self.terms.holder.verify(&self.terms.message(domain), &self.signature);
        if signed { Ok(()) } else { Err(UseCodeError::Signature) }
    }

    /// Rule I-7: from issued − 30 s to its end + 30 s, both included.
    ///
    /// # Errors
    /// [`UseCodeError::Early`] and [`UseCodeError::Expired`].
    pub fn check_time(&self, now: Millis) -> Result<(), UseCodeError> {
        let UseTerms { issued_secs, lifetime_secs, .. } = self.terms;
        let end = issued_secs.saturating_add(lifetime_secs.into()).saturating_add(SKEW_SECS);
        if now < Millis::from_secs(issued_secs.saturating_sub(SKEW_SECS)) {
            Err(UseCodeError::Early)
        } else if now > Millis::from_secs(end) {
            Err(UseCodeError::Expired)
        } else {
            Ok(())
        }
    }
}

impl Cbor for UseCode {
    fn write(&self, writer: &mut Writer) {
        let UseTerms { grantee, resource, fields, mode, item, case, purpose, .. } = &self.terms;
        writer.array(ENTRIES);
        writer.uint(FORMAT);
        writer.uint(grantee.0);
        writer.uint(resource.0);
        writer.array(fields.len());
        fields.iter().for_each(|field| writer.uint(*field));
        writer.uint(*mode as u8);
        writer.text(item);
        writer.text(case);
        writer.uint(purpose.0);
        writer.uint(self.terms.certificate.book.0);
        writer.uint(self.terms.certificate.line.0);
        writer.uint(self.terms.issued_secs);
        writer.uint(self.terms.lifetime_secs);
        writer.bytes(&self.terms.nonce);
        writer.bytes(&self.terms.holder.wire());
        writer.bytes(&self.signature.wire());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("use code", ENTRIES)?;
        let format: u8 = reader.uint("version")?;
        if format != FORMAT {
            return Err(format!("unknown version {format} of a use code"));
        }
        let grantee = MemberNumber(reader.uint("grantee")?);
        let resource = ResourceNumber(reader.uint("resource")?);
        let count = reader.array_upto("fields", ACCESS_FIELDS)?;
        let terms = UseTerms {
            grantee,
            resource,
            fields: (0..count).map(|_| reader.uint("field")).collect::<Result<Vec<_>, _>>()?,
            mode: reader.uint::<u32>("mode").and_then(|number| Mode::try_from(number).map_err(str::to_owned))?,
            item: reader.text("item")?.to_owned(),
            case: reader.text("case")?.to_owned(),
            purpose: PurposeCode(reader.uint("purpose")?),
            certificate: LinePlace { book: BookNumber(reader.uint("book")?), line: LineNumber(reader.uint("line")?) },
            issued_secs: reader.uint("time")?,
            lifetime_secs: reader.uint("lifetime")?,
            nonce: reader.array_bytes("nonce")?,
            holder: PublicKey::from_wire(reader.bytes("holder key")?).map_err(|error| error.to_string())?,
        };
        terms.check().map_err(|error| error.to_string())?;
        let signature = Signature::from_wire(reader.bytes("signature")?).map_err(|error| error.to_string())?;
        Ok(Self { terms, signature })
    }
}

impl From<UseCode> for String {
    fn from(code: UseCode) -> Self {
        code.to_text()
    }
}

impl TryFrom<String> for UseCode {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}

encoded_as!(UseCode, String);
