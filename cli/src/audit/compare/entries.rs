//! Which entries differ: from the shelves under a header down to the lines of a page.
//!
//! What a node serves is taken as it is, and whether it proves anything is said besides. So the entries
//! of a node that lies are compared with those of one that does not, and named.

use std::collections::BTreeMap;

use fengni_core::book::{Book, page_root};
use fengni_core::light::FinalHeader;
use fengni_core::proof::{BookList, Place, ProofError, ShelfHead};
use fengni_core::record::Record as _;
use fengni_core::shelf::Shelf;
use fengni_core::standing::Page;
use fengni_core::{ActNumber, BookNumber, Height, PageNumber, SealNumber};
use serde::Serialize;

use super::peer::Peer;
use super::{Compared, Shown, Trouble, is_lie};

/// Entries asked for at once.
const AT_ONCE: usize = 128;
/// Entries that are named; the rest is counted.
const NAMED: usize = 64;

/// An entry that differs, or that a node serves otherwise than its header says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Entry {
    /// Which, such as `members/3` or `book 3, page 1`.
    pub(super) entry: String,
    /// How, and at which nodes.
    pub(super) says: String,
}

/// What was found to differ so far.
#[derive(Default)]
pub(super) struct Differences {
    named: Vec<Entry>,
    unnamed: u64,
}

impl Differences {
    fn add(&mut self, entry: String, says: String) {
        if self.named.iter().any(|known| known.entry == entry && known.says == says) {
            return;
        }
        if self.named.len() == NAMED {
            self.unnamed += 1;
        } else {
            self.named.push(Entry { entry, says });
        }
    }
}

/// Compares the states that nodes serve at one height.
///
/// - `found`: the final header of each node; `all` asks for every entry even where shelves are equal.
pub(super) fn compare(
    peers: &[Peer],
    found: &[Option<FinalHeader>],
    reference: usize,
    all: bool,
    compared: &mut Compared,
) {
    let mut differences = Differences::default();
    let mut served: Vec<Option<Vec<ShelfHead>>> = Vec::new();
    for (place, (peer, header)) in peers.iter().zip(found).enumerate() {
        let shelves = header.as_ref().and_then(|header| shelves(peer, header, place, compared));
        served.push(shelves);
    }
    // The first node whose shelves are those of its header is the one that the others are held against.
    let sound = |place: &usize| served[*place].is_some() && compared.nodes[*place].result != "other-state";
    let against = Some(reference).filter(sound).or_else(|| (0..peers.len()).find(sound)).unwrap_or(reference);
    for place in 0..peers.len() {
        let (Some(right), Some(other)) = (&served[against], &served[place]) else { continue };
        if place != against && right != other {
            let pair = Pair { one: &peers[against], other: &peers[place], headers: (&found[against], &found[place]) };
            pair.shelves(right, other, &mut differences);
        }
    }
    for (place, (peer, header)) in peers.iter().zip(found).enumerate() {
        let (Some(header), Some(shelves), true) = (header, &served[place], all) else { continue };
        // Where the shelves are not those of the header, nothing behind them can be.
        if compared.nodes[place].result == "other-state" {
            continue;
        }
        let swept = sweep(peer, header, shelves, &mut differences);
        if let Some(trouble) = swept.kept_back {
            kept_back(compared, place, trouble);
        }
        if swept.bad {
            compared.nodes[place].result = "other-state";
        }
        compared.notes.extend(swept.notes);
    }
    compared.differences = differences.named;
    compared.unnamed = differences.unnamed;
}

/// A node that was asked for a part of its state and did not give it: it is not known to be equal.
fn kept_back(compared: &mut Compared, place: usize, reason: String) {
    let Shown { node, result, reason: said, .. } = &mut compared.nodes[place];
    if *result == "equal" {
        (*result, *said) = ("withheld", Some(reason));
    } else {
        compared.notes.push(format!("{node}: {reason}"));
    }
}

