//! Outcomes: what became of each transaction of a block.
//!
//! A transaction that breaks a rule is not an error of the block: it gets a numbered refusal and
//! changes nothing. Numbers are permanent; where several rules are broken, the lowest number
//! answers. Rules O-13 and O-14: `sdk/spec/operations.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{self, encoded_as};
use crate::day::Day;
use crate::number::{
    ActNumber, AgreementNumber, ApplicationNumber, AuthorityNumber, BookNumber, Height, ItemNumber, KeyNumber,
    LineNumber, MemberNumber, ObjectionNumber, OffenceNumber, OrderNumber, ProposalNumber, RequestNumber,
    ResourceNumber, SealNumber,
};
use crate::record::{ApplicationStatus, ItemStatus, ObjectionStatus, ProposalStatus, RequestStatus, ResourceStatus};
use crate::standing::Standing;
use crate::transaction::TransactionId;

/// Why the ledger refused an operation, in order of precedence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Error, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
#[repr(u16)]
pub enum Refusal {
    /// The member is suspended or has left.
    #[error("the member may not act")]
    MemberInactive = 100,
    /// The member lacks the role for this operation.
    #[error("the member does not have the role this needs")]
    RoleMissing = 101,
    /// A signing key serves another purpose.
    #[error("a signing key serves another purpose")]
    KeyPurpose = 102,
    /// A signing key was revoked by an earlier transaction of the block.
    #[error("a signing key was revoked")]
    KeyRevoked = 103,
    /// No such book.
    #[error("there is no such book")]
    UnknownBook = 200,
    /// No such line.
    #[error("there is no such line")]
    UnknownLine = 201,
    /// No such member.
    #[error("there is no such member")]
    UnknownMember = 202,
    /// No such certificate type.
    #[error("there is no such certificate type")]
    UnknownType = 203,
    /// No such agreement.
    #[error("there is no such agreement")]
    UnknownAgreement = 204,
    /// The reason is not among the reference codes.
    #[error("the reason is not among the reference codes")]
    UnknownReason = 205,
    /// No such purpose or region.
    #[error("a purpose or region is not among the reference codes")]
    UnknownCode = 206,
    /// The member has no such key.
    #[error("the member has no key of this number; next: fengni key list")]
    UnknownKey = 207,
    /// No such authority.
    #[error("there is no such authority; next: fengni authority list")]
    UnknownAuthority = 208,
    /// No such application.
    #[error("there is no such application; next: fengni member list")]
    UnknownApplication = 209,
    /// No such proposal.
    #[error("there is no such proposal; next: fengni gov list")]
    UnknownProposal = 210,
    /// No such order.
    #[error("there is no such order; next: fengni order list")]
    UnknownOrder = 211,
    /// No such resource.
    #[error("there is no such edition of a resource; next: fengni resource list")]
    UnknownResource = 212,
    /// No such service item.
    #[error("there is no such edition of a service item; next: fengni item list")]
    UnknownItem = 213,
    /// No such request.
    #[error("there is no such request for data; next: fengni request list")]
    UnknownRequest = 214,
    /// No such objection.
    #[error("there is no such objection to this certificate; next: fengni objection list")]
    UnknownObjection = 215,
    /// The acting member may not do this to this line or book.
    #[error("this act is not the member's to do")]
    NotEntitled = 300,
    /// One signature where two persons are needed.
    #[error("this needs the signatures of two persons")]
    SecondPersonMissing = 301,
    /// The day's terminal acts are used up.
    #[error("the member's terminal acts for the day are used up")]
    DailyLimit = 302,
    /// A node's key: without it the set of validators, or the closed network, would be another.
    #[error("a node's key changes with a vote of the members, and is not revoked by one of them")]
    NodeKey = 303,
    /// The member's last administrator's key, revoked by the member itself.
    #[error("the member could not act any more; next: let it have another admin key first, or let its superior revoke")]
    LastKey = 304,
    /// No authority over this type, region and day.
    #[error("the member has no authority to issue this type for this region now")]
    IssuerNotAuthorised = 400,
    /// The type takes no new certificates.
    #[error("the certificate type is disabled")]
    TypeDisabled = 401,
    /// The member keeps such a book already.
    #[error("the member has a book of this kind and region already")]
    DuplicateBook = 402,
    /// No line, or too many.
    #[error("a seal adds 1 to 1,024 lines")]
    LineCount = 403,
    /// A tag is taken; the detail is the line's place in the transaction.
    #[error("a line with this tag, a certificate's identifier or a grant's, is in the register already")]
    DuplicateTag = 404,
    /// A new key's line has another tag than the line it replaces.
    #[error("the new line is for another certificate")]
    OtherTag = 405,
    /// A batch of receipts that does not go on where the book ends.
    #[error("the batch does not go on where the book of receipts ends; next: ask for the book's last line")]
    BadBatch = 406,
    /// A grant's line with another tag than follows from its commitment.
    #[error("the tag of a grant's line does not follow from its commitment")]
    BadTag = 407,
    /// The type does not allow the act.
    #[error("the certificate type does not allow this act")]
    ActNotAllowed = 500,
    /// The act does not follow from the line's state.
    #[error("the act does not follow from the certificate's state")]
    WrongState = 501,
    /// The body's hold is there already.
    #[error("the body holds the certificate suspended already")]
    AlreadyHeld = 502,
    /// There is no such hold.
    #[error("the body holds no suspension")]
    NotHeld = 503,
    /// A suspension would end before it begins.
    #[error("the suspension would end before it begins")]
    BadEnd = 504,
    /// The line was given up to another member.
    #[error("the certificate was given up to another member")]
    OtherTarget = 505,
    /// Too many bodies hold the line.
    #[error("too many bodies hold the certificate suspended")]
    TooManyHolds = 506,
    /// A one-time document was used before.
    #[error("the document was consumed before")]
    AlreadyConsumed = 507,
    /// Digest and secret are not those of the grant.
    #[error("the digest and the secret are not those of this grant")]
    OtherGrant = 508,
    /// An open objection keeps the flag.
    #[error("an objection to the certificate is open; next: answer it")]
    ObjectionOpen = 509,
    /// The terms contradict themselves.
    #[error("the terms of the agreement are not well formed")]
    BadTerms = 600,
    /// The digest is not that of the terms.
    #[error("the digest is not that of the agreement's terms")]
    OtherTerms = 601,
    /// The member signed already.
    #[error("the member has signed already")]
    AlreadySigned = 602,
    /// The agreement is not where this operation begins.
    #[error("the agreement is not in the state this needs")]
    AgreementState = 603,
    /// A record would outgrow its limit.
    #[error("the record would grow beyond its limit")]
    RecordFull = 700,
    /// A height that is not reached yet.
    #[error("the key cannot be suspected from a height to come")]
    BadHeight = 800,
    /// The key had ended by that height.
    #[error("the key ended before that height already")]
    KeyEnded = 801,
    /// The authority is not where this operation begins.
    #[error("the authority is not in the state this needs")]
    AuthorityState = 802,
    /// A new key is not proven, or its algorithm does not suit its purpose.
    #[error("a new key is not proven by its own signature, or its algorithm does not suit its purpose")]
    BadProof = 803,
    /// A new key is, or was, a member's already.
    #[error("the key is, or was, a member's already; next: make a new one")]
    KeyInUse = 804,
    /// An applicant's entry contradicts itself or the register.
    #[error("the applicant's entry is not well formed, or lacks a key that its roles need")]
    BadApplicant = 805,
    /// The applicant is a member already.
    #[error("a body with this credit code is a member already")]
    MemberExists = 806,
    /// The application is not where this operation begins.
    #[error("the application is not in the state this needs")]
    ApplicationState = 807,
    /// The measure contradicts itself or the register.
    #[error("the measure is not well formed, or contradicts the register")]
    BadMeasure = 808,
    /// The effective height is too near or too far.
    #[error("the effective height is too near or too far; next: see parameters.voting")]
    BadEffect = 809,
    /// The validators left would be too few, or no set.
    #[error("the network would be left with fewer validators than it may run with")]
    TooFewValidators = 810,
    /// The digest is not that of the proposal.
    #[error("the digest is not that of what is proposed")]
    OtherMeasure = 811,
    /// The proposal is not where this operation begins.
    #[error("the vote on this proposal is closed")]
    ProposalState = 812,
    /// Too many proposals wait.
    #[error("too many proposals are open; next: wait, or withdraw one")]
    TooManyProposals = 813,
    /// An order about no line, or too many books.
    #[error("the order is about no line, or about more than 1,024 books")]
    BadScope = 814,
    /// The order was lifted before.
    #[error("the order was lifted before")]
    OrderState = 815,
    /// No revoked key's line among these.
    #[error("none of these lines is suspended for a revoked key")]
    NotSuspended = 816,
    /// The statements prove no offence.
    #[error("the two statements do not prove that the validator signed twice")]
    NotProven = 817,
    /// The offence is on record already.
    #[error("this offence is on record already")]
    KnownOffence = 818,
    /// An act of a day to come.
    #[error("the day of the act is still to come")]
    BadDay = 819,
    /// A resource's terms contradict themselves or the register.
    #[error("what the resource says is not whole, or contradicts itself")]
    BadResource = 820,
    /// The resource is not where this operation begins.
    #[error("the edition of the resource is not in the state this needs")]
    ResourceState = 821,
    /// A service item's terms contradict themselves or the register.
    #[error("what the service item says is not whole, or contradicts itself")]
    BadItem = 822,
    /// The item is not where this operation begins.
    #[error("the edition of the service item is not in use any more")]
    ItemState = 823,
    /// A request lacks its law, or asks for what the resource does not offer.
    #[error("the request lacks a law, items, modes or days, or asks for more than the resource offers")]
    BadRequest = 824,
    /// The request is not where this operation begins.
    #[error("the request is not in the state this needs")]
    RequestState = 825,
    /// A refusal without the law it rests on.
    #[error("a refusal names the law that it rests on")]
    LawMissing = 826,
    /// More time than may be asked for.
    #[error("the answer cannot have so many more working days; next: see the reference codes sharing-days")]
    BadExtension = 827,
    /// The objection is not where this operation begins.
    #[error("the objection is answered already, or the certificate is still as it was")]
    ObjectionState = 828,
}

