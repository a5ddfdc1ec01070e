//! Events: what a block did, one public fact after the other.
//!
//! Derived from a block's header, its transactions and their outcomes, and from nothing else but
//! which type and region each book is of and when it was opened, which never changes. So whoever derives them from the
//! same block gets the same ones: for spreadsheets, for those who subscribe, for statistics. Rules
//! J-6 to J-9: `sdk/spec/exports.md`.
//!
//! ```text
//! header, transactions, outcomes --events(directory)--> position, kind, who, what, why
//! ```

mod block;
mod filter;
mod topic;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::block::Header;
use crate::book::{Book, Subject};
use crate::day::{Day, Millis};
use crate::digest::Digest;
use crate::id::Division;
use crate::number::{
    ActNumber, AgreementNumber, ApplicationNumber, AuthorityNumber, BookNumber, Height, ItemNumber, KeyNumber,
    LineNumber, LinePlace, MemberNumber, ObjectionNumber, OffenceNumber, OrderNumber, ProposalNumber, ReasonCode,
    RequestNumber, ResourceNumber, SealNumber, TypeNumber,
};
use crate::operation::{Cause, Ground, ObjectionAnswer, Operation, RequestDecision, ResourceDecision, StandingChange};
use crate::outcome::{Decision, Effect, Outcome, Refusal};
use crate::record::Scope;
use crate::sharing::Batch;
use crate::standing::Standing;
use crate::transaction::{Transaction, TransactionId};

pub use block::{BlockEventsError, block_events};
pub use filter::{Filter, FilterError};
pub use topic::Topic;

/// Where an event stands on the ledger; positions rise, and none is given twice. Rule J-6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Position {
    /// The block.
    pub height: Height,
    /// The transaction's place in it, from 0.
    pub place: u32,
    /// The event's place among those of the transaction, from 0.
    pub part: u8,
}

impl Position {
    /// After everything in the blocks up to a height.
    pub fn after(height: Height) -> Self {
        Self { height, place: u32::MAX, part: u8::MAX }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.height, self.place, self.part)
    }
}

