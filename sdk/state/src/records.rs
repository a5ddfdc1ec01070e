//! What stays outside the state value: everything that only grows.
//!
//! Entries are immutable once written, so that a state of any recent height reads them: it knows
//! by its own counts how many of them were there.

use fengni_core::book::{Line, Seal, Tag};
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{ActNumber, BookNumber, LineNumber, LinePlace, PageNumber, SealNumber};

/// Reads of lines, seals, acts and the index of tags, as of the last block written.
///
/// A read that fails for an outside reason (a broken disk) must not return: a node that goes on
/// with a guess would leave the others behind.
pub trait Records {
    /// Where the current line of each tag stands, among the books of one tag space.
    fn find_tags(&self, space: BookNumber, tags: &[Tag]) -> Vec<Option<LinePlace>>;
    /// Lines of a page, as many as were written.
    fn lines(&self, book: BookNumber, page: PageNumber) -> Vec<Line>;
    /// A seal.
    fn seal(&self, book: BookNumber, seal: SealNumber) -> Option<Seal>;
    /// An act.
    fn act(&self, book: BookNumber, act: ActNumber) -> Option<Act>;

    /// One line.
    fn line(&self, place: LinePlace) -> Option<Line> {
        self.lines(place.book, place.line.page()).get(usize::from(place.line.place())).copied()
    }
}

/// The first of `count` numbers for which `later` holds, where it holds for all after it too.
pub(crate) fn partition(count: u64, later: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if later(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// One thing to store with a block. Applying the writes of all blocks in order gives what
/// [`Records`] reads and what a state is loaded from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// A registry record, new or changed.
    Record {
        /// The shelf.
        shelf: Shelf,
        /// Its number.
        number: u32,
        /// Its encoding.
        bytes: Vec<u8>,
    },
    /// Lines added to a book.
    Lines {
        /// The book.
        book: BookNumber,
        /// Number of the first.
        first: LineNumber,
        /// The lines.
        lines: Vec<Line>,
    },
    /// A tag's current line.
    Tag {
        /// The tag space: the first book of the same issuer and type.
        space: BookNumber,
        /// The tag.
        tag: Tag,
        /// The line.
        place: LinePlace,
    },
    /// A page record, new or changed.
    Page {
        /// The book.
        book: BookNumber,
        /// The page.
        page: PageNumber,
        /// The record.
        record: Page,
    },
    /// Act heads of a page, new or changed.
    Heads {
        /// The book.
        book: BookNumber,
        /// The page.
        page: PageNumber,
        /// The heads.
        heads: ActHeads,
    },
    /// A seal.
    Seal {
        /// The book.
        book: BookNumber,
        /// Its number.
        number: SealNumber,
        /// The seal.
        seal: Seal,
    },
    /// An act.
    Act {
        /// The book.
        book: BookNumber,
        /// Its number.
        number: ActNumber,
        /// The act.
        act: Act,
    },
}
