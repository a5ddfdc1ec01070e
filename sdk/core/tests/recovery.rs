//! Recovery: which handovers hold, and how a light client follows one. Rules F-9 to F-11.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::{cases, hex_of, variant, vectors, world};
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::light::{Checkpoint, FinalHeader, LightClient, LightError, Recovery, RecoveryFault};
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::operation::Ground;
use fengni_core::proof::{Entry, Place, ShelfHead, StateProof};
use fengni_core::record::{Parameters, Record};
use fengni_core::recovery::{
    LastFinal, RecoveryError, RecoveryHandover, RecoveryPlan, RecoverySignature, RecoveryTerms, Seat,
};
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const LAST: Millis = Millis(1_772_670_685_000);
const DELAY_SECS: u64 = 3600;
const FROM: Millis = Millis(LAST.0 + DELAY_SECS * 1000);
const HEIGHT: u64 = 7;

fn domain() -> Domain {
    common::domain()
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[number; 32]).expect("32 bytes are a key")
}

/// Five recovery keys, of which three must sign; the last is on the other curve.
fn recovery_key(number: u16) -> SecretKey {
    let algorithm = if number == 4 { KeyAlgorithm::P256 } else { KeyAlgorithm::Ed25519 };
    SecretKey::from_seed(algorithm, &[0x70 + number as u8; 32]).expect("a small scalar")
}

fn terms() -> RecoveryTerms {
    let keys = (0..5).map(|number| recovery_key(number).public()).collect();
    RecoveryTerms { keys, threshold: 3, delay_secs: DELAY_SECS }
}

fn old_key(member: u8) -> SecretKey {
    key(0x20 + member)
}

fn new_key(member: u8) -> SecretKey {
    key(0x40 + member)
}

fn set(members: &[u8], key: fn(u8) -> SecretKey) -> ValidatorSet {
    let validator =
        |member: &u8| Validator { member: MemberNumber((*member).into()), key: key(*member).public(), power: 1 };
    ValidatorSet::new(members.iter().map(validator).collect()).expect("a set")
}

fn certificate(header: &Header, members: &[u8], key: fn(u8) -> SecretKey) -> CommitCertificate {
    let (height, block) = (header.height, header.id(&domain()));
    let sign = |member: &u8| {
        let number = MemberNumber((*member).into());
        let message = vote_bytes(&domain(), VoteStep::Precommit, height, 0, Some(block), number);
        CommitSignature { member: number, signature: key(*member).sign(&message) }
    };
    CommitCertificate { height, round: 0, block, signatures: members.iter().map(sign).collect() }
}

fn parameters() -> Parameters {
    Parameters { recovery: Some(terms()).into(), ..world::parameters() }
}

/// The parameters' shelf, and six empty ones.
fn shelves(parameters: &Parameters) -> Vec<NumberedList> {
    let mut lists: Vec<NumberedList> =
        Shelf::ALL.iter().map(|_| NumberedList::new(Suite::Standard, ListKind::Shelf)).collect();
    lists[0].append(&parameters.encode());
    lists
}

fn header(height: u64, time: Millis, parent: BlockId) -> Header {
    let digests: Vec<Digest> = shelves(&parameters()).iter().map(|list| list.digest(&domain())).collect();
    Header {
        version: PROTOCOL_VERSION,
        suite: Suite::Standard,
        network: domain().network,
        height: Height(height),
        time,
        parent,
        proposer: MemberNumber(0),
        transactions: Digest::default(),
        outcomes: Digest::default(),
        parent_certificate: Digest::default(),
        state_root: state_root(&domain(), digests[..].try_into().expect("every shelf")),
        next_validators: set(&[0, 1, 2, 3], old_key).digest(&domain()),
    }
}

fn last_header() -> Header {
    header(HEIGHT, LAST, BlockId(Digest([6; 32])))
}

fn last() -> LastFinal {
    LastFinal::of(&domain(), &last_header())
}

fn plan() -> RecoveryPlan {
    let seat = |member: u8| Seat {
        member: MemberNumber(member.into()),
        power: 1,
        consensus: new_key(member).public(),
        peer: (member > 0).then(|| key(0x60 + member).public()),
    };
    RecoveryPlan {
        network: domain().network,
        height: Height(HEIGHT),
        block: last().block,
        from: FROM,
        ground: Ground { reason: ReasonCode(9), decision: Digest([0xd0; 32]) },
        seats: (0..4).map(seat).collect(),
    }
}

