//! Following the ledger: polls, and first sights of records and lines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use fengni_core::book::{Book, Subject};
use fengni_core::proof::{Place, Proven};
use fengni_core::record::Parameters;
use fengni_core::shelf::Shelf;
use fengni_core::{ActNumber, BookNumber, LinePlace};
use tokio::sync::oneshot;

use super::cache::{Cache, Known};
use super::{Clock, KEPT, RegisterTrouble, Source};

/// Records asked for at once: so many fit in a URL.
const RECORDS_AT_ONCE: usize = 128;
/// Lines asked for at once: each weighs sixteen of the places that a node proves at once.
const LINES_AT_ONCE: usize = 64;
/// Acts of a book that are read one by one; beyond, its lines are asked again.
const ACTS: u64 = 512;
/// First sights that are asked for together.
const SIGHTS: usize = 256;
/// Time between two polls for books that are not known: anybody may ask about one that there is not.
const UNKNOWN: Duration = Duration::from_millis(250);

/// What is seen for the first time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Want {
    /// A record.
    Record(Shelf, u32),
    /// A line, which is kept.
    Line(LinePlace),
    /// A line that is looked at once: what everybody may ask about pushes nothing out.
    Glance(LinePlace),
}

impl Want {
    fn line(self) -> Option<LinePlace> {
        match self {
            Self::Line(place) | Self::Glance(place) => Some(place),
            Self::Record(..) => None,
        }
    }
}

/// What was seen: of a line the state that has it, or that shows that there is none; of a record nothing, it is kept.
pub(super) type Seen = Option<Arc<Proven>>;

/// Who asks for what.
pub(super) type Asked = (Want, oneshot::Sender<Result<Seen, RegisterTrouble>>);

/// Follows the ledger.
pub(super) struct Follower<S> {
    pub(super) source: S,
    pub(super) cache: Arc<RwLock<Cache>>,
    pub(super) clock: Clock,
    /// When the last poll was begun.
    pub(super) begun: Option<Instant>,
}

