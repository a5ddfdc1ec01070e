//! The audit of a book: complete, or visibly not, with the place named. Rules U-1 to U-5; AUD-02.

use fengni_core::audit::{Audited, BookAudit, Defect, Heights};
use fengni_core::book::{Book, Line, ListHead, Seal, Subject, Tag, page_root};
use fengni_core::id::{CreditCode, Division};
use fengni_core::proof::Place;
use fengni_core::standing::{Act, ActHeads, ActKind, Page, Standing, State};
use fengni_core::*;

const BOOK: BookNumber = BookNumber(3);
/// Lines of the book: two pages, the second not full.
const LINES: u64 = 1030;

fn domain() -> Domain {
    Domain { suite: Suite::Standard, network: NetworkId(Digest([9; 32])) }
}

/// Everything in a book.
#[derive(Clone)]
struct Whole {
    book: Book,
    seals: Vec<(u64, Seal)>,
    acts: Vec<(u64, Act)>,
    pages: Vec<(u64, Page, ActHeads, Vec<Line>)>,
}

fn seal(first: u64, count: u32, height: u64) -> Seal {
    Seal { first: LineNumber(first), count, height: Height(height), keys: vec![KeyNumber(4)] }
}

fn act(line: u64, height: u64, previous: Option<u64>, from: Standing, to: Standing) -> Act {
    Act {
        line: LineNumber(line),
        kind: if to.state == State::Active { ActKind::Dispute } else { ActKind::Cancel },
        from,
        to,
        reason: ReasonCode(201),
        decision: Digest([1; 32]),
        height: Height(height),
        by: MemberNumber(1),
        keys: vec![KeyNumber(4)],
        hold: None,
        until: None,
        target: None,
        successor: None,
        previous: previous.map(ActNumber),
    }
}

/// Three seals, and three acts on two lines.
fn whole() -> Whole {
    let disputed = Standing { disputed: true, ..Standing::ACTIVE };
    let (cancelled, later) = (Standing::ACTIVE.with(State::Cancelled), disputed.with(State::Cancelled));
    let seals = vec![seal(0, 1000, 10), seal(1000, 28, 20), seal(1028, 2, 30)];
    let acts = vec![
        act(5, 12, None, Standing::ACTIVE, disputed),
        act(1029, 31, None, Standing::ACTIVE, cancelled),
        act(5, 32, Some(0), disputed, later),
    ];
    let head = |size: usize| ListHead { size: size as u64, digest: Digest::default() };
    let book = Book {
        version: 1,
        subject: Subject::Certificates { certificate_type: TypeNumber(0) },
        division: Division::parse("37").expect("a division"),
        issuer: CreditCode::parse("11319900XN0100013M").expect("a right credit code"),
        keeper: MemberNumber(1),
        opened: Height(5),
        changed: Height(5),
        lines: LINES,
        pages: head(2),
        seals: head(seals.len()),
        acts: head(acts.len()),
        heads: head(2),
        suspended: vec![],
        former: vec![],
    };
    let line = |number: u64| {
        let mut line = Line { tag: Tag([7; 16]), commitment: Digest([2; 32]) };
        line.tag.0[..8].copy_from_slice(&number.to_be_bytes());
        line
    };
    let page = |number: u64| {
        let lines: Vec<Line> = (number * 1024..LINES.min((number + 1) * 1024)).map(line).collect();
        let count = u16::try_from(lines.len()).expect("1,024 at most");
        let mut record = Page { lines: count, root: page_root(&domain(), &lines), exceptions: vec![] };
        let mut heads = ActHeads::default();
        let (place, head, standing) = if number == 0 { (5, 2, later) } else { (5, 1, cancelled) };
        record.set(place, standing, vec![]);
        heads.set(place, ActNumber(head));
        (number, record, heads, lines)
    };
    Whole { book, seals: (0..).zip(seals).collect(), acts: (0..).zip(acts).collect(), pages: vec![page(0), page(1)] }
}

