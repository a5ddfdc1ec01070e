//! Whether a receipt stands on the ledger: in its batch, or withheld.
//!
//! A receipt names its place in the provider's book, and batches go on without a gap, so that there
//! is one batch in which it stands if it stands anywhere. Its leaves are complete: the line says how
//! many there are and what they are. So whoever has a receipt with the provider's signature proves
//! that it is there, or that the provider put another one in its place. Rules I-14 and I-15:
//! `sdk/spec/access.md`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::batch::{BATCH_RECEIPTS, Batch};
use super::receipt::Receipt;
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::list::{ListKind, PathError, fold_path, list_digest};
use crate::tree;

/// How long after its time a receipt may be in no batch, in milliseconds (SHR-06).
pub const ANCHOR_MILLIS: u64 = 15_000;

/// From a receipt to its batch. Rule I-14.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptPath {
    /// Number of the batch's first receipt.
    pub first: u64,
    /// How many receipts the batch has.
    pub count: u64,
    /// Sibling digests, receipt side first.
    pub path: Vec<Digest>,
}

/// Why leaves or a path are not a batch's.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AnchorError {
    /// I-14: the receipt is in another batch, or the path is of another place.
    #[error("the path does not lead from the receipt's place: {0}")]
    Path(#[from] PathError),
    /// I-15: more or fewer, or others.
    #[error("the leaves are not those that the ledger counts")]
    OtherLeaves,
}

impl ReceiptPath {
    /// The path of a receipt in a batch with these leaves; `None` where its number is outside.
    pub fn of(domain: &Domain, first: u64, leaves: &[Digest], number: u64) -> Option<Self> {
        Self::of_all(domain, first, leaves, &[number])?.pop()
    }

    /// The same of several receipts, in their order: the batch's tree is built once for all of them.
    pub fn of_all(domain: &Domain, first: u64, leaves: &[Digest], numbers: &[u64]) -> Option<Vec<Self>> {
        let place = |number: &u64| usize::try_from(number.checked_sub(first)?).ok();
        let places: Vec<usize> = numbers.iter().map(place).collect::<Option<_>>()?;
        let paths = tree::paths(domain.suite, leaves, &places)?;
        let count = leaves.len() as u64;
        Some(paths.into_iter().map(|path| Self { first, count, path }).collect())
    }

    /// Rule I-14: the batch that the receipt stands in, to be compared with the proven line of the
    /// receipt's book.
    ///
    /// # Errors
    /// [`AnchorError::Path`].
    pub fn batch(&self, domain: &Domain, receipt: &Receipt) -> Result<Batch, AnchorError> {
        let Self { first, count, path } = self;
        let outside = PathError::Outside { number: receipt.number, size: *count };
        let place = receipt.number.checked_sub(*first).filter(|_| *count <= BATCH_RECEIPTS).ok_or(outside)?;
        let root = fold_path(domain.suite, receipt.leaf(domain), place, *count, path)?;
        let receipts = list_digest(domain, ListKind::Receipts, *count, &root);
        Ok(Batch { first: *first, count: *count, receipts })
    }
}

/// What a provider's book says about the number of a receipt.
#[derive(Clone, Copy, Debug)]
pub enum Anchor<'a> {
    /// The book counts fewer receipts, by a state of this time.
    Beyond {
        /// Time of the proven header.
        as_of: Millis,
    },
    /// This batch covers the number.
    In {
        /// The batch, of a proven line.
        batch: Batch,
        /// Its leaves, as the provider publishes them.
        leaves: &'a [Digest],
    },
}

/// Where a receipt stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HalfStanding {
    /// In its batch.
    Anchored,
    /// No batch has come so far yet.
    Waiting,
    /// No batch has come so far, though it is due.
    Late,
    /// Another receipt stands at its number: the provider contradicts its own signature.
    Withheld,
}

/// Rule I-15: where a receipt stands, by what its book says about its number.
///
/// The answer counts against the provider where its signature on the receipt verifies.
///
/// # Errors
/// [`AnchorError::OtherLeaves`] for leaves that are not those of the line: nothing can be said, and
/// a provider that publishes no others withholds the batch.
pub fn half_standing(domain: &Domain, receipt: &Receipt, anchor: &Anchor<'_>) -> Result<HalfStanding, AnchorError> {
    let (batch, leaves) = match *anchor {
        Anchor::Beyond { as_of } => return Ok(unreached(receipt, as_of)),
        Anchor::In { batch, leaves } => (batch, leaves),
    };
    let place = receipt.number.checked_sub(batch.first).and_then(|place| usize::try_from(place).ok());
    let leaf = place.and_then(|place| leaves.get(place));
    match leaf {
        _ if Batch::of(domain, batch.first, leaves) != batch => Err(AnchorError::OtherLeaves),
        None => Err(AnchorError::OtherLeaves),
        Some(leaf) if *leaf == receipt.leaf(domain) => Ok(HalfStanding::Anchored),
        Some(_) => Ok(HalfStanding::Withheld),
    }
}

/// Rule I-15: a receipt that the provider's book does not count yet, by a state of this time.
pub(super) fn unreached(receipt: &Receipt, as_of: Millis) -> HalfStanding {
    let is_in_time = as_of.0 <= receipt.time.0.saturating_add(ANCHOR_MILLIS);
    if is_in_time { HalfStanding::Waiting } else { HalfStanding::Late }
}
