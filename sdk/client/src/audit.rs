//! The audit of a book over a network: every entry is asked for, and what nobody gives is named.
//!
//! ```text
//! newest header of all nodes -> book record at its height -> seals, acts, pages by the batch
//! ```
//!
//! All is asked at one height. An audit that outlasts the heights that nodes prove goes on at a
//! newer one: seals, acts and lines never change, so that the first record still counts them. A batch
//! that no node gives is halved until the entry is found that is withheld; who gave what does not hold
//! is in the gateway's troubles. Rules U-1 to U-6:
//! `sdk/spec/audits.md`.

use std::collections::BTreeMap;
use std::ops::Range;

use fengni_core::audit::{Audited, BookAudit, Counts, Heights};
use fengni_core::block::Header;
use fengni_core::book::Book;
use fengni_core::proof::{Place, ProofError, Proven, StateProof};
use fengni_core::shelf::Shelf;
use fengni_core::standing::{ActHeads, Page};
use fengni_core::{ActNumber, BookNumber, Height, PageNumber, SealNumber};

use crate::gateway::Trouble;
use crate::ledger::{Ledger, LedgerError};
use crate::patience::Patience;
use crate::problem::Problem;

/// Seals or acts asked for at once.
const ENTRIES_AT_ONCE: u64 = 256;
/// Pages asked for at once, each with its heads: records may be large.
const PAGES_AT_ONCE: usize = 32;
/// After so many entries that nobody gives, the audit ends: it is not complete anyway.
pub const WITHHELD: usize = 32;
/// How often an audit waits for a node that is behind or busy, in all.
const PAUSES: usize = 50;

/// What the audit of a book found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    /// Counts and defects.
    pub audited: Audited,
    /// The state whose record of the book counts everything.
    pub header: Header,
    /// That record.
    pub record: Book,
    /// The record, and the entries at the edges of the time: what proves the counts alone. `None`
    /// where nobody gave them.
    pub proof: Option<StateProof>,
    /// Whether it ended early, because too much was withheld.
    pub ended_early: bool,
}

/// How far an audit is: entries so far, of about so many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Audits a book, or a time of it, as of a final height that some node has.
///
/// # Errors
/// [`LedgerError`] where the book's record cannot be had, or no node answers.
pub fn book(
    ledger: &mut Ledger,
    book: BookNumber,
    heights: Heights,
    at: Height,
    progress: Progress<'_>,
) -> Result<Audit, LedgerError> {
    let mut reader = Reader { ledger, book, at, asked: 0, withheld: 0, patience: Patience(PAUSES) };
    let (_, proven) = reader.retried(&[Place::Record(Shelf::Books, book.0)])?;
    let (header, record): (Header, Book) = (proven.header().clone(), proven.record(book.0)?);
    let seals = reader.numbers(record.seals.size, heights, |number| Place::Seal(book, SealNumber(number)))?;
    let acts = reader.numbers(record.acts.size, heights, |number| Place::Act(book, ActNumber(number)))?;
    let proof = reader.counted(&record, &seals, &acts)?;
    let mut audit = BookAudit::new(reader.ledger.domain(), book, record.clone(), heights);
    let (seals, acts) = (with_sides(&seals, record.seals.size), with_sides(&acts, record.acts.size));
    let about = (seals.end - seals.start) + (acts.end - acts.start);
    let seals = runs(seals).map(|run| run.map(|number| Place::Seal(book, SealNumber(number))).collect());
    let acts = runs(acts).map(|run| run.map(|number| Place::Act(book, ActNumber(number))).collect());
    for places in seals.chain(acts) {
        let places: Vec<Place> = places;
        reader.gather(&places, &mut |place, proven| {
            if !proven.is_some_and(|proven| judge(&mut audit, place, proven)) {
                audit.withheld(place);
            }
        })?;
        progress(reader.asked, about);
    }
    let pages: Vec<PageNumber> = audit.pages().into_iter().collect();
    let about = about + 3 * pages.len() as u64;
    for pages in pages.chunks(PAGES_AT_ONCE) {
        reader.pages(pages, &mut audit)?;
        progress(reader.asked, about);
    }
    let ended_early = reader.withheld >= WITHHELD;
    Ok(Audit { audited: audit.finish(), header, record, proof, ended_early })
}