fn signed(plan: RecoveryPlan, keys: &[u16]) -> RecoveryHandover {
    let mut handover = RecoveryHandover::draft(plan);
    keys.iter()
        .for_each(|number| handover.take(*number, recovery_key(*number).sign(&handover.plan.message(&domain()))));
    handover
}

fn judged(handover: &RecoveryHandover) -> Result<ValidatorSet, RecoveryError> {
    handover.verify(&domain(), Some(&terms()), &last())
}

#[test]
fn f9_a_threshold_of_recovery_keys_names_the_next_validators() {
    let wanted = set(&[0, 1, 2, 3], new_key);
    assert_eq!(judged(&signed(plan(), &[0, 1, 2])), Ok(wanted.clone()));
    // In whatever order they come to sign, and the same one again.
    assert_eq!(judged(&signed(plan(), &[4, 2, 0, 2])), Ok(wanted.clone()));
    assert_eq!(judged(&signed(plan(), &[0, 1, 2, 3, 4])), Ok(wanted));
    assert_eq!(judged(&signed(plan(), &[1, 3])), Err(RecoveryError::BelowThreshold { signed: 2, needed: 3 }));
    assert_eq!(judged(&RecoveryHandover::draft(plan())), Err(RecoveryError::BelowThreshold { signed: 0, needed: 3 }));
}

#[test]
fn f9_wrong_repeated_and_strange_signatures_spoil_a_handover() {
    let good = signed(plan(), &[0, 1, 2]);
    let mut twice = signed(plan(), &[0, 1]);
    twice.signatures.push(twice.signatures[1].clone());
    assert_eq!(judged(&twice), Err(RecoveryError::SignerOrder(1)));
    let mut reversed = good.clone();
    reversed.signatures.swap(0, 2);
    assert_eq!(judged(&reversed), Err(RecoveryError::SignerOrder(1)));
    let mut stranger = good.clone();
    stranger.signatures.push(RecoverySignature { key: 5, ..good.signatures[0].clone() });
    assert_eq!(judged(&stranger), Err(RecoveryError::UnknownSigner(5)));
    // One more signature that is not good is one too many.
    let mut wrong = good.clone();
    wrong.take(3, key(1).sign(&wrong.plan.message(&domain())));
    assert_eq!(judged(&wrong), Err(RecoveryError::BadSignature(3)));
    let mut foreign = domain();
    foreign.network.0.0[0] ^= 1;
    let mut other = RecoveryHandover::draft(plan());
    [0, 1, 2]
        .into_iter()
        .for_each(|number| other.take(number, recovery_key(number).sign(&other.plan.message(&foreign))));
    assert_eq!(judged(&other), Err(RecoveryError::BadSignature(0)));
}

#[test]
fn f9_a_handover_is_for_one_network_and_one_last_block_after_a_delay() {
    let why = |change: &dyn Fn(&mut RecoveryPlan)| {
        let mut changed = plan();
        change(&mut changed);
        judged(&signed(changed, &[0, 1, 2])).err().map(|error| variant(&error))
    };
    assert_eq!(why(&|_| ()), None);
    assert_eq!(why(&|it| it.network.0.0[0] ^= 1).as_deref(), Some("OtherNetwork"));
    assert_eq!(why(&|it| it.height = Height(HEIGHT + 1)).as_deref(), Some("OtherBlock"));
    assert_eq!(why(&|it| it.block.0.0[0] ^= 1).as_deref(), Some("OtherBlock"));
    assert_eq!(why(&|it| it.from = Millis(FROM.0 - 1)).as_deref(), Some("Delay"));
    assert_eq!(why(&|it| it.from = Millis(FROM.0 + 1)), None);
    assert_eq!(why(&|it| it.seats.swap(0, 1)).as_deref(), Some("Set"));
    assert_eq!(why(&|it| it.seats[2].power = 0).as_deref(), Some("Set"));
    assert_eq!(why(&|it| it.seats.clear()).as_deref(), Some("Set"));
    assert_eq!(signed(plan(), &[0, 1, 2]).verify(&domain(), None, &last()), Err(RecoveryError::NoTerms));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn f9_no_flipped_bit_of_a_handover_goes_unnoticed(place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = codec::encode(&signed(plan(), &[0, 1, 2]));
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(handover) = RecoveryHandover::decode(&bytes) {
            prop_assert!(judged(&handover).is_err(), "byte {}", place);
        }
    }
}

