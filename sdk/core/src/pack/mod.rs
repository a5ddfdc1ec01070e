//! Trust packs: what a device needs to judge codes where there is no network.
//!
//! ```text
//! page records -> book -> shelf -+
//! members, types, agreements ----+-> state root -> header -> quorum
//! ```
//!
//! A pack holds a final header, every registry record, and every page record of the books somebody
//! subscribed to. The reader recomputes each digest up to the state root: what is left out or
//! altered does not add up, so that it matters not who handed the pack over. A full pack builds on
//! nothing, a delta on the state of an earlier height; both are one format. Rules Q-1 to Q-8:
//! `sdk/spec/packs.md`.

mod pages;
mod trusted;
mod varint;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::Header;
use crate::book::{Book, ListHead};
use crate::bytes::Bytes;
use crate::codec::{self, DecodeError};
use crate::digest::Digest;
use crate::finality::CommitCertificate;
use crate::id::Division;
use crate::limits::{PACK_BYTES, SUBSCRIPTION_ENTRIES};
use crate::number::{BookNumber, Height, LineNumber, PageNumber, TypeNumber};
use crate::shelf::Shelf;
use crate::standing::{Hold, Page, Standing};

pub use trusted::TrustPack;

/// The format this code speaks.
const FORMAT: u8 = 1;

/// Shelves that a pack carries record by record, in their order: those that a verdict may need. Of
/// the others but the books it has the digest alone.
pub const SHELVES: [Shelf; 6] =
    [Shelf::Parameters, Shelf::Members, Shelf::Types, Shelf::Authorities, Shelf::Agreements, Shelf::Codes];

/// Which books a device wants the pages of: of these types, in these regions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, Encode, Decode)]
pub struct Subscription {
    /// Types, in rising order; every type where there is none.
    pub types: Vec<TypeNumber>,
    /// Regions, in rising order; everywhere where there is none.
    pub regions: Vec<Division>,
}

impl Subscription {
    /// A subscription to these types and regions, in any order.
    pub fn new(mut types: Vec<TypeNumber>, mut regions: Vec<Division>) -> Self {
        types.sort_unstable();
        types.dedup();
        regions.sort_unstable();
        regions.dedup();
        Self { types, regions }
    }

    /// Whether the pages of a book are part of it.
    pub fn covers(&self, book: &Book) -> bool {
        // Nobody shows a case offline.
        let Some(kind) = book.certificate_type() else { return false };
        (self.types.is_empty() || self.types.contains(&kind))
            && (self.regions.is_empty() || self.regions.iter().any(|region| region.covers(&book.division)))
    }

    /// Rule Q-2: lists rise and are bounded.
    fn is_canonical(&self) -> bool {
        self.types.len() <= SUBSCRIPTION_ENTRIES
            && self.regions.len() <= SUBSCRIPTION_ENTRIES
            && self.types.windows(2).all(|pair| pair[0] < pair[1])
            && self.regions.windows(2).all(|pair| pair[0] < pair[1])
    }
}

/// First bytes of a shelf's digest: enough to tell a gateway that nothing has changed there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Fingerprint(pub [u8; 4]);

impl Fingerprint {
    /// Of a shelf's digest.
    pub fn of(digest: &Digest) -> Self {
        let [a, b, c, d, ..] = digest.0;
        Self([a, b, c, d])
    }
}

/// What a reader has already: a delta builds on it. Rule Q-7.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Basis {
    /// Height of its state.
    pub height: Height,
    /// Fingerprints of [`SHELVES`].
    pub shelves: [Fingerprint; SHELVES.len()],
}

impl Basis {
    /// The fingerprints as 48 hexadecimal digits.
    pub fn shelves_hex(&self) -> String {
        self.shelves.iter().map(|print| hex::encode(print.0)).collect()
    }

    /// A basis from its height and the text of [`Basis::shelves_hex`].
    pub fn parse(height: Height, shelves: &str) -> Option<Self> {
        let mut bytes = [0; 4 * SHELVES.len()];
        hex::decode_to_slice(shelves, &mut bytes).ok()?;
        let (prints, _) = bytes.as_chunks::<4>();
        let mut shelves = [Fingerprint([0; 4]); SHELVES.len()];
        shelves.iter_mut().zip(prints).for_each(|(shelf, print)| *shelf = Fingerprint(*print));
        Some(Self { height, shelves })
    }
}

/// A pack as it travels. Nothing in it is believed before [`TrustPack::open`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Pack {
    format: u8,
    /// The header everything stands under.
    pub header: Header,
    /// What makes it final.
    pub certificate: CommitCertificate,
    /// Whose pages are in it.
    pub subscription: Subscription,
    /// The height it builds on; `None` for a full pack.
    pub since: Option<Height>,
    /// Records of [`SHELVES`].
    pub shelves: Vec<ShelfPart>,
    /// Digests of the shelves whose records no verdict needs: those after the last of [`SHELVES`].
    pub others: Vec<Digest>,
    /// How many books there are.
    pub books: u32,
    /// Books that are new or changed, by rising number.
    pub changed: Vec<BookPart>,
}

