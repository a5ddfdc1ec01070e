//! The whole history of a certificate: from the line that was issued first to the one of today.
//!
//! ```text
//! line 3 <- took over from 1 <- took over from 0, which was issued
//! line 0 -> every act -> 1 -> every act -> 3 -> every act
//! ```
//!
//! Forwards, each act names the line that goes on. Backwards, nothing does: the acts of the height at
//! which a line was sealed say which of them made it go on from another, or that none did (S-10).

use std::collections::BTreeSet;

use fengni_core::book::Book;
use fengni_core::history::{Gap, History, Origin, Sealed};
use fengni_core::proof::{Place, ProofError, Proven, StateProof};
use fengni_core::shelf::Shelf;
use fengni_core::{ActNumber, BookNumber, Height, LinePlace};

use crate::ledger::{Ledger, LedgerError};
use crate::patience::Patience;

/// Acts looked at in one question, one a book.
const ACTS_AT_ONCE: usize = 128;
/// Books of one proof, each with the acts of a height.
const BOOKS_AT_ONCE: usize = 256;
/// Lines that stood for one certificate, at most.
const VERSIONS: usize = 1024;
/// How often is waited for a node that is behind, in all.
const PAUSES: usize = 30;

/// A history from its beginning.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The history. What is missing of it, also at its beginning, is in its gaps.
    pub history: History,
    /// What proves it.
    pub proof: StateProof,
    /// Where its first line comes from; `None` where that was not shown.
    pub origin: Option<Origin>,
    /// What proves that, where the seal alone does not: some books each.
    pub origin_proofs: Vec<StateProof>,
}

/// The history of the certificate that a line stands for, as of a final height that some node has.
///
/// A node that leaves something out is passed over where another does not.
///
/// # Errors
/// [`LedgerError`].
pub fn whole(ledger: &mut Ledger, place: LinePlace, at: Height) -> Result<Whole, LedgerError> {
    let mut reader = Reader { ledger, at, patience: Patience(PAUSES) };
    let (mut first, mut seen) = (place, BTreeSet::from([place]));
    loop {
        let (proof, mut history) = reader.history(first)?;
        let seal = history.chapters.first().and_then(|chapter| chapter.sealed.clone());
        let (origin_proofs, parts) = match &seal {
            Some(seal) if !Origin::is_issued_by(seal) => reader.origin(first, seal)?.into_iter().unzip(),
            _ => (Vec::new(), Vec::new()),
        };
        let before = seal.and_then(|seal| match Origin::read(&parts, first, &seal) {
            Ok(Origin::TookOver { place, .. }) => Some(place),
            _ => None,
        });
        if let Some(before) = before.filter(|before| seen.len() < VERSIONS && seen.insert(*before)) {
            first = before;
            continue;
        }
        let origin = history.begins(&parts);
        return Ok(Whole { history, proof, origin, origin_proofs });
    }
}

struct Reader<'a> {
    ledger: &'a mut Ledger,
    at: Height,
    patience: Patience,
}

