//! Events: what a block did. Rules J-6 to J-11.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::domain;
use common::world::{World, line};
use fengni_core::block::Header;
use fengni_core::book::Subject;
use fengni_core::event::{Directory, Event, EventKind, Filter, Position, Topic, events};
use fengni_core::id::Division;
use fengni_core::operation::{Cause, Ground, Operation, StandingChange};
use fengni_core::outcome::{Decision, Effect, Outcome, Refusal};
use fengni_core::record::Scope;
use fengni_core::standing::{Standing, State};
use fengni_core::transaction::{Transaction, TransactionBody, TransactionId};
use fengni_core::*;
use proptest::prelude::*;

const GROUND: Ground = Ground { reason: ReasonCode(201), decision: Digest([0xd0; 32]) };

fn place(book: u32, line: u64) -> LinePlace {
    LinePlace { book: BookNumber(book), line: LineNumber(line) }
}

fn division(code: &str) -> Division {
    code.parse().expect("a division")
}

fn open(code: &str, certificate_type: u32) -> Operation {
    let subject = Subject::Certificates { certificate_type: TypeNumber(certificate_type) };
    Operation::OpenBook { subject, division: division(code) }
}

/// A block of these operations and what became of them.
fn told(directory: &mut Directory, done: Vec<(Operation, Decision)>) -> Vec<Event> {
    told_at(Height(9), directory, done)
}

fn told_at(height: Height, directory: &mut Directory, done: Vec<(Operation, Decision)>) -> Vec<Event> {
    let header = Header { height, ..World::new(Suite::Standard).header };
    let (mut transactions, mut outcomes) = (Vec::new(), Vec::new());
    for ((operation, decision), salt) in done.into_iter().zip(0..) {
        let (network, member) = (domain().network, MemberNumber(2));
        let body = TransactionBody { network, member, valid_until: Height(9), salt: [salt; 16], operation };
        let id = body.id(&domain());
        outcomes.push(Outcome { transaction: id, decision });
        transactions.push((id, Transaction { body, signatures: Vec::new() }));
    }
    events(&header, &transactions, &outcomes, directory)
}

fn opened() -> Directory {
    let mut directory = Directory::default();
    let first = (open("319900", 4), Decision::Done(Effect::BookOpened { book: BookNumber(0) }));
    let second = (open("339900", 5), Decision::Done(Effect::BookOpened { book: BookNumber(1) }));
    let events = told_at(Height(8), &mut directory, vec![first, second]);
    assert_eq!(events[1].book, Some(BookNumber(1)));
    assert_eq!((events[1].certificate_type, events[1].division), (Some(TypeNumber(5)), Some(division("339900"))));
    directory
}

#[test]
fn j8_a_seal_names_its_book_its_lines_and_their_type() {
    let seal = Operation::Seal { book: BookNumber(1), lines: vec![line(1), line(2)] };
    let sealed = Effect::Sealed { book: BookNumber(1), seal: SealNumber(7), first: LineNumber(40), count: 2 };
    let event = &told(&mut opened(), vec![(seal, Decision::Done(sealed))])[0];
    assert_eq!((event.kind, event.done, event.member), (EventKind::Seal, true, MemberNumber(2)));
    assert_eq!((event.seal, event.line, event.lines), (Some(SealNumber(7)), Some(LineNumber(40)), Some(2)));
    assert_eq!((event.certificate_type, event.division), (Some(TypeNumber(5)), Some(division("339900"))));
    assert_eq!((event.reason, event.act), (None, None));
}

#[test]
fn j8_what_was_refused_says_what_was_asked_and_why_not() {
    let change = StandingChange::Suspend { until: Some(Millis(99)) };
    let asked = Operation::Change { place: place(0, 3), change, ground: GROUND };
    let refused = Decision::Refused { refusal: Refusal::AlreadyHeld, detail: 0 };
    let event = &told(&mut opened(), vec![(asked, refused)])[0];
    assert_eq!((event.kind, event.done, event.refusal), (EventKind::Suspend, false, Some(Refusal::AlreadyHeld)));
    assert_eq!((event.line, event.until, event.reason), (Some(LineNumber(3)), Some(Millis(99)), Some(GROUND.reason)));
    assert_eq!((event.act, event.standing, event.successor), (None, None, None));
}

