//! Forms: what every text and list in this room keeps to, and what is never printed. Rule I-1.

use crate::limits::ACCESS_FIELDS;

/// Rule I-1: whether a text says something, fits, and moves no cursor.
pub(super) fn is_text(text: &str, limit: usize) -> bool {
    !text.trim().is_empty() && text.len() <= limit && !text.chars().any(char::is_control)
}

/// Rule I-1: whether these are items of data, in rising order.
pub(super) fn are_fields(fields: &[u16]) -> bool {
    (1..=ACCESS_FIELDS).contains(&fields.len()) && fields.windows(2).all(|pair| pair[0] < pair[1])
}

/// What is somebody's has no place in a log line: it is printed as its type's name.
macro_rules! unprinted {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

pub(super) use unprinted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i1_a_text_says_something_and_fields_rise() {
        for (text, right) in
            [("住房补贴", true), (" \u{3000}", false), ("", false), ("a\nb", false), ("1234567890123", false)]
        {
            assert_eq!(is_text(text, 12), right, "{text:?}");
        }
        assert!(are_fields(&[0, 3]) && !are_fields(&[]) && !are_fields(&[3, 3]) && !are_fields(&[3, 0]));
        assert!(!are_fields(&(0..257).collect::<Vec<_>>()));
    }
}
