//! What is kept of the ledger between two polls.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fengni_core::book::Book;
use fengni_core::proof::{ProofError, Proven, ShelfHead};
use fengni_core::record::{CodeSet, Member, Parameters, Record, Request, Resource, ServiceItem};
use fengni_core::shelf::Shelf;
use fengni_core::{BookNumber, Height, LinePlace, Millis};

use super::stands;

/// Records and lines that nobody asked for so long are forgotten, in milliseconds.
const KEPT_MILLIS: u64 = 600_000;
/// Lines that are kept, at most: each is some kilobytes.
const LINES: usize = 20_000;

/// The last poll that came to an end.
pub(super) struct Known {
    pub(super) height: Height,
    pub(super) time: Millis,
    pub(super) polled: Millis,
    pub(super) parameters: Parameters,
    pub(super) shelves: Vec<ShelfHead>,
    /// The state without any entry but the parameters: shows how many records each registry has.
    pub(super) sizes: Arc<Proven>,
}

/// A record, read once: its keys are points of curves, which cost more to read than all else.
type Read = Arc<dyn Any + Send + Sync>;

/// Something that was proven, and when it was last asked for.
struct Kept<T> {
    value: T,
    used: AtomicU64,
}

impl<T> Kept<T> {
    fn new(value: T, before: Option<&Self>, now: Millis) -> Self {
        let used = before.map_or(now.0, |before| before.used.load(Ordering::Relaxed));
        Self { value, used: AtomicU64::new(used) }
    }

    fn touch(&self, now: Millis) {
        self.used.fetch_max(now.0, Ordering::Relaxed);
    }
}

/// What is known.
#[derive(Default)]
pub(super) struct Cache {
    known: Option<Known>,
    records: HashMap<(Shelf, u32), Kept<Read>>,
    lines: HashMap<LinePlace, Kept<Arc<Proven>>>,
    /// Books of those lines, as of when all acts before were looked at.
    books: HashMap<BookNumber, Book>,
}

impl Cache {
    pub(super) fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// A record that is kept; inside, `None` where there is none on the ledger.
    pub(super) fn record<R: Record + Send + Sync + 'static>(&self, number: u32, now: Millis) -> Option<Option<Arc<R>>> {
        let known = self.known.as_ref()?;
        let Some(kept) = self.records.get(&(R::SHELF, number)) else {
            return (u64::from(number) >= known.sizes.size(R::SHELF)).then_some(None);
        };
        kept.touch(now);
        Some(Arc::clone(&kept.value).downcast().ok())
    }

    /// What is kept about a line.
    pub(super) fn line(&self, place: LinePlace, now: Millis) -> Option<Arc<Proven>> {
        let kept = self.lines.get(&place)?;
        kept.touch(now);
        Some(Arc::clone(&kept.value))
    }

    /// Records of a registry that are kept.
    pub(super) fn numbers(&self, shelf: Shelf) -> Vec<u32> {
        self.records.keys().filter(|(of, _)| *of == shelf).map(|(_, number)| *number).collect()
    }

    /// Lines of a book that are kept.
    pub(super) fn lines_of(&self, book: BookNumber) -> Vec<LinePlace> {
        self.lines.keys().filter(|place| place.book == book).copied().collect()
    }

    /// Whether a line is kept.
    pub(super) fn has_line(&self, place: LinePlace) -> bool {
        self.lines.contains_key(&place)
    }

    /// Books of lines that are kept.
    pub(super) fn books(&self) -> &HashMap<BookNumber, Book> {
        &self.books
    }

    /// How many records a registry has, as far as is known.
    pub(super) fn size(&self, shelf: Shelf) -> u64 {
        self.known.as_ref().map_or(0, |known| known.sizes.size(shelf))
    }

    /// Keeps records that were proven.
    ///
    /// # Errors
    /// [`ProofError`] for one that is missing or cannot be read.
    pub(super) fn keep_records(
        &mut self,
        shelf: Shelf,
        numbers: &[u32],
        proven: &Proven,
        now: Millis,
    ) -> Result<(), ProofError> {
        for number in numbers {
            let value: Read = match shelf {
                Shelf::Codes => Arc::new(proven.record::<CodeSet>(*number)?),
                Shelf::Resources => Arc::new(proven.record::<Resource>(*number)?),
                Shelf::Items => Arc::new(proven.record::<ServiceItem>(*number)?),
                Shelf::Requests => Arc::new(proven.record::<Request>(*number)?),
                _ => Arc::new(proven.record::<Member>(*number)?),
            };
            let kept = Kept::new(value, self.records.get(&(shelf, *number)), now);
            self.records.insert((shelf, *number), kept);
        }
        Ok(())
    }

    /// Keeps lines that were proven, and their books where they are new. Where there is no line yet, there may
    /// be one at any moment: nothing is kept of that.
    pub(super) fn keep_lines(&mut self, places: &[LinePlace], proven: &Arc<Proven>, now: Millis) {
        for place in places.iter().filter(|place| stands(proven, **place) == Ok(true)) {
            let kept = Kept::new(Arc::clone(proven), self.lines.get(place), now);
            self.lines.insert(*place, kept);
            if let Ok(book) = proven.record::<Book>(place.book.0) {
                // Acts since an older state of the book are still to be looked at, for lines kept before.
                self.books.entry(place.book).or_insert(book);
            }
        }
    }

    /// A poll came to an end: everything kept holds at its height.
    pub(super) fn finish(&mut self, known: Known, books: Vec<(BookNumber, Book)>) {
        let now = known.polled;
        self.known = Some(known);
        self.books.extend(books);
        let oldest = now.0.saturating_sub(KEPT_MILLIS);
        self.records.retain(|_, kept| *kept.used.get_mut() >= oldest);
        self.lines.retain(|_, kept| *kept.used.get_mut() >= oldest);
        if self.lines.len() > LINES {
            // Whoever needs one asks again.
            self.lines.clear();
        }
        let lines = &self.lines;
        self.books.retain(|book, _| lines.keys().any(|place| place.book == *book));
    }
}
