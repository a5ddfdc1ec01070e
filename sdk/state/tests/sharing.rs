//! Data sharing on the ledger: resources, items, requests and their clocks, grants, batches of receipts,
//! objections. Rules Z-1 to Z-9.

#![allow(clippy::cast_possible_truncation)]

mod common;

use common::deciding::{ADMIN, GROUND, OTHERS, act, done, pass, reach, refused};
use common::{Network, day, division, kind, member};
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::book::{Line, Subject, Tag};
use fengni_core::certificate::Grade;
use fengni_core::operation::{
    Cause, Ground, ObjectionAnswer, Operation, RequestDecision, ResourceDecision, StandingChange,
};
use fengni_core::outcome::{Decision, Effect, Refusal};
use fengni_core::record::{
    AccessBasis, Code, CodeSet, DataLevel, DataSubject, Extension, Field, ItemStatus, ItemTerms, Measure, Mode, Need,
    ObjectionStatus, Overdue, Request, RequestStatus, RequestTerms, ResourceStatus, ResourceTerms, Role, Scope,
    Sharing,
};
use fengni_core::sharing::{Batch, grant_commitment, grant_line};
use fengni_core::standing::{Standing, State as LineState};
use fengni_core::{
    BookNumber, Day, Digest, ItemNumber, LineNumber, LinePlace, Millis, ObjectionNumber, PurposeCode, RequestNumber,
    ResourceNumber, Suite,
};
use fengni_state::Records as _;

const ISSUING: &[u16] = &[4];
const APPLICATION: &[u16] = &[8];
const FIRST: ResourceNumber = ResourceNumber(0);
const Q7: RequestNumber = RequestNumber(0);

fn set(name: &str, codes: &[(&str, &str)]) -> CodeSet {
    let codes = codes.iter().map(|(code, name)| Code { code: (*code).into(), name: (*name).into() });
    CodeSet { version: 1, name: name.into(), codes: codes.collect() }
}

const CLOCKS: [(&str, &str); 5] =
    [("conditional", "10"), ("extension", "10"), ("objection", "10"), ("provision", "20"), ("unconditional", "1")];

/// Founded on Monday, 2026-03-02. The police provides, customs asks; donghai is above the one, the ministry above
/// the other.
fn network(protocol: u16, holidays: &[&str]) -> Network {
    let mut founding = common::founding(Suite::Standard);
    founding.parameters.protocol = protocol;
    let holidays: Vec<_> = holidays.iter().map(|day| (*day, "holiday")).collect();
    founding.codes.push(set("calendar", &holidays));
    founding.codes.push(set("sharing-days", &CLOCKS));
    founding.codes.push(set("steps", &[("1", "accepted")]));
    for (name, role) in [("police", Role::Provider), ("customs", Role::Requester)] {
        let record = &mut founding.members[member(name).0 as usize];
        record.roles = record.roles.with(role);
    }
    Network::found(Suite::Standard, founding)
}

/// An empty block on a day, so that the next one is of that day too.
fn go_to(network: &mut Network, date: &str) {
    network.next_block(Millis(u64::from(day(date).0) * 86_400_000), Vec::new());
}

fn resource() -> ResourceTerms {
    let field = |name: &str| Field { name: name.into(), sensitive: false };
    ResourceTerms {
        name: "参保月数核验".into(),
        subject: DataSubject::Person,
        fields: vec![field("months"), field("since")],
        sharing: Sharing::Conditional,
        conditions: "for housing subsidies".into(),
        basis: "a law".into(),
        frequency: "daily".into(),
        modes: vec![Mode::Verify, Mode::Query],
        level: DataLevel::General,
    }
}

fn propose_resource(terms: ResourceTerms, replaces: Option<ResourceNumber>) -> Operation {
    Operation::ProposeResource { terms: Box::new(terms), replaces }
}

fn decide_resource(resource: u32, decision: ResourceDecision) -> Operation {
    Operation::DecideResource { resource: ResourceNumber(resource), decision, ground: GROUND }
}

fn item() -> ItemTerms {
    ItemTerms {
        code: "11339900XN0200014K400011".into(),
        name: "住房补贴申领".into(),
        purpose: PurposeCode(3),
        needs: vec![
            Need::Certificate { certificate_type: kind("licence"), min_grade: Grade::A },
            Need::Resource { resource: FIRST },
        ],
    }
}

fn put_item(terms: ItemTerms, replaces: Option<ItemNumber>) -> Operation {
    Operation::PutItem { terms: Box::new(terms), replaces }
}

fn terms() -> RequestTerms {
    RequestTerms {
        resource: FIRST,
        item: ItemNumber(0),
        basis: AccessBasis::Authorisation,
        law: "a law".into(),
        fields: vec![0],
        modes: vec![Mode::Verify],
        population: "applicants".into(),
        frequency: "once a case".into(),
        measures: "nothing is kept".into(),
        from: day("2026-03-06"),
        until: day("2026-12-31"),
    }
}

