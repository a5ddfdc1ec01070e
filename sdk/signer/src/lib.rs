//! Key files, passphrases and signers: whatever signs as a member.
//!
//! ```no_run
//! use fengni_signer::{HeldKey, Passphrases};
//!
//! let key = HeldKey::load("issuing-a.json".as_ref(), &Passphrases::asked())?;
//! let signature = key.sign(b"a message of the ledger")?;
//! assert!(key.public().verify(b"a message of the ledger", &signature));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```text
//!            +- seed ............ SecretKey -+
//! KeyFile ---+- encrypted ....... SecretKey -+--> dyn Signer --> HeldKey, a node's votes
//!            +- token ........... Token -----+
//!                 ^ passphrase or PIN: file, environment, terminal
//! ```
//!
//! Invariants, each owned by a test:
//!
//! - A file of secrets that others can read is not read.
//! - No message and no `Debug` output repeats a digit of a secret, nor a passphrase.
//! - Secrets are wiped from memory when they are dropped.
//! - A signature leaves a token only after it has been verified: K-4, K-5.

#![forbid(unsafe_code)]

mod encrypted;
pub mod files;
mod held;
mod key_file;
mod key_use;
mod passphrase;
pub mod random;
mod secret;
mod signer;
mod token;

pub use files::FileError;
pub use held::HeldKey;
pub use key_file::{Keeping, KeyFile, OpenError};
pub use key_use::KeyUse;
pub use passphrase::{Passphrase, PassphraseError, Passphrases, Source};
pub use secret::{StoredKey, algorithm_name, algorithm_named, generate};
pub use signer::{SignError, Signer};
pub use token::{Token, TokenError, TokenKey};
