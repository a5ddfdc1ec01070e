//! Keys and signatures, each tagged with its algorithm.
//!
//! One acceptance rule everywhere: ed25519 by `verify_strict` (no small-order points, no second
//! spelling of s), P-256 with low s only, as raw r and s. What is signed always starts with
//! `"fengni/1/" kind 0x00 network`: see [`crate::Domain::message`]. Rules K-1 to K-5:
//! `sdk/spec/keys.md`.

use std::fmt;

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

/// A signature algorithm and its number on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KeyAlgorithm {
    /// Ed25519, RFC 8032.
    Ed25519,
    /// ECDSA over P-256 with SHA-256, low s.
    P256,
    /// A second number for tests: Ed25519 over the message with one byte in front.
    #[cfg(any(test, feature = "trial-suite"))]
    Trial,
}

impl KeyAlgorithm {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::P256 => 2,
            #[cfg(any(test, feature = "trial-suite"))]
            Self::Trial => 0x7f,
        }
    }

    /// The algorithm with this number, if this build knows it.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ed25519),
            2 => Some(Self::P256),
            #[cfg(any(test, feature = "trial-suite"))]
            0x7f => Some(Self::Trial),
            _ => None,
        }
    }

    fn key_bytes(self) -> usize {
        match self {
            Self::P256 => 33,
            _ => 32,
        }
    }
}

/// Why bytes are no key or no signature.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum KeyError {
    /// K-1: no algorithm has this number.
    #[error("unknown key algorithm {number}")]
    UnknownAlgorithm {
        /// The number received.
        number: u8,
    },
    /// K-2: wrong length for the algorithm.
    #[error("{found} bytes where {expected} are needed")]
    Length {
        /// Bytes received.
        found: usize,
        /// Bytes needed.
        expected: usize,
    },
    /// K-3: not a point of the curve, or a weak one.
    #[error("not a usable public key")]
    Point,
    /// Not of the form `ALGORITHM:HEX`.
    #[error("a key is written as algorithm number, colon and hexadecimal digits")]
    Text,
}

/// Tagged bytes: an algorithm number and what it means by the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Tagged<const N: usize> {
    algorithm: KeyAlgorithm,
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Tagged<N> {
    fn new(algorithm: KeyAlgorithm, from: &[u8], expected: usize) -> Result<Self, KeyError> {
        if from.len() != expected {
            return Err(KeyError::Length { found: from.len(), expected });
        }
        let mut bytes = [0; N];
        bytes[..expected].copy_from_slice(from);
        Ok(Self { algorithm, bytes, len: expected })
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn wire(&self) -> Vec<u8> {
        [&[self.algorithm.number()], self.bytes()].concat()
    }

    fn text(&self) -> String {
        format!("{}:{}", self.algorithm.number(), hex::encode(self.bytes()))
    }
}

fn split_wire(wire: &[u8]) -> Result<(KeyAlgorithm, &[u8]), KeyError> {
    let (&number, rest) = wire.split_first().ok_or(KeyError::Length { found: 0, expected: 33 })?;
    let algorithm = KeyAlgorithm::from_number(number).ok_or(KeyError::UnknownAlgorithm { number })?;
    Ok((algorithm, rest))
}

fn split_text(text: &str) -> Result<Vec<u8>, KeyError> {
    let (number, digits) = text.split_once(':').ok_or(KeyError::Text)?;
    let number: u8 = number.parse().map_err(|_| KeyError::Text)?;
    let mut wire = vec![number];
    wire.extend(hex::decode(digits).map_err(|_| KeyError::Text)?);
    Ok(wire)
}

/// A public key: a checked point of its curve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(Tagged<33>);

impl PublicKey {
    /// A key from its algorithm and its bytes: 32 for ed25519, 33 (compressed point) for P-256.
    ///
    /// # Errors
    /// [`KeyError::Length`] and [`KeyError::Point`].
    ///
    /// # Source
    /// `sdk/spec/keys.md`, rules K-2 and K-3.
    pub fn new(algorithm: KeyAlgorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        let tagged = Tagged::new(algorithm, bytes, algorithm.key_bytes())?;
        let usable = match algorithm {
            // SEC 1 has a third spelling of 33 bytes, tag 5: one point, one spelling.
            KeyAlgorithm::P256 => {
                matches!(bytes[0], 2 | 3) && p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok()
            }
            _ => is_reduced(bytes) && ed25519_key(bytes).is_some_and(|key| !key.is_weak()),
        };
        if usable { Ok(Self(tagged)) } else { Err(KeyError::Point) }
    }

    /// A key from algorithm number and bytes, as on the ledger and in a code.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn from_wire(wire: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, bytes) = split_wire(wire)?;
        Self::new(algorithm, bytes)
    }

    /// Algorithm number followed by the key's bytes.
    pub fn wire(&self) -> Vec<u8> {
        self.0.wire()
    }

    /// A key from its text, such as `1:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_wire(&split_text(text)?)
    }

    /// The algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.0.algorithm
    }

    /// The key's bytes without the algorithm number.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Whether `signature` is this key's over `message`. Rules K-4 and K-5.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        if signature.0.algorithm != self.0.algorithm {
            return false;
        }
        match self.0.algorithm {
            KeyAlgorithm::Ed25519 => verify_ed25519(self.bytes(), message, signature),
            KeyAlgorithm::P256 => verify_p256(self.bytes(), message, signature),
            #[cfg(any(test, feature = "trial-suite"))]
            KeyAlgorithm::Trial => verify_ed25519(self.bytes(), &trial_message(message), signature),
        }
    }
}