// A light client that follows it.

fn founding() -> Checkpoint {
    Checkpoint {
        network: domain().network,
        suite: Suite::Standard,
        height: Height(0),
        time: Millis(LAST.0 - 60_000),
        block: None,
        validators: set(&[0, 1, 2, 3], old_key),
        trusting_period_secs: 1_209_600,
    }
}

fn proof() -> StateProof {
    let (header, parameters) = (last_header(), parameters());
    let head = |list: &NumberedList| ShelfHead { size: list.len(), root: list.root() };
    let entry =
        Entry { place: Place::Record(Shelf::Parameters, 0), bytes: Bytes(parameters.encode()), path: Vec::new() };
    StateProof {
        certificate: certificate(&header, &[0, 1, 2], old_key),
        header,
        shelves: shelves(&parameters).iter().map(head).collect(),
        roots: Vec::new(),
        entries: vec![entry],
    }
}

/// The first block of the new validators.
fn first() -> FinalHeader {
    let header = Header {
        next_validators: set(&[0, 1, 2, 3], new_key).digest(&domain()),
        ..header(HEIGHT + 1, Millis(FROM.0 + 5_000), last().block)
    };
    FinalHeader { certificate: certificate(&header, &[0, 1, 2], new_key), header }
}

fn recovery() -> Recovery {
    Recovery { last: proof(), handover: signed(plan(), &[0, 1, 2]), first: first() }
}

/// A block that the lost validators would have decided.
fn ordinary(height: u64) -> FinalHeader {
    let header = header(height, Millis(LAST.0 + 5_000), last().block);
    FinalHeader { certificate: certificate(&header, &[1, 2, 3], old_key), header }
}

const NOW: Millis = Millis(FROM.0 + 60_000);

fn recovered() -> LightClient {
    let mut client = LightClient::from_checkpoint(founding());
    client.recover(&recovery(), NOW).expect("a recovery that holds");
    client
}

fn hear(client: &mut LightClient, found: &FinalHeader) -> Result<(), LightError> {
    client.accept(&found.header, &found.certificate, NOW)
}

#[test]
fn f10_a_reader_follows_a_recovery_and_shows_it_until_somebody_takes_note() {
    let mut client = LightClient::from_checkpoint(founding());
    let unknown = hear(&mut client, &first()).expect_err("by validators that nobody handed over to");
    assert!(unknown.asks_for_handovers(client.handovers_since()));
    let mut client = recovered();
    assert_eq!(client.newest().map(|newest| newest.height), Some(Height(HEIGHT + 1)));
    let next = Header {
        next_validators: first().header.next_validators,
        ..header(HEIGHT + 2, NOW, first().header.id(&domain()))
    };
    let next = FinalHeader { certificate: certificate(&next, &[1, 2, 3], new_key), header: next };
    for mut client in [client.saved().open(domain().network).expect("its own"), client.clone()] {
        hear(&mut client, &next).expect("the new validators decide");
        assert_eq!(client.unacknowledged(), Some(Height(HEIGHT)), "shown after being stored, too");
    }
    assert_eq!((client.acknowledge(), client.acknowledge()), (1, 0));
    assert_eq!(client.unacknowledged(), None);
    assert_eq!(client.recoveries_since(), Height(HEIGHT + 1));
    assert!(matches!(client.recover(&recovery(), NOW), Err(LightError::NotNewer { .. })), "once");
}

#[test]
fn f10_the_pinned_block_itself_may_be_the_last_one() {
    let pinned = Checkpoint { height: Height(HEIGHT), time: LAST, block: Some(last().block), ..founding() };
    let mut client = LightClient::from_checkpoint(pinned.clone());
    client.recover(&recovery(), NOW).expect("the person who pinned it vouched for the block");
    assert_eq!(client.unacknowledged(), Some(Height(HEIGHT)));
    let mut other = LightClient::from_checkpoint(Checkpoint { block: Some(BlockId(Digest([1; 32]))), ..pinned });
    assert_eq!(other.recover(&recovery(), NOW), Err(LightError::UnknownValidators(Height(HEIGHT))));
}

