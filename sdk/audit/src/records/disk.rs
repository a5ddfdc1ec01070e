//! Records in a file: what a replay writes and reads, and what its state is loaded from again.
//!
//! One atomic write brings the file from one block to a later one, so that a replay that is killed
//! finds it as it was at one of them. What lies between is in memory, and bounded.

use std::fs::OpenOptions;
use std::path::Path;

use fengni_core::book::{Book, Line, Seal, Tag};
use fengni_core::codec::DecodeError;
use fengni_core::limits::PAGE_LINES;
use fengni_core::record::Record as _;
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{ActNumber, BookNumber, LineNumber, LinePlace, PageNumber, SealNumber};
use fengni_state::{Records, StateParts, Write};
use redb::backends::FileBackend;
use redb::{Database, ReadOnlyTable, ReadableDatabase as _, TableDefinition};

use super::Keep;
use super::pending::Pending;
use super::sieve::Sieve;

/// Bytes of the file that are kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;
const LINE_BYTES: usize = 48;

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Reading = ReadOnlyTable<&'static [u8], &'static [u8]>;

const TAGS: Table = Table::new("tags");
const LINES: Table = Table::new("lines");
const SEALS: Table = Table::new("seals");
const ACTS: Table = Table::new("acts");
const PAGES: Table = Table::new("pages");
const HEADS: Table = Table::new("heads");
const RECORDS: Table = Table::new("records");
/// What is not a record: how far the replay has come.
const ROWS: Table = Table::new("rows");

/// A row that is no record: its key, and its value or nothing where it goes.
pub(crate) type Row = (Vec<u8>, Option<Vec<u8>>);

/// Rows of a table.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Records in a file, and those that are not there yet.
///
/// # Panics
/// Reads and writes, where the disk fails or the file is damaged: going on with a guess would blame
/// the ledger for it.
pub struct DiskRecords {
    database: Database,
    reading: Tables,
    pending: Pending,
    /// Every tag of the file and of what is pending.
    sieve: Sieve,
}

/// The file as it was last brought up to date.
struct Tables {
    tags: Reading,
    lines: Reading,
    seals: Reading,
    acts: Reading,
}

impl Tables {
    fn of(database: &Database) -> Result<Self, redb::Error> {
        let now = database.begin_read()?;
        Ok(Self {
            tags: now.open_table(TAGS)?,
            lines: now.open_table(LINES)?,
            seals: now.open_table(SEALS)?,
            acts: now.open_table(ACTS)?,
        })
    }
}

impl DiskRecords {
    /// Records in a file of a folder, which is made where it is not there.
    ///
    /// # Errors
    /// Those of the disk, a damaged file, or one that another process has open.
    pub fn open(folder: &Path) -> Result<Self, redb::Error> {
        std::fs::create_dir_all(folder).map_err(redb::StorageError::Io)?;
        let path = folder.join("replay.redb");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        Self::in_file(file.map_err(redb::StorageError::Io)?)
    }

