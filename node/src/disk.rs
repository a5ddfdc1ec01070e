//! The disk: a node stops before there is no room, and its small files are whole after a crash.
//!
//! A write that fails half way leaves the engine in a state that only people can judge. So the room
//! is looked at each second, and below [`ROOM_MIN`] the node stops in order and does not start.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// A node that has less does not run: what one block, its candidates and the logs may take, and time
/// to stop.
pub const ROOM_MIN: u64 = 64 * 1024 * 1024;
/// Below this, people should act.
pub const ROOM_LOW: u64 = 1024 * 1024 * 1024;

/// Bytes that a process without privileges may still write to the disk of a folder.
///
/// # Errors
/// What the system says.
pub fn room(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Why a node must not run on the disk of a folder, with the next step; `None` where there is room.
pub fn too_full(folder: &Path) -> Option<String> {
    let disk = folder.display();
    match room(folder) {
        Ok(room) if room >= ROOM_MIN => None,
        Ok(room) => Some(format!(
            "the disk of {disk} has {} MiB left and a node needs {}; next: make room there, then start the node again",
            room >> 20,
            ROOM_MIN >> 20
        )),
        Err(error) => Some(format!("the disk of {disk} does not answer: {error}; next: look at the disk")),
    }
}

/// Writes a file anew, durably: after a crash the old one is there, or the new one.
///
/// # Errors
/// Those of the disk.
pub fn write_anew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("file.json");
        for text in ["first", "2"] {
            write_anew(&path, text.as_bytes()).expect("writable");
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn room_is_told_and_a_folder_that_is_gone_is_trouble() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        assert!(room(folder.path()).expect("it is there") > 0);
        let gone = folder.path().join("gone");
        assert!(too_full(&gone).expect("trouble").contains("does not answer"));
    }
}
