//! Reference codes (基础代码): divisions, purposes, reasons, with versions (CAT-04).

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::shelf::Shelf;

/// One code and what it stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Code {
    /// The code.
    pub code: String,
    /// Its meaning.
    pub name: String,
}

/// A set of reference codes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct CodeSet {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Name of the set: `divisions`, `purposes`, `reasons`.
    pub name: String,
    /// Codes in rising order.
    pub codes: Vec<Code>,
}

impl CodeSet {
    /// The meaning of a code.
    pub fn name_of(&self, code: &str) -> Option<&str> {
        let place = self.codes.binary_search_by(|entry| entry.code.as_str().cmp(code)).ok()?;
        Some(&self.codes[place].name)
    }
}

impl Record for CodeSet {
    const SHELF: Shelf = Shelf::Codes;
}
