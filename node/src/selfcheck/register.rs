//! The register: records against the state root, and what is in the books against their records.

use fengni_core::book::{Book, ListHead, Seal};
use fengni_core::codec::DecodeError;
use fengni_core::list::NumberedList;
use fengni_core::proof::BookList;
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{BookNumber, Header};

use super::Look;
use super::shelves::{ShelfError, Shelves};
use crate::store::Column;

/// Entries of which one is wrong, by a digest over all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doubt {
    /// The registry records.
    Records,
    /// A list of a book.
    List(BookNumber, BookList),
    /// The lines of a page.
    Lines(BookNumber, u64),
}

/// What an entry of a book is called.
pub(crate) fn in_book(column: Column, book: BookNumber, number: u64) -> String {
    match column {
        Column::Seals => format!("book {book}, seal {number}"),
        Column::Acts => format!("book {book}, act {number}"),
        _ => format!("book {book}, page {number}"),
    }
}

/// The column of a list of a book.
pub(super) fn column_of(list: BookList) -> Column {
    match list {
        BookList::Pages => Column::Pages,
        BookList::Seals => Column::Seals,
        BookList::Acts => Column::Acts,
        BookList::Heads => Column::Heads,
    }
}

fn head(book: &Book, list: BookList) -> ListHead {
    match list {
        BookList::Pages => book.pages,
        BookList::Seals => book.seals,
        BookList::Acts => book.acts,
        BookList::Heads => book.heads,
    }
}

/// Looks at everything that the state root of a header binds; what is in doubt is to be named yet.
pub(super) fn check(look: &mut Look<'_>, header: &Header) -> Vec<Doubt> {
    let mut shelves = Shelves::new(look.domain.suite);
    let known = look.report.damage.len();
    look.each(Column::Records, &[], |look, key, value| {
        if let Err(error) = shelves.take(key, value) {
            let entry = record_name(key);
            match (&error, key) {
                // The one before it is gone.
                (ShelfError::Key, [shelf, rest @ ..]) if rest.len() == 4 && usize::from(*shelf) < Shelf::ALL.len() => {
                    let shelf = Shelf::ALL[usize::from(*shelf)];
                    look.damaged(
                        Column::Records,
                        format!("{}/{}", shelf.name(), shelves.count(shelf)),
                        "it is missing",
                    );
                }
                _ => look.damaged(Column::Records, entry, error.to_string()),
            }
        }
    });
    if look.report.damage.len() > known {
        // Which books there are, and what is in them, is not known.
        return Vec::new();
    }
    let bound = shelves.root(&look.domain) == header.state_root;
    let mut doubts = Vec::new();
    let books = std::mem::take(&mut shelves.books);
    for (book, number) in books.iter().zip(0..) {
        let number = BookNumber(number);
        let mut pages = Vec::new();
        for list in BookList::ALL {
            let known = look.report.damage.len();
            let holds = look.list(number, list, head(book, list), &mut pages);
            // Records that are wrong themselves say nothing of what is in the books.
            if bound && !holds && look.report.damage.len() == known {
                doubts.push(Doubt::List(number, list));
            }
        }
        let doubted = doubts.contains(&Doubt::List(number, BookList::Pages));
        look.lines(number, book, &pages, doubted, &mut doubts);
    }
    if look.depth.is_whole() {
        look.stray_entries(&books);
        look.tags(&books, &doubts);
    }
    if !bound {
        doubts.push(Doubt::Records);
    }
    doubts
}

pub(super) fn record_name(key: &[u8]) -> String {
    let number = key.get(1..).and_then(|number| Some(u32::from_be_bytes(number.try_into().ok()?)));
    let shelf = key.first().and_then(|shelf| Shelf::ALL.get(usize::from(*shelf)));
    shelf.zip(number).map_or_else(|| "an entry".to_owned(), |(shelf, number)| format!("{}/{number}", shelf.name()))
}

impl Look<'_> {
    /// Whether the entries of a list of a book are those that its record counts and hashes. What one
    /// entry alone shows to be wrong is named.
    fn list(&mut self, book: BookNumber, list: BookList, head: ListHead, pages: &mut Vec<Option<Page>>) -> bool {
        let (column, mut due) = (column_of(list), 0u64);
        let mut entries = NumberedList::new(self.domain.suite, list.kind());
        self.each(column, &book.0.to_be_bytes(), |look, key, value| {
            let number = key.get(4..).and_then(|number| Some(u64::from_be_bytes(number.try_into().ok()?)));
            let Some(number) = number else {
                return look.damaged(column, format!("book {book}, an entry"), "its key is no number");
            };
            if number >= head.size {
                return look.damaged(column, in_book(column, book, number), "the book's record counts none there");
            }
            while due < number {
                look.damaged(column, in_book(column, book, due), "it is missing");
                pages.extend((list == BookList::Pages).then_some(None));
                due += 1;
            }
            due += 1;
            if let Err(error) = decodes(list, value, pages) {
                look.damaged(column, in_book(column, book, number), error.to_string());
            }
            entries.append(value);
        });
        if due < head.size {
            self.damaged(column, in_book(column, book, due), "it is missing");
        }
        entries.len() == head.size && entries.digest(&self.domain) == head.digest
    }

    /// Entries of books that there are not.
    fn stray_entries(&mut self, books: &[Book]) {
        for column in [Column::Pages, Column::Heads, Column::Seals, Column::Acts, Column::Lines] {
            let Ok(after) = u32::try_from(books.len()) else { return };
            match self.store.look_through(column, &after.to_be_bytes()).next() {
                None => (),
                Some(Ok(_)) => self.damaged(column, format!("book {after}, an entry"), "there is no such book"),
                Some(Err(error)) => self.unreadable(column, &error),
            }
        }
    }
}

fn decodes(list: BookList, value: &[u8], pages: &mut Vec<Option<Page>>) -> Result<(), DecodeError> {
    match list {
        BookList::Pages => {
            let page = Page::decode(value);
            pages.push(page.as_ref().ok().cloned());
            page.map(drop)
        }
        BookList::Seals => Seal::decode(value).map(drop),
        BookList::Acts => Act::decode(value).map(drop),
        BookList::Heads => ActHeads::decode(value).map(drop),
    }
}
