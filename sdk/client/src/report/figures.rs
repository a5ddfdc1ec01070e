//! Figures: how often the ledger did what, by type, member and region. Rules E-2 and E-3.

use std::collections::BTreeMap;

use fengni_core::event::{Event, EventKind, Topic};
use fengni_core::id::Division;
use fengni_core::outcome::Refusal;
use fengni_core::{MemberNumber, TypeNumber};
use serde::Serialize;

/// What is counted; words are for life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Blocks.
    Blocks,
    /// Transactions, done or refused.
    Transactions,
    /// Books opened.
    Books,
    /// Seals.
    Seals,
    /// Certificates issued: lines that were sealed, and lines that took the place of another.
    Certificates,
    /// Acts on certificates.
    Acts,
    /// Cases opened.
    Cases,
    /// Steps of cases.
    Steps,
    /// Recognition agreements proposed, signed, suspended, resumed.
    Agreements,
    /// Keys rotated and revoked, and lines confirmed after a revocation.
    Keys,
    /// Authorities suspended and given back.
    Authorities,
    /// Applications filed and reviewed.
    Applications,
    /// Proposals, votes and withdrawals.
    Proposals,
    /// Orders given and lifted.
    Orders,
    /// Editions of resources and service items, put up and decided about.
    Resources,
    /// Requests for data, filed and decided about.
    Requests,
    /// Grants of holders.
    Grants,
    /// Grants that their holders withdrew.
    Withdrawals,
    /// Receipts of data that was used.
    Receipts,
    /// Objections to certificates, filed and answered.
    Objections,
    /// Offences put on record.
    Offences,
    /// Recoveries.
    Recoveries,
    /// Transactions that were refused.
    Refusals,
}

impl Category {
    /// Where something that was done belongs.
    fn of(kind: EventKind) -> Self {
        use EventKind as Kind;
        match kind {
            Kind::OpenBook => Self::Books,
            Kind::Seal => Self::Seals,
            Kind::Succeed => Self::Certificates,
            Kind::Suspend
            | Kind::Return
            | Kind::Cancel
            | Kind::Annul
            | Kind::Revoke
            | Kind::TransferOut
            | Kind::CancelTransfer
            | Kind::Expire
            | Kind::Dispute
            | Kind::ClearDispute
            | Kind::BlockKey
            | Kind::Renew
            | Kind::Change
            | Kind::Correct
            | Kind::Rekey
            | Kind::TransferIn
            | Kind::Consume => Self::Acts,
            Kind::Step => Self::Steps,
            Kind::ProposeAgreement | Kind::SignAgreement | Kind::SuspendAgreement | Kind::ResumeAgreement => {
                Self::Agreements
            }
            Kind::RevokeKey | Kind::RotateKey | Kind::Confirm => Self::Keys,
            Kind::SuspendAuthority | Kind::ResumeAuthority => Self::Authorities,
            Kind::FileApplication | Kind::ReviewApplication => Self::Applications,
            Kind::Propose | Kind::Vote | Kind::Withdraw => Self::Proposals,
            Kind::Order | Kind::LiftOrder => Self::Orders,
            Kind::ProposeResource
            | Kind::PublishResource
            | Kind::RefuseResource
            | Kind::EndResource
            | Kind::PutItem
            | Kind::EndItem => Self::Resources,
            Kind::FileRequest
            | Kind::ReturnRequest
            | Kind::AgreeRequest
            | Kind::RefuseRequest
            | Kind::AskTime
            | Kind::GiveTime
            | Kind::ProvisionRequest
            | Kind::SuspendRequest
            | Kind::ResumeRequest
            | Kind::EndRequest => Self::Requests,
            Kind::WithdrawGrant => Self::Withdrawals,
            Kind::FileObjection | Kind::AnswerObjection => Self::Objections,
            Kind::Accuse => Self::Offences,
            Kind::Recover => Self::Recoveries,
        }
    }
}

/// Where a count belongs. What does not apply is left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Place {
    /// What is counted.
    pub category: Category,
    /// The kind of event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// Type of certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_type: Option<TypeNumber>,
    /// The member that acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberNumber>,
    /// The region of the book.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<Division>,
    /// Why it was refused: the permanent number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

impl Place {
    /// Of a category as a whole.
    fn whole(category: Category) -> Self {
        Self { category, kind: None, certificate_type: None, member: None, division: None, refusal: None }
    }

    fn of(category: Category, event: &Event) -> Self {
        Self {
            category,
            kind: Some(event.kind),
            certificate_type: event.certificate_type,
            member: Some(event.member),
            division: event.division,
            refusal: event.refusal,
        }
    }
}

/// One figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Figure {
    /// Of what.
    #[serde(flatten)]
    pub place: Place,
    /// How many.
    pub count: u64,
}

/// Figures of a time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Figures(BTreeMap<Place, u64>);

impl Figures {
    /// Counts a block and everything that it did, whatever was refused included.
    pub fn block(&mut self, events: &[Event]) {
        self.add(Place::whole(Category::Blocks), 1);
        events.iter().for_each(|event| self.event(event));
    }

    fn event(&mut self, event: &Event) {
        // Each transaction has an event of part 0 (J-6).
        if event.position.part == 0 {
            self.add(Place::whole(Category::Transactions), 1);
        }
        if !event.done {
            return self.add(Place::of(Category::Refusals, event), 1);
        }
        self.add(Place::of(Category::of(event.kind), event), 1);
        if event.seal.is_some() {
            let (lines, count) = match (event.topic, event.receipts) {
                (Topic::Cases, _) => (Category::Cases, event.lines),
                (Topic::Sharing, Some(receipts)) => (Category::Receipts, Some(receipts)),
                (Topic::Sharing, None) => (Category::Grants, event.lines),
                _ => (Category::Certificates, event.lines),
            };
            self.add(Place::of(lines, event), count.unwrap_or_default());
        }
    }

    fn add(&mut self, place: Place, count: u64) {
        let sum = self.0.entry(place).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Adds the figures of a time that follows.
    pub fn join(&mut self, later: &Self) {
        later.0.iter().for_each(|(place, count)| self.add(*place, *count));
    }

    /// All of them, by rising place.
    pub fn iter(&self) -> impl Iterator<Item = Figure> + '_ {
        self.0.iter().map(|(place, count)| Figure { place: *place, count: *count })
    }

    /// The sum of a category.
    pub fn total(&self, category: Category) -> u64 {
        self.iter().filter(|figure| figure.place.category == category).map(|figure| figure.count).sum()
    }
}
