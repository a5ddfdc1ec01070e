//! A batch of receipts: the one line of it that stands on the ledger.
//!
//! A line of a book of receipts says how many receipts there are and what they are, and no more: its
//! tag counts them through the book without a gap, its commitment binds their leaves. Rule Z-9:
//! `sdk/spec/sharing.md`.

use crate::book::{Line, Tag};
use crate::digest::{Digest, Domain};
use crate::list::{ListKind, list_digest};
use crate::tree;

/// Receipts of one batch, at most.
pub const BATCH_RECEIPTS: u64 = 65_536;

/// Which receipts of a book a line is about, and what they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Batch {
    /// Number of its first receipt in the book, from 0.
    pub first: u64,
    /// How many receipts.
    pub count: u64,
    /// Digest of the list of their leaves.
    pub receipts: Digest,
}

impl Batch {
    /// Rule Z-9: the batch of these leaves, each the hash of a list entry (D-2).
    pub fn of(domain: &Domain, first: u64, leaves: &[Digest]) -> Self {
        let count = leaves.len() as u64;
        let receipts = list_digest(domain, ListKind::Receipts, count, &tree::root(domain.suite, leaves));
        Self { first, count, receipts }
    }

    /// Its line.
    pub fn line(&self) -> Line {
        let mut tag = Tag::default();
        tag.0[..8].copy_from_slice(&self.first.to_be_bytes());
        tag.0[8..].copy_from_slice(&self.count.to_be_bytes());
        Line { tag, commitment: self.receipts }
    }

    /// The batch that a line is about.
    pub fn from_line(line: &Line) -> Self {
        let half = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let (first, count) = line.tag.0.split_at(8);
        Self { first: half(first), count: half(count), receipts: line.commitment }
    }

    /// The number of the first receipt after it; `None` where it counts none, too many, or beyond all numbers.
    pub fn end(&self) -> Option<u64> {
        if (1..=BATCH_RECEIPTS).contains(&self.count) { self.first.checked_add(self.count) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn z9_a_line_says_which_receipts_it_is_about() {
        let domain = Domain::founding(crate::Suite::Standard);
        let batch = Batch::of(&domain, 258, &[Digest([1; 32]), Digest([2; 32])]);
        assert_eq!(batch.line().tag.0, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!((Batch::from_line(&batch.line()), batch.end()), (batch, Some(260)));
        for (first, count) in [(0, 0), (0, BATCH_RECEIPTS + 1), (u64::MAX, 1)] {
            assert_eq!(Batch { first, count, ..batch }.end(), None);
        }
    }
}
