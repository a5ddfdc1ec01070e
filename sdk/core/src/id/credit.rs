//! Credit codes: the one number of every body in the country.

use serde::{Deserialize, Serialize};

use super::check;
use super::division::Division;
use super::error::{IdError, Part};
use super::organisation;
use super::organisation::OrganisationCode;
use super::text::{Ascii, check_characters, text_conversions, text_display};

/// Characters in a credit code.
pub(super) const CREDIT_LEN: usize = 18;

/// A unified social credit code (统一社会信用代码), 18 characters.
///
/// ```text
/// 9 1 350100 M000100Y4 3
/// | | |      |         check character, MOD 31-3
/// | | |      organisation code with its own check character
/// | | division of registration
/// | category
/// registering authority
/// ```
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-5; GB 32100-2015.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CreditCode(Ascii<CREDIT_LEN>);

text_conversions!(CreditCode);
text_display!(CreditCode);

impl CreditCode {
    /// Reads a credit code.
    ///
    /// # Errors
    /// [`IdError::Character`], [`IdError::Length`], or [`IdError::CheckCharacter`] of the whole
    /// code first, of the organisation code inside it second.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_characters(text, "a digit or a capital except I, O, S, V, Z", check::is_credit_character)?;
        let held = Ascii::new(text).filter(|_| text.len() == CREDIT_LEN);
        let held = held.ok_or(IdError::Length { of: Part::CreditCode, found: text.len(), expected: "18" })?;
        check_characters(&text[2..8], "a digit of the division", |found| found.is_ascii_digit())
            .map_err(|error| error.shifted(2))?;
        check_last(Part::CreditCode, text, check::mod_31_3)?;
        organisation::check_nine(&text[8..17]).map_err(|error| error.shifted(8))?;
        Ok(Self(held))
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The registering authority: `1` establishment office, `5` civil affairs, `9` market
    /// regulation, and others.
    #[must_use]
    pub fn authority(&self) -> char {
        char::from(self.as_str().as_bytes()[0])
    }

    /// The category of body, as its authority counts them.
    #[must_use]
    pub fn category(&self) -> char {
        char::from(self.as_str().as_bytes()[1])
    }

    /// The six-digit division where the body registered.
    #[must_use]
    pub fn division(&self) -> Division {
        Division::parse(&self.as_str()[2..8]).expect("six digits: checked in CreditCode::parse")
    }

    /// The organisation code inside.
    #[must_use]
    pub fn organisation(&self) -> OrganisationCode {
        OrganisationCode::from_nine(&self.as_str()[8..17])
            .expect("nine checked characters: checked in CreditCode::parse")
    }
}

/// Rule ID-3: the last character of ASCII `text` is what `sum` makes of the others.
pub(super) fn check_last(of: Part, text: &str, sum: impl Fn(&str) -> Option<char>) -> Result<(), IdError> {
    let at = text.len().saturating_sub(1);
    let (rest, last) = text.split_at(at);
    match (sum(rest), last.chars().next()) {
        (Some(expected), Some(found)) if found != expected => Err(IdError::CheckCharacter { of, at, found, expected }),
        (Some(_), Some(_)) => Ok(()),
        _ => unreachable!("alphabet and length are checked before the check character"),
    }
}
