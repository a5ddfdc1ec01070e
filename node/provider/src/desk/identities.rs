//! Whose certificates say who somebody is: the mutual-trust list (互信名单) of a gateway. IDN-03; rule I-10, step 23.

use std::collections::BTreeSet;

use fengni_core::book::Book;
use fengni_core::id::CreditCode;
use fengni_core::proof::{ProofError, Proven};
use fengni_core::sharing::Identity;

/// The issuers that count, by the credit codes in their certificates' identifiers; without a list all that the
/// ledger lets issue certificates of such types.
pub(crate) struct Identities(Option<BTreeSet<CreditCode>>);

impl Identities {
    /// The list of a configuration.
    pub(crate) fn new(listed: Option<&[CreditCode]>) -> Self {
        Self(listed.map(|listed| listed.iter().copied().collect()))
    }

    /// Whether the issuer of an identity's certificate counts.
    ///
    /// - `proven`: the certificate's book.
    ///
    /// # Errors
    /// [`ProofError`] where the book was not proven.
    pub(crate) fn take(&self, identity: &Identity, proven: &Proven) -> Result<bool, ProofError> {
        let Some(listed) = &self.0 else { return Ok(true) };
        let book: Book = proven.record(identity.place().book.0)?;
        Ok(listed.contains(&book.issuer))
    }
}
