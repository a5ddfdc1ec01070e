//! Lines against the records of their pages, and the index of tags against the lines.

use fengni_core::book::{Book, Line, page_root};
use fengni_core::limits::PAGE_LINES;
use fengni_core::standing::Page;
use fengni_core::{BookNumber, Domain, LineNumber, LinePlace};

use super::register::{Doubt, in_book};
use super::{Depth, Look};
use crate::store::{Column, LINE_BYTES, key_in_book, keys};

/// Whether lines are those that a page record counts and hashes.
pub(crate) fn are_of_page(domain: &Domain, lines: &[Line], record: &Page) -> bool {
    lines.len() == usize::from(record.lines) && page_root(domain, lines) == record.root
}

impl Look<'_> {
    /// Looks at the lines of a book: all of them, or those of its last page.
    ///
    /// - `doubted`: one of the page records is wrong, and which is to be found.
    pub(super) fn lines(
        &mut self,
        book: BookNumber,
        record: &Book,
        pages: &[Option<Page>],
        doubted: bool,
        doubts: &mut Vec<Doubt>,
    ) {
        let first = match self.depth {
            Depth::Start => pages.len().saturating_sub(1),
            Depth::Beside | Depth::Whole => 0,
        };
        for (page, number) in pages.iter().zip(0u64..).skip(first) {
            let Some(page) = page else { continue };
            let lines = self.page_lines(book, number);
            if lines.is_some_and(|lines| are_of_page(&self.domain, &lines, page)) {
                continue;
            }
            if doubted {
                self.damaged(Column::Pages, in_book(Column::Pages, book, number), "it does not hash its lines");
                doubts.retain(|doubt| *doubt != Doubt::List(book, fengni_core::proof::BookList::Pages));
            } else {
                doubts.push(Doubt::Lines(book, number));
            }
        }
        if self.depth.is_whole() {
            let pages = record.lines.div_ceil(PAGE_LINES);
            self.each(Column::Lines, &book.0.to_be_bytes(), |look, key, _| {
                let number = key.get(4..).and_then(|number| Some(u64::from_be_bytes(number.try_into().ok()?)));
                if number.is_none_or(|number| number >= pages) {
                    let entry =
                        number.map_or_else(|| format!("book {book}, an entry"), |it| in_book(Column::Lines, book, it));
                    look.damaged(Column::Lines, entry, "the book has no such page");
                }
            });
        }
    }

    /// The lines of a page; `None` where these are none.
    pub(super) fn page_lines(&mut self, book: BookNumber, page: u64) -> Option<Vec<Line>> {
        let bytes = self.read(Column::Lines, &key_in_book(book, page))?;
        let (lines, rest) = bytes.as_chunks::<LINE_BYTES>();
        rest.is_empty().then(|| lines.iter().map(Line::from_bytes).collect())
    }

    /// Every current line has its entry in the index, and the index leads nowhere else.
    pub(super) fn tags(&mut self, books: &[Book], doubts: &[Doubt]) {
        let (mut current, known) = (0u64, self.report.damage.len());
        for (book, number) in books.iter().zip(0u32..) {
            let (book, space) = (book, space_of(books, number));
            for page in 0..book.lines.div_ceil(PAGE_LINES) {
                let of = BookNumber(number);
                if !doubts.contains(&Doubt::Lines(of, page)) {
                    current += self.tags_of_page(space, of, page);
                }
            }
        }
        let mut found = 0u64;
        self.each(Column::Tags, &[], |_, _, _| found += 1);
        let doubtful = doubts.iter().any(|doubt| matches!(doubt, Doubt::Lines(..)));
        if found == current && !doubtful && self.report.damage.len() == known {
            return;
        }
        self.each(Column::Tags, &[], |look, key, value| {
            let Some(place) = to_place(value) else { return look.stray_tag(key, "an entry".to_owned()) };
            // What is damaged itself says nothing of the index.
            if doubts.contains(&Doubt::Lines(place.book, place.line.page().0)) {
                return;
            }
            let leads = look.line(place).is_some_and(|line| key == keys::tag(space_of(books, place.book.0), &line.tag));
            if !leads && !look.mends.contains_key(&(Column::Tags, key.to_vec())) {
                look.stray_tag(key, format!("book {}, line {}", place.book, place.line));
            }
        });
    }

    /// Looks the tags of a page up; how many of its lines are the current ones of their tags.
    fn tags_of_page(&mut self, space: BookNumber, book: BookNumber, page: u64) -> u64 {
        let mut current = 0;
        for (line, number) in self.page_lines(book, page).unwrap_or_default().iter().zip(page * PAGE_LINES..) {
            let (here, key) = (LinePlace { book, line: LineNumber(number) }, keys::tag(space, &line.tag));
            let found = self.read(Column::Tags, &key);
            let leads = found.as_deref().and_then(to_place);
            if leads == Some(here) {
                current += 1;
                continue;
            }
            // Only a new holder key repeats a tag, later in the same book (B-4, O-8).
            let later = leads.filter(|leads| leads.book == book && leads.line > here.line);
            if later.and_then(|later| self.line(later)).is_some_and(|later| later.tag == line.tag) {
                continue;
            }
            let wrong = if found.is_some() { "the index leads elsewhere" } else { "the index does not have its tag" };
            self.damaged(Column::Tags, format!("book {book}, line {number}"), wrong);
            self.mends.insert((Column::Tags, key.to_vec()), Some(keys::place(here).to_vec()));
        }
        current
    }

    fn line(&mut self, place: LinePlace) -> Option<Line> {
        self.page_lines(place.book, place.line.page().0)?.get(usize::from(place.line.place())).copied()
    }

    fn stray_tag(&mut self, key: &[u8], leads: String) {
        let column = Column::Tags;
        self.damaged(column, format!("a stray entry to {leads}"), "no line of this tag stands there");
        self.mends.insert((column, key.to_vec()), None);
    }
}

/// The first book of the same issuer and type: a tag stands once among them.
fn space_of(books: &[Book], number: u32) -> BookNumber {
    let of = books.get(number as usize);
    let is_space = |book: &Book| of.is_some_and(|of| book.issuer == of.issuer && book.subject == of.subject);
    let found = books.iter().zip(0..).find(|(book, _)| is_space(book));
    BookNumber(found.map_or(number, |(_, found)| found))
}

fn to_place(bytes: &[u8]) -> Option<LinePlace> {
    (bytes.len() == 12).then(|| keys::to_place(bytes))
}
