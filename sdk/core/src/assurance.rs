//! Assurance (身份认证等级): how an identity service (身份认证服务) has checked whoever has a phone's key.
//!
//! ```text
//! FA1: base45( [version, holder key, [service, key number, level, time, validity, token, signature]] )
//! ```
//!
//! The service checks a person, by name or in person, and vouches for the key on their phone for a
//! while. The wallet puts the assertion into its codes, where the holder key is the header's and is
//! not repeated: an assertion for one key is worth nothing beside another. It names nobody. Its token
//! is fresh each time, so that it adds no pseudonym to the key. Rules Y-14 to Y-16:
//! `sdk/spec/codes.md`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::certificate::cbor::{self, Cbor, Reader, Writer, Wrong};
use crate::code::{CodeError, text};
use crate::day::Millis;
use crate::digest::Domain;
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::number::{Height, KeyNumber, MemberNumber};
use crate::record::{KeyPurpose, Member, MemberStatus, Role};
use crate::verify::SKEW_SECS;

/// What every assertion's text begins with.
pub const PREFIX: &str = "FA1:";
/// The longest an assertion may hold, in seconds: a day.
pub const VALID_SECS_MAX: u32 = 86_400;

const FORMAT: u8 = 1;
/// CBOR entries of an assertion within a code.
const ENTRIES: usize = 7;
/// Bytes of an assertion with its key, at most.
const BYTES: usize = 256;

/// How the person behind a key was checked; later ones are stronger.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, bincode::Encode, bincode::Decode,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Assurance {
    /// Name and number were checked (实名).
    RealName = 1,
    /// The person was there and is the one of that name (实人).
    RealPerson = 2,
}

impl Assurance {
    /// The level with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::RealName, Self::RealPerson].into_iter().find(|level| *level as u8 == number)
    }

    /// The level as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RealName => "real-name",
            Self::RealPerson => "real-person",
        }
    }

    /// The level as people say it.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::RealName => "实名",
            Self::RealPerson => "实人",
        }
    }
}

/// What an identity service vouches for. Time and randomness come from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The key on the phone of the person that was checked.
    pub holder: PublicKey,
    /// The member that is the service.
    pub service: MemberNumber,
    /// Number of the member's key that signs.
    pub key: KeyNumber,
    /// How the person was checked.
    pub level: Assurance,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub time_secs: u64,
    /// How long that holds, in seconds, 1 to 86,400.
    pub valid_secs: u32,
    /// What the service finds its own record by: a hash with a fresh salt, or fresh randomness.
    pub token: [u8; 16],
}

/// A statement with the service's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assertion {
    /// What is vouched for.
    pub statement: Statement,
    /// By the service's key over [`Statement::message`].
    pub signature: Signature,
}

/// Why an assertion is none, or does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AssuranceError {
    /// Y-14: it holds for 1 second to a day.
    #[error("an assertion cannot hold {secs} seconds (1 to {VALID_SECS_MAX} are allowed)")]
    Validity {
        /// Seconds asked for.
        secs: u32,
    },
    /// Y-15: the signature is not of a key of that member, or was made for another phone's key.
    #[error("the assertion was not signed for this key by the member it names")]
    Signature,
    /// Y-15: the member may not vouch for anybody.
    #[error("the member that vouches is no identity service, or may not act now")]
    NotService,
    /// Y-15: the key is for something else, or not of these days.
    #[error("key {key} of the identity service is not for applications, or not in force")]
    Key {
        /// Number of the key.
        key: KeyNumber,
    },
    /// Y-15: too early.
    #[error("the assertion is from later than now: one of the two clocks is wrong")]
    Early,
    /// Y-15: too late.
    #[error("the assertion has expired: be checked again")]
    Expired,
}

