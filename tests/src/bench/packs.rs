//! Trust packs at the scale of a province: 30 million certificates of one type in 200 books.
//!
//! Lines of all pages but one are made up: a pack carries roots, exceptions and records, which are
//! as many and as random as they would be.

use std::path::Path;
use std::time::Instant;

use fengni_core::book::{Book, ListHead, Subject};
use fengni_core::bytes::Bytes;
use fengni_core::code::Code;
use fengni_core::light::Checkpoint;
use fengni_core::limits::PAGE_LINES;
use fengni_core::list::{ListKind, NumberedList, list_digest};
use fengni_core::pack::{BookPart, Pack, PagesPart, RecordPart, SHELVES, ShelfPart, Subscription};
use fengni_core::record::Record as _;
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::standing::{Hold, Page, Standing, State};
use fengni_core::trust::{Question, TrustStore};
use fengni_core::{
    BookNumber, Digest, Domain, Header, Height, KeyAlgorithm, LineNumber, MemberNumber, Millis, PageNumber, Suite, tree,
};

use super::offline::Licences;
use super::register::{BLOCKS_SECS, certify};
use super::table::{Row, millis, rate};

/// How large the register is, and what a day changes.
#[derive(Clone, Copy, Debug)]
pub struct Province {
    /// Books of one type.
    pub books: u64,
    /// Certificates in them.
    pub certificates: u64,
    /// Of how many one is not active.
    pub not_active_one_in: u64,
    /// Certificates issued in a day.
    pub new_a_day: u64,
    /// Standings that change in a day: 2 % of all in a year.
    pub changes_a_day: u64,
}

impl Province {
    /// The figures to quote.
    pub fn full() -> Self {
        Self { books: 200, certificates: 30_000_000, not_active_one_in: 100, new_a_day: 20_000, changes_a_day: 1_644 }
    }

    /// A tenth of it.
    pub fn quick() -> Self {
        Self { books: 20, certificates: 3_000_000, not_active_one_in: 100, new_a_day: 2_000, changes_a_day: 164 }
    }
}

/// Codes judged for one figure.
const CODES: usize = 20_000;

/// Measures packs: their size, how fast they open, and verification by them.
///
/// # Panics
/// When a pack does not open or a code is not valid: then no figure means anything.
pub fn measure_packs(province: Province) -> Vec<Row> {
    let mut rows = Vec::new();
    for (algorithm, name, aim) in
        [(KeyAlgorithm::Ed25519, "ed25519", "18,000/s"), (KeyAlgorithm::P256, "P-256", "4,500/s")]
    {
        let licences = Licences::new(algorithm);
        let mut register = Register::new(&licences, province);
        let full = register.full().encode();
        let codes = licences.codes();
        let mut store = TrustStore::new(checkpoint(&licences), Subscription::default());
        let now = now(&licences);
        let begun = Instant::now();
        store.update(&full, now).expect("our own pack");
        let question = question(&licences);
        let judge = |store: &TrustStore, text: &str| {
            let verdict = store.judge(&Code::parse(text).expect("our own code"), &question, now);
            assert!(verdict.is_valid(), "{verdict:?}");
        };
        judge(&store, &codes[0]);
        let usable = begun.elapsed();
        let begun = Instant::now();
        (0..CODES).for_each(|number| judge(&store, &codes[number % codes.len()]));
        let speed = rate(CODES, begun.elapsed());
        if algorithm == KeyAlgorithm::Ed25519 {
            rows.extend(sizes(&mut register, &mut store, &full, usable, now));
        }
        rows.push(Row::new(
            format!("verify offline, {name} holder key, one core"),
            format!("{speed:.0}/s"),
            aim,
            "code text decoded, path, standing, authority, recognition, holder signature, by the pack",
        ));
    }
    rows
}

/// Writes a province for measuring elsewhere, such as in a browser: `pack`, and `scene.json` with the
/// checkpoint to begin at, who asks for what and when, and codes that are valid by the pack.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write_pack(province: Province, folder: &Path) -> std::io::Result<()> {
    let licences = Licences::new(KeyAlgorithm::Ed25519);
    let asked = question(&licences);
    let scene = serde_json::json!({
        "certificates": province.certificates,
        "checkpoint": checkpoint(&licences),
        "verifier": asked.verifier.0,
        "purpose": asked.purpose.0,
        "now": now(&licences).0,
        "codes": licences.codes(),
    });
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("pack"), Register::new(&licences, province).full().encode())?;
    std::fs::write(folder.join("scene.json"), scene.to_string())
}

/// As if somebody had pinned the state of the day.
fn checkpoint(licences: &Licences) -> Checkpoint {
    Checkpoint { time: Millis::from_secs(BLOCKS_SECS), ..licences.register.genesis.checkpoint() }
}

fn now(licences: &Licences) -> Millis {
    Millis(licences.context().now.0 + 5_000)
}

