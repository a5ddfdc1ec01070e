//! Private files: certificates, holder keys and tokens, which only their owner reads.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use fengni_client::keys::{StoredKey, files};
use fengni_core::SecretKey;

/// Refuses a name that is taken: no command writes over what a person has.
pub(crate) fn must_be_new(path: &Path) -> Result<()> {
    if path.exists() {
        bail!("{} exists; next: name a new file", path.display());
    }
    Ok(())
}

/// Writes a file durably; a crash leaves the old one or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(files::write_private(path, bytes)?)
}

/// Reads a file that nobody but its owner may read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).with_context(|| path.display().to_string())?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("{}: others can read this file of secrets; next: chmod 600", path.display());
        }
    }
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// Writes a holder's key.
pub(crate) fn write_key(path: &Path, key: &SecretKey) -> Result<()> {
    write(path, serde_json::to_string(&StoredKey::of(key))?.as_bytes())
}

/// Reads a holder's key. No message repeats a digit of it.
pub(crate) fn read_key(path: &Path) -> Result<SecretKey> {
    let wrong = || anyhow!("{} is no holder key", path.display());
    let stored: StoredKey = serde_json::from_slice(&read(path)?).map_err(|_| wrong())?;
    stored.open().map_err(|_| wrong())
}
