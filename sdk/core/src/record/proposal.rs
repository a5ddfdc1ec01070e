//! Proposals (提案): what members vote on, and how they voted (GOV-03, GOV-07).
//!
//! Rule R-13: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Authority, CertificateType, CodeSet, MemberStatus, NewKey, Parameters, Record, Roles};
use crate::codec;
use crate::digest::{Digest, Domain};
use crate::number::{ApplicationNumber, AuthorityNumber, BookNumber, Height, KeyNumber, MemberNumber, TypeNumber};
use crate::operation::Ground;
use crate::outcome::Refusal;
use crate::shelf::Shelf;

/// What a vote can change. Variant numbers are permanent; new ones are added at the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Makes an applicant a member, or a member again.
    Admit {
        /// The confirmed application.
        application: ApplicationNumber,
        /// Its voting power in consensus; 0 without the role validator.
        power: u64,
    },
    /// Ends a membership, at its own wish or not.
    Remove {
        /// Whose.
        member: MemberNumber,
    },
    /// Changes what a member is.
    ChangeMember {
        /// Which.
        member: MemberNumber,
        /// The member above it.
        superior: Option<MemberNumber>,
        /// What it may do.
        roles: Roles,
        /// Its voting power in consensus.
        power: u64,
        /// Whether it may act; removal is a measure of its own.
        status: MemberStatus,
    },
    /// Ends keys of a member and gives it others, where it cannot do so itself any more.
    ReplaceKeys {
        /// Whose.
        member: MemberNumber,
        /// Keys that end, rising.
        ends: Vec<KeyNumber>,
        /// Keys that begin.
        keys: Vec<NewKey>,
    },
    /// Puts other parameters in force.
    SetParameters {
        /// All of them.
        parameters: Parameters,
    },
    /// Gives an authority, or puts another version of one.
    SetAuthority {
        /// Which; `None` for a new one.
        number: Option<AuthorityNumber>,
        /// The record.
        authority: Authority,
    },
    /// Lets a certificate type take new certificates, or no longer.
    EnableType {
        /// Which.
        certificate_type: TypeNumber,
        /// Whether it takes new certificates.
        enabled: bool,
    },
    /// Puts another version of a set of reference codes, by its name, or a new one.
    SetCodes {
        /// The set.
        codes: CodeSet,
    },
    /// Lets blocks speak the next version of the protocol.
    Upgrade {
        /// The version.
        protocol: u16,
    },
    /// Adds a certificate type.
    RegisterType {
        /// The record.
        certificate_type: Box<CertificateType>,
    },
    /// Gives a book to another keeper.
    ChangeKeeper {
        /// Which.
        book: BookNumber,
        /// The member that keeps it from then on.
        keeper: MemberNumber,
    },
}

impl Measure {
    /// Rule T-8: the version of the protocol that brought it.
    pub fn since(&self) -> u16 {
        match self {
            Self::RegisterType { .. } | Self::ChangeKeeper { .. } => 2,
            _ => 1,
        }
    }

    /// The member that a vote is about and that does not count in it: the one to be removed,
    /// suspended, or given other keys.
    pub fn subject(&self) -> Option<MemberNumber> {
        match self {
            Self::Remove { member } | Self::ReplaceKeys { member, .. } | Self::ChangeMember { member, .. } => {
                Some(*member)
            }
            _ => None,
        }
    }

    /// The digest that a vote names: of the measure, when it takes effect and why.
    pub fn digest(&self, domain: &Domain, effective: Height, ground: &Ground) -> Digest {
        domain.digest("measure", &[&codec::encode(&(self, effective, ground))])
    }
}

/// One member's vote.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Ballot {
    /// Who.
    pub member: MemberNumber,
    /// For or against.
    pub approve: bool,
    /// When.
    pub height: Height,
}

/// Where a proposal stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalStatus {
    /// Members may vote.
    Open,
    /// Enough voted for it; it waits for its height.
    Passed {
        /// When.
        height: Height,
    },
    /// So many voted against it that it cannot pass.
    Rejected {
        /// When.
        height: Height,
    },
    /// Its vote closed without enough votes.
    Lapsed {
        /// When.
        height: Height,
    },
    /// The proposer took it back.
    Withdrawn {
        /// When.
        height: Height,
    },
    /// It is in effect.
    Enacted {
        /// The first height that it rules.
        height: Height,
    },
    /// It passed, and at its height it would have broken a rule.
    Failed {
        /// The height that it would have ruled.
        height: Height,
        /// Which rule.
        refusal: Refusal,
    },
}

/// A proposal, its ballots and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Proposal {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Who proposed it.
    pub proposer: MemberNumber,
    /// What is to change.
    pub measure: Measure,
    /// Why.
    pub ground: Ground,
    /// The first height that it rules.
    pub effective: Height,
    /// When it was proposed.
    pub opened: Height,
    /// The last height at which members vote.
    pub closes: Height,
    /// Votes, in the order they were cast.
    pub ballots: Vec<Ballot>,
    /// Where it stands.
    pub status: ProposalStatus,
}

impl Proposal {
    /// Whether blocks still have to look at it.
    pub fn is_live(&self) -> bool {
        matches!(self.status, ProposalStatus::Open | ProposalStatus::Passed { .. })
    }
}

impl Record for Proposal {
    const SHELF: Shelf = Shelf::Proposals;
}
