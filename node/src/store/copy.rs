//! Copies of a store: taken while the node runs, looked into, and put in a store's place.

use std::path::{Path, PathBuf};

use fengni_core::Domain;
use rocksdb::checkpoint::Checkpoint;

use super::{Store, StoreError};

/// A folder's name in the data folder while another takes its place.
const REPLACED: &str = "store.replaced";
/// The store's name in the data folder.
const STORE: &str = "store";

/// Where a node's store is, below its data folder.
pub fn place(data: &Path) -> PathBuf {
    data.join(STORE)
}

impl Store {
    /// Writes a copy of this moment into a folder that is not there yet, on the same disk: files that
    /// never change are linked, not copied, so it takes little time and, at first, no space.
    ///
    /// # Errors
    /// [`StoreError::Copy`].
    pub fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let checkpoint = Checkpoint::new(&self.db).map_err(StoreError::Copy)?;
        checkpoint.create_checkpoint(folder).map_err(StoreError::Copy)
    }

    /// Opens a copy to read it; nothing in its folder changes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_copy(folder: &Path, domain: &Domain) -> Result<Self, StoreError> {
        let store = Self::open_as(folder, super::Access::Read)?;
        store.check_network(domain)?;
        Ok(store)
    }
}

/// Puts a folder in the place of a node's store, which no process has open. The store before is gone
/// only when the other stands.
///
/// # Errors
/// Those of the disk; [`settle`] then says which of the two it is.
pub fn put_in_place(data: &Path, folder: &Path) -> std::io::Result<()> {
    settle(data)?;
    let (store, replaced) = (place(data), data.join(REPLACED));
    if store.exists() {
        std::fs::rename(&store, &replaced)?;
    }
    std::fs::rename(folder, &store)?;
    sync(data)?;
    settle(data)
}

/// Finishes or takes back what a crash left of [`put_in_place`].
///
/// # Errors
/// Those of the disk.
pub fn settle(data: &Path) -> std::io::Result<()> {
    let (store, replaced) = (place(data), data.join(REPLACED));
    if !replaced.exists() {
        return Ok(());
    }
    if store.exists() { std::fs::remove_dir_all(&replaced) } else { std::fs::rename(&replaced, &store) }
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Those of the disk.
pub fn sync(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Copies a folder of files and folders, durably; links are not shared with the first, because a
/// database goes on writing into some of its files.
///
/// # Errors
/// Those of the disk.
pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let into = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &into)?;
        } else {
            std::fs::copy(entry.path(), &into)?;
            std::fs::File::open(&into)?.sync_all()?;
        }
    }
    sync(to)
}

/// Removes a folder if it is there.
///
/// # Errors
/// Those of the disk.
pub fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_while_a_store_is_replaced_leaves_one_of_the_two() {
        let data = tempfile::tempdir().expect("a folder");
        let (data, beside) = (data.path(), data.path().join("beside"));
        let make = |folder: &Path, word: &str| {
            std::fs::create_dir_all(folder).expect("a folder");
            std::fs::write(folder.join("word"), word).expect("a file");
        };
        let word = || std::fs::read_to_string(place(data).join("word")).expect("there is a store");
        make(&place(data), "old");
        make(&beside, "new");
        // After the first of the two renames.
        std::fs::rename(place(data), data.join(REPLACED)).expect("a rename");
        settle(data).expect("a disk");
        assert_eq!(word(), "old");
        // After both.
        std::fs::rename(place(data), data.join(REPLACED)).expect("a rename");
        std::fs::rename(&beside, place(data)).expect("a rename");
        settle(data).expect("a disk");
        assert_eq!(word(), "new");
        assert!(!data.join(REPLACED).exists());
        make(&beside, "newer");
        put_in_place(data, &beside).expect("a disk");
        assert_eq!((word().as_str(), beside.exists(), data.join(REPLACED).exists()), ("newer", false, false));
    }
}
