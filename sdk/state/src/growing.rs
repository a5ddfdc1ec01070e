//! A book's lists that only grow: seals and acts.

use fengni_core::list::{Frontier, NumberedList};
use fengni_core::{Digest, Domain};

/// With what proves each entry, for a node that answers; or without, for whoever runs a ledger again
/// and proves nothing of it, so that memory does not grow with the ledger.
#[derive(Clone)]
pub(crate) enum Growing {
    Proving(NumberedList),
    Bare(Frontier),
}

impl Growing {
    /// The same without what proves entries.
    pub(crate) fn bare(&self) -> Self {
        match self {
            Self::Proving(list) => Self::Bare(Frontier::of(list)),
            Self::Bare(_) => self.clone(),
        }
    }

    pub(crate) fn append(&mut self, entry: &[u8]) -> u64 {
        match self {
            Self::Proving(list) => list.append(entry),
            Self::Bare(list) => list.append(entry),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Proving(list) => list.len(),
            Self::Bare(list) => list.len(),
        }
    }

    pub(crate) fn digest(&self, domain: &Domain) -> Digest {
        match self {
            Self::Proving(list) => list.digest(domain),
            Self::Bare(list) => list.digest(domain),
        }
    }

    /// What proves entries, where it is kept.
    pub(crate) fn proving(&self) -> Option<&NumberedList> {
        match self {
            Self::Proving(list) => Some(list),
            Self::Bare(_) => None,
        }
    }
}