fn file(terms: RequestTerms) -> Operation {
    Operation::FileRequest { terms: Box::new(terms), amends: None }
}

fn decide(request: RequestNumber, decision: RequestDecision) -> Operation {
    Operation::DecideRequest { request, decision, ground: GROUND }
}

/// With a published resource and an item that needs it.
fn published(protocol: u16, holidays: &[&str]) -> Network {
    let mut network = network(protocol, holidays);
    done(&mut network, "police", ADMIN, propose_resource(resource(), None));
    done(&mut network, "donghai", ADMIN, decide_resource(0, ResourceDecision::Publish));
    done(&mut network, "customs", ADMIN, put_item(item(), None));
    network
}

fn request(network: &Network, number: RequestNumber) -> Request {
    network.state.registries().requests.get(number.0).expect("a request").as_ref().clone()
}

#[test]
fn t8_sharing_is_of_protocol_version_4() {
    let mut network = network(3, &[]);
    let transaction = network.transaction(member("police"), ADMIN, propose_resource(resource(), None));
    let bytes = fengni_core::bytes::Bytes(transaction.encode());
    let clock = Millis(network.state.time().0 + 1000);
    assert!(network.next_block(clock, vec![bytes]).is_empty(), "no block of version 3 takes it");
}

#[test]
fn cat05_nothing_is_published_without_review_and_no_condition_is_added_in_silence() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let status =
        |network: &Network, number: u32| network.state.registries().resources.get(number).expect("a resource").status;
    assert_eq!(refused(&mut network, "town", ADMIN, propose_resource(resource(), None)), Refusal::RoleMissing);
    let effect = done(&mut network, "police", ADMIN, propose_resource(resource(), None));
    assert_eq!(effect, Effect::Resource { resource: FIRST, status: ResourceStatus::Proposed });

    // A request or an item for what nobody reviewed; a review by the provider, by whoever is not above, or twice.
    assert_eq!(refused(&mut network, "customs", ADMIN, put_item(item(), None)), Refusal::BadItem);
    let publish = || decide_resource(0, ResourceDecision::Publish);
    for (who, why) in [("police", Refusal::NotEntitled), ("ministry", Refusal::NotEntitled)] {
        assert_eq!(refused(&mut network, who, ADMIN, publish()), why, "{who}");
    }
    assert_eq!(refused(&mut network, "donghai", ISSUING, publish()), Refusal::KeyPurpose);
    done(&mut network, "donghai", ADMIN, publish());
    assert_eq!(refused(&mut network, "council", ADMIN, publish()), Refusal::ResourceState);
    assert!(matches!(status(&network, 0), ResourceStatus::Published { by, .. } if by == member("donghai")));

    // Another edition takes its place once it is reviewed; the old one keeps saying what it said.
    let stricter = ResourceTerms { conditions: "for housing subsidies of this year".into(), ..resource() };
    done(&mut network, "police", ADMIN, propose_resource(stricter.clone(), Some(FIRST)));
    done(&mut network, "police", ADMIN, propose_resource(stricter, Some(FIRST)));
    assert!(matches!(status(&network, 0), ResourceStatus::Published { .. }), "until it is reviewed");
    done(&mut network, "donghai", ADMIN, decide_resource(1, ResourceDecision::Publish));
    assert!(matches!(status(&network, 0), ResourceStatus::Replaced { by: ResourceNumber(1), .. }));
    assert_eq!(network.state.registries().resources.get(0).expect("kept").terms, resource());
    let late = decide_resource(2, ResourceDecision::Publish);
    assert_eq!(refused(&mut network, "donghai", ADMIN, late), Refusal::ResourceState);
    done(&mut network, "donghai", ADMIN, decide_resource(2, ResourceDecision::Refuse));
    let end = || decide_resource(1, ResourceDecision::End);
    assert_eq!(refused(&mut network, "donghai", ADMIN, end()), Refusal::NotEntitled);
    done(&mut network, "police", ADMIN, end());
    assert_eq!(refused(&mut network, "police", ADMIN, end()), Refusal::ResourceState);
    let again = propose_resource(resource(), Some(FIRST));
    assert_eq!(refused(&mut network, "police", ADMIN, again), Refusal::ResourceState);
    let unknown = propose_resource(resource(), Some(ResourceNumber(9)));
    assert_eq!(refused(&mut network, "police", ADMIN, unknown), Refusal::UnknownResource);
}

