//! Signatures alone: for the vectors, and for measuring what a device can do.

use fengni_core::{PublicKey, Signature};
use wasm_bindgen::prelude::wasm_bindgen;

/// Whether a signature holds. Key and signature are in their wire form: algorithm number and bytes.
/// Rules K-1 to K-5 of `sdk/spec/keys.md`; what is no key or no signature does not hold.
#[wasm_bindgen(js_name = verifySignature)]
pub fn verify_signature(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match (PublicKey::from_wire(key), Signature::from_wire(signature)) {
        (Ok(key), Ok(signature)) => key.verify(message, &signature),
        _ => false,
    }
}
