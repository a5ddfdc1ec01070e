//! Digests: every hash says what it is of, and on which network.
//!
//! A digest is SHA-256 over `"fengni/1/" kind 0x00 network parts...`, so that no hash of one kind
//! is ever one of another kind or of another network. Tree nodes alone start with 0x00 (leaf) and
//! 0x01 (inner node). Rules D-1 to D-4: `sdk/spec/digests.md`.

use bincode::{Decode, Encode};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::Sha256;

use crate::bytes::array;
use crate::codec::encoded_as;

/// A 32-byte hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// A digest from its 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..6]))
    }
}

/// 32 bytes on the ledger; hexadecimal where people read.
impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        array::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        array::deserialize(deserializer).map(Self)
    }
}

/// Which algorithms a network uses. Fixed at genesis, named in every header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Suite {
    /// SHA-256, with ed25519 and P-256 signatures.
    Standard,
    /// Another hash and another signature number: shows that nothing depends on the first suite.
    #[cfg(any(test, feature = "trial-suite"))]
    Trial,
}

impl Suite {
    /// The suite's number on the wire, if this build knows it.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Standard),
            #[cfg(any(test, feature = "trial-suite"))]
            0x7f => Some(Self::Trial),
            _ => None,
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::Standard => 1,
            #[cfg(any(test, feature = "trial-suite"))]
            Self::Trial => 0x7f,
        }
    }

    /// Hashes the parts, one after the other.
    pub fn hash(self, parts: &[&[u8]]) -> Digest {
        fn over<H: sha2::Digest>(parts: &[&[u8]]) -> Digest {
            let mut hasher = H::new();
            for part in parts {
                hasher.update(part);
            }
            let mut out = [0; 32];
            out.copy_from_slice(&hasher.finalize());
            Digest(out)
        }
        match self {
            Self::Standard => over::<Sha256>(parts),
            #[cfg(any(test, feature = "trial-suite"))]
            Self::Trial => over::<sha2::Sha512_256>(parts),
        }
    }

    /// Digest of a list entry. Rule D-2.
    pub fn leaf(self, entry: &[u8]) -> Digest {
        self.hash(&[&[0x00], entry])
    }

    /// Digest of an inner node. Rule D-2.
    pub fn node(self, left: &Digest, right: &Digest) -> Digest {
        self.hash(&[&[0x01], &left.0, &right.0])
    }
}

impl From<Suite> for u8 {
    fn from(suite: Suite) -> Self {
        suite.number()
    }
}

impl TryFrom<u8> for Suite {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::from_number(number).ok_or_else(|| format!("unknown suite {number}"))
    }
}

encoded_as!(Suite, u8);

impl Serialize for Suite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Suite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(u8::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Identity of a network: the digest of its founding document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct NetworkId(pub Digest);

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whose rules a digest or a signature follows: the suite and the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Domain {
    /// The algorithms.
    pub suite: Suite,
    /// The network.
    pub network: NetworkId,
}

impl Domain {
    /// The domain before there is a network: the founding document is hashed in it.
    pub fn founding(suite: Suite) -> Self {
        Self { suite, network: NetworkId::default() }
    }

    /// Digest of `parts` as a `kind`. Rule D-1.
    ///
    /// All parts but the last have a fixed width for their kind, so that no two lists of parts
    /// run together into the same bytes.
    pub fn digest(&self, kind: &str, parts: &[&[u8]]) -> Digest {
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 4);
        all.extend([b"fengni/1/", kind.as_bytes(), &[0], self.network.0.0.as_slice()]);
        all.extend_from_slice(parts);
        self.suite.hash(&all)
    }

    /// The bytes a key signs for `parts` as a `kind`. Rule D-3.
    pub fn message(&self, kind: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(b"fengni/1/");
        bytes.extend_from_slice(kind.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&self.network.0.0);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