    /// Records in a file that nobody else sees, and that is gone with the process.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn temporary() -> Result<Self, redb::Error> {
        Self::in_file(tempfile::tempfile().map_err(redb::StorageError::Io)?)
    }

    fn in_file(file: std::fs::File) -> Result<Self, redb::Error> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(FileBackend::new(file)?)?;
        let write = database.begin_write()?;
        for table in [TAGS, LINES, SEALS, ACTS, PAGES, HEADS, RECORDS, ROWS] {
            drop(write.open_table(table)?);
        }
        write.commit()?;
        let reading = Tables::of(&database)?;
        let mut records = Self { database, reading, pending: Pending::default(), sieve: Sieve::new() };
        let mut sieve = Sieve::new();
        records.each(TAGS, &[], |key, _| {
            let (space, tag) = to_tag(key);
            sieve.add(space, &tag);
        })?;
        records.sieve = sieve;
        Ok(records)
    }

    /// How many entries are not in the file yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Rows whose keys begin with `prefix`, in order.
    pub(crate) fn rows(&self, prefix: &[u8]) -> Rows {
        self.scan(ROWS, prefix)
    }

    /// Brings the file up to date, with these rows, durably: all of it or nothing.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn commit(&mut self, rows: &[Row]) -> Result<(), redb::Error> {
        let Pending { tags, lines, seals, acts, pages, heads, records } = std::mem::take(&mut self.pending);
        let mut tags: Vec<([u8; 20], [u8; 12])> =
            tags.into_iter().map(|((space, tag), place)| (tag_key(space, &tag), place_bytes(place))).collect();
        tags.sort_unstable();
        let mut lines: Vec<_> = lines.into_iter().collect();
        lines.sort_unstable_by_key(|(key, _)| *key);
        let lines = lines.into_iter().map(|((book, page), lines)| {
            let bytes: Vec<u8> = lines.iter().flat_map(Line::bytes).collect();
            (in_book(book, page.0), bytes)
        });
        let write = self.database.begin_write()?;
        insert_all(&write, TAGS, tags)?;
        insert_all(&write, LINES, lines)?;
        insert_all(
            &write,
            SEALS,
            seals.into_iter().map(|((book, number), it)| (in_book(book, number.0), it.encode())),
        )?;
        insert_all(&write, ACTS, acts.into_iter().map(|((book, number), it)| (in_book(book, number.0), it.encode())))?;
        insert_all(&write, PAGES, pages.into_iter().map(|((book, page), it)| (in_book(book, page.0), it.encode())))?;
        insert_all(&write, HEADS, heads.into_iter().map(|((book, page), it)| (in_book(book, page.0), it.encode())))?;
        insert_all(&write, RECORDS, records.into_iter().map(|((shelf, number), it)| (of_shelf(shelf, number), it)))?;
        {
            let mut table = write.open_table(ROWS)?;
            for (key, value) in rows {
                match value {
                    Some(value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                    None => drop(table.remove(key.as_slice())?),
                }
            }
        }
        write.commit()?;
        self.reading = Tables::of(&self.database)?;
        Ok(())
    }

    /// Every row of a table whose key begins with `prefix`, in order.
    fn each(&self, table: Table, prefix: &[u8], mut with: impl FnMut(&[u8], &[u8])) -> Result<(), redb::Error> {
        let table = self.database.begin_read()?.open_table(table)?;
        for entry in table.range::<&[u8]>(prefix..)? {
            let (key, value) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            with(key.value(), value.value());
        }
        Ok(())
    }

    fn scan(&self, table: Table, prefix: &[u8]) -> Rows {
        let mut rows = Vec::new();
        let read = self.each(table, prefix, |key, value| rows.push((key.to_vec(), value.to_vec())));
        read.unwrap_or_else(|error| broken(&error));
        rows
    }

    fn in_book<T>(&self, table: Table, book: BookNumber, read: impl Fn(&[u8]) -> Result<T, DecodeError>) -> Vec<T> {
        let mut found = Vec::new();
        let all = self.each(table, &book.0.to_be_bytes(), |_, value| {
            found.push(read(value).unwrap_or_else(|error| broken(&error)));
        });
        all.unwrap_or_else(|error| broken(&error));
        found
    }
}

fn insert_all<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    write: &redb::WriteTransaction,
    table: Table,
    entries: impl IntoIterator<Item = (K, V)>,
) -> Result<(), redb::Error> {
    let mut table = write.open_table(table)?;
    for (key, value) in entries {
        table.insert(key.as_ref(), value.as_ref())?;
    }
    Ok(())
}

impl Keep for DiskRecords {
    fn keep(&mut self, writes: &[Write]) {
        let stored = |book, page| stored_lines(&self.reading.lines, book, page);
        self.pending.take(writes, stored);
        for write in writes {
            if let Write::Tag { space, tag, .. } = write {
                self.sieve.add(*space, tag);
            }
        }
    }
}

impl Records for DiskRecords {
    fn find_tags(&self, space: BookNumber, tags: &[Tag]) -> Vec<Option<LinePlace>> {
        let find = |tag: &Tag| {
            if !self.sieve.may_have(space, tag) {
                return None;
            }
            let newer = self.pending.tags.get(&(space, *tag)).copied();
            newer.or_else(|| one(&self.reading.tags, &tag_key(space, tag), to_place))
        };
        tags.iter().map(find).collect()
    }