impl Refusal {
    /// Every refusal, by rising number.
    pub const ALL: [Self; 77] = [
        Self::MemberInactive,
        Self::RoleMissing,
        Self::KeyPurpose,
        Self::KeyRevoked,
        Self::UnknownBook,
        Self::UnknownLine,
        Self::UnknownMember,
        Self::UnknownType,
        Self::UnknownAgreement,
        Self::UnknownReason,
        Self::UnknownCode,
        Self::UnknownKey,
        Self::UnknownAuthority,
        Self::UnknownApplication,
        Self::UnknownProposal,
        Self::UnknownOrder,
        Self::UnknownResource,
        Self::UnknownItem,
        Self::UnknownRequest,
        Self::UnknownObjection,
        Self::NotEntitled,
        Self::SecondPersonMissing,
        Self::DailyLimit,
        Self::NodeKey,
        Self::LastKey,
        Self::IssuerNotAuthorised,
        Self::TypeDisabled,
        Self::DuplicateBook,
        Self::LineCount,
        Self::DuplicateTag,
        Self::OtherTag,
        Self::BadBatch,
        Self::BadTag,
        Self::ActNotAllowed,
        Self::WrongState,
        Self::AlreadyHeld,
        Self::NotHeld,
        Self::BadEnd,
        Self::OtherTarget,
        Self::TooManyHolds,
        Self::AlreadyConsumed,
        Self::OtherGrant,
        Self::ObjectionOpen,
        Self::BadTerms,
        Self::OtherTerms,
        Self::AlreadySigned,
        Self::AgreementState,
        Self::RecordFull,
        Self::BadHeight,
        Self::KeyEnded,
        Self::AuthorityState,
        Self::BadProof,
        Self::KeyInUse,
        Self::BadApplicant,
        Self::MemberExists,
        Self::ApplicationState,
        Self::BadMeasure,
        Self::BadEffect,
        Self::TooFewValidators,
        Self::OtherMeasure,
        Self::ProposalState,
        Self::TooManyProposals,
        Self::BadScope,
        Self::OrderState,
        Self::NotSuspended,
        Self::NotProven,
        Self::KnownOffence,
        Self::BadDay,
        Self::BadResource,
        Self::ResourceState,
        Self::BadItem,
        Self::ItemState,
        Self::BadRequest,
        Self::RequestState,
        Self::LawMissing,
        Self::BadExtension,
        Self::ObjectionState,
    ];

