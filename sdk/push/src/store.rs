//! The store: subscriptions, how far each is, and what became of every attempt. Rules M-2, M-3, M-9.
//!
//! One file that one process writes. A step is one transaction, on disk before it returns, so that
//! whatever a crash interrupts is either done or was never begun.

use std::path::Path;

use fengni_client::clock;
use fengni_client::keys::{FileError, files};
use fengni_core::{Day, Millis};
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase as _, ReadableTable, TableDefinition, WriteTransaction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bell::Bell;
use crate::counted::{Counted, DAYS, DELIVERED};
use crate::subscription::{Name, Refusal, State, Subscription};

/// Subscriptions that have not ended: each has a thread. Of those that have, as many are kept.
pub(crate) const SUBSCRIPTIONS: usize = 64;
/// Entries that are kept of a subscription's log.
const ENTRIES: u64 = 1_000;
const CACHE_BYTES: usize = 4 * 1024 * 1024;
const FORMAT: u64 = 1;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const ROWS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("subscriptions");
/// Day, channel, whether it arrived: how many. Day 0 is all days.
const COUNTS: TableDefinition<'static, (u32, &str, bool), u64> = TableDefinition::new("counts");
const LOG: TableDefinition<'static, (&str, u64), &[u8]> = TableDefinition::new("log");

/// Why the store is of no use.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// The file.
    #[error("the store: {0}; next: see to the disk")]
    File(#[from] redb::Error),
    /// Another process has it.
    #[error("another process has the store; next: ask again, or end that one")]
    InUse,
    /// Who may read it, or what the system says.
    #[error(transparent)]
    Access(#[from] FileError),
    /// Not what this program writes.
    #[error("the store is damaged: a row cannot be read; next: restore the folder from a copy")]
    Damaged,
    /// A later program wrote it.
    #[error("the store has format {0}; next: use the program that wrote it")]
    Format(u64),
}

/// Errors of the file, each kind of them.
macro_rules! file_errors {
    ($($name:ident),*) => {
        $(impl From<redb::$name> for StoreError {
            fn from(error: redb::$name) -> Self {
                Self::File(error.into())
            }
        })*
    };
}
file_errors!(TransactionError, TableError, StorageError, CommitError);

impl From<redb::DatabaseError> for StoreError {
    fn from(error: redb::DatabaseError) -> Self {
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            other => Self::File(other.into()),
        }
    }
}

/// What became of one attempt. Rule M-9: no address is in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it was made.
    pub(crate) time: Millis,
    /// By which channel: `webhook`, `mail`, or a program's name.
    #[serde(default)]
    pub(crate) channel: String,
    /// The event's position.
    pub(crate) position: String,
    /// Which attempt of that event, from 1.
    pub(crate) attempt: u32,
    /// `delivered`, or why it was not.
    pub(crate) result: String,
}

impl Entry {
    /// One line for people.
    pub(crate) fn text(&self) -> String {
        format!("{} {} attempt {}: {}", self.time.show(), self.position, self.attempt, self.result)
    }
}

/// Subscriptions in a file.
pub(crate) struct Store {
    database: Database,
    bell: Bell,
}

