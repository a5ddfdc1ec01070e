//! The light client over changing sets of validators (AUD-10, F-7).

use fengni_core::block::{BlockId, PROTOCOL_VERSION};
use fengni_core::light::{Checkpoint, Handover, HandoverError, LightClient, LightError};
use fengni_core::{
    CommitCertificate, CommitSignature, Digest, Domain, Header, Height, KeyAlgorithm, MemberNumber, Millis, NetworkId,
    SecretKey, Suite, Validator, ValidatorSet, VoteStep, vote_bytes,
};

const DOMAIN: Domain = Domain { suite: Suite::Standard, network: NetworkId(Digest([0x46; 32])) };
const BEGUN: Millis = Millis(1_772_000_000_000);
const BLOCKS: u64 = 1000;
/// Who decides from which height on.
const SETS: [(u64, &[u8]); 4] =
    [(1, &[0, 1, 2, 3]), (251, &[0, 1, 2, 3, 4]), (600, &[2, 3, 4, 5, 6, 7, 8]), (999, &[5, 6, 7, 8])];

fn key(member: u8) -> SecretKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[member + 1; 32]).expect("32 bytes are a key")
}

fn set(members: &[u8]) -> ValidatorSet {
    let validator =
        |member: &u8| Validator { member: MemberNumber((*member).into()), key: key(*member).public(), power: 1 };
    ValidatorSet::new(members.iter().map(validator).collect()).expect("a set")
}

/// The members that decide a height.
fn members(height: u64) -> &'static [u8] {
    SETS.iter().rev().find(|(from, _)| *from <= height).expect("a set from height 1 on").1
}

fn signed(header: &Header, by: &[u8]) -> CommitCertificate {
    let (height, block) = (header.height, header.id(&DOMAIN));
    let sign = |member: &u8| {
        let number = MemberNumber((*member).into());
        let message = vote_bytes(&DOMAIN, VoteStep::Precommit, height, 0, Some(block), number);
        CommitSignature { member: number, signature: key(*member).sign(&message) }
    };
    CommitCertificate { height, round: 0, block, signatures: by.iter().map(sign).collect() }
}

/// Headers of 1,000 blocks over which the validators change three times.
fn chain() -> Vec<Header> {
    let mut parent = BlockId::default();
    let header = |height: u64| {
        let header = Header {
            // Members may vote for another version, which is no matter of trust.
            version: if height < BLOCKS / 2 { 1 } else { PROTOCOL_VERSION },
            suite: DOMAIN.suite,
            network: DOMAIN.network,
            height: Height(height),
            time: Millis(BEGUN.0 + height * 1000),
            parent,
            proposer: MemberNumber(members(height)[0].into()),
            transactions: Digest::default(),
            outcomes: Digest::default(),
            parent_certificate: Digest::default(),
            state_root: Digest([7; 32]),
            next_validators: set(members(height + 1)).digest(&DOMAIN),
        };
        parent = header.id(&DOMAIN);
        header
    };
    (1..=BLOCKS).map(header).collect()
}

fn founding() -> Checkpoint {
    Checkpoint {
        network: DOMAIN.network,
        suite: DOMAIN.suite,
        height: Height(0),
        time: BEGUN,
        block: None,
        validators: set(SETS[0].1),
        trusting_period_secs: 86_400,
    }
}

/// A checkpoint of height 600 that an independent source supplies a second before `now`.
fn supplied(chain: &[Header], now: Millis) -> Checkpoint {
    Checkpoint {
        height: Height(600),
        time: Millis(now.0 - 1000),
        block: Some(chain[599].id(&DOMAIN)),
        validators: set(members(601)),
        ..founding()
    }
}

fn client() -> LightClient {
    LightClient::from_checkpoint(founding())
}

/// The handover to the set that decides from `height` on.
fn handover(chain: &[Header], height: u64) -> Handover {
    let header = chain[usize::try_from(height).expect("small") - 2].clone();
    let certificate = signed(&header, members(height - 1));
    Handover { header, certificate, next: set(members(height)) }
}

#[test]
fn f7_a_chain_of_handovers_leads_from_the_first_set_to_the_last() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    let last = chain.last().expect("a thousand");
    let mut client = client();
    let far = client.accept(last, &signed(last, members(BLOCKS)), now);
    assert!(matches!(far, Err(LightError::NotFinal(_))), "the first set does not decide there: {far:?}");
    for (from, _) in &SETS[1..] {
        client.follow(&handover(&chain, *from), now).expect("a true handover");
    }
    client.accept(last, &signed(last, members(BLOCKS)), now).expect("the last set decides");
    assert_eq!(client.newest().map(|newest| newest.height), Some(Height(BLOCKS)));
    // As a device keeps it, and goes on.
    let mut again = client.saved().open(DOMAIN.network).expect("its own");
    for height in [1, 250, 251, 599, 600, 998, 999] {
        let header = &chain[height - 1];
        again.accept(header, &signed(header, members(height as u64)), now).expect("each height by its own set");
    }
    assert!(again.evidence().is_empty());
}