    /// The permanent number.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The name in answers, such as `DUPLICATE_TAG`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        name
    }
}

encoded_as!(Refusal, u16);

impl From<Refusal> for u16 {
    fn from(refusal: Refusal) -> u16 {
        refusal.number()
    }
}

impl TryFrom<u16> for Refusal {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        Self::ALL.into_iter().find(|r| r.number() == number).ok_or_else(|| format!("no refusal has number {number}"))
    }
}

/// What an accepted transaction did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A book was opened.
    BookOpened {
        /// Its number.
        book: BookNumber,
    },
    /// Lines were added.
    Sealed {
        /// The book.
        book: BookNumber,
        /// The seal.
        seal: SealNumber,
        /// First line.
        first: LineNumber,
        /// Lines.
        count: u32,
    },
    /// A line's standing changed.
    Acted {
        /// The act, in the line's book.
        act: ActNumber,
        /// Standing after.
        standing: Standing,
    },
    /// A line took the place of another.
    Replaced {
        /// The act, in the old line's book.
        act: ActNumber,
        /// The new line's book.
        book: BookNumber,
        /// The new line.
        line: LineNumber,
    },
    /// An agreement was proposed or changed.
    Agreement {
        /// Which.
        agreement: AgreementNumber,
        /// Whether it is in force now.
        in_force: bool,
    },
    /// A key was revoked.
    KeyRevoked {
        /// Whose.
        member: MemberNumber,
        /// Which.
        key: KeyNumber,
        /// The first height at which it is no longer good.
        from: Height,
        /// How many lines are suspended for it, in all of the member's books.
        lines: u64,
    },
    /// An authority was suspended or given back.
    Authority {
        /// Which.
        authority: AuthorityNumber,
        /// Whether it is suspended now.
        suspended: bool,
    },
    /// An application was filed or reviewed.
    Application {
        /// Which.
        application: ApplicationNumber,
        /// Where it stands now.
        status: ApplicationStatus,
    },
    /// A proposal was made, voted on or withdrawn.
    Proposal {
        /// Which.
        proposal: ProposalNumber,
        /// Where it stands now.
        status: ProposalStatus,
    },
    /// A member has a key more.
    KeyAdded {
        /// Whose.
        member: MemberNumber,
        /// Which.
        key: KeyNumber,
        /// First height at which it signs.
        from: Height,
    },
    /// An order was given or lifted.
    Order {
        /// Which.
        order: OrderNumber,
        /// How many lines it is about.
        lines: u64,
        /// Whether it was lifted.
        lifted: bool,
    },
    /// Lines that were suspended for a revoked key are good.
    Confirmed {
        /// The book.
        book: BookNumber,
        /// How many lines are no longer suspended for a key.
        lines: u64,
    },
    /// An offence is on record.
    Offence {
        /// Which.
        offence: OffenceNumber,
    },
    /// The block's validators were named by a recovery.
    Recovered {
        /// How many they are.
        validators: u32,
    },
    /// Lines were added, for acts of a day before.
    DatedSealed {
        /// The book.
        book: BookNumber,
        /// The seal.
        seal: SealNumber,
        /// First line.
        first: LineNumber,
        /// Lines.
        count: u32,
        /// The last day on which that was in time; `None` where nothing limits it.
        due: Option<Day>,
    },
    /// An edition of a shared resource was put up or decided about.
    Resource {
        /// Which.
        resource: ResourceNumber,
        /// Where it stands now.
        status: ResourceStatus,
    },
    /// An edition of a service item was put up or ended.
    Item {
        /// Which.
        item: ItemNumber,
        /// Where it stands now.
        status: ItemStatus,
    },
    /// A request for data was filed or decided about.
    Request {
        /// Which.
        request: RequestNumber,
        /// Where it stands now.
        status: RequestStatus,
        /// Until when the provider has to answer, or to provide.
        due: Option<Day>,
    },
    /// An objection was filed or answered.
    Objection {
        /// Which.
        objection: ObjectionNumber,
        /// The act on the certificate, where its flag changed.
        act: Option<ActNumber>,
        /// Where the objection stands now.
        status: ObjectionStatus,
        /// Until when the keeper has to answer.
        due: Option<Day>,
    },
}

impl Effect {
    /// The book and the lines that were added, however dated: first and how many.
    pub fn sealed(&self) -> Option<(BookNumber, LineNumber, u32)> {
        match self {
            Self::Sealed { book, first, count, .. } | Self::DatedSealed { book, first, count, .. } => {
                Some((*book, *first, *count))
            }
            _ => None,
        }
    }
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It was applied.
    Done(Effect),
    /// It broke a rule and changed nothing.
    Refused {
        /// Which rule.
        refusal: Refusal,
        /// Where: for lines, the place in the transaction; else 0.
        detail: u64,
    },
}

/// One entry of a block's list of outcomes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Outcome {
    /// The transaction.
    pub transaction: TransactionId,
    /// What became of it.
    pub decision: Decision,
}

impl Outcome {
    /// The bytes that enter the block's list of outcomes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_rise_and_survive_a_round_trip() {
        assert!(Refusal::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::try_from(refusal.number()), Ok(refusal));
        }
        assert_eq!(Refusal::DuplicateTag.name(), "DUPLICATE_TAG");
    }
}
