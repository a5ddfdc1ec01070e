//! Reports: figures of events, told as a table, and sums of two times that follow one another.

use fengni_client::report::{
    Category, Figures, Overdue, Refused, SEALS_LISTED, Supervision, Thresholds, Timing, Usage, is_repeat,
};
use fengni_core::event::{Event, EventKind};
use fengni_core::outcome::Refusal;
use fengni_core::{Day, Height};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2026-11-23T00:00:00+08:00.
const MIDNIGHT: u64 = 1_795_363_200_000;
const DAY: u64 = 86_400_000;

/// An event of a member, with what else it says.
fn event(height: u64, member: u32, kind: EventKind, more: Value) -> Event {
    let mut fields = json!({
        "height": height, "place": 0, "part": 0, "time": MIDNIGHT + height, "kind": kind, "done": true,
        "topic": "certificates", "transaction": "00".repeat(32), "member": member, "keys": [0],
    });
    let object = fields.as_object_mut().expect("an object");
    object.extend(more.as_object().expect("fields").clone());
    serde_json::from_value(fields).expect("an event")
}

fn seal(height: u64, member: u32, kind: u32, lines: u64) -> Event {
    let more =
        json!({ "book": 0, "certificate_type": kind, "division": "31", "seal": height, "line": 0, "lines": lines });
    event(height, member, EventKind::Seal, more)
}

fn refused(height: u64, member: u32, kind: EventKind, refusal: Refusal) -> Event {
    event(height, member, kind, json!({ "done": false, "refusal": refusal, "certificate_type": 4, "lines": 9 }))
}

fn acted(height: u64, member: u32, kind: EventKind) -> Event {
    event(height, member, kind, json!({ "act": 0, "certificate_type": 4, "division": "31", "lines": 1 }))
}

/// A day: a book, seals, an act, a renewal, cases, a vote, and what was refused.
fn a_day() -> Vec<Vec<Event>> {
    let succeeded = json!({ "part": 1, "certificate_type": 5, "division": "33", "lines": 1 });
    vec![
        vec![event(1, 1, EventKind::OpenBook, json!({ "book": 0, "certificate_type": 4, "division": "31" }))],
        vec![seal(2, 1, 4, 100), seal(2, 1, 4, 20), seal(2, 2, 5, 7)],
        vec![],
        vec![
            acted(4, 3, EventKind::Suspend),
            acted(4, 1, EventKind::Renew),
            event(4, 1, EventKind::Succeed, succeeded),
        ],
        vec![
            refused(5, 1, EventKind::Seal, Refusal::DuplicateTag),
            refused(5, 1, EventKind::Seal, Refusal::DuplicateTag),
            refused(5, 3, EventKind::Suspend, Refusal::AlreadyHeld),
            refused(5, 2, EventKind::Suspend, Refusal::NotEntitled),
        ],
        vec![
            event(
                6,
                4,
                EventKind::Seal,
                json!({ "topic": "cases", "book": 1, "division": "31", "seal": 0, "lines": 40 }),
            ),
            event(6, 4, EventKind::Step, json!({ "topic": "cases", "act": 0, "book": 1, "division": "31" })),
        ],
        vec![event(6, 0, EventKind::Vote, json!({ "proposal": 0 })), event(6, 0, EventKind::LiftOrder, json!({}))],
    ]
}

#[test]
fn e2_every_category_of_a_day() {
    let mut figures = Figures::default();
    a_day().iter().for_each(|block| figures.block(block));
    let expected = [
        (Category::Blocks, 7),
        (Category::Transactions, 14),
        (Category::Books, 1),
        (Category::Seals, 4),
        (Category::Certificates, 128),
        (Category::Acts, 2),
        (Category::Cases, 40),
        (Category::Steps, 1),
        (Category::Agreements, 0),
        (Category::Proposals, 1),
        (Category::Orders, 1),
        (Category::Refusals, 4),
    ];
    for (category, count) in expected {
        assert_eq!(figures.total(category), count, "{category:?}");
    }
    let issued: Vec<Value> = figures
        .iter()
        .filter(|figure| figure.place.category == Category::Certificates)
        .map(|figure| serde_json::to_value(figure).expect("plain data"))
        .collect();
    let row = |kind: &str, certificate_type: u32, member: u32, division: &str, count: u64| {
        json!({ "category": "certificates", "kind": kind, "certificate_type": certificate_type,
            "member": member, "division": division, "count": count })
    };
    assert_eq!(issued, [row("seal", 4, 1, "31", 120), row("seal", 5, 2, "31", 7), row("succeed", 5, 1, "33", 1)]);
}

