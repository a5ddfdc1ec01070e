//! What receipts are held against: members, books and batches, each proven once and as of one height.

use std::collections::BTreeMap;

use fengni_core::block::Header;
use fengni_core::book::{Book, Subject};
use fengni_core::proof::{Place, Proven};
use fengni_core::record::{Member, Record};
use fengni_core::sharing::{Batch, Receipt};
use fengni_core::shelf::Shelf;
use fengni_core::{BookNumber, LinePlace, MemberNumber};

use crate::ledger::{Ledger, LedgerError};

/// A reader of one height.
pub(super) struct Reader<'a> {
    pub(super) ledger: &'a mut Ledger,
    header: Header,
    /// Shows how many records each registry has.
    sizes: Proven,
    members: BTreeMap<MemberNumber, Option<Member>>,
    books: BTreeMap<BookNumber, Option<Book>>,
    batches: BTreeMap<LinePlace, Batch>,
}

impl<'a> Reader<'a> {
    /// Reads at the newest height that any node shows.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn new(ledger: &'a mut Ledger) -> Result<Self, LedgerError> {
        let header = ledger.highest()?.0;
        let sizes = ledger.prove_at(&[Place::Record(Shelf::Parameters, 0)], header.height)?.value.1;
        let (members, books, batches) = Default::default();
        Ok(Self { ledger, header, sizes, members, books, batches })
    }

    /// The header of that height.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// A member; none where there is no such member.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn member(&mut self, number: MemberNumber) -> Result<Option<Member>, LedgerError> {
        if !self.members.contains_key(&number) {
            let found = self.record(number.0)?;
            self.members.insert(number, found);
        }
        Ok(self.members.get(&number).cloned().flatten())
    }

    /// A receipt's book, where it is its provider's book of receipts.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn book(&mut self, receipt: &Receipt) -> Result<Option<Book>, LedgerError> {
        let number = receipt.book;
        if !self.books.contains_key(&number) {
            let found = self.record(number.0)?;
            self.books.insert(number, found);
        }
        let book = self.books.get(&number).cloned().flatten();
        Ok(book.filter(|book| book.subject == Subject::Receipts && book.opener() == receipt.provider))
    }

    /// The batch at a line of a receipt's book; none where the book is not its provider's, or has no such line.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn batch(&mut self, receipt: &Receipt, place: LinePlace) -> Result<Option<Batch>, LedgerError> {
        let LinePlace { book, line } = place;
        let is_there = book == receipt.book && self.book(receipt)?.is_some_and(|book| line.0 < book.lines);
        if !is_there {
            return Ok(None);
        }
        if let Some(known) = self.batches.get(&place) {
            return Ok(Some(*known));
        }
        let places = [Place::Record(Shelf::Books, book.0), Place::Page(book, line.page()), Place::Line(book, line)];
        let proven = self.ledger.prove_at(&places, self.header.height)?.value.1;
        let batch = Batch::from_line(&proven.line(place)?);
        self.batches.insert(place, batch);
        Ok(Some(batch))
    }

    fn record<R: Record>(&mut self, number: u32) -> Result<Option<R>, LedgerError> {
        if u64::from(number) >= self.sizes.size(R::SHELF) {
            return Ok(None);
        }
        let proven = self.ledger.prove_at(&[Place::Record(R::SHELF, number)], self.header.height)?.value.1;
        Ok(Some(proven.record(number)?))
    }
}
