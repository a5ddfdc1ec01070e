//! Whatever is altered in a store is found and named, and nothing else is blamed.

mod files;
mod running;

use std::path::{Path, PathBuf};

use fengni_core::bytes::Bytes;
use fengni_core::limits::PAGE_LINES;
use fengni_core::shelf::Shelf;
use fengni_core::{BookNumber, Height};
use fengni_genesis::Genesis;
use fengni_state::Founding;
use tempfile::TempDir;

use super::{Depth, Report, check, repair};
use crate::engine::Chain as _;
use crate::ledger::tests::{a_book, decide, founding, open};
use crate::ledger::{Ledger, OpenError};
use crate::pool::PoolLimits;
use crate::store::{Column, Mend, Store, key_in_book, key_of_height, key_of_record};

/// A store with a book and eight blocks, whose validators change at heights 2, 4 and 6.
struct Kept {
    genesis: Genesis,
    founding: Founding,
    home: TempDir,
}

impl Kept {
    fn new() -> Self {
        let (genesis, mut founding, _) = founding();
        founding.parameters.window = 3;
        let home = tempfile::tempdir().expect("a folder for the test");
        let kept = Self { genesis, founding, home };
        let ledger = open(&kept.folder(), &kept.genesis, &kept.founding);
        a_book(&ledger);
        (0..3).for_each(|_| decide(&ledger));
        // A block that is not decided yet.
        ledger.propose(Height(9), 0).expect("a proposal");
        kept
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("store")
    }

    fn store(&self) -> Store {
        Store::open(&self.folder(), &self.genesis.domain()).expect("a store")
    }

    fn check(&self, store: &Store, depth: Depth) -> Report {
        check(store, self.genesis.domain(), &self.founding, depth, &mut |_| ())
    }

    /// Opens the ledger as a start does.
    fn start(&self, folder: &Path) -> Result<Ledger, OpenError> {
        let store = Store::open(folder, &self.genesis.domain())?;
        Ledger::open(store, self.genesis.domain(), self.founding.clone(), None, PoolLimits::default())
    }
}

/// What becomes of an entry.
enum Edit {
    /// A bit of a byte, counted from the end, is another.
    Flip(usize),
    Remove,
    /// It has this value.
    Put(Vec<u8>),
}

use Edit::{Flip, Put, Remove};

fn named(report: &Report) -> Vec<String> {
    report.damage.iter().map(|damage| format!("{}, {}", damage.column, damage.entry)).collect()
}

fn alter(store: &Store, column: Column, key: &[u8], edit: &Edit) -> Mend {
    let right = store.look_up(column, key).expect("a disk");
    let value = match edit {
        Remove => None,
        Put(value) => Some(value.clone()),
        Flip(place) => {
            let mut value = right.clone().expect("an entry is there to be altered");
            let place = value.len() - 1 - place;
            value[place] ^= 1;
            Some(value)
        }
    };
    store.mend(&[Mend { column, key: key.to_vec(), value }]).expect("a disk");
    Mend { column, key: key.to_vec(), value: right }
}

fn height(height: u64) -> Vec<u8> {
    key_of_height(Height(height))
}

fn book(number: u64) -> Vec<u8> {
    key_in_book(BookNumber(0), number)
}

fn record(shelf: Shelf, number: u32) -> Vec<u8> {
    key_of_record(shelf as u8, number)
}

/// The first key of a column, its bytes altered as asked.
fn first(store: &Store, column: Column) -> (Vec<u8>, Vec<u8>) {
    let entry = store.look_through(column, &[]).next().expect("an entry").expect("a disk");
    (entry.0.into_vec(), entry.1.into_vec())
}

