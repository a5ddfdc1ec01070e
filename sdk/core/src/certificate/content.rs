//! A certificate's content: header and claims with their salts.

use thiserror::Error;

use super::cbor::{Cbor, Reader, Writer, Wrong, decode, encode};
use super::claim::{Claim, ClaimValue, Salt, claims_digest};
use super::derive::derive;
use super::header::{CertificateHeader, Facts};
use crate::codec::DecodeError;
use crate::digest::{Digest, Domain};
use crate::id::serial_contains_person;
use crate::limits::{CERTIFICATE_FILE_BYTES, CLAIM_BYTES, CLAIMS};
use crate::record::Schema;
use crate::tree;

/// Why values make no certificate.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CertificateError {
    /// not a claim's text.
    #[error("a value of {bytes} bytes: 1 to {CLAIM_BYTES} without control characters are allowed")]
    Value {
        /// Bytes received.
        bytes: usize,
    },
    /// not one value and one salt for each field of the schema.
    #[error("{values} values and {salts} salts for {fields} fields, of which {CLAIMS} are allowed")]
    Fields {
        /// Values given.
        values: usize,
        /// Salts given.
        salts: usize,
        /// Fields of the schema.
        fields: usize,
    },
    /// a required claim has no value.
    #[error("the field {label} needs a value")]
    Missing {
        /// The field.
        label: String,
    },
    /// longer than the type's schema allows.
    #[error("{label} has {bytes} bytes, above the type's limit of {limit}")]
    TooLong {
        /// The field, or the serial.
        label: String,
        /// Bytes of the value.
        bytes: usize,
        /// Bytes the schema allows.
        limit: usize,
    },
    /// not the value that follows from its source.
    #[error("{label} is not what follows from {source_label}, or that is no date")]
    Derived {
        /// The derived field.
        label: String,
        /// The field it follows from.
        source_label: String,
    },
    /// one salt twice, so that a shown claim would open a hidden one.
    #[error("two fields have the same salt")]
    SaltTwice,
    /// the last day is before the first.
    #[error("the last day is before the first")]
    Days,
    /// ID-11: the serial holds a person's number, which everybody who reads a line could guess at.
    #[error("the serial contains a person's number")]
    PersonInSerial,
    /// the claims are not those of the header.
    #[error("the claims do not give the header's claims digest")]
    Claims,
}

/// A certificate's content: what the issuer archives and hands to the holder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    header: CertificateHeader,
    claims: Vec<Claim>,
}

impl Certificate {
    /// Rules: a new certificate.
    ///
    /// - `values`, `salts`: one for each field of `schema`, in its order; a value is `None` where
    ///   an optional field is absent. Salts are fresh randomness.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn new(
        domain: &Domain,
        schema: &Schema,
        facts: Facts,
        values: Vec<Option<ClaimValue>>,
        salts: &[Salt],
    ) -> Result<Self, CertificateError> {
        let fields = schema.claims.len();
        if fields == 0 || fields > CLAIMS || values.len() != fields || salts.len() != fields {
            return Err(CertificateError::Fields { values: values.len(), salts: salts.len(), fields });
        }
        for (spec, value) in schema.claims.iter().zip(&values) {
            if spec.required && value.is_none() {
                return Err(CertificateError::Missing { label: spec.label.clone() });
            }
        }
        check_lengths(schema, &facts, &values)?;
        check_derived(schema, &facts, &values)?;
        if (1..fields).any(|place| salts[..place].contains(&salts[place])) {
            return Err(CertificateError::SaltTwice);
        }
        if !facts.days_are_in_order() {
            return Err(CertificateError::Days);
        }
        if serial_contains_person(facts.serial.as_str()) {
            return Err(CertificateError::PersonInSerial);
        }
        let claims: Vec<Claim> =
            (0u16..).zip(values).zip(salts).map(|((index, value), salt)| Claim { index, salt: *salt, value }).collect();
        let claims_digest = digest_of(domain, &claims);
        Ok(Self { header: CertificateHeader { facts, claims_digest }, claims })
    }

    /// The header.
    pub fn header(&self) -> &CertificateHeader {
        &self.header
    }

    /// The claims, in the order of the schema.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// Leaf digests of the claims, in their order.
    pub fn leaves(&self, domain: &Domain) -> Vec<Digest> {
        self.claims.iter().map(|claim| claim.leaf(domain)).collect()
    }

    /// Rule X-5: whether the claims are those the header commits to.
    ///
    /// # Errors
    /// [`CertificateError::Claims`].
    pub fn check(&self, domain: &Domain) -> Result<(), CertificateError> {
        if digest_of(domain, &self.claims) == self.header.claims_digest {
            Ok(())
        } else {
            Err(CertificateError::Claims)
        }
    }

    /// Its one encoding, for the issuer's archive.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a certificate and checks its claims against its header.
    ///
    /// # Errors
    /// [`DecodeError`], also where the claims are not the header's.
    pub fn decode(domain: &Domain, bytes: &[u8]) -> Result<Self, DecodeError> {
        let certificate: Self = decode(bytes, CERTIFICATE_FILE_BYTES)?;
        certificate.check(domain).map_err(|error| DecodeError::Malformed { reason: error.to_string() })?;
        Ok(certificate)
    }
}

