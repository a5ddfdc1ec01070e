//! Cases (办件): what a department handles, and what the applicant keeps of it.
//!
//! The ledger holds a freshly salted hash of a case's number and one act for each step. Whoever
//! holds the slip finds the case and reads how far it is; nobody else learns whose it is, or that
//! two cases are of one applicant. Rules A-1 to A-5: `sdk/spec/cases.md`; 办件编号 and 实施编码 as
//! in GB/T 39046-2020.
//!
//! ```text
//! number, item, salt -> commitment -> line -> book of cases
//! ```

use bincode::Encode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::book::{Line, Tag};
use crate::codec;
use crate::digest::{Digest, Domain, NetworkId};
use crate::limits::{CASE_CHARACTERS, ITEM_CHARACTERS};
use crate::number::LinePlace;

/// What a case is, as the department and the applicant know it. Rule A-2.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode)]
#[serde(try_from = "Written")]
pub struct Case {
    /// Its number (办件编号), 1 to 50 characters.
    pub number: String,
    /// The service item's code (实施编码), at most 24 characters.
    pub item: String,
    /// Makes the commitment unguessable: numbers follow one another.
    #[serde(with = "crate::bytes::array")]
    pub salt: [u8; 32],
}

/// A case as it is written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    number: String,
    item: String,
    #[serde(with = "crate::bytes::array")]
    salt: [u8; 32],
}

impl TryFrom<Written> for Case {
    type Error = CaseError;

    fn try_from(written: Written) -> Result<Self, CaseError> {
        Self::new(&written.number, &written.item, written.salt)
    }
}

/// Why a number or an item's code is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CaseError {
    /// A-2: the case's number.
    #[error("a case's number has 1 to {CASE_CHARACTERS} visible characters without blanks")]
    Number,
    /// A-2: the item's code.
    #[error("an item's code has at most {ITEM_CHARACTERS} ASCII letters and digits")]
    Item,
}

impl Case {
    /// Rule A-2: a case with a fresh salt.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn new(number: &str, item: &str, salt: [u8; 32]) -> Result<Self, CaseError> {
        if !is_number(number) {
            return Err(CaseError::Number);
        }
        if !item.is_empty() && !is_item(item) {
            return Err(CaseError::Item);
        }
        Ok(Self { number: number.to_owned(), item: item.to_owned(), salt })
    }

    /// Rule A-2: what the line commits to.
    pub fn commitment(&self, domain: &Domain) -> Digest {
        domain.digest("case", &[&codec::encode(self)])
    }

    /// Its line. The tag is random: no number leads to a case.
    pub fn line(&self, domain: &Domain, tag: [u8; 16]) -> Line {
        Line { tag: Tag(tag), commitment: self.commitment(domain) }
    }
}

/// Rule A-2: whether a text can be a case's number.
pub fn is_number(text: &str) -> bool {
    let visible = |letter: char| !letter.is_whitespace() && !letter.is_control();
    (1..=CASE_CHARACTERS).contains(&text.chars().count()) && text.chars().all(visible)
}

/// Whether a text is a service item's code: 1 to 24 ASCII letters and digits.
pub fn is_item(text: &str) -> bool {
    (1..=ITEM_CHARACTERS).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_alphanumeric())
}

/// The slip (受理回执): what the applicant keeps, and all that finds the case again. Rule A-5.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// The network.
    pub network: NetworkId,
    /// Where the case stands.
    pub place: LinePlace,
    /// Which case.
    pub case: Case,
}
