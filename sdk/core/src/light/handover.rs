//! Handovers: the header at which one set of validators passes the ledger to the next.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::Header;
use crate::digest::Domain;
use crate::finality::{CommitCertificate, FinalityError, ValidatorSet};

/// A header that names another set for the next block, final under the set before, and that set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Handover {
    /// The header.
    pub header: Header,
    /// Its commit certificate, by the set before.
    pub certificate: CommitCertificate,
    /// The set that decides from the next height on.
    pub next: ValidatorSet,
}

/// Why a handover hands nothing over.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum HandoverError {
    /// The header is of another network.
    #[error("the header is of another network")]
    OtherNetwork,
    /// The header is not final under the set before.
    #[error("the header is not final: {0}")]
    NotFinal(#[from] FinalityError),
    /// The set is not the one the header names.
    #[error("the validators are not those the header names")]
    OtherSet,
}

impl Handover {
    /// Checks the handover against the set that decides its header's height.
    ///
    /// # Errors
    /// [`HandoverError`].
    pub fn verify(&self, domain: &Domain, current: &ValidatorSet) -> Result<(), HandoverError> {
        if self.header.domain() != *domain {
            return Err(HandoverError::OtherNetwork);
        }
        self.certificate.verify(domain, current, self.header.height, self.header.id(domain))?;
        if self.next.digest(domain) == self.header.next_validators { Ok(()) } else { Err(HandoverError::OtherSet) }
    }
}