impl Reader<'_> {
    /// A line's history and that of those that go on from it: a complete one if any node gives it.
    fn history(&mut self, place: LinePlace) -> Result<(StateProof, History), LedgerError> {
        loop {
            let at = self.at;
            let mut best: Option<(StateProof, History)> = None;
            let answer = self.ledger.ask(
                |node| node.history(place, Some(at)),
                |proof, proven| {
                    if proof.header.height != at {
                        return Err(ProofError::Missing(Place::Line(place.book, place.line)));
                    }
                    let history = History::read(&proven, place)?;
                    let Some(gap) = history.gaps.first() else { return Ok((proof.clone(), history)) };
                    let missing = ProofError::Missing(entry(gap));
                    if best.as_ref().is_none_or(|(_, best)| history.gaps.len() < best.gaps.len()) {
                        best = Some((proof.clone(), history));
                    }
                    Err(missing)
                },
            );
            match (answer, best) {
                (Ok(answer), _) => return Ok(answer.value),
                (Err(error), _) if self.patience.waits(&error) => (),
                (Err(LedgerError::Gateway(_)), Some(best)) => return Ok(best),
                (Err(error), _) => return Err(error),
            }
        }
    }

    /// What tells where a line comes from: the acts of its height, of every book that has any; or the
    /// one that made it go on from another. Nothing where no node gives it.
    fn origin(&mut self, place: LinePlace, seal: &Sealed) -> Result<Vec<(StateProof, Proven)>, LedgerError> {
        let parts = self.acts_of(place, seal.height);
        match parts.and_then(|parts| parts.iter().map(|places| self.prove(places)).collect()) {
            Err(LedgerError::Gateway(_)) => Ok(Vec::new()),
            found => found,
        }
    }

    /// The places that prove which acts of a height there are, in every book: some books each.
    fn acts_of(&mut self, place: LinePlace, height: Height) -> Result<Vec<Vec<Place>>, LedgerError> {
        let books: Vec<Book> = loop {
            match self.ledger.shelf_at(self.at) {
                Ok(books) => break books,
                Err(error) if self.patience.waits(&error) => (),
                Err(error) => return Err(error),
            }
        };
        let mut searches: Vec<Search> = Vec::new();
        for (book, number) in books.iter().zip(0..) {
            if Origin::may_name(book, height) {
                searches.push(Search { book: BookNumber(number), size: book.acts.size, low: 0, high: book.acts.size });
            }
        }
        // The first act at or above the height, in all books at once.
        loop {
            let open: Vec<usize> = (0..searches.len()).filter(|search| !searches[*search].is_done()).collect();
            if open.is_empty() {
                break;
            }
            for open in open.chunks(ACTS_AT_ONCE) {
                let asked: Vec<Place> = open.iter().map(|search| searches[*search].place()).collect();
                let (_, proven) = self.prove(&asked)?;
                for search in open {
                    let search = &mut searches[*search];
                    let act = proven.act(search.book, search.middle())?;
                    search.narrow(act.height >= height);
                }
            }
        }
        let records = books.iter().zip(0..).map(|(_, number)| Place::Record(Shelf::Books, number));
        let mut parts: Vec<Vec<Place>> =
            records.collect::<Vec<_>>().chunks(BOOKS_AT_ONCE).map(<[Place]>::to_vec).collect();
        for search in searches {
            let (book, mut number) = (search.book, search.low);
            let places = &mut parts[book.0 as usize / BOOKS_AT_ONCE];
            places.extend(number.checked_sub(1).map(|before| Place::Act(book, ActNumber(before))));
            // Those of the height itself, and the next one, which is not.
            while number < search.size {
                let place_of = Place::Act(book, ActNumber(number));
                places.push(place_of);
                let (_, proven) = self.prove(&[place_of])?;
                let act = proven.act(book, ActNumber(number))?;
                if act.successor == Some(place) && act.height == height {
                    return Ok(vec![vec![place_of]]);
                }
                if act.height > height {
                    break;
                }
                number += 1;
            }
        }
        Ok(parts)
    }

    fn prove(&mut self, places: &[Place]) -> Result<(StateProof, Proven), LedgerError> {
        loop {
            match self.ledger.prove_at(places, self.at) {
                Ok(answer) => return Ok(answer.value),
                Err(error) if self.patience.waits(&error) => (),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The search for the first act at or above a height, in one book.
struct Search {
    book: BookNumber,
    size: u64,
    low: u64,
    high: u64,
}

impl Search {
    fn is_done(&self) -> bool {
        self.low >= self.high
    }

    fn middle(&self) -> ActNumber {
        ActNumber(self.low + (self.high - self.low) / 2)
    }

    fn place(&self) -> Place {
        Place::Act(self.book, self.middle())
    }

    fn narrow(&mut self, reached: bool) {
        let middle = self.middle().0;
        if reached { self.high = middle } else { self.low = middle + 1 }
    }
}

/// The entry that a gap is about, as far as one can be named.
fn entry(gap: &Gap) -> Place {
    match *gap {
        Gap::Act { place, number } | Gap::Order { place, number } => Place::Act(place.book, number),
        Gap::Head { place } => Place::Heads(place.book, place.line.page()),
        Gap::Seal { place }
        | Gap::Standing { place, .. }
        | Gap::Successor { place }
        | Gap::Predecessor { place, .. }
        | Gap::Origin { place } => Place::Line(place.book, place.line),
    }
}
