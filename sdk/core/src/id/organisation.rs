//! Organisation codes: the older number of a body, now the core of its credit code.

use serde::{Deserialize, Serialize};

use super::check;
use super::credit::check_last;
use super::error::{IdError, Part};
use super::text::{Ascii, check_characters, is_digit_or_capital, text_conversions, text_display};

/// Characters in a written organisation code, with its hyphen.
const ORGANISATION_LEN: usize = 10;

/// An organisation code (组织机构代码): 8 characters, a hyphen, a check character.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-4; GB 11714.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganisationCode(Ascii<ORGANISATION_LEN>);

text_conversions!(OrganisationCode);
text_display!(OrganisationCode);

impl OrganisationCode {
    /// Reads an organisation code as written alone, with its hyphen: `00001333-8`.
    ///
    /// # Errors
    /// [`IdError::Character`], [`IdError::Length`] or [`IdError::CheckCharacter`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_characters(text, "a digit, a capital or the hyphen", |found| found == '-' || is_digit_or_capital(found))?;
        let held = Ascii::new(text).filter(|_| text.len() == ORGANISATION_LEN);
        let held = held.ok_or(IdError::Length {
            of: Part::OrganisationCode,
            found: text.len(),
            expected: "10, hyphen included",
        })?;
        let (body, last) = text.split_at(8);
        check_characters(body, "a digit or a capital", is_digit_or_capital)?;
        let (hyphen, last) = last.split_at(1);
        check_characters(hyphen, "the hyphen", |found| found == '-').map_err(|error| error.shifted(8))?;
        // The check character stands one place further, behind the hyphen.
        check_nine(&format!("{body}{last}")).map_err(|error| error.shifted(1))?;
        Ok(Self(held))
    }

    /// Reads the nine characters of a credit code that are an organisation code: `000013338`.
    ///
    /// # Errors
    /// As [`OrganisationCode::parse`].
    pub fn from_nine(nine: &str) -> Result<Self, IdError> {
        check_characters(nine, "a digit or a capital", is_digit_or_capital)?;
        if nine.len() != ORGANISATION_LEN - 1 {
            return Err(IdError::Length {
                of: Part::OrganisationCode,
                found: nine.len(),
                expected: "9, without hyphen",
            });
        }
        check_nine(nine)?;
        let (body, last) = nine.split_at(8);
        let held = Ascii::new(&format!("{body}-{last}"));
        Ok(Self(held.expect("nine ASCII characters and a hyphen")))
    }

    /// The 10 characters, hyphen included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Rule ID-4 on nine digits and capitals.
pub(super) fn check_nine(nine: &str) -> Result<(), IdError> {
    let last = nine.get(8..).unwrap_or_default();
    check_characters(last, "a digit or X", |found| found == 'X' || found.is_ascii_digit())
        .map_err(|error| error.shifted(8))?;
    check_last(Part::OrganisationCode, nine, check::mod_11_organisation)
}
