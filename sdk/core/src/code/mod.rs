//! Codes (亮证): what a holder shows, readable for two minutes.
//!
//! ```text
//! FN1: base45( [version, class, shown, time, lifetime, nonce, purpose, challenge, assertion?, signature] )
//!                               shown: place, header without claims digest, some claims, siblings, path
//! ```
//!
//! The claims digest is not in the code: who reads it folds it out of the claims shown and their
//! siblings, which spares 34 bytes and a check. Every byte is under the holder's signature, either
//! signed or as the signature's only spelling, so that a code cannot be altered into another.
//! Rules Y-1 to Y-9 and Y-16: `sdk/spec/codes.md`.

mod budget;
mod printed;
mod show;
mod shown;
mod terms;
pub(crate) mod text;

use thiserror::Error;

use crate::certificate::CertificateHeader;
use crate::certificate::cbor::{self, Cbor, Reader, Writer, Wrong};
use crate::codec::DecodeError;
use crate::digest::{Digest, Domain};
use crate::keys::Signature;
use crate::limits::CODE_BYTES;
use crate::number::MemberNumber;

pub use budget::{BudgetError, CodeBudget, check_budget};
pub use printed::{AnyCode, StaticCode};
pub use show::everyday;
pub use shown::Shown;
pub use terms::{LIFETIME_SECS_MAX, Terms};

use terms::TERMS;

/// What every code's text begins with, dynamic or static.
pub const PREFIX: &str = "FN1:";

const FORMAT: u8 = 1;
/// CBOR entries besides the terms: version, class, what is shown, signature.
const HEADS: usize = 4;

/// What kind of code it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum CodeClass {
    /// On a screen, signed by the holder's key for a short time: a [`Code`].
    Dynamic = 0,
    /// On paper or in a file, by nobody and for ever: a [`StaticCode`] (CRT-13).
    Static = 1,
}

/// A dynamic code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    /// What kind.
    pub class: CodeClass,
    /// What it discloses.
    pub shown: Shown,
    /// When, for how long and what for.
    pub terms: Terms,
    /// By the holder's key over [`Code::message`].
    pub signature: Signature,
}

/// Why a text is no code, or no code can be made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CodeError {
    /// Y-1: another kind of text.
    #[error("the text does not begin with {prefix}")]
    Prefix {
        /// What it would begin with.
        prefix: &'static str,
    },
    /// Y-1: not the one base45 spelling of any bytes.
    #[error("the text is not base45")]
    Base45,
    /// Y-2: not the one encoding of a code.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// Y-4: the siblings do not fit the claims shown.
    #[error("the siblings do not fit the claims shown")]
    Siblings,
    /// Y-3: a field to disclose that the certificate does not have, or none, or out of order.
    #[error("the fields to disclose are not in rising order among the {fields} of the certificate")]
    Disclose {
        /// Fields of the certificate.
        fields: usize,
    },
    /// Y-5: the key is not the one in the header.
    #[error("the key is not the holder's")]
    OtherKey,
    /// Y-16: the identity service vouches for another key.
    #[error("the assertion is for another key than the certificate's; next: be checked with this one")]
    OtherAssertion,
    /// Y-6: a code holds 1 to 300 seconds, and no challenge hashes to zeros.
    #[error("a code cannot hold {secs} seconds (1 to {LIFETIME_SECS_MAX} are allowed) or answer a challenge of zeros")]
    Terms {
        /// Seconds asked for.
        secs: u32,
    },
    /// Y-7: too large for a QR code that phones read well.
    #[error("the code has {bytes} bytes, above the limit of {CODE_BYTES}: disclose fewer fields")]
    TooLarge {
        /// Bytes of the code.
        bytes: usize,
    },
}

impl Code {
    /// Rules Y-1 and Y-2: reads the text of a code.
    ///
    /// # Errors
    /// [`CodeError::Prefix`], [`CodeError::Base45`] and [`CodeError::Encoding`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Self::decode(&text::bytes_of(text, PREFIX, CODE_BYTES)?)
    }

    /// The text a QR code carries in its alphanumeric mode.
    pub fn to_text(&self) -> String {
        text::text_of(&self.encode(), PREFIX)
    }

    /// Rule Y-2: reads the bytes of a code.
    ///
    /// # Errors
    /// [`CodeError::Encoding`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodeError> {
        Ok(cbor::decode(bytes, CODE_BYTES)?)
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Rule Y-4: the certificate's header, whose claims digest follows from the claims shown.
    ///
    /// # Errors
    /// [`CodeError::Siblings`].
    pub fn header(&self, domain: &Domain) -> Result<CertificateHeader, CodeError> {
        self.shown.header(domain)
    }

    /// Rule Y-5: the bytes the holder signs, for the line's commitment.
    pub fn message(&self, domain: &Domain, commitment: &Digest) -> Vec<u8> {
        message(domain, self.class, commitment, &self.shown, &self.terms)
    }

    /// What a replay cache keys on: the hash of the message signed.
    ///
    /// # Errors
    /// [`CodeError::Siblings`].
    pub fn signed_hash(&self, domain: &Domain) -> Result<Digest, CodeError> {
        let commitment = self.header(domain)?.commitment(domain);
        Ok(domain.suite.hash(&[&self.message(domain, &commitment)]))
    }

    /// The identity service that vouches for the holder: a verifier needs its record too (V-2).
    pub fn service(&self) -> Option<MemberNumber> {
        self.terms.assertion.map(|assertion| assertion.statement.service)
    }

    /// The last second at which the code holds by its own clock.
    pub fn expires_secs(&self) -> u64 {
        self.terms.issued_secs.saturating_add(u64::from(self.terms.lifetime_secs))
    }
}

impl Cbor for Code {
    fn write(&self, writer: &mut Writer) {
        writer.array(HEADS + self.terms.entries());
        writer.uint(FORMAT);
        writer.uint(self.class as u8);
        self.shown.write(writer);
        self.terms.write_entries(writer);
        writer.bytes(&self.signature.wire());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let entries = reader.array_upto("code", HEADS + TERMS + 1)?;
        if entries < HEADS + TERMS {
            return Err(format!("code: {entries} entries"));
        }
        let format: u8 = reader.uint("version")?;
        if format != FORMAT {
            return Err(format!("unknown version {format} of a code"));
        }
        let class: u8 = reader.uint("class")?;
        if class == CodeClass::Static as u8 {
            return Err("a static code, which nobody signed".into());
        }
        if class != CodeClass::Dynamic as u8 {
            return Err(format!("unknown class {class} of a code"));
        }
        let shown = Shown::read(reader)?;
        Ok(Self {
            class: CodeClass::Dynamic,
            terms: Terms::read_entries(reader, entries - HEADS, shown.facts.holder)?,
            shown,
            signature: Signature::from_wire(reader.bytes("signature")?).map_err(|error| error.to_string())?,
        })
    }
}

/// Rule Y-5: what the holder's signature covers.
fn message(domain: &Domain, class: CodeClass, commitment: &Digest, shown: &Shown, terms: &Terms) -> Vec<u8> {
    let shown = domain.digest("shown", &[&cbor::encode(shown)]);
    domain.message(
        "show",
        &[
            &[class as u8],
            &commitment.0,
            &shown.0,
            &terms.issued_secs.to_be_bytes(),
            &terms.lifetime_secs.to_be_bytes(),
            &terms.nonce,
            &terms.purpose.0.to_be_bytes(),
            &terms.challenge.unwrap_or_default().0,
            &terms.assertion_bytes(),
        ],
    )
}
