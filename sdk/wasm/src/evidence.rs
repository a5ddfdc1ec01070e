//! What a state proof proves, for a wallet: by what another part of the package believes.
//!
//! The wallet follows no network of its own, so that a page believes one light client in all it shows.

use fengni_core::Millis;
use fengni_core::proof::{Proven, StateProof};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{self, Answer, moment, thrown};
use crate::kept;

/// Proven entries of a state, and the moment at which they are looked at.
#[wasm_bindgen]
pub struct Evidence {
    pub(crate) proven: Proven,
    pub(crate) now: Millis,
}

#[wasm_bindgen]
impl Evidence {
    /// Checks a proof.
    ///
    /// - `trusted`: what a register's or a verifier's `save` gave.
    ///
    /// # Errors
    /// Where no quorum that it believes stands behind the proof, and why.
    #[wasm_bindgen(constructor)]
    pub fn new(network: &str, trusted: &[u8], proof: &[u8], now: f64) -> Answer<Evidence> {
        let mut light = kept::open(answer::network(network)?, trusted)?;
        let (proof, now) = (StateProof::decode(proof).map_err(thrown)?, moment(now));
        Ok(Self { proven: light.prove(&proof, now).map_err(thrown)?, now })
    }
}