impl std::str::FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.split('.');
            let position = Self {
                height: Height(parts.next()?.parse().ok()?),
                place: parts.next()?.parse().ok()?,
                part: parts.next()?.parse().ok()?,
            };
            (parts.next().is_none() && position.to_string() == text).then_some(position)
        };
        read().ok_or("a position has a height, a place and a part, such as 4711.0.0")
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What an event is about. Words are permanent; new ones are added at the end. Rule J-7.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// A book is opened.
    OpenBook = "open-book";
    /// Lines are added.
    Seal = "seal";
    /// 暂扣.
    Suspend = "suspend";
    /// 暂扣发还.
    Return = "return";
    /// 注销.
    Cancel = "cancel";
    /// 撤销.
    Annul = "annul";
    /// 吊销.
    Revoke = "revoke";
    /// 转出.
    TransferOut = "transfer-out";
    /// 取消转出.
    CancelTransfer = "cancel-transfer";
    /// 过期失效.
    Expire = "expire";
    /// 异议标注.
    Dispute = "dispute";
    /// 撤销异议标注.
    ClearDispute = "clear-dispute";
    /// 挂失.
    BlockKey = "block-key";
    /// 延续, of the old line.
    Renew = "renew";
    /// 变更, of the old line.
    Change = "change";
    /// 更正, of the old line.
    Correct = "correct";
    /// 补绑, of the old line.
    Rekey = "rekey";
    /// 转入, of the old line.
    TransferIn = "transfer-in";
    /// 核销.
    Consume = "consume";
    /// A line is added that takes the place of another.
    Succeed = "succeed";
    /// An agreement is put up for signature.
    ProposeAgreement = "propose-agreement";
    /// An agreement is signed.
    SignAgreement = "sign-agreement";
    /// An agreement is withheld for now.
    SuspendAgreement = "suspend-agreement";
    /// A suspended agreement is put back in force.
    ResumeAgreement = "resume-agreement";
    /// A key is revoked in an emergency.
    RevokeKey = "revoke-key";
    /// An issuing authority is withheld for now.
    SuspendAuthority = "suspend-authority";
    /// A suspended authority is given back.
    ResumeAuthority = "resume-authority";
    /// An application is filed.
    FileApplication = "file-application";
    /// An application is confirmed or turned down.
    ReviewApplication = "review-application";
    /// A measure is put to the vote.
    Propose = "propose";
    /// A member votes.
    Vote = "vote";
    /// A proposal is taken back.
    Withdraw = "withdraw";
    /// A member gives itself a key.
    RotateKey = "rotate-key";
    /// Many lines are suspended by one act.
    Order = "order";
    /// An order is lifted.
    LiftOrder = "lift-order";
    /// Lines that a revoked key sealed are confirmed.
    Confirm = "confirm";
    /// An offence is put on record.
    Accuse = "accuse";
    /// Validators are named by a recovery.
    Recover = "recover";
    /// 办理进展: a step of a case.
    Step = "step";
    /// An edition of a shared resource is put up for review.
    ProposeResource = "propose-resource";
    /// An edition of a shared resource is published.
    PublishResource = "publish-resource";
    /// An edition of a shared resource is turned down.
    RefuseResource = "refuse-resource";
    /// A resource is shared no longer.
    EndResource = "end-resource";
    /// An edition of a service item is put up.
    PutItem = "put-item";
    /// A service item is ended.
    EndItem = "end-item";
    /// A request for data is filed.
    FileRequest = "file-request";
    /// 补正: a request is sent back.
    ReturnRequest = "return-request";
    /// A request is agreed to.
    AgreeRequest = "agree-request";
    /// A request is refused.
    RefuseRequest = "refuse-request";
    /// More time is asked for.
    AskTime = "ask-time";
    /// More time is given, or is not.
    GiveTime = "give-time";
    /// A request is served from now on.
    ProvisionRequest = "provision-request";
    /// A request is withheld for now.
    SuspendRequest = "suspend-request";
    /// A request is given back.
    ResumeRequest = "resume-request";
    /// A request is ended.
    EndRequest = "end-request";
    /// 撤回授权: a grant is withdrawn by its holder, whoever sends it.
    WithdrawGrant = "withdraw-grant";
    /// 校核: somebody objects to a certificate.
    FileObjection = "file-objection";
    /// An objection is answered.
    AnswerObjection = "answer-objection";
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One public fact of a block. What does not apply to its kind is left out. Rule J-8.
///
/// Nothing in it is personal: what the ledger does not hold cannot be here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Where it stands.
    #[serde(flatten)]
    pub position: Position,
    /// The block's time, in milliseconds since 1970.
    pub time: Millis,
    /// What it is about.
    pub kind: EventKind,
    /// Which of its readers it is for.
    pub topic: Topic,
    /// Whether it was done; else it was refused and changed nothing.
    pub done: bool,
    /// The transaction.
    pub transaction: TransactionId,
    /// Who asked. Of a recovery, the member of its first seat.
    pub member: MemberNumber,
    /// With which of its keys.
    pub keys: Vec<KeyNumber>,
    /// Why it was refused: the permanent number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<Refusal>,
    /// The refusal's detail: for lines, the place in the transaction.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<u64>,
    /// The book.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub book: Option<BookNumber>,
    /// The book's type, or that of an order's scope.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate_type: Option<TypeNumber>,
    /// The book's region, or that of an order's scope.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub division: Option<Division>,
    /// The first line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<LineNumber>,
    /// The last line of a run that was asked for; of that run, the act may concern some only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<LineNumber>,
    /// How many lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lines: Option<u64>,
    /// How many receipts these lines are about, in a book of receipts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub receipts: Option<u64>,
    /// The seal's number in the book.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seal: Option<SealNumber>,
    /// The act's number in the book.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<ActNumber>,
    /// The line's standing afterwards, as on the ledger.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub standing: Option<Standing>,
    /// The day of the legal act, of lines that were added later.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acted: Option<Day>,
    /// The last day in time: of adding lines, of an answer, of providing data; where anything limits it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due: Option<Day>,
    /// The reason's code; of a case, its step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<ReasonCode>,
    /// Salted hash of the decision document.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Digest>,
    /// The line that takes the place of this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub successor: Option<LinePlace>,
    /// The line whose place this one takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub predecessor: Option<LinePlace>,
    /// The member it concerns, besides the one that asked: whose hold, key or books, or who may take a
    /// certificate over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concerns: Option<MemberNumber>,
    /// The key it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyNumber>,
    /// The height from which on it holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Height>,
    /// When a suspension ends by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Millis>,
    /// The agreement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agreement: Option<AgreementNumber>,
    /// The authority.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authority: Option<AuthorityNumber>,
    /// The application.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub application: Option<ApplicationNumber>,
    /// The proposal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proposal: Option<ProposalNumber>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<OrderNumber>,
    /// The offence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offence: Option<OffenceNumber>,
    /// The edition of a shared resource.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<ResourceNumber>,
    /// The edition of a service item.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub item: Option<ItemNumber>,
    /// The request for data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<RequestNumber>,
    /// The objection.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub objection: Option<ObjectionNumber>,
    /// For or against, of a vote, a review or more time; of an objection, whether it was right.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approve: Option<bool>,
}

