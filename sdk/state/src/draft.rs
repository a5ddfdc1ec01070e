//! A block being applied: the state so far, and what will have to be stored.
//!
//! An operation checks everything before it changes anything, so that a refusal leaves the draft
//! as it was.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use fengni_core::book::{Line, Seal, SuspensionCause, Tag};
use fengni_core::day::{Day, Millis};
use fengni_core::outcome::Refusal;
use fengni_core::record::{
    Agreement, Authority, Member, Objection, ObjectionStatus, Record as _, Request, Resource, ServiceItem,
};
use fengni_core::shelf::Shelf;
use fengni_core::standing::{Act, Hold, Standing};
use fengni_core::{
    ActNumber, AgreementNumber, AuthorityNumber, BookNumber, Height, ItemNumber, LineNumber, LinePlace, MemberNumber,
    ObjectionNumber, PageNumber, RequestNumber, ResourceNumber, SealNumber,
};

use crate::book::BookState;
use crate::records::{Records, Write};
use crate::registries::Shelved;
use crate::state::State;
use crate::suspension::without;

/// The state while a block is applied to it.
pub(crate) struct Draft<'a, R> {
    pub(crate) state: State,
    pub(crate) height: Height,
    pub(crate) time: Millis,
    records: &'a R,
    tags: HashMap<(BookNumber, Tag), LinePlace>,
    lines: HashMap<LinePlace, Line>,
    acts: HashMap<(BookNumber, ActNumber), Act>,
    seals: HashMap<(BookNumber, SealNumber), Seal>,
    /// Pages that changed, by book: a book is here when anything in it changed.
    touched: BTreeMap<BookNumber, BTreeSet<PageNumber>>,
    changed: BTreeSet<(Shelf, u32)>,
    writes: Vec<Write>,
}

impl<'a, R: Records> Draft<'a, R> {
    pub(crate) fn new(state: &State, records: &'a R, height: Height, time: Millis) -> Self {
        Self {
            state: state.clone(),
            height,
            time,
            records,
            tags: HashMap::new(),
            lines: HashMap::new(),
            acts: HashMap::new(),
            seals: HashMap::new(),
            touched: BTreeMap::new(),
            changed: BTreeSet::new(),
            writes: Vec::new(),
        }
    }

    /// The day of the block.
    pub(crate) fn day(&self) -> Day {
        Day::of(self.time)
    }

    pub(crate) fn member(&self, number: MemberNumber) -> Result<Arc<Member>, Refusal> {
        self.state.member(number).cloned().ok_or(Refusal::UnknownMember)
    }

    pub(crate) fn book(&self, number: BookNumber) -> Result<Arc<BookState>, Refusal> {
        self.state.book(number).cloned().ok_or(Refusal::UnknownBook)
    }

    pub(crate) fn agreement(&self, number: AgreementNumber) -> Result<Arc<Agreement>, Refusal> {
        self.state.registries.agreements.get(number.0).cloned().ok_or(Refusal::UnknownAgreement)
    }

    pub(crate) fn authority(&self, number: AuthorityNumber) -> Result<Arc<Authority>, Refusal> {
        self.state.registries.authorities.get(number.0).cloned().ok_or(Refusal::UnknownAuthority)
    }

    pub(crate) fn resource(&self, number: ResourceNumber) -> Result<Arc<Resource>, Refusal> {
        self.state.registries.resources.get(number.0).cloned().ok_or(Refusal::UnknownResource)
    }

    pub(crate) fn item(&self, number: ItemNumber) -> Result<Arc<ServiceItem>, Refusal> {
        self.state.registries.items.get(number.0).cloned().ok_or(Refusal::UnknownItem)
    }

    pub(crate) fn request(&self, number: RequestNumber) -> Result<Arc<Request>, Refusal> {
        self.state.registries.requests.get(number.0).cloned().ok_or(Refusal::UnknownRequest)
    }

    /// Standing and holds of a line; holds that ended by themselves are left out.
    pub(crate) fn standing(&self, place: LinePlace) -> Result<(Standing, Vec<Hold>), Refusal> {
        let (standing, mut holds) = self.book(place.book)?.standing(place.line).ok_or(Refusal::UnknownLine)?;
        holds.retain(|hold| hold.is_live(self.time));
        Ok((standing, holds))
    }

