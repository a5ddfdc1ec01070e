//! State proofs: exactly the entries somebody asked for, at one height, under one quorum.
//!
//! ```text
//! entry -> list digest -> record -> shelf digest -> state root -> header -> quorum
//! ```
//!
//! A proof carries the header, its commit certificate, the digests of all shelves and a list of
//! entries, each with its place and its path. Checking it needs nothing but a validator set.
//! Rules P-1 to P-7: `sdk/spec/proofs.md`.

use bincode::{Decode, Encode};
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::Header;
use crate::book::{Book, Line, ListHead, Seal};
use crate::bytes::Bytes;
use crate::codec::{self, DecodeError, encoded_by_number};
use crate::digest::{Digest, Domain};
use crate::finality::{CommitCertificate, FinalityError, ValidatorSet};
use crate::limits::PROOF_BYTES;
use crate::list::{ListKind, fold_path, list_digest};
use crate::number::{ActNumber, BookNumber, LineNumber, LinePlace, PageNumber, SealNumber};
use crate::outcome::Outcome;
use crate::record::{CertificateType, Record};
use crate::shelf::{Shelf, state_root};
use crate::standing::{Act, ActHeads, Page};

/// Where an entry stands in the register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub enum Place {
    /// A registry record.
    Record(Shelf, u32),
    /// A page record of a book.
    Page(BookNumber, PageNumber),
    /// A seal of a book.
    Seal(BookNumber, SealNumber),
    /// An act of a book.
    Act(BookNumber, ActNumber),
    /// A page's act heads.
    Heads(BookNumber, PageNumber),
    /// A line, under the root of its page.
    Line(BookNumber, LineNumber),
}

impl Place {
    /// A place from its text, such as `members/3`, `seal/0/2` or `line/0/417`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let kind = parts.next()?;
        let first: u32 = parts.next()?.parse().ok()?;
        let second: Option<u64> = parts.next().map(str::parse).transpose().ok()?;
        if parts.next().is_some() {
            return None;
        }
        let book = BookNumber(first);
        match (kind, second) {
            ("page", Some(number)) => Some(Self::Page(book, PageNumber(number))),
            ("seal", Some(number)) => Some(Self::Seal(book, SealNumber(number))),
            ("act", Some(number)) => Some(Self::Act(book, ActNumber(number))),
            ("heads", Some(number)) => Some(Self::Heads(book, PageNumber(number))),
            ("line", Some(number)) => Some(Self::Line(book, LineNumber(number))),
            (name, None) => {
                Shelf::ALL.into_iter().find(|shelf| shelf.name() == name).map(|shelf| Self::Record(shelf, first))
            }
            _ => None,
        }
    }
}

impl Place {
    /// The list of a book in which the entry stands, if it is one of those.
    fn list(self) -> Option<(BookNumber, BookList)> {
        match self {
            Self::Page(book, _) => Some((book, BookList::Pages)),
            Self::Seal(book, _) => Some((book, BookList::Seals)),
            Self::Act(book, _) => Some((book, BookList::Acts)),
            Self::Heads(book, _) => Some((book, BookList::Heads)),
            Self::Record(..) | Self::Line(..) => None,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record(shelf, number) => write!(f, "{}/{number}", shelf.name()),
            Self::Page(book, page) => write!(f, "page/{book}/{page}"),
            Self::Seal(book, seal) => write!(f, "seal/{book}/{seal}"),
            Self::Act(book, act) => write!(f, "act/{book}/{act}"),
            Self::Heads(book, page) => write!(f, "heads/{book}/{page}"),
            Self::Line(book, line) => write!(f, "line/{book}/{line}"),
        }
    }
}

/// One entry with its path to the digest of its list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// Its bytes, as they enter the list.
    pub bytes: Bytes,
    /// Sibling digests, leaf side first.
    pub path: Vec<Digest>,
}

/// A shelf's list: how many records, and their root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct ShelfHead {
    /// Records.
    pub size: u64,
    /// Root of the tree.
    pub root: Digest,
}

