//! Deciding together: joining, leaving, voting, rotating, ordering, accusing. Rules O-17 to O-25.

#![allow(clippy::cast_possible_truncation)]

mod common;

use common::deciding::{
    ADMIN, GROUND, OTHERS, TWO_ADMINS, ballot, done, pass, proposal, propose, reach, refused, run, vote,
};
use common::{Network, division, kind, member, secret};
use fengni_core::book::{Line, Subject, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::id::CreditCode;
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect, Refusal};
use fengni_core::record::{
    Applicant, ApplicationStatus, DoubleSigning, KeyPurpose, Measure, MemberStatus, NewKey, Parameters, ProposalStatus,
    Role, Roles, Scope, SignedKind, SignedStatement,
};
use fengni_core::recovery::RecoveryTerms;
use fengni_core::{
    ApplicationNumber, BlockId, BookNumber, Digest, Height, KeyNumber, LineNumber, MemberNumber, Millis, OrderNumber,
    ProposalNumber, Suite, VoteStep, proposal_bytes, vote_bytes,
};

/// The newcomer's number, after the founding members'.
const NEW: MemberNumber = MemberNumber(13);

fn network() -> Network {
    Network::new(Suite::Standard)
}

fn code() -> CreditCode {
    CreditCode::parse("11100000XN0000012G").expect("a right credit code")
}

/// A department that wants to validate, with keys numbered on from `first`.
fn applicant(network: &Network, first: u16) -> Applicant {
    let purposes = [KeyPurpose::Consensus, KeyPurpose::Admin, KeyPurpose::Peer, KeyPurpose::Issuing];
    let keys = (first..).zip(purposes).map(|(number, purpose)| {
        NewKey::of(&network.domain, &code(), purpose, &secret(network.domain.suite, NEW, number))
    });
    Applicant {
        code: code(),
        name: "newcomer".into(),
        division: division("33"),
        superior: None,
        roles: Roles::of(&[Role::Validator, Role::Issuer]),
        keys: keys.collect(),
        contact: Digest([4; 32]),
    }
}

fn file(applicant: Applicant) -> Operation {
    Operation::FileApplication { applicant: Box::new(applicant) }
}

fn apply_and_confirm(network: &mut Network, first: u16) -> ApplicationNumber {
    let entry = applicant(network, first);
    let Effect::Application { application, status: ApplicationStatus::Applied } =
        done(network, "council", ADMIN, file(entry))
    else {
        panic!("another effect")
    };
    done(network, "donghai", ADMIN, Operation::ReviewApplication { application, confirm: true, ground: GROUND });
    application
}

fn validators(network: &Network) -> Vec<u32> {
    network.state.next_validators().iter().map(|validator| validator.member.0).collect()
}

#[test]
fn o17_to_o21_a_department_joins_leaves_and_comes_back() {
    let mut network = network();
    assert_eq!(validators(&network), [0, 1, 2, 4]);
    let application = apply_and_confirm(&mut network, 0);
    pass(&mut network, Measure::Admit { application, power: 1 }, 14, OTHERS);
    let record = network.state.member(NEW).expect("there since the vote").clone();
    let begins = |purpose| record.keys.iter().find(|key| key.purpose == purpose).map(|key| key.from.0);
    assert_eq!(begins(KeyPurpose::Consensus), Some(14));
    assert_eq!(begins(KeyPurpose::Peer), Some(network.state.height().0 + 1), "its node may catch up before");
    reach(&mut network, 12);
    assert_eq!(validators(&network), [0, 1, 2, 4], "of height 13");
    reach(&mut network, 13);
    assert_eq!(validators(&network), [0, 1, 2, 4, 13], "of height 14");
    let early = network.transaction(NEW, &[1], Operation::Withdraw { proposal: ProposalNumber(0) });
    assert!(matches!(run(&mut network, early), Decision::Refused { refusal: Refusal::NotEntitled, .. }));

    // Five voters, of whom the one to be removed does not count: three of four.
    let removal = pass(&mut network, Measure::Remove { member: NEW }, 22, &["council", "donghai", "ministry"]);
    reach(&mut network, 21);
    assert_eq!(proposal(&network, removal).status, ProposalStatus::Enacted { height: Height(22) });
    assert_eq!(validators(&network), [0, 1, 2, 4]);
    let left = network.state.member(NEW).expect("records stay").clone();
    assert_eq!((left.status, left.power), (MemberStatus::Removed, 0));
    assert!(left.keys.iter().all(|key| key.until == Some(Height(21))));

    let application = apply_and_confirm(&mut network, 4);
    pass(&mut network, Measure::Admit { application, power: 2 }, 34, OTHERS);
    reach(&mut network, 33);
    assert_eq!(validators(&network), [0, 1, 2, 4, 13], "under its old number");
    assert_eq!(network.state.member(NEW).expect("a member").keys.len(), 8);
    network.assert_rebuilds();
}

