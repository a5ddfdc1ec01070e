//! The numbered list: the only authenticated structure of the ledger.
//!
//! Entries 0, 1, 2, ... without gaps, as a tree of RFC 9162 shape. Whoever holds all entries
//! recomputes the digest (complete); whoever holds one proves it by a path (included). The digest
//! binds what the list is of, how many entries it has, and their root. Rules L-1 to L-5:
//! `sdk/spec/lists.md`.

use rpds::VectorSync;
use thiserror::Error;

use crate::digest::{Digest, Domain, Suite};
use crate::limits::PATH_DEPTH;

/// What a list is of. Numbers are permanent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ListKind {
    /// Shelf digests: its digest is the state root.
    State = 1,
    /// Records of one registry.
    Shelf = 2,
    /// Page records of a book.
    Pages = 3,
    /// Seals of a book.
    Seals = 4,
    /// Acts of a book.
    Acts = 5,
    /// Act heads of a book, an entry a page.
    Heads = 6,
    /// Transactions of a block.
    Transactions = 7,
    /// Outcomes of a block.
    Outcomes = 8,
    /// Claims of a certificate.
    Claims = 9,
    /// Validators of a set.
    Validators = 10,
    /// Receipts of a batch.
    Receipts = 11,
}

/// Rule L-2: the digest of a list, which binds kind, size and root.
pub fn list_digest(domain: &Domain, kind: ListKind, size: u64, root: &Digest) -> Digest {
    domain.digest("list", &[&[kind as u8], &size.to_be_bytes(), &root.0])
}

/// A list that grows and changes in O(log n), and whose copies share what they have in common.
///
/// Level 0 holds the leaf digests; an entry of level k+1 covers two of level k, and a lone left
/// child passes up unchanged, which gives the shape of RFC 9162.
#[derive(Clone)]
pub struct NumberedList {
    suite: Suite,
    kind: ListKind,
    levels: Vec<VectorSync<Digest>>,
}

impl NumberedList {
    /// An empty list.
    pub fn new(suite: Suite, kind: ListKind) -> Self {
        Self { suite, kind, levels: vec![VectorSync::new_sync()] }
    }

    /// How many entries.
    pub fn len(&self) -> u64 {
        self.levels[0].len() as u64
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.levels[0].is_empty()
    }

    /// Adds an entry at the end and returns its number.
    pub fn append(&mut self, entry: &[u8]) -> u64 {
        let number = self.levels[0].len();
        self.levels[0].push_back_mut(self.suite.leaf(entry));
        self.rehash(number);
        number as u64
    }

    /// Puts another entry in the place of an existing one.
    ///
    /// # Panics
    /// When there is no entry `number`: callers hold the record they replace.
    pub fn replace(&mut self, number: u64, entry: &[u8]) {
        let number = usize::try_from(number).expect("a list in memory has fewer than 2^64 entries");
        assert!(self.levels[0].set_mut(number, self.suite.leaf(entry)), "an existing entry is replaced");
        self.rehash(number);
    }

    /// Recomputes the nodes above one leaf.
    fn rehash(&mut self, leaf: usize) {
        let mut place = leaf;
        let mut level = 0;
        while self.levels[level].len() > 1 {
            place /= 2;
            let below = &self.levels[level];
            let left = below[2 * place];
            let node = below.get(2 * place + 1).map_or(left, |right| self.suite.node(&left, right));
            if level + 1 == self.levels.len() {
                self.levels.push(VectorSync::new_sync());
            }
            let above = &mut self.levels[level + 1];
            if place < above.len() {
                above.set_mut(place, node);
            } else {
                // A level that begins late: its first node covers what stood alone until now.
                above.push_back_mut(node);
            }
            level += 1;
        }
    }

    /// Root of the tree; of no entries, the hash of nothing.
    pub fn root(&self) -> Digest {
        let top = self.levels.last().expect("level 0 is always there");
        top.first().copied().unwrap_or_else(|| self.suite.hash(&[]))
    }

