//! Why a provider answers nothing. Words and numbers are permanent. Rule I-11: `sdk/spec/access.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::codec::encoded_by_number;

/// Why an access is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccessRefusal {
    /// No active member's application key signed it.
    NotSigned,
    /// It is for another provider.
    OtherProvider,
    /// It was asked too long ago, or later than now.
    OtherTime,
    /// There is no such request.
    RequestUnknown,
    /// The request is another member's.
    NotTheRequester,
    /// The provider does not serve the request now, or its resource or item has ended.
    RequestNotOpen,
    /// The request is not for this day.
    OutsidePeriod,
    /// The request rests on something else.
    OtherBasis,
    /// The request, the grant or the use code is for another item.
    OtherItem,
    /// The request, the grant or the use code is for another purpose.
    OtherPurpose,
    /// The grant or the use code is for another case.
    OtherCase,
    /// The request, the grant or the use code is for another resource.
    OtherResource,
    /// The request, the grant or the use code is for another mode.
    OtherMode,
    /// The request, the grant or the use code is for other items of data.
    OtherFields,
    /// It rests on a grant, and there is none.
    GrantRequired,
    /// Nothing recent enough is known of the grant or of the holder's certificate: ask again.
    Stale,
    /// The grant is not what its line commits to, or not signed by the key it names.
    GrantInvalid,
    /// The grant or the use code is another member's.
    OtherGrantee,
    /// The holder withdrew the grant.
    GrantWithdrawn,
    /// The grant's line is suspended.
    GrantSuspended,
    /// The grant holds only later.
    GrantNotYetValid,
    /// The grant has ended.
    GrantExpired,
    /// The data is sensitive, and the holder did not agree to it by itself.
    ConsentRequired,
    /// The certificate behind the key does not hold, or the key is no longer its holder's.
    IdentityInvalid,
    /// The holder is somebody else.
    OtherSubject,
    /// The grant has no use left.
    GrantUsedUp,
    /// The use code is not signed by the key it names.
    CodeInvalid,
    /// The use code holds only later: one of two clocks is wrong.
    CodeNotYetValid,
    /// The use code has expired.
    CodeExpired,
    /// The use code was used.
    CodeUsed,
    /// It was allowed, and the provider's data gives no answer.
    NoAnswer,
}

impl AccessRefusal {
    /// Every refusal, by number.
    pub const ALL: [Self; 31] = [
        Self::NotSigned,
        Self::OtherProvider,
        Self::OtherTime,
        Self::RequestUnknown,
        Self::NotTheRequester,
        Self::RequestNotOpen,
        Self::OutsidePeriod,
        Self::OtherBasis,
        Self::OtherItem,
        Self::OtherPurpose,
        Self::OtherCase,
        Self::OtherResource,
        Self::OtherMode,
        Self::OtherFields,
        Self::GrantRequired,
        Self::Stale,
        Self::GrantInvalid,
        Self::OtherGrantee,
        Self::GrantWithdrawn,
        Self::GrantSuspended,
        Self::GrantNotYetValid,
        Self::GrantExpired,
        Self::ConsentRequired,
        Self::IdentityInvalid,
        Self::OtherSubject,
        Self::GrantUsedUp,
        Self::CodeInvalid,
        Self::CodeNotYetValid,
        Self::CodeExpired,
        Self::CodeUsed,
        Self::NoAnswer,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotSigned => "NOT_SIGNED",
            Self::OtherProvider => "OTHER_PROVIDER",
            Self::OtherTime => "OTHER_TIME",
            Self::RequestUnknown => "REQUEST_UNKNOWN",
            Self::NotTheRequester => "NOT_THE_REQUESTER",
            Self::RequestNotOpen => "REQUEST_NOT_OPEN",
            Self::OutsidePeriod => "OUTSIDE_PERIOD",
            Self::OtherBasis => "OTHER_BASIS",
            Self::OtherItem => "OTHER_ITEM",
            Self::OtherPurpose => "OTHER_PURPOSE",
            Self::OtherCase => "OTHER_CASE",
            Self::OtherResource => "OTHER_RESOURCE",
            Self::OtherMode => "OTHER_MODE",
            Self::OtherFields => "OTHER_FIELDS",
            Self::GrantRequired => "GRANT_REQUIRED",
            Self::Stale => "STALE",
            Self::GrantInvalid => "GRANT_INVALID",
            Self::OtherGrantee => "OTHER_GRANTEE",
            Self::GrantWithdrawn => "GRANT_WITHDRAWN",
            Self::GrantSuspended => "GRANT_SUSPENDED",
            Self::GrantNotYetValid => "GRANT_NOT_YET_VALID",
            Self::GrantExpired => "GRANT_EXPIRED",
            Self::ConsentRequired => "CONSENT_REQUIRED",
            Self::IdentityInvalid => "IDENTITY_INVALID",
            Self::OtherSubject => "OTHER_SUBJECT",
            Self::GrantUsedUp => "GRANT_USED_UP",
            Self::CodeInvalid => "CODE_INVALID",
            Self::CodeNotYetValid => "CODE_NOT_YET_VALID",
            Self::CodeExpired => "CODE_EXPIRED",
            Self::CodeUsed => "CODE_USED",
            Self::NoAnswer => "NO_ANSWER",
        }
    }

    /// The refusal of the first that does not hold.
    pub(super) fn first_of(checks: &[(bool, Self)]) -> Result<(), Self> {
        checks.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, refusal)| Err(*refusal))
    }

    /// Rule I-11: whether asking the same again later could be answered.
    pub fn is_undecided(self) -> bool {
        self == Self::Stale
    }

    /// Rule I-11: whether the refused use gets a receipt: it was decided, and the access is the
    /// requester's word to this provider.
    pub fn is_receipted(self) -> bool {
        !matches!(self, Self::Stale | Self::NotSigned | Self::OtherProvider)
    }
}

encoded_by_number!(AccessRefusal);

impl fmt::Display for AccessRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
