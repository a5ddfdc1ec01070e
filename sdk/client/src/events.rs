//! Following what the ledger does: every event of every block, bound by its final header.
//!
//! A node's own stream of events (N-31) is a view. Here a block, its transactions and all its
//! outcomes are held against a header that a quorum signed, and the events are derived from them:
//! nothing is left out and nothing is added, whoever answers.

use fengni_core::block::Header;
use fengni_core::book::Book;
use fengni_core::event::{Directory, Event, Filter, Position};
use fengni_core::{BookNumber, Height, Millis};

use crate::ledger::{Ledger, LedgerError};
use crate::patience::Patience;

/// How often is waited for a node that is a block behind.
const PAUSES: usize = 30;

/// Events from a position on, block by block.
pub struct Follow {
    filter: Filter,
    since: Position,
    next: Height,
    newest: Header,
    directory: Directory,
}

impl Follow {
    /// Begins after a position, or now.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn new(ledger: &mut Ledger, filter: Filter, since: Option<Position>) -> Result<Self, LedgerError> {
        let newest = ledger.highest()?.0;
        // At that height: an older list would lack books, and their events would say less than they do.
        let directory = directory(&Patience(PAUSES).ask(|| ledger.shelf_at(newest.height))?);
        let since = since.unwrap_or(Position::after(newest.height));
        // A position within a block: what is behind it in the block was seen.
        let next = if since == Position::after(since.height) { since.height.next() } else { since.height };
        Ok(Self { filter, since, next: next.max(Height(1)), newest, directory })
    }

    /// Where to begin again: everything up to here was given.
    pub fn position(&self) -> Position {
        self.since
    }

    /// Time of the newest block that any node shows: where it is long ago, nodes may be hiding some.
    pub fn newest(&self) -> Millis {
        self.newest.time
    }

    /// The wanted events of the next block; `None` where there is none yet.
    ///
    /// # Errors
    /// [`LedgerError`]; the block is asked for again next time.
    pub fn next_block(&mut self, ledger: &mut Ledger) -> Result<Option<Vec<Event>>, LedgerError> {
        if self.next > self.newest.height {
            // Of all nodes: one that shows no more blocks hides nothing as long as another does.
            self.newest = ledger.highest()?.0;
        }
        if self.next > self.newest.height {
            return Ok(None);
        }
        let events = ledger.events(self.next, &mut self.directory)?.value;
        let since = self.since;
        self.since = self.since.max(Position::after(self.next));
        self.next = self.next.next();
        Ok(Some(events.into_iter().filter(|event| event.position > since && self.filter.matches(event)).collect()))
    }
}

/// What events are derived with: all books of the register.
pub(crate) fn directory(books: &[Book]) -> Directory {
    let mut directory = Directory::default();
    (0..).zip(books).for_each(|(number, book)| directory.note(BookNumber(number), book));
    directory
}
