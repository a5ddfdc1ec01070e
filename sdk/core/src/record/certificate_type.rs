//! Certificate types (证照类型, 目录项): the catalogue's entries (CAT-01).

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::assurance::Assurance;
use crate::codec::encoded_by_number;
use crate::id::TypeCode;
use crate::number::{MemberNumber, PurposeCode};
use crate::shelf::Shelf;
use crate::standing::ActKinds;

/// Who holds certificates of a type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderKind {
    /// A natural person (自然人).
    Person,
    /// A body with a credit code (法人).
    Body,
}

impl HolderKind {
    /// Every kind, by number.
    pub const ALL: [Self; 2] = [Self::Person, Self::Body];
}

encoded_by_number!(HolderKind);

/// One field of a certificate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct ClaimSpec {
    /// Label in the language of the document, such as 准驾车型.
    pub label: String,
    /// Whether a certificate without it is refused at issue.
    pub required: bool,
    /// Whether the everyday code discloses it.
    pub everyday: bool,
    /// Whether it says something about a person that the law protects more.
    pub sensitive: bool,
    /// Bytes of its longest value, 1 to 512: what the size of a code is reckoned with.
    pub max_bytes: u16,
    /// How its value follows from another field's; `None` where it is entered.
    pub derived: Option<Derived>,
}

/// How a field's value is computed at issue, so that it can be shown without its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Derived {
    /// Place of the field it follows from.
    pub from: u16,
    /// How.
    pub rule: DerivedRule,
}

/// How a value follows from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum DerivedRule {
    /// `是` where whoever was born on the source's day was this old on the day of issue, else `否`.
    AgeAtIssue {
        /// Full years.
        years: u8,
    },
}

/// A named set of fields to disclose together (亮证方案).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Profile {
    /// Name, such as 企业名称.
    pub name: String,
    /// Places of its fields, rising.
    pub claims: Vec<u16>,
}

/// The fields of a certificate, in the order of their leaves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Schema {
    /// Fields; those of the everyday code come first, so that they need few siblings.
    pub claims: Vec<ClaimSpec>,
    /// Sets of fields that holders show often, by rising name; the everyday one is not listed.
    pub profiles: Vec<Profile>,
    /// Bytes of the longest serial, 1 to 32.
    pub serial_bytes: u8,
}

impl Schema {
    /// The profile with this name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// The everyday fields' places: always the first ones.
    pub fn everyday(&self) -> Vec<u16> {
        (0u16..).zip(&self.claims).filter(|(_, spec)| spec.everyday).map(|(index, _)| index).collect()
    }
}

/// A certificate type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct CertificateType {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// 21-character type code: defining body and three digits.
    pub code: TypeCode,
    /// Name, such as 机动车驾驶证.
    pub name: String,
    /// Who holds it.
    pub holder: HolderKind,
    /// Whether new certificates may be issued.
    pub enabled: bool,
    /// Whether its data is sensitive personal information.
    pub sensitive: bool,
    /// Fields by schema version, from version 1 at place 0; a version never changes.
    pub schemas: Vec<Schema>,
    /// Which acts the type allows.
    pub acts: ActKinds,
    /// How long a dynamic code holds, in seconds, 60 to 300.
    pub code_lifetime_secs: u32,
    /// How old a standing may be offline, in seconds.
    pub offline_age_secs: u32,
    /// Members, besides the keeper, that may suspend.
    pub suspenders: Vec<MemberNumber>,
    /// Members that may revoke (吊销).
    pub revokers: Vec<MemberNumber>,
    /// Members that may consume it (核销); a type is one-time when there is any.
    pub consumers: Vec<MemberNumber>,
    /// Purposes it may be shown for, in rising order; empty where any.
    pub purposes: Vec<PurposeCode>,
    /// Purposes for which the holder's grant (授权) must be on the ledger, in rising order.
    pub grant_purposes: Vec<PurposeCode>,
    /// How an identity service must have checked whoever shows it; `None` where that is not asked.
    pub assurance: Option<Assurance>,
}

impl CertificateType {
    /// The fields of a schema version, counted from 1.
    pub fn schema(&self, version: u16) -> Option<&Schema> {
        self.schemas.get(usize::from(version.checked_sub(1)?))
    }
}

impl Record for CertificateType {
    const SHELF: Shelf = Shelf::Types;
}
