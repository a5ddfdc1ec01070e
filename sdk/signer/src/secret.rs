//! Secret keys as text: how they are drawn, named and written down.

use fengni_core::{KeyAlgorithm, SecretKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::{self, RandomError};

/// A fresh secret key.
///
/// # Errors
/// [`RandomError`].
pub fn generate(algorithm: KeyAlgorithm) -> Result<SecretKey, RandomError> {
    loop {
        // About one seed in 2^32 is no scalar of P-256: then another one is drawn.
        if let Some(key) = SecretKey::from_seed(algorithm, &*random::secret()?) {
            return Ok(key);
        }
    }
}

/// The name of an algorithm in files and on the command line.
pub fn algorithm_name(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::P256 => "p256",
        _ => "ed25519",
    }
}

/// The algorithm with a name.
pub fn algorithm_named(name: &str) -> Option<KeyAlgorithm> {
    [KeyAlgorithm::Ed25519, KeyAlgorithm::P256].into_iter().find(|algorithm| algorithm_name(*algorithm) == name)
}

/// The 64 hexadecimal digits of a secret key. Wiped when dropped; never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Digits(String);

impl Digits {
    pub(crate) fn of(key: &SecretKey) -> Self {
        Self(hex::encode(*key.seed()))
    }

    /// The key. The error never repeats a digit.
    pub(crate) fn open(&self, algorithm: KeyAlgorithm) -> Result<SecretKey, &'static str> {
        let mut seed = Zeroizing::new([0; 32]);
        let digits = self.0.as_bytes();
        hex::decode_to_slice(digits, seed.as_mut_slice()).map_err(|_| "the seed is not 64 hexadecimal digits")?;
        SecretKey::from_seed(algorithm, &seed).ok_or("the seed is no key of its algorithm")
    }
}

/// A secret key as hexadecimal digits, beside the name of its algorithm: a holder's key in a file.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredKey {
    algorithm: String,
    seed: Digits,
}

impl StoredKey {
    /// Writes a key down.
    pub fn of(key: &SecretKey) -> Self {
        Self { algorithm: algorithm_name(key.algorithm()).to_owned(), seed: Digits::of(key) }
    }

    /// The key.
    ///
    /// # Errors
    /// What is wrong with it, without a digit of it.
    pub fn open(&self) -> Result<SecretKey, &'static str> {
        self.seed.open(algorithm_named(&self.algorithm).ok_or("unknown key algorithm")?)
    }
}
