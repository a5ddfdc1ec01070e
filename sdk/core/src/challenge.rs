//! Challenges (核验挑战): a verifier asks first, and the holder's code answers this one question.
//!
//! ```text
//! FC1: base45( [version, verifier, key number, purpose, time, lifetime, nonce, signature] )
//! ```
//!
//! The wallet scans it, checks that the member behind it is who it says, and shows who asks and
//! what for. The code it then makes carries the hash of what the verifier signed, so that it is of
//! use to nobody else and never again. What no challenge helps against is a live relay: somebody
//! between the two who passes both on as they come. Rules Y-10 to Y-12: `sdk/spec/codes.md`.

use thiserror::Error;

use crate::certificate::cbor::{self, Cbor, Reader, Writer, Wrong};
use crate::code::{CodeError, LIFETIME_SECS_MAX, text};
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::keys::{SecretKey, Signature};
use crate::number::{Height, KeyNumber, MemberNumber, PurposeCode};
use crate::record::{KeyPurpose, Member, MemberStatus};
use crate::verify::SKEW_SECS;

/// What every challenge's text begins with.
pub const PREFIX: &str = "FC1:";

const FORMAT: u8 = 1;
const ENTRIES: usize = 8;
/// Bytes of a challenge, at most.
const BYTES: usize = 256;

/// What a verifier asks. Time and randomness come from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// The member that verifies, or on whose behalf an application does.
    pub verifier: MemberNumber,
    /// Number of the member's key that signs.
    pub key: KeyNumber,
    /// What for.
    pub purpose: PurposeCode,
    /// When it was asked, in seconds since 1970-01-01T00:00:00Z.
    pub issued_secs: u64,
    /// How long it may be answered, in seconds, 1 to 300.
    pub lifetime_secs: u32,
    /// Fresh randomness of the verifier.
    pub nonce: [u8; 16],
}

/// A question with the verifier's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// What is asked.
    pub question: Question,
    /// By the member's key over [`Question::message`].
    pub signature: Signature,
}

/// Why nobody should answer a challenge.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ChallengeError {
    /// Y-10: it may be answered for 1 to 300 seconds.
    #[error("a challenge cannot hold {secs} seconds (1 to {LIFETIME_SECS_MAX} are allowed)")]
    Lifetime {
        /// Seconds asked for.
        secs: u32,
    },
    /// Y-11: the member may not act.
    #[error("the member that asks may not act now")]
    NotActive,
    /// Y-11: no such key, or one for something else, or not of these days.
    #[error("key {key} is no application key of the member that asks, or not in force")]
    Key {
        /// Number of the key.
        key: KeyNumber,
    },
    /// Y-11: the signature is not that key's.
    #[error("the challenge was not signed by the member it names")]
    Signature,
    /// Y-11: too early.
    #[error("the challenge is from later than now: one of the two clocks is wrong")]
    Early,
    /// Y-11: too late.
    #[error("the challenge has expired: ask for a new one")]
    Expired,
    /// Y-12: it is another verifier's, or was for something else.
    #[error("the challenge is another member's, or for another purpose")]
    Other,
}

impl Question {
    /// Rule Y-10: the bytes the verifier signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message(
            "challenge",
            &[
                &self.verifier.0.to_be_bytes(),
                &self.key.0.to_be_bytes(),
                &self.purpose.0.to_be_bytes(),
                &self.issued_secs.to_be_bytes(),
                &self.lifetime_secs.to_be_bytes(),
                &self.nonce,
            ],
        )
    }

    /// Rule Y-10: the question, signed.
    ///
    /// # Errors
    /// [`ChallengeError::Lifetime`].
    pub fn sign(self, domain: &Domain, key: &SecretKey) -> Result<Challenge, ChallengeError> {
        self.sign_with(domain, |message| Ok(key.sign(message)))
    }

    /// As `sign`, with a key that is kept elsewhere and may fail.
    ///
    /// # Errors
    /// [`ChallengeError::Lifetime`], and that of `sign`.
    pub fn sign_with<E: From<ChallengeError>>(
        self,
        domain: &Domain,
        sign: impl FnOnce(&[u8]) -> Result<Signature, E>,
    ) -> Result<Challenge, E> {
        if !self.lifetime_is_allowed() {
            return Err(ChallengeError::Lifetime { secs: self.lifetime_secs }.into());
        }
        let signature = sign(&self.message(domain))?;
        Ok(Challenge { question: self, signature })
    }

    fn lifetime_is_allowed(&self) -> bool {
        (1..=LIFETIME_SECS_MAX).contains(&self.lifetime_secs)
    }

    /// Whether it may be answered now: from issued − 30 s to its end + 30 s, both included.
    fn check_time(&self, now: Millis) -> Result<(), ChallengeError> {
        let end = self.issued_secs.saturating_add(self.lifetime_secs.into()).saturating_add(SKEW_SECS);
        if now < Millis::from_secs(self.issued_secs.saturating_sub(SKEW_SECS)) {
            Err(ChallengeError::Early)
        } else if now > Millis::from_secs(end) {
            Err(ChallengeError::Expired)
        } else {
            Ok(())
        }
    }
}

