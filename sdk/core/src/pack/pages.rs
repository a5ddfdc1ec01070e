//! Page records, packed: what most pages have in common is left out.
//!
//! ```text
//! page      = [root] or the peaks of an open page, then groups of exceptions
//! group     = standing, holds, places as gaps or as a bitmap, whichever is shorter
//! touched   = lines of older pages whose standing changed, each with its exception
//! ```
//!
//! Rules Q-4 to Q-6: `sdk/spec/packs.md`. Nothing here is believed: a reader recomputes the
//! digest of the book's list of pages from what it unpacks.

use litemap::LiteMap;

use super::varint::{self, Reader};
use crate::day::Millis;
use crate::digest::{Digest, Suite};
use crate::limits::{HOLDS, PAGE_LINES};
use crate::number::{LineNumber, MemberNumber, PageNumber};
use crate::standing::{Exception, Hold, Page, Standing};
use crate::tree;

const GAPS: u8 = 0;
const BITMAP: u8 = 1;

/// Packs page records from `first` on, and the exceptions of `touched` lines on pages before.
///
/// - `pages`: every page record from `first` to the last.
/// - `peaks`: of the last page, if it is open.
/// - `touched`: by rising number, with what the line has now; plain lines have no holds.
pub(super) fn pack<'a>(
    first: PageNumber,
    pages: impl IntoIterator<Item = &'a Page>,
    peaks: &[Digest],
    touched: &[(LineNumber, Standing, Vec<Hold>)],
) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(&mut out, first.0);
    for page in pages {
        if u64::from(page.lines) == PAGE_LINES {
            out.extend_from_slice(&page.root.0);
        } else {
            peaks.iter().for_each(|peak| out.extend_from_slice(&peak.0));
        }
        write_exceptions(&mut out, page);
    }
    varint::write(&mut out, touched.len() as u64);
    let mut before = 0;
    for (line, standing, holds) in touched {
        varint::write(&mut out, line.0 - before);
        before = line.0;
        write_standing(&mut out, *standing, holds);
    }
    out
}

fn write_standing(out: &mut Vec<u8>, standing: Standing, holds: &[Hold]) {
    out.push(standing.into());
    varint::write(out, holds.len() as u64);
    for hold in holds {
        varint::write(out, u64::from(hold.by.0));
        varint::write(out, hold.until.map_or(0, |until| until.0.saturating_add(1)));
    }
}

fn read_standing(reader: &mut Reader<'_>) -> Option<(Standing, Vec<Hold>)> {
    let standing = Standing::try_from(reader.byte()?).ok()?;
    let count = reader.count(2).filter(|count| *count <= HOLDS)?;
    let hold = |reader: &mut Reader<'_>| {
        let by = MemberNumber(u32::try_from(reader.number()?).ok()?);
        let until = reader.number()?.checked_sub(1).map(Millis);
        Some(Hold { by, until })
    };
    let holds = (0..count).map(|_| hold(reader)).collect::<Option<_>>()?;
    Some((standing, holds))
}

fn write_exceptions(out: &mut Vec<u8>, page: &Page) {
    let mut groups: LiteMap<(Standing, &[Hold]), Vec<u16>> = LiteMap::new();
    for exception in &page.exceptions {
        groups.entry((exception.standing, &exception.holds)).or_default().push(exception.place);
    }
    varint::write(out, groups.len() as u64);
    for ((standing, holds), places) in groups {
        write_standing(out, standing, holds);
        let mut gaps = vec![GAPS];
        varint::write(&mut gaps, places.len() as u64);
        let mut next = 0;
        for place in &places {
            varint::write(&mut gaps, u64::from(place - next));
            next = place + 1;
        }
        let width = usize::from(page.lines).div_ceil(8);
        if gaps.len() <= width + 1 {
            out.append(&mut gaps);
        } else {
            let mut bits = vec![0; width];
            places.iter().for_each(|place| bits[usize::from(place / 8)] |= 1 << (place % 8));
            out.push(BITMAP);
            out.append(&mut bits);
        }
    }
}

/// Exceptions of a page with this many lines, by rising place.
fn read_exceptions(reader: &mut Reader<'_>, lines: u16, budget: &mut usize) -> Option<Vec<Exception>> {
    let mut exceptions = Vec::new();
    for _ in 0..reader.count(4)? {
        let (standing, holds) = read_standing(reader)?;
        let mut add = |place: u16| {
            *budget = budget.checked_sub(1 + holds.len())?;
            exceptions.push(Exception { place, standing, holds: holds.clone() });
            Some(())
        };
        match reader.byte()? {
            GAPS => {
                let mut next = 0u64;
                for _ in 0..reader.count(1)? {
                    let place = next.checked_add(reader.number()?).filter(|place| *place < u64::from(lines))?;
                    add(u16::try_from(place).ok()?)?;
                    next = place + 1;
                }
            }
            BITMAP => {
                let bits = reader.bytes(usize::from(lines).div_ceil(8))?;
                let set = |place: &u16| bits[usize::from(place / 8)] & 1 << (place % 8) != 0;
                (0..lines).filter(set).try_for_each(add)?;
            }
            _ => return None,
        }
        if exceptions.len() > usize::from(lines) {
            return None;
        }
    }
    exceptions.sort_by_key(|exception| exception.place);
    Some(exceptions)
}

/// A book's page records, and the peaks of the last page while it is open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct BookPages {
    pub pages: Vec<Page>,
    pub peaks: Vec<Digest>,
}

