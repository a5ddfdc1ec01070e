//! The audit of one book, or of a time of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Defect;
use crate::book::{Book, Line, Seal, page_root};
use crate::digest::Domain;
use crate::number::{ActNumber, BookNumber, Height, LineNumber, PageNumber, SealNumber};
use crate::proof::Place;
use crate::standing::{Act, ActHeads, ActKind, Page, Standing};

/// Heights from the first to the last, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heights {
    /// The first.
    pub from: Height,
    /// The last.
    pub to: Height,
}

impl Heights {
    /// Every height there is.
    pub const ALL: Self = Self { from: Height(0), to: Height(u64::MAX) };

    /// Whether a height is among them.
    pub fn has(&self, height: Height) -> bool {
        (self.from..=self.to).contains(&height)
    }
}

/// What an audit found: the counts of the time, and what is wrong with them.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Audited {
    /// The book.
    pub book: BookNumber,
    /// Seals of the time.
    pub seals: u64,
    /// The first and the last of them.
    pub seal_numbers: Option<(SealNumber, SealNumber)>,
    /// Lines that they added: certificates issued.
    pub lines: u64,
    /// The first and the last of them.
    pub line_numbers: Option<(LineNumber, LineNumber)>,
    /// Acts of the time.
    pub acts: u64,
    /// The first and the last of them.
    pub act_numbers: Option<(ActNumber, ActNumber)>,
    /// Acts by kind, those that happened.
    pub kinds: Vec<(ActKind, u64)>,
    /// Pages whose lines were hashed to their root.
    pub pages: u64,
    /// Events of the book are its lines and its acts, counted together from 1: the first and the
    /// last of the time.
    pub counter: Option<(u64, u64)>,
    /// What is missing or does not fit; empty where the book is complete.
    pub defects: Vec<Defect>,
}

impl Audited {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.defects.is_empty()
    }
}

/// Judges the entries of one book as they come in.
#[derive(Debug)]
pub struct BookAudit {
    domain: Domain,
    number: BookNumber,
    /// The record that counts the entries.
    book: Book,
    heights: Heights,
    seals: Fed,
    acts: Fed,
    /// Acts that nobody gave: what names them is not to blame.
    withheld: BTreeSet<ActNumber>,
    /// Where the next seal begins.
    line: Option<LineNumber>,
    /// Lines and acts before the time that was asked for.
    lines_before: u64,
    acts_before: u64,
    /// Of the lines on which something was done: the last act, and the standing that it left.
    last: BTreeMap<LineNumber, (ActNumber, Standing)>,
    found: Audited,
}

/// Entries of one list that came in, one after the other.
#[derive(Clone, Copy, Default, Debug)]
struct Fed {
    first: Option<u64>,
    next: u64,
    height: Height,
    /// Whether there was one before the time that was asked for, and one after it.
    before: bool,
    after: bool,
}

impl BookAudit {
    /// Rule U-1: begins with the record that counts everything.
    ///
    /// - `book`: proven, as of the state that is audited.
    pub fn new(domain: Domain, number: BookNumber, book: Book, heights: Heights) -> Self {
        let found = Audited { book: number, ..Audited::default() };
        Self {
            domain,
            number,
            book,
            heights,
            seals: Fed::default(),
            acts: Fed::default(),
            withheld: BTreeSet::new(),
            line: None,
            lines_before: 0,
            acts_before: 0,
            last: BTreeMap::new(),
            found,
        }
    }

    /// Notes an entry that nobody gave.
    pub fn withheld(&mut self, place: Place) {
        self.found.defects.push(Defect::Withheld { place });
        // What comes after is judged as far as it can be.
        match place {
            Place::Seal(_, number) => {
                self.seals.skip(number.0);
                self.line = None;
            }
            Place::Act(_, number) => {
                self.acts.skip(number.0);
                self.withheld.insert(number);
            }
            _ => (),
        }
    }

    /// Notes a page whose lines nobody gave.
    pub fn withheld_lines(&mut self, page: PageNumber) {
        self.found.defects.push(Defect::Lines { page });
    }

