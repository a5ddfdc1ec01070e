//! A book in memory: its record, its page records and the lists that authenticate them.

use std::ops::Range;
use std::sync::Arc;

use fengni_core::book::{Book, FormerKeeper, Line, ListHead, Seal, Subject, Suspension, SuspensionCause, page_root};
use fengni_core::id::{CreditCode, Division};
use fengni_core::limits::PAGE_LINES;
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::proof::BookList;
use fengni_core::standing::{Act, ActHeads, Hold, Page, Standing};
use fengni_core::{ActNumber, BookNumber, Digest, Domain, Height, LineNumber, MemberNumber, PageNumber, SealNumber};
use rpds::VectorSync;

use crate::growing::Growing;
use crate::state::StateParts;
use crate::suspension::with_runs;

/// A book: what proofs and rules need at hand.
#[derive(Clone)]
pub struct BookState {
    record: Book,
    space: BookNumber,
    pages: VectorSync<Arc<Page>>,
    heads: VectorSync<Arc<ActHeads>>,
    lists: Lists,
    /// Lines of the last page while it is not full.
    open_lines: VectorSync<Line>,
}

/// A time for which a member kept a book.
pub(crate) struct Term {
    /// From the first height to the last, if it is over.
    pub(crate) heights: (Height, Option<Height>),
    /// The lines sealed then.
    pub(crate) lines: Range<u64>,
}

#[derive(Clone)]
struct Lists {
    pages: NumberedList,
    seals: Growing,
    acts: Growing,
    heads: NumberedList,
}

impl BookState {
    /// A new, empty book. `space` is the first book of the same issuer and type.
    pub(crate) fn open(
        domain: &Domain,
        space: BookNumber,
        subject: Subject,
        division: Division,
        issuer: CreditCode,
        keeper: MemberNumber,
        opened: Height,
    ) -> Self {
        let list = |kind| NumberedList::new(domain.suite, kind);
        let lists = Lists {
            pages: list(ListKind::Pages),
            seals: Growing::Proving(list(ListKind::Seals)),
            acts: Growing::Proving(list(ListKind::Acts)),
            heads: list(ListKind::Heads),
        };
        let empty = |kind| ListHead { size: 0, digest: list(kind).digest(domain) };
        let record = Book {
            version: 1,
            subject,
            division,
            issuer,
            keeper,
            opened,
            changed: opened,
            lines: 0,
            pages: empty(ListKind::Pages),
            seals: empty(ListKind::Seals),
            acts: empty(ListKind::Acts),
            heads: empty(ListKind::Heads),
            suspended: Vec::new(),
            former: Vec::new(),
        };
        Self {
            record,
            space,
            pages: VectorSync::new_sync(),
            heads: VectorSync::new_sync(),
            lists,
            open_lines: VectorSync::new_sync(),
        }
    }

    /// A stored book: its record and everything in it, in order.
    pub(crate) fn load(
        domain: &Domain,
        space: BookNumber,
        record: &Book,
        number: BookNumber,
        parts: &impl StateParts,
    ) -> Self {
        let opened = record.opened;
        let mut book = Self::open(domain, space, record.subject, record.division, record.issuer, record.keeper, opened);
        for page in parts.pages(number) {
            book.lists.pages.append(&page.encode());
            book.pages.push_back_mut(Arc::new(page));
        }
        for head in parts.heads(number) {
            book.lists.heads.append(&head.encode());
            book.heads.push_back_mut(Arc::new(head));
        }
        for seal in parts.seals(number) {
            book.lists.seals.append(&seal.encode());
        }
        for act in parts.acts(number) {
            book.lists.acts.append(&act.encode());
        }
        book.open_lines = parts.open_lines(number).into_iter().collect();
        book.record.version = record.version;
        book.record.changed = record.changed;
        book.record.lines = record.lines;
        book.record.suspended = record.suspended.clone();
        book.record.former = record.former.clone();
        book.refresh_heads(domain);
        book
    }

