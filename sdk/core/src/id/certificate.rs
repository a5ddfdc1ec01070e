//! Certificate identifiers: the name a certificate keeps through all its versions.
//!
//! Reading climbs from the outside in: characters, object identifier, parts, lengths, the check
//! character over the whole, and only then the codes inside. So a mistyped identifier answers
//! with its check character, and a nonconforming issuer is one that was published like that.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::check;
use super::credit::CreditCode;
use super::error::{IdError, Part};
use super::resident::{RESIDENT_LEN, ResidentNumber};
use super::text::{Ascii, check_characters, is_digit_or_capital, text_conversions, text_display};
use super::type_code;
use super::type_code::TypeCode;

/// Object identifier that every certificate identifier begins with.
pub const OID: &str = "1.2.156.3005.2";
/// Most characters in a serial. The standard sets none; the longest seen in public has 32.
pub const SERIAL_LEN_MAX: usize = 32;
/// Last version that three digits can write.
pub const VERSION_MAX: u16 = 999;

/// A vendor's variant of [`OID`].
const VENDOR_OID: &str = "1.2.156.3003.2";
/// Most characters in the issuer part, those of a credit code. Nonconforming ones are shorter.
pub(super) const ISSUER_LEN_MAX: usize = 18;

/// A certificate identifier (电子证照标识) that conforms in every part.
///
/// It orders as its text does.
///
/// # Source
/// `sdk/spec/identifiers.md`, rules ID-8 and ID-9; GB/T 36904-2018.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateId {
    type_code: TypeCode,
    issuer: CreditCode,
    serial: Serial,
    version: Version,
    check: char,
}

text_conversions!(CertificateId);

impl CertificateId {
    /// Names a certificate, computing the check character.
    #[must_use]
    pub fn new(type_code: TypeCode, issuer: CreditCode, serial: Serial, version: Version) -> Self {
        let check = check::mod_37_36(&format!("{type_code}{issuer}{serial}{version}"))
            .expect("digits and capitals: checked in the parts");
        Self { type_code, issuer, serial, version, check }
    }

    /// Reads a certificate identifier. A serial that contains a person's number is still read,
    /// because it may stand on somebody's register: see [`CertificateId::check_for_issue`].
    ///
    /// # Errors
    /// Any [`IdError`] of rules ID-1 to ID-10, the first in their order; in particular
    /// [`IdError::NonconformingIssuer`] when only that is wrong.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let written = Written::read(text)?;
        let type_code = written.type_code()?;
        let issuer = written.issuer()?;
        Ok(Self::new(type_code, issuer, written.serial, written.version))
    }

    /// Rule ID-11: an issuer refuses to name a certificate after a person's number.
    ///
    /// # Errors
    /// [`IdError::PersonInSerial`].
    pub fn check_for_issue(&self) -> Result<(), IdError> {
        match person_in(self.serial.as_str()) {
            Some(at) => Err(IdError::PersonInSerial { at: at.saturating_add(SERIAL_AT) }),
            None => Ok(()),
        }
    }

    /// The identifier of the same certificate's next version.
    ///
    /// # Errors
    /// [`IdError::VersionRange`] after version 999.
    pub fn next_version(&self) -> Result<Self, IdError> {
        let version = self.version.next()?;
        Ok(Self::new(self.type_code, self.issuer, self.serial, version))
    }

    /// Which kind of certificate.
    #[must_use]
    pub fn type_code(&self) -> TypeCode {
        self.type_code
    }

    /// The body that issued it.
    #[must_use]
    pub fn issuer(&self) -> CreditCode {
        self.issuer
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

    /// Its check character.
    #[must_use]
    pub fn check_character(&self) -> char {
        self.check
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { type_code, issuer, serial, version, check } = self;
        f.pad(&format!("{OID}.{type_code}.{issuer}.{serial}.{version}.{check}"))
    }
}

/// The issuer's number for a certificate: 1 to [`SERIAL_LEN_MAX`] digits and capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(Ascii<SERIAL_LEN_MAX>);

text_conversions!(Serial);
text_display!(Serial);

impl Serial {
    /// Reads a serial.
    ///
    /// # Errors
    /// [`IdError::Character`] or [`IdError::Length`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_characters(text, "a digit or a capital", is_digit_or_capital)?;
        let held = Ascii::new(text).filter(|_| !text.is_empty());
        held.map(Self).ok_or(IdError::Length { of: Part::Serial, found: text.len(), expected: "1 to 32" })
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Version of a certificate, 0 to 999; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u16);

