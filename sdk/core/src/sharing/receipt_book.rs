//! A receipt's place in its provider's book, by a proven state. Rules I-14 and I-15: `sdk/spec/access.md`.

use super::batch::Batch;
use super::receipt::Receipt;
use crate::book::{Book, Subject};
use crate::number::{LineNumber, LinePlace};
use crate::proof::{ProofError, Proven};
use crate::shelf::Shelf;

impl Receipt {
    /// The book that it names, where that is its provider's book of receipts.
    ///
    /// - `proven`: that book, or the count of books that shows there is none.
    ///
    /// # Errors
    /// [`ProofError`] where the book was not proven: nothing can be said.
    pub fn own_book(&self, proven: &Proven) -> Result<Option<Book>, ProofError> {
        if u64::from(self.book.0) >= proven.size(Shelf::Books) {
            return Ok(None);
        }
        let book: Book = proven.record(self.book.0)?;
        Ok(Some(book).filter(|book| book.subject == Subject::Receipts && book.opener() == self.provider))
    }

    /// The batch at a line of that book; `None` where the line is of another book, or beyond its lines.
    ///
    /// - `proven`: the book, and where it has the line, the line and its page record.
    ///
    /// # Errors
    /// [`ProofError`] where one of them was not proven.
    pub fn batch_at(&self, place: LinePlace, proven: &Proven) -> Result<Option<Batch>, ProofError> {
        let Some(book) = self.own_book(proven)? else { return Ok(None) };
        if place.book != self.book || place.line.0 >= book.lines {
            return Ok(None);
        }
        Ok(Some(Batch::from_line(&proven.line(place)?)))
    }

    /// The last line of a book of receipts: its batch says how many receipts the book counts.
    pub fn last_line(&self, book: &Book) -> Option<LinePlace> {
        book.lines.checked_sub(1).map(|line| LinePlace { book: self.book, line: LineNumber(line) })
    }

    /// Rule I-15: whether the ledger counts its number already, so that a batch has it or another in its place.
    ///
    /// - `book`: the receipt's own book.
    /// - `proven`: the book's last line with its page record, where it has lines.
    ///
    /// # Errors
    /// [`ProofError`] where that was not proven.
    pub fn is_counted(&self, book: &Book, proven: &Proven) -> Result<bool, ProofError> {
        let Some(last) = self.last_line(book) else { return Ok(false) };
        let batch = Batch::from_line(&proven.line(last)?);
        Ok(batch.end().is_some_and(|end| self.number < end))
    }
}
