//! A book that is given to another keeper: who writes, whose certificates these are, and whose keys
//! sealed them. Rules B-10, O-15 and O-21.

#![allow(clippy::cast_possible_truncation)]

mod common;

use common::deciding::{ADMIN, GROUND, OTHERS, done, pass, proposal, propose, reach, refused};
use common::{Network, division, kind, member};
use fengni_core::book::{FormerKeeper, Line, Subject, Tag};
use fengni_core::operation::{Operation, StandingChange};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Measure, ProposalStatus, Scope};
use fengni_core::{BookNumber, Digest, Height, KeyNumber, LineNumber, LinePlace, MemberNumber, Suite};

const BOOK: BookNumber = BookNumber(0);

fn network() -> Network {
    let mut founding = common::founding(Suite::Standard);
    founding.parameters.protocol = 2;
    Network::found(Suite::Standard, founding)
}

fn open() -> Operation {
    let subject = Subject::Certificates { certificate_type: kind("licence") };
    Operation::OpenBook { subject, division: division("3199") }
}

fn line(tag: u8, content: u8) -> Line {
    Line { tag: Tag([tag; 16]), commitment: Digest([content; 32]) }
}

fn seal(tag: u8) -> Operation {
    Operation::Seal { book: BOOK, lines: vec![line(tag, tag)] }
}

fn place(line: u64) -> LinePlace {
    LinePlace { book: BOOK, line: LineNumber(line) }
}

fn change(line: u64, change: StandingChange) -> Operation {
    Operation::Change { place: place(line), change, ground: GROUND }
}

fn revoke(who: &str, key: u16) -> Operation {
    Operation::RevokeKey { member: member(who), key: KeyNumber(key), from: Height(0), ground: GROUND }
}

fn to(keeper: MemberNumber) -> Measure {
    Measure::ChangeKeeper { book: BOOK, keeper }
}

/// Gives the book to a member, and returns the first height at which it keeps it.
fn give(network: &mut Network, keeper: &str) -> Height {
    let effective = network.state.height().0 + 9;
    pass(network, to(member(keeper)), effective, OTHERS);
    reach(network, effective - 2);
    Height(effective)
}

fn suspended(network: &Network) -> Vec<u64> {
    let record = network.state.book(BOOK).expect("a book").record();
    (0..record.lines).filter(|line| record.suspended.iter().any(|run| run.covers(LineNumber(*line)))).collect()
}

#[test]
fn b10_another_department_keeps_a_book_from_its_height_on() {
    let mut network = network();
    done(&mut network, "police", &[4], open());
    done(&mut network, "town", &[4], open());
    done(&mut network, "police", &[4], seal(1));
    done(&mut network, "police", &[5], seal(2));
    let effective = give(&mut network, "town");

    // Up to the height before, nothing has changed; from there on, the new keeper answers for the lines.
    done(&mut network, "police", &[4], change(0, StandingChange::Suspend { until: None }));
    assert_eq!(network.state.height().next(), effective);
    assert_eq!(refused(&mut network, "police", &[4], seal(3)), Refusal::NotEntitled);
    assert_eq!(refused(&mut network, "police", &[4], change(1, StandingChange::Dispute)), Refusal::NotEntitled);
    done(&mut network, "town", &[4], change(0, StandingChange::Return { hold: member("police") }));
    done(&mut network, "town", &[4], change(1, StandingChange::Dispute));
    let order = || Operation::Order { scope: Scope::Book { book: BOOK }, ground: GROUND };
    assert_eq!(refused(&mut network, "police", &[4, 5], order()), Refusal::NotEntitled);

    // It replaces what is there, and issues nothing under another's code.
    assert_eq!(refused(&mut network, "town", &[4], seal(3)), Refusal::IssuerNotAuthorised);
    done(&mut network, "town", &[4], Operation::Rekey { old: place(1), new: line(2, 9), ground: GROUND });
    let record = network.state.book(BOOK).expect("a book").record().clone();
    let former = FormerKeeper { member: member("police"), until: Height(effective.0 - 1), lines: 2 };
    assert_eq!((record.keeper, &record.former[..]), (member("town"), &[former][..]));
    assert_eq!((record.version, record.changed), (2, former.until));
    assert_eq!(record.opener(), member("police"));
    let sealers = [0, 1, 2].map(|line| record.sealer(LineNumber(line)));
    assert_eq!(sealers, [member("police"), member("police"), member("town")]);

    // Each keeps at most one book of its own code for a type and a region.
    assert_eq!(refused(&mut network, "town", &[4], open()), Refusal::DuplicateBook);
    assert_eq!(done(&mut network, "police", &[4], open()), Effect::BookOpened { book: BookNumber(2) });

    // Back again: then it issues in it as before.
    give(&mut network, "police");
    done(&mut network, "town", &[4], change(0, StandingChange::Dispute));
    done(&mut network, "police", &[4], seal(3));
    let record = network.state.book(BOOK).expect("a book").record();
    assert_eq!(
        record.former.iter().map(|former| (former.member, former.lines)).collect::<Vec<_>>(),
        [(member("police"), 2), (member("town"), 3)]
    );
    assert_eq!([2, 3].map(|line| record.sealer(LineNumber(line))), [member("town"), member("police")]);
    network.assert_rebuilds();
}

