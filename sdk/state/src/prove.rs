//! Proofs from a state: exactly the entries asked for.

use std::collections::{BTreeMap, BTreeSet};

use fengni_core::block::Header;
use fengni_core::bytes::Bytes;
use fengni_core::finality::CommitCertificate;
use fengni_core::proof::{BookList, Entry, Place, ShelfHead, StateProof};
use fengni_core::shelf::Shelf;
use fengni_core::standing::Standing;
use fengni_core::tree;
use fengni_core::{BookNumber, Digest, LineNumber, LinePlace, MemberNumber, SealNumber};
use thiserror::Error;

use crate::records::Records;
use crate::state::State;

/// Why there is no such proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ProveError {
    /// The entry is not in the register at this height.
    #[error("{0} is not in the register at this height")]
    NotThere(Place),
}

/// Proves the entries at `places`, and the books that bind them, under a header.
///
/// `header` and `certificate` are of the block that led to `state`.
///
/// # Errors
/// [`ProveError::NotThere`].
pub fn prove(
    state: &State,
    records: &impl Records,
    header: Header,
    certificate: CommitCertificate,
    places: impl IntoIterator<Item = Place>,
) -> Result<StateProof, ProveError> {
    let mut wanted: BTreeSet<Place> = BTreeSet::new();
    for place in places {
        match place {
            Place::Record(..) => (),
            Place::Line(book, line) => {
                wanted.insert(Place::Page(book, line.page()));
                wanted.insert(Place::Record(Shelf::Books, book.0));
            }
            Place::Page(book, _) | Place::Seal(book, _) | Place::Act(book, _) | Place::Heads(book, _) => {
                wanted.insert(Place::Record(Shelf::Books, book.0));
            }
        }
        wanted.insert(place);
    }
    let shelves = state.shelf_lists().map(|list| ShelfHead { size: list.len(), root: list.root() });
    let mut roots = BTreeMap::new();
    let mut entries = Vec::with_capacity(wanted.len());
    for place in wanted {
        let (bytes, path) = entry(state, records, place, &mut roots).ok_or(ProveError::NotThere(place))?;
        entries.push(Entry { place, bytes: Bytes(bytes), path });
    }
    Ok(StateProof { header, certificate, shelves: shelves.to_vec(), roots: roots.into_iter().collect(), entries })
}

type Roots = BTreeMap<(BookNumber, BookList), Digest>;

fn entry(state: &State, records: &impl Records, place: Place, roots: &mut Roots) -> Option<(Vec<u8>, Vec<Digest>)> {
    let mut in_list = |book: BookNumber, list: BookList, number: u64, bytes: Vec<u8>| {
        let tree = state.book(book)?.list(list)?;
        roots.insert((book, list), tree.root());
        Some((bytes, tree.path(number)?))
    };
    match place {
        Place::Record(shelf, number) => {
            let bytes = state.record_bytes(shelf, number)?;
            Some((bytes, state.shelf_lists()[shelf as usize].path(u64::from(number))?))
        }
        Place::Page(book, page) => in_list(book, BookList::Pages, page.0, state.book(book)?.page(page)?.encode()),
        Place::Heads(book, page) => in_list(book, BookList::Heads, page.0, state.book(book)?.heads(page)?.encode()),
        Place::Seal(book, seal) => in_list(book, BookList::Seals, seal.0, records.seal(book, seal)?.encode()),
        Place::Act(book, act) => in_list(book, BookList::Acts, act.0, records.act(book, act)?.encode()),
        Place::Line(book, line) => {
            let count = usize::from(state.book(book)?.page(line.page())?.lines);
            let lines = records.lines(book, line.page());
            let place = usize::from(line.place());
            let leaves: Vec<Digest> = lines.get(..count)?.iter().map(|line| line.digest(&state.domain)).collect();
            let path = tree::path(state.domain.suite, &leaves, place)?;
            Some((lines.get(place)?.bytes().to_vec(), path))
        }
    }
}

