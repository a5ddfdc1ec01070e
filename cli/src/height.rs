//! Heights as people give them: `4096`, or `+50` for so many above the newest.

use std::str::FromStr;

use anyhow::Result;
use fengni_core::Height;

use crate::connect::Connection;

/// A height, given as such or from the newest on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeightArg {
    /// This height.
    At(u64),
    /// So many above the newest final one.
    Above(u64),
}

impl FromStr for HeightArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| match digits.parse() {
            Ok(number) if digits.starts_with(|first: char| first.is_ascii_digit()) => Ok(number),
            _ => Err(format!("{text} is no height such as 4096 or +50")),
        };
        match text.strip_prefix('+') {
            Some(digits) => number(digits).map(Self::Above),
            None => number(text).map(Self::At),
        }
    }
}

impl HeightArg {
    /// The height that is meant now.
    pub(crate) fn resolve(self, connection: &mut Connection) -> Result<Height> {
        Ok(match self {
            Self::At(height) => Height(height),
            Self::Above(more) => Height(connection.ledger.sync()?.value.height.0.saturating_add(more)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_height_is_given_as_such_or_from_the_newest_on() {
        for (text, height) in [("0", HeightArg::At(0)), ("4096", HeightArg::At(4096)), ("+50", HeightArg::Above(50))] {
            assert_eq!(text.parse(), Ok(height));
        }
        for text in ["", "+", "++5", "-1", "1.5", "five"] {
            assert!(text.parse::<HeightArg>().is_err(), "{text}");
        }
    }
}
