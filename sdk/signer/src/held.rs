//! A key that can act: what signs, and where the ledger lists it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fengni_core::record::KeyPurpose;
use fengni_core::{KeyNumber, MemberNumber, PublicKey, Signature};

use crate::key_file::{KeyFile, OpenError};
use crate::passphrase::Passphrases;
use crate::signer::{SignError, Signer};

/// A key with its place on the ledger, ready to sign.
#[derive(Clone)]
pub struct HeldKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Whose it is.
    pub member: MemberNumber,
    /// Its number among the member's keys.
    pub number: KeyNumber,
    signer: Arc<dyn Signer>,
}

impl HeldKey {
    /// A key with its place on the ledger.
    pub fn new(purpose: KeyPurpose, member: MemberNumber, number: KeyNumber, signer: impl Signer + 'static) -> Self {
        Self { purpose, member, number, signer: Arc::new(signer) }
    }

    /// Reads a key file and opens it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn load(path: &Path, passphrases: &Passphrases) -> Result<Self, OpenError> {
        Self::open(&KeyFile::load(path)?, passphrases)
    }

    /// Opens a key file.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::NotPlaced`] where the file does not say whose key it is, and
    /// [`OpenError::Recovery`].
    pub fn open(file: &KeyFile, passphrases: &Passphrases) -> Result<Self, OpenError> {
        let purpose = file.purpose.purpose().ok_or_else(|| OpenError::Recovery { path: file.path().to_owned() })?;
        let (Some(member), Some(number)) = (file.member, file.number) else {
            return Err(OpenError::NotPlaced { path: file.path().to_owned() });
        };
        Ok(Self { purpose, member, number, signer: file.open(passphrases)? })
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.signer.public()
    }

    /// Signs a message of the ledger.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.signer.sign(message)
    }
}

impl fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldKey({:?} key {} of member {})", self.purpose, self.number, self.member)
    }
}
