//! The light client's file: what a device trusts between two uses.

use std::path::Path;

use fengni_core::NetworkId;
use fengni_core::light::{LightClient, Saved};
use fengni_genesis::Genesis;

use crate::disk::{self, FileError};

/// Bytes of the file, at most.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a client's file.
///
/// # Errors
/// [`FileError`], also for the file of another network.
pub fn load(path: &Path, network: NetworkId) -> Result<LightClient, FileError> {
    let saved: Saved =
        serde_json::from_slice(&disk::read(path, FILE_BYTES)?).map_err(|error| FileError::content(path, error))?;
    saved.open(network).map_err(|reason| FileError::content(path, reason))
}

/// Reads a client's file, or begins at the founding where there is none yet.
///
/// # Errors
/// [`FileError`]; a damaged file is not silently replaced, because that would go back.
pub fn open(path: &Path, genesis: &Genesis) -> Result<LightClient, FileError> {
    match load(path, genesis.network()) {
        Err(error) if error.is_missing() => Ok(LightClient::from_checkpoint(genesis.checkpoint())),
        other => other,
    }
}

/// Writes a client's file, whole and durably.
///
/// # Errors
/// [`FileError`].
pub fn save(client: &LightClient, path: &Path) -> Result<(), FileError> {
    let json = serde_json::to_vec_pretty(&client.saved()).map_err(|error| FileError::content(path, error))?;
    disk::write_private(path, &json)
}
