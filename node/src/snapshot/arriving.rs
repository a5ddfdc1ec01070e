//! A snapshot on its way in: every byte is checked before the store counts as one.
//!
//! ```text
//! handovers from the founding ---> validators ---> header (quorum) ---> state root
//! state root ---> records ---> how many pages, seals, acts of which digest ---> the state
//! page records ---> lines ---> tags          header ---> parents ---> blocks, outcomes, transactions
//! ```
//!
//! Records come first, because they bind the number of everything else: a peer cannot fill the disk
//! with what nobody asked for. Keys are computed here and compared, so that nothing stands where it
//! does not belong.
//!
//! Whatever an earlier try has left of the same snapshot is gone through as if it came again, part by
//! part, and only the rest is asked for: a join that broke off goes on where it was.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use fengni_core::block::outcomes_digest;
use fengni_core::book::Book;
use fengni_core::bytes::Bytes;
use fengni_core::codec::DecodeError;
use fengni_core::light::{Handover, LightClient, LightError};
use fengni_core::limits::PAGE_LINES;
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Block, BookNumber, CommitCertificate, Digest, Domain, Header, Height, LineNumber, LinePlace};
use fengni_genesis::Genesis;
use fengni_state::{LoadError, State};
use thiserror::Error;

use super::PART_BYTES;
use crate::selfcheck::{ShelfError, Shelves, are_of_page};
use crate::store::{Entry, Finality, Part, Store, StoreError, copy, key_in_book, key_of_height};

/// Bytes of all registry records together: far above any register's, and what a peer can make a
/// joining node store before the state root is known to hold.
const RECORDS_BYTES: usize = 512 * 1024 * 1024;