#[test]
fn aud04_each_altered_entry_is_named_and_nothing_else_is_blamed() {
    let kept = Kept::new();
    let store = kept.store();
    assert_eq!(kept.check(&store, Depth::Whole).damage, []);
    let candidate = first(&store, Column::Candidates).0;
    let block = |number| store.look_up(Column::Blocks, &height(number)).expect("a disk").expect("a block");
    let certificate =
        |number| store.look_up(Column::Certificates, &height(number)).expect("a disk").expect("it is there");
    let (lines, tag) = (store.page_bytes(BookNumber(0), fengni_core::PageNumber(0)), 4);
    let tag_of = |line: usize| [&[0; 4], &lines[line * 48..][..16]].concat();
    let place = |line: u64| book(line);
    let transaction = {
        let outcomes = store.outcomes(Height(2)).expect("a block with a transaction");
        outcomes[0].transaction.0.0.to_vec()
    };
    let members = u32::try_from(kept.founding.members.len()).expect("few");
    let member =
        |number| store.look_up(Column::Records, &record(Shelf::Members, number)).expect("a disk").expect("a member");
    // Column, key, alteration, what is named.
    let cases: Vec<(Column, Vec<u8>, Edit, &str)> = vec![
        (Column::Blocks, height(3), Flip(0), "blocks, height 3"),
        (Column::Blocks, height(3), Flip(900), "blocks, height 3"),
        (Column::Blocks, height(3), Remove, "blocks, height 3"),
        (Column::Blocks, height(3), Put(block(4)), "blocks, height 3"),
        (Column::Blocks, height(1), Remove, "blocks, height 1"),
        (Column::Blocks, height(8), Remove, "blocks, height 8"),
        (Column::Blocks, height(8), Put(block(7)), "blocks, height 8"),
        (Column::Blocks, height(30), Put(block(8)), "blocks, an entry"),
        (Column::Certificates, height(3), Flip(0), "certificates, height 3"),
        (Column::Certificates, height(3), Flip(300), "certificates, height 3"),
        (Column::Certificates, height(8), Remove, "certificates, height 8"),
        (Column::Certificates, height(5), Put(certificate(4)), "certificates, height 5"),
        (Column::Certificates, height(1), Put(vec![1, 2, 3]), "certificates, height 1"),
        (Column::Handovers, height(2), Flip(0), "handovers, height 2"),
        (Column::Handovers, height(4), Remove, "handovers, height 4"),
        (Column::Handovers, height(5), Put(vec![0; 40]), "handovers, height 5"),
        (Column::Handovers, height(99), Put(vec![0; 40]), "handovers, height 99"),
        (Column::Recoveries, height(4), Put(vec![0; 40]), "recoveries, height 4"),
        (Column::Headers, height(4), Put(vec![0; 40]), "headers, height 4"),
        (Column::Outcomes, height(2), Flip(0), "outcomes, height 2"),
        (Column::Outcomes, height(2), Remove, "outcomes, height 2"),
        (Column::Transactions, transaction.clone(), Flip(0), "transactions, height 2, transaction 0"),
        (Column::Transactions, transaction.clone(), Flip(4), "transactions, height 2, transaction 0"),
        (Column::Transactions, transaction, Remove, "transactions, height 2, transaction 0"),
        (Column::Transactions, vec![7; 32], Put(vec![0; 12]), "transactions, a stray entry to height 0, transaction 0"),
        (Column::Records, record(Shelf::Members, 1), Flip(0), "records, members/1"),
        (Column::Records, record(Shelf::Members, 1), Flip(40), "records, members/1"),
        (Column::Records, record(Shelf::Members, 1), Put(member(2)), "records, members/1"),
        (Column::Records, record(Shelf::Members, 1), Remove, "records, members/1"),
        (Column::Records, record(Shelf::Members, members - 1), Remove, "records, members/7"),
        (Column::Records, record(Shelf::Members, members), Put(member(2)), "records, members/8"),
        (Column::Records, record(Shelf::Books, 0), Flip(1), "records, books/0"),
        (Column::Records, record(Shelf::Parameters, 0), Flip(0), "records, parameters/0"),
        (Column::Pages, book(0), Flip(0), "pages, book 0, page 0"),
        (Column::Pages, book(0), Flip(20), "pages, book 0, page 0"),
        (Column::Pages, book(1), Flip(5), "pages, book 0, page 1"),
        (Column::Pages, book(0), Remove, "pages, book 0, page 0"),
        (Column::Pages, book(1), Remove, "pages, book 0, page 1"),
        (Column::Pages, book(2), Put(vec![0; 40]), "pages, book 0, page 2"),
        (Column::Pages, key_in_book(BookNumber(1), 0), Put(vec![0; 40]), "pages, book 1, an entry"),
        (Column::Heads, book(0), Flip(0), "heads, book 0, page 0"),
        (Column::Heads, book(1), Remove, "heads, book 0, page 1"),
        (Column::Seals, book(1), Flip(0), "seals, book 0, seal 1"),
        (Column::Seals, book(0), Remove, "seals, book 0, seal 0"),
        (Column::Acts, book(0), Flip(3), "acts, book 0, act 0"),
        (Column::Acts, book(1), Remove, "acts, book 0, act 1"),
        (Column::Lines, book(0), Flip(0), "lines, book 0, line 1023"),
        (Column::Lines, book(0), Flip(40), "lines, book 0, line 1023"),
        (Column::Lines, book(1), Flip(0), "lines, book 0, line 1039"),
        (Column::Lines, book(0), Put(lines[..48].to_vec()), "lines, book 0, line 1"),
        (Column::Lines, book(2), Put(lines[..48].to_vec()), "lines, book 0, page 2"),
        (Column::Tags, tag_of(tag), Flip(0), "tags, book 0, line 4"),
        (Column::Tags, tag_of(tag), Put(place(9)), "tags, book 0, line 4"),
        (Column::Tags, tag_of(tag), Remove, "tags, book 0, line 4"),
        // The line with a new holder key is the current one, and no longer the one before it.
        (Column::Tags, tag_of(5), Put(place(5)), "tags, book 0, line 1039"),
        (Column::Tags, vec![9; 20], Put(place(7)), "tags, a stray entry to book 0, line 7"),
        (Column::Candidates, candidate, Flip(0), "candidates, height 9"),
        (Column::Meta, b"last".to_vec(), Put(height(7)), "meta, last"),
        (Column::Meta, b"last".to_vec(), Put(height(9)), "meta, last"),
        (Column::Meta, b"last".to_vec(), Put(vec![1]), "meta, last"),
        (Column::Meta, b"last".to_vec(), Remove, "meta, last"),
        (Column::Meta, b"kept".to_vec(), Put(height(3)), "meta, kept"),
        (Column::Meta, b"evidence/1".to_vec(), Put(vec![0; 9]), "meta, evidence"),
        (Column::Meta, b"what".to_vec(), Put(vec![0; 9]), "meta, what"),
    ];
    let mut wrong = Vec::new();
    for (place, (column, key, edit, expected)) in cases.into_iter().enumerate() {
        let right = alter(&store, column, &key, &edit);
        let found = named(&kept.check(&store, Depth::Whole));
        // A page that is cut short lacks more lines than one, and the first is named first.
        let of_page = |name: &str| name.starts_with("lines, book 0, line ");
        let first = found.first().is_some_and(|first| first == expected);
        if !first || found.len() > 1 && !found.iter().all(|name| of_page(name)) {
            wrong.push((place, expected, found));
        }
        store.mend(&[right]).expect("a disk");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(kept.check(&store, Depth::Whole).damage, []);
    assert_eq!(PAGE_LINES, 1024, "the cases above name places of lines");
}

#[test]
fn aud04_a_start_names_the_entry_and_the_next_step_and_writes_nothing() {
    let kept = Kept::new();
    // Column, key, alteration, what is named.
    let cases: [(Column, Vec<u8>, Edit, &str); 12] = [
        (Column::Blocks, height(8), Flip(0), "blocks, height 8"),
        (Column::Certificates, height(8), Remove, "certificates, height 8"),
        (Column::Outcomes, height(5), Flip(0), "outcomes, height 5"),
        (Column::Records, record(Shelf::Members, 1), Flip(40), "records, members/1"),
        (Column::Records, record(Shelf::Parameters, 0), Remove, "records, parameters/0"),
        (Column::Pages, book(0), Flip(20), "pages, book 0, page 0"),
        (Column::Heads, book(0), Put(vec![9]), "heads, book 0, page 0"),
        (Column::Seals, book(1), Flip(0), "seals, book 0, seal 1"),
        (Column::Acts, book(0), Flip(3), "acts, book 0, act 0"),
        (Column::Lines, book(1), Flip(0), "lines, book 0, line 1039"),
        (Column::Meta, b"last".to_vec(), Remove, "meta, last"),
        (Column::Meta, b"last".to_vec(), Put(vec![1]), "meta, last"),
    ];
    for (column, key, edit, expected) in cases {
        let right = alter(&kept.store(), column, &key, &edit);
        let dump = || {
            let mut all = Vec::new();
            kept.store().dump(&mut all).expect("memory takes writes");
            all
        };
        let before = dump();
        let error = kept.start(&kept.folder()).map(drop).expect_err(expected).to_string();
        assert!(error.contains(expected) && error.contains("next: move data/store away"), "{expected}: {error}");
        assert!(before == dump(), "{expected}: a store that is refused stays as it is");
        kept.store().mend(&[right]).expect("a disk");
    }
    let ledger = kept.start(&kept.folder()).expect("as it was");
    assert_eq!(ledger.state().height(), Height(8));
}

#[test]
fn aud04_what_stays_of_dropped_blocks_is_looked_at_as_well() {
    let kept = Kept::new();
    let store = kept.store();
    assert_eq!(store.drop_below(Height(5)), Height(5));
    assert_eq!(kept.check(&store, Depth::Whole).damage, []);
    let header = |number| store.look_up(Column::Headers, &height(number)).expect("a disk").expect("a header");
    let cases: Vec<(Column, Vec<u8>, Edit, &str)> = vec![
        (Column::Headers, height(2), Flip(0), "headers, height 2"),
        (Column::Headers, height(3), Put(header(2)), "headers, height 3"),
        (Column::Headers, height(1), Remove, "headers, height 1"),
        (Column::Certificates, height(3), Flip(0), "certificates, height 3"),
        (Column::Handovers, height(2), Flip(0), "handovers, height 2"),
        (Column::Handovers, height(2), Remove, "handovers, height 2"),
        (Column::Meta, b"kept".to_vec(), Put(height(4)), "meta, kept"),
        (Column::Meta, b"kept".to_vec(), Remove, "meta, kept"),
        (Column::Blocks, height(5), Remove, "blocks, height 5"),
        (Column::Outcomes, height(5), Remove, "outcomes, height 5"),
        (Column::Blocks, height(6), Flip(0), "blocks, height 6"),
        // Without the blocks, a digest over many entries names them together.
        (Column::Acts, book(0), Flip(45), "acts, book 0, one or more"),
        (Column::Records, record(Shelf::Members, 1), Put(Bytes::default().0), "records, members/1"),
        (Column::Lines, book(0), Flip(0), "lines, book 0, page 0"),
        (Column::Pages, book(0), Flip(50), "pages, book 0, page 0"),
    ];
    let mut wrong = Vec::new();
    for (column, key, edit, expected) in cases {
        let right = alter(&store, column, &key, &edit);
        let found = named(&kept.check(&store, Depth::Whole));
        if found != [expected] {
            wrong.push((expected, found));
        }
        store.mend(&[right]).expect("a disk");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(kept.check(&store, Depth::Whole).damage, []);
}

#[test]
fn aud04_indexes_are_made_again_only_where_all_else_is_sound() {
    let kept = Kept::new();
    let store = kept.store();
    let again = |store: &Store| repair(store, kept.genesis.domain(), &kept.founding, &mut |_| ()).expect("a disk");
    // Both indexes are gone, and strays stand in their place.
    for column in [Column::Tags, Column::Transactions] {
        let keys: Vec<Vec<u8>> =
            store.look_through(column, &[]).map(|entry| entry.expect("a disk").0.into_vec()).collect();
        keys.iter().take(20).for_each(|key| drop(alter(&store, column, key, &Remove)));
        alter(&store, column, &vec![3; keys[0].len()], &Put(vec![0; 12]));
    }
    let right = alter(&store, Column::Acts, &book(0), &Flip(3));
    let refused = again(&store);
    assert!(!refused.mendable && refused.damage.len() > 20, "{refused:?}");
    assert_eq!(named(&again(&store)), named(&refused), "nothing was put right by half");
    store.mend(&[right]).expect("a disk");
    assert!(again(&store).mendable);
    assert_eq!(kept.check(&store, Depth::Whole).damage, []);
    assert!(!again(&store).mendable, "there is nothing left to do");
}
