//! The store: what a node keeps on disk, in RocksDB.
//!
//! One atomic, synced batch a block: a block and everything it changed are there together or not
//! at all. This folder is the only place that names the database.
//!
//! ```text
//! blocks        height            encoded block
//! certificates  height            commit certificate, validators of the height
//! handovers     height            validators that decide from the next height on, where they change
//! recoveries    height            by what the validators of the height were named, where a recovery did
//! outcomes      height            outcomes of the block
//! transactions  id                height, place
//! records       shelf, number     registry record
//! pages, heads  book, page        page record, act heads
//! lines         book, page        48 bytes a line
//! seals, acts   book, number      seal, act
//! tags          space, tag        book, line of the current line
//! candidates    height, round, id proposer, valid round, encoded block: undecided
//! ```

mod blocks;
mod candidates;
mod evidence;
mod keys;
mod register;

use std::path::Path;

use fengni_core::{Domain, Height};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, Options, WriteOptions,
};
use thiserror::Error;

pub use blocks::{FinalBlock, Finality};
pub use candidates::StoredCandidate;

use crate::fault;

/// A column family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Meta,
    Blocks,
    Certificates,
    Handovers,
    Outcomes,
    Transactions,
    Records,
    Pages,
    Heads,
    Lines,
    Seals,
    Acts,
    Tags,
    Candidates,
    Recoveries,
}

impl Column {
    const ALL: [Self; 15] = [
        Self::Meta,
        Self::Blocks,
        Self::Certificates,
        Self::Handovers,
        Self::Outcomes,
        Self::Transactions,
        Self::Records,
        Self::Pages,
        Self::Heads,
        Self::Lines,
        Self::Seals,
        Self::Acts,
        Self::Tags,
        Self::Candidates,
        Self::Recoveries,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Blocks => "blocks",
            Self::Certificates => "certificates",
            Self::Handovers => "handovers",
            Self::Outcomes => "outcomes",
            Self::Transactions => "transactions",
            Self::Records => "records",
            Self::Pages => "pages",
            Self::Heads => "heads",
            Self::Lines => "lines",
            Self::Seals => "seals",
            Self::Acts => "acts",
            Self::Tags => "tags",
            Self::Candidates => "candidates",
            Self::Recoveries => "recoveries",
        }
    }

    /// Lines and commitments are random bytes; looking for a tag that is not there is the common
    /// case when a seal is checked, and a filter answers it without reading.
    fn options(self, cache: &Cache) -> Options {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_block_size(16 * 1024);
        if matches!(self, Self::Tags | Self::Transactions) {
            table.set_bloom_filter(10.0, false);
            table.set_cache_index_and_filter_blocks(true);
        }
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        options.set_compression_type(DBCompressionType::Lz4);
        options
    }
}

/// Why a store cannot be opened.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refuses.
    #[error("cannot open the store: {0}; next: see that no other node uses this home and that its disk has room")]
    Open(#[from] rocksdb::Error),
    /// The store is of another network.
    #[error("the store belongs to network {found}, the genesis is of {expected}; next: use another home directory")]
    OtherNetwork {
        /// Network in the store.
        found: String,
        /// Network of the genesis.
        expected: String,
    },
}

/// A node's durable state.
pub struct Store {
    db: DB,
}

impl Store {
    /// Opens or makes the store of one network.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, domain: &Domain) -> Result<Self, StoreError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_max_background_jobs(2);
        options.set_keep_log_file_num(4);
        options.set_max_total_wal_size(256 * 1024 * 1024);
        let cache = Cache::new_lru_cache(128 * 1024 * 1024);
        let columns = Column::ALL.map(|column| ColumnFamilyDescriptor::new(column.name(), column.options(&cache)));
        let store = Self { db: DB::open_cf_descriptors(&options, path, columns)? };
        let expected = domain.network.to_string();
        match store.get(Column::Meta, b"network") {
            None => store.db.put_cf(store.column(Column::Meta), b"network", &expected)?,
            Some(found) if found == expected.as_bytes() => (),
            Some(found) => {
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(StoreError::OtherNetwork { found, expected });
            }
        }
        Ok(store)
    }

    /// Height of the last final block; 0 before the first.
    pub fn last_height(&self) -> Height {
        self.get(Column::Meta, b"last").map_or(Height(0), |bytes| Height(keys::to_u64(&bytes)))
    }

    /// Writes everything to its final place and packs it, so that its size can be measured.
    pub fn compact(&self) {
        for column in Column::ALL {
            self.db.compact_range_cf(self.column(column), None::<&[u8]>, None::<&[u8]>);
        }
    }

    /// Writes every entry to `out`: column, key and value, each after its length in eight bytes,
    /// big endian. So an auditor sees all that is stored, without the database's compression.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn dump(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        for column in Column::ALL {
            for (key, value) in self.scan(column, &[]) {
                for part in [column.name().as_bytes(), &key, &value] {
                    out.write_all(&(part.len() as u64).to_be_bytes())?;
                    out.write_all(part)?;
                }
            }
        }
        Ok(())
    }

    fn column(&self, column: Column) -> &ColumnFamily {
        self.db.cf_handle(column.name()).expect("every column was named when the store was opened")
    }

    /// A read that fails ends the process: a guess would lead the node away from the others.
    fn get(&self, column: Column, key: &[u8]) -> Option<Vec<u8>> {
        self.db.get_cf(self.column(column), key).unwrap_or_else(|error| fault::stop("store read", error))
    }

    /// Keys and values of a range of keys with one prefix, in order.
    fn scan(&self, column: Column, prefix: &[u8]) -> impl Iterator<Item = (Box<[u8]>, Box<[u8]>)> + use<'_> {
        let prefix = prefix.to_vec();
        self.scan_from(column, &prefix).take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// Keys and values from a key on, in order.
    fn scan_from(&self, column: Column, first: &[u8]) -> impl Iterator<Item = (Box<[u8]>, Box<[u8]>)> + use<'_> {
        let mode = rocksdb::IteratorMode::From(first, rocksdb::Direction::Forward);
        let entries = self.db.iterator_cf(self.column(column), mode);
        entries.map(|entry| entry.unwrap_or_else(|error| fault::stop("store read", error)))
    }

    fn synced() -> WriteOptions {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        options
    }
}
