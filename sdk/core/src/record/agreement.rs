//! Recognition agreements (互认协议): whose certificates count where, and for what (REC-01).

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::certificate::Grade;
use crate::codec;
use crate::day::Day;
use crate::digest::{Digest, Domain};
use crate::id::Division;
use crate::number::{Height, MemberNumber, PurposeCode, TypeNumber};
use crate::shelf::Shelf;

/// One type and what it is recognised for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Term {
    /// The certificate type.
    pub certificate_type: TypeNumber,
    /// Scenarios, in rising order, at least one.
    pub purposes: Vec<PurposeCode>,
}

/// What the parties sign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct AgreementTerms {
    /// The parties' own name for it, such as `RA-2026-001`.
    pub label: String,
    /// The members that must sign, in rising order, at least two. Each stands for itself and for
    /// every member below it.
    pub parties: Vec<MemberNumber>,
    /// Types and scenarios, by rising type number.
    pub terms: Vec<Term>,
    /// Regions whose certificates are meant; empty where all of the parties'.
    pub divisions: Vec<Division>,
    /// The lowest trust grade accepted.
    pub min_grade: Grade,
    /// First day.
    pub from: Day,
    /// Last day, included.
    pub until: Day,
}

impl AgreementTerms {
    /// What each party signs.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("agreement", &[&codec::encode(self)])
    }

    /// The scenarios for a type, if the agreement speaks of it.
    pub fn purposes(&self, kind: TypeNumber) -> Option<&[PurposeCode]> {
        self.terms.iter().find(|term| term.certificate_type == kind).map(|term| term.purposes.as_slice())
    }
}

/// A party and when it signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Party {
    /// The member.
    pub member: MemberNumber,
    /// Height of its signature; `None` before.
    pub signed: Option<Height>,
}

/// Life cycle of an agreement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementStatus {
    /// Not every party has signed.
    Proposed,
    /// Every party has signed.
    InForce,
    /// A party, or a regulator above one, withholds it for now.
    Suspended {
        /// Who suspended it, and alone may resume it.
        by: MemberNumber,
        /// When.
        since: Height,
    },
}

/// A recognition agreement on the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Agreement {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// What was agreed; never changes.
    pub terms: AgreementTerms,
    /// Who signed, in the order of the terms.
    pub parties: Vec<Party>,
    /// Where it stands.
    pub status: AgreementStatus,
}

impl Record for Agreement {
    const SHELF: Shelf = Shelf::Agreements;
}
