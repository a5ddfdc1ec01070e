//! Small numbers in few bytes: seven bits a byte, lowest first, the top bit where more follow.

/// A number has at most this many bytes.
const BYTES: usize = 10;

/// Appends a number.
pub(super) fn write(out: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

/// Reads bytes from the front of a slice.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|byte| byte[0])
    }

    pub(super) fn digest(&mut self) -> Option<crate::Digest> {
        Some(crate::Digest(self.bytes(32)?.try_into().ok()?))
    }

    /// A number in its one spelling.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for place in 0..BYTES {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits.checked_shl(7 * u32::try_from(place).ok()?)?;
            // Neither bits beyond the sixty-fourth nor a last byte that adds nothing.
            if shifted >> (7 * place) != bits || (place > 0 && byte == 0) {
                return None;
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A count of things that take at least `least` bytes each, so that no count claims more
    /// memory than there are bytes.
    pub(super) fn count(&mut self, least: usize) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count.checked_mul(least)? <= self.0.len()).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_in_one_spelling() {
        for number in [0, 1, 127, 128, 300, 1 << 20, u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            write(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            assert_eq!((reader.number(), reader.is_empty()), (Some(number), true));
        }
        assert_eq!(Reader::new(&[0x80, 0x00]).number(), None, "a last byte that adds nothing");
        assert_eq!(Reader::new(&[0xff; 10]).number(), None, "more than 64 bits");
        assert_eq!(Reader::new(&[0x80]).number(), None, "cut off");
        assert_eq!(Reader::new(&[5, 1, 2]).count(1), None, "more things than bytes");
    }
}