    /// Whether a line is held: by a body whose hold is live, or together with others (S-3, B-9).
    pub(crate) fn is_held(&self, place: LinePlace, holds: &[Hold]) -> bool {
        !holds.is_empty() || self.state.book(place.book).is_some_and(|book| book.is_suspended(place.line))
    }

    /// A line, stored before or added by this block.
    pub(crate) fn line(&self, place: LinePlace) -> Result<Line, Refusal> {
        let written = self.lines.get(&place).copied();
        written.or_else(|| self.records.line(place)).ok_or(Refusal::UnknownLine)
    }

    /// Where the current lines of these tags stand.
    pub(crate) fn find_tags(&self, space: BookNumber, tags: &[Tag]) -> Vec<Option<LinePlace>> {
        let mut found = self.records.find_tags(space, tags);
        for (tag, place) in tags.iter().zip(&mut found) {
            if let Some(newer) = self.tags.get(&(space, *tag)) {
                *place = Some(*newer);
            }
        }
        found
    }

    /// The latest act on a line.
    pub(crate) fn head(&self, place: LinePlace) -> Option<ActNumber> {
        self.state.book(place.book)?.head(place.line)
    }

    /// An act, stored before or recorded by this block.
    pub(crate) fn act(&self, book: BookNumber, number: ActNumber) -> Option<Act> {
        let written = self.acts.get(&(book, number)).cloned();
        written.or_else(|| self.records.act(book, number))
    }

    /// How many seals a book has.
    pub(crate) fn seals(&self, book: BookNumber) -> u64 {
        self.state.book(book).map_or(0, |book| book.seals())
    }

    /// A seal that the book counts, stored before or added by this block.
    pub(crate) fn sealed(&self, book: BookNumber, number: SealNumber) -> Seal {
        let written = self.seals.get(&(book, number)).cloned();
        written.or_else(|| self.records.seal(book, number)).expect("every seal that a book counts is stored")
    }

    fn book_mut(&mut self, number: BookNumber) -> &mut BookState {
        let place = usize::try_from(number.0).expect("books in memory number fewer than 2^32");
        self.touched.entry(number).or_default();
        Arc::make_mut(self.state.books.get_mut(place).expect("the operation looked the book up"))
    }

    fn touch(&mut self, place: LinePlace) {
        self.touched.entry(place.book).or_default().insert(place.line.page());
    }

    /// Opens a book.
    pub(crate) fn open_book(&mut self, mut book: BookState) -> BookNumber {
        if !self.state.proves {
            book.let_go();
        }
        let number = self.state.book_list.append(&book.record().encode());
        let number = BookNumber(u32::try_from(number).expect("each book costs a transaction"));
        self.state.books.push_back_mut(Arc::new(book));
        self.touched.entry(number).or_default();
        number
    }

    /// Adds lines to a book under one seal.
    pub(crate) fn seal(
        &mut self,
        book: BookNumber,
        lines: &[Line],
        keys: Vec<fengni_core::KeyNumber>,
    ) -> (SealNumber, LineNumber) {
        let domain = self.state.domain;
        let state = self.book_mut(book);
        let space = state.space();
        let first = LineNumber(state.record().lines);
        for line in lines {
            state.push_line(&domain, *line);
        }
        let count = u32::try_from(lines.len()).expect("a seal has at most 1,024 lines");
        let seal = Seal { first, count, height: self.height, keys };
        let number = self.book_mut(book).push_seal(&seal);
        for (line, place) in lines.iter().zip(first.0..) {
            let place = LinePlace { book, line: LineNumber(place) };
            self.touch(place);
            self.lines.insert(place, *line);
            self.tags.insert((space, line.tag), place);
            self.writes.push(Write::Tag { space, tag: line.tag, place });
        }
        self.seals.insert((book, number), seal.clone());
        self.writes.push(Write::Lines { book, first, lines: lines.to_vec() });
        self.writes.push(Write::Seal { book, number, seal });
        (number, first)
    }

    /// Records an act and the standing it leads to.
    pub(crate) fn act_on(&mut self, book: BookNumber, act: Act, holds: Vec<Hold>) -> ActNumber {
        let place = LinePlace { book, line: act.line };
        let state = self.book_mut(book);
        let number = state.push_act(&act);
        state.set_standing(act.line, act.to, holds);
        self.touch(place);
        self.acts.insert((book, number), act.clone());
        self.writes.push(Write::Act { book, number, act });
        number
    }

    /// Puts the standing a new line begins with.
    pub(crate) fn begin_with(&mut self, place: LinePlace, standing: Standing, holds: Vec<Hold>) {
        self.book_mut(place.book).set_standing(place.line, standing, holds);
    }

