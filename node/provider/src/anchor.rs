//! Anchoring: batches of receipts become lines of the member's book, one after the other. Rule I-22.
//!
//! A batch and its signed transaction are on the disk before anything is sent; what became of it is
//! asked until it is known. A transaction that no block takes any more is signed anew: the ledger
//! takes a batch once, however many transactions bring it.

use std::sync::Arc;
use std::time::Duration;

use fengni_client::keys::random::{RandomError, random};
use fengni_client::keys::{HeldKey, SignError};
use fengni_client::ledger::{Ledger, LedgerError};
use fengni_client::submit::{Prepared, Settlement, Signers, SubmitError, Submitter, Unsettled};
use fengni_core::book::{Book, Subject};
use fengni_core::light::LightClient;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::proof::{Place, ProofError};
use fengni_core::record::{KeyPurpose, Parameters};
use fengni_core::sharing::Batch;
use fengni_core::shelf::Shelf;
use fengni_core::{LineNumber, LinePlace, Millis};
use thiserror::Error;

use crate::journal::{BatchRow, Journal, JournalError};
use crate::register::SKEW_SECS;

/// How long a node may hold a question open, and how long to go on in one step.
pub(crate) const WAIT: Duration = Duration::from_secs(2);
pub(crate) const PATIENCE: Duration = Duration::from_secs(6);

/// Why a batch is not on the ledger yet.
#[derive(Debug, Error)]
pub(crate) enum AnchorError {
    /// The ledger or the relays.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// What nodes show is of long ago.
    #[error("nodes show nothing recent of the ledger")]
    Stale,
    /// Nobody shows what became of it.
    #[error("it is not known whether a batch is on the ledger: {0}")]
    Unsettled(Unsettled),
    /// The ledger refused it.
    #[error("the ledger refuses a batch: {0}; next: see to the member's key, role and book")]
    Refused(Refusal),
    /// The book is no book of this member's receipts.
    #[error("book {0} is not a book of receipts that this member keeps; next: name it in provider.toml")]
    OtherBook(fengni_core::BookNumber),
    /// The ledger has batches that the journal does not know.
    #[error(
        "the ledger counts receipts up to {ledger}, of which the journal knows {journal}; next: restore the newest \
         journal, and end any other gateway that runs on a copy of it"
    )]
    OldJournal {
        /// The first number after those of the ledger.
        ledger: u64,
        /// The first number after those that the journal knows to be there.
        journal: u64,
    },
    /// The key is for something else.
    #[error("the key is not an application key; next: name the member's application key in provider.toml")]
    OtherKey,
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The key.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No salt.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<LedgerError> for AnchorError {
    fn from(error: LedgerError) -> Self {
        Self::Submit(error.into())
    }
}

impl From<ProofError> for AnchorError {
    fn from(error: ProofError) -> Self {
        LedgerError::from(error).into()
    }
}

/// What brings batches to the ledger.
pub(crate) struct Anchor {
    journal: Arc<Journal>,
    ledger: Ledger,
    submitter: Submitter,
    signers: Signers,
    wait: Duration,
}

impl Anchor {
    /// With the member's application key.
    ///
    /// - `wait`: how long a receipt waits for its batch.
    ///
    /// # Errors
    /// [`AnchorError::OtherKey`].
    pub(crate) fn new(
        journal: Arc<Journal>,
        ledger: Ledger,
        submitter: Submitter,
        key: &HeldKey,
        wait: Duration,
    ) -> Result<Self, AnchorError> {
        let signers = Signers::new(std::slice::from_ref(key)).map_err(|_| AnchorError::OtherKey)?;
        if key.purpose != KeyPurpose::Application || key.member != journal.owner().member {
            return Err(AnchorError::OtherKey);
        }
        let submitter = submitter.with_wait(WAIT, PATIENCE);
        Ok(Self { journal, ledger, submitter, signers, wait })
    }

    /// What was proven of the ledger, to be saved.
    pub(crate) fn light(&self) -> &LightClient {
        self.ledger.light()
    }

