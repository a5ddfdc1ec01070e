//! Where a line comes from: a seal of its own, or an act that made it go on from another line.
//!
//! A line that took over was sealed by the very transaction that closed the one before (O-7 to O-9), as
//! the only line of its seal. So the act that names it is of its own height, and all acts of that
//! height, of every book, prove that there is none. Rule S-10: `sdk/spec/standings.md`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Sealed;
use crate::audit::{Heights, between};
use crate::book::Book;
use crate::number::{ActNumber, BookNumber, Height, LinePlace};
use crate::proof::{Place, ProofError, Proven};
use crate::shelf::Shelf;
use crate::standing::Act;

/// Where a line comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "origin", rename_all = "kebab-case")]
pub enum Origin {
    /// It was issued: no line goes on in it.
    Issued,
    /// It took over from another line.
    TookOver {
        /// That line.
        place: LinePlace,
        /// The act on it.
        act: ActNumber,
    },
}

impl Origin {
    /// Whether a seal alone tells that its lines were issued: whoever takes over is sealed alone.
    pub fn is_issued_by(seal: &Sealed) -> bool {
        seal.count != 1
    }

    /// Rule S-10: where a line comes from, by the acts of its height in every book.
    ///
    /// - `parts`: of one state, each with some books: a register may have more than one proof holds.
    ///
    /// # Errors
    /// [`ProofError::Missing`] with an entry without which nothing can be said.
    pub fn read(parts: &[Proven], place: LinePlace, seal: &Sealed) -> Result<Self, ProofError> {
        if Self::is_issued_by(seal) {
            return Ok(Self::Issued);
        }
        let mut acts: BTreeMap<BookNumber, BTreeMap<u64, Act>> = BTreeMap::new();
        for (proven, found) in parts.iter().flat_map(|proven| proven.places().map(move |found| (proven, found))) {
            if let Place::Act(book, number) = *found {
                let act = proven.act(book, number)?;
                if act.successor == Some(place) && act.height == seal.height {
                    let place = LinePlace { book, line: act.line };
                    return Ok(Self::TookOver { place, act: number });
                }
                acts.entry(book).or_default().insert(number.0, act);
            }
        }
        let none = ProofError::Missing(Place::Record(Shelf::Books, 0));
        let state = parts.first().ok_or(none.clone())?;
        // A state before the line was there knows nothing of what it took over.
        let early = state.header().height < seal.height;
        if early || parts.iter().any(|part| part.header() != state.header()) {
            return Err(none);
        }
        let books = u32::try_from(state.size(Shelf::Books)).unwrap_or(u32::MAX);
        for book in (0..books).map(BookNumber) {
            let missing = ProofError::Missing(Place::Record(Shelf::Books, book.0));
            let record: Book = parts.iter().find_map(|proven| proven.record(book.0).ok()).ok_or(missing)?;
            if !Self::may_name(&record, seal.height) {
                continue;
            }
            let of_book = acts.get(&book);
            let heights = of_book.into_iter().flatten().map(|(number, act)| (*number, (act.height, 0))).collect();
            let only = Heights { from: seal.height, to: seal.height };
            let missing = |number: u64| ProofError::Missing(Place::Act(book, ActNumber(number)));
            let run = between(&heights, record.acts.size, only).map_err(missing)?;
            // Each of them was looked at above.
            if let Some(number) = run.into_iter().find(|number| !heights.contains_key(number)) {
                return Err(missing(number));
            }
        }
        Ok(Self::Issued)
    }

    /// Whether a book can have an act of a height at all.
    pub fn may_name(book: &Book, height: Height) -> bool {
        book.acts.size > 0 && book.opened <= height
    }
}
