//! Decisions: how an act points to the document that decided it without telling what it says.

use fengni_core::operation::Ground;
use fengni_core::{Digest, Domain, ReasonCode};
use serde::{Deserialize, Serialize};

use crate::random::{RandomError, random};

/// The salted hash of a decision document. Keep the salt with the document: without it nobody
/// can show later which document an act on the ledger meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// What stands on the ledger.
    pub digest: Digest,
    /// To be kept with the document.
    #[serde(with = "fengni_core::bytes::array")]
    pub salt: [u8; 16],
}

impl Decision {
    /// The decision in a document, with a fresh salt, so that one document has no two equal hashes.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn of(domain: &Domain, document: &[u8]) -> Result<Self, RandomError> {
        Ok(Self::with_salt(domain, document, random()?))
    }

    /// The same with a known salt: for checking.
    pub fn with_salt(domain: &Domain, document: &[u8], salt: [u8; 16]) -> Self {
        let file = domain.suite.hash(&[document]);
        Self { digest: domain.digest("decision", &[&salt, &file.0]), salt }
    }

    /// Whether this is the decision in a document.
    pub fn is_of(&self, domain: &Domain, document: &[u8]) -> bool {
        Self::with_salt(domain, document, self.salt) == *self
    }

    /// The ground of an act.
    pub fn ground(&self, reason: ReasonCode) -> Ground {
        Ground { reason, decision: self.digest }
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::{NetworkId, Suite};

    use super::*;

    #[test]
    fn one_document_has_another_hash_each_time_and_its_salt_shows_it() {
        let domain = Domain { suite: Suite::Standard, network: NetworkId::default() };
        let first = Decision::of(&domain, b"decision 17").expect("randomness");
        let second = Decision::of(&domain, b"decision 17").expect("randomness");
        assert_ne!(first.digest, second.digest);
        assert!(first.is_of(&domain, b"decision 17") && !first.is_of(&domain, b"decision 18"));
    }
}
