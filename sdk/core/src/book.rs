//! Books, pages and lines: the register itself.
//!
//! ```text
//! line -> page root       at most 10 hashes
//! page record -> book     log2(pages) hashes
//! ```
//!
//! A book has one keeper, who alone writes in it, until members vote for another. Lines are numbered through the book; a page is
//! an aligned run of 1,024 lines; a seal is one signed addition of 1 to 1,024 lines. Many lines at
//! once are suspended in the book's own record, over their standings. Rules B-1 to B-10:
//! `sdk/spec/books.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError};
use crate::digest::{Digest, Domain};
use crate::id::{CertificateId, CreditCode, Division};
use crate::limits::{self, BOOK_ORDERS, FORMER_KEEPERS, HOLDS, PAGE_LINES, RECORD_BYTES, SUSPENSIONS};
use crate::number::{Height, KeyNumber, LineNumber, MemberNumber, OrderNumber, PageNumber, TypeNumber};
use crate::record::Record;
use crate::shelf::Shelf;
use crate::tree;

/// Finds a line: 16 bytes of a digest of the certificate's identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct Tag(#[serde(with = "crate::bytes::array")] pub [u8; 16]);

impl Tag {
    /// Rule B-2: the tag of a certificate.
    ///
    /// Whoever knows an identifier can find its standing; nobody can read the identifier back.
    pub fn of(domain: &Domain, identifier: &CertificateId) -> Self {
        Self::head(&domain.digest("tag", &[identifier.to_string().as_bytes()]))
    }

    /// The first 16 bytes of a digest.
    pub(crate) fn head(digest: &Digest) -> Self {
        let mut tag = Self::default();
        tag.0.copy_from_slice(&digest.0[..16]);
        tag
    }
}

/// A line (行): 48 bytes that commit to one certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Line {
    /// Finds it.
    pub tag: Tag,
    /// Binds the certificate's content; salted, so that nobody can guess what is behind it.
    pub commitment: Digest,
}

impl Line {
    /// The 48 bytes that enter the page's tree.
    pub fn bytes(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&self.tag.0);
        bytes[16..].copy_from_slice(&self.commitment.0);
        bytes
    }

    /// The line of 48 bytes.
    pub fn from_bytes(bytes: &[u8; 48]) -> Self {
        let mut line = Self { tag: Tag::default(), commitment: Digest::default() };
        line.tag.0.copy_from_slice(&bytes[..16]);
        line.commitment.0.copy_from_slice(&bytes[16..]);
        line
    }

    /// Its leaf digest.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.suite.leaf(&self.bytes())
    }
}

/// Rule B-3: root of a page's lines.
pub fn page_root(domain: &Domain, lines: &[Line]) -> Digest {
    let leaves: Vec<Digest> = lines.iter().map(|line| line.digest(domain)).collect();
    tree::root(domain.suite, &leaves)
}

/// What a book is about. Fixed when it is opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Certificates of one type.
    Certificates {
        /// The type.
        certificate_type: TypeNumber,
    },
    /// Cases (办件) that the keeper handles. Rule A-1.
    Cases,
    /// Grants (授权) of holders. Rule Z-6.
    Grants,
    /// Receipts (用证记录) of data that the keeper provided: each line is a batch of them. Rule Z-9.
    Receipts,
}

impl Subject {
    /// Rule T-8: the version of the protocol that brought it.
    pub fn since(&self) -> u16 {
        match self {
            Self::Certificates { .. } => 1,
            Self::Cases => 3,
            Self::Grants | Self::Receipts => 4,
        }
    }

    /// Rules Z-6 and Z-9: whether a member opens one such book in all, whatever its region and whoever keeps it now.
    pub fn is_opened_once(&self) -> bool {
        match self {
            Self::Certificates { .. } | Self::Cases => false,
            Self::Grants | Self::Receipts => true,
        }
    }

    /// The type of certificates it is about, if it is about any.
    pub fn certificate_type(&self) -> Option<TypeNumber> {
        match self {
            Self::Certificates { certificate_type } => Some(*certificate_type),
            Self::Cases | Self::Grants | Self::Receipts => None,
        }
    }
}

/// A numbered list that belongs to a book: its size and its root.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct ListHead {
    /// Entries.
    pub size: u64,
    /// The list's digest, which binds the size as well.
    pub digest: Digest,
}

/// Why lines are suspended together. Numbers are permanent; new causes are added at the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum SuspensionCause {
    /// They were sealed with a key of whoever kept the book by then, since the height from which it is
    /// suspected.
    Key {
        /// The key.
        key: KeyNumber,
    },
    /// An order suspends them.
    Order {
        /// Which.
        order: OrderNumber,
    },
}

/// A run of lines that is suspended together. Rule B-9.
///
/// It lies over the standings and rewrites none of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Suspension {
    /// Why.
    pub cause: SuspensionCause,
    /// First line.
    pub first: LineNumber,
    /// Last line, included.
    pub last: LineNumber,
}

