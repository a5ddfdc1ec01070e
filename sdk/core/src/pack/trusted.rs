//! A pack that adds up: every record and page recomputed up to the header's state root.

use litemap::LiteMap;

use super::pages::BookPages;
use super::{Basis, BookPart, Fingerprint, Pack, PackError, PagesPart, RecordPart, SHELVES, ShelfPart, Subscription};
use crate::block::Header;
use crate::book::Book;
use crate::bytes::Bytes;
use crate::digest::{Digest, Domain};
use crate::finality::CommitCertificate;
use crate::limits::{PACK_BYTES, PACK_EXCEPTIONS, PAGE_LINES};
use crate::list::{ListKind, list_digest};
use crate::number::{BookNumber, LinePlace, MemberNumber, PageNumber};
use crate::proof::{Place, Proven};
use crate::record::Record;
use crate::shelf::{Shelf, state_root};
use crate::tree;

/// A pack whose parts were found to give its header's state root.
///
/// Whether the header is final is for the light client to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustPack {
    header: Header,
    certificate: CommitCertificate,
    subscription: Subscription,
    /// Records of [`SHELVES`], as they enter their lists.
    shelves: Vec<Vec<Bytes>>,
    prints: [Fingerprint; SHELVES.len()],
    others: Vec<Digest>,
    books: Vec<Book>,
    pages: LiteMap<BookNumber, BookPages>,
}

impl TrustPack {
    /// Opens a pack, on top of the one at hand where it is a delta.
    ///
    /// # Errors
    /// [`PackError`]; the one at hand is untouched.
    ///
    /// # Source
    /// `sdk/spec/packs.md`, rules.
    pub fn open(pack: Pack, held: Option<&Self>, domain: &Domain) -> Result<Self, PackError> {
        if pack.header.domain() != *domain {
            return Err(PackError::OtherNetwork);
        }
        if let Some(held) = held.filter(|held| pack.header.height < held.header.height) {
            return Err(PackError::Older { offered: pack.header.height, held: held.header.height });
        }
        let same = |held: &&Self| held.header.height == pack.header.height && held.header != pack.header;
        if held.filter(same).is_some() {
            return Err(PackError::Malformed("another block than the one at hand has its height"));
        }
        let below = match (pack.since, held) {
            (None, _) => None,
            (Some(since), Some(held)) if since == held.header.height => Some(held),
            (needed, held) => return Err(PackError::OtherBasis { needed, held: held.map(|held| held.header.height) }),
        };
        if below.is_some_and(|held| held.subscription != pack.subscription) {
            return Err(PackError::OtherSubscription);
        }
        let shelves = shelves(&pack.shelves, below)?;
        let (books, pages) = books(&pack, below, domain)?;
        let digest = |records: &[Vec<u8>]| shelf_digest(domain, records.iter().map(Vec::as_slice));
        let book_records: Vec<Vec<u8>> = books.iter().map(Record::encode).collect();
        let book_digest = digest(&book_records);
        let mut prints = [Fingerprint([0; 4]); SHELVES.len()];
        let mut digests = Vec::with_capacity(Shelf::ALL.len());
        for shelf in &Shelf::ALL[..=SHELVES.len()] {
            digests.push(match SHELVES.iter().position(|known| known == shelf) {
                Some(place) => {
                    let digest = shelf_digest(domain, shelves[place].iter().map(|record| record.0.as_slice()));
                    prints[place] = Fingerprint::of(&digest);
                    digest
                }
                None => book_digest,
            });
        }
        digests.extend_from_slice(&pack.others);
        if state_root(domain, &digests) != pack.header.state_root {
            return Err(PackError::StateRoot);
        }
        let Pack { header, certificate, subscription, others, .. } = pack;
        let opened = Self { header, certificate, subscription, shelves, prints, others, books, pages };
        // What grew by deltas must still be a pack, or the device could not read its own store. A
        // full pack was measured when it was read, and is kept in no more bytes.
        let found = if below.is_some() { opened.to_full().encode().len() } else { 0 };
        if found > PACK_BYTES { Err(PackError::TooLarge { found }) } else { Ok(opened) }
    }

    /// The header everything stands under.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What makes it final.
    pub fn certificate(&self) -> &CommitCertificate {
        &self.certificate
    }