    /// Rule U-2: the next seal.
    pub fn seal(&mut self, number: SealNumber, seal: &Seal) {
        let place = Place::Seal(self.number, number);
        if let Some(expected) = self.seals.take(number.0) {
            let expected = Place::Seal(self.number, SealNumber(expected));
            self.found.defects.push(Defect::Order { expected, found: place });
            self.line = None;
        }
        self.rising(place, seal.height, |audit| &mut audit.seals);
        let begins = if number.0 == 0 { Some(LineNumber(0)) } else { self.line };
        if let Some(expected) = begins.filter(|expected| *expected != seal.first) {
            self.found.defects.push(Defect::SealBegins { place, expected, found: seal.first });
        }
        let end = LineNumber(seal.first.0.saturating_add(u64::from(seal.count)));
        self.line = Some(end);
        if seal.height < self.heights.from {
            self.lines_before = end.0;
        }
        if self.heights.has(seal.height) {
            self.found.seals += 1;
            self.found.lines = self.found.lines.saturating_add(u64::from(seal.count));
            let first = self.found.seal_numbers.map_or(number, |(first, _)| first);
            self.found.seal_numbers = Some((first, number));
            let first = self.found.line_numbers.map_or(seal.first, |(first, _)| first);
            self.found.line_numbers = Some((first, LineNumber(end.0.saturating_sub(1))));
        }
    }

    /// Rule U-3: the next act.
    pub fn act(&mut self, number: ActNumber, act: &Act) {
        let place = Place::Act(self.number, number);
        if let Some(expected) = self.acts.take(number.0) {
            let expected = Place::Act(self.number, ActNumber(expected));
            self.found.defects.push(Defect::Order { expected, found: place });
        }
        self.rising(place, act.height, |audit| &mut audit.acts);
        if act.line.0 >= self.book.lines {
            self.found.defects.push(Defect::NoLine { act: number, line: act.line });
        }
        let before = self.last.get(&act.line).copied();
        let expected = before.map(|(number, _)| number);
        // An act before those that came in says nothing against the chain, nor one that was withheld.
        let earlier = |previous: ActNumber| expected.is_none() && !self.acts.has(previous.0);
        let unseen = act.previous.is_some_and(|previous| earlier(previous) || self.withheld.contains(&previous));
        if expected != act.previous && !unseen {
            self.found.defects.push(Defect::Chain { act: number, expected, found: act.previous });
        } else if !unseen && before.is_some_and(|(_, standing)| standing != act.from) {
            self.found.defects.push(Defect::Begins { act: number });
        }
        self.last.insert(act.line, (number, act.to));
        if act.height < self.heights.from {
            self.acts_before = number.0.saturating_add(1);
        }
        if self.heights.has(act.height) {
            self.found.acts += 1;
            let first = self.found.act_numbers.map_or(number, |(first, _)| first);
            self.found.act_numbers = Some((first, number));
            match self.found.kinds.binary_search_by_key(&act.kind, |(kind, _)| *kind) {
                Ok(place) => self.found.kinds[place].1 += 1,
                Err(place) => self.found.kinds.insert(place, (act.kind, 1)),
            }
        }
    }

    /// Heights never fall, and which entries lie beside the time.
    fn rising(&mut self, place: Place, height: Height, list: impl Fn(&mut Self) -> &mut Fed) {
        let heights = self.heights;
        let fed = list(self);
        let before = std::mem::replace(&mut fed.height, height);
        fed.before |= height < heights.from;
        fed.after |= height > heights.to;
        if height < before {
            self.found.defects.push(Defect::Falls { place, found: height, before });
        }
    }

    /// The pages that the seals and acts so far touch: those to be fed next, rising.
    pub fn pages(&self) -> BTreeSet<PageNumber> {
        let touched = self.last.keys().map(|line| line.page());
        let lines = self.found.line_numbers.map(|(first, last)| first.page().0..=last.page().0);
        let mut pages: BTreeSet<PageNumber> = lines.into_iter().flatten().map(PageNumber).collect();
        pages.extend(touched.filter(|page| page.0 < self.book.pages.size));
        pages
    }

