//! The header of a certificate: what the issuer stands for, and what the commitment hashes.

use super::Grade;
use super::cbor::{Cbor, Reader, Writer, Wrong, encode};
use crate::book::{Book, Line, Tag};
use crate::day::Day;
use crate::digest::{Digest, Domain};
use crate::id::{CertificateId, Serial, TypeCode, Version};
use crate::keys::PublicKey;

/// Version of the certificate format.
pub const PROFILE: u8 = 1;

/// What a header says besides the claims. Issuer, type and division are the book's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Version of the type's schema, from 1.
    pub schema: u16,
    /// The issuer's number for the certificate.
    pub serial: Serial,
    /// Its version.
    pub version: Version,
    /// Day of issue (颁发日期).
    pub issued: Day,
    /// First day of validity.
    pub from: Day,
    /// Last day of validity, included; `None` for ever (长期).
    pub until: Option<Day>,
    /// Who vouches for the content.
    pub grade: Grade,
    /// The key on the holder's phone.
    pub holder: PublicKey,
}

/// How many CBOR entries the facts take in an array, with the profile in front.
pub(crate) const FACTS: usize = 9;

impl Facts {
    /// The full identifier, with the type and the issuer of the book.
    pub fn identifier(&self, certificate_type: TypeCode, book: &Book) -> CertificateId {
        CertificateId::new(certificate_type, book.issuer, self.serial, self.version)
    }

    /// Writes [`FACTS`] entries into an array that the caller has begun.
    pub(crate) fn write_entries(&self, writer: &mut Writer) {
        writer.uint(PROFILE);
        writer.uint(self.schema);
        writer.text(self.serial.as_str());
        writer.uint(self.version.number());
        writer.uint(self.issued.0);
        writer.uint(self.from.0);
        match self.until {
            Some(until) => writer.uint(until.0),
            None => writer.null(),
        }
        writer.uint(self.grade as u8);
        writer.bytes(&self.holder.wire());
    }

    pub(crate) fn read_entries(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let profile: u8 = reader.uint("profile")?;
        if profile != PROFILE {
            return Err(format!("unknown certificate profile {profile}"));
        }
        let facts = Self {
            schema: reader.uint("schema version")?,
            serial: Serial::parse(reader.text("serial")?).map_err(|error| error.to_string())?,
            version: Version::new(reader.uint("version")?).map_err(|error| error.to_string())?,
            issued: Day(reader.uint("day of issue")?),
            from: Day(reader.uint("first day")?),
            until: reader.nullable("last day", |reader| reader.uint("last day").map(Day))?,
            grade: reader
                .uint::<u8>("grade")
                .and_then(|number| Grade::from_number(number).ok_or_else(|| format!("unknown trust grade {number}")))?,
            holder: PublicKey::from_wire(reader.bytes("holder key")?).map_err(|error| error.to_string())?,
        };
        if facts.days_are_in_order() { Ok(facts) } else { Err("the last day is before the first".into()) }
    }

    /// Rule X-6: validity does not end before it begins.
    pub(crate) fn days_are_in_order(&self) -> bool {
        self.until.is_none_or(|until| self.from <= until)
    }
}

/// A certificate's header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateHeader {
    /// What it says by itself.
    pub facts: Facts,
    /// Digest of the list of claims.
    pub claims_digest: Digest,
}

impl CertificateHeader {
    /// Rule X-7: the commitment, the hash of the header's bytes. The claims' salts are under it.
    pub fn commitment(&self, domain: &Domain) -> Digest {
        domain.digest("commitment", &[&encode(self)])
    }

    /// The line that seals this header.
    pub fn line(&self, domain: &Domain, identifier: &CertificateId) -> Line {
        Line { tag: Tag::of(domain, identifier), commitment: self.commitment(domain) }
    }
}

/// `[profile, schema, serial, version, issued, from, until, grade, key, claims digest]`.
impl Cbor for CertificateHeader {
    fn write(&self, writer: &mut Writer) {
        writer.array(FACTS + 1);
        self.facts.write_entries(writer);
        writer.bytes(&self.claims_digest.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("header", FACTS + 1)?;
        let facts = Facts::read_entries(reader)?;
        Ok(Self { facts, claims_digest: Digest(reader.array_bytes("claims digest")?) })
    }
}
