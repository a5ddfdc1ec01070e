//! The founding document as people write it: names instead of numbers.

use std::collections::BTreeMap;
use std::fmt;

use fengni_core::assurance::Assurance;
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::certificate::Grade;
use fengni_core::record::{HolderKind, KeyPurpose, Role};
use fengni_core::standing::ActKind;
use fengni_core::{MemberNumber, PurposeCode, TypeNumber};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::source::Lines;

/// A founding document (创立文件).
///
/// Codes, keys and dates are still text here, so that [`Document::check`] can report every one
/// that is wrong. A document read from a text remembers its lines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Document {
    /// Name, suite and time.
    pub network: NetworkEntry,
    /// Parameters; what is left out has its default.
    pub parameters: ParametersEntry,
    /// Who may recover the network where its validators are lost for good; nobody if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryEntry>,
    /// Reference codes: set, code, meaning. `divisions`, `purposes` and `reasons` are needed.
    pub codes: BTreeMap<String, BTreeMap<String, String>>,
    /// Founding members; a member's number is its place.
    pub members: Vec<MemberEntry>,
    /// Certificate types; a type's number is its place.
    pub types: Vec<TypeEntry>,
    /// Issuing authorities.
    pub authorities: Vec<AuthorityEntry>,
    /// Recognition agreements, in force from the beginning.
    pub agreements: Vec<AgreementEntry>,
    /// Validators of the first block.
    pub validators: Vec<ValidatorEntry>,
    #[serde(skip)]
    pub(crate) lines: Lines,
}

/// `[network]`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkEntry {
    /// Name of the network.
    pub name: String,
    /// Algorithms: `standard`.
    #[serde(default = "standard")]
    pub suite: String,
    /// When it is founded: RFC 3339, or milliseconds since 1970.
    #[serde(deserialize_with = "text_or_number")]
    pub founded: String,
}

fn standard() -> String {
    "standard".into()
}

/// `[parameters]`: see [`fengni_core::record::Parameters`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParametersEntry {
    /// Heights for which a transaction may wait (W). Default 1,000: half an hour of busy blocks.
    pub window: u64,
    /// How far a block's time may be ahead of a validator's clock (δ). Default 500 ms.
    pub clock_ahead_millis: u64,
    /// How old a header may be for an online answer. Default 15 s: a block every 5 s when idle.
    pub online_age_secs: u32,
    /// How old a checkpoint may be for statements about the present. Default 21 days.
    pub trusting_period_secs: u64,
    /// Weight of a full block. Default 120,000: 116 full seals.
    pub block_weight: u64,
    /// Weight of one member's transactions in one block. Default 60,000: 58 full seals, so that
    /// 50,000 certificates fit and nobody fills a block alone.
    pub member_weight: u64,
    /// Lines one person may seal alone. Default 1,000.
    pub solo_seal_lines: u32,
    /// Terminal acts of one member in one day. Default 1,000.
    pub terminal_acts_per_day: u32,
    /// The fewest validators. Default 4, which outlast one that fails or lies.
    pub validators_min: u32,
    /// The version of the protocol it begins with. Default: the latest this program speaks.
    pub protocol: u16,
    /// What operations weigh.
    pub weights: WeightsEntry,
    /// How members decide together.
    pub voting: VotingEntry,
}

/// `[recovery]`: see [`fengni_core::recovery::RecoveryTerms`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryEntry {
    /// Public keys that people of several departments hold offline; a key's number is its place.
    pub keys: Vec<String>,
    /// How many of them must sign a handover.
    pub threshold: u16,
    /// How long after the last final block a handover begins to hold, at least. Default a day, in
    /// which validators that were only away come back.
    #[serde(default = "day_secs")]
    pub delay_secs: u64,
}

fn day_secs() -> u64 {
    86_400
}

impl Default for ParametersEntry {
    fn default() -> Self {
        Self {
            window: 1_000,
            clock_ahead_millis: 500,
            online_age_secs: 15,
            trusting_period_secs: 21 * 86_400,
            block_weight: 120_000,
            member_weight: 60_000,
            solo_seal_lines: 1_000,
            terminal_acts_per_day: 1_000,
            validators_min: 4,
            protocol: PROTOCOL_VERSION,
            weights: WeightsEntry::default(),
            voting: VotingEntry::default(),
        }
    }
}

