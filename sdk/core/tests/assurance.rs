//! Assertions of identity services: who may vouch, for which phone, and for how long.

#[path = "verify/sample.rs"]
mod sample;

use fengni_core::assurance::{Assertion, Assurance, AssuranceError, Statement};
use fengni_core::challenge::Challenge;
use fengni_core::code::CodeError;
use fengni_core::id::{CreditCode, Division};
use fengni_core::record::{KeyPurpose, Member, MemberKey, MemberStatus, Role, Roles};
use fengni_core::{Day, Digest, Domain, Height, KeyAlgorithm, KeyNumber, Millis, NetworkId};
use proptest::prelude::*;
use sample::*;

const NOW_SECS: u64 = 1_772_670_670;

fn said(level: Assurance) -> Statement {
    statement(&key(KeyAlgorithm::P256, 5), level, NOW_SECS)
}

fn signed(algorithm: KeyAlgorithm) -> Assertion {
    said(Assurance::RealPerson).sign(&domain(), &key(algorithm, SERVICE_SEED)).expect("an allowed validity")
}

/// The service: key 0 is for administration, key 1 for applications.
fn service(algorithm: KeyAlgorithm) -> Member {
    let key = |purpose, seed| MemberKey { purpose, key: key(algorithm, seed).public(), from: Height(0), until: None };
    Member {
        version: 1,
        code: CreditCode::parse("11319900XN01000563").expect("a code"),
        name: "东海省人力资源和社会保障厅".into(),
        division: Division::parse("3199").expect("a division"),
        superior: None,
        roles: Roles::of(&[Role::Identity]),
        power: 0,
        status: MemberStatus::Active,
        keys: vec![key(KeyPurpose::Admin, 20), key(KeyPurpose::Application, SERVICE_SEED)],
        authorities: vec![],
        agreements: vec![],
        terminal_acts: (Day(0), 0),
    }
}

fn check(assertion: &Assertion, service: &Member) -> Result<(), AssuranceError> {
    assertion.check(&domain(), service, Height(100), Millis::from_secs(NOW_SECS))
}

/// What becomes of a service's record.
type Change = fn(&mut Member);

#[test]
fn y15_who_vouches_is_checked_before_the_level_counts() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
        let (assertion, vouching) = (signed(algorithm), service(algorithm));
        assert_eq!(check(&assertion, &vouching), Ok(()));
        let changes: [(Change, AssuranceError); 5] = [
            (|it| it.status = MemberStatus::Suspended, AssuranceError::NotService),
            (|it| it.roles = Roles::of(&[Role::Issuer, Role::Auditor]), AssuranceError::NotService),
            (|it| it.keys[1].until = Some(Height(99)), AssuranceError::Key { key: KeyNumber(1) }),
            (|it| it.keys[1].purpose = KeyPurpose::Issuing, AssuranceError::Key { key: KeyNumber(1) }),
            (|it| it.keys.truncate(1), AssuranceError::Signature),
        ];
        for (change, answer) in changes {
            let mut other = vouching.clone();
            change(&mut other);
            assert_eq!(check(&assertion, &other), Err(answer));
        }
    }
}

#[test]
fn y15_an_altered_assertion_is_nobodys() {
    let (assertion, vouching) = (signed(KeyAlgorithm::P256), service(KeyAlgorithm::P256));
    let changes: [fn(&mut Statement); 7] = [
        |said| said.holder = key(KeyAlgorithm::P256, 6).public(),
        |said| said.service.0 += 1,
        |said| said.key.0 = 0,
        |said| said.level = Assurance::RealName,
        |said| said.time_secs += 1,
        |said| said.valid_secs += 1,
        |said| said.token[15] ^= 1,
    ];
    for change in changes {
        let mut altered = assertion;
        change(&mut altered.statement);
        assert_eq!(check(&altered, &vouching), Err(AssuranceError::Signature));
    }
    // Made for one network, shown in another.
    let elsewhere = Domain { network: NetworkId(Digest([8; 32])), ..domain() };
    let found = assertion.check(&elsewhere, &vouching, Height(100), Millis::from_secs(NOW_SECS));
    assert_eq!(found, Err(AssuranceError::Signature));
}

#[test]
fn y14_an_assertion_holds_for_a_second_to_a_day() {
    for (secs, allowed) in [(0, false), (1, true), (86_400, true), (86_401, false)] {
        let statement = Statement { valid_secs: secs, ..said(Assurance::RealName) };
        let signed = statement.sign(&domain(), &key(KeyAlgorithm::Ed25519, SERVICE_SEED));
        assert_eq!(signed.err(), (!allowed).then_some(AssuranceError::Validity { secs }));
    }
    assert!(Assurance::RealName < Assurance::RealPerson);
    for (number, level) in [(0, None), (1, Some(Assurance::RealName)), (2, Some(Assurance::RealPerson)), (3, None)] {
        assert_eq!(Assurance::from_number(number), level);
    }
}

#[test]
fn y14_an_assertion_survives_its_text_and_nothing_else_is_one() {
    let assertion = signed(KeyAlgorithm::P256);
    let text = assertion.to_text();
    assert_eq!(Assertion::parse(&text), Ok(assertion));
    assert_eq!(Assertion::parse("FC1:00"), Err(CodeError::Prefix { prefix: "FA1:" }));
    assert!(Challenge::parse(&text.replace("FA1:", "FC1:")).is_err());
    for wrong in [text.to_lowercase(), format!("{text} "), text[..text.len() - 1].to_owned()] {
        assert!(Assertion::parse(&wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn y14_no_other_bytes_are_a_good_assertion(at in 0usize..1200, bytes in proptest::collection::vec(any::<u8>(), 0..260)) {
        let text = |bytes: &[u8]| format!("FA1:{}", base45::encode(bytes));
        let _ = Assertion::parse(&text(&bytes));
        let right = base45::decode(&signed(KeyAlgorithm::Ed25519).to_text()[4..]).expect("base45");
        let mut altered = right.clone();
        let at = at % (right.len() * 8);
        altered[at / 8] ^= 1 << (at % 8);
        if let Ok(assertion) = Assertion::parse(&text(&altered)) {
            prop_assert_eq!(check(&assertion, &service(KeyAlgorithm::Ed25519)), Err(AssuranceError::Signature));
        }
    }
}