    /// Suspends runs of a book's lines together, if there are any.
    pub(crate) fn suspend(&mut self, book: BookNumber, cause: SuspensionCause, runs: &[(LineNumber, LineNumber)]) {
        if !runs.is_empty() {
            let height = self.height;
            self.book_mut(book).suspend(height, cause, runs);
        }
    }

    /// Gives a book to another keeper from the next height on.
    pub(crate) fn change_keeper(&mut self, book: BookNumber, keeper: MemberNumber) {
        let height = self.height;
        self.book_mut(book).change_keeper(height, keeper);
    }

    /// Notes records that a measure changed.
    pub(crate) fn touch_records(&mut self, records: impl IntoIterator<Item = (Shelf, u32)>) {
        self.changed.extend(records);
    }

    /// Takes lines out of a book's runs, where `of` says so of the cause. `None` where that would
    /// leave more runs than a book keeps.
    pub(crate) fn unsuspend(
        &mut self,
        book: BookNumber,
        lines: (LineNumber, LineNumber),
        of: impl Fn(SuspensionCause) -> bool,
    ) -> Option<u64> {
        let held = self.state.book(book)?;
        let (left, freed) = without(&held.record().suspended, lines, of)?;
        if freed > 0 {
            let height = self.height;
            self.book_mut(book).set_suspended(height, left);
        }
        Some(freed)
    }

    /// How many lines of a book, among these, are suspended for a cause.
    pub(crate) fn suspended_lines(&self, book: BookNumber, cause: SuspensionCause, lines: &Range<u64>) -> u64 {
        let runs = self.state.book(book).into_iter().flat_map(|book| &book.record().suspended);
        let runs = runs.filter(|run| run.cause == cause);
        runs.map(|run| (run.last.0 + 1).min(lines.end).saturating_sub(run.first.0.max(lines.start))).sum()
    }

    /// Adds a record to its shelf.
    pub(crate) fn append<T: Shelved>(&mut self, record: T) -> u32 {
        let number = T::of(&mut self.state.registries).append(record);
        self.changed.insert((T::SHELF, number));
        number
    }

    /// Puts another version of a record.
    pub(crate) fn replace<T: Shelved>(&mut self, number: u32, record: T) {
        T::of(&mut self.state.registries).replace(number, record);
        self.changed.insert((T::SHELF, number));
    }

    /// The open objection to a certificate.
    pub(crate) fn objection_to(&self, place: LinePlace) -> Option<ObjectionNumber> {
        self.state.objections.get(&place).copied()
    }

    /// Opens an objection.
    pub(crate) fn open_objection(&mut self, objection: Objection) -> ObjectionNumber {
        let place = objection.place;
        let number = ObjectionNumber(self.append(objection));
        self.state.objections.insert_mut(place, number);
        number
    }

    /// Puts another version of an open objection, which may be about another line by now, or closed.
    pub(crate) fn put_objection(&mut self, number: ObjectionNumber, before: LinePlace, objection: Objection) {
        self.state.objections.remove_mut(&before);
        if objection.status == ObjectionStatus::Open {
            self.state.objections.insert_mut(objection.place, number);
        }
        self.replace(number.0, objection);
    }

    /// Closes the block: page records, lists and book records come in line.
    pub(crate) fn finish(mut self) -> (State, Vec<Write>) {
        let domain = self.state.domain;
        for (number, pages) in std::mem::take(&mut self.touched) {
            let place = usize::try_from(number.0).expect("books in memory number fewer than 2^32");
            let book = Arc::make_mut(self.state.books.get_mut(place).expect("touched books exist"));
            book.settle(&domain, pages.iter().copied());
            self.state.book_list.replace(u64::from(number.0), &book.record().encode());
            self.changed.insert((Shelf::Books, number.0));
            for page in pages {
                let record = book.page(page).expect("touched pages exist").as_ref().clone();
                let heads = book.heads(page).expect("a page has its heads").as_ref().clone();
                self.writes.push(Write::Page { book: number, page, record });
                self.writes.push(Write::Heads { book: number, page, heads });
            }
        }
        for (shelf, number) in std::mem::take(&mut self.changed) {
            let bytes = self.state.record_bytes(shelf, number).expect("changed records exist");
            self.writes.push(Write::Record { shelf, number, bytes });
        }
        (self.state, self.writes)
    }
}