#[test]
fn z1_a_resource_is_whole() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let field = |name: &str| Field { name: name.into(), sensitive: true };
    let broken: [fn(&mut ResourceTerms); 11] = [
        |terms| terms.name.clear(),
        |terms| terms.fields.clear(),
        |terms| terms.fields[1].name = terms.fields[0].name.clone(),
        |terms| terms.fields[0].name.clear(),
        |terms| terms.conditions.clear(),
        |terms| terms.sharing = Sharing::Unconditional,
        |terms| terms.basis.clear(),
        |terms| terms.basis = "法".repeat(334),
        |terms| terms.modes.reverse(),
        |terms| terms.modes.clear(),
        |terms| terms.conditions = "\u{1b}[2J".into(),
    ];
    for (spoil, place) in broken.into_iter().zip(0..) {
        let mut terms = resource();
        spoil(&mut terms);
        let asked = propose_resource(terms, None);
        assert_eq!(refused(&mut network, "police", ADMIN, asked), Refusal::BadResource, "{place}");
    }
    // What is not shared names the law and is used in no way (SHR-03).
    let (modes, sharing) = (vec![], Sharing::NotShared);
    let kept = ResourceTerms { fields: vec![field("a")], conditions: String::new(), modes, sharing, ..resource() };
    done(&mut network, "police", ADMIN, propose_resource(kept, None));
    let subject = DataSubject::Certificate { certificate_type: fengni_core::TypeNumber(99) };
    let asked = propose_resource(ResourceTerms { subject, ..resource() }, None);
    assert_eq!(refused(&mut network, "police", ADMIN, asked), Refusal::UnknownType);
}

#[test]
fn cat02_an_item_names_what_it_needs_and_its_old_editions_stay() {
    let mut network = published(PROTOCOL_VERSION, &[]);
    type Broken = (fn(&mut ItemTerms), Refusal);
    let broken: [Broken; 6] = [
        (|terms| terms.code = "11-1".into(), Refusal::BadItem),
        (|terms| terms.code = "1".repeat(25), Refusal::BadItem),
        (|terms| terms.needs.reverse(), Refusal::BadItem),
        (|terms| terms.purpose = PurposeCode(9), Refusal::UnknownCode),
        (|terms| terms.needs = vec![Need::Resource { resource: ResourceNumber(7) }], Refusal::UnknownResource),
        (
            |terms| {
                let certificate_type = fengni_core::TypeNumber(99);
                terms.needs = vec![Need::Certificate { certificate_type, min_grade: Grade::A }];
            },
            Refusal::UnknownType,
        ),
    ];
    for (spoil, why) in broken {
        let mut terms = item();
        spoil(&mut terms);
        assert_eq!(refused(&mut network, "customs", ADMIN, put_item(terms, None)), why);
    }
    assert_eq!(refused(&mut network, "court", ADMIN, put_item(item(), None)), Refusal::RoleMissing);
    let next = || put_item(ItemTerms { needs: Vec::new(), ..item() }, Some(ItemNumber(0)));
    assert_eq!(refused(&mut network, "hall", ADMIN, next()), Refusal::NotEntitled);
    let renamed = put_item(ItemTerms { code: "2".into(), ..item() }, Some(ItemNumber(0)));
    assert_eq!(refused(&mut network, "customs", ADMIN, renamed), Refusal::BadItem);
    done(&mut network, "customs", ADMIN, file(terms()));
    done(&mut network, "customs", ADMIN, next());
    assert_eq!(refused(&mut network, "customs", ADMIN, next()), Refusal::ItemState);
    let items = &network.state.registries().items;
    let (old, new) = (items.get(0).expect("kept"), items.get(1).expect("new"));
    assert!(matches!(old.status, ItemStatus::Replaced { by: ItemNumber(1), .. }) && old.terms == item());
    assert_eq!((new.status, new.replaces), (ItemStatus::Current, Some(ItemNumber(0))));
    assert_eq!(request(&network, Q7).terms.item, ItemNumber(0), "the old request keeps the old edition");
    assert_eq!(refused(&mut network, "customs", ADMIN, file(terms())), Refusal::ItemState);
    let end = || Operation::EndItem { item: ItemNumber(1), ground: GROUND };
    assert_eq!(refused(&mut network, "hall", ADMIN, end()), Refusal::NotEntitled);
    done(&mut network, "customs", ADMIN, end());
    assert_eq!(refused(&mut network, "customs", ADMIN, end()), Refusal::ItemState);
}

