//! Which lines of a book a key has sealed: seal by seal, or as a whole where there are too many. Rule O-15.

use fengni_core::book::Seal;
use fengni_core::{Height, KeyNumber, LineNumber};

use crate::records::partition;

/// A search for the lines that a key sealed, book after book, within bounds.
pub(crate) struct Search {
    /// The key.
    pub(crate) key: KeyNumber,
    /// The first height in question.
    pub(crate) from: Height,
    /// The last, if the key had ended: what it sealed later was suspended when its end was moved back.
    pub(crate) until: Option<Height>,
    /// How many seals may still be read.
    pub(crate) left: u64,
    /// How many seals a book with any in question counts as besides.
    pub(crate) book: u64,
}

impl Search {
    /// Runs of a book's lines that the key sealed at the heights in question, from first to last.
    ///
    /// Where more would have to be read than is left, all lines of these heights count as the
    /// key's, so that no revocation holds a block up.
    ///
    /// - `count`: how many seals the book has; `seal` gives each of them.
    pub(crate) fn runs(&mut self, count: u64, seal: impl Fn(u64) -> Seal) -> Vec<(LineNumber, LineNumber)> {
        let first = partition(count, |number| seal(number).height >= self.from);
        let end = match self.until {
            Some(until) => partition(count, |number| seal(number).height > until),
            None => count,
        };
        if first >= end {
            return Vec::new();
        }
        match self.left.checked_sub(self.book + (end - first)) {
            Some(left) => {
                self.left = left;
                let by_key = (first..end).map(seal).filter(|seal| seal.keys.contains(&self.key));
                by_key.map(|seal| (seal.first, last_line(&seal))).collect()
            }
            None => vec![(seal(first).first, last_line(&seal(end - 1)))],
        }
    }
}

fn last_line(seal: &Seal) -> LineNumber {
    LineNumber(seal.first.0 + u64::from(seal.count) - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A seal as the model knows it: how many heights after the one before, lines, keys.
    type Sealed = (u64, u32, Vec<u16>);

    fn seals(sealed: &[Sealed]) -> Vec<Seal> {
        let (mut line, mut height) = (0, 1);
        let one = |(step, count, keys): &Sealed| {
            let first = LineNumber(line);
            (line, height) = (line + u64::from(*count), height + step);
            Seal { first, count: *count, height: Height(height), keys: keys.iter().copied().map(KeyNumber).collect() }
        };
        sealed.iter().map(one).collect()
    }

    /// A second author's search: walks through every line, and counts on paper.
    fn model(books: &[Vec<Seal>], key: u16, heights: (u64, u64), mut left: i64, book: i64) -> Vec<BTreeSet<u64>> {
        let mut found = Vec::new();
        for seals in books {
            let (mut in_question, mut by_key, mut cost) = (BTreeSet::new(), BTreeSet::new(), book);
            for seal in seals {
                if seal.height.0 < heights.0 || heights.1 < seal.height.0 {
                    continue;
                }
                cost += 1;
                for place in 0..u64::from(seal.count) {
                    in_question.insert(seal.first.0 + place);
                    if seal.keys.iter().any(|other| other.0 == key) {
                        by_key.insert(seal.first.0 + place);
                    }
                }
            }
            if in_question.is_empty() || cost > left {
                found.push(in_question);
            } else {
                left -= cost;
                found.push(by_key);
            }
        }
        found
    }

    proptest! {
        #[test]
        fn o15_a_search_finds_what_a_plain_walk_finds(
            books in prop::collection::vec(
                prop::collection::vec((0u64..3, 1u32..5, prop::collection::btree_set(4u16..7, 1..3)), 0..9),
                0..7,
            ),
            (from, until) in (1u64..16, prop::option::of(0u64..16)),
            (left, book) in (0u64..24, 0u64..5),
        ) {
            let sealed = |(step, count, keys): &(u64, u32, BTreeSet<u16>)| (*step, *count, keys.iter().copied().collect());
            let books: Vec<Vec<Seal>> =
                books.iter().map(|book| seals(&book.iter().map(sealed).collect::<Vec<Sealed>>())).collect();
            let expected = model(&books, 5, (from, until.unwrap_or(u64::MAX)), left as i64, book as i64);
            let mut search = Search { key: KeyNumber(5), from: Height(from), until: until.map(Height), left, book };
            for (seals, expected) in books.iter().zip(expected) {
                let runs = search.runs(seals.len() as u64, |number| seals[usize::try_from(number).expect("few seals")].clone());
                let lines: BTreeSet<u64> = runs.iter().flat_map(|(first, last)| first.0..=last.0).collect();
                prop_assert_eq!(lines, expected);
            }
        }
    }
}
