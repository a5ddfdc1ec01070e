//! Objections (校核): somebody says that a certificate is wrong, and its keeper looks (SHR-12, HLD-05).
//!
//! Rule R-19: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Clock, Record};
use crate::day::Day;
use crate::number::{Height, LinePlace, MemberNumber};
use crate::operation::Ground;
use crate::shelf::Shelf;

/// Where an objection stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectionStatus {
    /// The keeper has not answered.
    Open,
    /// 更正: the keeper put another line in the certificate's place.
    Corrected,
    /// 维持: the keeper found it right.
    Maintained,
}

/// An objection to a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Objection {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// The certificate.
    pub place: LinePlace,
    /// The member that filed it, for itself or for the holder.
    pub filer: MemberNumber,
    /// Why.
    pub ground: Ground,
    /// When it was filed.
    pub filed: Height,
    /// The day of that block.
    pub filed_on: Day,
    /// From filing to the answer.
    pub answer: Clock,
    /// Why it was answered so.
    pub answered: Option<Ground>,
    /// Where it stands.
    pub status: ObjectionStatus,
}

impl Record for Objection {
    const SHELF: Shelf = Shelf::Objections;
}
