//! Receipts, held against the ledger: a holder's list of who used what, and whether a half is anchored
//! (HLD-01, SHR-06). Rules I-13 to I-16.

pub use fengni_core::sharing::Use;
use fengni_core::sharing::{
    Anchor, AnchorError, Batch, HalfStanding, HeldReceipt, HolderQuestion, Identity, Receipt, UseError, half_standing,
};
use fengni_core::{MemberNumber, SecretKey};
use thiserror::Error;

use super::provider::Provider;
use super::reader::Reader;
use super::wire::BatchView;
use crate::gateway::Trouble;
use crate::ledger::{Ledger, LedgerError};
use crate::lines;
use crate::random::{RandomError, random};

/// Answers of one provider to one question, at most: each has up to 256 receipts.
const ANSWERS: usize = 64;

/// Why receipts are not known.
#[derive(Debug, Error)]
pub enum ReceiptsError {
    /// The provider does not answer.
    #[error("{name}: {trouble}")]
    Provider {
        /// Its name.
        name: String,
        /// What is wrong.
        trouble: Trouble,
    },
    /// The provider's leaves are not those on the ledger: it withholds the batch.
    #[error("{0}; the provider withholds the batch")]
    Leaves(#[from] AnchorError),
    /// The provider gives no leaves of a batch that the ledger counts.
    #[error("the provider gives no leaves of the batch in which the receipt's number is: it withholds the batch")]
    NoLeaves,
    /// The book named in a receipt is none of the provider's.
    #[error("the receipt names a book that is not its provider's book of receipts")]
    OtherBook,
    /// The receipt is dated later than the ledger: it would never be late.
    #[error("the receipt's time is still to come")]
    NotNow,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// What a provider has of a holder's.
pub struct Uses {
    /// The uses that hold, by rising number.
    pub uses: Vec<Use>,
    /// Receipts that the provider did not sign, whose way does not lead to the ledger, that are dated later
    /// than it, or that were not asked for.
    pub unfit: usize,
    /// The number from which to ask on; none where this is all.
    pub next: Option<u64>,
}

/// Asks a provider who used what a key granted.
///
/// - `member`: the provider, whose signature counts.
/// - `identity`: of the same key, for uses on other bases as well.
/// - `from`: number of the first receipt wanted, in the provider's book.
///
/// # Errors
/// [`ReceiptsError`].
pub fn mine(
    ledger: &mut Ledger,
    provider: &Provider,
    member: MemberNumber,
    (key, identity): (&SecretKey, Option<&Identity>),
    from: u64,
) -> Result<Uses, ReceiptsError> {
    let domain = ledger.domain();
    let mut uses = Uses { uses: Vec::new(), unfit: 0, next: Some(from) };
    for _ in 0..ANSWERS {
        let Some(from) = uses.next.take() else { break };
        let question = HolderQuestion {
            provider: member,
            holder: key.public(),
            identity: identity.cloned(),
            from,
            nonce: random()?,
            time: ledger.now(),
        };
        let answer = provider.mine(&question.sign(&domain, key));
        let answer = answer.map_err(|trouble| ReceiptsError::Provider { name: provider.name().to_owned(), trouble })?;
        // Looked at after the answer: whatever the provider saw on the ledger is there by then.
        let mut reader = Reader::new(ledger)?;
        let mut next = from;
        for held in answer.receipts {
            let number = held.receipt.receipt.number;
            // Numbers rise from the one asked for: another is a repetition.
            if number < next {
                uses.unfit += 1;
                continue;
            }
            next = number.saturating_add(1);
            match judge(&mut reader, member, held)? {
                // What waits for its batch longer than it may, or has another receipt at its number, is kept back.
                Some(found) if found.anchored.is_none() && is_kept_back(&mut reader, provider, &found)? => {
                    uses.unfit += 1;
                }
                Some(found) => uses.uses.push(found),
                None => uses.unfit += 1,
            }
        }
        uses.next = Some(next).filter(|next| answer.more && *next > from);
    }
    Ok(uses)
}

/// Whether a provider keeps back a receipt that it says is not anchored yet.
fn is_kept_back(reader: &mut Reader<'_>, provider: &Provider, found: &Use) -> Result<bool, ReceiptsError> {
    match stands(reader, provider, &found.receipt.receipt) {
        Ok(standing) => Ok(matches!(standing, HalfStanding::Late | HalfStanding::Withheld)),
        Err(ReceiptsError::Leaves(_) | ReceiptsError::NoLeaves | ReceiptsError::OtherBook | ReceiptsError::NotNow) => {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// The use that a receipt shows, where it holds.
fn judge(reader: &mut Reader<'_>, member: MemberNumber, held: HeldReceipt) -> Result<Option<Use>, LedgerError> {
    let domain = reader.ledger.domain();
    let records = held.places(member, reader.sizes());
    // Members and book first, which say whether there is such a line.
    let places = held.places(member, reader.prove(records)?);
    match held.judge(&domain, member, reader.prove(places)?) {
        Ok(found) => Ok(Some(found)),
        Err(UseError::Unproven(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Whether a receipt that somebody has stands on the ledger, or its provider keeps it back. Rule I-15.
///
/// It counts against the provider where its signature on the receipt holds.
///
/// # Errors
/// [`ReceiptsError`]; [`ReceiptsError::Leaves`], [`ReceiptsError::NoLeaves`] and [`ReceiptsError::NotNow`] are the provider's fault.
pub fn half(ledger: &mut Ledger, provider: &Provider, receipt: &Receipt) -> Result<HalfStanding, ReceiptsError> {
    // The ledger first: what it counts, the provider had before, so that nobody is accused of what is on its way.
    stands(&mut Reader::new(ledger)?, provider, receipt)
}

fn stands(reader: &mut Reader<'_>, provider: &Provider, receipt: &Receipt) -> Result<HalfStanding, ReceiptsError> {
    let domain = reader.ledger.domain();
    if receipt.is_ahead(reader.header().time) {
        return Err(ReceiptsError::NotNow);
    }
    let book = reader.book(receipt)?.ok_or(ReceiptsError::OtherBook)?;
    let end = match receipt.last_line(&book) {
        Some(place) => reader.batch(receipt, place)?.and_then(|batch| batch.end()),
        None => Some(0),
    };
    if end.is_none_or(|end| end <= receipt.number) {
        return Ok(half_standing(&domain, receipt, &Anchor::Beyond { as_of: reader.header().time })?);
    }
    let published = provider.batch(receipt.number).map_err(|trouble| match trouble {
        Trouble::Refused(problem) if problem.is_not_found() => ReceiptsError::NoLeaves,
        // Who does not answer is not yet somebody who keeps anything back.
        trouble => ReceiptsError::Provider { name: provider.name().to_owned(), trouble },
    })?;
    let BatchView { first, count, receipts, place } = published.batch;
    let place = match place {
        Some(place) => Some(place),
        // The provider may not know yet that its batch is there.
        None => {
            let tag = Batch { first, count, receipts }.line().tag;
            lines::find(reader.ledger, receipt.book, &[tag])?.first().map(|it| it.1)
        }
    };
    let batch = match place {
        Some(place) => reader.batch(receipt, place)?,
        None => None,
    };
    let covers = |batch: &Batch| batch.end().is_some_and(|end| (batch.first..end).contains(&receipt.number));
    let batch = batch.filter(covers).ok_or(ReceiptsError::NoLeaves)?;
    Ok(half_standing(&domain, receipt, &Anchor::In { batch, leaves: &published.leaves })?)
}
