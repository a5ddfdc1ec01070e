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

use std::collections::HashMap;

use fengni_core::book::{Book, Subject};
use fengni_core::case::{Case, CaseError, Slip};
use fengni_core::limits::SEAL_LINES;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::{BookNumber, Height, LinePlace};
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError};
use crate::lines;
use crate::random::{RandomError, random};
use crate::submit::{Prepared, Settlement, Signers, SubmitError, Submitter, Unsettled};

use journal::Became;
pub use journal::{Cases, Journal, JournalError};

/// How often the seals of a book are made anew in one run: a second time where one of before came
/// through after all.
const ROUNDS: usize = 3;

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
    /// A case has no place, although its seals are settled.
    #[error("no node shows where case {0} stands; next: run the command again")]
    NotShown(String),
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
    /// One that the journal knows is not opened again. What an interrupted run had begun is finished
    /// first, in whichever of the member's books.
    ///
    /// # Errors
    /// [`OpenError`]; what was opened before it stays opened, and another run goes on.
    pub fn open(
        &self,
        ledger: &mut Ledger,
        journal: &mut Journal,
        wanted: &[(String, String)],
    ) -> Result<Vec<Slip>, OpenError> {
        let record: Book = ledger.record(self.book.0)?;
        if record.subject != Subject::Cases {
            return Err(OpenError::OtherBook(self.book));
        }
        let drawn = new_cases(journal.cases(), wanted)?;
        for prepared in journal.cases().open() {
            self.settle(ledger, journal, &prepared)?;
        }
        journal.draw(self.book, drawn)?;
        let solo = usize::try_from(ledger.parameters()?.solo_seal_lines).unwrap_or(SEAL_LINES);
        let size = if self.signers.are_two_persons() { SEAL_LINES } else { solo.clamp(1, SEAL_LINES) };
        for book in journal.cases().unsettled_books() {
            self.seal(ledger, journal, book, size)?;
        }
        let cases = journal.cases();
        let slip = |number: &String| cases.find(number).and_then(|known| cases.slip(known));
        wanted.iter().map(|(number, _)| slip(number).ok_or_else(|| OpenError::NotShown(number.clone()))).collect()
    }

    /// Seals what a book lacks, until nothing is left.
    fn seal(&self, ledger: &mut Ledger, journal: &mut Journal, book: BookNumber, size: usize) -> Result<(), OpenError> {
        let domain = ledger.domain();
        for _ in 0..ROUNDS {
            look_for(ledger, journal, book)?;
            let loose = journal.cases().loose(book);
            if loose.is_empty() {
                return Ok(());
            }
            for cases in loose.chunks(size) {
                let lines = cases.iter().map(|case| journal.cases().line(*case, &domain)).collect();
                let prepared = self.submitter.prepare(ledger, self.signers, Operation::Seal { book, lines })?;
                journal.send(&prepared, cases)?;
                self.settle(ledger, journal, &prepared)?;
            }
        }
        Ok(())
    }

    /// Sends what was signed, which does no harm a second time, and notes what became of it.
    fn settle(&self, ledger: &mut Ledger, journal: &mut Journal, prepared: &Prepared) -> Result<(), OpenError> {
        match self.submitter.send(ledger, prepared)? {
            Settlement::Done { effect, .. } => {
                let first = effect.sealed().map(|(book, line, _)| LinePlace { book, line });
                Ok(journal.settle(prepared.id, first.map_or(Became::Over, Became::Done))?)
            }
            // An earlier seal of some of the same cases came through after all: their tags tell where.
            Settlement::Refused { refusal: Refusal::DuplicateTag, .. } => {
                Ok(journal.settle(prepared.id, Became::Over)?)
            }
            Settlement::Refused { refusal, height, .. } => {
                journal.settle(prepared.id, Became::Refused)?;
                Err(OpenError::Refused { refusal, height })
            }
            // Until its last height has passed, some block may take it.
            Settlement::Undecided { reason, .. } => match ledger.highest()?.0.height > prepared.valid_until {
                true => Ok(journal.settle(prepared.id, Became::Over)?),
                false => Err(OpenError::Unsettled(reason)),
            },
        }
    }
}

/// What of these is not in the journal yet, with salts and tags.
fn new_cases(known: &Cases, wanted: &[(String, String)]) -> Result<Vec<(Case, [u8; 16])>, OpenError> {
    let mut items: HashMap<&str, &str> = HashMap::new();
    let mut drawn = Vec::new();
    for (number, item) in wanted {
        let case = Case::new(number, item, random()?);
        let case = case.map_err(|error| OpenError::Case { number: number.clone(), error })?;
        let before = known.find(number).map(|known_as| known.case(known_as).item.as_str());
        match before.or_else(|| items.get(number.as_str()).copied()) {
            None => drawn.push((case, random()?)),
            Some(before) if before != item => return Err(OpenError::OtherItem(number.clone())),
            Some(_) => (),
        }
        items.insert(number, item);
    }
    Ok(drawn)
}

/// Cases of a book that were sent once and have no place: where their tags are in the book, if they are.
fn look_for(ledger: &mut Ledger, journal: &mut Journal, book: BookNumber) -> Result<(), OpenError> {
    let sought = journal.cases().doubtful(book);
    if sought.is_empty() {
        return Ok(());
    }
    let tags: Vec<_> = sought.iter().map(|case| journal.cases().tag(*case)).collect();
    let found = lines::find(ledger, book, &tags)?;
    let found: Vec<_> = found.into_iter().map(|(at, place)| (sought[at], place)).collect();
    Ok(journal.found(book, &found)?)
}
