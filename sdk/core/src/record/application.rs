//! Applications (入网申请): departments that ask to become members (GOV-03).
//!
//! Rule R-12: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{NewKey, Record, Roles};
use crate::digest::Digest;
use crate::id::{CreditCode, Division};
use crate::number::{Height, MemberNumber};
use crate::shelf::Shelf;

/// What a department says about itself when it applies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Applicant {
    /// Unified social credit code.
    pub code: CreditCode,
    /// Name of the department.
    pub name: String,
    /// Region it works in.
    pub division: Division,
    /// The member above it, if any.
    pub superior: Option<MemberNumber>,
    /// What it wants to do.
    pub roles: Roles,
    /// Its keys, each with the proof that the applicant has it.
    pub keys: Vec<NewKey>,
    /// Freshly salted hash of whom to reach, and how.
    pub contact: Digest,
}

/// Where an application stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationStatus {
    /// Filed, and not looked at yet.
    Applied,
    /// A member has confirmed what it says.
    Confirmed {
        /// Who.
        by: MemberNumber,
        /// When.
        height: Height,
    },
    /// A member has turned it down.
    Rejected {
        /// Who.
        by: MemberNumber,
        /// When.
        height: Height,
    },
    /// A vote has made the applicant a member.
    Admitted {
        /// Its number.
        member: MemberNumber,
        /// When its record was made.
        height: Height,
    },
}

/// An application, as a member filed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Application {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// What the department says.
    pub applicant: Applicant,
    /// The member that filed it: who is no member yet signs nothing on the ledger.
    pub filed_by: MemberNumber,
    /// When.
    pub filed: Height,
    /// Where it stands.
    pub status: ApplicationStatus,
}

impl Record for Application {
    const SHELF: Shelf = Shelf::Applications;
}
