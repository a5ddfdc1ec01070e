//! Resident numbers: a person's number, checked and then kept quiet.
//!
//! The type cannot be printed or serialised: a person's number reaches a byte stream only where
//! somebody writes `expose`.

use std::fmt;

use serde::Deserialize;

use super::check;
use super::credit::check_last;
use super::division::Division;
use super::error::{IdError, Part};
use super::text::{Ascii, check_characters};
use crate::day::Day;

/// Characters in a resident number.
pub(super) const RESIDENT_LEN: usize = 18;
/// Earliest year of birth; the standard's own oldest example was born in 1880.
pub const BIRTH_YEAR_MIN: u32 = 1800;
/// Latest year of birth that a reader without a calendar at hand admits.
pub const BIRTH_YEAR_MAX: u32 = 2199;

/// A resident number (公民身份号码): division 6, birth date 8, sequence 3, check character.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-6; GB 11643-1999.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ResidentNumber(Ascii<RESIDENT_LEN>);

impl ResidentNumber {
    /// Reads a resident number. Whether its birth date has come is
    /// [`ResidentNumber::check_born_by`], because that needs today's date.
    ///
    /// # Errors
    /// [`IdError::Character`], [`IdError::Length`], [`IdError::CheckCharacter`] or
    /// [`IdError::BirthDate`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_characters(text, "a digit, or X at the end", |found| found == 'X' || found.is_ascii_digit())?;
        let held = Ascii::new(text).filter(|_| text.len() == RESIDENT_LEN);
        let held = held.ok_or(IdError::Length { of: Part::ResidentNumber, found: text.len(), expected: "18" })?;
        check_characters(&text[..17], "a digit", |found| found.is_ascii_digit())?;
        check_last(Part::ResidentNumber, text, check::mod_11_2)?;
        birth_date(text).ok_or(IdError::BirthDate)?;
        Ok(Self(held))
    }

    /// Rule ID-6: the person was born today or earlier.
    ///
    /// # Errors
    /// [`IdError::BornAfterToday`].
    pub fn check_born_by(&self, today: Day) -> Result<(), IdError> {
        let (year, month, day) = birth_date(self.expose()).expect("a real date: checked in ResidentNumber::parse");
        // `Day` counts from 1970; whoever was born earlier was born before any today.
        if year < 1970 {
            return Ok(());
        }
        match Day::from_ymd(year, month, day) {
            Some(birth) if birth <= today => Ok(()),
            _ => Err(IdError::BornAfterToday),
        }
    }

    /// The division of first registration, six digits.
    #[must_use]
    pub fn division(&self) -> Division {
        Division::parse(&self.expose()[..6]).expect("six digits: checked in ResidentNumber::parse")
    }

    /// The 18 characters. Personal data: never for a log, a metric, an error or the ledger.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for ResidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResidentNumber(…)")
    }
}

impl std::str::FromStr for ResidentNumber {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ResidentNumber {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

/// Year, month and day in characters 6 to 13, when they are a date somebody can be born on.
pub(super) fn birth_date(text: &str) -> Option<(u32, u32, u32)> {
    let number = |range| {
        let digits: &str = text.get(range)?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (year, month, day) = (number(6..10)?, number(10..12)?, number(12..14)?);
    let in_range = (BIRTH_YEAR_MIN..=BIRTH_YEAR_MAX).contains(&year);
    // `Day` begins in 1970 and people do not; the calendar repeats every 400 years.
    let counted = if year < 1970 { year + 400 } else { year };
    let real = in_range && Day::from_ymd(counted, month, day).is_some();
    real.then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id6_a_birth_date_is_a_real_date() {
        let check = |date: &str| birth_date(&format!("319901{date}0000")).is_some();
        for real in ["19491231", "20000229", "20240229", "18000101", "21991231"] {
            assert!(check(real), "{real}");
        }
        for unreal in [
            "19000229", "20230229", "20260431", "20261301", "20260001", "20260100", "17991231", "22000101", "+9900101",
            "1990+1+1",
        ] {
            assert!(!check(unreal), "{unreal}");
        }
    }
}