#[test]
fn o17_o18_what_an_application_lacks_is_refused() {
    let mut network = network();
    let whole = applicant(&network, 0);
    let with = |change: &dyn Fn(&mut Applicant)| {
        let mut entry = whole.clone();
        change(&mut entry);
        file(entry)
    };
    let cases: [(Refusal, Operation); 9] = [
        (Refusal::BadProof, with(&|it| it.keys[0].purpose = KeyPurpose::Admin)),
        (Refusal::BadProof, with(&|it| it.code = CreditCode::parse("11100000XN0000020B").expect("a code"))),
        (Refusal::BadApplicant, with(&|it| _ = it.keys.remove(1))),
        (Refusal::BadApplicant, with(&|it| it.keys.push(it.keys[0].clone()))),
        (Refusal::BadApplicant, with(&|it| it.name.clear())),
        (Refusal::BadApplicant, with(&|it| it.division = division("44"))),
        (Refusal::BadApplicant, with(&|it| it.superior = Some(MemberNumber(99)))),
        (Refusal::BadApplicant, with(&|it| it.roles = Roles::default())),
        (Refusal::BadApplicant, with(&|it| it.roles = Roles::of(&[Role::Identity]))),
    ];
    for (refusal, operation) in cases {
        assert_eq!(refused(&mut network, "council", ADMIN, operation), refusal);
    }
    assert_eq!(refused(&mut network, "town", ADMIN, with(&|_| ())), Refusal::RoleMissing);
    assert_eq!(refused(&mut network, "council", &[4], with(&|_| ())), Refusal::KeyPurpose);

    let police = network.state.member(member("police")).expect("a member").clone();
    let own = |purpose, number| {
        NewKey::of(&network.domain, &police.code, purpose, &secret(Suite::Standard, member("police"), number))
    };
    let known = Applicant { code: police.code, keys: vec![own(KeyPurpose::Admin, 2)], ..whole.clone() };
    assert_eq!(refused(&mut network, "council", ADMIN, file(known)), Refusal::KeyInUse);
    let fresh = NewKey::of(&network.domain, &police.code, KeyPurpose::Admin, &secret(Suite::Standard, NEW, 50));
    let roles = Roles::of(&[Role::Verifier]);
    let again = Applicant { code: police.code, keys: vec![fresh], roles, ..whole };
    assert_eq!(refused(&mut network, "council", ADMIN, file(again)), Refusal::MemberExists);

    let application = apply_and_confirm(&mut network, 0);
    let review = |confirm| Operation::ReviewApplication { application, confirm, ground: GROUND };
    assert_eq!(refused(&mut network, "police", ADMIN, review(true)), Refusal::ApplicationState);
    done(&mut network, "police", ADMIN, review(false));
    let admit = propose(Measure::Admit { application, power: 1 }, 40);
    assert_eq!(refused(&mut network, "council", ADMIN, admit), Refusal::ApplicationState);
    assert_eq!(
        refused(
            &mut network,
            "council",
            ADMIN,
            propose(Measure::Admit { application: ApplicationNumber(7), power: 1 }, 40)
        ),
        Refusal::UnknownApplication
    );
}

#[test]
fn o20_below_the_threshold_nothing_happens() {
    let mut network = network();
    let application = apply_and_confirm(&mut network, 0);
    let admit = Measure::Admit { application, power: 1 };
    let Effect::Proposal { proposal: number, .. } = done(&mut network, "council", ADMIN, propose(admit, 12)) else {
        panic!("another effect")
    };
    assert_eq!(vote(&mut network, "police", number, true), ProposalStatus::Open);
    assert_eq!(vote(&mut network, "donghai", number, true), ProposalStatus::Open);
    reach(&mut network, 20);
    assert_eq!(proposal(&network, number).status, ProposalStatus::Lapsed { height: Height(9) });
    assert!(network.state.member(NEW).is_none());
    let late = ballot(&network, number, true);
    assert_eq!(refused(&mut network, "ministry", ADMIN, late), Refusal::ProposalState);
    network.assert_rebuilds();
}

