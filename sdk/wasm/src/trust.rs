//! The light client's part of every class: whom it believes, and how a device keeps that.

use fengni_core::codec;
use fengni_core::light::{Checkpoint, Handover, LightClient};
use fengni_core::limits::{HANDOVERS_BYTES, PROOF_BYTES};
use fengni_core::{Height, Millis, NetworkId};
use serde::Serialize;

use crate::answer::{Answer, json, moment, thrown};
use crate::kept;

/// Where trust stands.
#[derive(Serialize)]
struct Trust {
    network: NetworkId,
    checkpoint_height: Height,
    checkpoint_time: Millis,
    checkpoint_age_secs: u64,
    newest_height: Option<Height>,
    newest_time: Option<Millis>,
    contradictions: usize,
    /// Height above which a handover would lead on.
    handovers_since: Height,
}

/// Goes on where [`save`] left off.
pub(crate) fn resume(light: &mut LightClient, saved: &[u8]) -> Answer<()> {
    *light = kept::open(light.domain().network, saved)?;
    Ok(())
}

/// What a device keeps.
pub(crate) fn save(light: &LightClient) -> Vec<u8> {
    codec::encode(&light.saved())
}

/// Reads a checkpoint.
pub(crate) fn checkpoint(bytes: &[u8]) -> Answer<Checkpoint> {
    codec::decode(bytes, PROOF_BYTES).map_err(thrown)
}

/// Follows handovers in the order of their heights; how many there were.
pub(crate) fn follow(light: &mut LightClient, handovers: &[u8], now: f64) -> Answer<usize> {
    let handovers: Vec<Handover> = codec::decode(handovers, HANDOVERS_BYTES).map_err(thrown)?;
    for handover in &handovers {
        light.follow(handover, moment(now)).map_err(thrown)?;
    }
    Ok(handovers.len())
}

/// Where trust stands, as JSON.
pub(crate) fn show(light: &LightClient, now: f64) -> String {
    let (height, time) = light.checkpoint();
    json(&Trust {
        network: light.domain().network,
        checkpoint_height: height,
        checkpoint_time: time,
        checkpoint_age_secs: light.checkpoint_age_secs(moment(now)),
        newest_height: light.newest().map(|header| header.height),
        newest_time: light.newest().map(|header| header.time),
        contradictions: light.evidence().len(),
        handovers_since: light.handovers_since(),
    })
}