#[test]
fn shr01_a_request_says_what_for_and_never_changes() {
    let mut network = published(PROTOCOL_VERSION, &[]);
    type Broken = (fn(&mut RequestTerms), Refusal);
    let broken: [Broken; 13] = [
        (|terms| terms.law.clear(), Refusal::BadRequest),
        (|terms| terms.population.clear(), Refusal::BadRequest),
        (|terms| terms.frequency.clear(), Refusal::BadRequest),
        (|terms| terms.measures.clear(), Refusal::BadRequest),
        (|terms| terms.fields.clear(), Refusal::BadRequest),
        (|terms| terms.fields = vec![2], Refusal::BadRequest),
        (|terms| terms.fields = vec![1, 0], Refusal::BadRequest),
        (|terms| terms.modes.clear(), Refusal::BadRequest),
        (|terms| terms.modes = vec![Mode::Batch], Refusal::BadRequest),
        (|terms| terms.modes = vec![Mode::Query, Mode::Verify], Refusal::BadRequest),
        (|terms| terms.until = Day(terms.from.0 - 1), Refusal::BadRequest),
        (|terms| terms.resource = ResourceNumber(4), Refusal::UnknownResource),
        (|terms| terms.item = ItemNumber(4), Refusal::UnknownItem),
    ];
    for (spoil, why) in broken {
        let mut asked = terms();
        spoil(&mut asked);
        assert_eq!(refused(&mut network, "customs", ADMIN, file(asked)), why);
    }
    assert_eq!(refused(&mut network, "police", ADMIN, file(terms())), Refusal::RoleMissing);
    assert_eq!(refused(&mut network, "customs", APPLICATION, file(terms())), Refusal::KeyPurpose);
    done(&mut network, "customs", ADMIN, file(terms()));

    // Sent back, and amended by another one: what was filed stays as it was.
    let amending = |amends: u32| {
        let terms = RequestTerms { law: "another law".into(), ..terms() };
        Operation::FileRequest { terms: Box::new(terms), amends: Some(RequestNumber(amends)) }
    };
    assert_eq!(refused(&mut network, "customs", ADMIN, amending(0)), Refusal::RequestState);
    assert_eq!(refused(&mut network, "customs", ADMIN, amending(1)), Refusal::UnknownRequest);
    done(&mut network, "police", ADMIN, decide(Q7, RequestDecision::Return));
    done(&mut network, "customs", ADMIN, amending(0));
    assert_eq!((request(&network, Q7).terms, request(&network, Q7).status), (terms(), RequestStatus::Returned));
    assert_eq!(request(&network, RequestNumber(1)).amends, Some(Q7));

    // Of a resource that is not shared any more.
    done(&mut network, "police", ADMIN, decide_resource(0, ResourceDecision::End));
    assert_eq!(refused(&mut network, "customs", ADMIN, file(terms())), Refusal::ResourceState);
}

#[test]
fn shr03_a_request_is_answered_with_reasons_by_whom_it_concerns() {
    let mut network = published(PROTOCOL_VERSION, &[]);
    for _ in 0..3 {
        done(&mut network, "customs", ADMIN, file(terms()));
    }
    let all = [
        RequestDecision::Return,
        RequestDecision::Agree,
        RequestDecision::Refuse { law: "a law".into() },
        RequestDecision::AskTime { days: 1 },
        RequestDecision::GiveTime { approve: true },
        RequestDecision::Provision,
        RequestDecision::Suspend,
        RequestDecision::End,
    ];
    for decision in all {
        assert_eq!(refused(&mut network, "hall", ADMIN, decide(Q7, decision)), Refusal::NotEntitled);
    }
    let refuse = |law: String| decide(Q7, RequestDecision::Refuse { law });
    assert_eq!(refused(&mut network, "police", ADMIN, refuse(String::new())), Refusal::LawMissing);
    assert_eq!(refused(&mut network, "police", ADMIN, refuse("法".repeat(334))), Refusal::LawMissing);
    let ground = Ground { reason: fengni_core::ReasonCode(77), ..GROUND };
    let unknown = Operation::DecideRequest { request: Q7, decision: RequestDecision::Agree, ground };
    assert_eq!(refused(&mut network, "police", ADMIN, unknown), Refusal::UnknownReason);
    done(&mut network, "police", ADMIN, refuse("a law".into()));
    let answered = request(&network, Q7);
    assert_eq!((answered.status, answered.ground), (RequestStatus::Refused, Some(GROUND)));
    assert_eq!(answered.refused_by, "a law");
    assert_eq!(
        refused(&mut network, "police", ADMIN, decide(Q7, RequestDecision::Agree)),
        Refusal::RequestState,
        "answered once"
    );

    let q8 = RequestNumber(1);
    // Ending it would be refusing without a law.
    let silent = decide(q8, RequestDecision::End);
    assert_eq!(refused(&mut network, "police", ADMIN, silent), Refusal::NotEntitled);
    let both = |network: &mut Network, decision| done(network, "police", ADMIN, decide(q8, decision));
    both(&mut network, RequestDecision::Agree);
    both(&mut network, RequestDecision::Provision);
    // The one above the requester withholds it, and nobody else gives it back.
    done(&mut network, "ministry", ADMIN, decide(q8, RequestDecision::Suspend));
    assert_eq!(request(&network, q8).status, RequestStatus::Suspended { by: member("ministry") });
    let resume = decide(q8, RequestDecision::Resume);
    assert_eq!(refused(&mut network, "police", ADMIN, resume.clone()), Refusal::NotEntitled);
    done(&mut network, "ministry", ADMIN, resume);
    done(&mut network, "customs", ADMIN, decide(q8, RequestDecision::End));
    assert_eq!(request(&network, q8).status, RequestStatus::Ended { by: member("customs") });
    let (unknown, twice) = (RequestNumber(9), decide(q8, RequestDecision::End));
    assert_eq!(refused(&mut network, "customs", ADMIN, twice), Refusal::RequestState);
    let asked = decide(unknown, RequestDecision::Agree);
    assert_eq!(refused(&mut network, "police", ADMIN, asked), Refusal::UnknownRequest);
}

