//! Operations: what a member can ask of the ledger.
//!
//! Variant numbers are permanent and new ones are added at the end. Rules O-1 to O-12 and
//! O-15 to O-24 and O-26 to O-28: `sdk/spec/operations.md`; Z-1 to Z-9: `sdk/spec/sharing.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::book::{Line, Subject};
use crate::day::{Day, Millis};
use crate::digest::Digest;
use crate::id::Division;
use crate::limits::{ORDER_LINES, REVOCATION_LINES};
use crate::number::{
    AgreementNumber, ApplicationNumber, AuthorityNumber, BookNumber, Height, ItemNumber, KeyNumber, LineNumber,
    LinePlace, MemberNumber, ObjectionNumber, OrderNumber, ProposalNumber, ReasonCode, RequestNumber, ResourceNumber,
};
use crate::record::{
    AgreementTerms, Applicant, DoubleSigning, ItemTerms, Measure, NewKey, RequestTerms, ResourceTerms, Scope, Weights,
};
use crate::recovery::RecoveryHandover;
use crate::standing::ActKind;

/// Why an act is done, without saying what only the parties may know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Ground {
    /// Reason, from the reference codes; of a case's step, its code.
    pub reason: ReasonCode,
    /// Freshly salted hash of the decision document.
    pub decision: Digest,
}

/// A change of one line's standing that needs no other line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum StandingChange {
    /// 暂扣: adds the acting body's hold.
    Suspend {
        /// When it ends by itself.
        until: Option<Millis>,
    },
    /// 暂扣发还: lifts a hold.
    Return {
        /// Whose: the acting body's own, or that of a body below it.
        hold: MemberNumber,
    },
    /// 注销.
    Cancel,
    /// 撤销.
    Annul,
    /// 吊销.
    Revoke,
    /// 转出.
    TransferOut {
        /// The member that may take it over.
        target: MemberNumber,
    },
    /// 取消转出.
    CancelTransfer,
    /// 过期失效, recorded.
    Expire,
    /// 异议标注.
    Dispute,
    /// 撤销异议标注.
    ClearDispute,
    /// 挂失.
    BlockKey,
}

impl StandingChange {
    /// The act this change is recorded as.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Suspend { .. } => ActKind::Suspend,
            Self::Return { .. } => ActKind::Return,
            Self::Cancel => ActKind::Cancel,
            Self::Annul => ActKind::Annul,
            Self::Revoke => ActKind::Revoke,
            Self::TransferOut { .. } => ActKind::TransferOut,
            Self::CancelTransfer => ActKind::CancelTransfer,
            Self::Expire => ActKind::Expire,
            Self::Dispute => ActKind::Dispute,
            Self::ClearDispute => ActKind::ClearDispute,
            Self::BlockKey => ActKind::BlockKey,
        }
    }
}

/// Why one line takes the place of another of the same issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// 延续.
    Renew,
    /// 变更.
    Change,
    /// 更正: also closes an open dispute.
    Correct,
}

impl Cause {
    /// The act this is recorded as.
    pub fn kind(self) -> ActKind {
        match self {
            Self::Renew => ActKind::Renew,
            Self::Change => ActKind::Change,
            Self::Correct => ActKind::Correct,
        }
    }
}

/// What becomes of an edition of a shared resource. Rule Z-1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceDecision {
    /// The competent authority lets it be published.
    Publish,
    /// The competent authority turns it down.
    Refuse,
    /// The provider shares it no longer.
    End,
}

/// What becomes of a request for data. Rules Z-3 and Z-4.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum RequestDecision {
    /// 补正: the provider sends it back.
    Return,
    /// The provider agrees.
    Agree,
    /// The provider refuses.
    Refuse {
        /// The law that the refusal rests on.
        law: String,
    },
    /// 延期: the provider asks for more time to answer.
    AskTime {
        /// Working days.
        days: u32,
    },
    /// The competent authority gives the time that was asked for, or does not.
    GiveTime {
        /// Whether it does.
        approve: bool,
    },
    /// The provider serves it from now on.
    Provision,
    /// The provider or a competent authority withholds it for now.
    Suspend,
    /// Whoever withheld it gives it back.
    Resume,
    /// The provider or the requester ends it.
    End,
}

/// What a keeper finds of an objection. Rule Z-5.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectionAnswer {
    /// 更正: it was right, and the certificate is in force no longer as it was.
    Correct,
    /// 维持: the certificate is right.
    Maintain,
}