/// The places a verifier needs to judge one line: what it is, whether its issuer might issue it,
/// where it stands, and whether `verifier` recognises the issuer. Rule V-2.
///
/// A line beyond the book's count needs the book alone: its count proves the absence.
pub fn line_places(
    state: &State,
    records: &impl Records,
    place: LinePlace,
    verifier: Option<MemberNumber>,
) -> BTreeSet<Place> {
    let mut places = BTreeSet::from([Place::Record(Shelf::Parameters, 0)]);
    let Some(book) = state.book(place.book) else {
        // The last book proves, by its number and the shelf's size, that there is no such book.
        return places;
    };
    let record = book.record();
    places.insert(Place::Record(Shelf::Books, place.book.0));
    places.extend(record.certificate_type().map(|kind| Place::Record(Shelf::Types, kind.0)));
    let issuer = state.chain(record.opener());
    let reader = verifier.filter(|member| state.member(*member).is_some());
    let reader = reader.map(|member| state.chain(member)).unwrap_or_default();
    // Who keeps it now and who sealed the line is no matter for a verdict; people ask.
    let keepers = [record.keeper, record.sealer(place.line)];
    for member in issuer.iter().chain(&reader).chain(&keepers) {
        places.insert(Place::Record(Shelf::Members, member.0));
    }
    let authorities = state.member(record.opener()).into_iter().flat_map(|member| &member.authorities);
    places.extend(authorities.map(|number| Place::Record(Shelf::Authorities, number.0)));
    let agreements = reader.iter().filter_map(|member| state.member(*member)).flat_map(|member| &member.agreements);
    places.extend(agreements.map(|number| Place::Record(Shelf::Agreements, number.0)));
    if place.line.0 >= record.lines {
        return places;
    }
    places.insert(Place::Line(place.book, place.line));
    places.insert(Place::Page(place.book, place.line.page()));
    let (_, holds) = book.standing(place.line).unwrap_or((Standing::ACTIVE, Vec::new()));
    places.extend(holds.iter().map(|hold| Place::Record(Shelf::Members, hold.by.0)));
    places.extend(covering_seal(state, records, place).map(|seal| Place::Seal(place.book, seal)));
    if let Some(head) = book.head(place.line) {
        places.insert(Place::Heads(place.book, place.line.page()));
        places.insert(Place::Act(place.book, head));
        let successor = records.act(place.book, head).and_then(|act| act.successor);
        places.extend(successor.map(|new| Place::Line(new.book, new.line)));
    }
    places
}

/// The seal that added a line: seals follow one another without gaps, so halving finds it.
fn covering_seal(state: &State, records: &impl Records, place: LinePlace) -> Option<SealNumber> {
    let (mut low, mut high) = (0, state.book(place.book)?.seals());
    while low < high {
        let middle = low + (high - low) / 2;
        let seal = records.seal(place.book, SealNumber(middle))?;
        if seal.covers(place.line) {
            return Some(SealNumber(middle));
        }
        if place.line < seal.first { high = middle } else { low = middle + 1 }
    }
    None
}

impl State {
    /// Where the current line with this identifier's tag stands, looking through the books of its
    /// type and issuer.
    pub fn find_line(&self, records: &impl Records, identifier: &fengni_core::id::CertificateId) -> Option<LinePlace> {
        let tag = fengni_core::book::Tag::of(&self.domain, identifier);
        let of_type = |book: &fengni_core::book::Book| {
            let kind = book.certificate_type().and_then(|kind| self.certificate_type(kind));
            kind.is_some_and(|kind| kind.code == identifier.type_code())
        };
        let (_, book) =
            self.books().find(|(_, book)| book.record().issuer == identifier.issuer() && of_type(book.record()))?;
        let place = records.find_tags(book.space(), &[tag]).first().copied().flatten()?;
        let there = self.book(place.book).is_some_and(|book| place.line < LineNumber(book.record().lines));
        there.then_some(place)
    }
}