/// Entries of the state after one block, with what makes the block final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct StateProof {
    /// The block's header.
    pub header: Header,
    /// Its commit certificate.
    pub certificate: CommitCertificate,
    /// Every shelf, in the order of [`Shelf::ALL`].
    pub shelves: Vec<ShelfHead>,
    /// For each list of a book that an entry comes from, in rising order: its root. The book record
    /// binds it.
    pub roots: Vec<((BookNumber, BookList), Digest)>,
    /// Entries by rising place: a book's record stands before what is in the book.
    pub entries: Vec<Entry>,
}

/// The lists that belong to a book.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum BookList {
    /// Page records.
    Pages,
    /// Seals.
    Seals,
    /// Acts.
    Acts,
    /// Act heads.
    Heads,
}

impl BookList {
    /// Every list, by number.
    pub const ALL: [Self; 4] = [Self::Pages, Self::Seals, Self::Acts, Self::Heads];
}

encoded_by_number!(BookList);

impl BookList {
    /// The kind of list, for its digest.
    pub fn kind(self) -> ListKind {
        match self {
            Self::Pages => ListKind::Pages,
            Self::Seals => ListKind::Seals,
            Self::Acts => ListKind::Acts,
            Self::Heads => ListKind::Heads,
        }
    }

    fn head(self, book: &Book) -> ListHead {
        match self {
            Self::Pages => book.pages,
            Self::Seals => book.seals,
            Self::Acts => book.acts,
            Self::Heads => book.heads,
        }
    }
}

/// Why a proof proves nothing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ProofError {
    /// P-1: not the encoding of a proof.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// P-2: of another network or suite.
    #[error("the proof is of another network")]
    OtherNetwork,
    /// P-3: the block is not final under the validators the reader trusts.
    #[error("the block is not final: {0}")]
    NotFinal(#[from] FinalityError),
    /// P-3: no validator set is known for the height.
    #[error("no validator set is known for height {0}")]
    UnknownValidators(u64),
    /// P-4: the shelves do not give the header's state root.
    #[error("the shelves do not give the header's state root")]
    StateRoot,
    /// P-5: an entry's path does not lead to its list.
    #[error("the path of {0} does not lead to its list")]
    Path(Place),
    /// P-5: a list's root is given that no entry uses.
    #[error("a root is given that no entry uses")]
    UnusedRoot,
    /// P-5: an entry stands before the record that binds its list, or twice.
    #[error("{0} stands out of order")]
    Order(Place),
    /// P-7: the outcome is not in the block.
    #[error("the outcome is not in the block")]
    Outcome,
    /// P-6: an entry asked for is not there.
    #[error("{0} is missing")]
    Missing(Place),
    /// B-1: a book of cases has no certificate type.
    #[error("the book holds no certificates")]
    NoCertificates,
}

impl StateProof {
    /// Rule P-1: reads a proof.
    ///
    /// # Errors
    /// [`ProofError::Encoding`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        Ok(codec::decode(bytes, PROOF_BYTES)?)
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Checks that the block is final under `validators` and that every entry is of its state.
    ///
    /// # Errors
    /// [`ProofError`].
    ///
    /// # Source
    /// `sdk/spec/proofs.md`, rules P-2 to P-5.
    pub fn verify(&self, domain: &Domain, validators: &ValidatorSet) -> Result<Proven, ProofError> {
        if self.header.domain() != *domain {
            return Err(ProofError::OtherNetwork);
        }
        self.certificate.verify(domain, validators, self.header.height, self.header.id(domain))?;
        self.verify_under_final_header(domain)
    }