    /// Whose pages it holds.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// What a delta would build on.
    pub fn basis(&self) -> Basis {
        Basis { height: self.header.height, shelves: self.prints }
    }

    /// Every book, with whether its pages are here.
    pub fn books(&self) -> impl Iterator<Item = (BookNumber, &Book, bool)> {
        (0..).map(BookNumber).zip(&self.books).map(|(number, book)| (number, book, self.pages.contains_key(&number)))
    }

    /// A registry record by its number.
    pub fn record<R: Record>(&self, number: u32) -> Option<R> {
        <R as Record>::decode(self.bytes(R::SHELF, number)?).ok()
    }

    /// The whole of it as a full pack, for a device to keep.
    pub fn to_full(&self) -> Pack {
        let shelves = self.shelves.iter().map(|records| ShelfPart::Whole(records.clone())).collect();
        let changed = self.books().map(|(number, book, _)| BookPart {
            number,
            record: RecordPart::Whole(Bytes(book.encode())),
            pages: self.pages.get(&number).map(whole).unwrap_or_default(),
        });
        let count = u32::try_from(self.books.len()).expect("book numbers have 32 bits");
        let (header, certificate) = (self.header.clone(), self.certificate.clone());
        let (subscription, others) = (self.subscription.clone(), self.others.clone());
        Pack::new(header, certificate, subscription, None, shelves, others, count, changed.collect())
    }

    fn bytes(&self, shelf: Shelf, number: u32) -> Option<&[u8]> {
        let place = SHELVES.iter().position(|known| *known == shelf)?;
        self.shelves[place].get(usize::try_from(number).ok()?).map(|record| record.0.as_slice())
    }

    fn sizes(&self) -> [u64; Shelf::ALL.len()] {
        Shelf::ALL.map(|shelf| match SHELVES.iter().position(|known| *known == shelf) {
            Some(place) => self.shelves[place].len() as u64,
            None if shelf == Shelf::Books => self.books.len() as u64,
            // Not counted here, so that no number is beyond it.
            None => u64::MAX,
        })
    }

    /// Everything a scene is made of: every registry record and the book's.
    pub(crate) fn registries(&self, book: BookNumber) -> Proven {
        Proven::of_pack(self.header.clone(), self.sizes(), self.registry_entries(book), None)
    }

    fn registry_entries(&self, book: BookNumber) -> LiteMap<Place, Vec<u8>> {
        let mut entries = LiteMap::new();
        for (shelf, records) in SHELVES.iter().zip(&self.shelves) {
            for (record, number) in records.iter().zip(0..) {
                entries.insert(Place::Record(*shelf, number), record.0.clone());
            }
        }
        if let Some(record) = self.book(book) {
            entries.insert(Place::Record(Shelf::Books, book.0), record.encode());
        }
        entries
    }

    /// Every registry record, the book's, and what depends on the line.
    pub(crate) fn all_around(&self, place: LinePlace) -> Option<Proven> {
        self.around_with(place, None, self.registry_entries(place.book))
    }

    /// What depends on the code: its line's page, who holds that suspended, and the identity service
    /// that vouches. `None` where the book's pages are not here.
    pub(crate) fn around(&self, place: LinePlace, service: Option<MemberNumber>) -> Option<Proven> {
        self.around_with(place, service, LiteMap::new())
    }

    fn around_with(
        &self,
        place: LinePlace,
        service: Option<MemberNumber>,
        mut entries: LiteMap<Place, Vec<u8>>,
    ) -> Option<Proven> {
        let mut members: Vec<MemberNumber> = service.into_iter().collect();
        let parameters = self.bytes(Shelf::Parameters, 0)?;
        entries.insert(Place::Record(Shelf::Parameters, 0), parameters.to_vec());
        let mut peaks = None;
        if let Some(book) = self.book(place.book)
            && place.line.0 < book.lines
        {
            let of_book = self.pages.get(&place.book)?;
            let number = place.line.page();
            let page = of_book.pages.get(usize::try_from(number.0).ok()?)?;
            entries.insert(Place::Page(place.book, number), page.encode());
            let holds = page.exception(place.line.place()).into_iter().flat_map(|exception| &exception.holds);
            members.extend(holds.map(|hold| hold.by));
            if u64::from(page.lines) < PAGE_LINES {
                peaks = Some((place.book, number, of_book.peaks.clone()));
            }
        }
        for member in members {
            if let Some(bytes) = self.bytes(Shelf::Members, member.0) {
                entries.insert(Place::Record(Shelf::Members, member.0), bytes.to_vec());
            }
        }
        Some(Proven::of_pack(self.header.clone(), self.sizes(), entries, peaks))
    }

