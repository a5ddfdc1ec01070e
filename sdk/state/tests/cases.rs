//! Cases, seals of a day before, and sets of reference codes that members add. Rules, O-27,
//! O-28 and O-21.

#![allow(clippy::cast_possible_truncation)]

mod common;

use common::deciding::{ADMIN, GROUND, OTHERS, done, pass, propose, reach, refused};
use common::{Network, division, kind, member};
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::book::{Line, Subject, Tag};
use fengni_core::case::{Case, CaseError};
use fengni_core::operation::{Ground, Operation, StandingChange};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Code, CodeSet, Measure, Scope};
use fengni_core::standing::{ActKind, State as LineState};
use fengni_core::{BookNumber, Day, Digest, LineNumber, LinePlace, ReasonCode, Suite};
use fengni_state::Records as _;

const BOOK: BookNumber = BookNumber(0);

fn set(name: &str, codes: &[(&str, &str)]) -> CodeSet {
    let codes = codes.iter().map(|(code, name)| Code { code: (*code).into(), name: (*name).into() });
    CodeSet { version: 1, name: name.into(), codes: codes.collect() }
}

fn network(protocol: u16) -> Network {
    let mut founding = common::founding(Suite::Standard);
    founding.parameters.protocol = protocol;
    let licence = founding.types[0].code.to_string();
    founding.codes.push(set("calendar", &[("20260303", "holiday")]));
    founding.codes.push(set("sealing-days", &[(&licence, "5")]));
    founding.codes.push(set("steps", &[("1", "受理"), ("7", "放行")]));
    Network::found(Suite::Standard, founding)
}

fn open(region: &str) -> Operation {
    Operation::OpenBook { subject: Subject::Cases, division: division(region) }
}

fn case(number: u8) -> Line {
    let domain = common::domain(Suite::Standard);
    let case = Case::new(&format!("YS2026030900031{number}"), "11319900XN010003XA4000", [number; 32]);
    case.expect("as the standard has it").line(&domain, [number; 16])
}

fn place(line: u64) -> LinePlace {
    LinePlace { book: BOOK, line: LineNumber(line) }
}

fn step(line: u64, step: u16, closes: bool) -> Operation {
    let ground = Ground { reason: ReasonCode(step), decision: Digest([step as u8; 32]) };
    Operation::Step { place: place(line), ground, closes }
}

#[test]
fn a2_numbers_and_items_are_those_of_the_standard() {
    let long = "9".repeat(51);
    for number in ["", " ", "YS 1", "YS\n1", long.as_str()] {
        assert_eq!(Case::new(number, "", [0; 32]), Err(CaseError::Number), "{number:?}");
    }
    for item in ["1131 99", "１１", "1".repeat(25).as_str()] {
        assert_eq!(Case::new("YS1", item, [0; 32]), Err(CaseError::Item), "{item:?}");
    }
    let domain = common::domain(Suite::Standard);
    let [one, other] = [1, 2].map(|salt| Case::new("YS1", "", [salt; 32]).expect("a number").commitment(&domain));
    assert_ne!(one, other, "a fresh salt, a fresh commitment");
}

#[test]
fn o27_a_case_goes_step_by_step_to_its_end_and_no_further() {
    let mut network = network(PROTOCOL_VERSION);
    done(&mut network, "police", &[4], open("3199"));
    done(&mut network, "police", &[4], Operation::Seal { book: BOOK, lines: vec![case(1), case(2)] });
    for number in [1, 7] {
        done(&mut network, "police", &[5], step(0, number, false));
    }
    done(&mut network, "police", &[4], step(0, 7, true));

    let record = network.state.book(BOOK).expect("a book");
    assert_eq!(record.standing(LineNumber(0)).expect("a line").0.state, LineState::Closed);
    assert_eq!(record.standing(LineNumber(1)).expect("a line").0.state, LineState::Active);
    let head = record.head(LineNumber(0)).expect("it had acts");
    let last = network.records.act(BOOK, head).expect("the newest");
    assert_eq!((last.kind, last.reason, last.to.state), (ActKind::Step, ReasonCode(7), LineState::Closed));

    // After its end, by another, with a step that nobody knows, or on what is no case.
    assert_eq!(refused(&mut network, "police", &[4], step(0, 1, false)), Refusal::WrongState);
    assert_eq!(refused(&mut network, "town", &[4], step(1, 1, false)), Refusal::NotEntitled);
    assert_eq!(refused(&mut network, "police", &[4], step(1, 2, false)), Refusal::UnknownReason);
    assert_eq!(refused(&mut network, "police", &[4], step(2, 1, false)), Refusal::UnknownLine);
    assert_eq!(refused(&mut network, "police", ADMIN, step(1, 1, false)), Refusal::KeyPurpose);
    let subject = Subject::Certificates { certificate_type: kind("licence") };
    done(&mut network, "police", &[4], Operation::OpenBook { subject, division: division("31") });
    let licences = BookNumber(1);
    done(&mut network, "police", &[4], Operation::Seal { book: licences, lines: vec![case(3)] });
    let on_licence = Operation::Step {
        place: LinePlace { book: licences, line: LineNumber(0) },
        ground: Ground { reason: ReasonCode(1), decision: Digest([1; 32]) },
        closes: false,
    };
    assert_eq!(refused(&mut network, "police", &[4], on_licence), Refusal::NotEntitled);

    // What is done to certificates is done to no case, nor is one ordered or replaced.
    for change in [StandingChange::Suspend { until: None }, StandingChange::Dispute, StandingChange::BlockKey] {
        let asked = Operation::Change { place: place(1), change, ground: GROUND };
        assert_eq!(refused(&mut network, "police", &[4, 5], asked), Refusal::NotEntitled);
    }
    let order = |scope| Operation::Order { scope, ground: GROUND };
    assert_eq!(refused(&mut network, "police", &[4, 5], order(Scope::Book { book: BOOK })), Refusal::NotEntitled);
    let rekey = Operation::Rekey { old: place(1), new: case(2), ground: GROUND };
    assert_eq!(refused(&mut network, "police", &[4], rekey), Refusal::NotEntitled);
    let given = done(&mut network, "police", &[4, 5], order(Scope::Keeper { member: member("police") }));
    assert!(matches!(given, Effect::Order { lines: 1, .. }), "the licence alone: {given:?}");
    done(&mut network, "police", &[4], step(1, 1, false));
    network.assert_rebuilds();
}

