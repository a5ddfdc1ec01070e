//! The journal's secret: what keeps whoever has the journal alone from finding somebody in it. Rule I-29.

use std::path::Path;

use fengni_client::keys::{FileError, files};
use fengni_client::random::random;
use fengni_core::{Domain, PublicKey};

use super::{JournalError, UseKey};

const FILE_BYTES: u64 = 256;

/// 32 random bytes, in a private file beside the journal.
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// Reads the secret of a journal; that of a new one is made.
    ///
    /// - `is_new`: whether there is no journal yet; one without its secret is of no use.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn open(path: &Path, is_new: bool) -> Result<Self, JournalError> {
        let read = match files::read_private(path, FILE_BYTES) {
            Err(error) if error.is_missing() && is_new => {
                files::make_private(path, hex::encode(random::<32>()?).as_bytes())?;
                files::read_private(path, FILE_BYTES)
            }
            Err(error) if error.is_missing() => {
                Err(FileError::content(path, "is missing; next: restore it with the journal"))
            }
            read => read,
        };
        let secret = hex::decode(read?.trim_ascii()).ok().and_then(|bytes| bytes.try_into().ok());
        // Nothing of the file is repeated.
        Ok(Self(secret.ok_or_else(|| FileError::content(path, "is no secret of a journal"))?))
    }

    /// Says whether a journal was made with it, and nothing else.
    pub(super) fn mark(&self, domain: &Domain) -> [u8; 32] {
        domain.digest("journal", &[&self.0]).0
    }

    /// Finds a holder's receipts again.
    pub(super) fn of_holder(&self, domain: &Domain, holder: &PublicKey) -> [u8; 32] {
        domain.digest("receipts-of", &[&self.0, &holder.wire()]).0
    }

    /// Finds receipts about a subject again.
    pub(super) fn of_subject(&self, domain: &Domain, subject: &str) -> [u8; 32] {
        domain.digest("receipts-about", &[&self.0, subject.as_bytes()]).0
    }

    /// Counts uses: a withdrawal shows a grant's digest to everybody.
    pub(super) fn of_use(&self, domain: &Domain, key: &UseKey) -> ([u8; 32], u16) {
        (domain.digest("uses-of", &[&self.0, &key.warrant.0]).0, key.kind)
    }
}
