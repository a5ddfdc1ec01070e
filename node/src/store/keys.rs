//! Keys: fixed-width numbers in network order, so that ranges stand together and rise.

use fengni_core::book::Tag;
use fengni_core::{BlockId, BookNumber, Height, LineNumber, LinePlace};

pub(crate) fn height(height: Height) -> [u8; 8] {
    height.0.to_be_bytes()
}

pub(crate) fn in_book(book: BookNumber, number: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&book.0.to_be_bytes());
    key[4..].copy_from_slice(&number.to_be_bytes());
    key
}

pub(crate) fn tag(space: BookNumber, tag: &Tag) -> [u8; 20] {
    let mut key = [0; 20];
    key[..4].copy_from_slice(&space.0.to_be_bytes());
    key[4..].copy_from_slice(&tag.0);
    key
}

pub(crate) fn record(shelf: u8, number: u32) -> [u8; 5] {
    let mut key = [shelf; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

pub(crate) fn candidate(height: Height, round: u32, id: BlockId) -> [u8; 44] {
    let mut key = [0; 44];
    key[..8].copy_from_slice(&height.0.to_be_bytes());
    key[8..12].copy_from_slice(&round.to_be_bytes());
    key[12..].copy_from_slice(&id.0.0);
    key
}

/// A line's place as a value: 12 bytes.
pub(crate) fn place(place: LinePlace) -> [u8; 12] {
    in_book(place.book, place.line.0)
}

pub(crate) fn to_place(bytes: &[u8]) -> LinePlace {
    LinePlace { book: BookNumber(to_u32(&bytes[..4])), line: LineNumber(to_u64(&bytes[4..])) }
}

pub(crate) fn to_u64(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().expect("the store wrote eight bytes"))
}

pub(crate) fn to_u32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("the store wrote four bytes"))
}
