//! Key files of operators: one secret key each, with the number it has on the ledger.
//!
//! The file is JSON and only its owner can read it. A department that keeps its keys in hardware
//! signs elsewhere and needs none.

use std::fmt;
use std::path::Path;

use fengni_core::record::KeyPurpose;
use fengni_core::{KeyAlgorithm, KeyNumber, MemberNumber, PublicKey, SecretKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::disk::{self, FileError};
use crate::random::{self, RandomError};

const FILE_BYTES: u64 = 64 * 1024;

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

/// A secret key as hexadecimal digits, beside the name of its algorithm.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    algorithm: String,
    seed: Digits,
}

impl StoredKey {
    pub(crate) fn of(key: &SecretKey) -> Self {
        let seed = Digits(hex::encode(*key.seed()));
        Self { algorithm: algorithm_name(key.algorithm()).to_owned(), seed }
    }

    /// The key. The error never repeats a digit.
    pub(crate) fn open(&self) -> Result<SecretKey, &'static str> {
        let algorithm = algorithm_named(&self.algorithm).ok_or("unknown key algorithm")?;
        let mut seed = Zeroizing::new([0; 32]);
        let digits = self.seed.0.as_bytes();
        hex::decode_to_slice(digits, seed.as_mut_slice()).map_err(|_| "the seed is not 64 hexadecimal digits")?;
        SecretKey::from_seed(algorithm, &seed).ok_or("the seed is no key of its algorithm")
    }
}

/// An operator's key: what it is for, and where the ledger lists its public half.
#[derive(Clone)]
pub struct KeyFile {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Whose it is.
    pub member: MemberNumber,
    /// Its number among the member's keys.
    pub number: KeyNumber,
    secret: SecretKey,
}

/// The file, in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    purpose: KeyPurpose,
    member: MemberNumber,
    number: KeyNumber,
    algorithm: String,
    public: PublicKey,
    seed: Digits,
}

impl KeyFile {
    /// A key with its place on the ledger.
    pub fn new(purpose: KeyPurpose, member: MemberNumber, number: KeyNumber, secret: SecretKey) -> Self {
        Self { purpose, member, number, secret }
    }

    /// A fresh key. The ledger must list its public half under this number before it can act.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn generate(
        algorithm: KeyAlgorithm,
        purpose: KeyPurpose,
        member: MemberNumber,
        number: KeyNumber,
    ) -> Result<Self, RandomError> {
        Ok(Self::new(purpose, member, number, generate(algorithm)?))
    }

    /// The secret half.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.secret.public()
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`FileError`]; in particular [`FileError::OpenToOthers`] where others can read the file.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let bytes = Zeroizing::new(disk::read_private(path, FILE_BYTES)?);
        // serde_json quotes what it does not expect, which could be the seed.
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| FileError::content(path, "not a key file"))?;
        let key = StoredKey { algorithm: stored.algorithm, seed: stored.seed };
        let secret = key.open().map_err(|reason| FileError::content(path, reason))?;
        if secret.public() != stored.public {
            return Err(FileError::content(path, "the seed is not that of the public key"));
        }
        Ok(Self::new(stored.purpose, stored.member, stored.number, secret))
    }

    /// Writes the key file, readable by its owner alone.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let StoredKey { algorithm, seed } = StoredKey::of(&self.secret);
        let stored = Stored {
            purpose: self.purpose,
            member: self.member,
            number: self.number,
            algorithm,
            public: self.public(),
            seed,
        };
        let json = serde_json::to_vec_pretty(&stored).map_err(|_| FileError::content(path, "not a key file"))?;
        disk::write_private(path, &Zeroizing::new(json))
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({:?} key {} of member {})", self.purpose, self.number, self.member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_file_and_others_cannot_read_it() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
            let path = folder.path().join("key.json");
            let key =
                KeyFile::generate(algorithm, KeyPurpose::Issuing, MemberNumber(1), KeyNumber(4)).expect("randomness");
            key.save(&path).expect("a writable folder");
            let read = KeyFile::load(&path).expect("its own file");
            assert_eq!((read.public(), read.number, read.purpose), (key.public(), key.number, key.purpose));
            assert!(!format!("{read:?}").contains(&hex::encode(*key.secret().seed())));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = |bits| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits));
                assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
                mode(0o640).expect("the test's own file");
                assert!(matches!(KeyFile::load(&path), Err(FileError::OpenToOthers { .. })));
            }
        }
    }

    #[test]
    fn a_damaged_file_is_refused_without_repeating_its_digits() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("key.json");
        let key = KeyFile::generate(KeyAlgorithm::Ed25519, KeyPurpose::Admin, MemberNumber(0), KeyNumber(0))
            .expect("randomness");
        key.save(&path).expect("a writable folder");
        let seed = hex::encode(*key.secret().seed());
        let text = std::fs::read_to_string(&path).expect("the file");
        for (old, new) in
            [(&seed[..], "00".repeat(32)), (&seed[..], format!("{}zz", &seed[..62])), ("ed25519", "rsa".into())]
        {
            std::fs::write(&path, text.replace(old, &new)).expect("the test's own file");
            let error = KeyFile::load(&path).expect_err("damaged").to_string();
            assert!(!error.contains(&seed[..16]), "{error}");
        }
    }
}
