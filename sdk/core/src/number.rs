//! Numbers: places and counts, each a type of its own.

use bincode::{Decode, Encode};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::PAGE_LINES;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// Height of a block; the first block has height 1.
    Height(u64);
    /// Place of a member (成员单位) in the member registry, from 0.
    MemberNumber(u32);
    /// Place of a certificate type (证照类型) in its registry, from 0.
    TypeNumber(u32);
    /// Place of an issuing authority (制发权限) in its registry, from 0.
    AuthorityNumber(u32);
    /// Place of a recognition agreement (互认协议) in its registry, from 0.
    AgreementNumber(u32);
    /// Place of an application (入网申请) in its registry, from 0.
    ApplicationNumber(u32);
    /// Place of a proposal (提案) in its registry, from 0.
    ProposalNumber(u32);
    /// Place of an order (批量暂扣令) in its registry, from 0.
    OrderNumber(u32);
    /// Place of an offence (作恶记录) in its registry, from 0.
    OffenceNumber(u32);
    /// Place of an edition of a shared resource (共享资源) in its registry, from 0.
    ResourceNumber(u32);
    /// Place of an edition of a service item (事项) in its registry, from 0.
    ItemNumber(u32);
    /// Place of a request for data (共享申请) in its registry, from 0.
    RequestNumber(u32);
    /// Place of an objection (校核) in its registry, from 0.
    ObjectionNumber(u32);
    /// Place of a book (登记簿) in its registry, from 0.
    BookNumber(u32);
    /// Place of a line (行) in its book, from 0.
    LineNumber(u64);
    /// Place of a page (页) in its book, from 0.
    PageNumber(u64);
    /// Place of a seal (封) in its book, from 0.
    SealNumber(u64);
    /// Place of an act (行为) in its book, from 0.
    ActNumber(u64);
    /// Place of a key among its member's keys, from 0.
    KeyNumber(u16);
    /// Code of a purpose or scenario (用证场景).
    PurposeCode(u16);
    /// Code of a reason for an act, from the reference codes.
    ReasonCode(u16);
}

impl Height {
    /// The height after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl LineNumber {
    /// The page this line stands on.
    pub fn page(self) -> PageNumber {
        PageNumber(self.0 / PAGE_LINES)
    }

    /// The line's place on its page, from 0.
    pub fn place(self) -> u16 {
        u16::try_from(self.0 % PAGE_LINES).expect("a page has fewer than 65,536 lines")
    }
}

impl PageNumber {
    /// The line at `place` of this page.
    pub fn line(self, place: u16) -> LineNumber {
        LineNumber(self.0 * PAGE_LINES + u64::from(place))
    }
}

/// A line anywhere in the register: its book and its number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct LinePlace {
    /// The book.
    pub book: BookNumber,
    /// The line in it.
    pub line: LineNumber,
}

impl fmt::Display for LinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "book {} line {}", self.book, self.line)
    }
}
