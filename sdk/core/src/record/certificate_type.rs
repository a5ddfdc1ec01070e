//! Certificate types (证照类型, 目录项): the catalogue's entries (CAT-01).

use serde::{Deserialize, Serialize};

use super::Record;
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

/// One field of a certificate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClaimSpec {
    /// Label in the language of the document, such as 准驾车型.
    pub label: String,
    /// Whether a certificate without it is refused at issue.
    pub required: bool,
    /// Whether the everyday code discloses it.
    pub everyday: bool,
    /// Whether it says something about a person that the law protects more.
    pub sensitive: bool,
}

/// The fields of a certificate, in the order of their leaves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Schema {
    /// Fields; those of the everyday code come first, so that they need few siblings.
    pub claims: Vec<ClaimSpec>,
}

/// A certificate type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
