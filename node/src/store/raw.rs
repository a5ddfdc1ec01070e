//! Reads that may fail: how a store is examined that may be damaged.
//!
//! Everywhere else a read that fails ends the process; whoever looks for damage names it and goes on.

use rocksdb::{IteratorMode, ReadOptions, WriteBatch};
use thiserror::Error;

use super::{Column, Store};

/// A key and its value, as they stand in a column.
pub(crate) type Raw = (Box<[u8]>, Box<[u8]>);

/// The database does not give what it should have.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("the database cannot read it: {0}")]
pub struct Unreadable(String);

impl From<rocksdb::Error> for Unreadable {
    fn from(error: rocksdb::Error) -> Self {
        Self(error.to_string())
    }
}

/// What puts an entry right that can be computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mend {
    /// Its column.
    pub(crate) column: Column,
    /// Its key.
    pub(crate) key: Vec<u8>,
    /// Its value; `None` where there is to be none.
    pub(crate) value: Option<Vec<u8>>,
}

impl Store {
    /// An entry, its checksum verified.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn look_up(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
        Ok(self.db.get_cf(self.column(column), key)?)
    }

    /// Whether there are blocks, or something that cannot be read in their place.
    pub(crate) fn has_blocks(&self) -> bool {
        [Column::Blocks, Column::Certificates].into_iter().any(|column| self.look_through(column, &[]).next().is_some())
    }

    /// Entries from a key on, in order, their checksums verified; the first error is the last item.
    pub(crate) fn look_through(
        &self,
        column: Column,
        first: &[u8],
    ) -> impl Iterator<Item = Result<Raw, Unreadable>> + use<'_> {
        self.look(column, IteratorMode::From(first, rocksdb::Direction::Forward))
    }

    /// Entries below a key, falling; without one, from the last on.
    pub(crate) fn look_back(
        &self,
        column: Column,
        below: Option<&[u8]>,
    ) -> impl Iterator<Item = Result<Raw, Unreadable>> + use<'_> {
        let from = below.map(<[u8]>::to_vec);
        let mode = from.as_ref().map_or(IteratorMode::End, |key| IteratorMode::From(key, rocksdb::Direction::Reverse));
        let entries = self.look(column, mode);
        entries.skip_while(move |entry| entry.as_ref().is_ok_and(|(key, _)| Some(&**key) == from.as_deref()))
    }

    fn look(&self, column: Column, mode: IteratorMode<'_>) -> impl Iterator<Item = Result<Raw, Unreadable>> + use<'_> {
        let mut options = ReadOptions::default();
        // What is read once must not push out what the node reads all the time.
        options.fill_cache(false);
        let entries = self.db.iterator_cf_opt(self.column(column), options, mode);
        entries.map(|entry| entry.map_err(Unreadable::from))
    }

    /// Puts right what can be computed. Each entry is right by itself, so that a crash between two
    /// leaves fewer wrong ones and no other.
    ///
    /// # Errors
    /// [`Unreadable`], where the disk takes no writes.
    pub(crate) fn mend(&self, mends: &[Mend]) -> Result<(), Unreadable> {
        const AT_ONCE: usize = 4096;
        for some in mends.chunks(AT_ONCE) {
            let mut batch = WriteBatch::default();
            for Mend { column, key, value } in some {
                match value {
                    Some(value) => batch.put_cf(self.column(*column), key, value),
                    None => batch.delete_cf(self.column(*column), key),
                }
            }
            self.db.write_opt(batch, &Self::synced())?;
        }
        Ok(())
    }
}