impl Store {
    /// Opens a file, which is made where it is not there; only its owner reads it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = files::private_options().read(true).write(true).create(true).truncate(false).open(path);
        let backend = FileBackend::new(file.map_err(FileError::system(path))?)?;
        let database = Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
        let write = database.begin_write()?;
        {
            let mut meta = write.open_table(META)?;
            let format = meta.get("format")?.map(|format| format.value());
            match format {
                None => drop(meta.insert("format", FORMAT)?),
                Some(FORMAT) => (),
                Some(other) => return Err(StoreError::Format(other)),
            }
            if meta.get("since")?.is_none() {
                meta.insert("since", clock::now().0)?;
            }
            drop((write.open_table(ROWS)?, write.open_table(LOG)?, write.open_table(COUNTS)?));
        }
        write.commit()?;
        Ok(Self { database, bell: Bell::default() })
    }

    /// Rung at every change.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Every subscription, by name.
    pub(crate) fn all(&self) -> Result<Vec<Subscription>, StoreError> {
        rows(&self.database.begin_read()?.open_table(ROWS)?)
    }

    /// A subscription by name.
    pub(crate) fn get(&self, name: &Name) -> Result<Option<Subscription>, StoreError> {
        row(&self.database.begin_read()?.open_table(ROWS)?, name)
    }

    /// The newest entries of a subscription's log, oldest first.
    pub(crate) fn log(&self, name: &Name, most: usize) -> Result<Vec<Entry>, StoreError> {
        let log = self.database.begin_read()?.open_table(LOG)?;
        let newest = log.range(of(name))?.rev().take(most);
        let mut entries = newest.map(|entry| decode(entry?.1.value())).collect::<Result<Vec<_>, StoreError>>()?;
        entries.reverse();
        Ok(entries)
    }

    /// What was sent, by day and channel.
    pub(crate) fn counted(&self) -> Result<Counted, StoreError> {
        let read = self.database.begin_read()?;
        let since = read.open_table(META)?.get("since")?.map_or(0, |since| since.value());
        let counts = read.open_table(COUNTS)?;
        let mut rows = Vec::new();
        for row in counts.iter()? {
            let (key, count) = row?;
            let (day, channel, arrived) = key.value();
            rows.push((Day(day), channel.to_owned(), arrived, count.value()));
        }
        Ok(Counted::of(Millis(since), rows.into_iter()))
    }

    /// Takes up a subscription that waits for its approval, and gives it its serial number.
    ///
    /// # Errors
    /// [`StoreError`], and what is against it.
    pub(crate) fn add(&self, mut new: Subscription) -> Result<Result<Subscription, Refusal>, StoreError> {
        let write = self.database.begin_write()?;
        let there: Vec<Subscription> = rows(&write.open_table(ROWS)?)?;
        let live: Vec<_> = there.iter().filter(|it| it.state != State::Ended).collect();
        if live.iter().any(|it| it.name == new.name) {
            return Ok(Err(Refusal::Taken(new.name)));
        }
        if live.len() >= SUBSCRIPTIONS {
            return Ok(Err(Refusal::TooMany(live.len())));
        }
        let mut ended: Vec<_> = there.iter().filter(|it| it.state == State::Ended).collect();
        ended.sort_by_key(|it| it.serial);
        for old in ended.iter().rev().skip(SUBSCRIPTIONS) {
            write.open_table(ROWS)?.remove(old.name.as_str())?;
            write.open_table(LOG)?.retain_in(of(&old.name), |_, _| false)?;
        }
        // Of one that ended under this name, nothing is left.
        write.open_table(LOG)?.retain_in(of(&new.name), |_, _| false)?;
        {
            let mut meta = write.open_table(META)?;
            new.serial = meta.get("serial")?.map_or(0, |last| last.value()) + 1;
            meta.insert("serial", new.serial)?;
        }
        self.put(write, &new)?;
        Ok(Ok(new))
    }

    /// Changes a subscription, and notes an attempt, in one step.
    ///
    /// Returns the subscription as it is afterwards; where the change is refused, nothing is written.
    ///
    /// # Errors
    /// [`StoreError`], and what is against it.
    pub(crate) fn change(
        &self,
        name: &Name,
        with: impl FnOnce(&mut Subscription) -> Result<Option<Entry>, Refusal>,
    ) -> Result<Result<Subscription, Refusal>, StoreError> {
        let write = self.database.begin_write()?;
        let found = row(&write.open_table(ROWS)?, name)?;
        let Some(mut subscription) = found else { return Ok(Err(Refusal::Unknown(name.clone()))) };
        let entry = match with(&mut subscription) {
            Ok(entry) => entry,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(entry) = entry {
            let mut log = write.open_table(LOG)?;
            let number = subscription.next_entry;
            log.insert((name.as_str(), number), encode(&entry).as_slice())?;
            if let Some(old) = number.checked_sub(ENTRIES) {
                log.remove((name.as_str(), old))?;
            }
            subscription.next_entry += 1;
            drop(log);
            count(&write, &entry)?;
        }
        self.put(write, &subscription)?;
        Ok(Ok(subscription))
    }

    /// Writes a subscription and everything else of the step, durably.
    fn put(&self, write: WriteTransaction, subscription: &Subscription) -> Result<(), StoreError> {
        write.open_table(ROWS)?.insert(subscription.name.as_str(), encode(subscription).as_slice())?;
        write.commit()?;
        self.bell.ring();
        Ok(())
    }
}