    /// Whether the open lines are those that the last page's record counts and hashes.
    pub(crate) fn holds_open_lines(&self, domain: &Domain) -> bool {
        let count = self.record.lines % PAGE_LINES;
        self.open_lines.len() as u64 == count
            && (count == 0 || self.pages.last().is_some_and(|page| page.root == self.open_root(domain)))
    }

    /// The record as of the last block.
    pub fn record(&self) -> &Book {
        &self.record
    }

    /// The books among which a tag stands once: named by the first of them.
    pub fn space(&self) -> BookNumber {
        self.space
    }

    /// A page record.
    pub fn page(&self, page: PageNumber) -> Option<&Arc<Page>> {
        self.pages.get(usize::try_from(page.0).ok()?)
    }

    /// Lines of the last page while it is not full.
    pub fn open_lines(&self) -> impl Iterator<Item = &Line> {
        self.open_lines.iter()
    }

    /// Every page record.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.pages.iter().map(Arc::as_ref)
    }

    /// Act heads of a page.
    pub fn heads(&self, page: PageNumber) -> Option<&Arc<ActHeads>> {
        self.heads.get(usize::try_from(page.0).ok()?)
    }

    /// The latest act on a line.
    pub fn head(&self, line: LineNumber) -> Option<ActNumber> {
        self.heads(line.page())?.of(line.place())
    }

    /// Standing and holds of a line that exists.
    pub fn standing(&self, line: LineNumber) -> Option<(Standing, Vec<Hold>)> {
        let page = self.page(line.page()).filter(|_| line.0 < self.record.lines)?;
        let (standing, holds) = page.standing(line.place());
        Some((standing, holds.to_vec()))
    }

    /// Whether a line is suspended together with others. Rule B-9.
    pub(crate) fn is_suspended(&self, line: LineNumber) -> bool {
        self.record.suspended.iter().any(|suspension| suspension.covers(line))
    }

    /// One of the book's lists with what proves its entries, where that is kept.
    pub(crate) fn list(&self, list: BookList) -> Option<&NumberedList> {
        match list {
            BookList::Pages => Some(&self.lists.pages),
            BookList::Seals => self.lists.seals.proving(),
            BookList::Acts => self.lists.acts.proving(),
            BookList::Heads => Some(&self.lists.heads),
        }
    }

    /// Lets go of what proves seals and acts.
    pub(crate) fn let_go(&mut self) {
        self.lists.seals = self.lists.seals.bare();
        self.lists.acts = self.lists.acts.bare();
    }

    /// How many seals there are.
    pub fn seals(&self) -> u64 {
        self.lists.seals.len()
    }

    /// How many acts there are.
    pub fn acts(&self) -> u64 {
        self.lists.acts.len()
    }

    /// Adds a line; page records follow in [`BookState::settle`].
    pub(crate) fn push_line(&mut self, domain: &Domain, line: Line) -> LineNumber {
        let number = LineNumber(self.record.lines);
        self.record.lines += 1;
        if number.place() == 0 {
            let empty = Page { lines: 0, root: Default::default(), exceptions: Vec::new() };
            self.pages.push_back_mut(Arc::new(empty));
            self.heads.push_back_mut(Arc::default());
            // The lists get their entries when the page's root is known.
            self.open_lines = VectorSync::new_sync();
        }
        self.open_lines.push_back_mut(line);
        if self.open_lines.len() as u64 == PAGE_LINES {
            self.close_lines(domain);
        }
        number
    }

    /// Root of the lines of the last page.
    fn open_root(&self, domain: &Domain) -> Digest {
        let lines: Vec<Line> = self.open_lines.iter().copied().collect();
        page_root(domain, &lines)
    }

    /// Puts the count and root of the last page's lines into its record.
    fn close_lines(&mut self, domain: &Domain) {
        let last = self.pages.len() - 1;
        let root = self.open_root(domain);
        let page = self.pages.get_mut(last).expect("a line was added, so there is a page");
        let page = Arc::make_mut(page);
        page.lines = u16::try_from(self.open_lines.len()).expect("a page has at most 1,024 lines");
        page.root = root;
    }

    /// Records a seal.
    pub(crate) fn push_seal(&mut self, seal: &Seal) -> SealNumber {
        SealNumber(self.lists.seals.append(&seal.encode()))
    }

    /// Records an act and its place as the line's latest.
    pub(crate) fn push_act(&mut self, act: &Act) -> ActNumber {
        let number = ActNumber(self.lists.acts.append(&act.encode()));
        let page = usize::try_from(act.line.page().0).expect("pages in memory number fewer than 2^64");
        let heads = self.heads.get_mut(page).expect("the line exists, so its page does");
        Arc::make_mut(heads).set(act.line.place(), number);
        number
    }

    /// Puts a line's standing.
    pub(crate) fn set_standing(&mut self, line: LineNumber, standing: Standing, holds: Vec<Hold>) {
        let page = usize::try_from(line.page().0).expect("pages in memory number fewer than 2^64");
        let page = self.pages.get_mut(page).expect("the line exists, so its page does");
        Arc::make_mut(page).set(line.place(), standing, holds);
    }

    /// Suspends runs of lines, each from its first to its last. Rule B-9.
    pub(crate) fn suspend(&mut self, height: Height, cause: SuspensionCause, runs: &[(LineNumber, LineNumber)]) {
        let suspended = with_runs(&self.record.suspended, cause, runs);
        if suspended != self.record.suspended {
            self.set_suspended(height, suspended);
        }
    }

    /// Puts other runs of suspended lines in place of those there are.
    pub(crate) fn set_suspended(&mut self, height: Height, suspended: Vec<Suspension>) {
        self.record.suspended = suspended;
        self.record.version += 1;
        self.record.changed = height;
    }

    /// Gives the book to another keeper after a height. Rule B-10.
    pub(crate) fn change_keeper(&mut self, until: Height, keeper: MemberNumber) {
        let (member, lines) = (std::mem::replace(&mut self.record.keeper, keeper), self.record.lines);
        self.record.former.push(FormerKeeper { member, until, lines });
        self.record.version += 1;
        self.record.changed = until;
    }

    /// The heights at which a member kept the book, with the lines that it sealed then: for each time
    /// the first height and, where it is over, the last. Rule B-10.
    pub(crate) fn terms_of(&self, member: MemberNumber) -> Vec<Term> {
        let record = &self.record;
        let ends = record.former.iter().map(|former| (former.member, Some(former.until), former.lines));
        let mut begins = (record.opened, 0);
        let mut terms = Vec::new();
        for (keeper, until, lines) in ends.chain([(record.keeper, None, record.lines)]) {
            let (from, first) = begins;
            if keeper == member {
                terms.push(Term { heights: (from, until), lines: first..lines });
            }
            begins = (until.map_or(from, Height::next), lines);
        }
        terms
    }

    /// Brings page records, lists and the book record in line after a block.
    pub(crate) fn settle(&mut self, domain: &Domain, touched: impl IntoIterator<Item = PageNumber>) {
        if !self.open_lines.is_empty() {
            self.close_lines(domain);
        }
        // Pages are touched in rising order, so new ones are appended one after the other.
        for page in touched {
            let place = usize::try_from(page.0).expect("pages in memory number fewer than 2^64");
            let (record, heads) = (self.pages[place].encode(), self.heads[place].encode());
            for (list, bytes) in [(&mut self.lists.pages, record), (&mut self.lists.heads, heads)] {
                if page.0 < list.len() {
                    list.replace(page.0, &bytes);
                } else {
                    list.append(&bytes);
                }
            }
        }
        self.refresh_heads(domain);
    }

    fn refresh_heads(&mut self, domain: &Domain) {
        let head = |list: &NumberedList| ListHead { size: list.len(), digest: list.digest(domain) };
        let grown = |list: &Growing| ListHead { size: list.len(), digest: list.digest(domain) };
        self.record.pages = head(&self.lists.pages);
        self.record.seals = grown(&self.lists.seals);
        self.record.acts = grown(&self.lists.acts);
        self.record.heads = head(&self.lists.heads);
    }
}