#[test]
fn f7_a_forged_change_is_refused_and_a_missing_one_leaves_the_height_unknown() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    let mut client = client();
    let mut forged = handover(&chain, 251);
    forged.next = set(&[7, 8, 9]);
    assert_eq!(client.follow(&forged, now), Err(LightError::Handover(HandoverError::OtherSet)));
    let mut forged = handover(&chain, 251);
    forged.header.next_validators = set(&[7, 8, 9]).digest(&DOMAIN);
    forged.next = set(&[7, 8, 9]);
    forged.certificate = signed(&forged.header, &[0, 1]);
    assert!(matches!(client.follow(&forged, now), Err(LightError::Handover(HandoverError::NotFinal(_)))));
    // Having seen that the set ends, but not what follows, nothing later is judged.
    let ends = &chain[249];
    client.accept(ends, &signed(ends, members(250)), now).expect("final");
    let later = &chain[250];
    let unknown = client.accept(later, &signed(later, members(251)), now);
    assert_eq!(unknown, Err(LightError::UnknownValidators(Height(251))));
    client.follow(&handover(&chain, 251), now).expect("a true handover");
    client.accept(later, &signed(later, members(251)), now).expect("now it is known");
    // A set that was replaced decides nothing any more.
    client.follow(&handover(&chain, 600), now).expect("a true handover");
    let old = client.accept(&chain[999], &signed(&chain[999], SETS[1].1), now);
    assert!(matches!(old, Err(LightError::NotFinal(_))), "{old:?}");
}

#[test]
fn f7_a_checkpoint_older_than_the_trusting_period_does_not_grow_young_again() {
    let chain = chain();
    let mut client = client();
    let late = Millis(BEGUN.0 + 3 * 86_400_000);
    client.accept(&chain[9], &signed(&chain[9], members(10)), late).expect("a statement about the past");
    assert_eq!(client.checkpoint().0, Height(0));
    assert!(client.checkpoint_age_secs(late) > 86_400);
    let pinned = supplied(&chain, late);
    client.pin(pinned.clone()).expect("a newer one from an independent source");
    assert_eq!(client.checkpoint_age_secs(late), 1);
    let older = Checkpoint { height: Height(500), ..pinned };
    assert_eq!(client.pin(older), Err(LightError::NotNewer { offered: Height(500), held: Height(600) }));
}

#[test]
fn f7_what_an_old_checkpoint_lets_pass_leaves_no_trace() {
    let chain = chain();
    let mut client = client();
    let late = Millis(BEGUN.0 + 3 * 86_400_000);
    // Validators of the founding, long after, sign another past up to now.
    let forged = Header { height: Height(1_000_000), time: late, ..chain[9].clone() };
    client.accept(&forged, &signed(&forged, members(10)), late).expect("judged, and its age shows");
    let another = Header { proposer: MemberNumber(1), ..forged.clone() };
    client.accept(&another, &signed(&another, members(10)), late).expect("judged, and its age shows");
    assert!(client.newest().is_none() && client.evidence().is_empty());
    assert!(matches!(client.follow(&handover(&chain, 251), late), Err(LightError::TooOld { .. })));
    client.pin(supplied(&chain, late)).expect("nothing forged stands in its way");
    let again = client.accept(&forged, &signed(&forged, members(10)), late);
    assert!(matches!(again, Err(LightError::NotFinal(_))), "what was judged under the old checkpoint counts no more");
    // Whoever judges the past says so, and follows however old the checkpoint is.
    LightClient::of_the_past(founding()).follow(&handover(&chain, 251), late).expect("a statement about the past");
}

#[test]
fn h5_only_a_quorum_says_that_the_reader_is_too_old_and_nothing_of_it_is_believed() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    let mut client = client();
    let coming = Header { version: PROTOCOL_VERSION + 1, ..chain[9].clone() };
    let error = client.accept(&coming, &signed(&coming, members(10)), now).expect_err("its rules are not known");
    assert_eq!(error, LightError::LaterVersion(PROTOCOL_VERSION + 1));
    assert!(!error.is_fault_of_answer() && !error.asks_for_handovers(Height(0)));
    assert!(client.newest().is_none());
    let claimed = client.accept(&coming, &signed(&coming, &[7, 8]), now);
    assert!(matches!(claimed, Err(LightError::NotFinal(_))), "{claimed:?}");
    client.accept(&chain[9], &signed(&chain[9], members(10)), now).expect("a version that is known");
}

#[test]
fn f7_validators_that_handed_over_say_nothing_about_later_times() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    let mut client = client();
    client.follow(&handover(&chain, 251), now).expect("a true handover");
    let forged = Header { time: now, ..chain[99].clone() };
    assert_eq!(
        client.accept(&forged, &signed(&forged, members(100)), now),
        Err(LightError::AfterHandover(Height(100)))
    );
    let again =
        client.saved().open(DOMAIN.network).expect("its own").accept(&forged, &signed(&forged, members(100)), now);
    assert_eq!(again, Err(LightError::AfterHandover(Height(100))));
    client.accept(&chain[99], &signed(&chain[99], members(100)), now).expect("what they said in their time");
}

