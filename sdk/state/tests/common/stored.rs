//! A store fed by writes alone: what a node keeps on disk, in maps.

use std::collections::BTreeMap;

use fengni_core::BookNumber;
use fengni_core::book::{Line, Seal};
use fengni_core::limits::PAGE_LINES;
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_state::{State, StateParts, Write};

#[derive(Clone, Default)]
pub struct Stored {
    records: BTreeMap<(Shelf, u32), Vec<u8>>,
    pages: BTreeMap<(BookNumber, u64), Page>,
    heads: BTreeMap<(BookNumber, u64), ActHeads>,
    seals: BTreeMap<(BookNumber, u64), Seal>,
    acts: BTreeMap<(BookNumber, u64), Act>,
    lines: BTreeMap<(BookNumber, u64), Line>,
}

impl Stored {
    /// What is stored at the founding: every registry record.
    pub fn of(state: &State) -> Self {
        let mut stored = Self::default();
        for shelf in Shelf::ALL {
            for number in 0.. {
                let Some(bytes) = state.record_bytes(shelf, number) else { break };
                stored.records.insert((shelf, number), bytes);
            }
        }
        stored
    }

    pub fn write(&mut self, writes: &[Write]) {
        for write in writes.iter().cloned() {
            match write {
                Write::Record { shelf, number, bytes } => drop(self.records.insert((shelf, number), bytes)),
                Write::Lines { book, first, lines } => {
                    self.lines.extend((first.0..).zip(lines).map(|(number, line)| ((book, number), line)));
                }
                Write::Page { book, page, record } => drop(self.pages.insert((book, page.0), record)),
                Write::Heads { book, page, heads } => drop(self.heads.insert((book, page.0), heads)),
                Write::Seal { book, number, seal } => drop(self.seals.insert((book, number.0), seal)),
                Write::Act { book, number, act } => drop(self.acts.insert((book, number.0), act)),
                Write::Tag { .. } => (),
            }
        }
    }

    /// Damages the newest line, page, heads, seal or act of a book.
    pub fn damage_newest(&mut self, book: BookNumber, what: &str) {
        fn newest<T>(map: &mut BTreeMap<(BookNumber, u64), T>, book: BookNumber) -> &mut T {
            map.range_mut((book, 0)..=(book, u64::MAX)).next_back().expect("the book has one").1
        }
        match what {
            "line" => newest(&mut self.lines, book).commitment.0[0] ^= 1,
            "page" => newest(&mut self.pages, book).root.0[0] ^= 1,
            "heads" => newest(&mut self.heads, book).set(1, fengni_core::ActNumber(77)),
            "seal" => newest(&mut self.seals, book).count += 1,
            "act" => newest(&mut self.acts, book).reason.0 += 1,
            other => panic!("no {other}"),
        }
    }

    /// Loses the newest line of a book.
    pub fn lose_line(&mut self, book: BookNumber) {
        let newest = of_book(&self.lines, book).len() as u64 - 1;
        self.lines.remove(&(book, newest));
    }

    /// Damages one stored record.
    pub fn damage(&mut self, shelf: Shelf, number: u32, bytes: Vec<u8>) {
        self.records.insert((shelf, number), bytes);
    }
}

fn of_book<T: Clone>(map: &BTreeMap<(BookNumber, u64), T>, book: BookNumber) -> Vec<T> {
    map.range((book, 0)..=(book, u64::MAX)).map(|(_, value)| value.clone()).collect()
}

impl StateParts for Stored {
    fn records(&self, shelf: Shelf) -> Vec<Vec<u8>> {
        self.records.range((shelf, 0)..=(shelf, u32::MAX)).map(|(_, bytes)| bytes.clone()).collect()
    }

    fn pages(&self, book: BookNumber) -> Vec<Page> {
        of_book(&self.pages, book)
    }

    fn heads(&self, book: BookNumber) -> Vec<ActHeads> {
        of_book(&self.heads, book)
    }

    fn seals(&self, book: BookNumber) -> Vec<Seal> {
        of_book(&self.seals, book)
    }

    fn acts(&self, book: BookNumber) -> Vec<Act> {
        of_book(&self.acts, book)
    }

    fn open_lines(&self, book: BookNumber) -> Vec<Line> {
        let lines = of_book(&self.lines, book);
        let full = lines.len() / PAGE_LINES as usize * PAGE_LINES as usize;
        lines[full..].to_vec()
    }
}
