//! Issuing authorities (制发权限): who may issue what, where and when (GOV-06).

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::day::Day;
use crate::id::Division;
use crate::number::{MemberNumber, TypeNumber};
use crate::shelf::Shelf;

/// One member's authority over one type in one region for a period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Authority {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Who may issue.
    pub member: MemberNumber,
    /// What.
    pub certificate_type: TypeNumber,
    /// Where: this region and those inside it.
    pub division: Division,
    /// First day.
    pub from: Day,
    /// Last day, included.
    pub until: Day,
    /// The rule it rests on.
    pub basis: String,
    /// Who withholds it for now, if anybody does.
    pub suspended: Option<MemberNumber>,
}

impl Authority {
    /// Whether it lets `member` issue this type for `division` on `day`.
    pub fn covers(&self, member: MemberNumber, kind: TypeNumber, division: &Division, day: Day) -> bool {
        self.member == member
            && self.certificate_type == kind
            && self.division.covers(division)
            && (self.from..=self.until).contains(&day)
            && self.suspended.is_none()
    }
}

impl Record for Authority {
    const SHELF: Shelf = Shelf::Authorities;
}
