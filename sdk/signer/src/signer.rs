//! What signs: a key in memory or one in a token.

use std::fmt;

use fengni_core::{PublicKey, SecretKey, Signature};
use thiserror::Error;

use crate::token::TokenError;

/// A key that signs, wherever it is kept.
///
/// Signing may take as long as a token takes: whoever must not wait calls it on a thread of its
/// own.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The public half.
    fn public(&self) -> PublicKey;

    /// Signs a message of the ledger. What is returned verifies.
    ///
    /// # Errors
    /// [`SignError`]; a key in memory never fails.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// Why there is no signature.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SignError {
    /// The token does not sign: its error in words.
    #[error("{0}")]
    Token(String),
    /// What the token gave does not verify.
    #[error("the signature of {key} does not verify; next: fengni key inspect, and compare with the key in the token")]
    Unverified {
        /// The public half that the key file names.
        key: Box<PublicKey>,
    },
}

impl From<TokenError> for SignError {
    fn from(error: TokenError) -> Self {
        Self::Token(error.to_string())
    }
}

impl Signer for SecretKey {
    fn public(&self) -> PublicKey {
        Self::public(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(Self::sign(self, message))
    }
}
