//! Audits: whether a book shows everything that its record counts, and nothing else.
//!
//! ```text
//! quorum -> state root -> book record: so many lines, seals, acts
//! seal 0, 1, 2, ...   each begins where the one before ended, heights never fall
//! act  0, 1, 2, ...   each names the one before on its line
//! page 0, 1, 2, ...   all lines give the root; the heads name the last act of each line, whose
//!                     standing is the one on record
//! ```
//!
//! Whoever asks feeds proven entries in the order of their numbers, and says which it could not
//! get. What was left out, moved or does not fit is a [`Defect`] with its place, not an error. A time
//! of the book is audited with the entries beside it, which show that nothing of that time lies
//! outside. Memory is a few bytes for every line on which something was done. Rules U-1 to U-6:
//! `sdk/spec/audits.md`.

mod book;
mod counts;
mod defect;

pub use book::{Audited, BookAudit, Heights};
pub(crate) use counts::between;
pub use counts::{Counts, CountsError};
pub use defect::Defect;
