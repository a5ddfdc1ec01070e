//! Delivery: certificate files with their paths, as often as a holder needs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fengni_core::PageNumber;
use fengni_core::id::CertificateId;
use thiserror::Error;
use zeroize::Zeroizing;

use super::archive::{Archive, ArchiveError, Status};
use super::bundle::{Bundle, BundleEntry};
use super::progress::{Progress, Step};
use crate::disk::{self, FileError};
use crate::keys::StoredKey;
use crate::ledger::{Ledger, LedgerError, PagePaths};

/// Where certificate files go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A folder: `IDENTIFIER.certificate` each, and `IDENTIFIER.key` where the issuer made the key.
    Folder(PathBuf),
    /// One file for all: see [`Bundle`].
    Bundle(PathBuf),
}

/// What was delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delivered {
    /// Certificate files written.
    pub files: u64,
    /// Certificates that are not on the ledger yet.
    pub waiting: u64,
}

/// Why certificates were not delivered.
#[derive(Debug, Error)]
pub enum DeliverError {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The archive and the ledger disagree: one of them is not what it was.
    #[error("{0} on the ledger is not the certificate in the archive")]
    OtherLine(fengni_core::LinePlace),
}

/// Writes the files of these certificates, with the paths their pages give now.
///
/// # Errors
/// [`DeliverError`].
pub fn deliver(
    ledger: &mut Ledger,
    archive: &Archive,
    identifiers: &[CertificateId],
    target: &Target,
    progress: &mut dyn Progress,
) -> Result<Delivered, DeliverError> {
    let mut delivered = Delivered::default();
    let mut pages: BTreeMap<PageNumber, Vec<&CertificateId>> = BTreeMap::new();
    for identifier in identifiers {
        match archive.status(identifier) {
            Some(Status::Sealed(line)) => pages.entry(line.page()).or_default().push(identifier),
            _ => delivered.waiting += 1,
        }
    }
    let total = identifiers.len() as u64 - delivered.waiting;
    let mut out = Out::open(target)?;
    let domain = ledger.domain();
    for (page, identifiers) in pages {
        let (record, lines) = ledger.page(archive.book(), page)?.value;
        let paths = PagePaths::new(&domain, &record, &lines);
        for identifier in identifiers {
            let Some(mut archived) = archive.certificate(identifier)? else { continue };
            let key = archived.key.take();
            let Status::Sealed(line) = archived.status else { continue };
            let path = paths.path(line).unwrap_or_default();
            let Some(file) = archive.certificate_file(archived, path) else { continue };
            if lines.get(usize::from(line.place())) != Some(&file.line(&domain)) {
                return Err(DeliverError::OtherLine(file.place));
            }
            out.put(&BundleEntry { file, key })?;
            delivered.files += 1;
            progress.step(Step::Delivering, delivered.files, total);
        }
    }
    out.finish()?;
    Ok(delivered)
}

enum Out<'a> {
    Folder(&'a Path),
    Bundle(Bundle),
}

impl<'a> Out<'a> {
    fn open(target: &'a Target) -> Result<Self, FileError> {
        match target {
            Target::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(FileError::system(folder))?;
                Ok(Self::Folder(folder))
            }
            Target::Bundle(path) => Ok(Self::Bundle(Bundle::create(path)?)),
        }
    }

    fn put(&mut self, entry: &BundleEntry) -> Result<(), FileError> {
        let folder = match self {
            Self::Bundle(bundle) => return bundle.add(entry),
            Self::Folder(folder) => folder,
        };
        let identifier = entry.file.identifier();
        // The archive holds the original: a thousand files are not worth two thousand waits for the disk.
        disk::write_private_copy(&folder.join(format!("{identifier}.certificate")), &entry.file.encode())?;
        if let Some(key) = &entry.key {
            let path = folder.join(format!("{identifier}.key"));
            let json = serde_json::to_vec(&StoredKey::of(key)).map_err(|error| FileError::content(&path, error))?;
            disk::write_private_copy(&path, &Zeroizing::new(json))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), FileError> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Bundle(bundle) => bundle.finish(),
        }
    }
}
