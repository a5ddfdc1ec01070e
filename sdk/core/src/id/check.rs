//! Check characters: four sums that tell a mistyped code from a right one.
//!
//! Each function takes a code without its check character and returns that character, or
//! `None` when the text holds a character, or has a length, that the sum is not defined for.

/// Digits and capitals; a character's value is its place, 0 to 35.
const ALPHABET_36: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Without I, O, S, V, Z; a character's value is its place, 0 to 30.
const ALPHABET_31: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Weights of MOD 31-3: 3^i mod 31, i from 0.
const WEIGHTS_31_3: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of MOD 11-2: 2^(17 - i) mod 11, i from 0.
const WEIGHTS_11_2: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Weights of the organisation code.
const WEIGHTS_ORGANISATION: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// MOD 37,36 over any number of digits and capitals: certificate identifiers, GRid, ISAN.
///
/// It misses no single wrong character and about 1 in 3,500 swaps of neighbours.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-8; GB/T 17710-2008, ISO/IEC 7064.
#[must_use]
pub fn mod_37_36(text: &str) -> Option<char> {
    let mut product = 36;
    for character in text.bytes() {
        product = match (product + value(ALPHABET_36, character)?) % 36 {
            0 => 36,
            sum => sum,
        };
        product = product * 2 % 37;
    }
    letter(ALPHABET_36, (37 - product) % 36)
}

/// MOD 31-3 over the first 17 characters of a credit code.
///
/// It misses no single wrong character.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-5; GB 32100-2015.
#[must_use]
pub fn mod_31_3(text: &str) -> Option<char> {
    let sum = weighted(text, ALPHABET_31, &WEIGHTS_31_3)?;
    letter(ALPHABET_31, (31 - sum % 31) % 31)
}

/// MOD 11-2 over the first 17 digits of a resident number; the answer is a digit or `X`.
///
/// It misses no single wrong character and no swap of neighbours.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-6; GB 11643-1999.
#[must_use]
pub fn mod_11_2(text: &str) -> Option<char> {
    let digits = ALPHABET_36.get(..10)?;
    let sum = weighted(text, digits, &WEIGHTS_11_2)?;
    letter(b"10X98765432", sum % 11)
}

/// The sum of GB 11714 over the first 8 characters of an organisation code; the answer is a
/// digit or `X`.
///
/// 36 values share 11 remainders, so it misses letters 11, 22 or 33 places apart (`0` for `B`).
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-4; GB 11714.
#[must_use]
pub fn mod_11_organisation(text: &str) -> Option<char> {
    let sum = weighted(text, ALPHABET_36, &WEIGHTS_ORGANISATION)?;
    letter(b"0123456789X", (11 - sum % 11) % 11)
}

/// Whether MOD 31-3 knows the character.
pub(super) fn is_credit_character(found: char) -> bool {
    u8::try_from(found).is_ok_and(|found| ALPHABET_31.contains(&found))
}

/// Sum of value times weight; `None` unless there are as many characters as weights.
fn weighted(text: &str, alphabet: &[u8], weights: &[u32]) -> Option<u32> {
    if text.len() != weights.len() {
        return None;
    }
    let mut sum = 0;
    for (character, weight) in text.bytes().zip(weights) {
        sum += value(alphabet, character)? * weight;
    }
    Some(sum)
}

fn value(alphabet: &[u8], character: u8) -> Option<u32> {
    let place = alphabet.iter().position(|letter| *letter == character)?;
    u32::try_from(place).ok()
}

fn letter(alphabet: &[u8], place: u32) -> Option<char> {
    let place = usize::try_from(place).ok()?;
    alphabet.get(place).map(|letter| char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_tables_are_the_powers_they_claim_to_be() {
        let mut power = 1;
        for weight in WEIGHTS_31_3 {
            assert_eq!(weight, power);
            power = power * 3 % 31;
        }
        let mut power = 2;
        for weight in WEIGHTS_11_2.iter().rev() {
            assert_eq!(*weight, power);
            power = power * 2 % 11;
        }
    }
}
