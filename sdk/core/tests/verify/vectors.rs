//! Vectors of verdict codes, shared with other languages.

#[test]
fn placeholder() {}