/// Filed on Monday, 2026-03-02, agreed to on another day: until when both are due.
fn due_days(holidays: &[&str], agreed: &str) -> (Option<Day>, Option<Day>) {
    let mut network = published(PROTOCOL_VERSION, holidays);
    done(&mut network, "customs", ADMIN, file(terms()));
    let answer = request(&network, Q7).answer.due;
    go_to(&mut network, agreed);
    done(&mut network, "police", ADMIN, decide(Q7, RequestDecision::Agree));
    (answer, request(&network, Q7).provision.due)
}

#[test]
fn shr02_answers_and_data_are_due_in_working_days() {
    let answer = Some(day("2026-03-16"));
    assert_eq!(due_days(&[], "2026-03-12"), (answer, Some(day("2026-04-09"))));
    assert_eq!(due_days(&["20260406"], "2026-03-12"), (answer, Some(day("2026-04-10"))));
    assert_eq!(due_days(&["20260406"], "2026-03-05"), (answer, Some(day("2026-04-02"))), "journey J7");

    let mut network = network(PROTOCOL_VERSION, &[]);
    let open = ResourceTerms { sharing: Sharing::Unconditional, conditions: String::new(), ..resource() };
    done(&mut network, "police", ADMIN, propose_resource(open, None));
    done(&mut network, "donghai", ADMIN, decide_resource(0, ResourceDecision::Publish));
    done(&mut network, "customs", ADMIN, put_item(item(), None));
    let effect = done(&mut network, "customs", ADMIN, file(terms()));
    let due = Some(day("2026-03-03"));
    assert_eq!(effect, Effect::Request { request: Q7, status: RequestStatus::Filed, due });
}

#[test]
fn shr02_a_later_calendar_changes_no_day_that_is_due() {
    let mut network = published(PROTOCOL_VERSION, &[]);
    done(&mut network, "customs", ADMIN, file(terms()));
    let mut calendar = set("calendar", &[("20260305", "holiday")]);
    calendar.version = 2;
    let effective = network.state.height().0 + 20;
    pass(&mut network, Measure::SetCodes { codes: calendar }, effective, OTHERS);
    reach(&mut network, effective);
    done(&mut network, "customs", ADMIN, file(terms()));
    assert_eq!(request(&network, Q7).answer.due, Some(day("2026-03-16")), "as it was reckoned");
    assert_eq!(request(&network, RequestNumber(1)).answer.due, Some(day("2026-03-17")), "by the new calendar");
}

#[test]
fn shr02_more_time_is_asked_for_once_and_given_by_whoever_is_above() {
    let mut network = published(PROTOCOL_VERSION, &["20260317"]);
    done(&mut network, "customs", ADMIN, file(terms()));
    let give = |approve| decide(Q7, RequestDecision::GiveTime { approve });
    assert_eq!(refused(&mut network, "donghai", ADMIN, give(true)), Refusal::RequestState, "nobody asked");
    for days in [0, 11] {
        let asked = decide(Q7, RequestDecision::AskTime { days });
        assert_eq!(refused(&mut network, "police", ADMIN, asked), Refusal::BadExtension);
    }
    done(&mut network, "police", ADMIN, decide(Q7, RequestDecision::AskTime { days: 5 }));
    assert_eq!(request(&network, Q7).answer.due, Some(day("2026-03-16")), "asking gives nothing");
    assert_eq!(refused(&mut network, "police", ADMIN, give(true)), Refusal::NotEntitled);
    done(&mut network, "donghai", ADMIN, give(true));
    assert_eq!(request(&network, Q7).answer.due, Some(day("2026-03-24")));
    assert_eq!(request(&network, Q7).extension, Some(Extension::Given { days: 5, by: member("donghai") }));
    let again = decide(Q7, RequestDecision::AskTime { days: 5 });
    assert_eq!(refused(&mut network, "police", ADMIN, again), Refusal::RequestState);
    assert_eq!(refused(&mut network, "donghai", ADMIN, give(false)), Refusal::RequestState);
}

#[test]
fn j7_a_request_left_silent_is_overdue_by_its_record_alone() {
    let mut network = published(PROTOCOL_VERSION, &[]);
    done(&mut network, "customs", ADMIN, file(terms()));
    done(&mut network, "customs", ADMIN, file(terms()));
    go_to(&mut network, "2026-03-05");
    done(&mut network, "police", ADMIN, decide(Q7, RequestDecision::Agree));
    let (q7, q8) = (request(&network, Q7), request(&network, RequestNumber(1)));
    assert_eq!((q7.overdue(day("2026-04-02")), q7.overdue(day("2026-04-03"))), (None, Some(Overdue::Provision)));
    assert_eq!((q8.overdue(day("2026-03-16")), q8.overdue(day("2026-03-17"))), (None, Some(Overdue::Answer)));
    go_to(&mut network, "2026-03-06");
    done(&mut network, "police", ADMIN, decide(Q7, RequestDecision::Provision));
    assert_eq!(request(&network, Q7).overdue(day("2027-01-01")), None);
    assert_eq!(request(&network, Q7).status, RequestStatus::Provisioned);

    // An answer that comes late stays late.
    go_to(&mut network, "2026-03-18");
    done(&mut network, "police", ADMIN, decide(RequestNumber(1), RequestDecision::Agree));
    let late = request(&network, RequestNumber(1));
    assert!(late.answer.is_late(day("2026-03-18")) && late.overdue(day("2026-03-18")).is_none());
}

