//! The register for people: everything a proof, a header or a block says, once a quorum stands behind it.

use fengni_core::block::Block;
use fengni_core::bytes::Bytes;
use fengni_core::light::LightClient;
use fengni_core::limits::{BLOCK_BYTES, PROOF_BYTES};
use fengni_core::{CommitCertificate, codec};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, moment, thrown};
use crate::{proven, trust};

/// Follows one network from a checkpoint and reads what its nodes prove.
#[wasm_bindgen]
pub struct Register {
    light: LightClient,
}

#[wasm_bindgen]
impl Register {
    /// Begins at a checkpoint, in its encoding. Whoever chooses it chooses the network.
    ///
    /// # Errors
    /// Where the bytes are no checkpoint.
    #[wasm_bindgen(constructor)]
    pub fn new(checkpoint: &[u8]) -> Answer<Register> {
        Ok(Self { light: LightClient::from_checkpoint(trust::checkpoint(checkpoint)?) })
    }

    /// Goes on where a verifier's or another register's `save` left off, so that no answer goes back.
    ///
    /// # Errors
    /// Where what was saved is damaged or of another network.
    pub fn resume(&mut self, saved: &[u8]) -> Answer<()> {
        trust::resume(&mut self.light, saved)
    }

    /// What a device keeps between two uses.
    pub fn save(&self) -> Vec<u8> {
        trust::save(&self.light)
    }

    /// Follows handovers to the next sets of validators, as a gateway gives them; how many there
    /// were.
    ///
    /// # Errors
    /// Where one hands nothing over; those before it are followed.
    pub fn follow(&mut self, handovers: &[u8], now: f64) -> Answer<usize> {
        trust::follow(&mut self.light, handovers, now)
    }

    /// Where trust stands: checkpoint, newest height, contradictions.
    pub fn trust(&self, now: f64) -> String {
        trust::show(&self.light, now)
    }

    /// Reads a state proof: everything it proves.
    ///
    /// # Errors
    /// Where it proves nothing, and why.
    #[wasm_bindgen(js_name = checkProof)]
    pub fn check_proof(&mut self, proof: &[u8], now: f64) -> Answer<String> {
        proven::check_proof(&mut self.light, proof, now)
    }

    /// Reads a header with its certificate.
    ///
    /// # Errors
    /// Where no quorum stands behind it.
    #[wasm_bindgen(js_name = checkHeader)]
    pub fn check_header(&mut self, bytes: &[u8], now: f64) -> Answer<String> {
        proven::check_header(&mut self.light, bytes, now)
    }

    /// Reads a block with its certificate: what was asked in it.
    ///
    /// # Errors
    /// Where no quorum stands behind it, or where its transactions are not those of its header.
    #[wasm_bindgen(js_name = checkBlock)]
    pub fn check_block(&mut self, bytes: &[u8], now: f64) -> Answer<String> {
        let (body, certificate): (Bytes, CommitCertificate) =
            codec::decode(bytes, BLOCK_BYTES + PROOF_BYTES).map_err(thrown)?;
        let block = Block::decode(&body.0).map_err(thrown)?;
        self.light.accept(&block.header, &certificate, moment(now)).map_err(thrown)?;
        if !block.is_bound(self.light.domain()) {
            return Err(thrown("the transactions are not those of the header"));
        }
        let header = proven::header_view(&self.light, &block.header, &certificate)?;
        Ok(proven::show_block(&header, &block))
    }
}
