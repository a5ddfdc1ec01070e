//! Files: written whole or not at all, and private where they hold secrets.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Trouble with a file.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of secrets that others than its owner can read.
    #[error("{}: others can read this file of secrets; next: chmod 600", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
    },
    /// Larger than such a file can be.
    #[error("{}: more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// Not what the file should hold.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl FileError {
    /// Trouble of the system with a file.
    pub fn system(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::System { path, source }
    }

    /// A file that holds something else.
    pub fn content(path: &Path, reason: impl ToString) -> Self {
        Self::Content { path: path.to_owned(), reason: reason.to_string() }
    }

    /// Whether the file is simply not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::System { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(FileError::system(path))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(FileError::system(path))?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Reads a file of secrets, which nobody but its owner may read.
///
/// # Errors
/// [`FileError`].
pub fn read_private(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_err(FileError::system(path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(FileError::OpenToOthers { path: path.to_owned() });
        }
    }
    read(path, limit)
}

/// Options for a new file that only its owner reads.
pub fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Puts `bytes` in the place of a file, durably; only the owner can read it.
///
/// A crash leaves the old file or the new one.
///
/// # Errors
/// [`FileError`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    put_private(path, bytes, true)?;
    sync_folder(path)
}

/// As [`write_private`], for a file that can be made again: whole, but durable only later.
///
/// # Errors
/// [`FileError`].
pub fn write_private_copy(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    put_private(path, bytes, false)
}

fn put_private(path: &Path, bytes: &[u8], durable: bool) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // What a crash left behind could have another mode: a new file is made each time.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FileError::system(&new)(error)),
        _ => (),
    }
    let mut file = private_options().write(true).create_new(true).open(&new).map_err(FileError::system(&new))?;
    file.write_all(bytes).map_err(FileError::system(&new))?;
    if durable {
        file.sync_all().map_err(FileError::system(&new))?;
    }
    std::fs::rename(&new, path).map_err(FileError::system(path))
}

/// Makes a private file that is made once, durably: where another process is faster, that one's counts.
///
/// # Errors
/// [`FileError`].
pub fn make_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let (process, thread) = (std::process::id(), std::thread::current().id());
    let own = path.with_extension(format!("{process}.{thread:?}.made"));
    put_private(&own, bytes, true)?;
    let linked = std::fs::hard_link(&own, path);
    std::fs::remove_file(&own).map_err(FileError::system(&own))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(FileError::system(path)(error)),
        _ => sync_folder(path),
    }
}

/// Makes a file's name durable in its folder.
///
/// # Errors
/// [`FileError`].
pub fn sync_folder(path: &Path) -> Result<(), FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::system(folder))?;
    }
    Ok(())
}