#[test]
fn o19_o20_who_votes_on_what_and_when() {
    let mut network = network();
    let remove = Measure::Remove { member: member("hall") };
    let Effect::Proposal { proposal: number, .. } = done(&mut network, "council", ADMIN, propose(remove.clone(), 60))
    else {
        panic!("another effect")
    };
    let yes = ballot(&network, number, true);
    assert_eq!(refused(&mut network, "town", ADMIN, yes.clone()), Refusal::NotEntitled);
    assert_eq!(refused(&mut network, "police", &[4], yes.clone()), Refusal::KeyPurpose);
    let other = Operation::Vote { proposal: number, digest: Digest([1; 32]), approve: true };
    assert_eq!(refused(&mut network, "police", ADMIN, other), Refusal::OtherMeasure);
    let unknown = Operation::Vote { proposal: ProposalNumber(9), digest: Digest([1; 32]), approve: true };
    assert_eq!(refused(&mut network, "police", ADMIN, unknown), Refusal::UnknownProposal);
    assert_eq!(vote(&mut network, "police", number, false), ProposalStatus::Open);
    assert_eq!(refused(&mut network, "police", ADMIN, yes), Refusal::AlreadySigned);
    let against = vote(&mut network, "donghai", number, false);
    assert!(matches!(against, ProposalStatus::Rejected { .. }), "three of four cannot be reached any more");

    let Effect::Proposal { proposal: number, .. } = done(&mut network, "council", ADMIN, propose(remove.clone(), 60))
    else {
        panic!("another effect")
    };
    assert_eq!(refused(&mut network, "police", ADMIN, Operation::Withdraw { proposal: number }), Refusal::NotEntitled);
    done(&mut network, "council", ADMIN, Operation::Withdraw { proposal: number });
    let late = ballot(&network, number, true);
    assert_eq!(refused(&mut network, "police", ADMIN, late), Refusal::ProposalState);

    let height = network.state.height().0;
    // Closing needs a height to vote in: the including one, the notice of two, and one more.
    assert_eq!(refused(&mut network, "council", ADMIN, propose(remove.clone(), height + 4)), Refusal::BadEffect);
    assert_eq!(refused(&mut network, "council", ADMIN, propose(remove.clone(), height + 2000)), Refusal::BadEffect);
    assert_eq!(refused(&mut network, "town", ADMIN, propose(remove.clone(), 60)), Refusal::RoleMissing);
    for _ in 0..16 {
        done(&mut network, "council", ADMIN, propose(remove.clone(), 200));
    }
    assert_eq!(refused(&mut network, "council", ADMIN, propose(remove, 200)), Refusal::TooManyProposals);
}

#[test]
fn o21_no_vote_leaves_the_network_without_validators() {
    let mut network = network();
    let remove = propose(Measure::Remove { member: member("police") }, 60);
    assert_eq!(refused(&mut network, "council", ADMIN, remove), Refusal::TooFewValidators);
    let police = network.state.member(member("police")).expect("a member").clone();
    let change = |roles: &[Role], power, status| Measure::ChangeMember {
        member: member("police"),
        superior: police.superior,
        roles: Roles::of(roles),
        power,
        status,
    };
    for measure in [
        change(&[Role::Validator, Role::Issuer], 1, MemberStatus::Suspended),
        change(&[Role::Issuer], 0, MemberStatus::Active),
        Measure::ReplaceKeys { member: member("police"), ends: vec![KeyNumber(0)], keys: vec![] },
        Measure::SetParameters {
            parameters: Parameters { version: 2, validators_min: 5, ..network.state.parameters().clone() },
        },
    ] {
        assert_eq!(refused(&mut network, "council", ADMIN, propose(measure, 60)), Refusal::TooFewValidators);
    }
    // Above itself, without its role, and without power.
    let circle = Measure::ChangeMember {
        member: member("council"),
        superior: Some(member("police")),
        roles: Roles::of(&[Role::Validator, Role::Regulator]),
        power: 3,
        status: MemberStatus::Active,
    };
    for measure in [
        circle,
        change(&[Role::Issuer], 1, MemberStatus::Active),
        change(&[Role::Validator], 0, MemberStatus::Active),
        change(&[Role::Validator], 1, MemberStatus::Removed),
    ] {
        assert_eq!(refused(&mut network, "council", ADMIN, propose(measure, 60)), Refusal::BadMeasure);
    }
    let last = Measure::ReplaceKeys { member: member("hall"), ends: vec![KeyNumber(2), KeyNumber(3)], keys: vec![] };
    assert_eq!(refused(&mut network, "council", ADMIN, propose(last, 60)), Refusal::LastKey);
}

