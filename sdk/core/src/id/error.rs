//! What can be wrong with a code, where, and what was expected.
//!
//! A refusal carries positions and single characters, never the code: a code may be a person's.

use std::fmt;

/// Why a code is refused. Positions count characters of the text as given, from 0.
///
/// Declared in order of precedence, which is the order in which a reader checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// ID-1: a character that cannot stand there (lower case, `_`, space, full-width, ...).
    #[error("character {at} is '{}', expected {expected}", found.escape_default())]
    Character {
        /// Place of the first such character.
        at: usize,
        /// What stands there.
        found: char,
        /// What may stand there.
        expected: &'static str,
    },
    /// ID-8: a vendor's object identifier instead of the standard's.
    #[error("begins with 1.2.156.3003.2, one vendor's variant; expected 1.2.156.3005.2")]
    VendorOid,
    /// ID-8: the text does not begin with the object identifier of certificate identifiers.
    #[error("does not begin with 1.2.156.3005.2")]
    OtherOid,
    /// ID-8: the dots do not cut out type, issuer, serial, version and check character.
    #[error("{found} parts follow 1.2.156.3005.2, expected 5: type, issuer, serial, version, check")]
    Parts {
        /// How many parts follow the object identifier.
        found: usize,
    },
    /// ID-2: too short or too long.
    #[error("{of} has {found} characters, expected {expected}")]
    Length {
        /// Which code or part.
        of: Part,
        /// Its length in characters.
        found: usize,
        /// The lengths it may have.
        expected: &'static str,
    },
    /// ID-9: a version number that three digits cannot write.
    #[error("version {found} is above 999")]
    VersionRange {
        /// The version asked for.
        found: u16,
    },
    /// ID-3: the check character disagrees with the rest.
    #[error("check character of the {of}, at {at}, is {found}, expected {expected}")]
    CheckCharacter {
        /// Whose check character.
        of: Part,
        /// Its place.
        at: usize,
        /// What stands there.
        found: char,
        /// What the other characters call for.
        expected: char,
    },
    /// ID-6: characters 6 to 13 of a resident number are no birth date.
    #[error("characters 6 to 13 are not a calendar date of the years 1800 to 2199")]
    BirthDate,
    /// ID-6: a resident number of somebody born after today.
    #[error("birth date is after today")]
    BornAfterToday,
    /// ID-10: the issuer is no credit code. An import may carry it, flagged; an issue may not.
    #[error("issuer is not a unified social credit code: {reason}")]
    NonconformingIssuer {
        /// Why the issuer is not a credit code.
        reason: Box<IdError>,
    },
    /// ID-11: the serial contains a valid resident number.
    #[error("serial contains a resident number, from character {at}")]
    PersonInSerial {
        /// Where it begins.
        at: usize,
    },
    /// ID-12: the text has the shape of no code known here.
    #[error("{found} characters that have the shape of no known code")]
    UnknownShape {
        /// Length of the text in characters.
        found: usize,
    },
}

impl IdError {
    /// The name that vectors, `--json` and other languages share. It never changes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Character { .. } => "CHARACTER",
            Self::Length { .. } => "LENGTH",
            Self::VendorOid => "VENDOR_OID",
            Self::OtherOid => "OTHER_OID",
            Self::Parts { .. } => "PARTS",
            Self::VersionRange { .. } => "VERSION_RANGE",
            Self::CheckCharacter { .. } => "CHECK_CHARACTER",
            Self::BirthDate => "BIRTH_DATE",
            Self::BornAfterToday => "BORN_AFTER_TODAY",
            Self::NonconformingIssuer { .. } => "NONCONFORMING_ISSUER_CODE",
            Self::PersonInSerial { .. } => "PERSON_IN_SERIAL",
            Self::UnknownShape { .. } => "UNKNOWN_SHAPE",
        }
    }

    /// Tag of the rule that refuses, as in `sdk/spec/identifiers.md`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Character { .. } => "ID-1",
            Self::Length { .. } => "ID-2",
            Self::CheckCharacter { .. } => "ID-3",
            Self::BirthDate | Self::BornAfterToday => "ID-6",
            Self::VendorOid | Self::OtherOid | Self::Parts { .. } => "ID-8",
            Self::VersionRange { .. } => "ID-9",
            Self::NonconformingIssuer { .. } => "ID-10",
            Self::PersonInSerial { .. } => "ID-11",
            Self::UnknownShape { .. } => "ID-12",
        }
    }

    /// Moves positions from a part to the text that holds the part.
    pub(super) fn shifted(self, by: usize) -> Self {
        match self {
            Self::Character { at, found, expected } => Self::Character { at: at.saturating_add(by), found, expected },
            Self::CheckCharacter { of, at, found, expected } => {
                Self::CheckCharacter { of, at: at.saturating_add(by), found, expected }
            }
            other => other,
        }
    }
}

/// The code, or the part of a certificate identifier, that a refusal speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A certificate identifier as a whole.
    CertificateId,
    /// The type code of a certificate identifier.
    TypeCode,
    /// The issuer of a certificate identifier.
    Issuer,
    /// The serial of a certificate identifier.
    Serial,
    /// The version of a certificate identifier.
    Version,
    /// The last part of a certificate identifier.
    Check,
    /// A unified social credit code.
    CreditCode,
    /// An organisation code.
    OrganisationCode,
    /// A resident number.
    ResidentNumber,
    /// A division code.
    Division,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertificateId => "certificate identifier",
            Self::TypeCode => "type code",
            Self::Issuer => "issuer",
            Self::Serial => "serial",
            Self::Version => "version",
            Self::Check => "check part",
            Self::CreditCode => "credit code",
            Self::OrganisationCode => "organisation code",
            Self::ResidentNumber => "resident number",
            Self::Division => "division code",
        })
    }
}
