//! Records in memory: for replay outside a node, and for tests.

use std::collections::HashMap;

use fengni_core::book::{Line, Seal, Tag};
use fengni_core::standing::Act;
use fengni_core::{ActNumber, BookNumber, LinePlace, PageNumber, SealNumber};

use crate::records::{Records, Write};

/// Everything that only grows, in maps.
#[derive(Clone, Default, Debug)]
pub struct MemoryRecords {
    tags: HashMap<(BookNumber, Tag), LinePlace>,
    lines: HashMap<(BookNumber, PageNumber), Vec<Line>>,
    seals: HashMap<(BookNumber, SealNumber), Seal>,
    acts: HashMap<(BookNumber, ActNumber), Act>,
}

impl MemoryRecords {
    /// Keeps the writes of an applied block.
    pub fn write(&mut self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Lines { book, first, lines } => {
                    for (line, number) in lines.iter().zip(first.0..) {
                        let page = fengni_core::LineNumber(number).page();
                        self.lines.entry((*book, page)).or_default().push(*line);
                    }
                }
                Write::Tag { space, tag, place } => drop(self.tags.insert((*space, *tag), *place)),
                Write::Seal { book, number, seal } => drop(self.seals.insert((*book, *number), seal.clone())),
                Write::Act { book, number, act } => drop(self.acts.insert((*book, *number), act.clone())),
                // The state value holds these itself.
                Write::Record { .. } | Write::Page { .. } | Write::Heads { .. } => (),
            }
        }
    }
}

impl Records for MemoryRecords {
    fn find_tags(&self, space: BookNumber, tags: &[Tag]) -> Vec<Option<LinePlace>> {
        tags.iter().map(|tag| self.tags.get(&(space, *tag)).copied()).collect()
    }

    fn lines(&self, book: BookNumber, page: PageNumber) -> Vec<Line> {
        self.lines.get(&(book, page)).cloned().unwrap_or_default()
    }

    fn seal(&self, book: BookNumber, seal: SealNumber) -> Option<Seal> {
        self.seals.get(&(book, seal)).cloned()
    }

    fn act(&self, book: BookNumber, act: ActNumber) -> Option<Act> {
        self.acts.get(&(book, act)).cloned()
    }
}
