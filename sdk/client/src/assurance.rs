//! Assertions: an identity service vouches for the key on a person's phone.
//!
//! How the service checks a person is its own affair. That the person has the key is not: whoever
//! is checked proves it first, as to an issuer (rule X-11), or a service would vouch for the phone
//! of somebody it never saw.

use fengni_core::assurance::{Assertion, Assurance, AssuranceError, Statement};
use fengni_core::certificate::is_possessed;
use fengni_core::id::CreditCode;
use fengni_core::record::KeyPurpose;
use fengni_core::{Domain, Millis, PublicKey, Signature};
use thiserror::Error;

use crate::random::{RandomError, random};
use fengni_signer::{HeldKey, SignError};

/// Seconds for which a service vouches, where nothing else is said.
pub const VALID_SECS: u32 = 30 * 60;

/// Whom the service has checked, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckedHolder {
    /// The key on the person's phone.
    pub holder: PublicKey,
    /// That the phone has it, made for this service (rule X-11).
    pub proof: Signature,
    /// How the person was checked.
    pub level: Assurance,
    /// How long that is to count, in seconds, 1 to 86,400.
    pub valid_secs: u32,
}

/// Why nobody is vouched for.
#[derive(Debug, Error)]
pub enum VouchError {
    /// A key for something else.
    #[error("the key is no application key; next: give one that the ledger lists for applications")]
    OtherKey,
    /// nobody showed that the phone has the key.
    #[error("the proof does not show this service that the phone has the key; next: fengni wallet prove")]
    NotPossessed,
    /// A time that is not allowed.
    #[error(transparent)]
    Assertion(#[from] AssuranceError),
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Vouches for a phone's key as of now, with a fresh token. Rule Y-14.
///
/// - `key`: an application key of the service.
/// - `service`: the service's credit code, which the proof names.
///
/// # Errors
/// [`VouchError`].
pub fn vouch(
    domain: &Domain,
    key: &HeldKey,
    service: &CreditCode,
    checked: CheckedHolder,
    now: Millis,
) -> Result<Assertion, VouchError> {
    let CheckedHolder { holder, proof, level, valid_secs } = checked;
    if key.purpose != KeyPurpose::Application {
        return Err(VouchError::OtherKey);
    }
    if !is_possessed(domain, service, &holder, &proof) {
        return Err(VouchError::NotPossessed);
    }
    let (service, token) = (key.member, random()?);
    let statement = Statement { holder, service, key: key.number, level, time_secs: now.secs(), valid_secs, token };
    statement.sign_with(domain, |message| Ok(key.sign(message)?))
}
