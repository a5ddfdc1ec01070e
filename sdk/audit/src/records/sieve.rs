//! A sieve of tags (Bloom filter): says at once that a tag is not there, which is the common answer.
//!
//! Its size is fixed, so that memory does not grow with the register: for some ten million tags it
//! spares nearly every look into the file, beyond that fewer and fewer. Tags are digests already, so
//! their own bytes choose the bits; who makes tags that share bits slows a replay down, no more.

use fengni_core::BookNumber;
use fengni_core::book::Tag;

/// 16 MiB of bits.
const WORDS: usize = 1 << 21;

/// Bits of the tags that are there.
pub(super) struct Sieve(Vec<u64>);

impl Sieve {
    /// Without any tag.
    pub(super) fn new() -> Self {
        Self(vec![0; WORDS])
    }

    /// Notes a tag.
    pub(super) fn add(&mut self, space: BookNumber, tag: &Tag) {
        for (word, bit) in places(space, tag) {
            self.0[word] |= bit;
        }
    }

    /// Whether a tag may be there; where not, it is not.
    pub(super) fn may_have(&self, space: BookNumber, tag: &Tag) -> bool {
        places(space, tag).iter().all(|(word, bit)| self.0[*word] & bit != 0)
    }
}

/// Four bits of two words, which two reads of memory find.
fn places(space: BookNumber, tag: &Tag) -> [(usize, u64); 4] {
    let half = |place: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&tag.0[place..place + 8]);
        u64::from_le_bytes(bytes) ^ u64::from(space.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    let (left, right) = (half(0), half(8));
    let word = |half: u64| usize::try_from(half >> 12).unwrap_or_default() % WORDS;
    let bit = |half: u64, shift: u32| 1 << (half >> shift & 63);
    [(word(left), bit(left, 0)), (word(left), bit(left, 6)), (word(right), bit(right, 0)), (word(right), bit(right, 6))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_is_there_is_never_denied_and_others_nearly_always() {
        let mut sieve = Sieve::new();
        let tag = |number: u64| {
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut tag = [0; 16];
            tag[..8].copy_from_slice(&mixed.rotate_left(31).to_le_bytes());
            tag[8..].copy_from_slice(&mixed.wrapping_mul(mixed | 1).to_le_bytes());
            Tag(tag)
        };
        (0..10_000).for_each(|number| sieve.add(BookNumber(3), &tag(number)));
        assert!((0..10_000).all(|number| sieve.may_have(BookNumber(3), &tag(number))));
        let taken = (10_000..20_000).filter(|number| sieve.may_have(BookNumber(3), &tag(*number))).count();
        assert!(taken < 100, "{taken} of 10,000 that are not there");
    }
}
