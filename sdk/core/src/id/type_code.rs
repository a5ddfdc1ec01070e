//! Type codes: which kind of certificate, and who defined it.

use serde::{Deserialize, Serialize};

use super::credit::{CREDIT_LEN, CreditCode};
use super::error::{IdError, Part};
use super::text::{Ascii, check_characters, is_digit_or_capital, text_conversions, text_display};

/// Characters in a type code.
pub(super) const TYPE_LEN: usize = 21;

/// A type code (证照类型代码): credit code of the defining body and 3 digits.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-8; GB/T 36904-2018.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypeCode(Ascii<TYPE_LEN>);

text_conversions!(TypeCode);
text_display!(TypeCode);

impl TypeCode {
    /// Reads a type code.
    ///
    /// # Errors
    /// [`IdError::Character`], [`IdError::Length`], or what [`CreditCode::parse`] refuses.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_shape(text)?;
        CreditCode::parse(&text[..CREDIT_LEN])?;
        Ok(Self(Ascii::new(text).expect("21 ASCII characters: checked in check_shape")))
    }

    /// The 21 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The body that defined the type.
    #[must_use]
    pub fn definer(&self) -> CreditCode {
        CreditCode::parse(&self.as_str()[..CREDIT_LEN]).expect("a credit code: checked in TypeCode::parse")
    }

    /// The three digits by which the defining body tells its types apart.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.as_str()[CREDIT_LEN..]
    }
}

/// Characters and length of a type code, before any check character is computed.
pub(super) fn check_shape(text: &str) -> Result<(), IdError> {
    check_characters(text, "a digit or a capital", is_digit_or_capital)?;
    if text.len() != TYPE_LEN {
        return Err(IdError::Length { of: Part::TypeCode, found: text.len(), expected: "21" });
    }
    check_characters(&text[CREDIT_LEN..], "a digit", |found| found.is_ascii_digit())
        .map_err(|error| error.shifted(CREDIT_LEN))
}