const GRANTS: BookNumber = BookNumber(0);
const SECRET: [u8; 32] = [5; 32];

fn grant(content: u8) -> Line {
    let domain = common::domain(Suite::Standard);
    grant_line(&domain, grant_commitment(&domain, &Digest([content; 32]), &SECRET))
}

fn withdraw(line: u64, content: u8, secret: [u8; 32]) -> Operation {
    let place = LinePlace { book: GRANTS, line: LineNumber(line) };
    Operation::WithdrawGrant { place, content: Digest([content; 32]), secret }
}

#[test]
fn shr04_whoever_has_the_secret_withdraws_a_grant_through_any_member() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let open = || Operation::OpenBook { subject: Subject::Grants, division: division("31") };
    assert_eq!(refused(&mut network, "court", APPLICATION, open()), Refusal::RoleMissing);
    assert_eq!(refused(&mut network, "customs", ADMIN, open()), Refusal::KeyPurpose);
    done(&mut network, "customs", APPLICATION, open());
    assert_eq!(refused(&mut network, "customs", APPLICATION, open()), Refusal::DuplicateBook);
    let seal = |lines| Operation::Seal { book: GRANTS, lines };
    assert_eq!(refused(&mut network, "hall", APPLICATION, seal(vec![grant(1)])), Refusal::NotEntitled);
    done(&mut network, "customs", APPLICATION, seal(vec![grant(1), grant(2)]));

    // Another digest, another secret, another grant's.
    for (content, secret) in [(2, SECRET), (1, [6; 32])] {
        let asked = withdraw(0, content, secret);
        assert_eq!(refused(&mut network, "customs", APPLICATION, asked), Refusal::OtherGrant);
    }
    assert_eq!(refused(&mut network, "court", ISSUING, withdraw(0, 1, SECRET)), Refusal::KeyPurpose);
    // The department that keeps the book is not asked: a court without any role relays it.
    let effect = done(&mut network, "court", APPLICATION, withdraw(0, 1, SECRET));
    let Effect::Acted { act, standing } = effect else { panic!("{effect:?}") };
    assert_eq!(standing.state, LineState::Withdrawn);
    let act = network.records.act(GRANTS, act).expect("the act");
    assert_eq!((act.by, act.reason.0, act.decision), (member("court"), 0, Digest::default()));
    assert_eq!(refused(&mut network, "customs", APPLICATION, withdraw(0, 1, SECRET)), Refusal::WrongState);
    let other = network.state.book(GRANTS).and_then(|book| book.standing(LineNumber(1))).expect("a line");
    assert_eq!(other.0.state, LineState::Active);

    // What is done to certificates is done to no grant.
    let place = LinePlace { book: GRANTS, line: LineNumber(1) };
    for change in [StandingChange::Suspend { until: None }, StandingChange::Dispute, StandingChange::Cancel] {
        let asked = Operation::Change { place, change, ground: GROUND };
        assert_eq!(refused(&mut network, "customs", &[4, 5], asked), Refusal::NotEntitled);
    }
    let asked = Operation::FileObjection { place, ground: GROUND };
    assert_eq!(refused(&mut network, "customs", ADMIN, asked), Refusal::NotEntitled);
}

#[test]
fn z6_a_grant_has_one_line_for_good() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let open = |region: &str| Operation::OpenBook { subject: Subject::Grants, division: division(region) };
    let seal = |lines: &[Line]| Operation::Seal { book: GRANTS, lines: lines.to_vec() };
    done(&mut network, "customs", APPLICATION, open("31"));
    done(&mut network, "customs", APPLICATION, seal(&[grant(1), grant(2)]));
    done(&mut network, "customs", APPLICATION, withdraw(0, 1, SECRET));

    // Sealed again: withdrawn or not, under its own tag or another, today or for a day before.
    let again = |line| Decision::Refused { refusal: Refusal::DuplicateTag, detail: line };
    assert_eq!(act(&mut network, "customs", APPLICATION, seal(&[grant(3), grant(1)])), again(1));
    assert_eq!(act(&mut network, "customs", APPLICATION, seal(&[grant(2)])), again(0));
    assert_eq!(act(&mut network, "customs", APPLICATION, seal(&[grant(3), grant(3)])), again(1));
    let drawn = Line { tag: Tag([7; 16]), ..grant(1) };
    let bad_tag = Decision::Refused { refusal: Refusal::BadTag, detail: 1 };
    assert_eq!(act(&mut network, "customs", APPLICATION, seal(&[grant(3), drawn])), bad_tag);
    let acted = day("2026-03-01");
    let dated = Operation::DatedSeal { book: GRANTS, acted, lines: vec![grant(3), drawn] };
    assert_eq!(act(&mut network, "customs", APPLICATION, dated), bad_tag);

    // In another book: for another region, and when the first is somebody else's to write in.
    assert_eq!(refused(&mut network, "customs", APPLICATION, open("3199")), Refusal::DuplicateBook);
    let effective = network.state.height().0 + 20;
    pass(&mut network, Measure::ChangeKeeper { book: GRANTS, keeper: member("police") }, effective, OTHERS);
    reach(&mut network, effective);
    assert_eq!(refused(&mut network, "customs", APPLICATION, open("31")), Refusal::DuplicateBook);
    assert_eq!(refused(&mut network, "customs", APPLICATION, seal(&[grant(3)])), Refusal::NotEntitled);
    assert_eq!(refused(&mut network, "police", APPLICATION, seal(&[grant(3)])), Refusal::IssuerNotAuthorised);
    // It withdraws as before, and whoever keeps it now has a book of its own besides.
    done(&mut network, "court", APPLICATION, withdraw(1, 2, SECRET));
    done(&mut network, "police", APPLICATION, open("31"));
    assert_eq!(network.state.book(BookNumber(1)).expect("a book").record().opener(), member("police"));
}