/// Why a snapshot is thrown away.
#[derive(Debug, Error)]
pub(super) enum Refused {
    /// No quorum of the validators that the founding leads to.
    #[error("its header is not final: {0}")]
    Header(#[from] LightError),
    /// An entry where another belongs, or none.
    #[error("entries of {0:?} are missing, or not the ones that belong there")]
    Keys(Part),
    /// Not an entry at all.
    #[error("an entry of {part:?} is {error}")]
    Entry {
        /// The part.
        part: Part,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// More records than a register has.
    #[error("its records have more than {RECORDS_BYTES} bytes")]
    TooLarge,
    /// Records of another state.
    #[error("its records have state root {found}, its header says {expected}")]
    Root {
        /// Root of the records.
        found: Digest,
        /// Root in the header.
        expected: Digest,
    },
    /// Not the state of the header.
    #[error("its state does not hold: {0}")]
    State(#[from] LoadError),
    /// Lines that are not those of their page record.
    #[error("the lines of book {book}, page {page}, are not those of its record")]
    Lines {
        /// The book.
        book: BookNumber,
        /// The page.
        page: u64,
    },
    /// A block that does not lead to the header.
    #[error("block {0} is not the one that its successor names, or its outcomes are others")]
    Block(Height),
    /// Our own store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own disk.
    #[error("the data folder: {0}")]
    Disk(std::io::Error),
}

/// The keys that a part must have, in order.
type Keys = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// A store that is being put together.
pub(super) struct Arriving {
    folder: PathBuf,
    store: Store,
    header: Header,
    certificate: CommitCertificate,
    light: LightClient,
    shelves: Shelves,
    record_bytes: usize,
    waiting: VecDeque<(Part, Keys)>,
    after: Vec<u8>,
    first_block: Height,
}

impl Arriving {
    /// Begins a store in a folder, with a header and the handovers that lead to it from the founding, or
    /// goes on with what stands there of the same header.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn begin(
        folder: &Path,
        genesis: &Genesis,
        header: Header,
        certificate: CommitCertificate,
        handovers: &[Handover],
    ) -> Result<Self, Refused> {
        let domain = genesis.domain();
        // Like a replay, this follows from the founding however old that is.
        let mut light = LightClient::of_the_past(genesis.checkpoint());
        let store = open(folder, &domain, &header)?;
        for handover in handovers.iter().take_while(|handover| handover.header.height < header.height) {
            let validators = light.validators_at(handover.header.height)?.clone();
            light.follow(handover, header.time)?;
            store.put_handover(handover, validators);
        }
        light.accept(&header, &certificate, header.time)?;
        let mut arriving = Self {
            folder: folder.to_owned(),
            store,
            first_block: header.height,
            header,
            certificate,
            light,
            shelves: Shelves::new(domain.suite),
            record_bytes: 0,
            waiting: VecDeque::from([(Part::Records, Box::new(std::iter::empty()) as Keys)]),
            after: Vec::new(),
        };
        arriving.take_stored()?;
        Ok(arriving)
    }

    /// What to ask for next: a part, and the key that entries are to follow.
    pub(super) fn next(&self) -> Option<(Part, Bytes)> {
        self.waiting.front().map(|(part, _)| (*part, Bytes(self.after.clone())))
    }

    /// Takes entries of the part that [`Arriving::next`] names.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn take(&mut self, entries: &[Entry], more: bool) -> Result<(), Refused> {
        let Some((part, _)) = self.waiting.front() else { return Ok(()) };
        let part = *part;
        self.look(part, entries)?;
        self.store.put_entries(part, entries);
        // A peer that says "more" and gives nothing would be asked for ever.
        if more && !entries.is_empty() {
            return Ok(());
        }
        self.store.settle(part);
        self.close(part)?;
        self.take_stored()
    }

    /// Goes through entries of a part, whether each is the one that belongs there.
    fn look(&mut self, part: Part, entries: &[Entry]) -> Result<(), Refused> {
        let Self { waiting, shelves, record_bytes, .. } = self;
        let Some((_, keys)) = waiting.front_mut() else { return Ok(()) };
        for (key, value) in entries {
            part.check(&value.0).map_err(|error| Refused::Entry { part, error })?;
            if part == Part::Records {
                *record_bytes += value.0.len();
                take_record(shelves, *record_bytes, &key.0, &value.0)?;
            } else if keys.next().as_ref() != Some(&key.0) {
                // The copy goes on after the heights of blocks that are asked for: it never does, nor
                // does any other part.
                return Err(Refused::Keys(part));
            }
        }
        if let Some((key, _)) = entries.last() {
            self.after.clone_from(&key.0);
        }
        Ok(())
    }

    /// A part is there as far as its peer has it: the next one.
    fn close(&mut self, part: Part) -> Result<(), Refused> {
        if part == Part::Records {
            self.expect_the_rest()?;
        } else if self.waiting.pop_front().is_some_and(|(_, mut keys)| keys.next().is_some()) {
            return Err(Refused::Keys(part));
        }
        self.after = match self.waiting.front() {
            Some((Part::Blocks | Part::Outcomes, _)) => key_of_height(Height(self.first_block.0 - 1)),
            _ => Vec::new(),
        };
        Ok(())
    }

    /// Goes through what an earlier try has left of the part that is next.
    fn take_stored(&mut self) -> Result<(), Refused> {
        let Some((part, _)) = self.waiting.front() else { return Ok(()) };
        let part = *part;
        loop {
            let (entries, more) = self.store.entries_after(part, &self.after, PART_BYTES);
            self.look(part, &entries)?;
            if !more {
                return Ok(());
            }
        }
    }

    /// The records are there: if they are those of the header, they say what else belongs.
    fn expect_the_rest(&mut self) -> Result<(), Refused> {
        let domain = self.header.domain();
        let (found, expected) = (self.shelves.root(&domain), self.header.state_root);
        if found != expected {
            return Err(Refused::Root { found, expected });
        }
        let last = self.header.height;
        self.first_block = Height(last.0.saturating_sub(self.shelves.window).max(1));
        let first = self.first_block;
        let books = &self.shelves.books;
        let in_books = |size: fn(&Book) -> u64| -> Keys {
            let sizes: Vec<u64> = books.iter().map(size).collect();
            let keys = |(size, book): (u64, u32)| (0..size).map(move |number| key_in_book(BookNumber(book), number));
            Box::new(sizes.into_iter().zip(0..).flat_map(keys))
        };
        let heights = || -> Keys { Box::new((first.0..=last.0).map(|height| key_of_height(Height(height)))) };
        self.waiting = VecDeque::from([
            (Part::Pages, in_books(|book| book.pages.size)),
            (Part::Heads, in_books(|book| book.heads.size)),
            (Part::Seals, in_books(|book| book.seals.size)),
            (Part::Acts, in_books(|book| book.acts.size)),
            (Part::Lines, in_books(|book| book.pages.size)),
            (Part::Blocks, heights()),
            (Part::Outcomes, heights()),
        ]);
        Ok(())
    }

    /// Checks the whole, makes what is computed, and closes the store. It can be put in place then.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn finish(self) -> Result<(PathBuf, Height), Refused> {
        let domain = self.header.domain();
        let state = State::load(domain, &self.header, &self.store)?;
        self.index_lines(&state)?;
        self.check_blocks()?;
        let height = self.header.height;
        let next = state.next_validators();
        let changed = next != *self.light.validators_at(height)?;
        self.store.complete(height, self.first_block, changed.then_some(&next));
        Ok((self.folder, height))
    }