    /// Looks whether the book is this member's, and the journal as new as the ledger; a batch that was on its
    /// way is written down as anchored where it is there.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub(crate) fn compare(&mut self) -> Result<(), AnchorError> {
        let owner = self.journal.owner();
        let (book, last) = self.last()?;
        // Receipts name the provider, and its book is found by who opened it.
        let is_own = book.keeper == owner.member && book.opener() == owner.member;
        if book.subject != Subject::Receipts || !is_own {
            return Err(AnchorError::OtherBook(owner.book));
        }
        let known = self.journal.last_batch()?;
        let place = stands_at(known.as_ref(), last)?;
        if let Some((row, place)) = known.zip(place) {
            self.journal.anchored(row.first, place)?;
        }
        Ok(())
    }

    /// Goes on by one batch, if there is anything to do; true where something was brought to an end.
    ///
    /// # Errors
    /// [`AnchorError`]; the next step goes on where this one broke off.
    pub(crate) fn step(&mut self, now: Millis) -> Result<bool, AnchorError> {
        if let Some(open) = self.journal.last_batch()?.filter(|row| row.place.is_none()) {
            self.settle(&open)?;
            return Ok(true);
        }
        let Some(due) = self.journal.due(now, self.wait)? else { return Ok(false) };
        let batch = Batch::of(&self.journal.owner().domain, due.first, &due.leaves);
        let prepared = self.sign(&batch)?;
        self.journal.close_batch(&batch, &prepared)?;
        self.step(now)
    }

    fn settle(&mut self, row: &BatchRow) -> Result<(), AnchorError> {
        let place = match self.submitter.send(&mut self.ledger, &row.prepared())? {
            Settlement::Done { effect, .. } => match effect.sealed() {
                Some((book, first, _)) => LinePlace { book, line: first },
                None => return Err(AnchorError::OtherBook(self.journal.owner().book)),
            },
            // Another transaction may have brought it before.
            Settlement::Refused { refusal, .. } => self.find(row)?.map_or_else(|| self.again(row, refusal), Ok)?,
            Settlement::Undecided { reason: Unsettled::Late(height), .. } => match self.find(row)? {
                Some(place) => place,
                None => {
                    let prepared = self.sign(&row.batch())?;
                    self.journal.sign_batch_again(row.first, &prepared)?;
                    return Err(AnchorError::Unsettled(Unsettled::Late(height)));
                }
            },
            Settlement::Undecided { reason, .. } => return Err(AnchorError::Unsettled(reason)),
        };
        Ok(self.journal.anchored(row.first, place)?)
    }

    /// A refused transaction is never taken: the next step sends another.
    fn again(&mut self, row: &BatchRow, refusal: Refusal) -> Result<LinePlace, AnchorError> {
        let prepared = self.sign(&row.batch())?;
        self.journal.sign_batch_again(row.first, &prepared)?;
        Err(AnchorError::Refused(refusal))
    }

    /// Where a batch stands that is on its way, if it does: nothing comes after it.
    fn find(&mut self, row: &BatchRow) -> Result<Option<LinePlace>, AnchorError> {
        let (_, last) = self.last()?;
        stands_at(Some(row), last)
    }

    /// The book and its last batch, as of the newest height that any node shows: an older one would make an old
    /// journal look like the newest.
    fn last(&mut self) -> Result<(Book, Option<(Batch, LinePlace)>), AnchorError> {
        let owner = self.journal.owner();
        let newest = self.ledger.highest()?.0;
        let places = [Place::Record(Shelf::Parameters, 0), Place::Record(Shelf::Books, owner.book.0)];
        let (_, proven) = self.ledger.prove_at(&places, newest.height)?.value;
        let age = Millis::from_secs(u64::from(proven.record::<Parameters>(0)?.online_age_secs) + SKEW_SECS);
        if self.ledger.now().0.saturating_sub(newest.time.0) > age.0 {
            return Err(AnchorError::Stale);
        }
        let book: Book = proven.record(owner.book.0)?;
        let Some(line) = book.lines.checked_sub(1).map(LineNumber) else { return Ok((book, None)) };
        let place = LinePlace { book: owner.book, line };
        let (_, proven) = self.ledger.prove_at(&[Place::Line(place.book, line)], newest.height)?.value;
        let last = Batch::from_line(&proven.line(place)?);
        Ok((book, Some((last, place))))
    }

    fn sign(&mut self, batch: &Batch) -> Result<Prepared, AnchorError> {
        let owner = self.journal.owner();
        let operation = Operation::Seal { book: owner.book, lines: vec![batch.line()] };
        let valid_until = self.submitter.valid_until(&mut self.ledger)?;
        Ok(Prepared::sign(&owner.domain, &self.signers, operation, valid_until, random()?)?)
    }
}

/// Where the journal's last batch stands, if it was on its way and came to its end there.
fn stands_at(known: Option<&BatchRow>, last: Option<(Batch, LinePlace)>) -> Result<Option<LinePlace>, AnchorError> {
    let open = known.filter(|row| row.place.is_none()).map(BatchRow::batch);
    let journal = known.and_then(|row| if open.is_some() { Some(row.first) } else { row.batch().end() });
    compared(journal.unwrap_or(0), open, last)
}

/// Where the batch stands that is on its way, with regard to the last one of the book.
///
/// - `journal`: the first number after the receipts that the journal knows to be on the ledger.
///
/// # Errors
/// [`AnchorError::OldJournal`] where the ledger has others after these.
fn compared(
    journal: u64,
    open: Option<Batch>,
    last: Option<(Batch, LinePlace)>,
) -> Result<Option<LinePlace>, AnchorError> {
    let Some((last, place)) = last else { return Ok(None) };
    let ledger = last.end().unwrap_or(u64::MAX);
    match open {
        Some(open) if open == last => Ok(Some(place)),
        // Their number may be the same: another gateway on a copy of the journal counts as this one does.
        _ if ledger > journal => Err(AnchorError::OldJournal { ledger, journal }),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::{BookNumber, Digest};

    use super::*;

    #[test]
    fn i22_a_batch_of_another_journal_ends_it() {
        let place = LinePlace { book: BookNumber(7), line: LineNumber(1) };
        let batch = |first, count, by| Batch { first, count, receipts: Digest([by; 32]) };
        let compared = |journal, open, last: Option<Batch>| {
            let found = compared(journal, open, last.map(|last| (last, place)));
            found.map_err(|error| matches!(error, AnchorError::OldJournal { .. }))
        };
        let (before, open) = (batch(0, 3, 1), batch(3, 2, 1));
        assert_eq!(compared(0, None, None), Ok(None));
        assert_eq!(compared(3, None, Some(before)), Ok(None));
        assert_eq!(compared(3, Some(open), Some(before)), Ok(None), "it is on its way");
        assert_eq!(compared(3, Some(open), Some(open)), Ok(Some(place)));
        assert_eq!(compared(3, None, Some(open)), Err(true), "an old journal was put back");
        // Two gateways on copies of one folder: they count the same numbers.
        for other in [batch(3, 2, 2), batch(3, 1, 2), batch(3, 9, 2)] {
            assert_eq!(compared(3, Some(open), Some(other)), Err(true), "{other:?}");
        }
    }
}
