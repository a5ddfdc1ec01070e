//! Versions of the protocol: what each brought, and from which block on. Rules H-5, T-8 and O-21.

#![allow(clippy::cast_possible_truncation)]

mod common;

use common::deciding::{ADMIN, OTHERS, done, pass, propose, reach, refused};
use common::{Network, division, kind, member};
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::book::Subject;
use fengni_core::bytes::Bytes;
use fengni_core::id::TypeCode;
use fengni_core::operation::Operation;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Authority, CertificateType, ClaimSpec, Measure, Schema};
use fengni_core::standing::{ActKind, ActKinds};
use fengni_core::transaction::TransactionError;
use fengni_core::{BookNumber, Height, MemberNumber, Millis, PurposeCode, Suite, TypeNumber};
use fengni_state::{BlockError, assemble, check};

/// A network whose blocks speak version 2 from the first on.
fn network() -> Network {
    let mut founding = common::founding(Suite::Standard);
    founding.parameters.protocol = PROTOCOL_VERSION;
    Network::found(Suite::Standard, founding)
}

/// A type like the others, and like none of them.
fn fishing(network: &Network) -> CertificateType {
    let claim = |label: &str, everyday| ClaimSpec {
        label: label.into(),
        required: true,
        everyday,
        sensitive: false,
        max_bytes: 15,
        derived: None,
    };
    let schema =
        Schema { claims: vec![claim("boat", true), claim("waters", false)], profiles: vec![], serial_bytes: 20 };
    CertificateType {
        code: TypeCode::parse("11100000XN0000012G002").expect("a right type code"),
        name: "fishing permit".into(),
        schemas: vec![schema],
        ..network.state.certificate_type(kind("licence")).expect("a type").as_ref().clone()
    }
}

fn register(kind: CertificateType) -> Measure {
    Measure::RegisterType { certificate_type: Box::new(kind) }
}

#[test]
fn t7_what_a_version_brought_is_in_no_block_before() {
    let mut network = Network::new(Suite::Standard);
    let measure = register(fishing(&network));
    let early = network.transaction(member("council"), ADMIN, propose(measure.clone(), 20));
    let bytes = Bytes(early.encode());
    let error = TransactionError::LaterVersion { needs: 2, speaks: 1 };
    assert_eq!(network.state.check_transaction(&network.recent, &bytes).expect_err("at the door"), error);
    let clock = Millis(network.state.time().0 + 1000);
    assert!(network.next_block(clock, vec![bytes.clone()]).is_empty(), "no proposer takes it");
    // Nor does anybody vote for a block that has it.
    let proposal = network.proposal(Millis(clock.0 + 1000));
    let (made, _) = assemble(&network.state, &network.records, &network.recent, &(), proposal, []);
    let mut block = made.block;
    block.transactions.push(bytes);
    block.header.transactions = fengni_core::block::transactions_digest(&network.domain, &block.transactions);
    let judged = check(&network.state, &network.recent, &(), network.validators.as_ref(), None, block);
    assert_eq!(judged.expect_err("by its version"), BlockError::Transaction { place: 0, error });

    pass(&mut network, Measure::Upgrade { protocol: 2 }, 12, OTHERS);
    assert_eq!(network.state.coming_version(), Some((Height(12), 2)));
    reach(&mut network, 11);
    assert_eq!((network.state.coming_version(), network.state.check_spoken(1).is_err()), (None, true));
    pass(&mut network, measure, 24, OTHERS);
    reach(&mut network, 23);
    assert_eq!(network.state.types().len(), 5);
    network.assert_rebuilds();
}

#[test]
fn o21_a_type_that_members_registered_takes_certificates() {
    let mut network = network();
    let new = TypeNumber(4);
    let fishing = fishing(&network);
    pass(&mut network, register(fishing.clone()), 12, OTHERS);
    let open =
        || Operation::OpenBook { subject: Subject::Certificates { certificate_type: new }, division: division("31") };
    assert_eq!(refused(&mut network, "police", &[4], open()), Refusal::UnknownType);
    reach(&mut network, 11);
    assert_eq!(network.state.certificate_type(new).map(AsRef::as_ref), Some(&fishing));
    assert_eq!(
        refused(&mut network, "council", ADMIN, propose(register(fishing), 24)),
        Refusal::BadMeasure,
        "its code"
    );
    let authority = Authority {
        version: 1,
        member: member("police"),
        certificate_type: new,
        division: division("31"),
        from: common::day("2026-01-01"),
        until: common::day("2027-12-31"),
        basis: "a list of 2026".into(),
        suspended: None,
    };
    pass(&mut network, Measure::SetAuthority { number: None, authority }, 24, OTHERS);
    reach(&mut network, 23);
    assert_eq!(done(&mut network, "police", &[4], open()), Effect::BookOpened { book: BookNumber(0) });
    network.assert_rebuilds();
}

#[test]
fn g10_o21_what_a_new_type_may_not_be() {
    let mut network = network();
    let whole = fishing(&network);
    let with = |change: &dyn Fn(&mut CertificateType)| {
        let mut kind = whole.clone();
        change(&mut kind);
        propose(register(kind), 20)
    };
    let bad = Refusal::BadMeasure;
    let cases: [(Refusal, Operation); 12] = [
        (Refusal::UnknownMember, with(&|it| it.suspenders = vec![MemberNumber(99)])),
        (bad, with(&|it| it.suspenders = vec![member("gone")])),
        (bad, with(&|it| it.suspenders.reverse())),
        (bad, with(&|it| it.acts = ActKinds::of(&[ActKind::Suspend]))),
        (bad, with(&|it| it.version = 2)),
        (bad, with(&|it| it.schemas.push(it.schemas[0].clone()))),
        (bad, with(&|it| it.schemas[0].claims.clear())),
        (bad, with(&|it| it.schemas[0].claims[0].max_bytes = 513)),
        (bad, with(&|it| it.code_lifetime_secs = 30)),
        (bad, with(&|it| it.purposes = vec![PurposeCode(9)])),
        (bad, with(&|it| it.name = " fishing".into())),
        (bad, with(&|it| it.code = TypeCode::parse("11100000XN0000012G001").expect("a code"))),
    ];
    for (place, (refusal, operation)) in cases.into_iter().enumerate() {
        assert_eq!(refused(&mut network, "council", ADMIN, operation), refusal, "case {place}");
    }
    done(&mut network, "council", ADMIN, with(&|_| ()));
}