impl Event {
    /// Names its book, with type and region where there was such a book by then.
    fn in_book(&mut self, book: BookNumber, directory: &Directory) {
        self.book = Some(book);
        if let Some(entry) = directory.open_by_now(book) {
            self.about(entry.subject, entry.division);
        }
    }

    fn about(&mut self, subject: Subject, division: Division) {
        (self.certificate_type, self.division) = (subject.certificate_type(), Some(division));
        match subject {
            Subject::Certificates { .. } => (),
            Subject::Cases => self.topic = Topic::Cases,
            Subject::Grants | Subject::Receipts => self.topic = Topic::Sharing,
        }
    }

    fn on_line(&mut self, place: LinePlace, directory: &Directory) {
        self.in_book(place.book, directory);
        (self.line, self.lines) = (Some(place.line), Some(1));
    }

    fn with(&mut self, ground: &Ground) {
        (self.reason, self.decision) = (Some(ground.reason), Some(ground.decision));
    }
}

/// Which type and region each book is of; fixed when it is opened.
///
/// It may know books that are opened later than a block: of those, that block's events say nothing,
/// so that they are the same whenever they are derived.
#[derive(Clone, Default, Debug)]
pub struct Directory {
    books: BTreeMap<BookNumber, Entry>,
    /// The next book to be opened, at the place that events are derived of: numbers have no gaps.
    next: BookNumber,
}

/// What is fixed when a book is opened.
#[derive(Clone, Copy, Debug)]
struct Entry {
    subject: Subject,
    division: Division,
    opened: Height,
}

impl Directory {
    /// Notes a book.
    pub fn note(&mut self, number: BookNumber, book: &Book) {
        self.books.insert(number, Entry { subject: book.subject, division: book.division, opened: book.opened });
    }

    /// Goes to where a block begins.
    fn begin(&mut self, height: Height) {
        let before = self.books.iter().rev().find(|(_, entry)| entry.opened < height);
        self.next = BookNumber(before.map_or(0, |(number, _)| number.0.saturating_add(1)));
    }

    /// A book is opened here.
    fn open(&mut self, number: BookNumber, entry: Entry) {
        self.books.insert(number, entry);
        self.next = BookNumber(number.0.saturating_add(1));
    }

    /// A book that was opened before this place.
    fn open_by_now(&self, number: BookNumber) -> Option<&Entry> {
        self.books.get(&number).filter(|_| number < self.next)
    }
}

/// What a block did, in order. Rules J-6 to J-9.
///
/// - `transactions` and `outcomes`: of the same block, in order; the caller has proven both.
/// - `directory`: every book opened before, and any opened later; takes note of those that the block opens.
pub fn events(
    header: &Header,
    transactions: &[(TransactionId, Transaction)],
    outcomes: &[Outcome],
    directory: &mut Directory,
) -> Vec<Event> {
    let mut events = Vec::with_capacity(transactions.len());
    directory.begin(header.height);
    for (((id, transaction), outcome), place) in transactions.iter().zip(outcomes).zip(0..) {
        let operation = &transaction.body.operation;
        if let (Operation::OpenBook { subject, division }, Decision::Done(Effect::BookOpened { book })) =
            (operation, &outcome.decision)
        {
            directory.open(*book, Entry { subject: *subject, division: *division, opened: header.height });
        }
        let mut event = Event {
            position: Position { height: header.height, place, part: 0 },
            time: header.time,
            kind: kind(operation),
            topic: Topic::of(kind(operation)),
            done: true,
            transaction: *id,
            member: transaction.body.member,
            keys: transaction.keys(),
            refusal: None,
            detail: None,
            book: None,
            certificate_type: None,
            division: None,
            line: None,
            last: None,
            lines: None,
            receipts: None,
            seal: None,
            act: None,
            standing: None,
            acted: None,
            due: None,
            reason: None,
            decision: None,
            successor: None,
            predecessor: None,
            concerns: None,
            key: None,
            from: None,
            until: None,
            agreement: None,
            authority: None,
            application: None,
            proposal: None,
            order: None,
            offence: None,
            resource: None,
            item: None,
            request: None,
            objection: None,
            approve: None,
        };
        asked(&mut event, operation, directory);
        let successor = match &outcome.decision {
            Decision::Done(effect) => became(&mut event, effect, directory),
            Decision::Refused { refusal, detail } => {
                (event.done, event.refusal, event.detail) = (false, Some(*refusal), Some(*detail));
                None
            }
        };
        let follows = successor.map(|place| succession(&event, place, directory));
        events.push(event);
        events.extend(follows);
    }
    events
}

