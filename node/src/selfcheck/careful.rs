//! Reading a state at the start: what cannot be read is named, and does not end the process.

use std::cell::RefCell;

use fengni_core::book::{Book, Line, Seal};
use fengni_core::codec::DecodeError;
use fengni_core::limits::PAGE_LINES;
use fengni_core::record::Record as _;
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{BookNumber, LineNumber};
use fengni_state::StateParts;

use super::Damage;
use super::register::in_book;
use crate::store::{Column, LINE_BYTES, Store, key_in_book, key_of_record};

/// A store whose damage is noted.
pub(crate) struct Careful<'a> {
    store: &'a Store,
    first: RefCell<Option<Damage>>,
}

impl<'a> Careful<'a> {
    /// A store to load a state from.
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, first: RefCell::new(None) }
    }

    /// The first entry that could not be read: what was loaded is no state then.
    pub(crate) fn damage(self) -> Option<Damage> {
        self.first.into_inner()
    }

    fn note(&self, column: Column, entry: String, says: impl std::fmt::Display) {
        let damage = Damage { column: column.name().to_owned(), entry, says: says.to_string() };
        self.first.borrow_mut().get_or_insert(damage);
    }

    fn values(&self, column: Column, prefix: &[u8]) -> Vec<Vec<u8>> {
        let mut values = Vec::new();
        for entry in self.store.look_through(column, prefix) {
            match entry {
                Ok((key, _)) if !key.starts_with(prefix) => break,
                Ok((_, value)) => values.push(value.into_vec()),
                Err(error) => {
                    self.note(column, "some entries".to_owned(), error);
                    break;
                }
            }
        }
        values
    }

    fn entries<T>(&self, column: Column, book: BookNumber, read: impl Fn(&[u8]) -> Result<T, DecodeError>) -> Vec<T> {
        let mut entries = Vec::new();
        for (value, number) in self.values(column, &book.0.to_be_bytes()).iter().zip(0..) {
            match read(value) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.note(column, in_book(column, book, number), error);
                    break;
                }
            }
        }
        entries
    }
}

impl StateParts for Careful<'_> {
    fn records(&self, shelf: Shelf) -> Vec<Vec<u8>> {
        self.values(Column::Records, &[shelf as u8])
    }

    fn pages(&self, book: BookNumber) -> Vec<Page> {
        self.entries(Column::Pages, book, Page::decode)
    }

    fn heads(&self, book: BookNumber) -> Vec<ActHeads> {
        self.entries(Column::Heads, book, ActHeads::decode)
    }

    fn seals(&self, book: BookNumber) -> Vec<Seal> {
        self.entries(Column::Seals, book, Seal::decode)
    }

    fn acts(&self, book: BookNumber) -> Vec<Act> {
        self.entries(Column::Acts, book, Act::decode)
    }

    fn open_lines(&self, book: BookNumber) -> Vec<Line> {
        let read = |column, key: &[u8]| match self.store.look_up(column, key) {
            Ok(value) => value.unwrap_or_default(),
            Err(error) => {
                self.note(column, format!("book {book}"), error);
                Vec::new()
            }
        };
        let record = read(Column::Records, &key_of_record(Shelf::Books as u8, book.0));
        let count = Book::decode(&record).map_or(0, |record| record.lines);
        if count.is_multiple_of(PAGE_LINES) {
            return Vec::new();
        }
        let bytes = read(Column::Lines, &key_in_book(book, LineNumber(count - 1).page().0));
        let (lines, rest) = bytes.as_chunks::<LINE_BYTES>();
        if !rest.is_empty() {
            let page = LineNumber(count - 1).page();
            self.note(Column::Lines, in_book(Column::Lines, book, page.0), "not a whole number of lines");
        }
        lines.iter().map(Line::from_bytes).collect()
    }
}
