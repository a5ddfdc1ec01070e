//! Signatures of webhooks: `v1a` of Standard Webhooks 1.0.0, with ed25519. Rule M-6.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fengni_core::{PublicKey, SecretKey};

/// The header `webhook-signature` of a message.
///
/// - `id`: without a full stop, which parts what is signed.
/// - `secs`: when the attempt is made, in seconds since 1970.
pub(crate) fn sign(key: &SecretKey, id: &str, secs: u64, body: &str) -> String {
    let signature = key.sign(format!("{id}.{secs}.{body}").as_bytes());
    format!("v1a,{}", STANDARD.encode(signature.raw()))
}

/// The public key as receivers are given it.
pub(crate) fn shown(key: &PublicKey) -> String {
    format!("whpk_{}", STANDARD.encode(key.bytes()))
}

#[cfg(test)]
mod tests {
    use fengni_core::{KeyAlgorithm, Signature};

    use super::*;

    /// The values are those of the Python package cryptography.
    #[test]
    fn m6_a_signature_is_that_of_standard_webhooks() {
        let key = SecretKey::from_seed(KeyAlgorithm::Ed25519, &[7; 32]).expect("a seed");
        assert_eq!(shown(&key.public()), "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=");
        let (id, secs, body) = ("fengni-00000000-7-0-0", 1_700_000_000, r#"{"type":"seal"}"#);
        let signature = sign(&key, id, secs, body);
        let wanted = "v1a,c+0FK7lIHsDg/GVBnIRH1zYteTeUQTohRJHeRs6Mwt0Jf0DuGkGBqmfhbj0fxoDTZyTUIfxAUZdt3eF8Apm9AA==";
        assert_eq!(signature, wanted);
        let raw = STANDARD.decode(signature.strip_prefix("v1a,").expect("its scheme")).expect("base64");
        let raw = Signature::new(KeyAlgorithm::Ed25519, &raw).expect("64 bytes");
        let signed = format!("{id}.{secs}.{body}");
        assert!(key.public().verify(signed.as_bytes(), &raw));
        assert!(!key.public().verify(signed.replace("seal", "sale").as_bytes(), &raw));
    }
}