#[test]
fn f7_what_is_said_of_an_answer_says_whether_handovers_may_change_it() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    let mut client = client();
    let last = chain.last().expect("a thousand");
    let error = client.accept(last, &signed(last, members(BLOCKS)), now).expect_err("by validators not known yet");
    assert_eq!(client.handovers_since(), Height(0));
    assert!(error.asks_for_handovers(client.handovers_since()));
    client.follow(&handover(&chain, 251), now).expect("a true handover");
    assert_eq!(client.handovers_since(), Height(250));
    assert!(!LightError::UnknownValidators(Height(250)).asks_for_handovers(Height(250)), "what is past stays past");
    assert!(LightError::UnknownValidators(Height(251)).asks_for_handovers(Height(250)));
    assert!(!LightError::OtherNetwork.asks_for_handovers(Height(0)));
}

#[test]
fn f7_a_checkpoint_is_handed_on_only_with_the_set_that_its_header_names() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    let mut client = client();
    let (before, ends) = (&chain[248], &chain[249]);
    for header in [before, ends] {
        client.accept(header, &signed(header, members(header.height.0)), now).expect("final");
    }
    assert_eq!(client.checkpoint_at(ends), Err(LightError::UnknownValidators(Height(251))));
    let given = client.checkpoint_at(before).expect("the set goes on");
    assert_eq!((given.height, given.block), (Height(249), Some(before.id(&DOMAIN))));
    assert_eq!(client.header_at(Height(249)).map(|found| &found.header), Some(before));
    client.follow(&handover(&chain, 251), now).expect("a true handover");
    let given = client.checkpoint_at(ends).expect("the next set is known");
    assert_eq!(given.validators, set(members(251)));
    let mut other = LightClient::from_checkpoint(given.clone());
    other.accept(&chain[250], &signed(&chain[250], members(251)), now).expect("another device goes on from it");
    // A checkpoint that contradicts what was seen at its height is not pinned.
    for wrong in [
        Checkpoint { block: Some(before.id(&DOMAIN)), ..given.clone() },
        Checkpoint { validators: set(&[7, 8, 9]), ..given.clone() },
    ] {
        assert_eq!(client.pin(wrong), Err(LightError::Contradiction(Height(250))));
    }
    client.pin(given).expect("its own");
}

#[test]
fn f7_a_header_that_two_sets_would_have_signed_bars_no_way() {
    let chain = chain();
    let now = Millis(BEGUN.0 + BLOCKS * 1000);
    // Four of the five that decide it are the four of before.
    let later = &chain[299];
    let mut fresh = client();
    fresh.accept(later, &signed(later, &[0, 1, 2, 3]), now).expect("a quorum of the set that is known");
    let kept = fresh.saved().open(DOMAIN.network).expect("its own");
    for mut client in [fresh, kept] {
        let next = &chain[300];
        let unknown = client.accept(next, &signed(next, members(301)), now);
        assert_eq!(unknown, Err(LightError::UnknownValidators(Height(301))));
        for (from, _) in &SETS[1..] {
            client.follow(&handover(&chain, *from), now).expect("a true handover");
        }
        client.accept(next, &signed(next, members(301)), now).expect("by the set of its height");
    }
}

#[test]
fn f7_a_client_remembers_a_bounded_number_of_validators() {
    // One of the largest sets after the other, each decided by its first member alone.
    let large = |height: u64| {
        let validator = |number: u32| Validator {
            member: MemberNumber(number),
            key: key(0).public(),
            power: if number == 0 { 1000 + height } else { 1 },
        };
        ValidatorSet::new((0..256).map(validator).collect()).expect("a set")
    };
    let begun = Checkpoint {
        network: DOMAIN.network,
        suite: DOMAIN.suite,
        height: Height(0),
        time: BEGUN,
        block: None,
        validators: large(1),
        trusting_period_secs: 86_400,
    };
    let mut client = LightClient::from_checkpoint(begun);
    let mut parent = BlockId::default();
    for (header, height) in chain().iter().zip(1u64..=140) {
        let next = large(height + 1);
        let header = Header { parent, next_validators: next.digest(&DOMAIN), ..header.clone() };
        parent = header.id(&DOMAIN);
        let certificate = signed(&header, &[0]);
        client.follow(&Handover { header, certificate, next }, BEGUN).expect("a true handover");
    }
    assert_eq!(client.handovers_since(), Height(140));
    assert!((14..=141).all(|height| client.validators_at(Height(height)).is_ok()));
    assert_eq!(client.validators_at(Height(13)), Err(LightError::UnknownValidators(Height(13))));
    let again = client.saved().open(DOMAIN.network).expect("its own");
    assert_eq!(again.handovers_since(), Height(140));
}
