//! The way from a line to the root of its page, as long as a wallet knows it.

use super::cbor::{Reader, Writer, Wrong};
use crate::book::Line;
use crate::digest::{Digest, Domain};
use crate::limits::{PAGE_DEPTH, PAGE_LINES};
use crate::list::{PathError, fold_path};
use crate::number::LineNumber;
use crate::tree;

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

    /// The peak over the line in a page of `lines` lines, as this path has it, and which of the
    /// page's peaks it is; `None` where the path was made before the peak was complete.
    ///
    /// A page grows, but a complete part of it stays what it was: so a path from a shorter page
    /// leads to the peak as long as the part was complete then. Rule L-6.
    pub fn peak(&self, domain: &Domain, number: LineNumber, line: &Line, lines: u16) -> Option<(usize, Digest)> {
        let place = u64::from(number.place());
        let (peak, first, depth) = tree::peak_over(place, u64::from(lines))?;
        let complete = u64::from(self.lines) >= first + (1 << depth);
        let hashes = self.hashes.get(..depth as usize).filter(|_| complete)?;
        let fold = |(below, level): (Digest, u32), sibling: &Digest| {
            let is_right = place >> level & 1 == 1;
            let (left, right) = if is_right { (sibling, &below) } else { (&below, sibling) };
            (domain.suite.node(left, right), level + 1)
        };
        Some((peak, hashes.iter().fold((line.digest(domain), 0), fold).0))
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