/// Whether a node has dropped the state that it was asked for, as nodes may.
fn is_dropped(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused(problem) if problem.is_about("height-not-kept"))
}

/// The shelves that a node serves under its header, whether or not they are those of the header.
fn shelves(peer: &Peer, header: &FinalHeader, place: usize, compared: &mut Compared) -> Option<Vec<ShelfHead>> {
    match peer.entries(header, &[Place::Record(Shelf::Parameters, 0)]) {
        Ok(served) => {
            if let Some(fault) = served.fault {
                let reason = format!(
                    "the state that {} serves at height {} is not that of its header: {fault}",
                    peer.name, header.header.height
                );
                compared.nodes[place].result = "other-state";
                compared.nodes[place].reason = Some(reason);
            }
            Some(served.proof.shelves).filter(|shelves| shelves.len() == Shelf::ALL.len())
        }
        Err(trouble) if is_lie(&trouble) => {
            compared.nodes[place].result = "other-state";
            compared.nodes[place].reason = Some(trouble.to_string());
            None
        }
        Err(trouble) => {
            let said = format!("its state at height {} was not compared: {trouble}", header.header.height);
            if is_dropped(&trouble) {
                compared.notes.push(format!("{}: {said}", peer.name));
            } else {
                kept_back(compared, place, said);
            }
            None
        }
    }
}

/// Two nodes whose entries are held against each other.
struct Pair<'a> {
    one: &'a Peer,
    other: &'a Peer,
    headers: (&'a Option<FinalHeader>, &'a Option<FinalHeader>),
}