/// Whether the y coordinate is below 2^255 - 19: larger ones are second spellings, which libraries
/// for other languages treat differently.
fn is_reduced(bytes: &[u8]) -> bool {
    let (top, middle) = (bytes[31] & 0x7f, &bytes[1..31]);
    top != 0x7f || middle.iter().any(|byte| *byte != 0xff) || bytes[0] < 0xed
}

fn ed25519_key(bytes: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    ed25519_dalek::VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()
}

fn verify_ed25519(key: &[u8], message: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.raw());
    ed25519_key(key).is_some_and(|key| key.verify_strict(message, &signature).is_ok())
}

fn verify_p256(key: &[u8], message: &[u8], signature: &Signature) -> bool {
    let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(key) else { return false };
    let Ok(signature) = p256::ecdsa::Signature::from_slice(&signature.raw()) else { return false };
    // The twin with high s verifies as well: accepting it would give one code two spellings.
    signature.normalize_s() == signature && key.verify(message, &signature).is_ok()
}

#[cfg(any(test, feature = "trial-suite"))]
fn trial_message(message: &[u8]) -> Vec<u8> {
    [b"T", message].concat()
}

/// A signature: 64 bytes, tagged with its algorithm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(Tagged<64>);

impl Signature {
    /// A signature from its algorithm and 64 bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`].
    pub fn new(algorithm: KeyAlgorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(Tagged::new(algorithm, bytes, 64)?))
    }

    /// A signature from algorithm number and bytes.
    ///
    /// # Errors
    /// [`KeyError::UnknownAlgorithm`] and [`KeyError::Length`].
    pub fn from_wire(wire: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, bytes) = split_wire(wire)?;
        Self::new(algorithm, bytes)
    }

    /// Algorithm number followed by the 64 bytes.
    pub fn wire(&self) -> Vec<u8> {
        self.0.wire()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.0.algorithm
    }

    /// The 64 bytes.
    pub fn raw(&self) -> [u8; 64] {
        self.0.bytes
    }
}

/// A signing key. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct SecretKey {
    algorithm: KeyAlgorithm,
    kind: SecretKind,
}

#[derive(Clone)]
enum SecretKind {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
}

impl SecretKey {
    /// A key from 32 secret bytes; `None` where they are no scalar of the curve (P-256, about
    /// one in 2^32).
    pub fn from_seed(algorithm: KeyAlgorithm, seed: &[u8; 32]) -> Option<Self> {
        let kind = match algorithm {
            KeyAlgorithm::P256 => SecretKind::P256(Box::new(p256::ecdsa::SigningKey::from_slice(seed).ok()?)),
            _ => SecretKind::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))),
        };
        Some(Self { algorithm, kind })
    }

    /// The 32 secret bytes, for a key file.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(match &self.kind {
            SecretKind::Ed25519(key) => key.to_bytes(),
            SecretKind::P256(key) => key.to_bytes().into(),
        })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let bytes = match &self.kind {
            SecretKind::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            SecretKind::P256(key) => key.verifying_key().to_sec1_point(true).as_bytes().to_vec(),
        };
        PublicKey(Tagged::new(self.algorithm, &bytes, bytes.len()).expect("a public key has its own length"))
    }

    /// Signs a message from [`crate::Domain::message`]; the same message gives the same bytes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let bytes: [u8; 64] = match &self.kind {
            SecretKind::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_bytes().into()
            }
            SecretKind::Ed25519(key) => {
                use ed25519_dalek::Signer as _;
                match self.algorithm {
                    #[cfg(any(test, feature = "trial-suite"))]
                    KeyAlgorithm::Trial => key.sign(&trial_message(message)).to_bytes(),
                    _ => key.sign(message).to_bytes(),
                }
            }
        };
        Signature::new(self.algorithm, &bytes).expect("signatures have 64 bytes")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({:?})", self.public())
    }
}

macro_rules! tagged_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.text())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", self.0.algorithm.number(), hex::encode(&self.0.bytes[..6]))
            }
        }

        /// Length-prefixed bytes on the ledger; `ALGORITHM:HEX` where people read.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.wire())
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let wire = if deserializer.is_human_readable() {
                    split_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)?
                } else {
                    deserializer.deserialize_byte_buf(crate::bytes::BytesVisitor)?
                };
                Self::from_wire(&wire).map_err(D::Error::custom)
            }
        }
    };
}

tagged_text!(PublicKey);
tagged_text!(Signature);
