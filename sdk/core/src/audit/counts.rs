//! What the entries at the edges of a time say of all that lies between them.
//!
//! ```text
//! seal 17 | seal 18 ... seal 40 | seal 41      four seals and the record prove how many there are
//! before  |       the time      | after
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Heights;
use crate::book::Book;
use crate::number::{ActNumber, BookNumber, Height, SealNumber};
use crate::proof::{Place, ProofError, Proven};

/// How many seals, lines and acts a book has of a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// Numbers of the seals: the first, and the one after the last.
    pub seals: Range<u64>,
    /// Numbers of the lines.
    pub lines: Range<u64>,
    /// Numbers of the acts.
    pub acts: Range<u64>,
}

/// Why proven entries do not say how many there are.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CountsError {
    /// Not even the book's record was proven.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// An entry at an edge of the time was not given.
    #[error("{0} was not given, which shows where the time begins or ends")]
    Edge(Place),
}

impl Counts {
    /// Rule U-6: the entries that prove the counts of a time, whose seals and acts have these numbers.
    pub fn places(book: BookNumber, record: &Book, seals: &Range<u64>, acts: &Range<u64>) -> Vec<Place> {
        let seals = edges(seals, record.seals.size).map(|number| Place::Seal(book, SealNumber(number)));
        let acts = edges(acts, record.acts.size).map(|number| Place::Act(book, ActNumber(number)));
        seals.chain(acts).collect()
    }

    /// Rule U-6: the counts of a time, from the entries at its edges.
    ///
    /// # Errors
    /// [`CountsError`].
    pub fn read(proven: &Proven, book: BookNumber, heights: Heights) -> Result<Self, CountsError> {
        let record: Book = proven.record(book.0)?;
        let (mut seals, mut acts) = (BTreeMap::new(), BTreeMap::new());
        for place in proven.places() {
            match *place {
                Place::Seal(of, number) if of == book => {
                    let seal = proven.seal(of, number)?;
                    seals.insert(number.0, (seal.height, seal.first.0.saturating_add(u64::from(seal.count))));
                }
                Place::Act(of, number) if of == book => {
                    acts.insert(number.0, (proven.act(of, number)?.height, 0));
                }
                _ => (),
            }
        }
        let seal_numbers = between(&seals, record.seals.size, heights)
            .map_err(|number| CountsError::Edge(Place::Seal(book, SealNumber(number))))?;
        let acts = between(&acts, record.acts.size, heights)
            .map_err(|number| CountsError::Edge(Place::Act(book, ActNumber(number))))?;
        // Where a seal ends, the next begins (B-5).
        let end = |number: u64| number.checked_sub(1).and_then(|last| seals.get(&last)).map_or(0, |(_, end)| *end);
        let lines = end(seal_numbers.start)..end(seal_numbers.end);
        Ok(Self { seals: seal_numbers, lines, acts })
    }
}

/// The entries on both sides of both ends of a run, as far as the list has them.
fn edges(run: &Range<u64>, size: u64) -> impl Iterator<Item = u64> + use<> {
    let sides = [run.start.checked_sub(1), Some(run.start), run.end.checked_sub(1), Some(run.end)];
    let mut sides: Vec<u64> = sides.into_iter().flatten().filter(|number| *number < size).collect();
    sides.sort_unstable();
    sides.dedup();
    sides.into_iter()
}

/// The run of the entries whose heights are among these; the number that is missing to tell.
pub(crate) fn between(given: &BTreeMap<u64, (Height, u64)>, size: u64, heights: Heights) -> Result<Range<u64>, u64> {
    let below = |is: &dyn Fn(Height) -> bool| {
        let last = given.iter().filter(|(_, (height, _))| is(*height)).map(|(number, _)| number + 1).max();
        let first = last.unwrap_or(0);
        // The next one, which is not among them, shows that the run ends here; or there is none.
        let ended = first == size || given.get(&first).is_some_and(|(height, _)| !is(*height));
        if ended { Ok(first) } else { Err(first) }
    };
    let start = below(&|height| height < heights.from)?;
    let end = below(&|height| height <= heights.to)?;
    Ok(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u6_edges_that_are_missing_are_named() {
        let given = |entries: &[(u64, u64)]| {
            entries.iter().map(|(number, height)| (*number, (Height(*height), 0))).collect::<BTreeMap<_, _>>()
        };
        let march = Heights { from: Height(10), to: Height(20) };
        let whole = [(2, 9), (3, 10), (7, 20), (8, 21)];
        assert_eq!(between(&given(&whole), 12, march), Ok(3..8));
        assert_eq!(between(&given(&[(2, 9), (3, 21)]), 12, march), Ok(3..3));
        assert_eq!(between(&given(&[]), 0, march), Ok(0..0));
        assert_eq!(between(&given(&[(0, 12), (4, 13)]), 5, march), Ok(0..5));
        for (left_out, missing) in [(3, 3), (8, 8)] {
            let rest: Vec<_> = whole.into_iter().filter(|(number, _)| *number != left_out).collect();
            assert_eq!(between(&given(&rest), 12, march), Err(missing));
        }
        // Without the last of the time, the run would seem to end earlier; nothing shows that it does.
        assert_eq!(between(&given(&[(2, 9), (3, 10), (8, 21)]), 12, march), Err(4));
    }

    #[test]
    fn edges_are_the_entries_on_both_sides() {
        let edges = |run: Range<u64>, size| edges(&run, size).collect::<Vec<_>>();
        assert_eq!(edges(3..8, 12), [2, 3, 7, 8]);
        assert_eq!(edges(0..5, 5), [0, 4]);
        assert_eq!(edges(3..3, 12), [2, 3]);
        assert_eq!(edges(0..0, 0), [] as [u64; 0]);
    }
}