#[test]
fn z6_nothing_but_a_withdrawal_is_done_to_a_grant() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let place = LinePlace { book: GRANTS, line: LineNumber(0) };
    let open = Operation::OpenBook { subject: Subject::Grants, division: division("31") };
    done(&mut network, "police", APPLICATION, open);
    done(&mut network, "police", APPLICATION, Operation::Seal { book: GRANTS, lines: vec![grant(1)] });
    let (old, into, ground) = (place, GRANTS, GROUND);
    let supersede = |cause| Operation::Supersede { old, into, new: grant(2), cause, ground };
    let of_keeper = [
        supersede(Cause::Renew),
        supersede(Cause::Correct),
        Operation::Rekey { old, new: grant(1), ground },
        Operation::TransferIn { old, into, new: grant(2), ground },
        Operation::Step { place, ground, closes: true },
        Operation::Order { scope: Scope::Book { book: GRANTS }, ground },
    ];
    for asked in of_keeper {
        assert_eq!(refused(&mut network, "police", ISSUING, asked.clone()), Refusal::NotEntitled, "{asked:?}");
    }
    let target = member("customs");
    for change in [StandingChange::Expire, StandingChange::TransferOut { target }, StandingChange::BlockKey] {
        let asked = Operation::Change { place, change, ground };
        assert_eq!(refused(&mut network, "police", ISSUING, asked), Refusal::NotEntitled, "{change:?}");
    }
    let asked = Operation::Consume { place, ground };
    assert_eq!(refused(&mut network, "police", APPLICATION, asked), Refusal::NotEntitled);
    let found = network.state.book(GRANTS).and_then(|book| book.standing(place.line)).expect("a line");
    assert_eq!(found, (Standing::ACTIVE, vec![]));
}

#[test]
fn z9_batches_of_receipts_are_counted_without_a_gap() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let open = |region: &str| Operation::OpenBook { subject: Subject::Receipts, division: division(region) };
    assert_eq!(refused(&mut network, "customs", APPLICATION, open("31")), Refusal::RoleMissing);
    done(&mut network, "police", APPLICATION, open("31"));
    assert_eq!(refused(&mut network, "police", APPLICATION, open("3199")), Refusal::DuplicateBook, "one in all");
    let book = BookNumber(0);
    let batch = |first, count| Batch { first, count, receipts: Digest([first as u8; 32]) }.line();
    let seal = |lines: &[Line]| Operation::Seal { book, lines: lines.to_vec() };
    let detail = |network: &mut Network, lines: &[Line]| match act(network, "police", APPLICATION, seal(lines)) {
        Decision::Refused { refusal: Refusal::BadBatch, detail } => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(detail(&mut network, &[batch(1, 2)]), 0, "a book begins with receipt 0");
    assert_eq!(detail(&mut network, &[batch(0, 0)]), 0);
    assert_eq!(detail(&mut network, &[batch(0, 65_537)]), 0);
    done(&mut network, "police", APPLICATION, seal(&[batch(0, 3), batch(3, 65_536)]));
    assert_eq!(detail(&mut network, &[batch(3, 1)]), 0, "again");
    assert_eq!(detail(&mut network, &[batch(65_539, 1), batch(65_541, 1)]), 1, "one is left out");
    assert_eq!(network.state.book(book).expect("a book").record().lines, 2, "nothing of what was refused");

    // Where a page ends the last line is no open one any more.
    let mut next = 65_539;
    for count in [4; 255].into_iter().chain([2]) {
        let lines: Vec<Line> = (0..count).map(|place| batch(next + place, 1)).collect();
        next += count;
        done(&mut network, "police", APPLICATION, seal(&lines));
    }
    assert_eq!(network.state.book(book).expect("a book").record().lines, 1024);
    assert_eq!(detail(&mut network, &[batch(next + 1, 1)]), 0);
    done(&mut network, "police", APPLICATION, seal(&[batch(next, 1)]));
}

