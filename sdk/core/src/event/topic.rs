//! Topics: events by who reads them. Rule J-11.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::EventKind;

/// What readers follow together. Words are permanent; new ones are added at the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Books of certificates, their lines, and what suspends many of them.
    Certificates,
    /// Cases (办件) and how far they are.
    Cases,
    /// Agreements between members.
    Agreements,
    /// Members: their keys and authorities, who applies, who was caught.
    Members,
    /// What members decide together.
    Votes,
    /// Shared data: resources, items, requests, grants and batches of receipts.
    Sharing,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 6] =
        [Self::Certificates, Self::Cases, Self::Agreements, Self::Members, Self::Votes, Self::Sharing];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Certificates => "certificates",
            Self::Cases => "cases",
            Self::Agreements => "agreements",
            Self::Members => "members",
            Self::Votes => "votes",
            Self::Sharing => "sharing",
        }
    }

    /// The topic of a kind; an event of a book of cases is of [`Topic::Cases`], one of a book of
    /// grants or receipts of [`Topic::Sharing`], whatever its kind.
    pub(super) fn of(kind: EventKind) -> Self {
        use EventKind as Kind;
        match kind {
            Kind::Step => Self::Cases,
            Kind::ProposeAgreement | Kind::SignAgreement | Kind::SuspendAgreement | Kind::ResumeAgreement => {
                Self::Agreements
            }
            Kind::RevokeKey
            | Kind::RotateKey
            | Kind::SuspendAuthority
            | Kind::ResumeAuthority
            | Kind::FileApplication
            | Kind::ReviewApplication
            | Kind::Accuse
            | Kind::Recover => Self::Members,
            Kind::Propose | Kind::Vote | Kind::Withdraw => Self::Votes,
            Kind::ProposeResource
            | Kind::PublishResource
            | Kind::RefuseResource
            | Kind::EndResource
            | Kind::PutItem
            | Kind::EndItem
            | Kind::FileRequest
            | Kind::ReturnRequest
            | Kind::AgreeRequest
            | Kind::RefuseRequest
            | Kind::AskTime
            | Kind::GiveTime
            | Kind::ProvisionRequest
            | Kind::SuspendRequest
            | Kind::ResumeRequest
            | Kind::EndRequest
            | Kind::WithdrawGrant => Self::Sharing,
            Kind::OpenBook
            | Kind::Seal
            | Kind::Suspend
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
            | Kind::Consume
            | Kind::Succeed
            | Kind::Order
            | Kind::LiftOrder
            | Kind::Confirm
            | Kind::FileObjection
            | Kind::AnswerObjection => Self::Certificates,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