    /// Rule L-2: the list's digest.
    pub fn digest(&self, domain: &Domain) -> Digest {
        list_digest(domain, self.kind, self.len(), &self.root())
    }

    /// The sibling digests from entry `number` up to the root, leaf side first.
    pub fn path(&self, number: u64) -> Option<Vec<Digest>> {
        let mut place = usize::try_from(number).ok().filter(|&n| n < self.levels[0].len())?;
        let mut path = Vec::new();
        for level in &self.levels {
            if let Some(sibling) = level.get(place ^ 1) {
                path.push(*sibling);
            }
            place /= 2;
        }
        Some(path)
    }
}

/// A list that only grows, of which nothing is kept but what its digest follows from: a few hashes,
/// however long it is. Nobody proves an entry with it.
#[derive(Clone)]
pub struct Frontier {
    suite: Suite,
    kind: ListKind,
    size: u64,
    /// Roots of the complete subtrees, one for each bit of the size, the largest first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a list as it is now.
    pub fn of(list: &NumberedList) -> Self {
        let size = list.len();
        let peak = |level: usize| list.levels.get(level)?.get((list.levels[0].len() >> level).checked_sub(1)?).copied();
        let levels = (0..list.levels.len()).rev().filter(|level| size >> level & 1 == 1);
        Self { suite: list.suite, kind: list.kind, size, peaks: levels.filter_map(peak).collect() }
    }

    /// How many entries.
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Adds an entry at the end and returns its number.
    pub fn append(&mut self, entry: &[u8]) -> u64 {
        let mut root = self.suite.leaf(entry);
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each bit of the size");
            root = self.suite.node(&left, &root);
        }
        self.peaks.push(root);
        self.size += 1;
        self.size - 1
    }

    /// Root of the tree; of no entries, the hash of nothing.
    pub fn root(&self) -> Digest {
        let peaks = self.peaks.iter().rev().copied();
        peaks.reduce(|right, left| self.suite.node(&left, &right)).unwrap_or_else(|| self.suite.hash(&[]))
    }

    /// Rule L-2: the list's digest.
    pub fn digest(&self, domain: &Domain) -> Digest {
        list_digest(domain, self.kind, self.size, &self.root())
    }
}

/// Why a path does not lead from its entry to a root.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PathError {
    /// L-3: the entry's number is not below the list's size.
    #[error("entry {number} is not in a list of {size}")]
    Outside {
        /// The number claimed.
        number: u64,
        /// The size claimed.
        size: u64,
    },
    /// L-4: longer or shorter than the place calls for.
    #[error("a path of {found} hashes does not fit entry {number} of {size}")]
    Length {
        /// Hashes given.
        found: usize,
        /// The entry's number.
        number: u64,
        /// The list's size.
        size: u64,
    },
}

/// Folds an inclusion path from a leaf digest up to the root.
///
/// - `leaf`: digest from [`Suite::leaf`].
/// - `number`, `size`: the entry's place, from 0, and how many entries there are.
/// - `path`: sibling digests, leaf side first.
///
/// # Errors
/// [`PathError`] when the place is outside or the path has another length than it calls for.
///
/// # Source
/// `sdk/spec/lists.md`, rules L-3 and L-4; RFC 9162 section 2.1.3.2.
pub fn fold_path(suite: Suite, leaf: Digest, number: u64, size: u64, path: &[Digest]) -> Result<Digest, PathError> {
    if number >= size {
        return Err(PathError::Outside { number, size });
    }
    let wrong_length = PathError::Length { found: path.len(), number, size };
    if path.len() > PATH_DEPTH {
        return Err(wrong_length);
    }
    let mut place = number;
    let mut last = size - 1;
    let mut digest = leaf;
    for sibling in path {
        if last == 0 {
            return Err(wrong_length);
        }
        if place & 1 == 1 || place == last {
            digest = suite.node(sibling, &digest);
            // A lone left child has no sibling on these levels.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            digest = suite.node(&digest, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(digest) } else { Err(wrong_length) }
}