/// Has the audit look at a seal or an act; whether it could be read.
fn judge(audit: &mut BookAudit, place: Place, proven: &Proven) -> bool {
    match place {
        Place::Seal(book, number) => proven.seal(book, number).map(|seal| audit.seal(number, &seal)).is_ok(),
        Place::Act(book, number) => proven.act(book, number).map(|act| audit.act(number, &act)).is_ok(),
        _ => false,
    }
}

/// A run of entries with one more on either side, which show that nothing of the time lies there.
fn with_sides(run: &Range<u64>, size: u64) -> Range<u64> {
    run.start.saturating_sub(1)..run.end.saturating_add(1).min(size)
}

/// A run by the batch.
fn runs(run: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let count = (run.end - run.start).div_ceil(ENTRIES_AT_ONCE);
    (0..count).map(move |batch| {
        let first = run.start + batch * ENTRIES_AT_ONCE;
        first..run.end.min(first + ENTRIES_AT_ONCE)
    })
}

/// What is told of each place in turn: the entries that prove it, if anybody gave them.
type Take<'a> = &'a mut dyn FnMut(Place, Option<&Proven>);

/// What was given of a page.
#[derive(Default)]
struct Given {
    /// Its record, and that of the book under which it was proven.
    record: Option<(Book, Page)>,
    heads: Option<ActHeads>,
}

/// Asks for the entries of one book.
struct Reader<'a> {
    ledger: &'a mut Ledger,
    book: BookNumber,
    /// The height at which is asked.
    at: Height,
    asked: u64,
    withheld: usize,
    patience: Patience,
}