impl Challenge {
    /// What an answering code carries: the hash of what the verifier signed, the network in it.
    pub fn hash(&self, domain: &Domain) -> Digest {
        domain.suite.hash(&[&self.question.message(domain)])
    }

    /// Rule Y-11: whether a wallet may show who asks.
    ///
    /// - `member`: the record of the question's verifier, proven.
    /// - `height`: of the state that proved it.
    ///
    /// # Errors
    /// [`ChallengeError`].
    pub fn check(&self, domain: &Domain, member: &Member, height: Height, now: Millis) -> Result<(), ChallengeError> {
        let Question { key: number, .. } = self.question;
        if member.status != MemberStatus::Active {
            return Err(ChallengeError::NotActive);
        }
        let key = member.key(number).filter(|key| key.purpose == KeyPurpose::Application && key.is_valid_at(height));
        let key = key.ok_or(ChallengeError::Key { key: number })?;
        if !key.key.verify(&self.question.message(domain), &self.signature) {
            return Err(ChallengeError::Signature);
        }
        self.question.check_time(now)
    }

    /// Rule Y-12: the hash that a code must carry, where the verifier may still take an answer.
    ///
    /// # Errors
    /// [`ChallengeError::Other`], [`ChallengeError::Early`] and [`ChallengeError::Expired`].
    pub fn expect(
        &self,
        domain: &Domain,
        verifier: MemberNumber,
        purpose: PurposeCode,
        now: Millis,
    ) -> Result<Digest, ChallengeError> {
        if (self.question.verifier, self.question.purpose) != (verifier, purpose) {
            return Err(ChallengeError::Other);
        }
        self.question.check_time(now)?;
        Ok(self.hash(domain))
    }

    /// Reads the text of a challenge.
    ///
    /// # Errors
    /// [`CodeError::Prefix`], [`CodeError::Base45`] and [`CodeError::Encoding`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Ok(cbor::decode(&text::bytes_of(text, PREFIX, BYTES)?, BYTES)?)
    }

    /// The text a QR code carries in its alphanumeric mode.
    pub fn to_text(&self) -> String {
        text::text_of(&cbor::encode(self), PREFIX)
    }
}

/// `[version, verifier, key number, purpose, time, lifetime, nonce, signature]`.
impl Cbor for Challenge {
    fn write(&self, writer: &mut Writer) {
        let Question { verifier, key, purpose, issued_secs, lifetime_secs, nonce } = &self.question;
        writer.array(ENTRIES);
        writer.uint(FORMAT);
        writer.uint(verifier.0);
        writer.uint(key.0);
        writer.uint(purpose.0);
        writer.uint(*issued_secs);
        writer.uint(*lifetime_secs);
        writer.bytes(nonce);
        writer.bytes(&self.signature.wire());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("challenge", ENTRIES)?;
        let format: u8 = reader.uint("version")?;
        if format != FORMAT {
            return Err(format!("unknown version {format} of a challenge"));
        }
        let question = Question {
            verifier: MemberNumber(reader.uint("verifier")?),
            key: KeyNumber(reader.uint("key number")?),
            purpose: PurposeCode(reader.uint("purpose")?),
            issued_secs: reader.uint("time")?,
            lifetime_secs: reader.uint("lifetime")?,
            nonce: reader.array_bytes("nonce")?,
        };
        if !question.lifetime_is_allowed() {
            return Err(format!("no challenge holds {} seconds", question.lifetime_secs));
        }
        let signature = Signature::from_wire(reader.bytes("signature")?).map_err(|error| error.to_string())?;
        Ok(Self { question, signature })
    }
}