/// Counts an attempt under its day and under all days.
fn count(write: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    let mut counts = write.open_table(COUNTS)?;
    let today = Day::of(entry.time);
    for day in [0, today.0] {
        let key = (day, entry.channel.as_str(), entry.result == DELIVERED);
        let before = counts.get(key)?.map_or(0, |count| count.value());
        counts.insert(key, before.saturating_add(1))?;
    }
    let oldest = (today.0 + 1).saturating_sub(DAYS).max(1);
    Ok(counts.retain_in((1, "", false)..(oldest, "", false), |_, _| false)?)
}

/// The places of a subscription's log.
fn of(name: &Name) -> std::ops::RangeInclusive<(&str, u64)> {
    (name.as_str(), 0)..=(name.as_str(), u64::MAX)
}

fn rows(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Vec<Subscription>, StoreError> {
    table.iter()?.map(|row| decode(row?.1.value())).collect()
}

fn row(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &Name,
) -> Result<Option<Subscription>, StoreError> {
    table.get(name.as_str())?.map(|row| decode(row.value())).transpose()
}

fn encode(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows are plain data")
}

/// What cannot be read is not repeated: it holds an address.
fn decode<T: DeserializeOwned>(row: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(row).map_err(|_| StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use fengni_core::event::{Filter, Position};
    use fengni_core::{Height, Millis};

    use super::*;
    use crate::channel::Channel;

    fn subscription(name: &str) -> Subscription {
        let channel = Channel::Mail { to: "desk@desk.example".to_owned().into() };
        Subscription::new(name.parse().expect("a name"), Filter::default(), channel)
    }

    #[test]
    fn m1_names_are_not_given_twice_and_there_is_an_end_to_subscriptions() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let store = Store::open(&folder.path().join("push.redb")).expect("a new store");
        let first = subscription("s-0");
        for number in 0..SUBSCRIPTIONS {
            assert!(store.add(subscription(&format!("s-{number}"))).expect("a healthy disk").is_ok());
        }
        let more = store.add(subscription("more")).expect("a healthy disk");
        assert_eq!(more.map(drop), Err(Refusal::TooMany(SUBSCRIPTIONS)));
        assert!(matches!(store.add(first.clone()).expect("a healthy disk"), Err(Refusal::Taken(_))));
        let ended = store.change(&first.name, |it| it.end().map(|()| None)).expect("a healthy disk");
        assert_eq!(ended.expect("it was pending").state, State::Ended);
        let again = store.add(first).expect("a healthy disk").expect("its name is free again");
        assert_eq!(again.serial, SUBSCRIPTIONS as u64 + 1, "it is another one");
        let unknown = store.change(&"none".parse().expect("a name"), |_| Ok(None)).expect("a healthy disk");
        assert!(matches!(unknown, Err(Refusal::Unknown(_))));
    }

    #[test]
    fn m9_the_log_keeps_the_newest_and_only_its_owner_reads_the_file() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("push.redb");
        let store = Store::open(&path).expect("a new store");
        let desk = subscription("desk");
        let _ = store.add(desk.clone()).expect("a healthy disk");
        let entry = |attempt| Entry {
            time: Millis(1),
            channel: "mail".to_owned(),
            position: Position::after(Height(1)).to_string(),
            attempt,
            result: "status 500".to_owned(),
        };
        let note = |attempts: std::ops::Range<u32>| {
            for attempt in attempts {
                let _ = store.change(&desk.name, |_| Ok(Some(entry(attempt)))).expect("a healthy disk");
            }
        };
        note(0..5);
        // As after many more.
        let _ = store.change(&desk.name, |it| {
            it.next_entry = ENTRIES;
            Ok(None)
        });
        note(5..8);
        let log = store.log(&desk.name, usize::MAX).expect("a healthy disk");
        assert_eq!(log.iter().map(|it| it.attempt).collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
        assert_eq!(store.log(&desk.name, 2).expect("a healthy disk"), [entry(6), entry(7)]);
        assert!(matches!(Store::open(&path), Err(StoreError::InUse)), "one process writes it");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("it").permissions());
        assert_eq!(mode & 0o077, 0);
    }
}