fn kind(operation: &Operation) -> EventKind {
    match operation {
        Operation::OpenBook { .. } => EventKind::OpenBook,
        Operation::Seal { .. } | Operation::DatedSeal { .. } => EventKind::Seal,
        Operation::Change { change, .. } => match change {
            StandingChange::Suspend { .. } => EventKind::Suspend,
            StandingChange::Return { .. } => EventKind::Return,
            StandingChange::Cancel => EventKind::Cancel,
            StandingChange::Annul => EventKind::Annul,
            StandingChange::Revoke => EventKind::Revoke,
            StandingChange::TransferOut { .. } => EventKind::TransferOut,
            StandingChange::CancelTransfer => EventKind::CancelTransfer,
            StandingChange::Expire => EventKind::Expire,
            StandingChange::Dispute => EventKind::Dispute,
            StandingChange::ClearDispute => EventKind::ClearDispute,
            StandingChange::BlockKey => EventKind::BlockKey,
        },
        Operation::Supersede { cause, .. } => match cause {
            Cause::Renew => EventKind::Renew,
            Cause::Change => EventKind::Change,
            Cause::Correct => EventKind::Correct,
        },
        Operation::Rekey { .. } => EventKind::Rekey,
        Operation::TransferIn { .. } => EventKind::TransferIn,
        Operation::Consume { .. } => EventKind::Consume,
        Operation::ProposeAgreement { .. } => EventKind::ProposeAgreement,
        Operation::SignAgreement { .. } => EventKind::SignAgreement,
        Operation::SuspendAgreement { .. } => EventKind::SuspendAgreement,
        Operation::ResumeAgreement { .. } => EventKind::ResumeAgreement,
        Operation::RevokeKey { .. } => EventKind::RevokeKey,
        Operation::SuspendAuthority { .. } => EventKind::SuspendAuthority,
        Operation::ResumeAuthority { .. } => EventKind::ResumeAuthority,
        Operation::FileApplication { .. } => EventKind::FileApplication,
        Operation::ReviewApplication { .. } => EventKind::ReviewApplication,
        Operation::Propose { .. } => EventKind::Propose,
        Operation::Vote { .. } => EventKind::Vote,
        Operation::Withdraw { .. } => EventKind::Withdraw,
        Operation::RotateKey { .. } => EventKind::RotateKey,
        Operation::Order { .. } => EventKind::Order,
        Operation::LiftOrder { .. } => EventKind::LiftOrder,
        Operation::Confirm { .. } => EventKind::Confirm,
        Operation::Accuse { .. } => EventKind::Accuse,
        Operation::Recover { .. } => EventKind::Recover,
        Operation::Step { .. } => EventKind::Step,
        Operation::ProposeResource { .. } => EventKind::ProposeResource,
        Operation::DecideResource { decision, .. } => match decision {
            ResourceDecision::Publish => EventKind::PublishResource,
            ResourceDecision::Refuse => EventKind::RefuseResource,
            ResourceDecision::End => EventKind::EndResource,
        },
        Operation::PutItem { .. } => EventKind::PutItem,
        Operation::EndItem { .. } => EventKind::EndItem,
        Operation::FileRequest { .. } => EventKind::FileRequest,
        Operation::DecideRequest { decision, .. } => match decision {
            RequestDecision::Return => EventKind::ReturnRequest,
            RequestDecision::Agree => EventKind::AgreeRequest,
            RequestDecision::Refuse { .. } => EventKind::RefuseRequest,
            RequestDecision::AskTime { .. } => EventKind::AskTime,
            RequestDecision::GiveTime { .. } => EventKind::GiveTime,
            RequestDecision::Provision => EventKind::ProvisionRequest,
            RequestDecision::Suspend => EventKind::SuspendRequest,
            RequestDecision::Resume => EventKind::ResumeRequest,
            RequestDecision::End => EventKind::EndRequest,
        },
        Operation::WithdrawGrant { .. } => EventKind::WithdrawGrant,
        Operation::FileObjection { .. } => EventKind::FileObjection,
        Operation::AnswerObjection { .. } => EventKind::AnswerObjection,
    }
}