/// Rule X-9: nothing is longer than the size of a code was reckoned with.
fn check_lengths(schema: &Schema, facts: &Facts, values: &[Option<ClaimValue>]) -> Result<(), CertificateError> {
    let (bytes, limit) = (facts.serial.as_str().len(), usize::from(schema.serial_bytes));
    if bytes > limit {
        return Err(CertificateError::TooLong { label: "serial".into(), bytes, limit });
    }
    for (spec, value) in schema.claims.iter().zip(values) {
        let (bytes, limit) = (value.as_ref().map_or(0, |value| value.as_str().len()), usize::from(spec.max_bytes));
        if bytes > limit {
            return Err(CertificateError::TooLong { label: spec.label.clone(), bytes, limit });
        }
    }
    Ok(())
}

/// Rule X-10: a derived field says what follows from its source on the day of issue.
fn check_derived(schema: &Schema, facts: &Facts, values: &[Option<ClaimValue>]) -> Result<(), CertificateError> {
    for (spec, value) in schema.claims.iter().zip(values) {
        let Some(derived) = spec.derived else { continue };
        let source = usize::from(derived.from);
        let follows = values.get(source).map(|source| derive(derived.rule, source.as_ref(), facts.issued));
        if follows.and_then(Result::ok).as_ref() != Some(value) {
            let source_label = schema.claims.get(source).map_or_else(String::new, |spec| spec.label.clone());
            return Err(CertificateError::Derived { label: spec.label.clone(), source_label });
        }
    }
    Ok(())
}

fn digest_of(domain: &Domain, claims: &[Claim]) -> Digest {
    let leaves: Vec<Digest> = claims.iter().map(|claim| claim.leaf(domain)).collect();
    claims_digest(domain, leaves.len(), &tree::root(domain.suite, &leaves))
}

/// `[header, [claim, ...]]`.
impl Cbor for Certificate {
    fn write(&self, writer: &mut Writer) {
        writer.array(2);
        self.header.write(writer);
        writer.array(self.claims.len());
        self.claims.iter().for_each(|claim| claim.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("certificate", 2)?;
        let header = CertificateHeader::read(reader)?;
        let len = reader.array_upto("claims", CLAIMS)?;
        let claims = (0..len).map(|_| Claim::read(reader)).collect::<Result<Vec<_>, _>>()?;
        let counted = (0u16..).zip(&claims).all(|(place, claim)| claim.index == place);
        if counted && len > 0 { Ok(Self { header, claims }) } else { Err("claims do not count 0, 1, 2, ...".into()) }
    }
}