fn sizes(
    register: &mut Register,
    store: &mut TrustStore,
    full: &[u8],
    usable: std::time::Duration,
    now: Millis,
) -> Vec<Row> {
    let province = register.province;
    let count = province.certificates;
    let delta = register.day().encode();
    store.update(&delta, now).expect("our own delta");
    assert_eq!(store.pack().expect("just updated").to_full(), register.full(), "the delta leads to the same");
    let kilobytes = |bytes: usize| format!("{} kB", bytes / 1000);
    vec![
        Row::new(
            format!("trust pack, {count} certificates"),
            kilobytes(full.len()),
            "2,500 kB",
            format!(
                "{} books of one type, one certificate in {} not active",
                province.books, province.not_active_one_in
            ),
        ),
        Row::new(
            "trust pack, from bytes to the first verdict",
            millis(usable),
            "500 ms",
            "one core: every digest up to the state root, the quorum, one code",
        ),
        Row::new(
            "trust pack, the next day's delta",
            kilobytes(delta.len()),
            "100 kB",
            format!("{} new certificates, {} changed standings", province.new_a_day, province.changes_a_day),
        ),
    ]
}

fn question(licences: &Licences) -> Question {
    let context = licences.context();
    Question {
        verifier: context.verifier,
        purpose: context.purpose,
        min_grade: None,
        min_assurance: None,
        challenge: None,
    }
}

/// Bytes that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn digest(&mut self) -> Digest {
        self.0 += 1;
        Suite::Standard.hash(&[b"dice", &self.0.to_be_bytes()])
    }

    fn below(&mut self, limit: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest().0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) % limit
    }
}

/// A register of made-up books, and one that holds real licences.
struct Register {
    province: Province,
    domain: Domain,
    shelves: Vec<Vec<Bytes>>,
    books: Vec<(Book, Pages)>,
    header: Header,
    founding: fengni_state::State,
    dice: Dice,
}

#[derive(Default)]
struct Pages {
    full: Vec<Page>,
    /// Leaves and exceptions of the open page.
    open: Vec<Digest>,
}

impl Register {
    fn new(licences: &Licences, province: Province) -> Self {
        let state = &licences.register.state;
        let domain = *state.domain();
        let records = |shelf: &Shelf| (0..).map_while(|number| state.record_bytes(*shelf, number)).map(Bytes).collect();
        let real = state.book(BookNumber(0)).expect("the licences' book");
        let (header, _) = licences.register.last();
        let mut register = Self {
            province,
            domain,
            shelves: SHELVES.iter().map(records).collect(),
            books: Vec::new(),
            header,
            founding: state.clone(),
            dice: Dice(0),
        };
        for number in 0..province.books {
            let lines = province.certificates / province.books;
            let mut pages = Pages::default();
            while (pages.full.len() as u64) < lines / PAGE_LINES {
                let root = register.dice.digest();
                pages.full.push(register.page(root));
            }
            if number == 0 {
                pages.full[0] = real.page(PageNumber(0)).expect("a full page").as_ref().clone();
            }
            pages.open = (0..lines % PAGE_LINES).map(|_| register.dice.digest()).collect();
            let head = || ListHead { size: 0, digest: Digest::default() };
            let book = Book {
                version: 1,
                subject: Subject::Certificates { certificate_type: licences.register.kind },
                opened: Height(1),
                lines,
                pages: head(),
                seals: head(),
                acts: head(),
                heads: head(),
                ..real.record().clone()
            };
            register.books.push((book, pages));
        }
        register.settle();
        register
    }

    /// A full page with its share of lines that are not active.
    fn page(&mut self, root: Digest) -> Page {
        let mut page = Page { lines: u16::try_from(PAGE_LINES).expect("1,024"), root, exceptions: Vec::new() };
        for place in 0..page.lines {
            if self.dice.below(self.province.not_active_one_in) == 0 {
                let (standing, holds) = self.exception();
                page.set(place, standing, holds);
            }
        }
        page
    }

    fn exception(&mut self) -> (Standing, Vec<Hold>) {
        let active = Standing::ACTIVE;
        match self.dice.below(10) {
            0..6 => (active.with(State::Superseded), Vec::new()),
            6..8 => (active.with(State::Cancelled), Vec::new()),
            8 => (active.with(State::Revoked), Vec::new()),
            _ => (active, vec![Hold { by: MemberNumber(1), until: None }]),
        }
    }

