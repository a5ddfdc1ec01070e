//! Short ASCII text held in place, and the conversions every code shares.

use std::fmt;

use super::error::IdError;

/// At most `MAX` ASCII characters, without a heap allocation. Orders as its text does.
// Unused bytes are zero, which sorts before every character a code may hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ascii<const MAX: usize> {
    bytes: [u8; MAX],
    len: u8,
}

impl<const MAX: usize> Ascii<MAX> {
    /// Holds `text` when it is ASCII and at most `MAX` (and 255) long.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let len = u8::try_from(text.len()).ok()?;
        text.is_ascii().then_some(Self { bytes, len })
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        let held = self.bytes.get(..usize::from(self.len));
        held.and_then(|held| std::str::from_utf8(held).ok()).expect("a prefix of ASCII bytes: checked in Ascii::new")
    }
}

impl<const MAX: usize> fmt::Debug for Ascii<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Rule ID-1: refuses the first character that `allowed` does not admit.
pub(super) fn check_characters(
    text: &str,
    expected: &'static str,
    allowed: impl Fn(char) -> bool,
) -> Result<(), IdError> {
    match text.chars().enumerate().find(|(_, found)| !allowed(*found)) {
        Some((at, found)) => Err(IdError::Character { at, found, expected }),
        None => Ok(()),
    }
}

/// Digits and capitals, the alphabet of serials.
pub(super) fn is_digit_or_capital(found: char) -> bool {
    found.is_ascii_digit() || found.is_ascii_uppercase()
}

/// Gives a code its text conversions, all through `parse`: `FromStr`, `TryFrom<String>` (for
/// serde) and `Into<String>`.
macro_rules! text_conversions {
    ($code:ty) => {
        impl std::str::FromStr for $code {
            type Err = crate::id::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $code {
            type Error = crate::id::IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$code> for String {
            fn from(code: $code) -> Self {
                code.to_string()
            }
        }

        crate::codec::encoded_as!($code, String);
    };
}

/// Shows a code that is held as one text.
macro_rules! text_display {
    ($code:ty) => {
        impl std::fmt::Display for $code {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(super) use {text_conversions, text_display};
