//! Applications (入网申请): a department that is no member yet says what it is, and members file it.

use fengni_core::id::CreditCode;
use fengni_core::operation::{Ground, Operation};
use fengni_core::record::{Applicant, KeyPurpose, NewKey};
use fengni_core::{ApplicationNumber, Domain};
use fengni_signer::{SignError, Signer};

use crate::decision::Decision;
use crate::random::RandomError;

/// Proves a key for the member with a credit code: nobody registers a key that somebody else has,
/// or for another purpose or member. Rule R-10.
///
/// # Errors
/// [`SignError`].
pub fn prove_key(
    domain: &Domain,
    code: &CreditCode,
    purpose: KeyPurpose,
    signer: &dyn Signer,
) -> Result<NewKey, SignError> {
    let key = signer.public();
    let proof = signer.sign(&NewKey::message(domain, code, purpose, &key))?;
    Ok(NewKey { purpose, key, proof })
}

/// Whom to reach and how, for the application: only the salted digest goes to the ledger. Keep the
/// salt, and tell the reviewing member text and salt over another channel.
///
/// # Errors
/// [`RandomError`].
pub fn contact(domain: &Domain, text: &str) -> Result<Decision, RandomError> {
    Decision::of(domain, text.as_bytes())
}

/// Files a department's application.
pub fn file(applicant: Applicant) -> Operation {
    Operation::FileApplication { applicant: Box::new(applicant) }
}

/// Confirms an application after asking the department over another channel, or turns it down.
pub fn review(application: ApplicationNumber, confirm: bool, ground: Ground) -> Operation {
    Operation::ReviewApplication { application, confirm, ground }
}
