//! Encrypted secret keys: PKCS#8 `EncryptedPrivateKeyInfo` in PEM, as `openssl pkey` reads it.
//!
//! PBES2 with scrypt (N = 2^14, r = 8, p = 5) and AES-256-CBC. OpenSSL gives scrypt at most 32 MiB,
//! which is why N is not larger; five times over costs a guesser as much as N = 2^17 once.
//! The encryption has no seal of its own: what comes out must be the key of the public half that
//! the file names, or the passphrase was wrong.

use ed25519::KeypairBytes;
use fengni_core::{KeyAlgorithm, PublicKey, SecretKey};
use pkcs8::der::pem::PemLabel as _;
use pkcs8::pkcs5::pbes2;
use pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef,
    SecretDocument,
};
use zeroize::Zeroizing;

use crate::passphrase::Passphrase;
use crate::random::{RandomError, random};

const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;

/// Encrypts a key.
///
/// # Errors
/// [`RandomError`].
pub(crate) fn encrypt(key: &SecretKey, passphrase: &Passphrase) -> Result<String, RandomError> {
    let document = document(key);
    let info = PrivateKeyInfoRef::try_from(document.as_bytes()).expect("the document was just written");
    let hardness = scrypt::Params::new(LOG_N, R, P).expect("the constants are parameters of scrypt");
    let salt: [u8; 16] = random()?;
    let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(hardness, &salt, random()?)
        .expect("a salt of 16 bytes is allowed");
    let encrypted = info.encrypt_with_params(scheme, passphrase.text()).expect("a key is short enough to encrypt");
    let pem = encrypted.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF);
    Ok(pem.expect("the label is that of RFC 7468").to_string())
}

/// The key, if the passphrase is the right one.
pub(crate) fn decrypt(pem: &str, public: &PublicKey, passphrase: &Passphrase) -> Option<SecretKey> {
    let (label, encrypted) = SecretDocument::from_pem(pem).ok()?;
    EncryptedPrivateKeyInfoRef::validate_pem_label(label).ok()?;
    let info = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes()).ok()?;
    let document = info.decrypt(passphrase.text()).ok()?;
    let seed: Zeroizing<[u8; 32]> = match public.algorithm() {
        KeyAlgorithm::P256 => {
            let key = p256::ecdsa::SigningKey::from_pkcs8_der(document.as_bytes()).ok()?;
            Zeroizing::new(key.to_bytes().into())
        }
        _ => Zeroizing::new(KeypairBytes::from_pkcs8_der(document.as_bytes()).ok()?.secret_key),
    };
    SecretKey::from_seed(public.algorithm(), &seed).filter(|key| key.public() == *public)
}

/// Whether a text is such a key, without opening it.
pub(crate) fn is_encrypted(pem: &str) -> bool {
    SecretDocument::from_pem(pem).is_ok_and(|(label, document)| {
        EncryptedPrivateKeyInfoRef::validate_pem_label(label).is_ok()
            && EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).is_ok()
    })
}

fn document(key: &SecretKey) -> SecretDocument {
    let seed = key.seed();
    let document = match key.algorithm() {
        KeyAlgorithm::P256 => {
            p256::ecdsa::SigningKey::from_slice(&*seed).expect("a secret key is a scalar").to_pkcs8_der()
        }
        // The first version of PKCS#8, without the public half: OpenSSL reads no other for ed25519.
        _ => KeypairBytes { secret_key: *seed, public_key: None }.to_pkcs8_der(),
    };
    document.expect("a key of its curve is written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_and_every_file_is_another() {
        let right = Passphrase::new("right".into()).expect("some text");
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
            let key = crate::generate(algorithm).expect("randomness");
            let pem = encrypt(&key, &right).expect("randomness");
            assert!(is_encrypted(&pem) && pem != encrypt(&key, &right).expect("randomness"));
            assert_eq!(decrypt(&pem, &key.public(), &right).expect("opens").seed(), key.seed());
            // One in 256 wrong passphrases gives bytes that look like a padding: all are refused.
            for attempt in 0..6 {
                let wrong = Passphrase::new(format!("wrong {attempt}")).expect("some text");
                assert!(decrypt(&pem, &key.public(), &wrong).is_none());
            }
            let other = crate::generate(algorithm).expect("randomness").public();
            assert!(decrypt(&pem, &other, &right).is_none());
        }
    }

    /// The other reader of these files, so that a key outlives our programs.
    #[test]
    fn openssl_reads_the_file() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let right = Passphrase::new("right".into()).expect("some text");
        for (algorithm, name) in [(KeyAlgorithm::Ed25519, "ED25519"), (KeyAlgorithm::P256, "Private-Key: (256 bit)")] {
            let key = crate::generate(algorithm).expect("randomness");
            let mut openssl = Command::new("openssl")
                .args(["pkey", "-passin", "pass:right", "-noout", "-text"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("openssl is installed; next: make setup");
            let pem = encrypt(&key, &right).expect("randomness");
            openssl.stdin.take().expect("piped").write_all(pem.as_bytes()).expect("openssl reads");
            let said = openssl.wait_with_output().expect("openssl ends").stdout;
            let digits: String = String::from_utf8_lossy(&said).split_whitespace().collect::<String>().replace(':', "");
            assert!(String::from_utf8_lossy(&said).contains(name), "openssl names the algorithm");
            assert!(digits.contains(&hex::encode(*key.seed())), "openssl finds the same key");
        }
    }
}
