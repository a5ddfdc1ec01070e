//! Orders (批量暂扣令): many lines suspended by one act, and given back by one (CRT-12).
//!
//! Rule R-14: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::id::Division;
use crate::number::{BookNumber, Height, LineNumber, MemberNumber, TypeNumber};
use crate::operation::Ground;
use crate::shelf::Shelf;

/// Which lines an order is about: those there are when it is given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// A run of one book's lines, such as a batch.
    Lines {
        /// The book.
        book: BookNumber,
        /// First line.
        first: LineNumber,
        /// Last line, included.
        last: LineNumber,
    },
    /// A whole book.
    Book {
        /// Which.
        book: BookNumber,
    },
    /// Every book of a type in a region and those inside it.
    Type {
        /// The type.
        certificate_type: TypeNumber,
        /// The region.
        division: Division,
    },
    /// Every book that a member keeps.
    Keeper {
        /// The member.
        member: MemberNumber,
    },
}

/// An order to suspend many lines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Order {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Which lines.
    pub scope: Scope,
    /// Who gave it.
    pub by: MemberNumber,
    /// Why.
    pub ground: Ground,
    /// When.
    pub height: Height,
    /// How many lines it suspended.
    pub lines: u64,
    /// When it was lifted, if it was.
    pub lifted: Option<Height>,
}

impl Record for Order {
    const SHELF: Shelf = Shelf::Orders;
}