#[test]
fn o21_what_passed_fails_where_it_would_break_a_rule_by_then() {
    let mut network = network();
    let application = apply_and_confirm(&mut network, 0);
    pass(&mut network, Measure::Admit { application, power: 1 }, 12, OTHERS);
    reach(&mut network, 14);
    // Either may leave, but not both.
    let first = pass(&mut network, Measure::Remove { member: NEW }, 30, OTHERS);
    let second =
        pass(&mut network, Measure::Remove { member: member("police") }, 30, &["council", "donghai", "ministry"]);
    reach(&mut network, 31);
    assert_eq!(proposal(&network, first).status, ProposalStatus::Enacted { height: Height(30) });
    let refusal = Refusal::TooFewValidators;
    assert_eq!(proposal(&network, second).status, ProposalStatus::Failed { height: Height(30), refusal });
    assert_eq!(validators(&network), [0, 1, 2, 4]);
    network.assert_rebuilds();
}

#[test]
fn r11_a_vote_names_who_recovers_the_network() {
    let mut network = network();
    let own = network.state.member(member("council")).expect("a member").keys[0].key;
    let stranger = common::foreign_key();
    let named = |key, threshold, delay_secs| {
        let recovery = Some(RecoveryTerms { keys: vec![key], threshold, delay_secs }).into();
        Parameters { version: 2, recovery, ..network.state.parameters().clone() }
    };
    let (fits, members_key, unreachable) = (named(stranger, 1, 600), named(own, 1, 600), named(stranger, 2, 600));
    let slower_than_trust = named(stranger, 1, network.state.parameters().trusting_period_secs / 2 + 1);
    for parameters in [members_key, unreachable, slower_than_trust] {
        let measure = Measure::SetParameters { parameters };
        assert_eq!(refused(&mut network, "council", ADMIN, propose(measure, 40)), Refusal::BadMeasure);
    }
    pass(&mut network, Measure::SetParameters { parameters: fits.clone() }, 20, OTHERS);
    reach(&mut network, 20);
    assert_eq!(network.state.parameters(), &fits);
}

#[test]
fn gov07_parameters_codes_types_and_authorities_change_at_their_height() {
    let mut network = network();
    let parameters = Parameters { version: 2, solo_seal_lines: 9, window: 20, ..network.state.parameters().clone() };
    let set = |parameters: &Parameters| propose(Measure::SetParameters { parameters: parameters.clone() }, 40);
    let shorter = Parameters { window: 4, ..parameters.clone() };
    let upgraded = Parameters { protocol: 2, ..parameters.clone() };
    let again = Parameters { version: 1, ..parameters.clone() };
    let broken = Parameters { member_weight: 1, ..parameters.clone() };
    for wrong in [shorter, upgraded, again, broken] {
        assert_eq!(refused(&mut network, "council", ADMIN, set(&wrong)), Refusal::BadMeasure);
    }
    pass(&mut network, Measure::SetParameters { parameters: parameters.clone() }, 20, OTHERS);
    let authority = fengni_core::record::Authority {
        version: 1,
        member: member("town"),
        certificate_type: kind("pass"),
        division: division("3199"),
        from: common::day("2026-01-01"),
        until: common::day("2027-12-31"),
        basis: "a list of 2026".into(),
        suspended: None,
    };
    pass(&mut network, Measure::SetAuthority { number: None, authority: authority.clone() }, 20, OTHERS);
    pass(&mut network, Measure::EnableType { certificate_type: kind("closed"), enabled: true }, 20, OTHERS);
    let mut codes = network.state.code_set("reasons").expect("a set").as_ref().clone();
    codes.version += 1;
    codes.codes.push(fengni_core::record::Code { code: "7".into(), name: "an audit".into() });
    pass(&mut network, Measure::SetCodes { codes: codes.clone() }, 24, OTHERS);
    assert_eq!(network.state.height(), Height(20));
    assert_eq!(network.state.parameters(), &parameters, "block 20 was judged by them");
    assert_eq!(network.blocks[18].block.header.height, Height(19));
    assert_eq!(network.state.authorities().iter().last().map(|last| last.as_ref()), Some(&authority));
    assert!(network.state.member(member("town")).expect("a member").authorities.len() == 3);
    assert!(network.state.certificate_type(kind("closed")).expect("a type").enabled);
    reach(&mut network, 23);
    assert_eq!(network.state.code_set("reasons").map(|set| set.as_ref()), Some(&codes));
    network.assert_rebuilds();
}

