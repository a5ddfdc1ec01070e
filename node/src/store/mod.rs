//! The store: what a node keeps on disk, in RocksDB.
//!
//! One atomic, synced batch a block: a block and everything it changed are there together or not
//! at all. This folder is the only place that names the database.
//!
//! ```text
//! blocks        height            encoded block
//! headers       height            header of a block whose body is not kept
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
pub mod copy;
mod evidence;
pub(crate) mod keys;
mod mark;
mod parts;
mod pruning;
mod raw;
mod register;

use std::path::Path;

use fengni_core::{Domain, Height};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, Options, WriteOptions,
};
use thiserror::Error;

pub use blocks::{FinalBlock, Finality};
pub use candidates::StoredCandidate;
pub use parts::{Entry, Part, key_in_book, key_of_height, key_of_record};
pub(crate) use raw::Mend;
pub use raw::Unreadable;
pub(crate) use register::LINE_BYTES;

use crate::fault;

const NETWORK: &[u8] = b"network";

/// A column family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Column {
    Meta,
    Blocks,
    Headers,
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
    const ALL: [Self; 16] = [
        Self::Meta,
        Self::Blocks,
        Self::Headers,
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

    /// Its name, in the database and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Blocks => "blocks",
            Self::Headers => "headers",
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
        if self == Self::Transactions {
            // Pruning leaves deletions all over these keys; where many gather, the file is written anew.
            options.add_compact_on_deletion_collector_factory(1024, 512, 0.5);
        }
        options
    }
}

/// Why a store cannot be opened.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refuses.
    #[error("cannot open the store: {error}; next: {next}")]
    Open {
        /// What it says.
        error: rocksdb::Error,
        /// What to do.
        next: &'static str,
    },
    /// An entry that every read begins with cannot be read.
    #[error("cannot open the store: {0}; next: {FETCH_ANEW}")]
    Unreadable(#[from] Unreadable),
    /// A store that lacks what it was made with.
    #[error("cannot open the store: it does not say of which network it is; next: {FETCH_ANEW}")]
    Nameless,
    /// The disk does not take the folder of a new store.
    #[error("cannot make the store: {0}; next: look at the disk: its room, its health, who owns the folder")]
    Make(std::io::Error),
    /// What a check has found cannot be kept for the next start.
    #[error("cannot mark the store as damaged or sound: {0}; next: look at the disk, then check again")]
    Mark(std::io::Error),
    /// A copy of the store cannot be written.
    #[error("cannot copy the store: {0}; next: see that the disk has room and the folder is on the store's disk")]
    Copy(rocksdb::Error),
    /// The store is of another network.
    #[error("the store belongs to network {found}, the genesis is of {expected}; next: use another home directory")]
    OtherNetwork {
        /// Network in the store.
        found: String,
        /// Network of the genesis.
        expected: String,
    },
}

impl StoreError {
    /// Whether another process has the store open.
    pub fn is_held(&self) -> bool {
        // The database has no code for it: its message names the file that is locked.
        matches!(self, Self::Open { error, .. } if error.to_string().contains("/LOCK:"))
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    /// To make it.
    Make,
    /// To be the node's.
    Write,
    /// To look into a copy.
    Read,
}

impl StoreError {
    /// Whether the store itself is damaged, rather than kept from being read.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Open { next, .. } => *next == FETCH_ANEW,
            Self::Unreadable(_) | Self::Nameless => true,
            Self::Make(_) | Self::Mark(_) | Self::Copy(_) | Self::OtherNetwork { .. } => false,
        }
    }
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        let next = next_step(&error);
        Self::Open { error, next }
    }
}

/// What a person does with a damaged store.
pub(crate) const FETCH_ANEW: &str = "move data/store away and start the node, which fetches the ledger again, or restore it from a backup or a \
     snapshot; leave data/consensus where it is";

/// What a person does when the database fails.
fn next_step(error: &rocksdb::Error) -> &'static str {
    match error.kind() {
        // Without its files, or with fewer columns than it was made with, a store is damaged as well.
        rocksdb::ErrorKind::Corruption | rocksdb::ErrorKind::InvalidArgument | rocksdb::ErrorKind::NotFound => {
            FETCH_ANEW
        }
        rocksdb::ErrorKind::IOError if error.as_ref().contains("No space left") => {
            "make room on the disk, then start the node again"
        }
        rocksdb::ErrorKind::IOError if error.as_ref().contains("No such file") => FETCH_ANEW,
        rocksdb::ErrorKind::IOError if error.as_ref().contains("ock") => "see that no other node uses this home",
        _ => "look at the disk: its room, its health, who owns the files; then start the node again",
    }
}

/// A read or a write of the database failed.
fn broken(what: &str, error: &rocksdb::Error) -> ! {
    fault::stop(what, format_args!("{error}; next: {}", next_step(error)))
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
        if is_empty(path) {
            make(path, domain)?;
        }
        let store = Self::open_as(path, Access::Write)?;
        store.check_network(domain)?;
        Ok(store)
    }

    fn open_as(path: &Path, access: Access) -> Result<Self, StoreError> {
        let mut options = Options::default();
        options.create_if_missing(access == Access::Make);
        options.create_missing_column_families(access == Access::Make);
        options.set_max_background_jobs(2);
        options.set_keep_log_file_num(4);
        options.set_max_total_wal_size(256 * 1024 * 1024);
        let cache = Cache::new_lru_cache(if access == Access::Write { 128 } else { 8 } * 1024 * 1024);
        let columns = Column::ALL.map(|column| ColumnFamilyDescriptor::new(column.name(), column.options(&cache)));
        let db = match access {
            Access::Make | Access::Write => DB::open_cf_descriptors(&options, path, columns)?,
            Access::Read => DB::open_cf_descriptors_read_only(&options, path, columns, false)?,
        };
        Ok(Self { db })
    }

    fn check_network(&self, domain: &Domain) -> Result<(), StoreError> {
        let expected = domain.network.to_string();
        let found = self.look_up(Column::Meta, NETWORK)?.ok_or(StoreError::Nameless)?;
        if found == expected.as_bytes() {
            return Ok(());
        }
        Err(StoreError::OtherNetwork { found: String::from_utf8_lossy(&found).into_owned(), expected })
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
        self.db.get_cf(self.column(column), key).unwrap_or_else(|error| broken("store read", &error))
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
        entries.map(|entry| entry.unwrap_or_else(|error| broken("store read", &error)))
    }

    fn synced() -> WriteOptions {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        options
    }
}

fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none())
}

/// Makes a store beside its place and moves it there: what stands in its place has all its columns and
/// knows its network. A store that lacks one was damaged, and is not taken for a new one.
fn make(path: &Path, domain: &Domain) -> Result<(), StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".making");
    let beside = Path::new(&beside);
    copy::remove(beside).map_err(StoreError::Make)?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(above).map_err(StoreError::Make)?;
    let store = Store::open_as(beside, Access::Make)?;
    store.db.put_cf_opt(store.column(Column::Meta), NETWORK, domain.network.to_string(), &Store::synced())?;
    drop(store);
    std::fs::rename(beside, path).and_then(|()| copy::sync(above)).map_err(StoreError::Make)
}
