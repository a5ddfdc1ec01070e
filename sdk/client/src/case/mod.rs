//! Cases (办件): a department opens them, and the applicant's slip finds them again (SVC-02).
//!
//! What a case is stays in the department's journal; the ledger gets lines. A case is in the journal
//! before the ledger hears of it, and opening the same number twice opens it once. Rules A-1 to A-5:
//! `sdk/spec/cases.md`.
//!
//! ```text
//! numbers -> journal -> seals of lines -> places -> slips
//! ```

mod journal;

use fengni_core::book::{Book, Subject};
use fengni_core::case::{Case, CaseError, Slip};
use fengni_core::limits::SEAL_LINES;
use fengni_core::number::PageNumber;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::{BookNumber, Height, LinePlace};
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError};
use crate::random::{RandomError, random};
use crate::submit::{Prepared, Settlement, Signers, SubmitError, Submitter, Unsettled};

pub use journal::{Journal, JournalError};

/// Why cases were not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A number or an item's code.
    #[error("{number}: {error}")]
    Case {
        /// The number as given.
        number: String,
        /// What is wrong.
        error: CaseError,
    },
    /// The number stands for another item already.
    #[error("{0} was opened for another item; next: give the case another number")]
    OtherItem(String),
    /// The book is not one of cases.
    #[error("book {0} holds no cases; next: fengni books")]
    OtherBook(BookNumber),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The ledger refused.
    #[error("{refusal} at height {height}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// Where.
        height: Height,
    },
    /// It is not known whether some are on the ledger.
    #[error("it is not known of some cases whether they are on the ledger: {0}; next: run the command again")]
    Unsettled(Unsettled),
    /// The ledger or the relays.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// No salt.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<LedgerError> for OpenError {
    fn from(error: LedgerError) -> Self {
        Self::Submit(error.into())
    }
}

/// Who opens cases, and in which book.
#[derive(Clone, Copy)]
pub struct Opener<'a> {
    /// Sends.
    pub submitter: &'a Submitter,
    /// Signs.
    pub signers: &'a Signers,
    /// The member's book of cases.
    pub book: BookNumber,
}

impl Opener<'_> {
    /// Opens cases, each a number and an item's code; the slips, in order.
    ///
    /// One that the journal knows is not opened again. What an interrupted run had sent is looked for
    /// first.
    ///
    /// # Errors
    /// [`OpenError`]; what was opened before it stays opened, and another run goes on.
    pub fn open(
        &self,
        ledger: &mut Ledger,
        journal: &mut Journal,
        wanted: &[(String, String)],
    ) -> Result<Vec<Slip>, OpenError> {
        let mut drawn = Vec::with_capacity(wanted.len());
        for (number, item) in wanted {
            let salted = Case::new(number, item, random()?);
            drawn.push(salted.map_err(|error| OpenError::Case { number: number.clone(), error })?);
        }
        let record: Book = ledger.record(self.book.0)?;
        if record.subject != Subject::Cases {
            return Err(OpenError::OtherBook(self.book));
        }
        let solo = usize::try_from(ledger.parameters()?.solo_seal_lines).unwrap_or(SEAL_LINES);
        let size = if self.signers.are_two_persons() { SEAL_LINES } else { solo.clamp(1, SEAL_LINES) };
        let domain = ledger.domain();
        for prepared in journal.open() {
            self.settle(ledger, journal, &prepared)?;
        }
        self.look_for(ledger, journal)?;
        for case in drawn {
            match journal.find(&case.number) {
                None => journal.draw(case, random()?)?,
                Some(known) if journal.case(known).item != case.item => return Err(OpenError::OtherItem(case.number)),
                Some(_) => (),
            }
        }
        let loose = journal.loose();
        for cases in loose.chunks(size) {
            let lines = cases.iter().map(|case| journal.line(*case, &domain)).collect();
            let operation = Operation::Seal { book: self.book, lines };
            let prepared = self.submitter.prepare(ledger, self.signers, operation)?;
            journal.send(&prepared, cases)?;
            self.settle(ledger, journal, &prepared)?;
        }
        let network = domain.network;
        let slips = wanted.iter().filter_map(|(number, _)| {
            let known = journal.find(number)?;
            Some(Slip { network, place: journal.place(known)?, case: journal.case(known).clone() })
        });
        Ok(slips.collect())
    }

    /// Sends what was signed, which does no harm a second time, and notes what became of it.
    fn settle(&self, ledger: &mut Ledger, journal: &mut Journal, prepared: &Prepared) -> Result<(), OpenError> {
        match self.submitter.send(ledger, prepared)? {
            Settlement::Done { effect, .. } => {
                let first = effect.sealed().map(|(book, line, _)| LinePlace { book, line });
                Ok(journal.settle(prepared.id, first)?)
            }
            Settlement::Refused { refusal, height, .. } => {
                journal.settle(prepared.id, None)?;
                match refusal {
                    // An earlier seal of the same cases came through after all.
                    Refusal::DuplicateTag => self.look_for(ledger, journal),
                    _ => Err(OpenError::Refused { refusal, height }),
                }
            }
            Settlement::Undecided { reason, .. } => {
                // No block will take it any more; or it may be in one that nobody showed: its tags tell.
                if matches!(reason, Unsettled::Late(_) | Unsettled::Declined(_)) {
                    journal.settle(prepared.id, None)?;
                }
                Err(OpenError::Unsettled(reason))
            }
        }
    }

    /// Cases that were sent once and have no place: where their tags are in the book, if they are.
    fn look_for(&self, ledger: &mut Ledger, journal: &mut Journal) -> Result<(), OpenError> {
        let mut sought = journal.doubtful();
        let record: Book = ledger.record(self.book.0)?;
        // The newest pages first: that is where a late seal went.
        let mut page = record.pages.size;
        while let Some(before) = page.checked_sub(1).filter(|_| !sought.is_empty()) {
            page = before;
            let number = PageNumber(page);
            let (_, lines) = ledger.page(self.book, number)?.value;
            for (line, place) in lines.iter().zip(0..) {
                if let Some(at) = sought.iter().position(|case| journal.tag(*case) == line.tag) {
                    let found = LinePlace { book: self.book, line: number.line(place) };
                    journal.found(sought.swap_remove(at), found)?;
                }
            }
        }
        Ok(journal.forget_doubt()?)
    }
}