/// One thing a member asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Opens a book, whose keeper is the acting member.
    OpenBook {
        /// What it is about.
        subject: Subject,
        /// Region of its certificates.
        division: Division,
    },
    /// Adds lines.
    Seal {
        /// The book.
        book: BookNumber,
        /// 1 to 1,024 lines.
        lines: Vec<Line>,
    },
    /// Changes one line's standing.
    Change {
        /// The line.
        place: LinePlace,
        /// How.
        change: StandingChange,
        /// Why.
        ground: Ground,
    },
    /// Adds a line and supersedes another, both or neither (CRT-04).
    Supersede {
        /// The old line.
        old: LinePlace,
        /// The book of the new line, of the same keeper and type.
        into: BookNumber,
        /// The new line.
        new: Line,
        /// What it is for.
        cause: Cause,
        /// Why.
        ground: Ground,
    },
    /// Adds a line with the same tag and a new holder key, and closes the old one.
    Rekey {
        /// The old line.
        old: LinePlace,
        /// The new line, in the same book.
        new: Line,
        /// Why.
        ground: Ground,
    },
    /// Takes over a certificate that another issuer gives up (CRT-07).
    TransferIn {
        /// The old line.
        old: LinePlace,
        /// The book of the new line.
        into: BookNumber,
        /// The new line.
        new: Line,
        /// Why.
        ground: Ground,
    },
    /// Uses up a one-time document (REC-04).
    Consume {
        /// The line.
        place: LinePlace,
        /// Why.
        ground: Ground,
    },
    /// Puts an agreement up for signature, and signs it.
    ProposeAgreement {
        /// What is agreed.
        terms: AgreementTerms,
    },
    /// Signs an agreement.
    SignAgreement {
        /// Which.
        agreement: AgreementNumber,
        /// Digest of the terms that are signed.
        digest: Digest,
    },
    /// Withholds an agreement for now.
    SuspendAgreement {
        /// Which.
        agreement: AgreementNumber,
        /// Why.
        ground: Ground,
    },
    /// Puts a suspended agreement back in force.
    ResumeAgreement {
        /// Which.
        agreement: AgreementNumber,
        /// Why.
        ground: Ground,
    },
    /// Ends a key in an emergency, and suspends what it sealed since it is suspected (GOV-05).
    RevokeKey {
        /// Whose key.
        member: MemberNumber,
        /// Which.
        key: KeyNumber,
        /// From which height on it is suspected.
        from: Height,
        /// Why.
        ground: Ground,
    },
    /// Withholds an issuing authority for now (GOV-08).
    SuspendAuthority {
        /// Which.
        authority: AuthorityNumber,
        /// Why.
        ground: Ground,
    },
    /// Gives a suspended authority back.
    ResumeAuthority {
        /// Which.
        authority: AuthorityNumber,
        /// Why.
        ground: Ground,
    },
    /// Files a department's application to become a member (GOV-03).
    FileApplication {
        /// What the department says about itself.
        applicant: Box<Applicant>,
    },
    /// Confirms an application, or turns it down.
    ReviewApplication {
        /// Which.
        application: ApplicationNumber,
        /// Whether what it says is right.
        confirm: bool,
        /// Why.
        ground: Ground,
    },
    /// Puts a measure to the vote (GOV-07).
    Propose {
        /// What is to change.
        measure: Box<Measure>,
        /// The first height that it is to rule.
        effective: Height,
        /// Why.
        ground: Ground,
    },
    /// Votes on a proposal.
    Vote {
        /// Which.
        proposal: ProposalNumber,
        /// Digest of what is voted on.
        digest: Digest,
        /// For or against.
        approve: bool,
    },
    /// Takes an open proposal back.
    Withdraw {
        /// Which.
        proposal: ProposalNumber,
    },
    /// Gives the member a key, and sets the end of another of the same purpose (GOV-05).
    RotateKey {
        /// The new key.
        key: Box<NewKey>,
        /// First height at which it signs.
        from: Height,
        /// The key it takes the place of, and the last height at which that one signs.
        ends: Option<(KeyNumber, Height)>,
    },
    /// Suspends many lines by one act (CRT-12).
    Order {
        /// Which lines.
        scope: Scope,
        /// Why.
        ground: Ground,
    },
    /// Lifts an order: the lines are as if it had not been given.
    LiftOrder {
        /// Which.
        order: OrderNumber,
        /// Why.
        ground: Ground,
    },
    /// Confirms lines that a key's revocation suspended, after people have looked at them.
    Confirm {
        /// The book.
        book: BookNumber,
        /// First line.
        first: LineNumber,
        /// Last line, included.
        last: LineNumber,
        /// Why.
        ground: Ground,
    },
    /// Puts on record that a validator signed two statements that exclude each other.
    Accuse {
        /// The proof.
        proof: Box<DoubleSigning>,
    },
    /// Records the handover by which this block's validators were named. No member asks it.
    Recover {
        /// What the recovery keys signed.
        handover: RecoveryHandover,
    },
    /// Records how far a case is (SVC-02).
    Step {
        /// The case.
        place: LinePlace,
        /// Which step, and what was decided.
        ground: Ground,
        /// Whether the case ends with it.
        closes: bool,
    },
    /// Adds lines for certificates that were granted on a day before (CRT-11).
    DatedSeal {
        /// The book.
        book: BookNumber,
        /// The day of the legal act, the latest of all of them.
        acted: Day,
        /// 1 to 1,024 lines.
        lines: Vec<Line>,
    },
    /// Puts an edition of a shared resource up for review (CAT-05).
    ProposeResource {
        /// What it says.
        terms: Box<ResourceTerms>,
        /// The member's edition whose place it is to take.
        replaces: Option<ResourceNumber>,
    },
    /// Decides about an edition of a shared resource.
    DecideResource {
        /// Which.
        resource: ResourceNumber,
        /// What becomes of it.
        decision: ResourceDecision,
        /// Why.
        ground: Ground,
    },
    /// Puts up an edition of a service item (CAT-02).
    PutItem {
        /// What it says.
        terms: Box<ItemTerms>,
        /// The member's edition whose place it takes.
        replaces: Option<ItemNumber>,
    },
    /// Ends a service item.
    EndItem {
        /// Which.
        item: ItemNumber,
        /// Why.
        ground: Ground,
    },
    /// Files a request for data (SHR-01).
    FileRequest {
        /// What for.
        terms: Box<RequestTerms>,
        /// The member's returned request whose place it takes.
        amends: Option<RequestNumber>,
    },
    /// Decides about a request for data (SHR-02, SHR-03).
    DecideRequest {
        /// Which.
        request: RequestNumber,
        /// What becomes of it.
        decision: RequestDecision,
        /// Why.
        ground: Ground,
    },
    /// Withdraws a holder's grant; whoever knows the secret is entitled, through any member (SHR-04).
    WithdrawGrant {
        /// The grant.
        place: LinePlace,
        /// Digest of its content.
        content: Digest,
        /// What the holder's wallet kept.
        #[serde(with = "crate::bytes::array")]
        secret: [u8; 32],
    },
    /// Objects to a certificate (SHR-12).
    FileObjection {
        /// The certificate.
        place: LinePlace,
        /// Why.
        ground: Ground,
    },
    /// Answers an objection.
    AnswerObjection {
        /// Which.
        objection: ObjectionNumber,
        /// The certificate, as the objection has it.
        place: LinePlace,
        /// What was found.
        answer: ObjectionAnswer,
        /// Why.
        ground: Ground,
    },
}

