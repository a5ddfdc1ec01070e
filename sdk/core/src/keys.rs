//! Keys and signatures, each tagged with its algorithm.
//!
//! One acceptance rule everywhere: ed25519 by `verify_strict` (no small-order points, no second
//! spelling of s), P-256 with low s only, as raw r and s. What is signed always starts with
//! `"fengni/1/" kind 0x00 network`: see [`crate::Domain::message`]. Rules K-1 to K-5:
//! `sdk/spec/keys.md`.

use crate::codec::encoded_as;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

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
///
/// Finding the point in its bytes costs a tenth of a signature check and more, so that the key
/// keeps it. Keys are the same where their bytes are.
#[derive(Clone, Copy)]
pub struct PublicKey {
    tagged: Tagged<33>,
    point: Point,
}

#[derive(Clone, Copy)]
enum Point {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

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
        let point = match algorithm {
            KeyAlgorithm::P256 => p256_key(bytes).map(Point::P256),
            _ => ed25519_key(bytes).map(Point::Ed25519),
        };
        point.map(|point| Self { tagged, point }).ok_or(KeyError::Point)
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
        self.tagged.wire()
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
        self.tagged.algorithm
    }

    /// The key's bytes without the algorithm number.
    pub fn bytes(&self) -> &[u8] {
        self.tagged.bytes()
    }

    /// Whether `signature` is this key's over `message`. Rules K-4 and K-5.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        if signature.0.algorithm != self.algorithm() {
            return false;
        }
        let signed = signed_bytes(self.algorithm(), message);
        match &self.point {
            Point::Ed25519(key) => verify_ed25519(key, &signed, signature),
            Point::P256(key) => verify_p256(key, &signed, signature),
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
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (is_reduced(bytes) && !key.is_weak()).then_some(key)
}

fn p256_key(bytes: &[u8]) -> Option<p256::ecdsa::VerifyingKey> {
    // SEC 1 has a third spelling of 33 bytes, tag 5: one point, one spelling.
    matches!(bytes[0], 2 | 3).then(|| p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()).flatten()
}

fn verify_ed25519(key: &ed25519_dalek::VerifyingKey, message: &[u8], signature: &Signature) -> bool {
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.raw())).is_ok()
}

fn verify_p256(key: &p256::ecdsa::VerifyingKey, message: &[u8], signature: &Signature) -> bool {
    let Ok(signature) = p256::ecdsa::Signature::from_slice(&signature.raw()) else { return false };
    // The twin with high s verifies as well: accepting it would give one code two spellings.
    signature.normalize_s() == signature && key.verify(message, &signature).is_ok()
}

/// What the algorithm signs for a message.
fn signed_bytes(algorithm: KeyAlgorithm, message: &[u8]) -> Cow<'_, [u8]> {
    match algorithm {
        #[cfg(any(test, feature = "trial-suite"))]
        KeyAlgorithm::Trial => Cow::Owned([b"T", message].concat()),
        _ => Cow::Borrowed(message),
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.tagged == other.tagged
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tagged.cmp(&other.tagged)
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tagged.hash(state);
    }
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
        let (bytes, point) = match &self.kind {
            SecretKind::Ed25519(key) => (key.verifying_key().to_bytes().to_vec(), Point::Ed25519(key.verifying_key())),
            SecretKind::P256(key) => {
                (key.verifying_key().to_sec1_point(true).as_bytes().to_vec(), Point::P256(*key.verifying_key()))
            }
        };
        let tagged = Tagged::new(self.algorithm, &bytes, bytes.len()).expect("a public key has its own length");
        PublicKey { tagged, point }
    }

    /// Signs a message from [`crate::Domain::message`]; the same message gives the same bytes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signed = signed_bytes(self.algorithm, message);
        let bytes: [u8; 64] = match &self.kind {
            SecretKind::Ed25519(key) => ed25519_dalek::Signer::sign(&**key, &signed).to_bytes(),
            SecretKind::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(&signed);
                signature.normalize_s().to_bytes().into()
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
    ($name:ident, $tagged:tt) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$tagged.text())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", self.$tagged.algorithm.number(), hex::encode(&self.$tagged.bytes[..6]))
            }
        }

        impl From<$name> for Vec<u8> {
            fn from(value: $name) -> Self {
                value.wire()
            }
        }

        impl TryFrom<Vec<u8>> for $name {
            type Error = KeyError;

            fn try_from(wire: Vec<u8>) -> Result<Self, KeyError> {
                Self::from_wire(&wire)
            }
        }

        // Length-prefixed bytes on the ledger; `ALGORITHM:HEX` where people read.
        encoded_as!($name, Vec<u8>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let wire = split_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
                Self::from_wire(&wire).map_err(D::Error::custom)
            }
        }
    };
}

tagged_text!(PublicKey, tagged);
tagged_text!(Signature, 0);
