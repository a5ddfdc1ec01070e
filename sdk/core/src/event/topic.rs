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
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 5] = [Self::Certificates, Self::Cases, Self::Agreements, Self::Members, Self::Votes];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Certificates => "certificates",
            Self::Cases => "cases",
            Self::Agreements => "agreements",
            Self::Members => "members",
            Self::Votes => "votes",
        }
    }

    /// The topic of a kind; an event of a book of cases is of [`Topic::Cases`], whatever its kind.
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
            | Kind::Confirm => Self::Certificates,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
