//! Where lines stand: found by their tags in a book, by the newest block that any node shows.

use fengni_core::book::{Book, Tag};
use fengni_core::number::PageNumber;
use fengni_core::proof::Place;
use fengni_core::shelf::Shelf;
use fengni_core::{BookNumber, LinePlace};

use crate::ledger::{Ledger, LedgerError};

/// Where in a book the lines with these tags are, if they are: each as its place among the tags.
///
/// By the newest block that any node shows: whatever was to be sealed before is there, or is not.
///
/// # Errors
/// [`LedgerError`].
pub(crate) fn find(
    ledger: &mut Ledger,
    book: BookNumber,
    tags: &[Tag],
) -> Result<Vec<(usize, LinePlace)>, LedgerError> {
    let mut sought: Vec<usize> = (0..tags.len()).collect();
    let mut found = Vec::new();
    if sought.is_empty() {
        return Ok(found);
    }
    let at = ledger.highest()?.0.height;
    let record: Book = ledger.prove_at(&[Place::Record(Shelf::Books, book.0)], at)?.value.1.record(book.0)?;
    // The newest pages first: that is where a late seal went.
    for number in (0..record.pages.size).rev().map(PageNumber) {
        if sought.is_empty() {
            break;
        }
        let page = ledger.prove_at(&[Place::Page(book, number)], at)?.value.1.page(book, number)?;
        let lines = ledger.lines(book, number, &page)?.value;
        for (line, place) in lines.iter().zip(0..) {
            if let Some(at) = sought.iter().position(|tag| tags[*tag] == line.tag) {
                found.push((sought.swap_remove(at), LinePlace { book, line: number.line(place) }));
            }
        }
    }
    Ok(found)
}
