//! The terms a code is shown on: when, for how long, what for, to whom, and who vouches for its holder.

use crate::assurance::Assertion;
use crate::certificate::cbor::{self, Reader, Writer, Wrong};
use crate::digest::Digest;
use crate::keys::PublicKey;
use crate::number::PurposeCode;

/// The longest a dynamic code may hold, whatever its type, in seconds (VER-02).
pub const LIFETIME_SECS_MAX: u32 = 300;

/// How many CBOR entries the terms take in an array, besides an assertion.
pub(super) const TERMS: usize = 5;

/// What a holder agrees to when a code is made. Time and randomness come from the wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// When the holder signed, in seconds since 1970-01-01T00:00:00Z.
    pub issued_secs: u64,
    /// How long the code holds, in seconds, 1 to 300 and at most what the type allows.
    pub lifetime_secs: u32,
    /// Fresh randomness of the wallet.
    pub nonce: [u8; 8],
    /// What the code is shown for.
    pub purpose: PurposeCode,
    /// Hash of the verifier's challenge, if it answers one.
    pub challenge: Option<Digest>,
    /// What an identity service vouches for, if the wallet has that: for the header's key.
    pub assertion: Option<Assertion>,
}

impl Terms {
    /// Rule Y-6. Under the signature an absent challenge is one of zeros: only one spelling counts.
    pub(super) fn are_allowed(&self) -> bool {
        (1..=LIFETIME_SECS_MAX).contains(&self.lifetime_secs) && self.challenge != Some(Digest::default())
    }

    pub(super) fn write_entries(&self, writer: &mut Writer) {
        writer.uint(self.issued_secs);
        writer.uint(self.lifetime_secs);
        writer.bytes(&self.nonce);
        writer.uint(self.purpose.0);
        match &self.challenge {
            Some(challenge) => writer.bytes(&challenge.0),
            None => writer.null(),
        }
        if let Some(assertion) = &self.assertion {
            assertion.write_in_code(writer);
        }
    }

    /// Rule Y-16: how many CBOR entries they are. A code without an assertion has no byte for it.
    pub(super) fn entries(&self) -> usize {
        TERMS + usize::from(self.assertion.is_some())
    }

    /// Rule Y-16: the assertion as the holder's signature covers it; nothing where there is none.
    pub(super) fn assertion_bytes(&self) -> Vec<u8> {
        cbor::written(|writer| self.assertion.iter().for_each(|assertion| assertion.write_in_code(writer)))
    }

    /// Reads `entries` entries, of a code whose header names this holder.
    pub(super) fn read_entries(reader: &mut Reader<'_>, entries: usize, holder: PublicKey) -> Result<Self, Wrong> {
        let terms = Self {
            issued_secs: reader.uint("time")?,
            lifetime_secs: reader.uint("lifetime")?,
            nonce: reader.array_bytes("nonce")?,
            purpose: PurposeCode(reader.uint("purpose")?),
            challenge: reader.nullable("challenge", |reader| reader.array_bytes("challenge").map(Digest))?,
            assertion: (entries > TERMS).then(|| Assertion::read_in_code(reader, holder)).transpose()?,
        };
        if terms.are_allowed() { Ok(terms) } else { Err("a lifetime or challenge that no code has".into()) }
    }
}