impl Reader<'_> {
    /// The numbers of a list's entries that are of a time: heights never fall, so that its ends are
    /// found by halving.
    fn numbers(
        &mut self,
        size: u64,
        heights: Heights,
        place: impl Fn(u64) -> Place,
    ) -> Result<Range<u64>, LedgerError> {
        let start = match heights.from.0 {
            0 | 1 => Some(0),
            _ => self.first(size, &place, |height| height >= heights.from)?,
        };
        let end = match heights.to.0 {
            u64::MAX => Some(size),
            _ => self.first(size, &place, |height| height > heights.to)?,
        };
        // Where nobody gives an entry on the way, the whole list is gone through.
        Ok(start.zip(end).map_or(0..size, |(start, end)| start..end.max(start)))
    }

    fn first(
        &mut self,
        size: u64,
        place: &impl Fn(u64) -> Place,
        is: impl Fn(Height) -> bool,
    ) -> Result<Option<u64>, LedgerError> {
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            let place = place(middle);
            let found = match self.retried(&[place]) {
                Ok((_, proven)) => height_of(&proven, place)?,
                Err(error) if is_withheld(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            if is(found) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(Some(low))
    }

    /// The proof of the counts alone.
    fn counted(
        &mut self,
        record: &Book,
        seals: &Range<u64>,
        acts: &Range<u64>,
    ) -> Result<Option<StateProof>, LedgerError> {
        let mut places = vec![Place::Record(Shelf::Books, self.book.0)];
        places.extend(Counts::places(self.book, record, seals, acts));
        match self.retried(&places) {
            Ok((proof, _)) => Ok(Some(proof)),
            Err(error) if is_withheld(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Pages with their heads, and their lines.
    fn pages(&mut self, pages: &[PageNumber], audit: &mut BookAudit) -> Result<(), LedgerError> {
        let book = self.book;
        // A page before its heads: should the audit go on at a newer height in between, the heads
        // show what was done since, and the page is not held against it.
        let records = pages.iter().map(|page| Place::Page(book, *page));
        let places: Vec<Place> = records.chain(pages.iter().map(|page| Place::Heads(book, *page))).collect();
        let mut found: BTreeMap<PageNumber, Given> = BTreeMap::new();
        self.gather(&places, &mut |place, proven| match place {
            Place::Page(_, number) => {
                let record =
                    proven.and_then(|proven| Some((proven.record(book.0).ok()?, proven.page(book, number).ok()?)));
                found.entry(number).or_default().record = record;
            }
            Place::Heads(_, number) => {
                found.entry(number).or_default().heads = proven.and_then(|proven| proven.heads(book, number).ok());
            }
            _ => (),
        })?;
        for (number, Given { record, heads }) in found {
            if record.is_none() {
                audit.withheld(Place::Page(book, number));
            }
            if heads.is_none() {
                audit.withheld(Place::Heads(book, number));
            }
            let (Some((at, record)), Some(heads)) = (record, heads) else { continue };
            let lines = self.lines(number, &record)?;
            audit.page(&at, number, &record, &heads, lines.as_deref());
        }
        Ok(())
    }

    fn lines(&mut self, page: PageNumber, record: &Page) -> Result<Option<Vec<fengni_core::book::Line>>, LedgerError> {
        self.asked += 1;
        loop {
            match self.ledger.lines(self.book, page, record) {
                Ok(answer) => return Ok(Some(answer.value)),
                Err(error) if self.patience.waits(&error) => (),
                Err(error) if is_withheld(&error) => {
                    self.withheld += 1;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells of each place in turn. A batch that no node gives is halved, until the entry is found
    /// that is withheld.
    fn gather(&mut self, places: &[Place], take: Take<'_>) -> Result<(), LedgerError> {
        if places.is_empty() || self.withheld >= WITHHELD {
            return Ok(());
        }
        match self.retried(places) {
            Ok((_, proven)) => {
                self.asked += places.len() as u64;
                places.iter().for_each(|place| take(*place, Some(&proven)));
                Ok(())
            }
            Err(error) if !is_withheld(&error) => Err(error),
            Err(_) if places.len() > 1 => {
                let (first, second) = places.split_at(places.len() / 2);
                self.gather(first, take)?;
                self.gather(second, take)
            }
            Err(_) => {
                self.withheld += 1;
                places.iter().for_each(|place| take(*place, None));
                Ok(())
            }
        }
    }

    /// Asks, and once more where a node is behind or busy, or proves this height no longer.
    fn retried(&mut self, places: &[Place]) -> Result<(StateProof, Proven), LedgerError> {
        loop {
            match self.ledger.prove_at(places, self.at) {
                Ok(answer) => return Ok(answer.value),
                Err(error) if self.went_on(&error)? || self.patience.waits(&error) => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on at a newer height, where this one is not proven any more.
    fn went_on(&mut self, error: &LedgerError) -> Result<bool, LedgerError> {
        if !problems(error).any(|problem| problem.is_about("height-not-kept")) {
            return Ok(false);
        }
        let newest = self.ledger.highest()?.0.height;
        let later = newest > self.at;
        self.at = newest;
        Ok(later)
    }
}

fn height_of(proven: &Proven, place: Place) -> Result<Height, ProofError> {
    match place {
        Place::Seal(book, number) => Ok(proven.seal(book, number)?.height),
        Place::Act(book, number) => Ok(proven.act(book, number)?.height),
        other => Err(ProofError::Missing(other)),
    }
}

/// What nodes that refused called the reason.
fn problems(error: &LedgerError) -> impl Iterator<Item = &Problem> {
    let troubles = match error {
        LedgerError::Gateway(error) => error.troubles.as_slice(),
        _ => &[],
    };
    troubles.iter().filter_map(|found| match &found.trouble {
        Trouble::Refused(problem) => Some(problem),
        _ => None,
    })
}

/// Whether nodes answered and none gave what was asked for: then it is withheld or altered.
fn is_withheld(error: &LedgerError) -> bool {
    let LedgerError::Gateway(error) = error else { return false };
    let against = |trouble: &Trouble| matches!(trouble, Trouble::Lied(_) | Trouble::Malformed(_) | Trouble::Refused(_));
    error.troubles.iter().any(|found| against(&found.trouble))
}
