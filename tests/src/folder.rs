//! Folders and files as an operator makes them: nodes' folders copied, and files that hold secrets.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Copies a folder with everything in it.
///
/// # Panics
/// When something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder is writable");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

/// Writes a file that its owner alone reads.
///
/// # Panics
/// When the folder is not writable.
pub(crate) fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the folder is writable");
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).expect("its own file");
}