    /// As [`StateProof::verify`], for a header whose quorum the caller has checked before.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify_under_final_header(&self, domain: &Domain) -> Result<Proven, ProofError> {
        if self.header.domain() != *domain {
            return Err(ProofError::OtherNetwork);
        }
        let digests: Vec<Digest> = Shelf::ALL
            .iter()
            .zip(&self.shelves)
            .map(|(_, head)| list_digest(domain, ListKind::Shelf, head.size, &head.root))
            .collect();
        if self.shelves.len() != Shelf::ALL.len() || state_root(domain, &digests) != self.header.state_root {
            return Err(ProofError::StateRoot);
        }
        let sizes = Shelf::ALL.map(|shelf| self.shelves[shelf as usize].size);
        let mut proven = Proven { header: self.header.clone(), sizes, entries: LiteMap::new(), peaks: None };
        let mut used = Vec::new();
        let mut books = LiteMap::new();
        for entry in &self.entries {
            if proven.entries.last().is_some_and(|(last, _)| *last >= entry.place) {
                return Err(ProofError::Order(entry.place));
            }
            let (number, size, root) = self.list_of(domain, &proven, &mut books, entry.place)?;
            used.extend(entry.place.list());
            let leaf = domain.suite.leaf(&entry.bytes.0);
            let folded = fold_path(domain.suite, leaf, number, size, &entry.path);
            if folded.is_ok_and(|folded| folded == root) {
                proven.entries.insert(entry.place, entry.bytes.0.clone());
            } else {
                return Err(ProofError::Path(entry.place));
            }
        }
        // A root that no entry uses says nothing: with it, one proof would have many spellings.
        used.sort_unstable();
        used.dedup();
        if used.iter().ne(self.roots.iter().map(|(list, _)| list)) {
            return Err(ProofError::UnusedRoot);
        }
        Ok(proven)
    }

    /// The number of a place in its list, and the list's size and root, as already proven.
    fn list_of(
        &self,
        domain: &Domain,
        proven: &Proven,
        books: &mut LiteMap<BookNumber, Book>,
        place: Place,
    ) -> Result<(u64, u64, Digest), ProofError> {
        let mut in_book = |book: BookNumber, list: BookList, number: u64| {
            // Several entries of one book are the rule: its record is decoded once.
            let read = |book: &BookNumber| proven.record(book.0).map_err(|_| ProofError::Order(place));
            let (_, record) = books.try_get_or_insert(book, read)?;
            let head = list.head(record);
            let found = self.roots.binary_search_by_key(&(book, list), |(of, _)| *of);
            let (_, root) = self.roots[found.map_err(|_| ProofError::Path(place))?];
            if list_digest(domain, list.kind(), head.size, &root) != head.digest {
                return Err(ProofError::Path(place));
            }
            Ok((number, head.size, root))
        };
        match place {
            Place::Record(shelf, number) => {
                let head = self.shelves[shelf as usize];
                Ok((u64::from(number), head.size, head.root))
            }
            Place::Page(book, page) => in_book(book, BookList::Pages, page.0),
            Place::Seal(book, seal) => in_book(book, BookList::Seals, seal.0),
            Place::Act(book, act) => in_book(book, BookList::Acts, act.0),
            Place::Heads(book, page) => in_book(book, BookList::Heads, page.0),
            Place::Line(book, line) => {
                let page = proven.page(book, line.page()).map_err(|_| ProofError::Order(place))?;
                Ok((u64::from(line.place()), u64::from(page.lines), page.root))
            }
        }
    }
}

/// What became of a transaction, with what makes its block final. Rule P-7.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct OutcomeProof {
    /// The including block's header.
    pub header: Header,
    /// Its commit certificate.
    pub certificate: CommitCertificate,
    /// The outcome.
    pub outcome: Outcome,
    /// Its place in the block.
    pub place: u32,
    /// Transactions in the block.
    pub size: u32,
    /// Sibling digests, leaf side first.
    pub path: Vec<Digest>,
}