#[test]
fn ops06_blocks_speak_the_next_version_from_its_height() {
    let mut network = network();
    assert_eq!(
        refused(&mut network, "council", ADMIN, propose(Measure::Upgrade { protocol: 3 }, 20)),
        Refusal::BadMeasure
    );
    pass(&mut network, Measure::Upgrade { protocol: 2 }, 12, OTHERS);
    reach(&mut network, 15);
    let versions: Vec<u16> = network.blocks.iter().map(|block| block.block.header.version).collect();
    assert_eq!(versions, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    network.assert_rebuilds();
}

/// A rotation of the police's, to its key with this number.
fn rotation(network: &Network, number: u16, purpose: KeyPurpose, from: u64, ends: Option<(u16, u64)>) -> Operation {
    let police = network.state.member(member("police")).expect("a member");
    let secret = secret(Suite::Standard, member("police"), number);
    let ends = ends.map(|(key, last)| (KeyNumber(key), Height(last)));
    let key = Box::new(NewKey::of(&network.domain, &police.code, purpose, &secret));
    Operation::RotateKey { key, from: Height(from), ends }
}

#[test]
fn o22_keys_follow_one_another_and_both_sign_in_between() {
    let mut network = network();
    let turn = rotation(&network, 12, KeyPurpose::Consensus, 4, Some((0, 3)));
    assert_eq!(
        done(&mut network, "police", TWO_ADMINS, turn),
        Effect::KeyAdded { member: member("police"), key: KeyNumber(12), from: Height(4) }
    );
    let key = |network: &Network| network.state.next_validators().get(member("police")).expect("a validator").key;
    let public = |number| secret(Suite::Standard, member("police"), number).public();
    reach(&mut network, 2);
    assert_eq!(key(&network), public(0), "of height 3");
    reach(&mut network, 3);
    assert_eq!(key(&network), public(12), "of height 4");

    let turn = rotation(&network, 13, KeyPurpose::Issuing, 6, Some((4, 8)));
    done(&mut network, "police", TWO_ADMINS, turn);
    let open = |kind_name: &str| Operation::OpenBook {
        subject: Subject::Certificates { certificate_type: kind(kind_name) },
        division: division("31"),
    };
    reach(&mut network, 6);
    done(&mut network, "police", &[13], open("licence"));
    done(&mut network, "police", &[4], open("permit"));
    let old = network.transaction(member("police"), &[4], open("pass"));
    let clock = Millis(network.state.time().0 + 1000);
    assert!(network.next_block(clock, vec![Bytes(old.encode())]).is_empty(), "key 4 ended at height 8");
    network.assert_rebuilds();
}

#[test]
fn o22_what_a_rotation_may_not() {
    let mut network = network();
    reach(&mut network, 9);
    let issuing = KeyPurpose::Issuing;
    let cases = [
        (Refusal::BadEffect, rotation(&network, 12, issuing, 10, None)),
        (Refusal::BadEffect, rotation(&network, 12, issuing, 40, None)),
        (Refusal::BadEffect, rotation(&network, 12, issuing, 20, Some((4, 18)))),
        (Refusal::BadEffect, rotation(&network, 12, issuing, 20, Some((4, 29)))),
        (Refusal::BadEffect, rotation(&network, 12, issuing, 20, Some((2, 20)))),
        (Refusal::UnknownKey, rotation(&network, 12, issuing, 20, Some((77, 20)))),
        (Refusal::KeyEnded, rotation(&network, 12, issuing, 20, Some((10, 20)))),
        (Refusal::KeyInUse, rotation(&network, 5, issuing, 20, None)),
        (Refusal::BadProof, rotation(&network, 13, KeyPurpose::Peer, 20, None)),
    ];
    for (place, (refusal, operation)) in cases.into_iter().enumerate() {
        // The first names its own including height.
        assert_eq!(refused(&mut network, "police", TWO_ADMINS, operation), refusal, "case {place}");
        network = {
            let mut again = self::network();
            reach(&mut again, 9);
            again
        };
    }
    let right = rotation(&network, 12, issuing, 15, Some((4, 16)));
    assert_eq!(refused(&mut network, "police", ADMIN, right.clone()), Refusal::SecondPersonMissing);
    assert_eq!(refused(&mut network, "donghai", TWO_ADMINS, right.clone()), Refusal::BadProof);
    done(&mut network, "police", TWO_ADMINS, right);
}

/// A book of the police's with so many lines, sealed one by one with key 4 or 5.
fn book(network: &mut Network, lines: u8) -> BookNumber {
    let subject = Subject::Certificates { certificate_type: kind("licence") };
    let Effect::BookOpened { book } =
        done(network, "police", &[4], Operation::OpenBook { subject, division: division("31") })
    else {
        panic!("another effect")
    };
    for number in 0..lines {
        let line = Line { tag: Tag([number; 16]), commitment: Digest([number; 32]) };
        done(network, "police", &[4 + u16::from(number % 2)], Operation::Seal { book, lines: vec![line] });
    }
    book
}

fn suspended(network: &Network, book: BookNumber) -> Vec<u64> {
    let record = network.state.book(book).expect("a book").record();
    (0..record.lines).filter(|line| record.suspended.iter().any(|run| run.covers(LineNumber(*line)))).collect()
}

#[test]
fn crt12_one_act_suspends_many_lines_and_one_gives_them_back() {
    let mut network = network();
    let book = book(&mut network, 6);
    let order = |scope| Operation::Order { scope, ground: GROUND };
    let lines = |first, last| Scope::Lines { book, first: LineNumber(first), last: LineNumber(last) };
    let cases = [
        ("police", &[4, 5][..], lines(2, 6), Refusal::UnknownLine),
        ("police", &[4, 5], lines(3, 2), Refusal::UnknownLine),
        ("police", &[4], lines(2, 3), Refusal::SecondPersonMissing),
        ("police", &[2, 3], lines(2, 3), Refusal::KeyPurpose),
        ("town", &[4, 5], lines(2, 3), Refusal::NotEntitled),
        ("yunshan", &[6, 7], Scope::Keeper { member: member("police") }, Refusal::NotEntitled),
        ("police", &[4, 5], Scope::Keeper { member: member("town") }, Refusal::BadScope),
        ("council", &[6, 7], Scope::Book { book: BookNumber(9) }, Refusal::UnknownBook),
    ];
    for (who, keys, scope, refusal) in cases {
        assert_eq!(refused(&mut network, who, keys, order(scope)), refusal, "{who} {scope:?}");
    }
    let scope = Scope::Type { certificate_type: kind("licence"), division: division("31") };
    assert_eq!(
        done(&mut network, "council", &[6, 7], order(scope)),
        Effect::Order { order: OrderNumber(0), lines: 6, lifted: false }
    );
    done(&mut network, "police", &[4, 5], order(lines(1, 2)));
    done(
        &mut network,
        "police",
        &[4],
        Operation::Seal { book, lines: vec![Line { tag: Tag([77; 16]), commitment: Digest([7; 32]) }] },
    );
    assert_eq!(suspended(&network, book), [0, 1, 2, 3, 4, 5], "what is sealed later is not");
    let lift = |order| Operation::LiftOrder { order: OrderNumber(order), ground: GROUND };
    assert_eq!(refused(&mut network, "police", &[4, 5], lift(0)), Refusal::NotEntitled);
    assert_eq!(refused(&mut network, "council", &[6], lift(0)), Refusal::SecondPersonMissing);
    assert_eq!(refused(&mut network, "council", &[6, 7], lift(5)), Refusal::UnknownOrder);
    done(&mut network, "council", &[6, 7], lift(0));
    assert_eq!(suspended(&network, book), [1, 2]);
    assert_eq!(refused(&mut network, "council", &[6, 7], lift(0)), Refusal::OrderState);
    // A member above whoever gave it.
    done(&mut network, "donghai", &[6, 7], lift(1));
    assert_eq!(suspended(&network, book), Vec::<u64>::new());
    network.assert_rebuilds();
}

#[test]
fn o24_a_keeper_confirms_what_a_stolen_key_had_sealed_rightly() {
    let mut network = network();
    let book = book(&mut network, 6);
    let revoke = Operation::RevokeKey { member: member("police"), key: KeyNumber(4), from: Height(0), ground: GROUND };
    done(&mut network, "police", ADMIN, revoke);
    assert_eq!(suspended(&network, book), [0, 2, 4]);
    let confirm =
        |first, last| Operation::Confirm { book, first: LineNumber(first), last: LineNumber(last), ground: GROUND };
    assert_eq!(refused(&mut network, "police", &[5], confirm(0, 2)), Refusal::SecondPersonMissing);
    assert_eq!(refused(&mut network, "police", &[5, 11], confirm(1, 1)), Refusal::NotSuspended);
    assert_eq!(refused(&mut network, "police", &[5, 11], confirm(4, 6)), Refusal::UnknownLine);
    assert_eq!(refused(&mut network, "town", &[4, 5], confirm(0, 2)), Refusal::NotEntitled);
    assert_eq!(done(&mut network, "police", &[5, 11], confirm(1, 4)), Effect::Confirmed { book, lines: 2 });
    assert_eq!(suspended(&network, book), [0]);
    network.assert_rebuilds();
}

/// Two statements of the police's for one height, round and step.
fn double_signing(network: &Network, kind: SignedKind, blocks: (u8, u8)) -> DoubleSigning {
    let police = member("police");
    let secret = secret(Suite::Standard, police, 0);
    let statement = |block: u8| {
        let block = (block > 0).then_some(BlockId(Digest([block; 32])));
        let (height, domain) = (Height(5), &network.domain);
        let bytes = match kind {
            SignedKind::Proposal => {
                proposal_bytes(domain, height, 1, None, block.expect("proposals are of blocks"), police)
            }
            SignedKind::Prevote => vote_bytes(domain, VoteStep::Prevote, height, 1, block, police),
            SignedKind::Precommit => vote_bytes(domain, VoteStep::Precommit, height, 1, block, police),
        };
        SignedStatement { block, valid_round: None, signature: secret.sign(&bytes) }
    };
    let (first, second) = (statement(blocks.0), statement(blocks.1));
    DoubleSigning { member: police, height: Height(5), round: 1, kind, first, second }
}

#[test]
fn o25_who_signed_twice_is_put_on_record_once() {
    let mut network = network();
    reach(&mut network, 5);
    let accuse = |proof: &DoubleSigning| Operation::Accuse { proof: Box::new(proof.clone()) };
    for (kind, blocks) in
        [(SignedKind::Proposal, (1, 2)), (SignedKind::Prevote, (0, 2)), (SignedKind::Precommit, (1, 0))]
    {
        let proof = double_signing(&network, kind, blocks);
        for wrong in [
            DoubleSigning { second: proof.first.clone(), ..proof.clone() },
            DoubleSigning { round: 2, ..proof.clone() },
            DoubleSigning { member: member("council"), ..proof.clone() },
            DoubleSigning { first: SignedStatement { valid_round: Some(0), ..proof.first.clone() }, ..proof.clone() },
        ] {
            assert_eq!(refused(&mut network, "hall", ADMIN, accuse(&wrong)), Refusal::NotProven);
        }
        done(&mut network, "hall", ADMIN, accuse(&proof));
        let turned = DoubleSigning { first: proof.second.clone(), second: proof.first.clone(), ..proof };
        assert_eq!(refused(&mut network, "hall", ADMIN, accuse(&turned)), Refusal::KnownOffence);
    }
    assert_eq!(network.state.registries().offences.len(), 3);
    network.assert_rebuilds();
}