impl Operation {
    /// Rule T-8: the version of the protocol that brought it; no block of an earlier one has it.
    pub fn since(&self) -> u16 {
        match self {
            Self::Propose { measure, .. } => measure.since(),
            Self::OpenBook { subject, .. } => subject.since(),
            Self::Step { .. } | Self::DatedSeal { .. } => 3,
            Self::ProposeResource { .. }
            | Self::DecideResource { .. }
            | Self::PutItem { .. }
            | Self::EndItem { .. }
            | Self::FileRequest { .. }
            | Self::DecideRequest { .. }
            | Self::WithdrawGrant { .. }
            | Self::FileObjection { .. }
            | Self::AnswerObjection { .. } => 4,
            _ => 1,
        }
    }

    /// What the operation weighs, with its transaction.
    pub fn weight(&self, weights: &Weights) -> u64 {
        let own = match self {
            Self::Seal { lines, .. } => weights.line.saturating_mul(lines.len() as u64),
            // Working days are counted in the calendar, as for a record.
            Self::DatedSeal { lines, .. } => {
                weights.record.saturating_add(weights.line.saturating_mul(lines.len() as u64))
            }
            Self::Change { .. } | Self::Consume { .. } | Self::Step { .. } | Self::WithdrawGrant { .. } => weights.act,
            Self::FileObjection { .. } | Self::AnswerObjection { .. } => weights.act.saturating_add(weights.record),
            Self::Supersede { .. } | Self::Rekey { .. } | Self::TransferIn { .. } => {
                weights.act.saturating_add(weights.line)
            }
            Self::OpenBook { .. }
            | Self::ProposeAgreement { .. }
            | Self::SignAgreement { .. }
            | Self::SuspendAgreement { .. }
            | Self::ResumeAgreement { .. }
            | Self::SuspendAuthority { .. }
            | Self::ResumeAuthority { .. }
            | Self::FileApplication { .. }
            | Self::ReviewApplication { .. }
            | Self::Propose { .. }
            | Self::Vote { .. }
            | Self::Withdraw { .. }
            | Self::RotateKey { .. }
            | Self::Confirm { .. }
            | Self::Accuse { .. }
            | Self::Recover { .. }
            | Self::DecideResource { .. }
            | Self::PutItem { .. }
            | Self::EndItem { .. }
            | Self::ProposeResource { .. }
            | Self::FileRequest { .. }
            | Self::DecideRequest { .. } => weights.record,
            Self::Order { .. } | Self::LiftOrder { .. } => {
                weights.record.saturating_add(weights.line.saturating_mul(ORDER_LINES))
            }
            // A seal that is looked at weighs no more than a line that is written.
            Self::RevokeKey { .. } => weights.record.saturating_add(weights.line.saturating_mul(REVOCATION_LINES)),
        };
        weights.transaction.saturating_add(own)
    }
}
