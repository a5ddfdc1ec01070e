//! What the ledger says of a grant's line. Rule I-10.

use crate::book::{Book, Line, Subject};
use crate::day::Millis;
use crate::number::{LinePlace, MemberNumber};
use crate::proof::{ProofError, Proven};
use crate::shelf::Shelf;
use crate::standing::State;

/// The line of a grant and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GrantLine {
    /// The line.
    pub line: Line,
    /// The member that opened its book (B-10).
    pub opener: MemberNumber,
    /// Its holder withdrew it.
    pub is_withdrawn: bool,
    /// It is suspended, with a key of whoever sealed it.
    pub is_suspended: bool,
}

impl GrantLine {
    /// The line at a place by a proven state; `None` where that is no line of a book of grants.
    ///
    /// - `proven`: the book, the line and its page record.
    ///
    /// # Errors
    /// [`ProofError`] where something was not proven: nothing can be said.
    pub fn load(proven: &Proven, place: LinePlace, now: Millis) -> Result<Option<Self>, ProofError> {
        // The shelf's size proves that there is no such book.
        if u64::from(place.book.0) >= proven.size(Shelf::Books) {
            return Ok(None);
        }
        let book: Book = proven.record(place.book.0)?;
        if book.subject != Subject::Grants || place.line.0 >= book.lines {
            return Ok(None);
        }
        let line = proven.line(place)?;
        let page = proven.page(place.book, place.line.page())?;
        let (standing, holds) = page.standing(place.line.place());
        let is_held = holds.iter().any(|hold| hold.is_live(now));
        let is_suspended = is_held || book.suspended.iter().any(|run| run.covers(place.line));
        // A grant is active or withdrawn, and nothing else (Z-7).
        Ok(Some(Self { line, opener: book.opener(), is_withdrawn: standing.state != State::Active, is_suspended }))
    }
}