    fn lines(&self, book: BookNumber, page: PageNumber) -> Vec<Line> {
        let newer = self.pending.lines.get(&(book, page)).cloned();
        newer.unwrap_or_else(|| stored_lines(&self.reading.lines, book, page))
    }

    fn seal(&self, book: BookNumber, seal: SealNumber) -> Option<Seal> {
        let newer = self.pending.seals.get(&(book, seal)).cloned();
        newer.or_else(|| one(&self.reading.seals, &in_book(book, seal.0), |bytes| Seal::decode(bytes).ok()).flatten())
    }

    fn act(&self, book: BookNumber, act: ActNumber) -> Option<Act> {
        let newer = self.pending.acts.get(&(book, act)).cloned();
        newer.or_else(|| one(&self.reading.acts, &in_book(book, act.0), |bytes| Act::decode(bytes).ok()).flatten())
    }
}

/// The file alone: what is pending is not in it yet.
impl StateParts for DiskRecords {
    fn records(&self, shelf: Shelf) -> Vec<Vec<u8>> {
        self.scan(RECORDS, &[shelf as u8]).into_iter().map(|(_, value)| value).collect()
    }

    fn pages(&self, book: BookNumber) -> Vec<Page> {
        self.in_book(PAGES, book, Page::decode)
    }

    fn heads(&self, book: BookNumber) -> Vec<ActHeads> {
        self.in_book(HEADS, book, ActHeads::decode)
    }

    fn seals(&self, book: BookNumber) -> Vec<Seal> {
        self.in_book(SEALS, book, Seal::decode)
    }

    fn acts(&self, book: BookNumber) -> Vec<Act> {
        self.in_book(ACTS, book, Act::decode)
    }

    fn open_lines(&self, book: BookNumber) -> Vec<Line> {
        let record = self.scan(RECORDS, &of_shelf(Shelf::Books, book.0));
        let record = record.first().and_then(|(_, bytes)| Book::decode(bytes).ok());
        match record.map_or(0, |record| record.lines) {
            count if count.is_multiple_of(PAGE_LINES) => Vec::new(),
            count => stored_lines(&self.reading.lines, book, LineNumber(count - 1).page()),
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> ! {
    panic!("the replay's file cannot be read or is damaged: {error}; next: see to the disk, or begin in another folder")
}

fn one<T>(table: &Reading, key: &[u8], read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let found = table.get(key).unwrap_or_else(|error| broken(&error));
    found.map(|value| read(value.value()))
}

fn stored_lines(table: &Reading, book: BookNumber, page: PageNumber) -> Vec<Line> {
    let lines = one(table, &in_book(book, page.0), |bytes| {
        let (lines, _) = bytes.as_chunks::<LINE_BYTES>();
        lines.iter().map(Line::from_bytes).collect()
    });
    lines.unwrap_or_default()
}

/// Numbers in network order, so that what belongs together stands together and rises.
fn in_book(book: BookNumber, number: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&book.0.to_be_bytes());
    key[4..].copy_from_slice(&number.to_be_bytes());
    key
}

fn of_shelf(shelf: Shelf, number: u32) -> [u8; 5] {
    let mut key = [shelf as u8; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

fn tag_key(space: BookNumber, tag: &Tag) -> [u8; 20] {
    let mut key = [0; 20];
    key[..4].copy_from_slice(&space.0.to_be_bytes());
    key[4..].copy_from_slice(&tag.0);
    key
}

fn to_tag(key: &[u8]) -> (BookNumber, Tag) {
    let (Some((space, rest)), true) = (key.split_first_chunk(), key.len() == 20) else {
        broken(&"a tag's key is not twenty bytes")
    };
    let mut tag = Tag::default();
    tag.0.copy_from_slice(rest);
    (BookNumber(u32::from_be_bytes(*space)), tag)
}

fn place_bytes(place: LinePlace) -> [u8; 12] {
    in_book(place.book, place.line.0)
}

fn to_place(bytes: &[u8]) -> LinePlace {
    let (Some((book, rest)), true) = (bytes.split_first_chunk(), bytes.len() == 12) else {
        broken(&"a tag's place is not twelve bytes")
    };
    let line = rest.try_into().map_or(0, u64::from_be_bytes);
    LinePlace { book: BookNumber(u32::from_be_bytes(*book)), line: LineNumber(line) }
}