impl Pair<'_> {
    fn both(&self) -> String {
        format!("{} and {}", self.one.name, self.other.name)
    }

    fn shelves(&self, one: &[ShelfHead], other: &[ShelfHead], differences: &mut Differences) {
        for shelf in Shelf::ALL {
            let (one, other) = (one[shelf as usize], other[shelf as usize]);
            if one == other {
                continue;
            }
            if one.size != other.size {
                let says = format!("{} records at {}, {} at {}", one.size, self.one.name, other.size, self.other.name);
                differences.add(format!("shelf {}", shelf.name()), says);
            }
            let known = differences.named.len() as u64 + differences.unnamed;
            let places = (0..one.size.min(other.size)).filter_map(|number| u32::try_from(number).ok());
            self.entries(places.map(|number| Place::Record(shelf, number)), differences);
            if differences.named.len() as u64 + differences.unnamed == known {
                differences.add(format!("shelf {}", shelf.name()), format!("its root differs at {}", self.both()));
            }
        }
    }

    /// Compares entries, and what is behind those that bind others.
    fn entries(&self, mut places: impl Iterator<Item = Place>, differences: &mut Differences) {
        loop {
            let some: Vec<Place> = places.by_ref().take(AT_ONCE).collect();
            let Some(first) = some.first() else { return };
            let (Some(one), Some(other)) = (self.served(self.one, &some), self.served(self.other, &some)) else {
                // Whoever claims more entries than it gives is not asked for ever.
                let says = format!("could not be had of {}", self.both());
                return differences.add(format!("{} and on", name(*first)), says);
            };
            for place in some.iter().filter(|place| one.get(place) != other.get(place)) {
                let (one, other) = (one.get(place), other.get(place));
                match (*place, one, other) {
                    (Place::Record(Shelf::Books, number), Some(one), Some(other)) => {
                        self.book(BookNumber(number), one, other, differences);
                    }
                    (Place::Page(book, page), Some(one), Some(other)) => {
                        self.page(book, page, one, other, differences);
                    }
                    _ => differences.add(name(*place), format!("differs at {}", self.both())),
                }
            }
        }
    }

    fn served(&self, peer: &Peer, places: &[Place]) -> Option<BTreeMap<Place, Vec<u8>>> {
        let header = if std::ptr::eq(peer, self.one) { self.headers.0 } else { self.headers.1 };
        let served = peer.entries(header.as_ref()?, places).ok()?;
        Some(served.proof.entries.into_iter().map(|entry| (entry.place, entry.bytes.0)).collect())
    }

    fn book(&self, number: BookNumber, one: &[u8], other: &[u8], differences: &mut Differences) {
        let record = Place::Record(Shelf::Books, number.0);
        let (Ok(one), Ok(other)) = (Book::decode(one), Book::decode(other)) else {
            return differences.add(name(record), format!("is no record at one of {}", self.both()));
        };
        let mut named = false;
        for list in BookList::ALL {
            let (head, others) = (head(&one, list), head(&other, list));
            if head == others {
                continue;
            }
            named = true;
            let known = differences.named.len() as u64 + differences.unnamed;
            if head.0 != others.0 {
                let says = format!("{} at {}, {} at {}", head.0, self.one.name, others.0, self.other.name);
                differences.add(format!("book {number}, number of {}", of_list(list)), says);
            }
            self.entries((0..head.0.min(others.0)).map(|entry| place_in(number, list, entry)), differences);
            if differences.named.len() as u64 + differences.unnamed == known {
                // The entries are the same: it is the record that binds others.
                differences.add(name(record), format!("binds other {} at {}", of_list(list), self.both()));
            }
        }
        let rest =
            |book: &Book| Book { pages: one.pages, seals: one.seals, acts: one.acts, heads: one.heads, ..book.clone() };
        if !named || rest(&one) != rest(&other) {
            differences.add(name(record), format!("differs at {}", self.both()));
        }
    }

    fn page(&self, book: BookNumber, page: PageNumber, one: &[u8], other: &[u8], differences: &mut Differences) {
        let entry = name(Place::Page(book, page));
        let (Ok(one), Ok(other)) = (Page::decode(one), Page::decode(other)) else {
            return differences.add(entry, format!("is no page record at one of {}", self.both()));
        };
        if one.exceptions != other.exceptions {
            differences.add(entry.clone(), format!("exceptions differ at {}", self.both()));
        }
        if (one.lines, one.root) == (other.lines, other.root) {
            return;
        }
        let lines = (self.one.lines(book, page), self.other.lines(book, page));
        let first = match &lines {
            (Ok(one), Ok(other)) => one.iter().zip(other).position(|(one, other)| one != other),
            _ => None,
        };
        let says = first.map_or_else(String::new, |place| format!(", first at place {place}"));
        differences.add(entry, format!("lines differ at {}{says}", self.both()));
    }
}

/// What came of asking a node for every entry.
#[derive(Default)]
struct Swept {
    /// Whether any of them is not of its state.
    bad: bool,
    /// What it did not give, first of all.
    kept_back: Option<String>,
    /// What it has dropped meanwhile.
    notes: Vec<String>,
}

/// Asks a node for every entry under its header.
fn sweep(peer: &Peer, header: &FinalHeader, shelves: &[ShelfHead], differences: &mut Differences) -> Swept {
    let mut sweep = Sweep { peer, header, differences, swept: Swept::default() };
    let mut books = Vec::new();
    for (shelf, head) in Shelf::ALL.into_iter().zip(shelves) {
        let places = (0..head.size).filter_map(|number| u32::try_from(number).ok());
        let records = sweep.entries(places.map(|number| Place::Record(shelf, number)).collect());
        if shelf == Shelf::Books {
            books = records;
        }
    }
    for (place, bytes) in books {
        let (Place::Record(_, number), Ok(book)) = (place, Book::decode(&bytes)) else { continue };
        let number = BookNumber(number);
        for list in BookList::ALL {
            let places = (0..head(&book, list).0).map(|entry| place_in(number, list, entry));
            let entries = sweep.entries(places.collect());
            for (place, record) in entries {
                if let Place::Page(book, page) = place {
                    sweep.lines(book, page, &record);
                }
            }
        }
    }
    sweep.swept
}

