//! Holds: room for uses, taken before anything is looked up and counted once it is on the disk.
//!
//! Two accesses at once never share the last use of a grant: the second finds no room. Where nothing
//! comes of an access, its room is given back.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use fengni_core::Digest;
use redb::ReadableDatabase as _;

use super::tables::USES;
use super::{Journal, JournalError, Written};

/// What is counted: a kind of a grant by its place there, or a use code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct UseKey {
    /// Digest of the grant's content or of the code.
    pub(crate) warrant: Digest,
    /// Place of the kind; 0 of a code.
    pub(crate) kind: u16,
}

/// Uses of something that somebody holds room for.
pub(super) struct Live {
    counted: u32,
    held: u32,
}

/// An access as the journal finds it.
pub(crate) enum Known {
    /// It is new, and nobody else works on it now.
    New(Hold),
    /// It was answered before.
    Written(Written),
    /// It is being answered.
    Busy,
}

/// An access that is being answered, and the room that it holds.
pub(crate) struct Hold {
    journal: Arc<Journal>,
    access: Digest,
    taken: Vec<UseKey>,
}

impl Journal {
    /// Begins to answer an access.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn begin(self: &Arc<Self>, access: Digest) -> Result<Known, JournalError> {
        if !self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(access) {
            return Ok(Known::Busy);
        }
        let hold = Hold { journal: Arc::clone(self), access, taken: Vec::new() };
        // Looked at after it was taken: whoever had it before has written it by now.
        Ok(self.written(&access)?.map_or(Known::New(hold), Known::Written))
    }

    /// How often something was used, with the uses that room is held for.
    #[cfg(test)]
    pub(super) fn uses(&self, key: &UseKey) -> Result<u32, JournalError> {
        let live = self.lives();
        let room = live.get(key).map(|live| live.counted.saturating_add(live.held));
        room.map_or_else(|| self.counted(key), Ok)
    }

    fn counted(&self, key: &UseKey) -> Result<u32, JournalError> {
        let row = self.secret.of_use(&self.owner.domain, key);
        Ok(self.database.begin_read()?.open_table(USES)?.get(row)?.map_or(0, |count| count.value()))
    }

    fn lives(&self) -> MutexGuard<'_, HashMap<UseKey, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// The access.
    pub(crate) fn access(&self) -> &Digest {
        &self.access
    }

    /// Takes room for one more use; false where there is none.
    ///
    /// - `limit`: how many uses there are in all.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn take(&mut self, key: UseKey, limit: u32) -> Result<bool, JournalError> {
        let journal = Arc::clone(&self.journal);
        let mut live = journal.lives();
        // Nobody holds room for it, so that the disk has all of it.
        let (counted, held) = match live.get(&key) {
            Some(live) => (live.counted, live.held),
            None => (journal.counted(&key)?, 0),
        };
        if counted.saturating_add(held) >= limit {
            return Ok(false);
        }
        live.insert(key, Live { counted, held: held + 1 });
        self.taken.push(key);
        Ok(true)
    }

    /// Gives room back that one use is not going to take.
    pub(crate) fn release(&mut self, key: &UseKey) {
        if let Some(place) = self.taken.iter().position(|taken| taken == key) {
            self.taken.swap_remove(place);
            self.journal.give_back(&[*key], 0);
        }
    }

    /// What it held room for is counted, and on the disk.
    pub(super) fn counted(mut self) {
        let taken = std::mem::take(&mut self.taken);
        self.journal.give_back(&taken, 1);
    }
}

impl Journal {
    fn give_back(&self, taken: &[UseKey], counted: u32) {
        let mut live = self.lives();
        for key in taken {
            let Some(found) = live.get_mut(key) else { continue };
            found.held = found.held.saturating_sub(1);
            found.counted = found.counted.saturating_add(counted);
            if found.held == 0 {
                live.remove(key);
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.journal.give_back(&self.taken, 0);
        self.journal.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.access);
    }
}
