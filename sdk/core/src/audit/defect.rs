//! What is missing in a book, or does not fit.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::number::{ActNumber, Height, LineNumber, PageNumber};
use crate::proof::Place;

/// What is missing in a book, or does not fit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "defect", rename_all = "kebab-case")]
pub enum Defect {
    /// An entry that the record counts was not given, or not as it is.
    Withheld {
        /// The entry.
        #[serde(serialize_with = "as_text")]
        place: Place,
    },
    /// The lines of a page were not given, or are not those of its root.
    Lines {
        /// The page.
        page: PageNumber,
    },
    /// Entries were given in another order than that of their numbers, or one was left out.
    Order {
        /// The entry that was to come.
        #[serde(serialize_with = "as_text")]
        expected: Place,
        /// The entry that came.
        #[serde(serialize_with = "as_text")]
        found: Place,
    },
    /// A seal does not begin where the one before ended.
    SealBegins {
        /// The seal.
        #[serde(serialize_with = "as_text")]
        place: Place,
        /// Where it was to begin.
        expected: LineNumber,
        /// Where it begins.
        found: LineNumber,
    },
    /// An entry is older than the one before it.
    Falls {
        /// The entry.
        #[serde(serialize_with = "as_text")]
        place: Place,
        /// Its height.
        found: Height,
        /// That of the entry before.
        before: Height,
    },
    /// An act is on a line that the book does not have.
    NoLine {
        /// The act.
        act: ActNumber,
        /// The line.
        line: LineNumber,
    },
    /// An act does not name the act before it on its line.
    Chain {
        /// The act.
        act: ActNumber,
        /// The act before it.
        expected: Option<ActNumber>,
        /// The act it names.
        found: Option<ActNumber>,
    },
    /// An act does not begin where the one before it on its line ended.
    Begins {
        /// The act.
        act: ActNumber,
    },
    /// A page counts another number of lines than the book's record gives it.
    PageLines {
        /// The page.
        page: PageNumber,
        /// By the book.
        expected: u64,
        /// By the page.
        found: u64,
    },
    /// The heads of a page do not name the last act of a line.
    Head {
        /// The line.
        line: LineNumber,
        /// Its last act among those that were given.
        expected: Option<ActNumber>,
        /// The act that the heads name.
        found: Option<ActNumber>,
    },
    /// The standing on record is not the one that the last act left.
    Standing {
        /// The line.
        line: LineNumber,
        /// The act.
        act: ActNumber,
    },
    /// Seals add up to another number of lines than the book's record counts.
    Sum {
        /// By the record.
        expected: u64,
        /// By the seals.
        found: u64,
    },
    /// The entry beside the time that was asked for was not given: more of that time may lie there.
    Border {
        /// The entry.
        #[serde(serialize_with = "as_text")]
        place: Place,
    },
}

fn as_text<S: Serializer>(place: &Place, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(place)
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let act =
            |number: &Option<ActNumber>| number.map_or_else(|| "none".to_owned(), |number| format!("act {number}"));
        match self {
            Self::Withheld { place } => write!(f, "{} is withheld or altered", named(*place)),
            Self::Lines { page } => write!(f, "the lines of page {page} are withheld or altered"),
            Self::Order { expected, found } => {
                write!(f, "{} is missing: {} came in its place", named(*expected), named(*found))
            }
            Self::SealBegins { place, expected, found } => {
                write!(f, "{} begins at line {found}, the one before ended before line {expected}", named(*place))
            }
            Self::Falls { place, found, before } => {
                write!(f, "{} is of height {found}, the one before of height {before}", named(*place))
            }
            Self::NoLine { act, line } => write!(f, "act {act} is on line {line}, which the book does not have"),
            Self::Chain { act: number, expected, found } => {
                write!(
                    f,
                    "act {number} names {} as the one before on its line, and it is {}",
                    act(found),
                    act(expected)
                )
            }
            Self::Begins { act } => write!(f, "act {act} does not begin where the one before on its line ended"),
            Self::PageLines { page, expected, found } => {
                write!(f, "page {page} has {found} lines, the book's record gives it {expected}")
            }
            Self::Head { line, expected, found } => {
                write!(f, "the heads name {} as the last act on line {line}, and it is {}", act(found), act(expected))
            }
            Self::Standing { line, act } => {
                write!(f, "the standing of line {line} is not the one that act {act} left")
            }
            Self::Sum { expected, found } => {
                write!(f, "seals add up to {found} lines, the book's record counts {expected}")
            }
            Self::Border { place } => {
                write!(f, "{} was not given, which shows where the time asked for begins or ends", named(*place))
            }
        }
    }
}

/// An entry of the book in words.
fn named(place: Place) -> String {
    match place {
        Place::Record(shelf, number) => format!("record {}/{number}", shelf.name()),
        Place::Page(_, page) => format!("page {page}"),
        Place::Seal(_, seal) => format!("seal {seal}"),
        Place::Act(_, act) => format!("act {act}"),
        Place::Heads(_, page) => format!("the list of heads of page {page}"),
        Place::Line(_, line) => format!("line {line}"),
    }
}
