//! Verdicts: what a verifier is told, and why.
//!
//! A verdict is valid, refused or undecided. *Cannot check* is undecided, never refused and never
//! valid. A refused or undecided verdict repeats no claim: what was not accepted is not shown as
//! if it had been. Codes, their order and their sentences: `sdk/spec/verdicts.md`.

mod code;
mod detail;
mod plain;

use serde::{Deserialize, Serialize};

pub use code::VerdictCode;
pub use detail::{AgreementFault, AssuranceFault, AuthorityFault, Body, Detail, Evidence, HolderFault, LineFault};
pub use plain::{Display, PLAIN_TEXT_CHARACTERS};

use crate::assurance::Assurance;
use crate::certificate::Grade;
use crate::day::Millis;
use crate::number::{Height, LinePlace};

/// Version of the JSON form; grows when a field changes its meaning or goes.
pub const VERDICT_SCHEMA: u16 = 1;

/// The answer in one word. It alone decides: a code is its reason.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Everything was checked and holds.
    Valid,
    /// Something was checked and does not hold.
    Refused,
    /// Something could not be checked.
    Undecided,
}

/// A sentence for a clerk, in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// What was checked, in this order, and held.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The entries are of one final state of the ledger.
    Finality,
    /// What is shown is what the issuer sealed.
    Content,
    /// The holder's key signed this code.
    HolderSignature,
    /// The code answers this verifier's challenge.
    Challenge,
    /// The code holds at this moment.
    CodeTime,
    /// The ledger's state is recent enough.
    Freshness,
    /// The issuer might issue this type for this region on the day of issue.
    IssuerAuthority,
    /// The keys that sealed the certificate were valid.
    IssuerKey,
    /// No act of any body bars the certificate.
    Standing,
    /// Today is within the certificate's own dates.
    Validity,
    /// The holder's key was not reported lost.
    HolderKey,
    /// The purpose is the one it was shown for, and allowed for the type.
    Purpose,
    /// The verifier's side recognises the issuer's certificates.
    Recognition,
    /// The trust grade is high enough.
    Grade,
    /// An identity service vouches for the holder, and well enough.
    Assurance,
    /// This verifier has not seen the code before.
    SingleUse,
}

/// How old the evidence is, in seconds; `None` where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ages {
    /// Since the holder signed.
    pub holder_proof_secs: Option<u64>,
    /// Since the block whose state was used.
    pub standing_secs: Option<u64>,
    /// Since the checkpoint from which the validators are known.
    pub checkpoint_secs: Option<u64>,
}

/// The state of the ledger that was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AsOf {
    /// Height of the block.
    pub height: Height,
    /// Its time.
    pub time: Millis,
}

/// A claim as it was shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownClaim {
    /// Label from the type's schema.
    pub label: String,
    /// Value; `None` where the certificate has none.
    pub value: Option<String>,
    /// The day as of which the issuer computed it, `YYYY-MM-DD`; `None` where it was entered.
    pub as_of: Option<String>,
}

/// The label alone: a value has no place in a log line.
impl std::fmt::Debug for ShownClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ShownClaim({})", self.label)
    }
}

/// The certificate a verdict is about: only what was found to be sealed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Document {
    /// Name of the type.
    pub certificate_type: String,
    /// Name of the issuing member.
    pub issuer: String,
    /// Full identifier.
    pub identifier: String,
    /// Where its line stands.
    pub place: LinePlace,
    /// Who vouches for the content; `None` where only the identifier is known.
    pub grade: Option<Grade>,
    /// First and last day, `YYYY-MM-DD`; a last day of `None` is for ever. `None` where only the
    /// identifier is known, because the ledger holds dates as a commitment alone.
    pub validity: Option<(String, Option<String>)>,
    /// The claims shown; empty unless the answer is valid.
    pub claims: Vec<ShownClaim>,
}

/// Who vouches for the holder, as it was shown and found good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Assured {
    /// How the person was checked.
    pub level: Assurance,
    /// Name of the identity service.
    pub service: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub time_secs: u64,
}

/// A verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// [`VERDICT_SCHEMA`].
    pub schema: u16,
    /// Valid, refused or undecided.
    pub answer: Answer,
    /// Why.
    pub code: VerdictCode,
    /// The same as a sentence.
    pub reason: Reason,
    /// The same in plain Chinese, at most [`PLAIN_TEXT_CHARACTERS`] long: to be shown large and
    /// read aloud.
    pub plain_text: String,
    /// What a screen shows before anything is read.
    pub display: Display,
    /// The facts behind it.
    pub detail: Option<Detail>,
    /// What the clerk should know besides: [`VerdictCode::Disputed`].
    pub warnings: Vec<VerdictCode>,
    /// What was checked and held.
    pub checked: Vec<Check>,
    /// How old the evidence is.
    pub ages: Ages,
    /// The ledger's state that was used.
    pub as_of: Option<AsOf>,
    /// The certificate.
    pub document: Option<Document>,
    /// Who vouches for the holder; `None` where nobody does, or the answer is not valid.
    pub assurance: Option<Assured>,
    /// The last height before a recovery of the network that nobody at this device has taken note of
    /// (F-11). Left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Height>,
}

impl Verdict {
    /// A verdict with nothing checked yet: for the shell, which knows why it could not go on.
    pub fn new(code: VerdictCode, detail: Option<Detail>) -> Self {
        let reason = detail.as_ref().and_then(Detail::reason).unwrap_or_else(|| code.reason());
        let verdict = Self {
            schema: VERDICT_SCHEMA,
            answer: code.answer(),
            code,
            reason,
            plain_text: String::new(),
            display: Display::Abnormal,
            detail,
            warnings: Vec::new(),
            checked: Vec::new(),
            ages: Ages::default(),
            as_of: None,
            document: None,
            assurance: None,
            recovered: None,
        };
        verdict.presented()
    }

    /// Rule V-20: the verdict with the plain text and the display class that its answer, its facts
    /// and its warnings call for. Whoever changes one of these ends with this.
    pub(crate) fn presented(mut self) -> Self {
        self.plain_text = plain::plain_text(&self);
        self.display = plain::display(&self);
        self
    }

    /// Rule V-1: the text is no code.
    pub fn malformed(error: &impl std::fmt::Display) -> Self {
        Self::new(VerdictCode::Malformed, Some(Detail::Malformed { error: error.to_string() }))
    }

    /// The ledger could not be asked, or did not prove what was asked.
    pub fn unreachable(missing: impl Into<String>) -> Self {
        Self::new(VerdictCode::LedgerUnreachable, Some(Detail::Missing { what: missing.into() }))
    }

    /// Whether the answer is valid.
    pub fn is_valid(&self) -> bool {
        self.answer == Answer::Valid
    }
}