#[test]
fn f11_what_a_person_pinned_is_final_and_no_recovery_goes_behind_it() {
    let mut client = LightClient::from_checkpoint(founding());
    let later =
        Checkpoint { height: Height(HEIGHT + 9), time: LAST, block: Some(BlockId(Digest([1; 32]))), ..founding() };
    client.pin(later).expect("newer than the founding");
    assert!(client.recoveries_since() >= Height(HEIGHT + 9), "an older one is not asked for");
    let refused = LightError::NotNewer { offered: Height(HEIGHT + 1), held: Height(HEIGHT + 9) };
    assert_eq!(client.recover(&recovery(), NOW), Err(refused));
    assert!(client.recoveries().is_empty() && client.evidence().is_empty());
}

/// What a case changes about a recovery that holds.
type Change<'a> = &'a dyn Fn(&mut Recovery);

#[test]
fn f10_what_does_not_hold_is_not_followed_and_leaves_no_recovery() {
    let fault = |found: Result<(), LightError>| found.err().map(|error| variant(&error));
    let cases: [(&str, Change<'_>); 8] = [
        ("Recovery", &|it| it.handover.signatures.truncate(2)),
        ("Recovery", &|it| it.handover = signed(RecoveryPlan { from: Millis(FROM.0 - 1), ..plan() }, &[0, 1, 2])),
        ("Recovery", &|it| it.first.header.parent = BlockId::default()),
        ("Recovery", &|it| {
            it.first.header.time = Millis(FROM.0 - 1);
            it.first.certificate = certificate(&it.first.header, &[0, 1, 2], new_key);
        }),
        ("NotFinal", &|it| it.first.certificate = certificate(&it.first.header, &[0, 1, 2], old_key)),
        ("NotFinal", &|it| it.first.certificate = certificate(&it.first.header, &[0, 1], new_key)),
        ("NotFinal", &|it| it.last.certificate = certificate(&it.last.header, &[0, 1], old_key)),
        ("Proof", &|it| it.last.entries.clear()),
    ];
    for (wanted, change) in cases {
        let mut client = LightClient::from_checkpoint(founding());
        let mut changed = recovery();
        change(&mut changed);
        assert_eq!(fault(client.recover(&changed, NOW)).as_deref(), Some(wanted));
        assert!(client.recoveries().is_empty() && client.evidence().is_empty());
    }
    // Terms of a thief's own, under the true header.
    let mut client = LightClient::from_checkpoint(founding());
    let mut forged = recovery();
    let theirs = RecoveryTerms { threshold: 1, ..terms() };
    forged.last.entries[0].bytes = Bytes(Parameters { recovery: Some(theirs).into(), ..world::parameters() }.encode());
    assert_eq!(fault(client.recover(&forged, NOW)).as_deref(), Some("Proof"));
}

#[test]
fn f10_before_the_delay_is_over_nothing_is_followed_and_nobody_is_to_blame() {
    let mut client = LightClient::from_checkpoint(founding());
    let early = client.recover(&recovery(), Millis(FROM.0 - 1_500)).expect_err("not yet");
    assert_eq!(early, LightError::Recovery(RecoveryFault::TooEarly { wait_secs: 2 }));
    assert!(!early.is_fault_of_answer());
    client.recover(&recovery(), FROM).expect("its time has come");
    let mut old = LightClient::from_checkpoint(founding());
    let late = Millis(LAST.0 + 20 * 86_400_000);
    assert!(matches!(old.recover(&recovery(), late), Err(LightError::TooOld { .. })));
}

#[test]
fn f11_a_header_of_the_lost_validators_excludes_a_recovery_and_both_are_kept() {
    // After it was followed and noted, at the same height and far above it.
    for height in [HEIGHT + 1, HEIGHT + 9] {
        let mut client = recovered();
        client.acknowledge();
        let mut client = client.saved().open(domain().network).expect("its own");
        let found = ordinary(height);
        assert_eq!(hear(&mut client, &found), Err(LightError::Contradiction(Height(height))));
        assert_eq!(client.evidence()[0].first, first());
        assert_eq!(client.evidence()[0].second, found);
        assert!(matches!(hear(&mut client, &first()), Err(LightError::Contradiction(_))), "nothing is decided");
    }
    // Before: the recovery comes to somebody who has seen the chain go on.
    let mut client = LightClient::from_checkpoint(founding());
    hear(&mut client, &ordinary(HEIGHT + 1)).expect("a quorum of the set that is known");
    assert_eq!(client.recover(&recovery(), NOW), Err(LightError::Contradiction(Height(HEIGHT + 1))));
    assert_eq!((client.evidence().len(), client.recoveries().len()), (1, 0));
    assert_eq!(client.evidence()[0].second, first());
    // Too few of the lost ones say nothing.
    let mut client = recovered();
    let few = FinalHeader {
        certificate: certificate(&ordinary(HEIGHT + 1).header, &[0, 1], old_key),
        ..ordinary(HEIGHT + 1)
    };
    assert!(matches!(hear(&mut client, &few), Err(LightError::NotFinal(_))));
    assert!(client.evidence().is_empty());
}

#[test]
fn f11_two_recoveries_from_one_block_exclude_each_other() {
    let mut client = recovered();
    let mut other = plan();
    other.seats.truncate(3);
    let header = Header { proposer: MemberNumber(2), ..first().header };
    let second = FinalHeader { certificate: certificate(&header, &[0, 1, 2], new_key), header };
    let other = Recovery { last: proof(), handover: signed(other, &[2, 3, 4]), first: second.clone() };
    assert_eq!(client.recover(&other, NOW), Err(LightError::Contradiction(Height(HEIGHT + 1))));
    assert_eq!(client.evidence()[0].second, second);
}

// Vectors.

fn made() -> Value {
    let case = |what: &str, handover: RecoveryHandover| {
        let error = judged(&handover).err();
        json!({
            "what": what, "handover": handover, "hex": hex::encode(codec::encode(&handover)),
            "error": error.map(|error| variant(&error)),
        })
    };
    let with = |change: &dyn Fn(&mut RecoveryHandover)| {
        let mut handover = signed(plan(), &[0, 1, 2]);
        change(&mut handover);
        handover
    };
    let planned = |change: &dyn Fn(&mut RecoveryPlan)| {
        let mut plan = plan();
        change(&mut plan);
        signed(plan, &[0, 1, 2])
    };
    json!({
        "about": "Rule F-9, after the block of height 7 whose id and time are given. Network: 32 bytes 46.",
        "network": domain().network.to_string(),
        "terms": terms(),
        "last": { "height": HEIGHT, "block": last().block, "time": LAST },
        "handovers": [
            case("three of five", with(&|_| ())),
            case("all five", signed(plan(), &[0, 1, 2, 3, 4])),
            case("two of five", signed(plan(), &[0, 4])),
            case("one twice", with(&|it| it.signatures[2] = it.signatures[1].clone())),
            case("a stranger", with(&|it| it.signatures[2].key = 5)),
            case("another's signature", with(&|it| it.signatures[2].key = 3)),
            case("too early", planned(&|it| it.from = Millis(FROM.0 - 1))),
            case("another height", planned(&|it| it.height = Height(8))),
            case("another block", planned(&|it| it.block = BlockId::default())),
            case("another network", planned(&|it| it.network.0.0[0] ^= 1)),
            case("a seat twice", planned(&|it| it.seats[1] = it.seats[0].clone())),
            case("a seat without power", planned(&|it| it.seats[1].power = 0)),
        ],
    })
}

#[test]
fn f9_vectors_hold() {
    let file = vectors("recovery", &made());
    for case in cases(&file, "handovers") {
        let handover = RecoveryHandover::decode(&hex_of(case, "hex")).expect("a handover");
        assert_eq!(handover, serde_json::from_value(case["handover"].clone()).expect("the same in JSON"), "{case}");
        assert_eq!(judged(&handover).err().map(|error| variant(&error)).as_deref(), case["error"].as_str(), "{case}");
    }
}
