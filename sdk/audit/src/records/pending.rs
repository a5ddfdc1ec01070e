//! Writes that are not in the file yet: of the blocks since it was last brought up to date.
//!
//! A page that grows with every block is written once for all of them, and tags go to the file in
//! their order, which costs a tree of pages far less than one by one.

use std::collections::{BTreeMap, HashMap};

use fengni_core::book::{Line, Seal, Tag};
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{ActNumber, BookNumber, LineNumber, LinePlace, PageNumber, SealNumber};
use fengni_state::Write;

/// Writes in memory.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) tags: HashMap<(BookNumber, Tag), LinePlace>,
    /// Whole pages, with the lines that the file has of them.
    pub(super) lines: HashMap<(BookNumber, PageNumber), Vec<Line>>,
    pub(super) seals: BTreeMap<(BookNumber, SealNumber), Seal>,
    pub(super) acts: BTreeMap<(BookNumber, ActNumber), Act>,
    pub(super) pages: BTreeMap<(BookNumber, PageNumber), Page>,
    pub(super) heads: BTreeMap<(BookNumber, PageNumber), ActHeads>,
    pub(super) records: BTreeMap<(Shelf, u32), Vec<u8>>,
}

impl Pending {
    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        let small = self.seals.len() + self.acts.len() + self.pages.len() + self.heads.len() + self.records.len();
        self.tags.len() + small
    }

    /// Takes a block's writes.
    ///
    /// - `stored`: the lines that the file has of a page.
    pub(super) fn take(&mut self, writes: &[Write], stored: impl Fn(BookNumber, PageNumber) -> Vec<Line>) {
        for write in writes {
            match write {
                Write::Record { shelf, number, bytes } => {
                    drop(self.records.insert((*shelf, *number), bytes.clone()));
                }
                Write::Lines { book, first, lines } => {
                    for (line, number) in lines.iter().zip(first.0..) {
                        let page = LineNumber(number).page();
                        self.lines.entry((*book, page)).or_insert_with(|| stored(*book, page)).push(*line);
                    }
                }
                Write::Tag { space, tag, place } => drop(self.tags.insert((*space, *tag), *place)),
                Write::Page { book, page, record } => drop(self.pages.insert((*book, *page), record.clone())),
                Write::Heads { book, page, heads } => drop(self.heads.insert((*book, *page), heads.clone())),
                Write::Seal { book, number, seal } => drop(self.seals.insert((*book, *number), seal.clone())),
                Write::Act { book, number, act } => drop(self.acts.insert((*book, *number), act.clone())),
            }
        }
    }
}