#[test]
fn a1_a_department_handles_the_cases_of_its_own_region_in_one_book_each() {
    let mut network = network(PROTOCOL_VERSION);
    done(&mut network, "police", &[4], open("31"));
    assert_eq!(refused(&mut network, "police", &[4], open("31")), Refusal::DuplicateBook);
    done(&mut network, "police", &[4], open("319901"));
    assert_eq!(refused(&mut network, "police", &[4], open("33")), Refusal::IssuerNotAuthorised);
    assert_eq!(refused(&mut network, "court", &[4], open("31")), Refusal::RoleMissing);
}

#[test]
fn t8_no_case_is_opened_before_its_version() {
    let mut network = network(2);
    let opening = network.transaction(member("police"), &[4], open("31"));
    let clock = fengni_core::Millis(network.state.time().0 + 1_000);
    let outcomes = network.next_block(clock, vec![fengni_core::bytes::Bytes(opening.encode())]);
    assert_eq!(outcomes, [], "it is in no block");
}

#[test]
fn o28_every_node_reckons_when_a_seal_was_due() {
    let mut network = network(PROTOCOL_VERSION);
    let subject = Subject::Certificates { certificate_type: kind("licence") };
    done(&mut network, "police", &[4], Operation::OpenBook { subject, division: division("31") });
    let today = Day::of(network.state.time());
    let seal = |acted: Day, tag: u8| Operation::DatedSeal {
        book: BOOK,
        acted,
        lines: vec![Line { tag: Tag([tag; 16]), commitment: Digest([tag; 32]) }],
    };
    let due = |network: &mut Network, acted: &str, tag| {
        let effect = done(network, "police", &[4], seal(common::day(acted), tag));
        let Effect::DatedSealed { due, .. } = effect else { panic!("{effect:?}") };
        due
    };
    assert_eq!(today, common::day("2026-03-02"));
    // Five working days after the act: over a weekend, and over the holiday of 3 March besides.
    assert_eq!(due(&mut network, "2026-02-20", 1), Some(common::day("2026-02-27")));
    assert_eq!(due(&mut network, "2026-02-26", 2), Some(common::day("2026-03-06")));
    let tomorrow = Day(today.0 + 1);
    assert_eq!(refused(&mut network, "police", &[4], seal(tomorrow, 3)), Refusal::BadDay);
    // A type without a limit, and cases, are never late.
    let permits = Subject::Certificates { certificate_type: kind("permit") };
    for (number, subject) in [(1, permits), (2, Subject::Cases)] {
        done(&mut network, "police", &[4], Operation::OpenBook { subject, division: division("31") });
        let lines = vec![Line { tag: Tag([9; 16]), commitment: Digest([9; 32]) }];
        let seal = Operation::DatedSeal { book: BookNumber(number), acted: common::day("2026-02-20"), lines };
        let effect = done(&mut network, "police", &[4], seal);
        assert!(matches!(effect, Effect::DatedSealed { due: None, .. }), "{effect:?}");
    }
    network.assert_rebuilds();
}

#[test]
fn o21_members_add_a_set_of_codes_from_the_version_on_that_has_it() {
    let fresh = |name: &str| Measure::SetCodes { codes: set(name, &[("1", "A")]) };
    let mut network = network(PROTOCOL_VERSION);
    let effective = network.state.height().0 + 9;
    pass(&mut network, fresh("topics"), effective, OTHERS);
    reach(&mut network, effective);
    assert!(network.state.code_set("topics").is_some());
    let later = network.state.height().0 + 9;
    for wrong in [fresh("topics"), fresh("Topics"), Measure::SetCodes { codes: set("sealing-days", &[("1", "5")]) }] {
        assert_eq!(refused(&mut network, "donghai", ADMIN, propose(wrong, later)), Refusal::BadMeasure);
    }
    let mut before = self::network(2);
    let later = before.state.height().0 + 9;
    assert_eq!(refused(&mut before, "donghai", ADMIN, propose(fresh("topics"), later)), Refusal::BadMeasure);
}
