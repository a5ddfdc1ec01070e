//! Requests to use another department's data (共享申请), their answers and their clocks (SHR-01 to SHR-03).
//!
//! What was asked never changes. Due days are reckoned when a clock starts, from the calendar of that
//! block, and stand in the record: whoever reads it knows what is overdue, and no later calendar
//! changes that. Rule R-18: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Mode, Record};
use crate::codec::encoded_by_number;
use crate::day::Day;
use crate::number::{Height, ItemNumber, MemberNumber, RequestNumber, ResourceNumber};
use crate::operation::Ground;
use crate::shelf::Shelf;

/// On what a use of data rests (SHR-05). The three are kept apart from the request to the statistics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum AccessBasis {
    /// 依职能: a duty that a law puts on the requester.
    Function = 0,
    /// 授权: the holder's grant.
    Authorisation = 1,
    /// 委托: the grant of somebody who acts for the holder.
    Entrustment = 2,
}

impl AccessBasis {
    /// Every basis, by number.
    pub const ALL: [Self; 3] = [Self::Function, Self::Authorisation, Self::Entrustment];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Authorisation => "authorisation",
            Self::Entrustment => "entrustment",
        }
    }

    /// Whether each use needs a grant.
    pub fn needs_grant(self) -> bool {
        self != Self::Function
    }
}

encoded_by_number!(AccessBasis);

/// What a requester asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct RequestTerms {
    /// The edition of the resource.
    pub resource: ResourceNumber,
    /// The edition of the service item that it is for, which names the purpose.
    pub item: ItemNumber,
    /// On what each use will rest.
    pub basis: AccessBasis,
    /// The law behind it (依据).
    pub law: String,
    /// Which items of the resource, by number, in rising order.
    pub fields: Vec<u16>,
    /// How they will be used, in rising order.
    pub modes: Vec<Mode>,
    /// Whose data, in words.
    pub population: String,
    /// How often, in words.
    pub frequency: String,
    /// How the requester keeps the data safe.
    pub measures: String,
    /// First day of use.
    pub from: Day,
    /// Last day of use, included.
    pub until: Day,
}

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum RequestStatus {
    /// The provider has not answered.
    Filed,
    /// 补正: the provider sent it back; another request that amends it takes its place.
    Returned,
    /// The provider agreed.
    Agreed,
    /// The provider refused.
    Refused,
    /// The provider serves it.
    Provisioned,
    /// Somebody withholds it for now, and alone gives it back.
    Suspended {
        /// Who.
        by: MemberNumber,
    },
    /// It is over.
    Ended {
        /// Who ended it.
        by: MemberNumber,
    },
}

/// What is late about a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overdue {
    /// The answer.
    Answer,
    /// The data.
    Provision,
}

/// A clock in working days: when it must stop, and when it did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
pub struct Clock {
    /// The last day in time; `None` where nothing limits it, or before it starts.
    pub due: Option<Day>,
    /// The day on which it stopped.
    pub done: Option<Day>,
}

impl Clock {
    /// Whether it was, or is still, late on a day.
    pub fn is_late(&self, today: Day) -> bool {
        self.due.is_some_and(|due| self.done.unwrap_or(today) > due)
    }
}

/// More time for an answer (延期), which a regulator approves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Extension {
    /// The provider asked for so many working days.
    Asked {
        /// How many.
        days: u32,
    },
    /// They were given, and are in the due day.
    Given {
        /// How many.
        days: u32,
        /// Who approved.
        by: MemberNumber,
    },
    /// They were not.
    Denied {
        /// Who said so.
        by: MemberNumber,
    },
}

/// A request for data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Request {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Who asks.
    pub requester: MemberNumber,
    /// What for; never changes.
    pub terms: RequestTerms,
    /// The returned request whose place it takes.
    pub amends: Option<RequestNumber>,
    /// When it was filed.
    pub filed: Height,
    /// The day of that block.
    pub filed_on: Day,
    /// From filing to the answer.
    pub answer: Clock,
    /// More time for the answer.
    pub extension: Option<Extension>,
    /// From agreement to provision.
    pub provision: Clock,
    /// Why it was returned, agreed to or refused.
    pub ground: Option<Ground>,
    /// The law that a refusal rests on; empty where it was not refused.
    pub refused_by: String,
    /// Where it stands.
    pub status: RequestStatus,
}

impl Request {
    /// What is overdue on a day, by the record alone, so that every node says the same (SHR-03).
    pub fn overdue(&self, today: Day) -> Option<Overdue> {
        match self.status {
            RequestStatus::Filed if self.answer.is_late(today) => Some(Overdue::Answer),
            RequestStatus::Agreed if self.provision.is_late(today) => Some(Overdue::Provision),
            _ => None,
        }
    }
}

impl Record for Request {
    const SHELF: Shelf = Shelf::Requests;
}
