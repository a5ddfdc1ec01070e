//! What receipts are held against: members, books and batches, each proven once and as of one height.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use fengni_core::block::Header;
use fengni_core::book::Book;
use fengni_core::proof::{Place, Proven};
use fengni_core::record::Member;
use fengni_core::sharing::{Batch, Receipt};
use fengni_core::shelf::Shelf;
use fengni_core::{LinePlace, MemberNumber};

use crate::ledger::{Ledger, LedgerError};

/// A reader of one height.
pub(super) struct Reader<'a> {
    pub(super) ledger: &'a mut Ledger,
    header: Header,
    /// Shows how many records each registry has.
    sizes: Proven,
    /// Receipts of one batch ask for the same places.
    proven: BTreeMap<Vec<Place>, Proven>,
}

impl<'a> Reader<'a> {
    /// Reads at the newest height that any node shows.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn new(ledger: &'a mut Ledger) -> Result<Self, LedgerError> {
        let header = ledger.highest()?.0;
        let sizes = ledger.prove_at(&[Place::Record(Shelf::Parameters, 0)], header.height)?.value.1;
        Ok(Self { ledger, header, sizes, proven: BTreeMap::new() })
    }

    /// The header of that height.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// A state that shows how many records each registry has, and nothing else of use.
    pub(super) fn sizes(&self) -> &Proven {
        &self.sizes
    }

    /// The state with these places.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn prove(&mut self, places: Vec<Place>) -> Result<&Proven, LedgerError> {
        match self.proven.entry(places) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(free) => {
                let proven = self.ledger.prove_at(free.key(), self.header.height)?.value.1;
                Ok(free.insert(proven))
            }
        }
    }

    /// A member; none where there is no such member.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn member(&mut self, number: MemberNumber) -> Result<Option<Member>, LedgerError> {
        if u64::from(number.0) >= self.sizes.size(Shelf::Members) {
            return Ok(None);
        }
        Ok(Some(self.prove(vec![Place::Record(Shelf::Members, number.0)])?.record(number.0)?))
    }

    /// A receipt's book, where it is its provider's book of receipts.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn book(&mut self, receipt: &Receipt) -> Result<Option<Book>, LedgerError> {
        if u64::from(receipt.book.0) >= self.sizes.size(Shelf::Books) {
            return Ok(None);
        }
        Ok(receipt.own_book(self.prove(vec![Place::Record(Shelf::Books, receipt.book.0)])?)?)
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
        let places = vec![Place::Record(Shelf::Books, book.0), Place::Page(book, line.page()), Place::Line(book, line)];
        Ok(receipt.batch_at(place, self.prove(places)?)?)
    }
}
