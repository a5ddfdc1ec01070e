//! The register on disk: what [`Records`] reads and a state is loaded from.

use std::collections::BTreeMap;

use fengni_core::book::{Book, Line, Seal, Tag};
use fengni_core::codec::DecodeError;
use fengni_core::limits::PAGE_LINES;
use fengni_core::record::Record;
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{ActNumber, BookNumber, LineNumber, LinePlace, PageNumber, SealNumber};
use fengni_state::{Records, StateParts, Write};
use rocksdb::WriteBatch;

use super::{Column, Store, broken, keys};
use crate::fault;

/// Bytes of a line.
pub(crate) const LINE_BYTES: usize = 48;

impl Store {
    /// Adds a block's changes to its batch.
    pub(super) fn add_writes(&self, batch: &mut WriteBatch, writes: &[Write]) {
        let mut pages: BTreeMap<(BookNumber, PageNumber), Vec<u8>> = BTreeMap::new();
        for write in writes {
            match write {
                Write::Record { shelf, number, bytes } => {
                    batch.put_cf(self.column(Column::Records), keys::record(*shelf as u8, *number), bytes);
                }
                Write::Lines { book, first, lines } => {
                    for (line, number) in lines.iter().zip(first.0..) {
                        let page = LineNumber(number).page();
                        let stored = pages.entry((*book, page)).or_insert_with(|| self.page_bytes(*book, page));
                        stored.extend(line.bytes());
                    }
                }
                Write::Tag { space, tag, place } => {
                    batch.put_cf(self.column(Column::Tags), keys::tag(*space, tag), keys::place(*place));
                }
                Write::Page { book, page, record } => {
                    batch.put_cf(self.column(Column::Pages), keys::in_book(*book, page.0), record.encode());
                }
                Write::Heads { book, page, heads } => {
                    batch.put_cf(self.column(Column::Heads), keys::in_book(*book, page.0), heads.encode());
                }
                Write::Seal { book, number, seal } => {
                    batch.put_cf(self.column(Column::Seals), keys::in_book(*book, number.0), seal.encode());
                }
                Write::Act { book, number, act } => {
                    batch.put_cf(self.column(Column::Acts), keys::in_book(*book, number.0), act.encode());
                }
            }
        }
        for ((book, page), bytes) in pages {
            batch.put_cf(self.column(Column::Lines), keys::in_book(book, page.0), bytes);
        }
    }

    /// The lines of a page as stored: 48 bytes each.
    pub fn page_bytes(&self, book: BookNumber, page: PageNumber) -> Vec<u8> {
        self.get(Column::Lines, &keys::in_book(book, page.0)).unwrap_or_default()
    }

    fn in_book<T>(&self, column: Column, book: BookNumber, read: impl Fn(&[u8]) -> Result<T, DecodeError>) -> Vec<T> {
        let prefix = book.0.to_be_bytes();
        let entries = self.scan(column, &prefix);
        entries.map(|(_, value)| read(&value).unwrap_or_else(|error| fault::stop(column.name(), error))).collect()
    }

    fn one<T>(&self, column: Column, key: [u8; 12], read: impl Fn(&[u8]) -> Result<T, DecodeError>) -> Option<T> {
        let value = self.get(column, &key)?;
        Some(read(&value).unwrap_or_else(|error| fault::stop(column.name(), error)))
    }
}

pub(super) fn to_lines(bytes: &[u8]) -> Vec<Line> {
    let (lines, rest) = bytes.as_chunks::<LINE_BYTES>();
    if !rest.is_empty() {
        fault::stop("stored lines", "not a whole number of lines");
    }
    lines.iter().map(Line::from_bytes).collect()
}

impl Records for Store {
    fn find_tags(&self, space: BookNumber, tags: &[Tag]) -> Vec<Option<LinePlace>> {
        let wanted: Vec<[u8; 20]> = tags.iter().map(|tag| keys::tag(space, tag)).collect();
        let found = self.db.batched_multi_get_cf(self.column(Column::Tags), &wanted, false);
        let read = |value: Result<Option<_>, _>| value.unwrap_or_else(|error| broken("store read", &error));
        found
            .into_iter()
            .map(|value| read(value).map(|bytes: rocksdb::DBPinnableSlice<'_>| keys::to_place(&bytes)))
            .collect()
    }

    fn lines(&self, book: BookNumber, page: PageNumber) -> Vec<Line> {
        to_lines(&self.page_bytes(book, page))
    }

    fn seal(&self, book: BookNumber, seal: SealNumber) -> Option<Seal> {
        self.one(Column::Seals, keys::in_book(book, seal.0), Seal::decode)
    }

    fn act(&self, book: BookNumber, act: ActNumber) -> Option<Act> {
        self.one(Column::Acts, keys::in_book(book, act.0), Act::decode)
    }
}

impl StateParts for Store {
    fn records(&self, shelf: Shelf) -> Vec<Vec<u8>> {
        self.scan(Column::Records, &[shelf as u8]).map(|(_, value)| value.into_vec()).collect()
    }

    fn pages(&self, book: BookNumber) -> Vec<Page> {
        self.in_book(Column::Pages, book, Page::decode)
    }

    fn heads(&self, book: BookNumber) -> Vec<ActHeads> {
        self.in_book(Column::Heads, book, ActHeads::decode)
    }

    fn seals(&self, book: BookNumber) -> Vec<Seal> {
        self.in_book(Column::Seals, book, Seal::decode)
    }

    fn acts(&self, book: BookNumber) -> Vec<Act> {
        self.in_book(Column::Acts, book, Act::decode)
    }

    fn open_lines(&self, book: BookNumber) -> Vec<Line> {
        let record = self.get(Column::Records, &keys::record(Shelf::Books as u8, book.0));
        let count = record.and_then(|bytes| Book::decode(&bytes).ok()).map_or(0, |record| record.lines);
        if count.is_multiple_of(PAGE_LINES) {
            return Vec::new();
        }
        Records::lines(self, book, LineNumber(count - 1).page())
    }
}
