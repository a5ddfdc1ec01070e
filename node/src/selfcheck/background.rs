//! A look at the store of a running node: at a copy of the moment, beside its work, at half a thread.
//!
//! The copy links the files that the node reads, so that damage on the disk is found; what it finds is
//! noted at the ledger, after which nothing is served any more.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use fengni_core::Height;
use fengni_state::Founding;
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::{Depth, Report, check};
use crate::ledger::Ledger;
use crate::store::{Store, StoreError, copy};

/// Entries after which a look rests as long as it has worked.
const BREATH: u64 = 256;
/// What is said of a look that did not come to its end.
const BROKEN_OFF: &str =
    "the check broke off; next: read the node's log, then stop the node and run fengni-node check --store";

/// How far a look at the store is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Checking {
    /// Nobody has asked for one since the node started.
    Never,
    /// It is under way.
    Running {
        /// Entries that were looked at so far.
        entries: u64,
    },
    /// It is done.
    Done {
        /// What was found.
        report: Report,
    },
    /// It could not be done.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Why no look begins.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CheckError {
    /// One is under way.
    #[error("a check is under way; next: wait until it is done")]
    Busy,
    /// Nothing to look at.
    #[error("the ledger has no block yet; next: wait for the first")]
    Empty,
}

/// Looks at the store of a running node, one at a time. A look that is under way ends with this value.
pub struct Checks {
    ledger: Arc<Ledger>,
    founding: Founding,
    folder: PathBuf,
    now: Arc<Mutex<Checking>>,
    stopping: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Checks {
    /// Looks at a ledger's store, in a copy below the data folder. What a crash left of one is removed:
    /// its links keep files on the disk that the store has long replaced.
    pub fn new(ledger: Arc<Ledger>, founding: Founding, data: &Path) -> Self {
        let folder = data.join("checking");
        remove(&folder);
        let (now, thread) = (Arc::new(Mutex::new(Checking::Never)), Mutex::new(None));
        Self { ledger, founding, folder, now, stopping: Arc::default(), thread }
    }

    /// How far the last one is.
    pub fn now(&self) -> Checking {
        lock(&self.now).clone()
    }

    /// Begins to look at everything.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn begin(&self) -> Result<(), CheckError> {
        if *self.ledger.heights().borrow() == Height(0) {
            return Err(CheckError::Empty);
        }
        let mut now = lock(&self.now);
        if matches!(*now, Checking::Running { .. }) {
            return Err(CheckError::Busy);
        }
        *now = Checking::Running { entries: 0 };
        let (ledger, founding) = (Arc::clone(&self.ledger), self.founding.clone());
        let (folder, now, stopping) = (self.folder.clone(), Arc::clone(&self.now), Arc::clone(&self.stopping));
        *lock(&self.thread) = Some(std::thread::spawn(move || {
            let found = catch_unwind(AssertUnwindSafe(|| look(&ledger, &founding, &folder, &now, &stopping)));
            remove(&folder);
            *lock(&now) = match found {
                Ok(Ok(report)) => note(&ledger, report),
                Ok(Err(error)) => Checking::Failed { reason: error.to_string() },
                Err(_) => Checking::Failed { reason: BROKEN_OFF.to_owned() },
            };
        }));
        Ok(())
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = lock(&self.thread).take() {
            // What it had to tell is in the log.
            let _ = thread.join();
        }
    }
}

fn look(
    ledger: &Ledger,
    founding: &Founding,
    folder: &Path,
    now: &Mutex<Checking>,
    stopping: &AtomicBool,
) -> Result<Report, StoreError> {
    // What a crash left of the one before.
    copy::remove(folder).map_err(StoreError::Make)?;
    ledger.store().copy_to(folder)?;
    let store = Store::open_copy(folder, ledger.domain())?;
    let mut since = Instant::now();
    let mut tell = |entries: u64| {
        if stopping.load(Ordering::Relaxed) {
            // Out of whatever loop this is in, as a panic that tells nobody.
            resume_unwind(Box::new(()));
        }
        if entries.is_multiple_of(BREATH) {
            *lock(now) = Checking::Running { entries };
            std::thread::sleep(since.elapsed());
            since = Instant::now();
        }
    };
    Ok(check(&store, *ledger.domain(), founding, Depth::Beside, &mut tell))
}

fn note(ledger: &Ledger, report: Report) -> Checking {
    match report.damage.first() {
        None => tracing::info!(height = %report.height, entries = report.entries, "the store is sound"),
        Some(first) => {
            tracing::error!(%first, entries = report.damage.len(), "the store is damaged: nothing is served from it");
            report.says().into_iter().for_each(|says| ledger.note_damage(says));
        }
    }
    Checking::Done { report }
}

fn remove(folder: &Path) {
    if let Err(error) = copy::remove(folder) {
        tracing::warn!(%error, "the copy that was checked cannot be deleted");
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
