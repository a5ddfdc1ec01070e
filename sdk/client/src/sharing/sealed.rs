//! Sealed answers: what a provider answers is readable to the one who asked, and to nobody between.
//!
//! HPKE (RFC 9180) in base mode: X25519 with HKDF-SHA256, HKDF-SHA256, AES-128-GCM. Who the provider
//! is follows from its signed receipts, not from the seal. The info binds an answer to the network and
//! to the signed access that it answers, so that it opens as nothing else. Rule I-17: `sdk/spec/access.md`.

use std::fmt;

use fengni_core::bytes::Bytes;
use fengni_core::{Digest, Domain};
use hpke::aead::AesGcm128;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;

type Kem = X25519HkdfSha256;

/// What the info of every answer begins with, as messages that keys sign do.
const KIND: &str = "answer";

/// Why something is not sealed or not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
    /// The public key is none that anything can be sealed to.
    #[error("no key that an answer can be sealed to")]
    Key,
    /// It was sealed to another key, as an answer to something else, or was changed.
    #[error("the answer does not open: it is of another access, or was changed")]
    Opening,
}

/// What a requester's key for one access is made of, for as long as its answer is awaited. Wiped when dropped.
#[derive(Serialize, Deserialize, zeroize::ZeroizeOnDrop)]
#[serde(transparent)]
pub struct ReplySeed(#[serde(with = "fengni_core::bytes::array")] pub [u8; 32]);

impl ReplySeed {
    /// The key.
    pub fn key(&self) -> ReplyKey {
        ReplyKey::from_seed(&self.0)
    }
}

/// The requester's key for one access; what is sealed to it opens only here.
pub struct ReplyKey(<Kem as hpke::Kem>::PrivateKey);

impl fmt::Debug for ReplyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyKey")
    }
}

impl ReplyKey {
    /// The key of 32 fresh random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Kem::derive_keypair(seed).0)
    }

    /// The public half, which the access carries.
    pub fn public(&self) -> [u8; 32] {
        Kem::sk_to_pk(&self.0).to_bytes().into()
    }

    /// Opens what was sealed to this key.
    ///
    /// # Errors
    /// [`SealError::Opening`].
    pub fn open(&self, domain: &Domain, access: &Digest, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let key = <Kem as hpke::Kem>::EncappedKey::from_bytes(&sealed.key).map_err(|_| SealError::Opening)?;
        let info = info(domain, access);
        hpke::single_shot_open::<AesGcm128, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.0,
            &key,
            &info,
            &sealed.content.0,
            &[],
        )
        .map_err(|_| SealError::Opening)
    }
}

/// An answer that only one key opens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The encapsulated key (enc).
    #[serde(with = "fengni_core::bytes::array")]
    pub key: [u8; 32],
    /// The content, encrypted, with its tag.
    pub content: Bytes,
}

/// Seals an answer.
///
/// - `to`: the reply key of the access, 32 bytes.
/// - `access`: digest of the signed access.
///
/// # Errors
/// [`SealError::Key`].
///
/// # Source
/// RFC 9180, section 6.1.
pub fn seal(domain: &Domain, access: &Digest, to: &[u8; 32], content: &[u8]) -> Result<Sealed, SealError> {
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(to).map_err(|_| SealError::Key)?;
    let info = info(domain, access);
    let (key, content) = hpke::single_shot_seal::<AesGcm128, HkdfSha256, Kem>(&OpModeS::Base, &to, &info, content, &[])
        .map_err(|_| SealError::Key)?;
    Ok(Sealed { key: key.to_bytes().into(), content: Bytes(content) })
}

fn info(domain: &Domain, access: &Digest) -> Vec<u8> {
    domain.message(KIND, &[&access.0])
}

#[cfg(test)]
mod tests {
    use fengni_core::{NetworkId, Suite};

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).expect("hexadecimal").try_into().expect("of that length")
    }

    /// RFC 9180, appendix A.1.1: base setup of this very suite, first encryption.
    #[test]
    fn the_suite_is_that_of_the_rfc() {
        let seed = bytes("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037");
        let reply = ReplyKey::from_seed(&seed);
        let public = bytes("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d");
        assert_eq!(reply.public(), public);
        let key = bytes::<32>("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let key = <Kem as hpke::Kem>::EncappedKey::from_bytes(&key).expect("a point");
        let info = bytes::<20>("4f6465206f6e2061204772656369616e2055726e");
        let mut opening =
            hpke::setup_receiver::<AesGcm128, HkdfSha256, Kem>(&OpModeR::Base, &reply.0, &key, &info).expect("a key");
        let content =
            hex::decode("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a")
                .expect("hexadecimal");
        let opened = opening.open(&content, b"Count-0").expect("the vector opens");
        assert_eq!(opened, b"Beauty is truth, truth beauty");
    }

    #[test]
    fn an_answer_opens_for_its_access_and_its_key_alone() {
        let domain = Domain { suite: Suite::Standard, network: NetworkId(Digest([1; 32])) };
        let other = Domain { network: NetworkId(Digest([2; 32])), ..domain };
        let (reply, stranger) = (ReplyKey::from_seed(&[3; 32]), ReplyKey::from_seed(&[4; 32]));
        let access = Digest([5; 32]);
        let sealed = seal(&domain, &access, &reply.public(), b"36").expect("a key");
        assert_eq!(reply.open(&domain, &access, &sealed).expect("its own"), b"36");
        let mut changed = sealed.clone();
        changed.content.0[0] ^= 1;
        let wrong = [
            stranger.open(&domain, &access, &sealed),
            reply.open(&domain, &Digest([6; 32]), &sealed),
            reply.open(&other, &access, &sealed),
            reply.open(&domain, &access, &changed),
            reply.open(&domain, &access, &Sealed { key: [0; 32], ..sealed.clone() }),
        ];
        assert!(wrong.iter().all(|opened| *opened == Err(SealError::Opening)));
        // A point of small order would give a secret that everybody knows.
        assert_eq!(seal(&domain, &access, &[0; 32], b"36"), Err(SealError::Key));
        assert_ne!(seal(&domain, &access, &reply.public(), b"36"), Ok(sealed), "each seal has a key of its own");
    }
}
