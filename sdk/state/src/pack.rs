//! Trust packs from a state: what a device needs to judge codes offline, whole or since a height.
//!
//! What has changed since a height is read off the numbered lists themselves: seals and acts name
//! the height they were made at, so that any node makes a delta from any height, without having
//! kept anything for it. Rule Q-7: `sdk/spec/packs.md`.

use std::collections::BTreeSet;

use fengni_core::block::Header;
use fengni_core::bytes::Bytes;
use fengni_core::finality::CommitCertificate;
use fengni_core::limits::PAGE_LINES;
use fengni_core::pack::{Basis, BookPart, Fingerprint, Pack, PagesPart, RecordPart, SHELVES, ShelfPart, Subscription};
use fengni_core::record::Record as _;
use fengni_core::standing::{Hold, Standing};
use fengni_core::tree;
use fengni_core::{ActNumber, BookNumber, Digest, Domain, Height, LineNumber, PageNumber, SealNumber};

use crate::book::BookState;
use crate::records::{Records, partition};
use crate::state::State;

/// Makes a pack of the state that `header` and `certificate` finish.
///
/// - `basis`: what the reader has; without it, the pack is full. A reader whose basis is not of
///   this network's past gets a pack that does not add up for it, and asks for a full one.
pub fn pack(
    state: &State,
    records: &impl Records,
    header: Header,
    certificate: CommitCertificate,
    subscription: Subscription,
    basis: Option<&Basis>,
) -> Pack {
    let since = basis.map(|basis| basis.height);
    let shelves = SHELVES.iter().enumerate().map(|(place, shelf)| {
        let list = state.shelf_lists()[*shelf as usize];
        let print = Fingerprint::of(&list.digest(&state.domain));
        if basis.is_some_and(|basis| basis.shelves[place] == print) {
            return ShelfPart::Same;
        }
        let numbers = 0..u32::try_from(list.len()).expect("record numbers have 32 bits");
        ShelfPart::Whole(numbers.filter_map(|number| state.record_bytes(*shelf, number)).map(Bytes).collect())
    });
    let changed = state.books().filter_map(|(number, book)| {
        let grown =
            since.filter(|since| book.record().opened <= *since).map(|since| Past::of(book, number, records, since));
        part(&state.domain, records, number, book, grown, subscription.covers(book.record()))
    });
    let (shelves, changed) = (shelves.collect(), changed.collect());
    let others = state.shelf_lists()[SHELVES.len() + 1..].iter().map(|list| list.digest(&state.domain)).collect();
    let books = u32::try_from(state.books.len()).expect("book numbers have 32 bits");
    Pack::new(header, certificate, subscription, since, shelves, others, books, changed)
}

/// How far a book was at a height.
struct Past {
    lines: u64,
    acts: u64,
    /// Whether its record has changed in its lists alone.
    grown: bool,
}

impl Past {
    fn of(book: &BookState, number: BookNumber, records: &impl Records, height: Height) -> Self {
        let seals = book.seals();
        let later = |seal: u64| records.seal(number, SealNumber(seal)).is_none_or(|seal| seal.height > height);
        let first = partition(seals, later);
        let lines = records.seal(number, SealNumber(first)).filter(|_| first < seals);
        let acts = book.acts();
        let later = |act: u64| records.act(number, ActNumber(act)).is_none_or(|act| act.height > height);
        Self {
            lines: lines.map_or(book.record().lines, |seal| seal.first.0),
            acts: partition(acts, later),
            grown: book.record().changed <= height,
        }
    }
}

/// A book's part of a pack, or `None` where nothing has changed since.
fn part(
    domain: &Domain,
    records: &impl Records,
    number: BookNumber,
    book: &BookState,
    past: Option<Past>,
    covered: bool,
) -> Option<BookPart> {
    let record = book.record();
    let acts = book.acts();
    let grown = past.as_ref().is_some_and(|past| past.grown);
    if grown && past.as_ref().is_some_and(|past| (past.lines, past.acts) == (record.lines, acts)) {
        return None;
    }
    let lists = [record.pages, record.seals, record.acts, record.heads];
    let bytes = match grown {
        true => RecordPart::Grown { lines: record.lines, lists },
        false => RecordPart::Whole(Bytes(record.encode())),
    };
    let past = past.unwrap_or(Past { lines: 0, acts: 0, grown: false });
    let pages = if covered { pages(domain, records, number, book, &past) } else { Bytes::default() };
    Some(BookPart { number, record: bytes, pages })
}

/// The pages that were open or not there yet, and the lines of older ones that acts have touched.
fn pages(domain: &Domain, records: &impl Records, number: BookNumber, book: &BookState, past: &Past) -> Bytes {
    let first = past.lines / PAGE_LINES;
    let boundary = LineNumber(first * PAGE_LINES);
    // Where every page is given whole, acts say nothing more.
    let since = if first == 0 { 0..0 } else { past.acts..book.acts() };
    let acts = since.filter_map(|act| records.act(number, ActNumber(act)));
    let lines: BTreeSet<LineNumber> = acts.map(|act| act.line).filter(|line| *line < boundary).collect();
    let standing = |line: LineNumber| {
        let (standing, holds): (Standing, Vec<Hold>) = book.standing(line)?;
        Some((line, standing, holds))
    };
    let leaves: Vec<Digest> = book.open_lines().map(|line| line.digest(domain)).collect();
    let arcs: Vec<_> = (first..).map_while(|page| book.page(PageNumber(page))).collect();
    let touched = lines.into_iter().filter_map(standing).collect();
    let pages = arcs.iter().map(|page| page.as_ref()).collect();
    PagesPart { first: PageNumber(first), pages, peaks: tree::peaks(domain.suite, &leaves), touched }.pack()
}