impl<S: Source> Follower<S> {
    /// Polls and answers until nobody can ask any more.
    pub(super) fn run(&mut self, asked: &Receiver<Asked>, every: Duration) {
        let mut next = Instant::now();
        loop {
            // A poll that is due comes before whatever waits: no number of questions makes grants stale.
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                next = Instant::now() + every;
                if let Err(error) = self.poll() {
                    tracing::warn!(problem = error.name(), "the ledger was not polled");
                }
                continue;
            }
            let first = match asked.recv_timeout(left) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // The first poll comes before any answer: it says what there is.
            if self.read().known().is_none() {
                let polled = self.poll();
                next = Instant::now() + every;
                if let Err(error) = polled {
                    let _ = first.1.send(Err(error));
                    continue;
                }
            }
            let all: Vec<Asked> = std::iter::once(first).chain(asked.try_iter()).take(SIGHTS).collect();
            let seen = self.see(&all.iter().map(|(want, _)| *want).collect());
            for (want, tell) in all {
                let of = |lines: &BTreeMap<LinePlace, Arc<Proven>>| lines.get(&want.line()?).cloned();
                // Whoever went away is its own affair.
                let _ = tell.send(seen.as_ref().map(of).map_err(Clone::clone));
            }
        }
    }

    /// Asks for records and lines, each by itself.
    pub(super) fn see(&mut self, wants: &BTreeSet<Want>) -> Result<BTreeMap<LinePlace, Arc<Proven>>, RegisterTrouble> {
        for shelf in KEPT {
            let wanted = wants.iter().filter_map(|want| match want {
                Want::Record(of, number) if *of == shelf => Some(*number),
                _ => None,
            });
            self.records(shelf, &wanted.collect::<Vec<_>>())?;
        }
        let places: Vec<LinePlace> = wants.iter().filter_map(|want| want.line()).collect();
        // A book may have been opened since the last poll.
        let may_poll = self.begun.is_none_or(|begun| begun.elapsed() > UNKNOWN);
        if may_poll && places.iter().any(|place| !self.has_book(*place)) {
            self.poll()?;
        }
        let mut seen = self.lines(&places)?;
        let now = (self.clock)();
        for (place, proven) in &seen {
            if wants.contains(&Want::Line(*place)) {
                self.write().keep_lines(&[*place], proven, now);
            }
        }
        if let Some(known) = self.read().known() {
            for place in places {
                seen.entry(place).or_insert_with(|| Arc::clone(&known.sizes));
            }
        }
        Ok(seen)
    }

    fn has_book(&self, place: LinePlace) -> bool {
        u64::from(place.book.0) < self.read().size(Shelf::Books)
    }

    /// Asks for records that there are.
    fn records(&mut self, shelf: Shelf, numbers: &[u32]) -> Result<(), RegisterTrouble> {
        let size = self.read().size(shelf);
        let there: Vec<u32> = numbers.iter().copied().filter(|number| u64::from(*number) < size).collect();
        for some in there.chunks(RECORDS_AT_ONCE) {
            let places: Vec<Place> = some.iter().map(|number| Place::Record(shelf, *number)).collect();
            let proven = self.source.look(&places)?.1;
            let now = (self.clock)();
            self.write().keep_records(shelf, some, &proven, now)?;
        }
        Ok(())
    }

    /// Lines with their books, pages and types; of a place beyond its book the book, of one in no book nothing.
    fn lines(&mut self, places: &[LinePlace]) -> Result<BTreeMap<LinePlace, Arc<Proven>>, RegisterTrouble> {
        let there: Vec<LinePlace> = places.iter().copied().filter(|place| self.has_book(*place)).collect();
        let mut seen = BTreeMap::new();
        for some in there.chunks(LINES_AT_ONCE) {
            let of: BTreeSet<BookNumber> = some.iter().map(|place| place.book).collect();
            let mut wanted: BTreeSet<Place> = of.iter().map(|book| Place::Record(Shelf::Books, book.0)).collect();
            let first = self.source.look(&wanted.iter().copied().collect::<Vec<_>>())?.1;
            for place in some {
                let book: Book = first.record(place.book.0)?;
                if let Subject::Certificates { certificate_type } = book.subject {
                    wanted.insert(Place::Record(Shelf::Types, certificate_type.0));
                }
                if place.line.0 < book.lines {
                    wanted.insert(Place::Page(place.book, place.line.page()));
                    wanted.insert(Place::Line(place.book, place.line));
                }
            }
            let proven = Arc::new(self.source.look(&wanted.into_iter().collect::<Vec<_>>())?.1);
            seen.extend(some.iter().map(|place| (*place, Arc::clone(&proven))));
        }
        Ok(seen)
    }

    /// Looks what has changed of all that is kept.
    pub(super) fn poll(&mut self) -> Result<(), RegisterTrouble> {
        // Taken before the question: what is committed later than this may be missing.
        let polled = (self.clock)();
        self.begun = Some(Instant::now());
        let mut places = vec![Place::Record(Shelf::Parameters, 0)];
        places.extend(self.read().books().keys().map(|book| Place::Record(Shelf::Books, book.0)));
        let (shelves, proven) = self.source.look(&places)?;
        let changed: Vec<(Shelf, Vec<u32>)> = {
            let cache = self.read();
            let differs = |shelf: &Shelf| {
                let before = cache.known().map(|known| known.shelves[*shelf as usize]);
                before != Some(shelves[*shelf as usize])
            };
            KEPT.into_iter().filter(differs).map(|shelf| (shelf, cache.numbers(shelf))).collect()
        };
        for (shelf, numbers) in changed {
            self.records(shelf, &numbers)?;
        }
        let before: Vec<(BookNumber, Book)> =
            self.read().books().iter().map(|(number, book)| (*number, book.clone())).collect();
        let mut books = Vec::new();
        for (number, before) in before {
            let book: Book = proven.record(number.0)?;
            let lines = self.acted_on(number, &before, &book)?;
            let now = (self.clock)();
            for (place, proven) in self.lines(&lines)? {
                self.write().keep_lines(&[place], &proven, now);
            }
            books.push((number, book));
        }
        let header = proven.header();
        let known = Known {
            height: header.height,
            time: header.time,
            polled,
            parameters: proven.record::<Parameters>(0)?,
            shelves,
            sizes: Arc::new(proven),
        };
        self.write().finish(known, books);
        Ok(())
    }

    /// Kept lines of a book about which something was done since.
    fn acted_on(&mut self, number: BookNumber, before: &Book, book: &Book) -> Result<Vec<LinePlace>, RegisterTrouble> {
        let acts = before.acts.size..book.acts.size;
        let is_suspended = before.suspended != book.suspended;
        if is_suspended || acts.end.saturating_sub(acts.start) > ACTS {
            return Ok(self.read().lines_of(number));
        }
        let mut lines = BTreeSet::new();
        let acts: Vec<ActNumber> = acts.map(ActNumber).collect();
        for some in acts.chunks(RECORDS_AT_ONCE) {
            let mut places = vec![Place::Record(Shelf::Books, number.0)];
            places.extend(some.iter().map(|act| Place::Act(number, *act)));
            let proven: Proven = self.source.look(&places)?.1;
            for act in some {
                let line = proven.act(number, *act)?.line;
                lines.insert(LinePlace { book: number, line });
            }
        }
        let cache = self.read();
        Ok(lines.into_iter().filter(|place| cache.has_line(*place)).collect())
    }

    fn read(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cache> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }
}
