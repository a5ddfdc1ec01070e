//! Service items (政务服务事项): what a department does for people, and what it needs for it (CAT-02).
//!
//! A record is one edition of an item, as a record of a resource is. Rule R-17:
//! `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::certificate::Grade;
use crate::number::{Height, ItemNumber, MemberNumber, PurposeCode, ResourceNumber, TypeNumber};
use crate::shelf::Shelf;

/// Something that an item needs (用证清单).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A certificate of the applicant's.
    Certificate {
        /// Its type.
        certificate_type: TypeNumber,
        /// The lowest trust grade that does.
        min_grade: Grade,
    },
    /// Data that another department keeps.
    Resource {
        /// The edition that was published when the item was; a later one does as well.
        resource: ResourceNumber,
    },
}

/// What a department says about an item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct ItemTerms {
    /// Its code (实施编码), 1 to 24 ASCII letters and digits.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The scenario that whatever it needs is used for.
    pub purpose: PurposeCode,
    /// What it needs, in rising order.
    pub needs: Vec<Need>,
}

/// Where an edition of an item stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ItemStatus {
    /// It is the one in use.
    Current,
    /// Another edition took its place.
    Replaced {
        /// Which.
        by: ItemNumber,
        /// When.
        height: Height,
    },
    /// The department does it no longer.
    Ended {
        /// When.
        height: Height,
    },
}

/// An edition of a service item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct ServiceItem {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// The member that handles it.
    pub department: MemberNumber,
    /// What it says; never changes.
    pub terms: ItemTerms,
    /// The edition whose place it took.
    pub replaces: Option<ItemNumber>,
    /// When it was put up.
    pub put: Height,
    /// Where it stands.
    pub status: ItemStatus,
}

impl Record for ServiceItem {
    const SHELF: Shelf = Shelf::Items;
}
