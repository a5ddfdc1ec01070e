//! Offences (作恶记录): proof that a validator signed twice, put on the ledger.

use fengni_core::operation::Operation;
use fengni_core::record::DoubleSigning;

/// Puts on record that a validator signed two statements that exclude each other. A node gives its
/// operator the proofs that it keeps: `sdk/spec/http.md`, rule N-26.
pub fn accuse(proof: DoubleSigning) -> Operation {
    Operation::Accuse { proof: Box::new(proof) }
}
