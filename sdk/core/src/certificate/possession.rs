//! Possession (持有证明): a holder's key is sealed only if somebody has its other half.
//!
//! A holder who brings a key of their own signs, once, for one issuer. Without that an issuer
//! could seal a key that nobody has, or that is somebody else's. Rule X-11.

use crate::digest::Domain;
use crate::id::CreditCode;
use crate::keys::{KeyAlgorithm, PublicKey, SecretKey, Signature};

/// Rule X-11: the bytes a holder signs for an issuer.
pub fn possession_message(domain: &Domain, issuer: &CreditCode, holder: &PublicKey) -> Vec<u8> {
    domain.message("possession", &[issuer.as_str().as_bytes(), &holder.wire()])
}

/// Rule X-11: shows an issuer that this key is at hand.
pub fn prove_possession(domain: &Domain, issuer: &CreditCode, key: &SecretKey) -> Signature {
    key.sign(&possession_message(domain, issuer, &key.public()))
}

/// Rule X-11: whether whoever made the proof has the key, and meant this issuer.
pub fn is_possessed(domain: &Domain, issuer: &CreditCode, holder: &PublicKey, proof: &Signature) -> bool {
    holder.verify(&possession_message(domain, issuer, holder), proof)
}

/// A proof as text, like a key's: algorithm number, colon, small hexadecimal digits.
pub fn proof_text(proof: &Signature) -> String {
    format!("{}:{}", proof.algorithm().number(), hex::encode(proof.raw()))
}

/// Reads [`proof_text`]; `None` for anything else.
pub fn proof_from_text(text: &str) -> Option<Signature> {
    let (number, digits) = text.split_once(':')?;
    let algorithm = KeyAlgorithm::from_number(number.parse().ok()?)?;
    let proof = Signature::new(algorithm, &hex::decode(digits).ok()?).ok()?;
    (proof_text(&proof) == text).then_some(proof)
}