impl OutcomeProof {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofError::Encoding`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        Ok(codec::decode(bytes, PROOF_BYTES)?)
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Checks that the block is final under `validators` and that the outcome is in it.
    ///
    /// # Errors
    /// [`ProofError`].
    ///
    /// # Source
    /// `sdk/spec/proofs.md`, rule P-7.
    pub fn verify(&self, domain: &Domain, validators: &ValidatorSet) -> Result<&Outcome, ProofError> {
        if self.header.domain() != *domain {
            return Err(ProofError::OtherNetwork);
        }
        self.certificate.verify(domain, validators, self.header.height, self.header.id(domain))?;
        let (place, size) = (u64::from(self.place), u64::from(self.size));
        let leaf = domain.suite.leaf(&self.outcome.encode());
        let root = fold_path(domain.suite, leaf, place, size, &self.path).map_err(|_| ProofError::Outcome)?;
        let digest = list_digest(domain, ListKind::Outcomes, size, &root);
        if digest == self.header.outcomes { Ok(&self.outcome) } else { Err(ProofError::Outcome) }
    }
}

/// Entries that were proven to be of one final state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    header: Header,
    sizes: [u64; Shelf::ALL.len()],
    entries: LiteMap<Place, Vec<u8>>,
    /// Of an open page: the peaks of its tree, from a trust pack.
    peaks: Option<(BookNumber, PageNumber, Vec<Digest>)>,
}

impl Proven {
    /// Entries that a trust pack has been found to hold.
    pub(crate) fn of_pack(
        header: Header,
        sizes: [u64; Shelf::ALL.len()],
        entries: LiteMap<Place, Vec<u8>>,
        peaks: Option<(BookNumber, PageNumber, Vec<Digest>)>,
    ) -> Self {
        Self { header, sizes, entries, peaks }
    }

    /// Peaks of a page that is open, where they are known.
    pub(crate) fn peaks(&self, book: BookNumber, page: PageNumber) -> &[Digest] {
        match &self.peaks {
            Some((of_book, of_page, peaks)) if (*of_book, *of_page) == (book, page) => peaks,
            _ => &[],
        }
    }

    /// The final header the entries stand under.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many records a shelf holds: a number at or beyond it is proven to be nobody's.
    pub fn size(&self, shelf: Shelf) -> u64 {
        self.sizes[shelf as usize]
    }

    /// The places that were proven.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.entries.keys()
    }

    fn bytes(&self, place: Place) -> Result<&[u8], ProofError> {
        self.entries.get(&place).map(Vec::as_slice).ok_or(ProofError::Missing(place))
    }

    /// A registry record by its number.
    ///
    /// # Errors
    /// [`ProofError::Missing`], or [`ProofError::Encoding`] for a record of a later version.
    pub fn record<R: Record>(&self, number: u32) -> Result<R, ProofError> {
        Ok(<R as Record>::decode(self.bytes(Place::Record(R::SHELF, number))?)?)
    }

    /// The certificate type that a book is about.
    ///
    /// # Errors
    /// As [`Proven::record`], and [`ProofError::NoCertificates`].
    pub fn type_of(&self, book: &Book) -> Result<CertificateType, ProofError> {
        self.record(book.certificate_type().ok_or(ProofError::NoCertificates)?.0)
    }

    /// A page record.
    ///
    /// # Errors
    /// As [`Proven::record`].
    pub fn page(&self, book: BookNumber, page: PageNumber) -> Result<Page, ProofError> {
        Ok(Page::decode(self.bytes(Place::Page(book, page))?)?)
    }

    /// A seal.
    ///
    /// # Errors
    /// As [`Proven::record`].
    pub fn seal(&self, book: BookNumber, seal: SealNumber) -> Result<Seal, ProofError> {
        Ok(Seal::decode(self.bytes(Place::Seal(book, seal))?)?)
    }

    /// The seal that added a line, if it is among the proven entries.
    pub fn seal_of(&self, place: LinePlace) -> Option<Seal> {
        let of_book = |entry: &(&Place, &Vec<u8>)| matches!(entry.0, Place::Seal(book, _) if *book == place.book);
        let mut seals = self.entries.iter().filter(of_book).filter_map(|(_, bytes)| Seal::decode(bytes).ok());
        seals.find(|seal| seal.covers(place.line))
    }

    /// An act.
    ///
    /// # Errors
    /// As [`Proven::record`].
    pub fn act(&self, book: BookNumber, act: ActNumber) -> Result<Act, ProofError> {
        Ok(Act::decode(self.bytes(Place::Act(book, act))?)?)
    }

    /// A page's act heads.
    ///
    /// # Errors
    /// As [`Proven::record`].
    pub fn heads(&self, book: BookNumber, page: PageNumber) -> Result<ActHeads, ProofError> {
        Ok(ActHeads::decode(self.bytes(Place::Heads(book, page))?)?)
    }

    /// A line.
    ///
    /// # Errors
    /// [`ProofError::Missing`].
    pub fn line(&self, place: LinePlace) -> Result<Line, ProofError> {
        let place = Place::Line(place.book, place.line);
        let bytes = self.bytes(place)?.try_into().map_err(|_| ProofError::Path(place))?;
        Ok(Line::from_bytes(bytes))
    }
}
