//! Parts of a store that travel to a node that joins, entry by entry, and are put together there.

use bincode::{Decode, Encode};
use fengni_core::book::{Line, Seal};
use fengni_core::bytes::Bytes;
use fengni_core::codec::{self, DecodeError};
use fengni_core::light::Handover;
use fengni_core::limits::{BLOCK_BYTES, RECORD_BYTES};
use fengni_core::outcome::Outcome;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{Block, BookNumber, Header, Height, LineNumber, LinePlace, ValidatorSet};
use rocksdb::{WriteBatch, WriteOptions};

use super::register::{LINE_BYTES, to_lines};
use super::{Column, Finality, Store, keys};
use crate::fault;

/// Where the header stands that a store will end at.
const ARRIVING: &[u8] = b"arriving";

/// A part that travels. What can be computed from these does not: tags and the index of transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Part {
    /// Registry records.
    Records,
    /// Page records.
    Pages,
    /// Act heads.
    Heads,
    /// Seals.
    Seals,
    /// Acts.
    Acts,
    /// Lines, a page at a time.
    Lines,
    /// Blocks of the newest heights.
    Blocks,
    /// Their outcomes.
    Outcomes,
}

impl Part {
    fn column(self) -> Column {
        match self {
            Self::Records => Column::Records,
            Self::Pages => Column::Pages,
            Self::Heads => Column::Heads,
            Self::Seals => Column::Seals,
            Self::Acts => Column::Acts,
            Self::Lines => Column::Lines,
            Self::Blocks => Column::Blocks,
            Self::Outcomes => Column::Outcomes,
        }
    }

    /// Whether bytes are an entry of this part: what reads the store later takes that for granted.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn check(self, value: &[u8]) -> Result<(), DecodeError> {
        let limit = if matches!(self, Self::Blocks | Self::Outcomes) { BLOCK_BYTES } else { RECORD_BYTES };
        if value.len() > limit {
            return Err(DecodeError::TooLong { found: value.len(), limit });
        }
        match self {
            Self::Pages => Page::decode(value).map(drop),
            Self::Heads => ActHeads::decode(value).map(drop),
            Self::Seals => Seal::decode(value).map(drop),
            Self::Acts => Act::decode(value).map(drop),
            Self::Blocks => Block::decode(value).map(drop),
            Self::Outcomes => codec::decode::<Vec<Outcome>>(value, limit).map(drop),
            Self::Lines if value.len().is_multiple_of(LINE_BYTES) => Ok(()),
            Self::Lines => Err(DecodeError::Malformed { reason: "not a whole number of lines".to_owned() }),
            // Each shelf has its own records: they are read when the shelf's list is made.
            Self::Records => Ok(()),
        }
    }
}

/// The key of an entry of a book.
pub fn key_in_book(book: BookNumber, number: u64) -> Vec<u8> {
    keys::in_book(book, number).to_vec()
}

/// The key of a height.
pub fn key_of_height(height: Height) -> Vec<u8> {
    keys::height(height).to_vec()
}

/// The key of a registry record.
pub fn key_of_record(shelf: u8, number: u32) -> Vec<u8> {
    keys::record(shelf, number).to_vec()
}

/// A key and its value.
pub type Entry = (Bytes, Bytes);

impl Store {
    /// Entries of a part that follow a key, at least one if there is any, and at most about `bytes`;
    /// and whether there are more.
    pub fn entries_after(&self, part: Part, after: &[u8], bytes: usize) -> (Vec<Entry>, bool) {
        let (mut entries, mut size) = (Vec::new(), 0);
        // The next key that there can be: all keys of a column are of one length.
        let first = if after.is_empty() { Vec::new() } else { [after, &[0]].concat() };
        for (key, value) in self.scan_from(part.column(), &first) {
            size += key.len() + value.len();
            if size > bytes && !entries.is_empty() {
                return (entries, true);
            }
            entries.push((Bytes(key.into_vec()), Bytes(value.into_vec())));
        }
        (entries, false)
    }