impl Version {
    /// The version a certificate begins with.
    pub const FIRST: Self = Self(1);

    /// # Errors
    /// [`IdError::VersionRange`] above 999.
    pub fn new(number: u16) -> Result<Self, IdError> {
        if number > VERSION_MAX {
            return Err(IdError::VersionRange { found: number });
        }
        Ok(Self(number))
    }

    /// Reads exactly three digits.
    ///
    /// # Errors
    /// [`IdError::Character`] or [`IdError::Length`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_characters(text, "a digit", |found| found.is_ascii_digit())?;
        let number = text.parse().ok().filter(|_| text.len() == 3);
        number.map(Self).ok_or(IdError::Length { of: Part::Version, found: text.len(), expected: "3" })
    }

    /// The version after this one.
    ///
    /// # Errors
    /// [`IdError::VersionRange`] after 999.
    pub fn next(self) -> Result<Self, IdError> {
        Self::new(self.0.saturating_add(1))
    }

    /// The version as a number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// Whether 18 neighbouring characters of a serial are a valid resident number. Rule ID-11.
#[must_use]
pub fn serial_contains_person(serial: &str) -> bool {
    person_in(serial).is_some()
}

/// Where the first resident number in a serial begins.
fn person_in(serial: &str) -> Option<usize> {
    serial.as_bytes().windows(RESIDENT_LEN).position(|window| std::str::from_utf8(window).is_ok_and(is_person))
}

fn is_person(text: &str) -> bool {
    ResidentNumber::parse(text).is_ok()
}

/// Where the type code begins: behind the object identifier and its dot.
const TYPE_AT: usize = OID.len() + 1;
/// Where the issuer begins.
const ISSUER_AT: usize = TYPE_AT + type_code::TYPE_LEN + 1;
/// Where the serial begins when the issuer is a credit code.
const SERIAL_AT: usize = ISSUER_AT + ISSUER_LEN_MAX + 1;

/// An identifier whose shape and check character hold, before the codes inside are judged.
pub(super) struct Written<'a> {
    type_code: &'a str,
    pub(super) issuer: &'a str,
    pub(super) serial: Serial,
    pub(super) version: Version,
    pub(super) check: char,
}

impl<'a> Written<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, IdError> {
        check_characters(text, "a digit, a capital or a dot", |found| found == '.' || is_digit_or_capital(found))?;
        let body = strip_oid(text)?;
        // At most six pieces, however many dots a hostile text holds.
        let parts: Vec<&str> = body.splitn(6, '.').collect();
        let [type_code, issuer, serial, version, check] = parts[..] else {
            return Err(IdError::Parts { found: body.split('.').count() });
        };

        type_code::check_shape(type_code).map_err(|error| error.shifted(TYPE_AT))?;
        if !(1..=ISSUER_LEN_MAX).contains(&issuer.len()) {
            return Err(IdError::Length { of: Part::Issuer, found: issuer.len(), expected: "18" });
        }
        let serial = Serial::parse(serial)?;
        let version_at = text.len() - check.len() - 1 - version.len();
        let version = Version::parse(version).map_err(|error| error.shifted(version_at))?;
        let &[found] = check.as_bytes() else {
            return Err(IdError::Length { of: Part::Check, found: check.len(), expected: "1" });
        };

        let found = char::from(found);
        let expected = check::mod_37_36(&format!("{type_code}{issuer}{serial}{version}"))
            .expect("digits and capitals: checked above");
        if found != expected {
            return Err(IdError::CheckCharacter { of: Part::CertificateId, at: text.len() - 1, found, expected });
        }
        Ok(Self { type_code, issuer, serial, version, check: found })
    }

    pub(super) fn type_code(&self) -> Result<TypeCode, IdError> {
        TypeCode::parse(self.type_code).map_err(|error| error.shifted(TYPE_AT))
    }

    /// Rule ID-10: the issuer, when it is a credit code.
    pub(super) fn issuer(&self) -> Result<CreditCode, IdError> {
        CreditCode::parse(self.issuer)
            .map_err(|error| IdError::NonconformingIssuer { reason: Box::new(error.shifted(ISSUER_AT)) })
    }
}

/// The text behind the object identifier and its dot.
fn strip_oid(text: &str) -> Result<&str, IdError> {
    let behind = |oid| text.strip_prefix(oid).and_then(|rest| rest.strip_prefix('.'));
    match (behind(OID), behind(VENDOR_OID)) {
        (Some(body), _) => Ok(body),
        (None, Some(_)) => Err(IdError::VendorOid),
        (None, None) => Err(IdError::OtherOid),
    }
}