    /// Compares all lines with their page records, and puts their tags: only a new holder key repeats a
    /// tag, in the same book (B-4, O-8), so that the last line of a tag is its current one.
    fn index_lines(&self, state: &State) -> Result<(), Refused> {
        for (book, at) in state.books() {
            for (record, page) in at.pages().zip(0..) {
                let lines = self.store.lines_of_page(book, page);
                if !are_of_page(state.domain(), &lines, record) {
                    return Err(Refused::Lines { book, page });
                }
                self.store.put_tags(at.space(), LinePlace { book, line: LineNumber(page * PAGE_LINES) }, &lines);
            }
        }
        Ok(())
    }

    /// Goes from the header down through the parents, and puts what makes each block final.
    fn check_blocks(&self) -> Result<(), Refused> {
        let domain = self.header.domain();
        let mut id = self.header.id(&domain);
        let mut certificate = Some(self.certificate.clone());
        for height in (self.first_block.0..=self.header.height.0).rev().map(Height) {
            let wrong = || Refused::Block(height);
            let block = Block::decode(&self.store.body(height).ok_or_else(wrong)?).map_err(|_| wrong())?;
            let outcomes = self.store.outcomes(height).ok_or_else(wrong)?;
            let ids: Result<Vec<TransactionId>, _> = block
                .transactions
                .iter()
                .map(|bytes| Transaction::decode(&bytes.0).map(|transaction| transaction.body.id(&domain)))
                .collect();
            let holds = block.header.id(&domain) == id
                && block.header.height == height
                && block.is_bound(&domain)
                && outcomes_digest(&domain, &outcomes) == block.header.outcomes
                && ids.is_ok_and(|ids| ids.iter().eq(outcomes.iter().map(|outcome| &outcome.transaction)));
            if !holds {
                return Err(wrong());
            }
            let validators = self.light.validators_at(height)?.clone();
            let finality = Finality { certificate: certificate.ok_or_else(wrong)?, validators };
            self.store.put_finality(height, &finality, &outcomes);
            // A block carries the certificate of the one before, which was checked before any vote for it.
            (id, certificate) = (block.header.parent, block.parent_certificate);
        }
        Ok(())
    }
}

/// The store in a folder that will end at this header: what stands there of another is thrown away.
fn open(folder: &Path, domain: &Domain, header: &Header) -> Result<Store, Refused> {
    let store = Store::open(folder, domain)?;
    if store.arriving().as_ref() == Some(header) {
        return Ok(store);
    }
    drop(store);
    copy::remove(folder).map_err(Refused::Disk)?;
    let store = Store::open(folder, domain)?;
    store.begin_arriving(header);
    Ok(store)
}

/// Takes a record, unless there are more bytes of them than a register has.
fn take_record(shelves: &mut Shelves, bytes_so_far: usize, key: &[u8], record: &[u8]) -> Result<(), Refused> {
    if bytes_so_far > RECORDS_BYTES {
        return Err(Refused::TooLarge);
    }
    shelves.take(key, record).map_err(|error| match error {
        ShelfError::Key => Refused::Keys(Part::Records),
        ShelfError::Record(error) => Refused::Entry { part: Part::Records, error },
    })
}