/// The records of one shelf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub enum ShelfPart {
    /// As the reader has them.
    Same,
    /// All of them, by number.
    Whole(Vec<Bytes>),
}

/// One book that is new or changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct BookPart {
    /// The book.
    pub number: BookNumber,
    /// Its record.
    pub record: RecordPart,
    /// Its page records, packed; empty for a book outside the subscription.
    pub pages: Bytes,
}

/// A book's record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub enum RecordPart {
    /// All of it.
    Whole(Bytes),
    /// What grows: everything else is as the reader has it.
    Grown {
        /// Lines.
        lines: u64,
        /// Page records, seals, acts and act heads.
        lists: [ListHead; 4],
    },
}

/// Page records of one book, for a pack.
#[derive(Clone, Debug)]
pub struct PagesPart<'a> {
    /// The first page given whole; those before are full, and the reader has them.
    pub first: PageNumber,
    /// Page records from there to the last.
    pub pages: Vec<&'a Page>,
    /// Peaks of the last page while it is open.
    pub peaks: Vec<Digest>,
    /// Lines on pages before, by rising number, whose standing has changed: with what they have now.
    pub touched: Vec<(LineNumber, Standing, Vec<Hold>)>,
}

impl PagesPart<'_> {
    /// As bytes. Rules Q-4 to Q-6.
    pub fn pack(&self) -> Bytes {
        Bytes(pages::pack(self.first, self.pages.iter().copied(), &self.peaks, &self.touched))
    }
}

/// Why a pack is refused. The one at hand stays.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PackError {
    /// Q-1: not the encoding of a pack.
    #[error("not a trust pack: {0}; next: ask another node")]
    Encoding(#[from] DecodeError),
    /// Q-1: a part breaks its rules.
    #[error("not a trust pack: {0}; next: ask another node")]
    Malformed(&'static str),
    /// Q-3: of another network or suite.
    #[error("the pack is of another network; next: ask a node of this one")]
    OtherNetwork,
    /// Q-7: it builds on a state that is not at hand.
    #[error("the pack builds on another state than the one at hand; next: ask for a full pack")]
    OtherBasis {
        /// The height it builds on.
        needed: Option<Height>,
        /// The height at hand.
        held: Option<Height>,
    },
    /// Q-7: it is for other types or regions.
    #[error("the pack is for another subscription; next: ask for a full pack")]
    OtherSubscription,
    /// Q-8: older than the one at hand.
    #[error("the pack is of height {offered}, older than height {held} at hand; next: ask another node")]
    Older {
        /// Height of the pack offered.
        offered: Height,
        /// Height at hand.
        held: Height,
    },
    /// Q-1: larger than a device keeps.
    #[error("the pack has {found} bytes, more than {PACK_BYTES}; next: subscribe to fewer types or regions")]
    TooLarge {
        /// Its bytes as a full pack.
        found: usize,
    },
    /// Q-6: pages are missing, or are not those of the book.
    #[error("the pages of book {0} are not those its record counts; next: ask another node")]
    Pages(BookNumber),
    /// Q-3: the records do not give the header's state root.
    #[error("the records do not give the header's state root; next: ask another node")]
    StateRoot,
}

impl Pack {
    /// A pack of these parts.
    #[allow(clippy::too_many_arguments, reason = "each is a part of the format, named as its field")]
    pub fn new(
        header: Header,
        certificate: CommitCertificate,
        subscription: Subscription,
        since: Option<Height>,
        shelves: Vec<ShelfPart>,
        others: Vec<Digest>,
        books: u32,
        changed: Vec<BookPart>,
    ) -> Self {
        Self { format: FORMAT, header, certificate, subscription, since, shelves, others, books, changed }
    }

    /// Rules Q-1 and Q-2: reads a pack.
    ///
    /// # Errors
    /// [`PackError::Encoding`] and [`PackError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        let pack: Self = codec::decode(bytes, PACK_BYTES)?;
        let rising = pack.changed.windows(2).all(|pair| pair[0].number < pair[1].number);
        if pack.format != FORMAT {
            Err(PackError::Malformed("a later format; next: update this program"))
        } else if !pack.subscription.is_canonical() || !rising {
            Err(PackError::Malformed("entries out of order"))
        } else if pack.shelves.len() != SHELVES.len() {
            Err(PackError::Malformed("not one part for each registry"))
        } else {
            Ok(pack)
        }
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}
