//! Shared resources (共享资源): what data a department shares, and on which terms (CAT-05).
//!
//! A record is one edition of a resource. Another edition is another record that names the one whose
//! place it takes, so that whoever cited the old one still finds it, and a condition that was added
//! shows. Rule R-16: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::codec::encoded_by_number;
use crate::number::{Height, MemberNumber, ResourceNumber, TypeNumber};
use crate::shelf::Shelf;

/// Whether and how a resource is shared (共享属性).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// 无条件共享.
    Unconditional,
    /// 有条件共享.
    Conditional,
    /// 不予共享: on the list, so that everybody sees the law that says so.
    NotShared,
}

impl Sharing {
    /// Every attribute, by number.
    pub const ALL: [Self; 3] = [Self::Unconditional, Self::Conditional, Self::NotShared];
}

encoded_by_number!(Sharing);

/// How grave it is if data of a resource gets out (数据分级). Core data (核心数据) is on no list (SEC-14).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataLevel {
    /// 一般数据.
    General,
    /// 重要数据.
    Important,
}

impl DataLevel {
    /// Every level, by number.
    pub const ALL: [Self; 2] = [Self::General, Self::Important];
}

encoded_by_number!(DataLevel);

/// How a requester uses data, from the least to the most that is handed over (SHR-07).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Mode {
    /// 核验: whether something matches, yes or no.
    Verify = 0,
    /// 查询: values about one subject.
    Query = 1,
    /// 批量: values about many subjects at once.
    Batch = 2,
}

impl Mode {
    /// Every mode, by number.
    pub const ALL: [Self; 3] = [Self::Verify, Self::Query, Self::Batch];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Query => "query",
            Self::Batch => "batch",
        }
    }
}

encoded_by_number!(Mode);

/// Whom or what a resource is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum DataSubject {
    /// A person, by resident number (公民身份号码).
    Person,
    /// A body, by credit code (统一社会信用代码).
    Body,
    /// A certificate, by its identifier.
    Certificate {
        /// Of this type.
        certificate_type: TypeNumber,
    },
}

/// One item of data (数据项).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Whether it is sensitive (敏感个人信息): a grant for it says so by itself.
    pub sensitive: bool,
}

/// What a provider says about a resource.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct ResourceTerms {
    /// Its name.
    pub name: String,
    /// Whom or what it is asked about.
    pub subject: DataSubject,
    /// Its items; an item's number is its place here.
    pub fields: Vec<Field>,
    /// Whether and how it is shared.
    pub sharing: Sharing,
    /// Conditions (共享条件); empty where there are none.
    pub conditions: String,
    /// The law it rests on (依据).
    pub basis: String,
    /// How often it is brought up to date (更新频率).
    pub frequency: String,
    /// How it may be used, in rising order.
    pub modes: Vec<Mode>,
    /// How grave it is if it gets out.
    pub level: DataLevel,
}

impl ResourceTerms {
    /// The item with a number.
    pub fn field(&self, number: u16) -> Option<&Field> {
        self.fields.get(usize::from(number))
    }
}

/// Where an edition of a resource stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceStatus {
    /// It waits for review.
    Proposed,
    /// The competent authority let it be published.
    Published {
        /// Who.
        by: MemberNumber,
        /// When.
        height: Height,
    },
    /// The competent authority turned it down.
    Refused {
        /// Who.
        by: MemberNumber,
        /// When.
        height: Height,
    },
    /// Another edition was published in its place.
    Replaced {
        /// Which.
        by: ResourceNumber,
        /// When.
        height: Height,
    },
    /// It is shared no longer.
    Ended {
        /// When.
        height: Height,
    },
}

/// An edition of a shared resource.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Resource {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// The member that provides it (数源部门).
    pub provider: MemberNumber,
    /// What it says; never changes.
    pub terms: ResourceTerms,
    /// The edition whose place it takes.
    pub replaces: Option<ResourceNumber>,
    /// When it was proposed.
    pub proposed: Height,
    /// Where it stands.
    pub status: ResourceStatus,
}

impl Record for Resource {
    const SHELF: Shelf = Shelf::Resources;
}