/// What was asked, whatever became of it.
fn asked(event: &mut Event, operation: &Operation, directory: &Directory) {
    match operation {
        Operation::OpenBook { subject, division } => event.about(*subject, *division),
        Operation::Seal { book, lines } => {
            event.in_book(*book, directory);
            event.lines = Some(lines.len() as u64);
            if directory.open_by_now(*book).is_some_and(|entry| entry.subject == Subject::Receipts) {
                let counts = lines.iter().map(|line| Batch::from_line(line).count);
                event.receipts = Some(counts.fold(0, u64::saturating_add));
            }
        }
        Operation::Change { place, change, ground } => {
            event.on_line(*place, directory);
            event.with(ground);
            match change {
                StandingChange::Suspend { until } => event.until = *until,
                StandingChange::Return { hold } => event.concerns = Some(*hold),
                StandingChange::TransferOut { target } => event.concerns = Some(*target),
                _ => (),
            }
        }
        Operation::Supersede { old, ground, .. }
        | Operation::Rekey { old, ground, .. }
        | Operation::TransferIn { old, ground, .. } => {
            event.on_line(*old, directory);
            event.with(ground);
        }
        Operation::DatedSeal { book, acted, lines } => {
            event.in_book(*book, directory);
            (event.lines, event.acted) = (Some(lines.len() as u64), Some(*acted));
        }
        Operation::Consume { place, ground } | Operation::Step { place, ground, .. } => {
            event.on_line(*place, directory);
            event.with(ground);
        }
        Operation::ProposeAgreement { .. } | Operation::FileApplication { .. } | Operation::Accuse { .. } => (),
        Operation::ProposeResource { .. } | Operation::PutItem { .. } => (),
        Operation::FileRequest { terms, .. } => {
            (event.resource, event.item) = (Some(terms.resource), Some(terms.item));
        }
        Operation::DecideResource { resource, ground, .. } => {
            event.resource = Some(*resource);
            event.with(ground);
        }
        Operation::EndItem { item, ground } => {
            event.item = Some(*item);
            event.with(ground);
        }
        Operation::DecideRequest { request, decision, ground } => {
            event.request = Some(*request);
            if let RequestDecision::GiveTime { approve } = decision {
                event.approve = Some(*approve);
            }
            event.with(ground);
        }
        Operation::WithdrawGrant { place, .. } => event.on_line(*place, directory),
        Operation::FileObjection { place, ground } => {
            event.on_line(*place, directory);
            event.with(ground);
        }
        Operation::AnswerObjection { objection, place, answer, ground } => {
            event.on_line(*place, directory);
            (event.objection, event.approve) = (Some(*objection), Some(*answer == ObjectionAnswer::Correct));
            event.with(ground);
        }
        Operation::SignAgreement { agreement, .. } => event.agreement = Some(*agreement),
        Operation::SuspendAgreement { agreement, ground } | Operation::ResumeAgreement { agreement, ground } => {
            event.agreement = Some(*agreement);
            event.with(ground);
        }
        Operation::RevokeKey { member, key, from, ground } => {
            (event.concerns, event.key, event.from) = (Some(*member), Some(*key), Some(*from));
            event.with(ground);
        }
        Operation::SuspendAuthority { authority, ground } | Operation::ResumeAuthority { authority, ground } => {
            event.authority = Some(*authority);
            event.with(ground);
        }
        Operation::ReviewApplication { application, confirm, ground } => {
            (event.application, event.approve) = (Some(*application), Some(*confirm));
            event.with(ground);
        }
        Operation::Propose { effective, ground, .. } => {
            event.from = Some(*effective);
            event.with(ground);
        }
        Operation::Vote { proposal, approve, .. } => {
            (event.proposal, event.approve) = (Some(*proposal), Some(*approve));
        }
        Operation::Withdraw { proposal } => event.proposal = Some(*proposal),
        Operation::RotateKey { from, .. } => event.from = Some(*from),
        Operation::Order { scope, ground } => {
            within(event, scope, directory);
            event.with(ground);
        }
        Operation::LiftOrder { order, ground } => {
            event.order = Some(*order);
            event.with(ground);
        }
        Operation::Confirm { book, first, last, ground } => {
            event.in_book(*book, directory);
            (event.line, event.last) = (Some(*first), Some(*last));
            event.with(ground);
        }
        Operation::Recover { handover } => {
            event.from = Some(handover.plan.height.next());
            event.with(&handover.plan.ground);
        }
    }
}