impl BookPages {
    /// Brings the records up to date by packed ones, for a book of `lines` lines.
    ///
    /// - `budget`: how much its exceptions may still weigh, for all books of a pack together.
    ///
    /// `None` where the bytes are not packed pages, build on other pages than these, or weigh more.
    pub fn unpack(&mut self, suite: Suite, bytes: &[u8], lines: u64, budget: &mut usize) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let first = usize::try_from(reader.number()?).ok().filter(|first| *first <= self.pages.len())?;
        // An open page of the old state must be given anew: only full pages stay.
        let kept = self.pages.get(..first)?;
        if kept.iter().any(|page| u64::from(page.lines) != PAGE_LINES) {
            return None;
        }
        self.pages.truncate(first);
        self.peaks.clear();
        let mut done = (first as u64).checked_mul(PAGE_LINES)?;
        while done < lines {
            let count = u16::try_from((lines - done).min(PAGE_LINES)).ok()?;
            let root = if u64::from(count) == PAGE_LINES {
                reader.digest()?
            } else {
                self.peaks = (0..count.count_ones()).map(|_| reader.digest()).collect::<Option<_>>()?;
                tree::fold_peaks(suite, &self.peaks)?
            };
            let exceptions = read_exceptions(&mut reader, count, budget)?;
            self.pages.push(Page { lines: count, root, exceptions });
            done += u64::from(count);
        }
        let mut line = 0u64;
        for place in 0..reader.count(3)? {
            let gap = reader.number()?;
            line = line.checked_add(gap).filter(|_| place == 0 || gap > 0)?;
            let (standing, holds) = read_standing(&mut reader)?;
            *budget = budget.checked_sub(1 + holds.len())?;
            let number = LineNumber(line);
            let page = usize::try_from(number.page().0).ok().filter(|page| *page < first)?;
            self.pages[page].set(number.place(), standing, holds);
        }
        (done == lines && reader.is_empty()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUITE: Suite = Suite::Standard;
    const PLENTY: usize = 1_000_000;

    fn page(lines: u16, exceptions: Vec<(u16, u8)>) -> (Page, Vec<Digest>) {
        let leaves: Vec<Digest> = (0..lines).map(|line| SUITE.leaf(&line.to_be_bytes())).collect();
        let mut page = Page { lines, root: tree::root(SUITE, &leaves), exceptions: Vec::new() };
        for (place, kind) in exceptions {
            let holds = match kind % 3 {
                0 => Vec::new(),
                1 => vec![Hold { by: MemberNumber(3), until: None }],
                _ => vec![
                    Hold { by: MemberNumber(1), until: Some(Millis(0)) },
                    Hold { by: MemberNumber(700), until: None },
                ],
            };
            let standing = Standing::try_from(kind % 9).expect("nine states");
            page.set(place % lines, standing, holds);
        }
        (page, tree::peaks(SUITE, &leaves))
    }

    #[test]
    fn q5_few_bytes_do_not_become_many_lines() {
        let (mut full, _) = page(1024, Vec::new());
        let holds: Vec<Hold> = (0..16).map(|by| Hold { by: MemberNumber(by), until: None }).collect();
        (0..1024).for_each(|place| full.set(place, Standing::ACTIVE, holds.clone()));
        let bytes = pack(PageNumber(0), [&full], &[], &[]);
        assert!(bytes.len() < 250, "{}", bytes.len());
        let open = |mut budget: usize| BookPages::default().unpack(SUITE, &bytes, 1024, &mut budget);
        assert_eq!(open(17 * 1024), Some(()));
        assert_eq!(open(17 * 1024 - 1), None);
    }

    proptest! {
        #[test]
        fn q5_pages_unpack_to_what_was_packed(
            last in 1..1024u16,
            many in proptest::collection::vec((0..1024u16, any::<u8>()), 0..900),
            few in proptest::collection::vec((0..1024u16, any::<u8>()), 0..9),
            cut in any::<proptest::sample::Index>(),
        ) {
            let (full, _) = page(1024, many);
            let (open, peaks) = page(last, few);
            let bytes = pack(PageNumber(0), [&full, &open], &peaks, &[]);
            let lines = 1024 + u64::from(last);
            let mut book = BookPages::default();
            prop_assert!(book.unpack(SUITE, &bytes, lines, &mut PLENTY.clone()).is_some());
            prop_assert_eq!(&book, &BookPages { pages: vec![full.clone(), open.clone()], peaks: peaks.clone() });
            // Cut off anywhere, it is refused.
            let cut = cut.index(bytes.len());
            prop_assert!(BookPages::default().unpack(SUITE, &bytes[..cut], lines, &mut PLENTY.clone()).is_none());
            // A later state: one older line touched, the open page anew.
            let mut later = full;
            later.set(7, Standing::ACTIVE.with(crate::standing::State::Revoked), Vec::new());
            let touched = [(LineNumber(7), later.standing(7).0, Vec::new())];
            let delta = pack(PageNumber(1), [&open], &peaks, &touched);
            prop_assert!(book.unpack(SUITE, &delta, lines, &mut PLENTY.clone()).is_some());
            prop_assert_eq!(&book.pages, &vec![later, open]);
            // The same on a reader that has nothing yet is refused.
            prop_assert!(BookPages::default().unpack(SUITE, &delta, lines, &mut PLENTY.clone()).is_none());
        }

        #[test]
        fn q5_hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), lines in 0..5000u64) {
            let _ = BookPages::default().unpack(SUITE, &bytes, lines, &mut PLENTY.clone());
        }
    }
}