impl Suspension {
    /// Whether the line is in the run.
    pub fn covers(&self, line: LineNumber) -> bool {
        (self.first..=self.last).contains(&line)
    }
}

/// A member that kept a book until its keeper changed. Rule B-10.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct FormerKeeper {
    /// Who.
    pub member: MemberNumber,
    /// The last height at which it did.
    pub until: Height,
    /// Lines of the book by then: those not of an earlier keeper were sealed with its keys.
    pub lines: u64,
}

/// A book (登记簿).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Book {
    /// Counts the record's changes of anything but its lists, from 1.
    pub version: u32,
    /// What it is about.
    pub subject: Subject,
    /// Region of its certificates.
    pub division: Division,
    /// Issuer's code in its identifiers: that of the member which opened it.
    pub issuer: CreditCode,
    /// The member that writes in it now.
    pub keeper: MemberNumber,
    /// When it was opened.
    pub opened: Height,
    /// When anything but its lists last changed.
    pub changed: Height,
    /// Lines so far.
    pub lines: u64,
    /// Page records.
    pub pages: ListHead,
    /// Seals.
    pub seals: ListHead,
    /// Acts.
    pub acts: ListHead,
    /// Act heads, an entry a page.
    pub heads: ListHead,
    /// Lines that are suspended together, by rising cause and place.
    pub suspended: Vec<Suspension>,
    /// Who kept it before, one after the other.
    pub former: Vec<FormerKeeper>,
}

impl Book {
    /// The member that opened it, whose certificates these are. Rule B-10.
    pub fn opener(&self) -> MemberNumber {
        self.former.first().map_or(self.keeper, |first| first.member)
    }

    /// Whether a member keeps it or once did.
    pub fn was_kept_by(&self, member: MemberNumber) -> bool {
        self.keeper == member || self.former.iter().any(|former| former.member == member)
    }

    /// The member with whose keys a line was sealed. Rule B-10.
    pub fn sealer(&self, line: LineNumber) -> MemberNumber {
        self.former.iter().find(|keeper| line.0 < keeper.lines).map_or(self.keeper, |keeper| keeper.member)
    }

    /// The certificate type it is about, if it is about certificates.
    pub fn certificate_type(&self) -> Option<TypeNumber> {
        self.subject.certificate_type()
    }

    /// Lines on a page, from the count of the book.
    pub fn lines_on(&self, page: PageNumber) -> u64 {
        self.lines.saturating_sub(page.0.saturating_mul(PAGE_LINES)).min(PAGE_LINES)
    }

    /// The keys for whose revocation a line is suspended, rising. Rule B-9.
    pub fn revoked_keys(&self, line: LineNumber) -> impl Iterator<Item = KeyNumber> {
        self.causes(line).filter_map(|cause| match cause {
            SuspensionCause::Key { key } => Some(key),
            SuspensionCause::Order { .. } => None,
        })
    }

    /// The orders that suspend a line, rising. Rule B-9.
    pub fn orders(&self, line: LineNumber) -> impl Iterator<Item = OrderNumber> {
        self.causes(line).filter_map(|cause| match cause {
            SuspensionCause::Order { order } => Some(order),
            SuspensionCause::Key { .. } => None,
        })
    }

    fn causes(&self, line: LineNumber) -> impl Iterator<Item = SuspensionCause> {
        let covering = self.suspended.iter().filter(move |suspension| suspension.covers(line));
        covering.map(|suspension| suspension.cause)
    }
}

impl Record for Book {
    const SHELF: Shelf = Shelf::Books;
}

/// A seal (封): what one transaction added to a book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Seal {
    /// First line.
    pub first: LineNumber,
    /// Lines.
    pub count: u32,
    /// When.
    pub height: Height,
    /// Whose keys signed: the keeper's of that height, by number.
    pub keys: Vec<KeyNumber>,
}

impl Seal {
    /// Whether the line was added by this seal.
    pub fn covers(&self, line: LineNumber) -> bool {
        self.first <= line && line.0 - self.first.0 < u64::from(self.count)
    }

    /// The bytes that enter the book's list of seals.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an entry of the list of seals.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, limits::RECORD_BYTES)
    }
}

// A book is 300 bytes, its suspensions, each a cause, a number and two places, and its former keepers.
const _: () = assert!(
    RECORD_BYTES > 300 + 24 * (SUSPENSIONS + BOOK_ORDERS) + 20 * FORMER_KEEPERS,
    "a book with every suspension and every former keeper fits"
);

// An exception is place, standing and a count, a hold is member and end: 11 and 13 bytes.
const _: () = assert!(
    RECORD_BYTES as u64 > 42 + PAGE_LINES * (11 + 13 * HOLDS as u64),
    "a page record with every line excepted and held by every body fits"
);