#[test]
fn j13_an_objection_flags_a_certificate_until_it_is_answered() {
    let mut network = network(PROTOCOL_VERSION, &[]);
    let subject = Subject::Certificates { certificate_type: kind("licence") };
    done(&mut network, "police", ISSUING, Operation::OpenBook { subject, division: division("31") });
    let line = |number: u8| Line { tag: Tag([number; 16]), commitment: Digest([number; 32]) };
    let book = BookNumber(0);
    done(&mut network, "police", ISSUING, Operation::Seal { book, lines: vec![line(1), line(2)] });
    let place = |line: u64| LinePlace { book, line: LineNumber(line) };
    let disputed = |network: &Network, line: u64| {
        network.state.book(book).and_then(|book| book.standing(LineNumber(line))).expect("a line").0.disputed
    };
    let object = |line: u64| Operation::FileObjection { place: place(line), ground: GROUND };
    let answer = |number: u32, line: u64, answer| {
        let objection = ObjectionNumber(number);
        Operation::AnswerObjection { objection, place: place(line), answer, ground: GROUND }
    };

    go_to(&mut network, "2026-03-16");
    assert_eq!(refused(&mut network, "court", ADMIN, object(0)), Refusal::RoleMissing);
    let effect = done(&mut network, "customs", APPLICATION, object(0));
    let Effect::Objection { objection: ObjectionNumber(0), act: Some(_), status, due } = effect else {
        panic!("{effect:?}")
    };
    assert_eq!((status, due), (ObjectionStatus::Open, Some(day("2026-03-30"))));
    assert!(disputed(&network, 0) && !disputed(&network, 1));
    assert_eq!(refused(&mut network, "hall", ADMIN, object(0)), Refusal::ObjectionOpen);
    let clear = Operation::Change { place: place(0), change: StandingChange::ClearDispute, ground: GROUND };
    assert_eq!(refused(&mut network, "police", ISSUING, clear), Refusal::ObjectionOpen);
    let early = answer(0, 0, ObjectionAnswer::Correct);
    assert_eq!(refused(&mut network, "police", ISSUING, early), Refusal::ObjectionState, "nothing was corrected");
    let strange = answer(0, 0, ObjectionAnswer::Maintain);
    assert_eq!(refused(&mut network, "town", ISSUING, strange), Refusal::NotEntitled);
    let other = answer(0, 1, ObjectionAnswer::Maintain);
    assert_eq!(refused(&mut network, "police", ISSUING, other), Refusal::UnknownObjection);

    // A lost phone meanwhile: the flag and the objection go along.
    let rekeyed = Operation::Rekey { old: place(0), new: line(1), ground: GROUND };
    done(&mut network, "police", ISSUING, rekeyed);
    assert!(disputed(&network, 2));
    let gone = answer(0, 0, ObjectionAnswer::Maintain);
    assert_eq!(refused(&mut network, "police", ISSUING, gone), Refusal::UnknownObjection);

    // Corrected on the 24th: the new line carries no flag, and the objection is closed in time.
    go_to(&mut network, "2026-03-24");
    let (cause, ground) = (Cause::Correct, GROUND);
    done(
        &mut network,
        "police",
        ISSUING,
        Operation::Supersede { old: place(2), into: book, new: line(3), cause, ground },
    );
    assert!(!disputed(&network, 3));
    done(&mut network, "police", ISSUING, answer(0, 2, ObjectionAnswer::Correct));
    assert!(!disputed(&network, 2));
    let closed = *network.state.registries().objections.get(0).expect("an objection").as_ref();
    assert_eq!(
        (closed.status, closed.place, closed.filed_on),
        (ObjectionStatus::Corrected, place(2), day("2026-03-16"))
    );
    assert!(!closed.answer.is_late(day("2027-01-01")) && closed.answered == Some(GROUND));
    let twice = answer(0, 2, ObjectionAnswer::Maintain);
    assert_eq!(refused(&mut network, "police", ISSUING, twice), Refusal::ObjectionState);

    // Another one is maintained; then the certificate can be objected to again. A start from what is stored knows
    // what is open.
    done(&mut network, "customs", ADMIN, object(1));
    done(&mut network, "police", ISSUING, answer(1, 1, ObjectionAnswer::Maintain));
    assert!(!disputed(&network, 1));
    done(&mut network, "customs", ADMIN, object(1));
    let header = network.blocks.last().expect("a block").block.header.clone();
    network.state = fengni_state::State::load(network.domain, &header, &network.stored).expect("as stored");
    assert_eq!(refused(&mut network, "hall", ADMIN, object(1)), Refusal::ObjectionOpen);
    let superseded = object(0);
    assert_eq!(refused(&mut network, "hall", ADMIN, superseded), Refusal::WrongState);
}