/// `[parameters.weights]`: see [`fengni_core::record::Weights`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightsEntry {
    /// Every transaction. Default 10.
    pub transaction: u64,
    /// Every line of a seal. Default 1.
    pub line: u64,
    /// Every act on a line. Default 10.
    pub act: u64,
    /// Every change of a registry record. Default 100.
    pub record: u64,
}

impl Default for WeightsEntry {
    fn default() -> Self {
        Self { transaction: 10, line: 1, act: 10, record: 100 }
    }
}

/// `[parameters.voting]`: see [`fengni_core::record::Voting`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VotingEntry {
    /// More than this part of the voters must approve: numerator. Default 2.
    pub numerator: u32,
    /// Denominator. Default 3, so that 3 of 4 decide, and 4 of 5.
    pub denominator: u32,
    /// Heights between the close of a vote and its effect. Default 5: 25 seconds of an idle ledger.
    pub notice: u64,
    /// Heights between a proposal and its effect, at most. Default 500,000: a month of an idle ledger.
    pub horizon: u64,
}

impl Default for VotingEntry {
    fn default() -> Self {
        Self { numerator: 2, denominator: 3, notice: 5, horizon: 500_000 }
    }
}

/// `[[members]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    /// Short name by which this document speaks of it, such as `PSB`. Not on the ledger.
    pub key: String,
    /// Unified social credit code.
    pub code: String,
    /// Name of the department.
    pub name: String,
    /// Region it works in, from the reference codes.
    pub division: String,
    /// Short name of the member above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superior: Option<String>,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Its keys; a key's number is its place.
    pub keys: Vec<KeyEntry>,
}

/// An entry of a member's `keys`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Public key: algorithm number, colon and hexadecimal digits.
    pub key: String,
}

/// `[[types]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeEntry {
    /// Short name by which this document speaks of it, such as `T-DL`. Not on the ledger.
    pub key: String,
    /// 21-character type code.
    pub code: String,
    /// Name, such as 机动车驾驶证.
    pub name: String,
    /// Who holds it.
    pub holder: HolderKind,
    /// Whether new certificates may be issued.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether its data is sensitive personal information.
    #[serde(default)]
    pub sensitive: bool,
    /// How long a dynamic code holds, 60 to 300 seconds (VER-02).
    pub code_lifetime_secs: u32,
    /// How old a standing may be offline.
    pub offline_age_secs: u32,
    /// Acts the type allows.
    #[serde(default)]
    pub acts: ActsEntry,
    /// Members, besides the keeper, that may suspend.
    #[serde(default)]
    pub suspenders: Vec<String>,
    /// Members that may revoke.
    #[serde(default)]
    pub revokers: Vec<String>,
    /// Members that may consume it: a type is one-time when there is any.
    #[serde(default)]
    pub consumers: Vec<String>,
    /// Names of the purposes it may be shown for; any where empty.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Names of the purposes that need the holder's grant on the ledger.
    #[serde(default)]
    pub grant_purposes: Vec<String>,
    /// How an identity service must have checked whoever shows it: `real-name` or `real-person`.
    #[serde(default)]
    pub assurance: Option<Assurance>,
    /// Fields in the order of their leaves, those of the everyday code first.
    pub claims: Vec<ClaimEntry>,
    /// Sets of fields that holders show often: name, labels. The everyday one is not listed.
    #[serde(default)]
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Bytes of the longest serial, 1 to 32. Default 20.
    #[serde(default = "serial_bytes")]
    pub serial_bytes: u8,
}

/// What a type says of its serials where it says nothing.
pub(crate) const SERIAL_BYTES: u8 = 20;

fn serial_bytes() -> u8 {
    SERIAL_BYTES
}

fn yes() -> bool {
    true
}

