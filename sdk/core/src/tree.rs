//! Trees over entries that are all at hand: lines of a page, claims, transactions.
//!
//! Built by rs_merkle with our hasher, whose leaves and inner nodes carry different tags. Checking
//! never uses that crate: [`crate::list::fold_path`] and [`fold_subset`] are exact.

use rs_merkle::{Hasher, MerkleTree};
use thiserror::Error;

use crate::digest::{Digest, Suite};

/// Our hashing under rs_merkle: the suite is a type there, so each suite has its hasher.
#[derive(Clone)]
struct StandardHasher;

impl Hasher for StandardHasher {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        Suite::Standard.leaf(data).0
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| Suite::Standard.node(&Digest(*left), &Digest(*right)).0)
    }
}

#[cfg(any(test, feature = "trial-suite"))]
#[derive(Clone)]
struct TrialHasher;

#[cfg(any(test, feature = "trial-suite"))]
impl Hasher for TrialHasher {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        Suite::Trial.leaf(data).0
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| Suite::Trial.node(&Digest(*left), &Digest(*right)).0)
    }
}

/// Root of a tree over leaf digests; of none, the hash of nothing.
pub fn root(suite: Suite, leaves: &[Digest]) -> Digest {
    fn of<H: Hasher<Hash = [u8; 32]>>(leaves: &[Digest]) -> Option<Digest> {
        let leaves: Vec<[u8; 32]> = leaves.iter().map(|leaf| leaf.0).collect();
        MerkleTree::<H>::from_leaves(&leaves).root().map(Digest)
    }
    let root = match suite {
        Suite::Standard => of::<StandardHasher>(leaves),
        #[cfg(any(test, feature = "trial-suite"))]
        Suite::Trial => of::<TrialHasher>(leaves),
    };
    root.unwrap_or_else(|| suite.hash(&[]))
}

/// Path from leaf `number` to the root, leaf side first.
pub fn path(suite: Suite, leaves: &[Digest], number: usize) -> Option<Vec<Digest>> {
    paths(suite, leaves, &[number])?.pop()
}

/// Paths from leaves to the root, each leaf side first: the tree is built once for all of them. `None`
/// where a number is not below the number of leaves.
pub fn paths(suite: Suite, leaves: &[Digest], numbers: &[usize]) -> Option<Vec<Vec<Digest>>> {
    fn of<H: Hasher<Hash = [u8; 32]>>(leaves: &[Digest], numbers: &[usize]) -> Vec<Vec<Digest>> {
        let leaves: Vec<[u8; 32]> = leaves.iter().map(|leaf| leaf.0).collect();
        let tree = MerkleTree::<H>::from_leaves(&leaves);
        let path = |number: &usize| tree.proof(&[*number]).proof_hashes().iter().map(|hash| Digest(*hash)).collect();
        numbers.iter().map(path).collect()
    }
    if numbers.iter().any(|number| *number >= leaves.len()) {
        return None;
    }
    Some(match suite {
        Suite::Standard => of::<StandardHasher>(leaves, numbers),
        #[cfg(any(test, feature = "trial-suite"))]
        Suite::Trial => of::<TrialHasher>(leaves, numbers),
    })
}

/// Root of a tree over all its leaf digests, for checking: as [`root`], and by our own routine alone.
pub fn fold_all(suite: Suite, leaves: &[Digest]) -> Digest {
    let disclosed: Vec<(usize, Digest)> = leaves.iter().copied().enumerate().collect();
    fold_subset(suite, leaves.len(), &disclosed, &[]).unwrap_or_else(|_| suite.hash(&[]))
}

/// Peaks of a tree: roots of its complete subtrees, left to right, the largest first. Rule L-6.
pub fn peaks(suite: Suite, leaves: &[Digest]) -> Vec<Digest> {
    let mut rest = leaves;
    let mut peaks = Vec::new();
    while !rest.is_empty() {
        let (peak, after) = rest.split_at(1 << rest.len().ilog2());
        peaks.push(root(suite, peak));
        rest = after;
    }
    peaks
}

