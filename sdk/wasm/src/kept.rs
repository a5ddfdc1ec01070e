//! A light client as a page keeps it between two uses, or hands it from one part of the package to another.

use fengni_core::light::{LightClient, Saved};
use fengni_core::{NetworkId, codec};

use crate::answer::{Answer, thrown};

/// Bytes of a saved light client, at most.
const SAVED_BYTES: usize = 16 * 1024 * 1024;

/// The light client that `save` kept.
pub(crate) fn open(network: NetworkId, saved: &[u8]) -> Answer<LightClient> {
    let saved: Saved = codec::decode(saved, SAVED_BYTES).map_err(thrown)?;
    saved.open(network).map_err(thrown)
}