impl Statement {
    /// Rule Y-14: the bytes the service signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message(
            "assurance",
            &[
                &self.service.0.to_be_bytes(),
                &self.key.0.to_be_bytes(),
                &[self.level as u8],
                &self.time_secs.to_be_bytes(),
                &self.valid_secs.to_be_bytes(),
                &self.token,
                &self.holder.wire(),
            ],
        )
    }

    /// Rule Y-14: the statement, signed.
    ///
    /// # Errors
    /// [`AssuranceError::Validity`].
    pub fn sign(self, domain: &Domain, key: &SecretKey) -> Result<Assertion, AssuranceError> {
        self.sign_with(domain, |message| Ok(key.sign(message)))
    }

    /// As `sign`, with a key that is kept elsewhere and may fail.
    ///
    /// # Errors
    /// [`AssuranceError::Validity`], and that of `sign`.
    pub fn sign_with<E: From<AssuranceError>>(
        self,
        domain: &Domain,
        sign: impl FnOnce(&[u8]) -> Result<Signature, E>,
    ) -> Result<Assertion, E> {
        if !self.validity_is_allowed() {
            return Err(AssuranceError::Validity { secs: self.valid_secs }.into());
        }
        let signature = sign(&self.message(domain))?;
        Ok(Assertion { statement: self, signature })
    }

    fn validity_is_allowed(&self) -> bool {
        (1..=VALID_SECS_MAX).contains(&self.valid_secs)
    }

    /// The last second at which it holds by its own clock.
    pub fn expires_secs(&self) -> u64 {
        self.time_secs.saturating_add(self.valid_secs.into())
    }

    /// Rule Y-15: it holds from its time − 30 s to its end + 30 s, both included.
    ///
    /// # Errors
    /// [`AssuranceError::Early`] and [`AssuranceError::Expired`].
    pub fn check_time(&self, now: Millis) -> Result<(), AssuranceError> {
        if now < Millis::from_secs(self.time_secs.saturating_sub(SKEW_SECS)) {
            Err(AssuranceError::Early)
        } else if now > Millis::from_secs(self.expires_secs().saturating_add(SKEW_SECS)) {
            Err(AssuranceError::Expired)
        } else {
            Ok(())
        }
    }
}

impl Assertion {
    /// Rule Y-15: whether the service vouches for the key, now.
    ///
    /// - `service`: the record of the statement's member, proven.
    /// - `height`: of the state that proved it.
    ///
    /// # Errors
    /// [`AssuranceError`], the signature's first: what nobody signed says nothing about a service.
    pub fn check(&self, domain: &Domain, service: &Member, height: Height, now: Millis) -> Result<(), AssuranceError> {
        let Statement { key: number, .. } = self.statement;
        let message = self.statement.message(domain);
        let key = service.key(number).filter(|key| key.key.verify(&message, &self.signature));
        let key = key.ok_or(AssuranceError::Signature)?;
        if service.status != MemberStatus::Active || !service.roles.has(Role::Identity) {
            return Err(AssuranceError::NotService);
        }
        if key.purpose != KeyPurpose::Application || !key.is_valid_at(height) {
            return Err(AssuranceError::Key { key: number });
        }
        self.statement.check_time(now)
    }

    /// Reads the text of an assertion, as a service hands it to a wallet.
    ///
    /// # Errors
    /// [`CodeError::Prefix`], [`CodeError::Base45`] and [`CodeError::Encoding`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Ok(cbor::decode(&text::bytes_of(text, PREFIX, BYTES)?, BYTES)?)
    }

    /// The text of an assertion.
    pub fn to_text(&self) -> String {
        text::text_of(&cbor::encode(self), PREFIX)
    }

    /// Writes what a code carries: its header names the holder's key.
    pub(crate) fn write_in_code(&self, writer: &mut Writer) {
        let Statement { holder: _, service, key, level, time_secs, valid_secs, token } = &self.statement;
        writer.array(ENTRIES);
        writer.uint(service.0);
        writer.uint(key.0);
        writer.uint(*level as u8);
        writer.uint(*time_secs);
        writer.uint(*valid_secs);
        writer.bytes(token);
        writer.bytes(&self.signature.wire());
    }

    /// Reads what a code carries, for the key in its header.
    pub(crate) fn read_in_code(reader: &mut Reader<'_>, holder: PublicKey) -> Result<Self, Wrong> {
        reader.array("assertion", ENTRIES)?;
        let statement = Statement {
            holder,
            service: MemberNumber(reader.uint("identity service")?),
            key: KeyNumber(reader.uint("key number")?),
            level: reader.uint::<u8>("level").and_then(|number| {
                Assurance::from_number(number).ok_or_else(|| format!("unknown assurance level {number}"))
            })?,
            time_secs: reader.uint("time")?,
            valid_secs: reader.uint("validity")?,
            token: reader.array_bytes("token")?,
        };
        if !statement.validity_is_allowed() {
            return Err(format!("no assertion holds {} seconds", statement.valid_secs));
        }
        let signature = Signature::from_wire(reader.bytes("signature")?).map_err(|error| error.to_string())?;
        Ok(Self { statement, signature })
    }
}

/// `[version, holder key, [service, key number, level, time, validity, token, signature]]`.
impl Cbor for Assertion {
    fn write(&self, writer: &mut Writer) {
        writer.array(3);
        writer.uint(FORMAT);
        writer.bytes(&self.statement.holder.wire());
        self.write_in_code(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("assertion with its key", 3)?;
        let format: u8 = reader.uint("version")?;
        if format != FORMAT {
            return Err(format!("unknown version {format} of an assertion"));
        }
        let holder = PublicKey::from_wire(reader.bytes("holder key")?).map_err(|error| error.to_string())?;
        Self::read_in_code(reader, holder)
    }
}
