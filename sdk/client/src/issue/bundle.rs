//! Bundles: many certificate files in one, for a demonstration or a hand-over to a wallet service.
//!
//! One JSON object a line: `identifier`, `file` (hexadecimal) and, where the issuer made the
//! holder's key, `key`. Whoever has a bundle with keys can show every certificate in it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use fengni_core::bytes::Bytes;
use fengni_core::certificate::CertificateFile;
use fengni_core::{Domain, SecretKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::disk::{self, FileError};
use crate::keys::StoredKey;

/// Bytes of a bundle, at most.
const BUNDLE_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// One certificate of a bundle.
#[derive(Clone)]
pub struct BundleEntry {
    /// The certificate file.
    pub file: CertificateFile,
    /// The holder's key, where the issuer made it.
    pub key: Option<SecretKey>,
}

/// Names the certificate's place and nothing it says.
impl std::fmt::Debug for BundleEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BundleEntry({})", self.file.place)
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    identifier: String,
    file: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<StoredKey>,
}

/// A bundle that is being written. It takes its name when it is finished.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    new: PathBuf,
    out: BufWriter<File>,
}

impl Bundle {
    /// Begins a bundle, readable by its owner alone.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        let _ = std::fs::remove_file(&new);
        let file = disk::private_options().write(true).create_new(true).open(&new).map_err(FileError::system(&new))?;
        Ok(Self { path: path.to_owned(), new, out: BufWriter::new(file) })
    }

    /// Adds a certificate.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn add(&mut self, entry: &BundleEntry) -> Result<(), FileError> {
        let stored = Stored {
            identifier: entry.file.identifier().to_string(),
            file: Bytes(entry.file.encode()),
            key: entry.key.as_ref().map(StoredKey::of),
        };
        let line = Zeroizing::new(serde_json::to_vec(&stored).map_err(|error| FileError::content(&self.new, error))?);
        self.out.write_all(&line).and_then(|()| self.out.write_all(b"\n")).map_err(FileError::system(&self.new))
    }

    /// Makes the bundle durable and gives it its name.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn finish(self) -> Result<(), FileError> {
        let Self { path, new, out } = self;
        let file = out.into_inner().map_err(|error| FileError::system(&new)(error.into_error()))?;
        file.sync_all().map_err(FileError::system(&new))?;
        std::fs::rename(&new, &path).map_err(FileError::system(&path))?;
        disk::sync_folder(&path)
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// [`FileError`], also for a certificate of another network.
    pub fn read(path: &Path, domain: &Domain) -> Result<Vec<BundleEntry>, FileError> {
        let bytes = Zeroizing::new(disk::read_private(path, BUNDLE_BYTES)?);
        let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.is_empty());
        let entries = lines.map(|(number, line)| {
            let wrong = |reason: &str| FileError::content(path, format!("line {number}: {reason}"));
            let stored: Stored = serde_json::from_slice(line).map_err(|_| wrong("not an entry of a bundle"))?;
            let file = CertificateFile::decode(domain, &stored.file.0).map_err(|error| wrong(&error.to_string()))?;
            let key = stored.key.map(|key| key.open().map_err(wrong)).transpose()?;
            Ok(BundleEntry { file, key })
        });
        entries.collect()
    }
}
