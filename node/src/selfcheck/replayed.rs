//! Naming by running the blocks again: where a digest says only that one of many entries is wrong, the
//! register as the blocks make it says which.

use fengni_core::proof::BookList;
use fengni_core::shelf::Shelf;
use fengni_core::{ActNumber, Block, BookNumber, Height, PageNumber, SealNumber};
use fengni_state::{MemoryRecords, RecentIds, Records as _, State, check, execute, recovery_of};

use super::Look;
use super::chain::Blocks;
use super::register::{Doubt, column_of, in_book};
use crate::store::{Column, LINE_BYTES, key_in_book, key_of_height, key_of_record};

/// The register as the blocks make it.
struct Made {
    state: State,
    records: MemoryRecords,
}

/// Names what is in doubt, as exactly as the blocks that are here allow.
pub(super) fn name(look: &mut Look<'_>, blocks: &Blocks, doubts: Vec<Doubt>) {
    if doubts.is_empty() {
        return;
    }
    let all = blocks.sound && blocks.kept == Height(1) && blocks.last.0 <= look.runs;
    let made = all.then(|| make(look, blocks.last)).flatten();
    for doubt in doubts {
        let known = look.report.damage.len() as u64 + look.report.unnamed;
        if let Some(made) = &made {
            look.compare(made, doubt);
        }
        if look.report.damage.len() as u64 + look.report.unnamed == known {
            look.all_of(doubt);
        }
    }
}

fn make(look: &mut Look<'_>, last: Height) -> Option<Made> {
    let mut made = Made { state: look.founded.clone(), records: MemoryRecords::default() };
    let (mut recent, mut validators) = (RecentIds::default(), None);
    for height in (1..=last.0).map(Height) {
        let block = Block::decode(&look.read(Column::Blocks, &key_of_height(height))?).ok()?;
        if let Some(handover) = recovery_of(&block) {
            made.state = made.state.adopt(&handover).ok()?;
        }
        let deciders = made.state.next_validators();
        let checked = check(&made.state, &recent, &(), validators.as_ref(), None, block).ok()?;
        let applied = execute(&made.state, &made.records, &checked).ok()?;
        made.records.write(&applied.writes);
        recent.push(checked.ids(), applied.state.parameters().window);
        (made.state, validators) = (applied.state, Some(deciders));
    }
    Some(made)
}

impl Look<'_> {
    /// Names the entries that are not those that the blocks make.
    fn compare(&mut self, made: &Made, doubt: Doubt) {
        const OTHER: &str = "it is not what the blocks make it";
        match doubt {
            Doubt::Records => {
                for shelf in Shelf::ALL {
                    for number in 0.. {
                        let key = key_of_record(shelf as u8, number);
                        let (right, found) = (made.state.record_bytes(shelf, number), self.read(Column::Records, &key));
                        match (right, found) {
                            (None, None) => break,
                            (right, found) if right == found => (),
                            _ => self.damaged(Column::Records, format!("{}/{number}", shelf.name()), OTHER),
                        }
                    }
                }
            }
            Doubt::List(book, list) => {
                for number in 0.. {
                    let found = self.read(column_of(list), &key_in_book(book, number));
                    match (made.entry(book, list, number), found) {
                        (None, None) => break,
                        (right, found) if right == found => (),
                        _ => self.damaged(column_of(list), in_book(column_of(list), book, number), OTHER),
                    }
                }
            }
            Doubt::Lines(book, page) => {
                let found = self.read(Column::Lines, &key_in_book(book, page)).unwrap_or_default();
                let right = made.records.lines(book, PageNumber(page));
                let first = page * fengni_core::limits::PAGE_LINES;
                let mut lines = found.chunks(LINE_BYTES);
                for (line, number) in right.iter().zip(first..) {
                    if lines.next() != Some(&line.bytes()) {
                        self.damaged(Column::Lines, format!("book {book}, line {number}"), OTHER);
                    }
                }
            }
        }
    }

    /// What is said where nothing tells one entry from another.
    fn all_of(&mut self, doubt: Doubt) {
        let (column, entry, says) = match doubt {
            Doubt::Records => (Column::Records, "one or more".to_owned(), "together they do not give the state root"),
            Doubt::List(book, list) => {
                (column_of(list), format!("book {book}, one or more"), "together they are not what its record hashes")
            }
            Doubt::Lines(book, page) => {
                (Column::Lines, in_book(Column::Lines, book, page), "they are not those that the page's record hashes")
            }
        };
        self.damaged(column, entry, says);
    }
}

impl Made {
    /// An entry of a list of a book.
    fn entry(&self, book: BookNumber, list: BookList, number: u64) -> Option<Vec<u8>> {
        let state = self.state.book(book)?;
        match list {
            BookList::Pages => state.page(PageNumber(number)).map(|page| page.encode()),
            BookList::Heads => state.heads(PageNumber(number)).map(|heads| heads.encode()),
            BookList::Seals => self.records.seal(book, SealNumber(number)).map(|seal| seal.encode()),
            BookList::Acts => self.records.act(book, ActNumber(number)).map(|act| act.encode()),
        }
    }
}
