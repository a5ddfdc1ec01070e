//! The mark of a damaged store: what a check has found, in a file beside the entries, so that no start
//! forgets it and whoever moves the store away takes it along.

use std::io::{ErrorKind, Result};
use std::path::PathBuf;

use super::{Store, copy};

/// The mark's name in the store's folder, which the database leaves alone.
const MARK: &str = "damaged";

impl Store {
    /// What a check has found to be damaged. A mark that is torn or cannot be read is one all the same.
    pub fn known_damage(&self) -> Option<String> {
        match std::fs::read(self.mark()) {
            Ok(says) => Some(String::from_utf8_lossy(&says).trim_end().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(format!("{}: {error}", self.mark().display())),
        }
    }

    /// Marks the store as damaged, durably.
    ///
    /// - `says`: what was found and what a person does about it, in one line.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn mark_damaged(&self, says: &str) -> Result<()> {
        std::fs::write(self.mark(), format!("{says}\n"))?;
        copy::sync(&self.mark())?;
        copy::sync(self.db.path())
    }

    /// Takes the mark away, durably, if there is one.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unmark(&self) -> Result<()> {
        match std::fs::remove_file(self.mark()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| copy::sync(self.db.path())),
        }
    }

    fn mark(&self) -> PathBuf {
        self.db.path().join(MARK)
    }
}
