//! Receipts, held against the ledger: a holder's list of who used what, and whether a half is anchored
//! (HLD-01, SHR-06). Rules I-13 to I-16.

use fengni_core::proof::{Place, ProofError};
pub use fengni_core::sharing::Use;
use fengni_core::sharing::{
    Anchor, AnchorError, Batch, HalfStanding, HeldReceipt, HolderQuestion, Identity, Receipt, UseError, half_standing,
};
use fengni_core::shelf::Shelf;
use fengni_core::{LinePlace, MemberNumber, Millis, SecretKey};
use thiserror::Error;

use super::provider::Provider;
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
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<ProofError> for ReceiptsError {
    fn from(error: ProofError) -> Self {
        LedgerError::from(error).into()
    }
}

/// What a provider has of a holder's.
pub struct Uses {
    /// The uses that hold, the oldest first.
    pub uses: Vec<Use>,
    /// Receipts that the provider did not sign, or whose way does not lead to the ledger.
    pub unfit: usize,
}

/// Asks a provider who used what a key granted.
///
/// - `member`: the provider, whose signature counts.
/// - `identity`: of the same key, for uses on other bases as well.
///
/// # Errors
/// [`ReceiptsError`].
pub fn mine(
    ledger: &mut Ledger,
    provider: &Provider,
    member: MemberNumber,
    (key, identity): (&SecretKey, Option<&Identity>),
    since: Millis,
) -> Result<Uses, ReceiptsError> {
    let domain = ledger.domain();
    let mut uses = Uses { uses: Vec::new(), unfit: 0 };
    let mut since = since;
    for _ in 0..ANSWERS {
        let question = HolderQuestion {
            provider: member,
            holder: key.public(),
            identity: identity.cloned(),
            since,
            nonce: random()?,
            time: ledger.now(),
        };
        let answer = provider.mine(&question.sign(&domain, key));
        let answer = answer.map_err(|trouble| ReceiptsError::Provider { name: provider.name().to_owned(), trouble })?;
        let last = answer.receipts.last().map(|held| held.receipt.receipt.time);
        for held in answer.receipts {
            let number = held.receipt.receipt.number;
            if uses.uses.iter().any(|known| known.receipt.receipt.number == number) {
                continue;
            }
            match judge(ledger, member, held)? {
                // What waits for its batch longer than it may, or has another receipt at its number, is kept back.
                Some(found) if found.anchored.is_none() && is_kept_back(ledger, provider, &found)? => uses.unfit += 1,
                Some(found) => uses.uses.push(found),
                None => uses.unfit += 1,
            }
        }
        match last.filter(|last| answer.more && *last > since) {
            Some(last) => since = last,
            None => break,
        }
    }
    Ok(uses)
}

/// Whether a provider keeps back a receipt that it says is not anchored yet.
fn is_kept_back(ledger: &mut Ledger, provider: &Provider, found: &Use) -> Result<bool, ReceiptsError> {
    match half(ledger, provider, &found.receipt.receipt) {
        Ok(standing) => Ok(matches!(standing, HalfStanding::Late | HalfStanding::Withheld)),
        Err(ReceiptsError::Leaves(_) | ReceiptsError::NoLeaves | ReceiptsError::OtherBook) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The use that a receipt shows, where it holds.
fn judge(ledger: &mut Ledger, member: MemberNumber, held: HeldReceipt) -> Result<Option<Use>, LedgerError> {
    let domain = ledger.domain();
    let at = ledger.highest()?.0.height;
    let mut proven = ledger.prove_at(&[Place::Record(Shelf::Members, member.0)], at)?.value.1;
    // Members and book first, which say whether there is such a line.
    for _ in 0..2 {
        proven = ledger.prove_at(&held.places(member, &proven), at)?.value.1;
    }
    match held.judge(&domain, member, &proven) {
        Ok(found) => Ok(Some(found)),
        Err(UseError::Unproven(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// The batch at a line of a receipt's book, proven; none where the book is not its provider's, or has no such line.
fn batch_at(ledger: &mut Ledger, receipt: &Receipt, place: LinePlace) -> Result<Option<Batch>, LedgerError> {
    if place.book != receipt.book {
        return Ok(None);
    }
    let at = ledger.highest()?.0.height;
    let LinePlace { book, line } = place;
    let shelf = Place::Record(Shelf::Books, book.0);
    let proven = ledger.prove_at(&[shelf], at)?.value.1;
    if receipt.own_book(&proven)?.is_none_or(|book| line.0 >= book.lines) {
        return Ok(None);
    }
    let places = [shelf, Place::Page(book, line.page()), Place::Line(book, line)];
    let proven = ledger.prove_at(&places, at)?.value.1;
    Ok(receipt.batch_at(place, &proven)?)
}

/// Whether a receipt names its provider's own book of receipts.
///
/// # Errors
/// [`LedgerError`].
pub(super) fn is_in_its_book(ledger: &mut Ledger, receipt: &Receipt) -> Result<bool, LedgerError> {
    let at = ledger.highest()?.0.height;
    let proven = ledger.prove_at(&[Place::Record(Shelf::Books, receipt.book.0)], at)?.value.1;
    Ok(receipt.own_book(&proven)?.is_some())
}

/// Whether a receipt that somebody has stands on the ledger, or its provider keeps it back. Rule I-15.
///
/// It counts against the provider where its signature on the receipt holds.
///
/// # Errors
/// [`ReceiptsError`]; [`ReceiptsError::Leaves`] and [`ReceiptsError::NoLeaves`] are the provider's fault.
pub fn half(ledger: &mut Ledger, provider: &Provider, receipt: &Receipt) -> Result<HalfStanding, ReceiptsError> {
    let domain = ledger.domain();
    // The ledger first: what it counts, the provider had before, so that nobody is accused of what is on its way.
    let at = ledger.highest()?.0;
    let proven = ledger.prove_at(&[Place::Record(Shelf::Books, receipt.book.0)], at.height)?.value.1;
    let book = receipt.own_book(&proven)?.ok_or(ReceiptsError::OtherBook)?;
    let mut places = vec![Place::Record(Shelf::Books, receipt.book.0)];
    let last = receipt.last_line(&book);
    places.extend(
        last.iter().flat_map(|LinePlace { book, line }| [Place::Page(*book, line.page()), Place::Line(*book, *line)]),
    );
    let proven = ledger.prove_at(&places, at.height)?.value.1;
    if !receipt.is_counted(&book, &proven)? {
        return Ok(half_standing(&domain, receipt, &Anchor::Beyond { as_of: at.time })?);
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
            lines::find(ledger, receipt.book, &[Batch { first, count, receipts }.line().tag])?.first().map(|it| it.1)
        }
    };
    let batch = match place {
        Some(place) => batch_at(ledger, receipt, place)?,
        None => None,
    };
    let covers = |batch: &Batch| batch.end().is_some_and(|end| (batch.first..end).contains(&receipt.number));
    let batch = batch.filter(covers).ok_or(ReceiptsError::NoLeaves)?;
    Ok(half_standing(&domain, receipt, &Anchor::In { batch, leaves: &published.leaves })?)
}