#[test]
fn o15_a_revoked_key_suspends_what_it_sealed_while_its_member_kept_the_book() {
    let mut network = network();
    done(&mut network, "police", &[4], open());
    done(&mut network, "police", &[4], seal(1));
    done(&mut network, "police", &[5], seal(2));
    let effective = give(&mut network, "town");
    reach(&mut network, effective.0 - 1);
    for (old, content) in [(0, 8), (1, 9)] {
        let tag = u8::try_from(old).expect("small") + 1;
        done(&mut network, "town", &[4], Operation::Rekey { old: place(old), new: line(tag, content), ground: GROUND });
    }
    // Both members have a key 4.
    let Effect::KeyRevoked { lines, .. } = done(&mut network, "police", ADMIN, revoke("police", 4)) else {
        panic!("another effect")
    };
    assert_eq!((lines, suspended(&network)), (1, vec![0]));
    let Effect::KeyRevoked { lines, .. } = done(&mut network, "town", ADMIN, revoke("town", 4)) else {
        panic!("another effect")
    };
    assert_eq!((lines, suspended(&network)), (2, vec![0, 2, 3]));
    // The present keeper looks at all of them.
    let confirm = Operation::Confirm { book: BOOK, first: LineNumber(0), last: LineNumber(2), ground: GROUND };
    assert_eq!(done(&mut network, "town", &[5, 11], confirm), Effect::Confirmed { book: BOOK, lines: 2 });
    assert_eq!(suspended(&network), [3]);
    network.assert_rebuilds();
}

#[test]
fn o21_who_cannot_be_given_a_book() {
    let mut network = network();
    done(&mut network, "police", &[4], open());
    let unknown = Measure::ChangeKeeper { book: BookNumber(7), keeper: member("town") };
    let cases = [
        (Refusal::UnknownBook, unknown),
        (Refusal::UnknownMember, to(MemberNumber(99))),
        (Refusal::IssuerNotAuthorised, to(member("yunshan"))),
        (Refusal::BadMeasure, to(member("hall"))),
        (Refusal::BadMeasure, to(member("paused"))),
        (Refusal::BadMeasure, to(member("gone"))),
        (Refusal::BadMeasure, to(member("police"))),
    ];
    for (refusal, measure) in cases {
        assert_eq!(refused(&mut network, "council", ADMIN, propose(measure.clone(), 40)), refusal, "{measure:?}");
    }
    // Of two that pass for one height, the second finds the book given already.
    let effective = network.state.height().0 + 14;
    pass(&mut network, to(member("town")), effective, OTHERS);
    let second = pass(&mut network, to(member("town")), effective, OTHERS);
    reach(&mut network, effective);
    let (height, refusal) = (Height(effective), Refusal::BadMeasure);
    assert_eq!(proposal(&network, second).status, ProposalStatus::Failed { height, refusal });
    network.assert_rebuilds();
}