    fn book(&self, number: BookNumber) -> Option<&Book> {
        self.books.get(usize::try_from(number.0).ok()?)
    }
}

/// All page records of a book, packed on top of nothing.
fn whole(book: &BookPages) -> Bytes {
    let pages = book.pages.iter().collect();
    PagesPart { first: PageNumber(0), pages, peaks: book.peaks.clone(), touched: Vec::new() }.pack()
}

fn shelf_digest<'a>(domain: &Domain, records: impl ExactSizeIterator<Item = &'a [u8]>) -> Digest {
    let size = records.len() as u64;
    let leaves: Vec<Digest> = records.map(|record| domain.suite.leaf(record)).collect();
    list_digest(domain, ListKind::Shelf, size, &tree::fold_all(domain.suite, &leaves))
}

fn shelves(parts: &[ShelfPart], held: Option<&TrustPack>) -> Result<Vec<Vec<Bytes>>, PackError> {
    let one = |(place, part): (usize, &ShelfPart)| match (part, held) {
        (ShelfPart::Whole(records), _) => Ok(records.clone()),
        (ShelfPart::Same, Some(held)) => Ok(held.shelves[place].clone()),
        (ShelfPart::Same, None) => Err(PackError::Malformed("a full pack leaves a registry out")),
    };
    parts.iter().enumerate().map(one).collect()
}

type Books = (Vec<Book>, LiteMap<BookNumber, BookPages>);

/// Rules: the books with the pages of those subscribed to, each as its record counts.
fn books(pack: &Pack, held: Option<&TrustPack>, domain: &Domain) -> Result<Books, PackError> {
    let mut books: Vec<Book> = held.map(|held| held.books.clone()).unwrap_or_default();
    let mut pages = held.map(|held| held.pages.clone()).unwrap_or_default();
    let mut budget = PACK_EXCEPTIONS;
    for part in &pack.changed {
        let place = usize::try_from(part.number.0).map_err(|_| PackError::Malformed("a book's number"))?;
        let before = books.get(place);
        let record = match (&part.record, before) {
            (RecordPart::Whole(bytes), _) => Book::decode(&bytes.0)?,
            (RecordPart::Grown { lines, lists: [pages, seals, acts, heads] }, Some(before)) => {
                let (pages, seals, acts, heads) = (*pages, *seals, *acts, *heads);
                Book { lines: *lines, pages, seals, acts, heads, ..before.clone() }
            }
            (RecordPart::Grown { .. }, None) => return Err(PackError::Malformed("a book that is not known grows")),
        };
        let wrong = PackError::Pages(part.number);
        if pack.subscription.covers(&record) {
            let of_book = pages.entry(part.number).or_default();
            of_book.unpack(domain.suite, &part.pages.0, record.lines, &mut budget).ok_or(wrong.clone())?;
            if pages_digest(domain, of_book) != record.pages.digest {
                return Err(wrong);
            }
        } else if part.pages.0.is_empty() {
            pages.remove(&part.number);
        } else {
            return Err(wrong);
        }
        if place < books.len() {
            books[place] = record;
        } else if place == books.len() {
            books.push(record);
        } else {
            return Err(PackError::Malformed("a book is left out"));
        }
    }
    if books.len() as u64 != u64::from(pack.books) {
        return Err(PackError::Malformed("a book is left out"));
    }
    Ok((books, pages))
}

fn pages_digest(domain: &Domain, book: &BookPages) -> Digest {
    let leaves: Vec<Digest> = book.pages.iter().map(|page| domain.suite.leaf(&page.encode())).collect();
    list_digest(domain, ListKind::Pages, leaves.len() as u64, &tree::fold_all(domain.suite, &leaves))
}
