//! Key files (密钥文件): one form for people and for nodes. Rules K-6 to K-9: `sdk/spec/keys.md`.
//!
//! ```json
//! {
//!   "purpose": "issuing", "member": 1, "number": 4, "algorithm": "ed25519", "public": "1:d75a…",
//!   "encrypted": "-----BEGIN ENCRYPTED PRIVATE KEY-----…"
//! }
//! ```
//!
//! In the place of `encrypted` stands `seed`, 64 hexadecimal digits in the open, or `token`, which
//! names a key in a PKCS#11 token. The file is JSON and only its owner can read it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fengni_core::{KeyNumber, MemberNumber, PublicKey, SecretKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::encrypted;
use crate::files::{self, FileError};
use crate::key_use::KeyUse;
use crate::passphrase::{Passphrase, PassphraseError, Passphrases};
use crate::random::RandomError;
use crate::secret::{Digits, algorithm_name, algorithm_named};
use crate::signer::Signer;
use crate::token::{Token, TokenError, TokenKey};

const FILE_BYTES: u64 = 64 * 1024;

/// Why a key file gives no key.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The token it names.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A key that acts has to say whose it is.
    #[error(
        "{}: does not say which member's key it is and under which number; next, once the ledger lists it: \
         fengni key place", path.display()
    )]
    NotPlaced {
        /// The file.
        path: PathBuf,
    },
    /// It recovers a network and acts for no member.
    #[error("{}: a recovery key acts for no member; next: fengni recovery sign", path.display())]
    Recovery {
        /// The file.
        path: PathBuf,
    },
    /// The key has to leave its file, which one in a token cannot.
    #[error("{}: names a key in a token, and this one has to be in a file; next: name a key file", path.display())]
    InToken {
        /// The file.
        path: PathBuf,
    },
}

/// How a file keeps its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeping {
    /// In the open: whoever reads the file signs.
    Plain,
    /// Encrypted with a passphrase.
    Encrypted,
    /// In a token that signs itself.
    Token,
}

#[derive(Clone)]
enum Kept {
    Plain(SecretKey),
    Encrypted(String),
    Token(TokenKey),
}

/// A key file that has been read and not yet opened.
#[derive(Clone)]
pub struct KeyFile {
    /// What the key is for.
    pub purpose: KeyUse,
    /// Whose it is, once the ledger says so.
    pub member: Option<MemberNumber>,
    /// Its number among the member's keys, once the ledger lists it.
    pub number: Option<KeyNumber>,
    public: PublicKey,
    kept: Kept,
    path: PathBuf,
}

/// The file, in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    purpose: KeyUse,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<MemberNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<KeyNumber>,
    algorithm: String,
    public: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<Digits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encrypted: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<TokenKey>,
}

impl KeyFile {
    /// A key in the open, for sample networks and automation.
    pub fn plain(purpose: impl Into<KeyUse>, secret: SecretKey) -> Self {
        Self::new(purpose.into(), secret.public(), Kept::Plain(secret))
    }

