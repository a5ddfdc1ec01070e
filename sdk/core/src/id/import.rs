//! Imported identifiers: what others published, flagged where it does not conform.
//!
//! Public registers hold identifiers whose issuer is a division or a broken credit code. An
//! import keeps them as they are and says so; a [`CertificateId`] never is one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::certificate::{CertificateId, ISSUER_LEN_MAX, OID, Serial, Version, Written};
use super::error::IdError;
use super::text::{Ascii, text_conversions};
use super::type_code::TypeCode;

/// A certificate identifier from somebody else's register.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-10.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ImportedId {
    /// It conforms in every part.
    Conforming(CertificateId),
    /// Its issuer is not a credit code: to be marked `NONCONFORMING_ISSUER_CODE`.
    NonconformingIssuer(NonconformingId),
}

text_conversions!(ImportedId);

impl ImportedId {
    /// As [`CertificateId::parse_lenient`].
    ///
    /// # Errors
    /// As [`CertificateId::parse_lenient`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let written = Written::read(text)?;
        let type_code = written.type_code()?;
        Ok(match written.issuer() {
            Ok(issuer) => Self::Conforming(CertificateId::new(type_code, issuer, written.serial, written.version)),
            Err(reason) => Self::NonconformingIssuer(NonconformingId {
                type_code,
                issuer: Ascii::new(written.issuer).ok_or(reason)?,
                serial: written.serial,
                version: written.version,
                check: written.check,
            }),
        })
    }

    /// The mark an import carries into the register, if any.
    #[must_use]
    pub fn flag(&self) -> Option<&'static str> {
        match self {
            Self::Conforming(_) => None,
            Self::NonconformingIssuer(_) => Some("NONCONFORMING_ISSUER_CODE"),
        }
    }
}

impl CertificateId {
    /// Reads an identifier for import: the issuer may be any 1 to 18 digits and capitals, and
    /// the answer says so. Everything else is as strict as [`CertificateId::parse`].
    ///
    /// # Errors
    /// Any [`IdError`] of rules ID-1 to ID-9, the first in their order.
    pub fn parse_lenient(text: &str) -> Result<ImportedId, IdError> {
        ImportedId::parse(text)
    }
}

impl fmt::Display for ImportedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conforming(id) => id.fmt(f),
            Self::NonconformingIssuer(id) => id.fmt(f),
        }
    }
}

/// A certificate identifier that conforms except for its issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonconformingId {
    type_code: TypeCode,
    issuer: Ascii<ISSUER_LEN_MAX>,
    serial: Serial,
    version: Version,
    check: char,
}

impl NonconformingId {
    /// Which kind of certificate.
    #[must_use]
    pub fn type_code(&self) -> TypeCode {
        self.type_code
    }

    /// What stands in the issuer's place.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// The issuer's number for it.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }
}

impl fmt::Display for NonconformingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { type_code, issuer, serial, version, check } = self;
        let issuer = issuer.as_str();
        f.pad(&format!("{OID}.{type_code}.{issuer}.{serial}.{version}.{check}"))
    }
}
