//! A member's signature beside the ledger, by an application key. Rule I-9.

use serde::{Deserialize, Serialize};

use crate::keys::Signature;
use crate::number::{Height, KeyNumber};
use crate::record::{KeyPurpose, Member, MemberKey, MemberStatus};

/// Which key of a member signed, and its signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSignature {
    /// Number of the key.
    pub key: KeyNumber,
    /// Its signature.
    pub signature: Signature,
}

impl MemberSignature {
    /// Rule I-9: whether it is an active member's over a message, by a key that is in force at a height.
    pub fn is_of(&self, member: &Member, height: Height, message: &[u8]) -> bool {
        member.status == MemberStatus::Active && self.was_of(member, height, message)
    }

    /// As [`MemberSignature::is_of`], also of a member that may not act any more: what it signed
    /// while it could stays its word.
    pub fn was_of(&self, member: &Member, height: Height, message: &[u8]) -> bool {
        let suits = |key: &&MemberKey| key.purpose == KeyPurpose::Application && key.is_valid_at(height);
        member.key(self.key).filter(suits).is_some_and(|key| key.key.verify(message, &self.signature))
    }
}
