//! Revoking a key in an emergency (密钥应急吊销), and confirming what was right (复核).

use fengni_core::operation::{Ground, Operation};
use fengni_core::{BookNumber, Height, KeyNumber, LineNumber, MemberNumber};

/// Ends a member's key, and suspends what it sealed at `from` or later: 0 for ever since.
pub fn revoke(member: MemberNumber, key: KeyNumber, from: Height, ground: Ground) -> Operation {
    Operation::RevokeKey { member, key, from, ground }
}

/// Confirms lines that a revocation suspended, after people have looked at each.
///
/// - `lines`: first and last, both included.
pub fn confirm(book: BookNumber, lines: (LineNumber, LineNumber), ground: Ground) -> Operation {
    Operation::Confirm { book, first: lines.0, last: lines.1, ground }
}
