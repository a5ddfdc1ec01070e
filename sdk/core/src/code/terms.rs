//! The terms a code is shown on: when, for how long, what for, and to whom.

use crate::certificate::cbor::{Reader, Writer, Wrong};
use crate::digest::Digest;
use crate::number::PurposeCode;

/// The longest a dynamic code may hold, whatever its type, in seconds (VER-02).
pub const LIFETIME_SECS_MAX: u32 = 300;

/// How many CBOR entries the terms take in an array.
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
    }

    pub(super) fn read_entries(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let terms = Self {
            issued_secs: reader.uint("time")?,
            lifetime_secs: reader.uint("lifetime")?,
            nonce: reader.array_bytes("nonce")?,
            purpose: PurposeCode(reader.uint("purpose")?),
            challenge: reader.nullable("challenge", |reader| reader.array_bytes("challenge").map(Digest))?,
        };
        if terms.are_allowed() { Ok(terms) } else { Err("a lifetime or challenge that no code has".into()) }
    }
}
