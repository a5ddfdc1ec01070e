//! Shelves: the registries of the ledger, and how they make the state root.

use serde::{Deserialize, Serialize};

use crate::codec::encoded_by_number;
use crate::digest::{Digest, Domain};
use crate::list::{ListKind, NumberedList};

/// A registry. Its number is its place in the state list; new ones are added at the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Shelf {
    /// [`crate::record::Parameters`], one record.
    Parameters,
    /// [`crate::record::Member`].
    Members,
    /// [`crate::record::CertificateType`].
    Types,
    /// [`crate::record::Authority`].
    Authorities,
    /// [`crate::record::Agreement`].
    Agreements,
    /// [`crate::book::Book`].
    Books,
    /// [`crate::record::CodeSet`].
    Codes,
    /// [`crate::record::Application`].
    Applications,
    /// [`crate::record::Proposal`].
    Proposals,
    /// [`crate::record::Order`].
    Orders,
    /// [`crate::record::Offence`].
    Offences,
    /// [`crate::record::Resource`].
    Resources,
    /// [`crate::record::ServiceItem`].
    Items,
    /// [`crate::record::Request`].
    Requests,
    /// [`crate::record::Objection`].
    Objections,
}

impl Shelf {
    /// Every shelf, in the order of the state list.
    pub const ALL: [Self; 15] = [
        Self::Parameters,
        Self::Members,
        Self::Types,
        Self::Authorities,
        Self::Agreements,
        Self::Books,
        Self::Codes,
        Self::Applications,
        Self::Proposals,
        Self::Orders,
        Self::Offences,
        Self::Resources,
        Self::Items,
        Self::Requests,
        Self::Objections,
    ];

    /// Its name in addresses and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::Members => "members",
            Self::Types => "types",
            Self::Authorities => "authorities",
            Self::Agreements => "agreements",
            Self::Books => "books",
            Self::Codes => "codes",
            Self::Applications => "applications",
            Self::Proposals => "proposals",
            Self::Orders => "orders",
            Self::Offences => "offences",
            Self::Resources => "resources",
            Self::Items => "items",
            Self::Requests => "requests",
            Self::Objections => "objections",
        }
    }
}

encoded_by_number!(Shelf);

/// Rule R-1: the state root is the digest of the list of shelf digests.
pub fn state_root(domain: &Domain, shelves: &[Digest]) -> Digest {
    let mut list = NumberedList::new(domain.suite, ListKind::State);
    for digest in shelves {
        list.append(&digest.0);
    }
    list.digest(domain)
}