    /// A key encrypted with a passphrase.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn encrypted(
        purpose: impl Into<KeyUse>,
        secret: &SecretKey,
        passphrase: &Passphrase,
    ) -> Result<Self, RandomError> {
        let pem = encrypted::encrypt(secret, passphrase)?;
        Ok(Self::new(purpose.into(), secret.public(), Kept::Encrypted(pem)))
    }

    /// A key in a token, by its public half.
    pub fn token(purpose: impl Into<KeyUse>, public: PublicKey, token: TokenKey) -> Self {
        Self::new(purpose.into(), public, Kept::Token(token))
    }

    fn new(purpose: KeyUse, public: PublicKey, kept: Kept) -> Self {
        Self { purpose, member: None, number: None, public, kept, path: PathBuf::new() }
    }

    /// The same key with its place on the ledger.
    #[must_use]
    pub fn at(self, member: Option<MemberNumber>, number: Option<KeyNumber>) -> Self {
        Self { member, number, ..self }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// How the key is kept.
    pub fn keeping(&self) -> Keeping {
        match self.kept {
            Kept::Plain(_) => Keeping::Plain,
            Kept::Encrypted(_) => Keeping::Encrypted,
            Kept::Token(_) => Keeping::Token,
        }
    }

    /// The key in a token that the file names, if it does.
    pub fn token_key(&self) -> Option<&TokenKey> {
        match &self.kept {
            Kept::Token(key) => Some(key),
            _ => None,
        }
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a key file. What is encrypted stays so.
    ///
    /// # Errors
    /// [`FileError`]; in particular [`FileError::OpenToOthers`] where others can read the file.
    ///
    /// # Source
    /// `sdk/spec/keys.md`, rules K-6 and K-7.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let bytes = Zeroizing::new(files::read_private(path, FILE_BYTES)?);
        let wrong = |reason: &str| FileError::content(path, reason);
        // serde_json quotes what it does not expect, which could be the seed.
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| wrong("not a key file"))?;
        let algorithm = algorithm_named(&stored.algorithm).ok_or_else(|| wrong("unknown key algorithm"))?;
        if stored.public.algorithm() != algorithm {
            return Err(wrong("the public key is of another algorithm"));
        }
        let kept = match (stored.seed, stored.encrypted, stored.token) {
            (Some(seed), None, None) => {
                let secret = seed.open(algorithm).map_err(wrong)?;
                if secret.public() != stored.public {
                    return Err(wrong("the seed is not that of the public key"));
                }
                Kept::Plain(secret)
            }
            (None, Some(pem), None) if encrypted::is_encrypted(&pem) => Kept::Encrypted(pem),
            (None, Some(_), None) => return Err(wrong("the encrypted key is no PKCS#8 in PEM")),
            (None, None, Some(token)) => Kept::Token(token),
            _ => return Err(wrong("a key file has either a seed, an encrypted key or a token")),
        };
        let Stored { purpose, member, number, public, .. } = stored;
        Ok(Self { purpose, member, number, public, kept, path: path.to_owned() })
    }

    /// Writes the key file, readable by its owner alone.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let (mut seed, mut encrypted, mut token) = (None, None, None);
        match &self.kept {
            Kept::Plain(secret) => seed = Some(Digits::of(secret)),
            Kept::Encrypted(pem) => encrypted = Some(pem.clone()),
            Kept::Token(key) => token = Some(key.clone()),
        }
        let Self { purpose, member, number, public, .. } = *self;
        let algorithm = algorithm_name(public.algorithm()).to_owned();
        let stored = Stored { purpose, member, number, algorithm, public, seed, encrypted, token };
        let json = serde_json::to_vec_pretty(&stored).map(Zeroizing::new);
        files::write_private(path, &json.map_err(|_| FileError::content(path, "not a key file"))?)
    }

    /// The key, ready to sign; a token is logged in to.
    ///
    /// # Errors
    /// [`OpenError::Passphrase`] and [`OpenError::Token`].
    pub fn open(&self, passphrases: &Passphrases) -> Result<Arc<dyn Signer>, OpenError> {
        match &self.kept {
            Kept::Token(key) => {
                let folder = self.path.parent().unwrap_or(Path::new(""));
                Ok(Arc::new(Token::open(&key.seen_from(folder), self.public)?))
            }
            _ => Ok(Arc::new(self.secret(passphrases)?)),
        }
    }

    /// The secret itself, for what needs more than signatures.
    ///
    /// # Errors
    /// [`OpenError::InToken`] and [`OpenError::Passphrase`].
    pub fn secret(&self, passphrases: &Passphrases) -> Result<SecretKey, OpenError> {
        match &self.kept {
            Kept::Plain(secret) => Ok(secret.clone()),
            Kept::Encrypted(pem) => {
                let what = self.path.display().to_string();
                let open = |passphrase: &Passphrase| encrypted::decrypt(pem, &self.public, passphrase);
                Ok(passphrases.open(&what, open)?)
            }
            Kept::Token(_) => Err(OpenError::InToken { path: self.path.clone() }),
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({} key {}, {:?})", self.purpose, self.public, self.keeping())
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::KeyAlgorithm;
    use fengni_core::record::KeyPurpose;

    use super::*;
    use crate::passphrase::Source;
    use crate::{HeldKey, generate};

    fn passphrases(folder: &Path, text: &str) -> Passphrases {
        let path = folder.join(format!("passphrase-{text}"));
        files::write_private(&path, text.as_bytes()).expect("a writable folder");
        Passphrases::new(vec![Source::File(path)])
    }

    #[test]
    fn k6_a_key_survives_its_file_and_others_cannot_read_it() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let right = passphrases(folder.path(), "right");
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
            let path = folder.path().join("key.json");
            let secret = generate(algorithm).expect("randomness");
            let fresh = right.fresh("key.json").expect("a passphrase");
            let encrypted = KeyFile::encrypted(KeyPurpose::Issuing, &secret, &fresh).expect("randomness");
            for key in [KeyFile::plain(KeyPurpose::Issuing, secret.clone()), encrypted] {
                key.clone().at(Some(MemberNumber(1)), Some(KeyNumber(4))).save(&path).expect("a writable folder");
                let read = KeyFile::load(&path).expect("its own file");
                assert_eq!((read.public(), read.keeping()), (secret.public(), key.keeping()));
                let held = HeldKey::open(&read, &right).expect("the right passphrase");
                assert_eq!(
                    (held.public(), held.number, held.purpose),
                    (key.public(), KeyNumber(4), KeyPurpose::Issuing)
                );
                let signature = held.sign(b"a message").expect("a key in memory signs");
                assert!(held.public().verify(b"a message", &signature));
                let seed = hex::encode(*secret.seed());
                assert!(!format!("{read:?}{held:?}").contains(&seed[..16]));
                let text = std::fs::read_to_string(&path).expect("the file");
                assert_eq!(text.contains(&seed), read.keeping() == Keeping::Plain);
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
    }

    #[test]
    fn k7_a_damaged_file_is_refused_without_repeating_its_digits() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("key.json");
        let secret = generate(KeyAlgorithm::Ed25519).expect("randomness");
        KeyFile::plain(KeyPurpose::Admin, secret.clone()).save(&path).expect("a writable folder");
        let seed = hex::encode(*secret.seed());
        let text = std::fs::read_to_string(&path).expect("the file");
        let changes = [
            (&seed[..], "00".repeat(32)),
            (&seed[..], format!("{}zz", &seed[..62])),
            ("ed25519", "rsa".into()),
            ("ed25519", "p256".into()),
            ("\"seed\"", "\"encrypted\"".into()),
            ("\"seed\"", "\"sead\"".into()),
            ("\"seed\"", "\"encrypted\": \"x\", \"seed\"".into()),
        ];
        for (old, new) in changes {
            std::fs::write(&path, text.replace(old, &new)).expect("the test's own file");
            let error = KeyFile::load(&path).expect_err("damaged").to_string();
            assert!(!error.contains(&seed[..16]), "{error}");
        }
    }

    #[test]
    fn k8_a_wrong_passphrase_and_a_key_without_a_place_are_refused() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("key.json");
        let secret = generate(KeyAlgorithm::P256).expect("randomness");
        let fresh = passphrases(folder.path(), "right").fresh("key.json").expect("a passphrase");
        let key = KeyFile::encrypted(KeyPurpose::Admin, &secret, &fresh).expect("randomness");
        key.save(&path).expect("a writable folder");
        let read = KeyFile::load(&path).expect("its own file");
        let wrong = read.secret(&passphrases(folder.path(), "wrong")).expect_err("another passphrase");
        assert!(matches!(wrong, OpenError::Passphrase(PassphraseError::Wrong { .. })), "{wrong}");
        let unplaced = HeldKey::open(&read, &passphrases(folder.path(), "right")).expect_err("nobody's");
        assert!(matches!(unplaced, OpenError::NotPlaced { .. }), "{unplaced}");
    }
}