struct Sweep<'a> {
    peer: &'a Peer,
    header: &'a FinalHeader,
    differences: &'a mut Differences,
    swept: Swept,
}

impl Sweep<'_> {
    fn height(&self) -> Height {
        self.header.header.height
    }

    fn bad(&mut self, entry: String) {
        self.swept.bad = true;
        let says =
            format!("what {} serves at height {} is not of the state of its header", self.peer.name, self.height());
        self.differences.add(entry, says);
    }

    /// It gave none of these entries, or nothing that could be read.
    fn none(&mut self, entry: String, trouble: &Trouble) {
        let said = format!("{entry} could not be had: {trouble}");
        if is_lie(trouble) {
            self.bad(entry);
        } else if is_dropped(trouble) {
            self.swept.notes.push(format!("{}: {said}", self.peer.name));
        } else {
            self.swept.kept_back.get_or_insert(said);
        }
    }

    /// The bytes of entries that are of the state of the header.
    fn entries(&mut self, places: Vec<Place>) -> Vec<(Place, Vec<u8>)> {
        let mut all = Vec::new();
        for some in places.chunks(AT_ONCE) {
            match self.peer.entries(self.header, some) {
                Ok(served) => {
                    let entries = served.proof.entries.into_iter().filter(|entry| some.contains(&entry.place));
                    match served.fault {
                        None => all.extend(entries.map(|entry| (entry.place, entry.bytes.0))),
                        Some(ProofError::Path(place) | ProofError::Missing(place) | ProofError::Order(place)) => {
                            self.bad(name(place));
                        }
                        Some(fault) => self.bad(format!("shelves ({fault})")),
                    }
                }
                Err(trouble) => {
                    let first = some.first().map(|place| name(*place)).unwrap_or_default();
                    self.none(format!("{first} and on"), &trouble);
                }
            }
        }
        all
    }

    fn lines(&mut self, book: BookNumber, page: PageNumber, record: &[u8]) {
        let Ok(record) = Page::decode(record) else { return };
        match self.peer.lines(book, page) {
            Ok(mut lines) => {
                // The page may have grown since: its lines never change.
                lines.truncate(usize::from(record.lines));
                if page_root(&self.header.header.domain(), &lines) != record.root {
                    self.bad(format!("book {book}, lines of page {page}"));
                }
            }
            Err(trouble) => self.none(format!("book {book}, lines of page {page}"), &trouble),
        }
    }
}

/// An entry in words.
fn name(place: Place) -> String {
    match place {
        Place::Record(shelf, number) => format!("{}/{number}", shelf.name()),
        Place::Page(book, page) => format!("book {book}, page {page}"),
        Place::Heads(book, page) => format!("book {book}, act heads of page {page}"),
        Place::Seal(book, seal) => format!("book {book}, seal {seal}"),
        Place::Act(book, act) => format!("book {book}, act {act}"),
        Place::Line(book, line) => format!("book {book}, line {line}"),
    }
}

fn of_list(list: BookList) -> &'static str {
    match list {
        BookList::Pages => "pages",
        BookList::Seals => "seals",
        BookList::Acts => "acts",
        BookList::Heads => "act heads",
    }
}

fn head(book: &Book, list: BookList) -> (u64, fengni_core::Digest) {
    let head = match list {
        BookList::Pages => book.pages,
        BookList::Seals => book.seals,
        BookList::Acts => book.acts,
        BookList::Heads => book.heads,
    };
    (head.size, head.digest)
}

fn place_in(book: BookNumber, list: BookList, number: u64) -> Place {
    match list {
        BookList::Pages => Place::Page(book, PageNumber(number)),
        BookList::Seals => Place::Seal(book, SealNumber(number)),
        BookList::Acts => Place::Act(book, ActNumber(number)),
        BookList::Heads => Place::Heads(book, PageNumber(number)),
    }
}