    /// Brings digests and the header in line.
    fn settle(&mut self) {
        let domain = self.domain;
        let root = |records: Vec<Vec<u8>>, kind| {
            let leaves: Vec<Digest> = records.iter().map(|record| domain.suite.leaf(record)).collect();
            ListHead {
                size: leaves.len() as u64,
                digest: list_digest(&domain, kind, leaves.len() as u64, &tree::root(domain.suite, &leaves)),
            }
        };
        for (book, pages) in &mut self.books {
            book.lines = pages.full.len() as u64 * PAGE_LINES + pages.open.len() as u64;
            book.pages = root(pages.all(&domain).iter().map(Page::encode).collect(), ListKind::Pages);
            for list in [&mut book.seals, &mut book.acts, &mut book.heads] {
                *list = ListHead { size: list.size + 9, digest: self.dice.digest() };
            }
        }
        let records = |shelf: Shelf| match SHELVES.iter().position(|known| *known == shelf) {
            Some(place) => self.shelves[place].iter().map(|record| record.0.clone()).collect(),
            None if shelf == Shelf::Books => self.books.iter().map(|(book, _)| book.encode()).collect(),
            None => Vec::new(),
        };
        let digests: Vec<Digest> = Shelf::ALL.map(|shelf| root(records(shelf), ListKind::Shelf).digest).to_vec();
        self.header.parent = self.header.id(&domain);
        self.header.height = self.header.height.next();
        self.header.time.0 += 1;
        self.header.state_root = state_root(&domain, &digests);
    }

    fn pack(&self, since: Option<Height>, shelves: Vec<ShelfPart>, changed: Vec<BookPart>) -> Pack {
        let certificate = certify(&self.founding, &self.header);
        let books = u32::try_from(self.books.len()).expect("hundreds");
        // Nothing was ever decided together in this province.
        let empty = NumberedList::new(self.domain.suite, ListKind::Shelf).digest(&self.domain);
        let others = vec![empty; Shelf::ALL.len() - SHELVES.len() - 1];
        Pack::new(self.header.clone(), certificate, Subscription::default(), since, shelves, others, books, changed)
    }

    fn full(&self) -> Pack {
        let shelves = self.shelves.iter().map(|records| ShelfPart::Whole(records.clone())).collect();
        let changed = (0..).map(BookNumber).zip(&self.books).map(|(number, (book, pages))| {
            let record = RecordPart::Whole(Bytes(book.encode()));
            BookPart { number, record, pages: pages.pack(&self.domain, 0, Vec::new()) }
        });
        self.pack(None, shelves, changed.collect())
    }

    /// A day passes: what it changes, as a delta.
    fn day(&mut self) -> Pack {
        let since = self.header.height;
        let before: Vec<usize> = self.books.iter().map(|(_, pages)| pages.full.len()).collect();
        let mut touched = vec![std::collections::BTreeMap::new(); self.books.len()];
        for _ in 0..self.province.changes_a_day {
            let book = usize::try_from(self.dice.below(self.province.books)).expect("hundreds");
            let line = LineNumber(self.dice.below(before[book] as u64 * PAGE_LINES));
            // The first page of the first book is the one whose codes are shown.
            if (book, line.page().0) != (0, 0) {
                let (standing, holds) = self.exception();
                let page = usize::try_from(line.page().0).expect("thousands");
                self.books[book].1.full[page].set(line.place(), standing, holds.clone());
                touched[book].insert(line, (standing, holds));
            }
        }
        for number in 0..self.books.len() {
            for _ in 0..self.province.new_a_day / self.province.books {
                let leaf = self.dice.digest();
                self.books[number].1.open.push(leaf);
                if self.books[number].1.open.len() as u64 == PAGE_LINES {
                    let leaves = std::mem::take(&mut self.books[number].1.open);
                    let root = tree::root(self.domain.suite, &leaves);
                    let lines = u16::try_from(PAGE_LINES).expect("1,024");
                    self.books[number].1.full.push(Page { lines, root, exceptions: Vec::new() });
                }
            }
        }
        self.settle();
        let parts = self.books.iter().zip(touched).zip(before).zip((0..).map(BookNumber));
        let changed = parts.map(|((((book, pages), touched), first), number)| {
            let touched = touched.into_iter().map(|(line, (standing, holds))| (line, standing, holds)).collect();
            let lists = [book.pages, book.seals, book.acts, book.heads];
            let record = RecordPart::Grown { lines: book.lines, lists };
            BookPart { number, record, pages: pages.pack(&self.domain, first, touched) }
        });
        self.pack(Some(since), vec![ShelfPart::Same; SHELVES.len()], changed.collect())
    }
}

impl Pages {
    /// Every page record.
    fn all(&self, domain: &Domain) -> Vec<Page> {
        let mut pages = self.full.clone();
        pages.extend(self.open_page(domain));
        pages
    }

    fn open_page(&self, domain: &Domain) -> Option<Page> {
        let lines = u16::try_from(self.open.len()).expect("fewer than 1,024");
        (lines > 0).then(|| Page { lines, root: tree::root(domain.suite, &self.open), exceptions: Vec::new() })
    }

    fn pack(&self, domain: &Domain, first: usize, touched: Vec<(LineNumber, Standing, Vec<Hold>)>) -> Bytes {
        let open = self.open_page(domain);
        let pages = self.full[first..].iter().chain(&open).collect();
        PagesPart { first: PageNumber(first as u64), pages, peaks: tree::peaks(domain.suite, &self.open), touched }
            .pack()
    }
}
