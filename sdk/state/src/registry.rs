//! A registry in memory: its records and the numbered list that authenticates them.

use std::sync::Arc;

use fengni_core::list::{ListKind, NumberedList};
use fengni_core::record::Record;
use fengni_core::{Digest, Domain, Suite};
use rpds::VectorSync;

/// Records of one shelf, by number.
#[derive(Clone)]
pub struct Registry<R> {
    list: NumberedList,
    records: VectorSync<Arc<R>>,
}

impl<R: Record> Registry<R> {
    /// An empty registry.
    pub fn new(suite: Suite) -> Self {
        Self { list: NumberedList::new(suite, ListKind::Shelf), records: VectorSync::new_sync() }
    }

    /// A registry of these records.
    pub fn of(suite: Suite, records: impl IntoIterator<Item = R>) -> Self {
        let mut registry = Self::new(suite);
        for record in records {
            registry.append(record);
        }
        registry
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record with this number.
    pub fn get(&self, number: u32) -> Option<&Arc<R>> {
        self.records.get(usize::try_from(number).ok()?)
    }

    /// Records in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<R>> {
        self.records.iter()
    }

    /// Adds a record and returns its number.
    pub fn append(&mut self, record: R) -> u32 {
        let number = self.list.append(&Record::encode(&record));
        self.records.push_back_mut(Arc::new(record));
        u32::try_from(number).expect("a registry has fewer than 2^32 records: each costs a transaction")
    }

    /// Puts another version of an existing record.
    pub fn replace(&mut self, number: u32, record: R) {
        self.list.replace(u64::from(number), &Record::encode(&record));
        self.records.set_mut(number as usize, Arc::new(record));
    }

    /// The shelf's digest.
    pub fn digest(&self, domain: &Domain) -> Digest {
        self.list.digest(domain)
    }

    /// The list behind the digest.
    pub fn list(&self) -> &NumberedList {
        &self.list
    }
}
