//! The clock of a network: the machine's, or one on which a story has its own dates.
//!
//! libfaketime, preloaded into every process of the network, adds a number of seconds to the clock.
//! The number stands in one file that all of them read, so that they go to another day together, and
//! time runs on between two days. What measures spans, such as a timeout, is left alone.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fengni_client::clock;
use fengni_core::{Day, Millis};

/// Offices open at nine in China, an hour past midnight in UTC.
const OPENING_SECS: u64 = 3_600;
/// Where the library keeps something for each process, and leaves it when that is killed.
const SHARED_MEMORY: &str = "/dev/shm";

/// The clock by which processes live. Its copies are one clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Option<Arc<Moved>>);

/// A clock that was moved.
#[derive(Debug)]
struct Moved {
    library: PathBuf,
    file: PathBuf,
    offset_secs: AtomicI64,
    started: Mutex<Vec<u32>>,
}

impl Clock {
    /// A clock that begins at nine in the morning of a day in China.
    ///
    /// - `folder`: for the file that processes read.
    ///
    /// # Panics
    /// When the day is none, or libfaketime is not there.
    pub(crate) fn on(day: &str, folder: &Path) -> Self {
        let (file, offset_secs) = (folder.join("clock"), AtomicI64::new(0));
        let clock = Self(Some(Arc::new(Moved { library: library(), file, offset_secs, started: Mutex::default() })));
        clock.go_to(day);
        clock
    }

    /// Goes to nine in the morning of another day in China, and returns that moment.
    ///
    /// # Panics
    /// When the day is none, or the clock is the machine's.
    pub(crate) fn go_to(&self, day: &str) -> Millis {
        let moved = self.0.as_ref().expect("the network has a clock of its own: Network::on");
        let day = Day::parse(day).unwrap_or_else(|| panic!("{day} is no day"));
        let moment = Millis::from_secs(u64::from(day.0) * 86_400 + OPENING_SECS);
        let offset_secs = (moment.0.cast_signed() - clock::now().0.cast_signed()).div_euclid(1_000) + 1;
        // A reader of half a file would be in another year: the whole file changes at once.
        let next = moved.file.with_extension("next");
        std::fs::write(&next, format!("{offset_secs:+}")).expect("the folder is writable");
        std::fs::rename(&next, &moved.file).expect("the folder is writable");
        moved.offset_secs.store(offset_secs, Ordering::SeqCst);
        moment
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Millis {
        let millis = self.0.as_ref().map_or(0, |moved| moved.offset_secs.load(Ordering::SeqCst) * 1_000);
        Millis(clock::now().0.saturating_add_signed(millis))
    }

    /// Starts a process that lives by it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub(crate) fn start(&self, command: &mut Command) -> Child {
        let Some(moved) = &self.0 else { return command.spawn().expect("the program starts") };
        let environment =
            [("LD_PRELOAD", moved.library.as_os_str()), ("FAKETIME_TIMESTAMP_FILE", moved.file.as_os_str())];
        let settings = ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"];
        let child = command.envs(environment).envs(settings.map(|name| (name, "1"))).spawn();
        let child = child.expect("the program starts");
        moved.started.lock().unwrap_or_else(PoisonError::into_inner).push(child.id());
        child
    }
}

impl Drop for Moved {
    /// Removes what the library left of processes that were killed.
    fn drop(&mut self) {
        for process in self.started.get_mut().unwrap_or_else(PoisonError::into_inner) {
            for name in [format!("faketime_shm_{process}"), format!("sem.faketime_sem_{process}")] {
                // What ended by itself has removed its own.
                let _ = std::fs::remove_file(Path::new(SHARED_MEMORY).join(name));
            }
        }
    }
}

/// The library, where Debian has it: in a folder of the machine's kind.
fn library() -> PathBuf {
    let kinds = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = kinds.map(|kind| kind.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
    found.expect("no libfaketime in /usr/lib; next: .ci/setup, or apt-get install faketime")
}