#[test]
fn j6_events_are_the_same_whether_or_not_books_of_later_are_known() {
    let change = |book| Operation::Change { place: place(book, 3), change: StandingChange::Cancel, ground: GROUND };
    let refused = Decision::Refused { refusal: Refusal::NotEntitled, detail: 0 };
    let opens = |book| (open("359900", 6), Decision::Done(Effect::BookOpened { book: BookNumber(book) }));
    let mut directory = opened();
    // Book 2 is opened between them, book 3 in the next block.
    let asked =
        || vec![(change(2), refused.clone()), opens(2), (change(2), refused.clone()), (change(3), refused.clone())];
    let first = told_at(Height(9), &mut directory, asked());
    told_at(Height(10), &mut directory, vec![opens(3)]);
    assert_eq!(told_at(Height(9), &mut directory, asked()), first);
    let types: Vec<_> = first.iter().map(|event| event.certificate_type).collect();
    assert_eq!(types, [None, Some(TypeNumber(6)), Some(TypeNumber(6)), None]);
    assert!(first.iter().all(|event| event.division.is_some() == event.certificate_type.is_some()));
}

#[test]
fn j10_an_event_about_a_run_is_about_each_of_its_lines_however_many_were_freed() {
    let wanted = |event: &Event, text: &str| {
        let mut filter = Filter { refused: true, ..Filter::default() };
        filter.set("lines", text).expect("lines");
        filter.matches(event)
    };
    let (book, first, last) = (BookNumber(0), LineNumber(10), LineNumber(19));
    let freed = Decision::Done(Effect::Confirmed { book, lines: 2 });
    let refused = Decision::Refused { refusal: Refusal::NotSuspended, detail: 0 };
    let confirm = || Operation::Confirm { book, first, last, ground: GROUND };
    let order = |scope| Operation::Order { scope, ground: GROUND };
    let given = |lines| Decision::Done(Effect::Order { order: OrderNumber(0), lines, lifted: false });
    let lines = Scope::Lines { book, first, last };
    let done = vec![(confirm(), freed), (confirm(), refused), (order(lines), given(10))];
    for event in told(&mut opened(), done) {
        assert_eq!((event.line, event.last), (Some(first), Some(last)));
        assert!(["0/10", "0/15", "0/19"].iter().all(|line| wanted(&event, line)), "{event:?}");
        assert!(["0/9", "0/20", "1/15"].iter().all(|line| !wanted(&event, line)), "{event:?}");
    }
    // The whole book is each of its lines; a wider scope names no line.
    let kind = Scope::Type { certificate_type: TypeNumber(4), division: division("319900") };
    let done = vec![(order(Scope::Book { book }), given(20)), (order(kind), given(20))];
    let events = told(&mut opened(), done);
    assert!(wanted(&events[0], "0/3") && !wanted(&events[0], "1/3") && !wanted(&events[1], "0/3"));
}

#[test]
fn j9_a_line_that_takes_anothers_place_is_an_event_of_its_own_book() {
    let (old, into, cause) = (place(0, 3), BookNumber(1), Cause::Renew);
    let asked = Operation::Supersede { old, into, new: line(9), cause, ground: GROUND };
    let done = Decision::Done(Effect::Replaced { act: ActNumber(6), book: BookNumber(1), line: LineNumber(41) });
    let events = told(&mut opened(), vec![(asked, done)]);
    let [before, after] = &events[..] else { panic!("two events: {events:?}") };
    assert_eq!((before.kind, before.book, before.line), (EventKind::Renew, Some(BookNumber(0)), Some(LineNumber(3))));
    assert_eq!((before.successor, before.act), (Some(place(1, 41)), Some(ActNumber(6))));
    assert_eq!((after.kind, after.book, after.line), (EventKind::Succeed, Some(BookNumber(1)), Some(LineNumber(41))));
    assert_eq!((after.predecessor, after.certificate_type), (Some(old), Some(TypeNumber(5))));
    assert_eq!((before.position.part, after.position.part), (0, 1));
    assert!(before.position < after.position);
}

