//! Divisions: where a body sits.

use serde::{Deserialize, Serialize};

use super::error::{IdError, Part};
use super::text::{Ascii, check_characters, text_conversions, text_display};

/// A division (行政区划): province in 2 digits, prefecture in 4, county in 6, township in 9.
///
/// It has no check character; genesis lists the divisions that exist. `34` and `340000` are one
/// region in two spellings: they cover each other and are not equal.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-7; GB/T 2260, GB/T 10114.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Division(Ascii<9>);

text_conversions!(Division);
text_display!(Division);

impl Division {
    /// Reads a division of 2, 4, 6 or 9 digits.
    ///
    /// # Errors
    /// [`IdError::Character`] or [`IdError::Length`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_characters(text, "a digit", |found| found.is_ascii_digit())?;
        let held = Ascii::new(text).filter(|_| matches!(text.len(), 2 | 4 | 6 | 9));
        held.map(Self).ok_or(IdError::Length { of: Part::Division, found: text.len(), expected: "2, 4, 6 or 9" })
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether `other` is this region or lies inside it: `34` and `340000` both cover `340102`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.as_str().starts_with(self.stem())
    }

    /// The digits without the zeros that only fill them up: `3401` of `340100`.
    fn stem(&self) -> &str {
        let mut stem = self.as_str();
        for (len, filler) in [(9, "000"), (6, "00"), (4, "00")] {
            if stem.len() == len {
                stem = stem.strip_suffix(filler).unwrap_or(stem);
            }
        }
        stem
    }
}
