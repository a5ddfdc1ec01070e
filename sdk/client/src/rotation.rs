//! Rotating keys (密钥轮换): a new one from a height on, and the end of the one before.

use fengni_core::operation::Operation;
use fengni_core::record::NewKey;
use fengni_core::{Height, KeyNumber};

/// Gives the acting member a key.
///
/// - `key`: proven, see [`crate::application::prove_key`].
/// - `from`: the first height at which it signs, after the including one and within the window.
/// - `ends`: the key it takes the place of, and the last height at which that one signs: `from` − 1
///   or later, so that nothing on its way is lost.
pub fn rotate(key: NewKey, from: Height, ends: Option<(KeyNumber, Height)>) -> Operation {
    Operation::RotateKey { key: Box::new(key), from, ends }
}