/// Audits what is given, all that is there of a time.
fn audited(whole: &Whole, heights: Heights) -> Audited {
    let mut audit = BookAudit::new(domain(), BOOK, whole.book.clone(), heights);
    whole.seals.iter().for_each(|(number, seal)| audit.seal(SealNumber(*number), seal));
    whole.acts.iter().for_each(|(number, act)| audit.act(ActNumber(*number), act));
    let touched = audit.pages();
    for (number, record, heads, lines) in whole.pages.iter().filter(|page| touched.contains(&PageNumber(page.0))) {
        audit.page(&whole.book, PageNumber(*number), record, heads, Some(lines));
    }
    audit.finish()
}

#[test]
fn u1_a_book_that_shows_everything_is_complete() {
    let found = audited(&whole(), Heights::ALL);
    assert_eq!(found.defects, []);
    assert_eq!((found.seals, found.lines, found.acts, found.pages), (3, LINES, 3, 2));
    assert_eq!(found.counter, Some((1, LINES + 3)));
    assert_eq!(found.kinds, [(ActKind::Cancel, 2), (ActKind::Dispute, 1)]);
    assert_eq!(found.line_numbers, Some((LineNumber(0), LineNumber(LINES - 1))));
}

#[test]
fn u5_a_time_of_it_is_counted_with_what_stands_beside() {
    let march = Heights { from: Height(11), to: Height(31) };
    let found = audited(&whole(), march);
    assert_eq!(found.defects, []);
    assert_eq!((found.seals, found.lines, found.acts), (2, 30, 2));
    assert_eq!(found.seal_numbers, Some((SealNumber(1), SealNumber(2))));
    assert_eq!(found.act_numbers, Some((ActNumber(0), ActNumber(1))));
    // After 1,000 lines and no act come 30 lines and two acts.
    assert_eq!(found.counter, Some((1001, 1032)));
    let never = audited(&whole(), Heights { from: Height(13), to: Height(19) });
    assert_eq!((never.defects.len(), never.counter), (0, None));
    // Without the act after the time, nothing shows that there is none.
    let mut cut = whole();
    cut.acts.pop();
    assert_eq!(audited(&cut, march).defects, [Defect::Border { place: Place::Act(BOOK, ActNumber(2)) }]);
}