/// Root of a tree from its peaks, left to right; `None` of none. Rule L-6.
pub fn fold_peaks(suite: Suite, peaks: &[Digest]) -> Option<Digest> {
    peaks.iter().rev().copied().reduce(|right, left| suite.node(&left, &right))
}

/// The peak over leaf `number` of a tree of `size` leaves: its place among the peaks, its first
/// leaf, and its depth. Rule L-6.
pub fn peak_over(number: u64, size: u64) -> Option<(usize, u64, u32)> {
    let (mut place, mut first, mut rest) = (0, 0, size);
    while rest > 0 {
        let depth = rest.ilog2();
        if number < first + (1 << depth) {
            return Some((place, first, depth)).filter(|_| number >= first);
        }
        (place, first, rest) = (place + 1, first + (1 << depth), rest - (1 << depth));
    }
    None
}

/// Why a subset does not lead to a root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SubsetError {
    /// L-5: entries are not in rising order below the size, or there is none.
    #[error("disclosed entries are not in rising order below the size")]
    Order,
    /// L-5: more or fewer siblings than the places call for.
    #[error("the siblings do not fit the disclosed entries")]
    Siblings,
}

/// The sibling digests that lead from the wanted leaves to the root, left to right and depth
/// first; `None` where a wanted number is not below the number of leaves. Rule L-5.
pub fn subset_siblings(suite: Suite, leaves: &[Digest], wanted: &[usize]) -> Option<Vec<Digest>> {
    if wanted.iter().any(|&number| number >= leaves.len()) {
        return None;
    }
    let mut siblings = Vec::new();
    collect(suite, leaves, 0, wanted, &mut siblings);
    Some(siblings)
}

fn collect(suite: Suite, leaves: &[Digest], from: usize, wanted: &[usize], siblings: &mut Vec<Digest>) {
    let inside = |number: &&usize| (from..from + leaves.len()).contains(*number);
    if !wanted.iter().any(|number| inside(&number)) {
        siblings.push(root(suite, leaves));
    } else if leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        collect(suite, left, from, wanted, siblings);
        collect(suite, right, from + left.len(), wanted, siblings);
    }
}

/// Folds disclosed leaves and their siblings up to the root of a tree of `size` leaves.
///
/// - `disclosed`: (number, leaf digest), numbers rising.
/// - `siblings`: as [`subset_siblings`] gives them.
///
/// # Errors
/// [`SubsetError`] unless every digest is used exactly once.
///
/// # Source
/// `sdk/spec/lists.md`, rule L-5.
pub fn fold_subset(
    suite: Suite,
    size: usize,
    disclosed: &[(usize, Digest)],
    siblings: &[Digest],
) -> Result<Digest, SubsetError> {
    let rising = disclosed.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if !rising || disclosed.last().is_none_or(|last| last.0 >= size) {
        return Err(SubsetError::Order);
    }
    let mut siblings = siblings.iter();
    let digest = fold_range(suite, 0, size, disclosed, &mut siblings)?;
    if siblings.next().is_some() { Err(SubsetError::Siblings) } else { Ok(digest) }
}

fn fold_range(
    suite: Suite,
    from: usize,
    size: usize,
    disclosed: &[(usize, Digest)],
    siblings: &mut std::slice::Iter<'_, Digest>,
) -> Result<Digest, SubsetError> {
    match disclosed {
        [] => siblings.next().copied().ok_or(SubsetError::Siblings),
        [(_, leaf)] if size == 1 => Ok(*leaf),
        _ => {
            let middle = split(size);
            let cut = disclosed.partition_point(|(number, _)| *number < from + middle);
            let left = fold_range(suite, from, middle, &disclosed[..cut], siblings)?;
            let right = fold_range(suite, from + middle, size - middle, &disclosed[cut..], siblings)?;
            Ok(suite.node(&left, &right))
        }
    }
}

/// The largest power of two below `size`: where RFC 9162 splits a tree of more than one leaf.
fn split(size: usize) -> usize {
    // Without an overflow for any size, because a size may come from a stranger.
    1 << (size - 1).ilog2()
}