/// What an order is about.
fn within(event: &mut Event, scope: &Scope, directory: &Directory) {
    match scope {
        Scope::Lines { book, first, last } => {
            event.in_book(*book, directory);
            (event.line, event.last) = (Some(*first), Some(*last));
        }
        Scope::Book { book } => event.in_book(*book, directory),
        Scope::Type { certificate_type, division } => {
            (event.certificate_type, event.division) = (Some(*certificate_type), Some(*division));
        }
        Scope::Keeper { member } => event.concerns = Some(*member),
    }
}

/// What became of it; and the line that takes another's place, if one does.
fn became(event: &mut Event, effect: &Effect, directory: &Directory) -> Option<LinePlace> {
    match effect {
        Effect::BookOpened { book } => event.in_book(*book, directory),
        Effect::Sealed { seal, first, count, .. } => {
            (event.seal, event.line, event.lines) = (Some(*seal), Some(*first), Some(u64::from(*count)));
        }
        Effect::DatedSealed { seal, first, count, due, .. } => {
            (event.seal, event.line, event.lines) = (Some(*seal), Some(*first), Some(u64::from(*count)));
            event.due = *due;
        }
        Effect::Acted { act, standing } => (event.act, event.standing) = (Some(*act), Some(*standing)),
        Effect::Replaced { act, book, line } => {
            let successor = LinePlace { book: *book, line: *line };
            (event.act, event.successor) = (Some(*act), Some(successor));
            return Some(successor);
        }
        Effect::Agreement { agreement, .. } => event.agreement = Some(*agreement),
        Effect::KeyRevoked { from, lines, .. } => (event.from, event.lines) = (Some(*from), Some(*lines)),
        Effect::Authority { authority, .. } => event.authority = Some(*authority),
        Effect::Application { application, .. } => event.application = Some(*application),
        Effect::Proposal { proposal, .. } => event.proposal = Some(*proposal),
        Effect::KeyAdded { member, key, from } => {
            (event.concerns, event.key, event.from) = (Some(*member), Some(*key), Some(*from));
        }
        Effect::Order { order, lines, .. } => (event.order, event.lines) = (Some(*order), Some(*lines)),
        Effect::Confirmed { lines, .. } => event.lines = Some(*lines),
        Effect::Offence { offence } => event.offence = Some(*offence),
        Effect::Recovered { .. } => (),
        Effect::Resource { resource, .. } => event.resource = Some(*resource),
        Effect::Item { item, .. } => event.item = Some(*item),
        Effect::Request { request, due, .. } => (event.request, event.due) = (Some(*request), *due),
        Effect::Objection { objection, act, due, .. } => {
            (event.objection, event.act, event.due) = (Some(*objection), *act, *due);
        }
    }
    None
}

/// Rule J-9: the new line is an event of its own, in its own book.
fn succession(replaced: &Event, place: LinePlace, directory: &Directory) -> Event {
    let old = replaced.book.zip(replaced.line).map(|(book, line)| LinePlace { book, line });
    let mut event = Event {
        position: Position { part: 1, ..replaced.position },
        kind: EventKind::Succeed,
        act: None,
        standing: None,
        successor: None,
        predecessor: old,
        ..replaced.clone()
    };
    event.on_line(place, directory);
    event
}