    /// Rule U-4: a page with its heads and all its lines.
    ///
    /// - `book`: the record under which this page was proven, which may be a later one.
    /// - `lines`: all of them; `None` where nobody gave them.
    pub fn page(&mut self, book: &Book, number: PageNumber, record: &Page, heads: &ActHeads, lines: Option<&[Line]>) {
        let counted = u64::from(record.lines);
        let expected = book.lines_on(number);
        if counted != expected {
            self.found.defects.push(Defect::PageLines { page: number, expected, found: counted });
        }
        match lines {
            Some(lines) if lines.len() as u64 == counted && page_root(&self.domain, lines) == record.root => {
                self.found.pages += 1;
            }
            _ => self.withheld_lines(number),
        }
        let on_page = number.line(0)..PageNumber(number.0.saturating_add(1)).line(0);
        let defects = &mut self.found.defects;
        for (&line, &(act, standing)) in self.last.range(on_page) {
            match heads.of(line.place()) {
                // Later than what came in, done after the state that is audited; or withheld.
                Some(head) if head.0 >= self.acts.next || self.withheld.contains(&head) => (),
                Some(head) if head == act => {
                    if record.standing(line.place()).0 != standing {
                        defects.push(Defect::Standing { line, act });
                    }
                }
                found => defects.push(Defect::Head { line, expected: Some(act), found }),
            }
        }
        // An act that the heads name and that is none of those that came in, where it had to be.
        for (place, head) in &heads.heads {
            let line = number.line(*place);
            let due = self.acts.has(head.0) && !self.withheld.contains(head);
            if due && !self.last.contains_key(&line) {
                defects.push(Defect::Head { line, expected: None, found: Some(*head) });
            }
        }
    }

    /// Rule U-5: what was found, once everything came in.
    pub fn finish(mut self) -> Audited {
        let seal = |entry: u64| Place::Seal(self.number, SealNumber(entry));
        let act = |entry: u64| Place::Act(self.number, ActNumber(entry));
        let seals = self.seals.gaps(self.book.seals.size).map(seal);
        let gaps: Vec<Place> = seals.chain(self.acts.gaps(self.book.acts.size).map(act)).collect();
        let defects = &mut self.found.defects;
        defects.extend(gaps.into_iter().map(|place| Defect::Border { place }));
        let ended = self.line.filter(|_| self.seals.next == self.book.seals.size);
        let found = if self.book.seals.size == 0 { Some(0) } else { ended.map(|line| line.0) };
        if let Some(found) = found.filter(|found| *found != self.book.lines) {
            defects.push(Defect::Sum { expected: self.book.lines, found });
        }
        let events = self.found.lines.saturating_add(self.found.acts);
        let before = self.lines_before.saturating_add(self.acts_before);
        self.found.counter = (events > 0).then(|| (before.saturating_add(1), before.saturating_add(events)));
        self.found
    }
}

impl Fed {
    /// Takes the next entry; the number that was to come, where it is another.
    fn take(&mut self, number: u64) -> Option<u64> {
        let expected = self.first.map(|_| self.next).filter(|expected| *expected != number);
        self.skip(number);
        expected
    }

    fn skip(&mut self, number: u64) {
        self.first = self.first.or(Some(number));
        self.next = self.next.max(number.saturating_add(1));
    }

    /// Whether an entry of this number came in, or had to.
    fn has(&self, number: u64) -> bool {
        self.first.is_some_and(|first| (first..self.next).contains(&number))
    }

    /// The entries that show where the time begins and ends, and did not come in.
    fn gaps(&self, size: u64) -> impl Iterator<Item = u64> + use<> {
        let first = self.first.unwrap_or(0);
        let below = first.checked_sub(1).filter(|_| !self.before);
        let above = Some(self.next).filter(|next| *next < size && !self.after);
        below.into_iter().chain(above)
    }
}