#[test]
fn e2_every_kind_of_event_has_its_category() {
    for kind in EventKind::ALL {
        let mut figures = Figures::default();
        figures.block(&[event(1, 0, *kind, json!({}))]);
        // Blocks, transactions, and one more.
        assert_eq!(figures.iter().count(), 3, "{kind}");
    }
}

#[test]
fn e5_e7_refusals_by_member_and_those_that_repeat() {
    let mut refused = Refused::default();
    a_day().iter().flatten().for_each(|event| refused.event(event));
    let told: Vec<_> = refused.rows().map(|row| (row.member.0, row.name, row.count)).collect();
    let told: Vec<_> = told.iter().map(|(member, name, count)| (*member, name.as_str(), *count)).collect();
    assert_eq!(told, [(1, "DUPLICATE_TAG", 2), (2, "NOT_ENTITLED", 1), (3, "ALREADY_HELD", 1)]);
    let repeats: Vec<_> = refused.repeats().map(|row| (row.member.0, row.refusal, row.count)).collect();
    assert_eq!(repeats, [(1, Refusal::DuplicateTag, 2), (3, Refusal::AlreadyHeld, 1)]);
    let numbers: Vec<u16> =
        Refusal::ALL.into_iter().filter(|refusal| is_repeat(*refusal)).map(Refusal::number).collect();
    assert_eq!(numbers, [402, 404, 502, 507, 602, 804, 806, 815, 818], "as rule E-7 lists them");
}

#[test]
fn e6_a_day_above_a_threshold_is_frequent_use() {
    let mut usage = Usage::default();
    let mut later = seal(9, 1, 4, 50);
    later.time.0 += DAY;
    a_day().iter().flatten().chain([&later]).for_each(|event| usage.event(event));
    let above = |transactions, lines, acts| -> Vec<(u32, String)> {
        let found = usage.above(Thresholds { transactions, lines, acts });
        found.map(|row| (row.member.0, row.day)).collect()
    };
    let day = |member: u32, day: &str| (member, day.to_owned());
    assert_eq!(above(5, 1000, 1000), [day(1, "2026-11-23")], "six transactions, refused ones included");
    assert_eq!(above(6, 119, 1000), [day(1, "2026-11-23")]);
    assert_eq!(above(6, 49, 1000), [day(1, "2026-11-23"), day(1, "2026-11-24")]);
    assert_eq!(above(6, 120, 0), [day(1, "2026-11-23"), day(3, "2026-11-23")]);
    assert_eq!(above(6, 120, 1), []);
}

#[test]
fn e4_late_seals_are_counted_and_listed_from_the_first() {
    let sealed = Day::parse("2026-11-23").expect("a real day");
    let timing =
        |due: Option<&str>| Timing { acted: due.and(Day::parse("2026-11-09")), due: due.and_then(Day::parse), sealed };
    let mut overdue = Overdue::default();
    overdue.seal(&seal(1, 1, 4, 10), timing(None));
    overdue.seal(&seal(2, 1, 4, 20), timing(Some("2026-11-23")));
    overdue.seal(&seal(3, 1, 4, 30), timing(Some("2026-11-16")));
    overdue.seal(&seal(4, 2, 4, 40), timing(Some("2026-11-22")));
    let rows: Vec<Value> = overdue.rows().map(|row| serde_json::to_value(row).expect("plain data")).collect();
    let row = |member: u32, untimed: [u64; 2], timed: [u64; 2], late: [u64; 2]| {
        let sealing = |[seals, lines]: [u64; 2]| json!({ "seals": seals, "lines": lines });
        json!({ "certificate_type": 4, "member": member, "untimed": sealing(untimed), "timed": sealing(timed),
            "late": sealing(late) })
    };
    assert_eq!(rows, [row(1, [1, 10], [2, 50], [1, 30]), row(2, [0, 0], [1, 40], [1, 40])]);
    let late: Vec<_> = overdue.seals().iter().map(|seal| (seal.height, seal.late_days)).collect();
    assert_eq!(late, [(Height(3), 7), (Height(4), 1)]);
    let listed = &overdue.seals()[0];
    assert_eq!((listed.acted.as_deref(), listed.due.as_deref()), (Some("2026-11-09"), Some("2026-11-16")));
    for height in 5..2 * SEALS_LISTED as u64 {
        overdue.seal(&seal(height, 1, 4, 1), timing(Some("2026-11-16")));
    }
    assert_eq!(overdue.seals().len(), SEALS_LISTED);
    assert_eq!(overdue.rows().next().map(|row| row.late.seals), Some(2 * SEALS_LISTED as u64 - 4));
}

