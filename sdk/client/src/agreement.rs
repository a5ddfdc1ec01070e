//! Operations on recognition agreements (互认协议).

use fengni_core::operation::{Ground, Operation};
use fengni_core::record::{Agreement, AgreementTerms};
use fengni_core::{AgreementNumber, Domain};

/// Puts terms up for signature, and signs them for the member that proposes.
pub fn propose(terms: AgreementTerms) -> Operation {
    Operation::ProposeAgreement { terms }
}

/// Signs an agreement. What is signed is the digest of the terms that were read, so that nobody
/// can put other terms under the number.
pub fn sign(domain: &Domain, agreement: AgreementNumber, read: &Agreement) -> Operation {
    Operation::SignAgreement { agreement, digest: read.terms.digest(domain) }
}

/// Withholds an agreement for now.
pub fn suspend(agreement: AgreementNumber, ground: Ground) -> Operation {
    Operation::SuspendAgreement { agreement, ground }
}

/// Puts a suspended agreement back in force.
pub fn resume(agreement: AgreementNumber, ground: Ground) -> Operation {
    Operation::ResumeAgreement { agreement, ground }
}
