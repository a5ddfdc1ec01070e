//! The way from a line to the root of its page, as long as a wallet knows it.

use super::cbor::{Reader, Writer, Wrong};
use crate::book::Line;
use crate::digest::{Digest, Domain};
use crate::limits::{PAGE_DEPTH, PAGE_LINES};
use crate::list::{PathError, fold_path};
use crate::number::LineNumber;

/// A path within a page, and how many lines the page had when it was made.
///
/// A page grows until it is full, so that a path is final only for a page of 1,024 lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PagePath {
    /// Lines on the page; 0 where no path is known.
    pub lines: u16,
    /// Sibling digests, line side first.
    pub hashes: Vec<Digest>,
}

/// How many CBOR entries a path takes in an array.
pub(crate) const PATH: usize = 2;

impl PagePath {
    /// No path: for a code that is only shown where there is a network.
    pub const UNKNOWN: Self = Self { lines: 0, hashes: Vec::new() };

    /// Whether there is a path.
    pub fn is_known(&self) -> bool {
        self.lines > 0
    }

    /// Whether the page cannot grow any more.
    pub fn is_final(&self) -> bool {
        u64::from(self.lines) == PAGE_LINES
    }

    /// Root of the page as this path has it.
    ///
    /// # Errors
    /// [`PathError`] where the path does not fit the line's place.
    pub fn root(&self, domain: &Domain, number: LineNumber, line: &Line) -> Result<Digest, PathError> {
        let place = u64::from(number.place());
        fold_path(domain.suite, line.digest(domain), place, u64::from(self.lines), &self.hashes)
    }

    pub(crate) fn write_entries(&self, writer: &mut Writer) {
        writer.uint(self.lines);
        writer.digests(&self.hashes);
    }

    pub(crate) fn read_entries(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let lines = reader.uint("lines of the page")?;
        let hashes = reader.digests("path", PAGE_DEPTH)?;
        if u64::from(lines) > PAGE_LINES || (lines == 0 && !hashes.is_empty()) {
            return Err(format!("no path of {} hashes is for a page of {lines} lines", hashes.len()));
        }
        Ok(Self { lines, hashes })
    }
}