    /// Notes durably, in a store that is being put together, the header that it will end at.
    pub fn begin_arriving(&self, header: &Header) {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Meta), ARRIVING, codec::encode(header));
        self.db.write_opt(batch, &Self::synced()).unwrap_or_else(|error| fault::stop("store write", error));
    }

    /// The header that a store will end at which is being put together.
    pub fn arriving(&self) -> Option<Header> {
        let bytes = self.get(Column::Meta, ARRIVING)?;
        codec::decode(&bytes, RECORD_BYTES).ok()
    }

    /// Makes durable what was put of a part.
    pub fn settle(&self, part: Part) {
        let done = self.db.flush_cf(self.column(part.column()));
        done.unwrap_or_else(|error| fault::stop("store write", error));
    }

    /// Puts entries that were checked into a store that is not in use yet: nothing is durable before
    /// [`Store::settle`] or [`Store::complete`].
    pub fn put_entries(&self, part: Part, entries: &[Entry]) {
        let mut batch = WriteBatch::default();
        for (key, value) in entries {
            batch.put_cf(self.column(part.column()), &key.0, &value.0);
        }
        self.put(batch);
    }

    /// Puts the current lines of tags: those of a run of lines, where a later one of a tag takes the
    /// place of an earlier one.
    pub fn put_tags(&self, space: BookNumber, first: LinePlace, lines: &[Line]) {
        let mut batch = WriteBatch::default();
        for (line, number) in lines.iter().zip(first.line.0..) {
            let place = LinePlace { book: first.book, line: LineNumber(number) };
            batch.put_cf(self.column(Column::Tags), keys::tag(space, &line.tag), keys::place(place));
        }
        self.put(batch);
    }

    /// Puts a handover, with the validators of its height.
    pub fn put_handover(&self, handover: &Handover, validators: ValidatorSet) {
        let height = handover.header.height;
        let key = keys::height(height);
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Headers), key, codec::encode(&handover.header));
        batch.put_cf(self.column(Column::Handovers), key, codec::encode(&handover.next));
        let finality = Finality { certificate: handover.certificate.clone(), validators };
        batch.put_cf(self.column(Column::Certificates), key, codec::encode(&finality));
        self.put(batch);
    }

    /// Puts what makes a block final, and where its transactions stand.
    pub fn put_finality(&self, height: Height, finality: &Finality, outcomes: &[Outcome]) {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Certificates), keys::height(height), codec::encode(finality));
        self.add_transactions(&mut batch, height, outcomes);
        self.put(batch);
    }

    /// Makes durable what was put: the store ends at this height.
    ///
    /// - `kept`: the oldest height whose block is there.
    /// - `next`: the validators of the next height, where they are others than those of this one.
    pub fn complete(&self, last: Height, kept: Height, next: Option<&ValidatorSet>) {
        let broken = |error| fault::stop("store write", error);
        for column in Column::ALL {
            self.db.flush_cf(self.column(column)).unwrap_or_else(broken);
        }
        let mut batch = WriteBatch::default();
        if let Some(next) = next {
            batch.put_cf(self.column(Column::Handovers), keys::height(last), codec::encode(next));
        }
        self.add_kept(&mut batch, kept);
        batch.delete_cf(self.column(Column::Meta), ARRIVING);
        batch.put_cf(self.column(Column::Meta), b"last", keys::height(last));
        self.db.write_opt(batch, &Self::synced()).unwrap_or_else(broken);
    }

    /// The lines of a page.
    pub fn lines_of_page(&self, book: BookNumber, page: u64) -> Vec<Line> {
        to_lines(&self.page_bytes(book, fengni_core::PageNumber(page)))
    }

    fn put(&self, batch: WriteBatch) {
        let mut options = WriteOptions::default();
        // A crash leaves of each part what came first, and the rest is asked for again.
        options.disable_wal(true);
        self.db.write_opt(batch, &options).unwrap_or_else(|error| fault::stop("store write", error));
    }
}