/// What was done to a book, and what of it is found.
type Row = (&'static str, fn(&mut Whole), &'static [&'static str]);

const TABLE: [Row; 20] = [
    ("a seal is left out", |book| drop(book.seals.remove(1)), &["seal 1 is missing: seal 2 came in its place"]),
    ("the last seal is left out", |book| drop(book.seals.pop()), &["seal 2 was not given"]),
    ("seals are swapped", |book| book.seals.swap(0, 1), &["seal 2 is missing"]),
    (
        "a seal counts one line more",
        |book| book.seals[0].1.count = 1001,
        &["seal 1 begins at line 1000, the one before ended before line 1001"],
    ),
    (
        "the last seal counts one line less",
        |book| book.seals[2].1.count = 1,
        &["seals add up to 1029 lines, the book's record counts 1030"],
    ),
    (
        "a seal begins later",
        |book| book.seals[0].1.first = LineNumber(1),
        &["seal 0 begins at line 1, the one before ended before line 0"],
    ),
    (
        "a seal is older than the one before",
        |book| book.seals[2].1.height = Height(3),
        &["seal 2 is of height 3, the one before of height 20"],
    ),
    ("an act is left out", |book| drop(book.acts.remove(1)), &["act 1 is missing: act 2 came in its place"]),
    ("the last act is left out", |book| drop(book.acts.pop()), &["act 2 was not given"]),
    ("acts are swapped", |book| book.acts.swap(0, 1), &["act 2 is missing"]),
    (
        "an act is given twice",
        |book| book.acts.insert(1, book.acts[0].clone()),
        &["act 1 is missing: act 0 came in its place"],
    ),
    (
        "an act is on another line",
        |book| book.acts[1].1.line = LineNumber(1028),
        &["the heads name none as the last act on line 1028", "the heads name act 1 as the last act on line 1029"],
    ),
    (
        "an act is on a line that is not there",
        |book| book.acts[1].1.line = LineNumber(LINES),
        &["act 1 is on line 1030, which the book does not have"],
    ),
    (
        "an act names none before it",
        |book| book.acts[2].1.previous = None,
        &["act 2 names none as the one before on its line, and it is act 0"],
    ),
    (
        "an act names another before it",
        |book| book.acts[2].1.previous = Some(ActNumber(1)),
        &["act 2 names act 1 as the one before on its line, and it is act 0"],
    ),
    (
        "an act begins elsewhere",
        |book| book.acts[2].1.from = Standing::ACTIVE,
        &["act 2 does not begin where the one before on its line ended"],
    ),
    (
        "a standing is lifted",
        |book| book.pages[1].1.set(5, Standing::ACTIVE, vec![]),
        &["the standing of line 1029 is not the one that act 1 left"],
    ),
    ("a page has a line less", |book| book.pages[1].3.truncate(5), &["the lines of page 1 are withheld or altered"]),
    ("lines are swapped", |book| book.pages[0].3.swap(0, 1), &["the lines of page 0 are withheld or altered"]),
    (
        "a page record counts a line less",
        |book| book.pages[1].1.lines = 5,
        &["page 1 has 5 lines, the book's record gives it 6", "the lines of page 1"],
    ),
];

#[test]
fn u2_u3_u4_whatever_was_done_to_a_book_is_named() {
    for (done, to, says) in TABLE {
        let mut book = whole();
        to(&mut book);
        let found = audited(&book, Heights::ALL);
        let said: Vec<String> = found.defects.iter().map(ToString::to_string).collect();
        assert!(!found.is_complete(), "{done}");
        for says in says {
            assert!(said.iter().any(|said| said.contains(says)), "{done}: {said:?} does not say {says:?}");
        }
    }
}

#[test]
fn u3_what_is_withheld_is_named_and_nothing_else_is_blamed() {
    let whole = whole();
    for withheld in 0..3 {
        let mut audit = BookAudit::new(domain(), BOOK, whole.book.clone(), Heights::ALL);
        whole.seals.iter().for_each(|(number, seal)| audit.seal(SealNumber(*number), seal));
        for (number, act) in &whole.acts {
            match *number == withheld {
                true => audit.withheld(Place::Act(BOOK, ActNumber(*number))),
                false => audit.act(ActNumber(*number), act),
            }
        }
        for (number, record, heads, lines) in &whole.pages {
            audit.page(&whole.book, PageNumber(*number), record, heads, Some(lines));
        }
        let place = Place::Act(BOOK, ActNumber(withheld));
        assert_eq!(audit.finish().defects, [Defect::Withheld { place }]);
    }
    for withheld in 0..3 {
        let mut audit = BookAudit::new(domain(), BOOK, whole.book.clone(), Heights::ALL);
        for (number, seal) in &whole.seals {
            match *number == withheld {
                true => audit.withheld(Place::Seal(BOOK, SealNumber(*number))),
                false => audit.seal(SealNumber(*number), seal),
            }
        }
        whole.acts.iter().for_each(|(number, act)| audit.act(ActNumber(*number), act));
        let place = Place::Seal(BOOK, SealNumber(withheld));
        assert_eq!(audit.finish().defects, [Defect::Withheld { place }]);
    }
}

#[test]
fn u4_what_was_done_since_is_not_held_against_a_page() {
    let mut whole = whole();
    // An audit that goes on at a newer height sees a later act on a line that it knows.
    whole.pages[1].1.set(5, Standing::ACTIVE.with(State::Revoked), vec![]);
    whole.pages[1].2.set(5, ActNumber(3));
    whole.pages[1].2.set(4, ActNumber(4));
    assert_eq!(audited(&whole, Heights::ALL).defects, []);
}
