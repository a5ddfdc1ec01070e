//! Values: text of a database, compared as what its column holds.

use std::cmp::Ordering;

use fengni_core::Day;
use rust_decimal::Decimal;
use serde::Deserialize;
use thiserror::Error;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Text: alike or not, character by character.
    #[default]
    Text,
    /// Decimal numbers: 36 and 36.0 are alike.
    Number,
    /// Days, as `2026-03-09`.
    Date,
}

/// Why values are not compared. Repeats neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum ValueError {
    /// The value that was asked about is none of this kind, or text is asked for its order.
    #[error("the value asked about does not suit the field")]
    Asked,
    /// The database holds something else than the configuration says.
    #[error("a column does not hold what provider.toml says; next: see its kind")]
    Held,
}

impl Kind {
    /// How a value of the database stands to one that was asked about; `None` for text that differs.
    ///
    /// # Errors
    /// [`ValueError`].
    pub(crate) fn compare(self, held: &str, asked: &str) -> Result<Option<Ordering>, ValueError> {
        fn both<T: Ord>(held: Option<T>, asked: Option<T>) -> Result<Option<Ordering>, ValueError> {
            let asked = asked.ok_or(ValueError::Asked)?;
            Ok(Some(held.ok_or(ValueError::Held)?.cmp(&asked)))
        }
        match self {
            Self::Text => Ok((held == asked).then_some(Ordering::Equal)),
            Self::Number => both(number(held), number(asked)),
            Self::Date => both(Day::parse(held), Day::parse(asked)),
        }
    }

    /// Whether a value that is asked about suits the kind.
    ///
    /// - `ordered`: whether it is asked for more than being alike.
    ///
    /// # Errors
    /// [`ValueError::Asked`].
    pub(crate) fn check(self, asked: &str, ordered: bool) -> Result<(), ValueError> {
        let suits = match self {
            Self::Text => !ordered,
            Self::Number => number(asked).is_some(),
            Self::Date => Day::parse(asked).is_some(),
        };
        if suits { Ok(()) } else { Err(ValueError::Asked) }
    }
}

fn number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_as_what_they_are() {
        let cases = [
            (Kind::Number, "36", "36.0", Ok(Some(Ordering::Equal))),
            (Kind::Number, "9", "36", Ok(Some(Ordering::Less))),
            (Kind::Number, "0.1", "0.10000000000000000000000001", Ok(Some(Ordering::Less))),
            (Kind::Number, "-1", "0", Ok(Some(Ordering::Less))),
            (Kind::Number, "36", "many", Err(ValueError::Asked)),
            (Kind::Number, "many", "36", Err(ValueError::Held)),
            (Kind::Date, "2026-03-09", "2026-02-28", Ok(Some(Ordering::Greater))),
            (Kind::Date, "2026-03-09", "2026-02-30", Err(ValueError::Asked)),
            (Kind::Text, "甲", "甲", Ok(Some(Ordering::Equal))),
            (Kind::Text, "9", "36", Ok(None)),
        ];
        for (kind, held, asked, expected) in cases {
            assert_eq!(kind.compare(held, asked), expected, "{kind:?} {held} {asked}");
        }
        assert_eq!(Kind::Text.check("a", true), Err(ValueError::Asked), "text has no order that a law means");
        assert_eq!((Kind::Text.check("a", false), Kind::Number.check("1.5", true)), (Ok(()), Ok(())));
    }
}
