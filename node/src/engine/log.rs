//! The engine's log: what this node said and heard in the height in progress.
//!
//! The engine hangs for safety when an entry does not check, in the middle of its start. Here the log
//! is read before, so that the node says what is wrong and does not start. A person then has it set
//! aside; without it the node knows from the guard what it signed, but no longer what it is locked
//! on, so that it stays quiet until the network has made that height final.

use std::path::{Path, PathBuf};

use fengni_core::Height;
use malachite_wal::Log;
use thiserror::Error;

/// The log's file, in the folder of consensus.
pub(crate) const FILE: &str = "wal";

/// Why a log cannot be used.
#[derive(Debug, Error)]
pub enum LogError {
    /// An entry does not check, or the file is no log.
    #[error(
        "the engine's log {path} is damaged: {reason}; next: fengni-node repair-log, which sets it aside, then start \
         the node again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing that says what this key signed.
    #[error(
        "{path}, the record of signed votes, is missing: without the engine's log and this record nobody knows what \
         the key has signed; next: restore the record, or have another consensus key registered"
    )]
    NoGuard {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file cannot be moved.
    #[error("{path} cannot be set aside: {error}; next: look at the disk and at who owns the file")]
    Move {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Whether there is a log at all.
pub(crate) fn is_there(home: &Path) -> bool {
    home.join(FILE).exists()
}

/// Reads the whole log, as the engine will when it begins this height.
///
/// # Errors
/// [`LogError::Damaged`].
pub fn check(home: &Path, next: Height) -> Result<(), LogError> {
    let path = home.join(FILE);
    if !path.exists() {
        return Ok(());
    }
    let damaged = |reason: std::io::Error| LogError::Damaged { path: path.clone(), reason: reason.to_string() };
    let mut log = Log::open(&path).map_err(damaged)?;
    // A log of another height is begun afresh, whatever is in it.
    if log.sequence() != next.0 || log.is_empty() {
        return Ok(());
    }
    for entry in log.iter().map_err(damaged)? {
        entry.map_err(damaged)?;
    }
    Ok(())
}

/// Moves the log of a stopped node aside; `None` where there is none.
///
/// # Errors
/// [`LogError::Move`].
pub fn set_aside(home: &Path) -> Result<Option<PathBuf>, LogError> {
    let path = home.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let free = (1u32..).map(|number| home.join(format!("{FILE}.aside-{number}"))).find(|aside| !aside.exists());
    let aside = free.expect("numbers do not end before the disk does");
    std::fs::rename(&path, &aside).map_err(|error| LogError::Move { path, error })?;
    Ok(Some(aside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(home: &Path) -> PathBuf {
        let path = home.join(FILE);
        let mut log = Log::open(&path).expect("a new log");
        log.reset(5).expect("the disk is well");
        for entry in [[1; 40], [2; 40], [3; 40]] {
            log.append(entry).expect("the disk is well");
        }
        log.flush().expect("the disk is well");
        path
    }

    #[test]
    fn a_flipped_byte_is_found_and_a_torn_end_is_none() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let home = folder.path();
        check(home, Height(5)).expect("no log is no damage");
        let path = log(home);
        check(home, Height(5)).expect("whole");
        let whole = std::fs::read(&path).expect("it is there");
        let mut flipped = whole.clone();
        // Inside the second entry's content.
        let place = whole.windows(40).position(|window| window == [2; 40]).expect("it was written");
        flipped[place + 7] ^= 1;
        std::fs::write(&path, &flipped).expect("the folder is writable");
        let said = check(home, Height(5)).expect_err("damaged").to_string();
        assert!(said.contains("is damaged") && said.contains("next: fengni-node repair-log"), "{said}");
        check(home, Height(6)).expect("a log of an older height is not read");
        // A crash tears the end: the engine cuts it off, and so does this.
        std::fs::write(&path, &whole[..whole.len() - 9]).expect("the folder is writable");
        check(home, Height(5)).expect("the first two entries stand");
        // A head that is none.
        std::fs::write(&path, [9; 60]).expect("the folder is writable");
        assert!(check(home, Height(5)).is_err());
        assert_eq!(set_aside(home).expect("it can be moved"), Some(home.join("wal.aside-1")));
        assert_eq!(set_aside(home).expect("there is none"), None);
        check(home, Height(5)).expect("no log is no damage");
    }
}
