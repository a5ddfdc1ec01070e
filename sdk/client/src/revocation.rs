//! Revoking a key in an emergency (密钥应急吊销).

use fengni_core::operation::{Ground, Operation};
use fengni_core::{Height, KeyNumber, MemberNumber};

/// Ends a member's key, and suspends what it sealed at `from` or later: 0 for ever since.
pub fn revoke(member: MemberNumber, key: KeyNumber, from: Height, ground: Ground) -> Operation {
    Operation::RevokeKey { member, key, from, ground }
}