#[test]
fn j6_j8_an_event_reads_back_from_its_json() {
    let standing = Standing::ACTIVE.with(State::Revoked);
    let asked = Operation::Change { place: place(0, 3), change: StandingChange::Revoke, ground: GROUND };
    let event = &told(&mut opened(), vec![(asked, Decision::Done(Effect::Acted { act: ActNumber(1), standing }))])[0];
    let json = serde_json::to_value(event).expect("plain data");
    let kept = ["kind", "done", "height", "place", "part", "time", "member", "keys", "transaction", "book", "line"];
    assert!(kept.iter().all(|name| json.get(name).is_some()), "{json}");
    assert!(json.get("refusal").is_none() && json.get("order").is_none(), "{json}");
    assert_eq!((&json["kind"], &json["standing"]), (&"revoke".into(), &5.into()));
    assert_eq!(&serde_json::from_value::<Event>(json).expect("its own form"), event);
}

#[test]
fn j7_words_are_those_of_the_spec_in_their_order() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/exports.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let rule = page.lines().find(|line| line.starts_with("**J-7")).expect("the rule");
    let listed: Vec<&str> = rule.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed, EventKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>());
    for kind in EventKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("a word"), kind.word());
    }
}

proptest! {
    #[test]
    fn j6_positions_are_read_as_they_are_written(height: u64, place: u32, part: u8) {
        let position = Position { height: Height(height), place, part };
        prop_assert_eq!(position.to_string().parse(), Ok(position));
        for text in [format!("{position}.0"), format!("+{position}"), format!("{height}.{place}"), format!("0{position}")] {
            prop_assert!(text.parse::<Position>().is_err());
        }
    }
}

#[test]
fn j6_an_id_is_that_of_its_transaction() {
    let events = told(
        &mut Directory::default(),
        vec![(open("319900", 4), Decision::Done(Effect::BookOpened { book: BookNumber(0) }))],
    );
    let TransactionId(digest) = events[0].transaction;
    assert_ne!(digest, Digest::default());
}

#[test]
fn j11_whatever_happens_in_a_book_of_cases_is_about_cases() {
    let mut directory = opened();
    let book = BookNumber(2);
    let open = Operation::OpenBook { subject: Subject::Cases, division: division("319900") };
    let seal = Operation::Seal { book, lines: vec![line(1)] };
    let step = |place| Operation::Step { place, ground: GROUND, closes: true };
    let sealed = Effect::Sealed { book, seal: SealNumber(0), first: LineNumber(0), count: 1 };
    let closed = Effect::Acted { act: ActNumber(0), standing: Standing::ACTIVE.with(State::Closed) };
    let refused = Decision::Refused { refusal: Refusal::NotEntitled, detail: 0 };
    let events = told(
        &mut directory,
        vec![
            (open, Decision::Done(Effect::BookOpened { book })),
            (seal, Decision::Done(sealed)),
            (step(place(2, 0)), Decision::Done(closed)),
            (step(place(1, 0)), refused),
            (
                Operation::Seal { book: BookNumber(1), lines: vec![line(2)] },
                Decision::Done(Effect::DatedSealed {
                    book: BookNumber(1),
                    seal: SealNumber(0),
                    first: LineNumber(0),
                    count: 1,
                    due: Some(Day(20_521)),
                }),
            ),
        ],
    );
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::OpenBook, EventKind::Seal, EventKind::Step, EventKind::Step, EventKind::Seal]);
    assert!(
        events[..4]
            .iter()
            .all(|event| event.topic == Topic::Cases && event.certificate_type.is_none() || event.refusal.is_some())
    );
    assert_eq!((events[3].topic, events[4].topic), (Topic::Cases, Topic::Certificates));
    assert_eq!((events[2].reason, events[4].due), (Some(GROUND.reason), Some(Day(20_521))));
    let cases = Filter::of([("topics", "cases")]).expect("a topic");
    assert_eq!(events.iter().filter(|event| cases.matches(event)).count(), 3);
    let one = Filter::of([("lines", "2/0")]).expect("a line");
    assert_eq!(events.iter().filter(|event| one.matches(event)).count(), 2, "its seal and its step");
}

#[test]
fn j11_words_are_those_of_the_spec() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/exports.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let rule = page.lines().find(|line| line.starts_with("**J-11")).expect("the rule");
    assert!(Topic::ALL.iter().all(|topic| rule.contains(&format!("`{topic}`:"))), "{rule}");
}