/// An entry of a type's `claims`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimEntry {
    /// Label, such as 准驾车型.
    pub label: String,
    /// Whether a certificate without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Whether the everyday code discloses it.
    #[serde(default)]
    pub everyday: bool,
    /// Whether the law protects it more.
    #[serde(default)]
    pub sensitive: bool,
    /// Bytes of its longest value, 1 to 512. Default 15 for a field of the everyday code, which
    /// has little room, and 512 for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u16>,
    /// How it follows from another field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedEntry>,
}

/// Bytes of an everyday value where the document does not say: five Chinese characters.
const EVERYDAY_BYTES: u16 = 15;
/// Bytes of another value: what the format allows.
const CLAIM_BYTES: u16 = 512;

impl ClaimEntry {
    /// Bytes of its longest value.
    pub fn max_bytes(&self) -> u16 {
        self.max_bytes.unwrap_or_else(|| default_bytes(self.everyday))
    }
}

/// What `max_bytes` is where the document does not say.
pub(crate) fn default_bytes(everyday: bool) -> u16 {
    if everyday { EVERYDAY_BYTES } else { CLAIM_BYTES }
}

/// A claim's `derived`: `{ from = "出生日期", age = 18 }`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedEntry {
    /// Label of the field it follows from: a date of birth `YYYY-MM-DD`.
    pub from: String,
    /// Full years reached on the day of issue.
    pub age: u8,
}

/// A type's `acts`: `"all"`, or a list such as `["suspend", "return"]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ActsEntry {
    /// Every act there is.
    #[default]
    All,
    /// These.
    These(Vec<ActKind>),
}

impl Serialize for ActsEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::These(acts) => acts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ActsEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ActsEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or a list of acts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ActsEntry, E> {
                if text == "all" { Ok(ActsEntry::All) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, acts: A) -> Result<ActsEntry, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(acts)).map(ActsEntry::These)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// `[[authorities]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityEntry {
    /// Who may issue.
    pub member: String,
    /// What, by the type's short name.
    #[serde(rename = "type")]
    pub certificate_type: String,
    /// Where, from the reference codes.
    pub division: String,
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, included.
    pub until: String,
    /// The rule it rests on.
    pub basis: String,
}

/// `[[agreements]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementEntry {
    /// The parties' own name for it, such as `RA-2026-001`.
    pub label: String,
    /// Short names of the members that agreed.
    pub parties: Vec<String>,
    /// Names of the purposes by short name of the type.
    pub terms: BTreeMap<String, Vec<String>>,
    /// Regions whose certificates are meant; all of the parties' where empty.
    #[serde(default)]
    pub divisions: Vec<String>,
    /// The lowest trust grade accepted, `A` to `D`.
    pub min_grade: Grade,
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, included.
    pub until: String,
}

/// `[[validators]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorEntry {
    /// Short name of the member.
    pub member: String,
    /// Its voting power.
    #[serde(default = "one")]
    pub power: u64,
}

fn one() -> u64 {
    1
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time in RFC 3339, or milliseconds since 1970")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(Visitor)
}

impl Document {
    /// An empty document, to be filled by code.
    pub fn new(network: NetworkEntry) -> Self {
        Self {
            network,
            parameters: ParametersEntry::default(),
            recovery: None,
            codes: BTreeMap::new(),
            members: Vec::new(),
            types: Vec::new(),
            authorities: Vec::new(),
            agreements: Vec::new(),
            validators: Vec::new(),
            lines: Lines::default(),
        }
    }

    /// Number of the member with a short name.
    pub fn member(&self, key: &str) -> Option<MemberNumber> {
        let place = self.members.iter().position(|entry| entry.key == key)?;
        u32::try_from(place).ok().map(MemberNumber)
    }

    /// Number of the type with a short name.
    pub fn certificate_type(&self, key: &str) -> Option<TypeNumber> {
        let place = self.types.iter().position(|entry| entry.key == key)?;
        u32::try_from(place).ok().map(TypeNumber)
    }

    /// Code of the purpose with a name.
    pub fn purpose(&self, name: &str) -> Option<PurposeCode> {
        let (code, _) = self.codes.get("purposes")?.iter().find(|(_, found)| *found == name)?;
        code.parse().ok().map(PurposeCode)
    }
}