#[test]
fn e4_what_nothing_was_due_for_is_counted_as_such() {
    let mut supervision = Supervision::default();
    let today = Day::of(fengni_core::Millis(MIDNIGHT)).0;
    let dated = |due: u32| Event { acted: Some(Day(due - 7)), due: Some(Day(due)), ..seal(2, 1, 4, 1) };
    let case = event(3, 4, EventKind::Seal, json!({ "topic": "cases", "seal": 0, "lines": 40 }));
    let refused = refused(1, 1, EventKind::Seal, Refusal::LineCount);
    supervision.block(&[seal(1, 1, 4, 10), refused, dated(today), dated(today - 1), case]);
    let rows: Vec<_> = supervision.overdue.rows().collect();
    assert_eq!(rows.len(), 1, "a case is no certificate");
    assert_eq!((rows[0].untimed.lines, rows[0].timed.seals, rows[0].late.seals), (10, 2, 1));
}

fn any_event() -> impl Strategy<Value = Event> {
    let refusals = prop::sample::select(Refusal::ALL.to_vec());
    let kinds = prop::sample::select(EventKind::ALL.to_vec());
    (kinds, 0..3u32, 0..2u32, 0..5u64, prop::option::weighted(0.3, refusals), 0..3u64).prop_map(
        |(kind, member, certificate_type, lines, refusal, days)| {
            let part = u8::from(kind == EventKind::Succeed);
            let mut more = json!({ "done": refusal.is_none(), "certificate_type": certificate_type, "lines": lines,
                "part": part, "time": MIDNIGHT + days * DAY });
            match (refusal, kind) {
                (Some(refusal), _) => more["refusal"] = json!(refusal),
                (None, EventKind::Seal) => more["seal"] = json!(0),
                (None, _) => more["act"] = json!(0),
            }
            event(days + 1, member, kind, more)
        },
    )
}

proptest! {
    /// E-1: whoever counts two halves of a time has counted the whole.
    #[test]
    fn two_times_add_up_to_both(
        blocks in prop::collection::vec(prop::collection::vec(any_event(), 0..4), 0..12),
        cut in any::<prop::sample::Index>(),
        due in prop::option::of(0..3u32),
    ) {
        let (first, second) = blocks.split_at(cut.index(blocks.len() + 1));
        let count = |blocks: &[Vec<Event>]| {
            let (mut figures, mut supervision, mut overdue) = <(Figures, Supervision, Overdue)>::default();
            for block in blocks {
                figures.block(block);
                supervision.block(block);
                for event in block {
                    let sealed = Day::of(event.time);
                    let due = due.map(|days| Day(Day::of(fengni_core::Millis(MIDNIGHT)).0 + days));
                    overdue.seal(event, Timing { acted: None, due, sealed });
                }
            }
            (figures, supervision, overdue)
        };
        let (mut figures, mut supervision, mut overdue) = count(first);
        let later = count(second);
        figures.join(&later.0);
        supervision.join(&later.1);
        overdue.join(&later.2);
        prop_assert_eq!((figures, supervision, overdue), count(&blocks));
    }
}
