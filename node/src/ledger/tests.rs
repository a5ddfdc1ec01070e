//! Handovers: validators whose keys begin and end at heights, over a real store.

use fengni_core::light::{LightClient, LightError};
use fengni_core::operation::Ground;
use fengni_core::record::{KeyPurpose, MemberKey, Role, Roles};
use fengni_core::recovery::{RecoveryHandover, RecoveryPlan, RecoveryTerms, Seat};
use fengni_core::{
    CommitCertificate, CommitSignature, Digest, Height, MemberNumber, Millis, ReasonCode, SecretKey, VoteStep,
    vote_bytes,
};
use fengni_genesis::{Genesis, sample};
use fengni_state::Founding;

use super::Ledger;
use crate::clock;
use crate::engine::Chain as _;
use crate::pool::PoolLimits;
use crate::store::Store;

const MEMBERS: [&str; 5] = ["GOV", "PSB", "AMR", "HRS", "CIQ"];

/// The sample network, and the heights at which its validators change: member 0 takes another key
/// from height 3 on, and member 4 decides heights 5 and 6 with the others.
fn founding() -> (Genesis, Founding, [Height; 3]) {
    // An hour ago, because blocks carry the hour of now: from a founding of long ago nobody is followed.
    let founded = clock::now().0 - 3_600_000;
    let genesis = sample::network(Millis(founded), &sample::test_key).check().expect("the sample is right");
    let mut founding = genesis.founding();
    let key = |name, index, from, until: Option<u64>| MemberKey {
        purpose: KeyPurpose::Consensus,
        key: sample::test_secret(name, KeyPurpose::Consensus, index).public(),
        from: Height(from),
        until: until.map(Height),
    };
    founding.members[0].keys.push(key("GOV", 1, 3, None));
    let fifth = &mut founding.members[4];
    fifth.roles = Roles::of(&[Role::Validator]);
    fifth.power = 1;
    fifth.keys.retain(|key| key.purpose != KeyPurpose::Consensus);
    fifth.keys.push(key("CIQ", 0, 5, Some(6)));
    (genesis, founding, [Height(2), Height(4), Height(6)])
}

fn secret(name: &str, height: Height) -> SecretKey {
    let index = usize::from(name == "GOV" && height.0 >= 3);
    sample::test_secret(name, KeyPurpose::Consensus, index)
}

/// Decides the next block, signed by every validator of its height.
fn decide(ledger: &Ledger) {
    decide_with(ledger, |member, height| secret(MEMBERS[member.0 as usize], height));
}

fn decide_with(ledger: &Ledger, secret: impl Fn(MemberNumber, Height) -> SecretKey) {
    let height = ledger.last_final().next();
    let block = ledger.propose(height, 0).expect("a proposal").id;
    let sign = |member: MemberNumber| {
        let message = vote_bytes(ledger.domain(), VoteStep::Precommit, height, 0, Some(block), member);
        CommitSignature { member, signature: secret(member, height).sign(&message) }
    };
    let validators = ledger.validators(height).expect("the next height");
    let signatures = validators.iter().map(|validator| sign(validator.member)).collect();
    ledger.commit(CommitCertificate { height, round: 0, block, signatures }).expect("the block was executed");
}

#[test]
fn n23_handovers_lead_from_the_founding_to_the_newest_block() {
    let (genesis, founding, changes) = founding();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let open = || {
        let store = Store::open(folder.path(), &genesis.domain()).expect("a store");
        Ledger::open(store, genesis.domain(), founding.clone(), Some(MemberNumber(0)), PoolLimits::default())
            .expect("its own ledger")
    };
    let ledger = open();
    assert!(ledger.handovers(Height(0)).is_empty());
    for _ in 0..8 {
        decide(&ledger);
    }
    let heights = |since| ledger.handovers(Height(since)).iter().map(|it| it.header.height).collect::<Vec<_>>();
    assert_eq!(heights(0), changes);
    assert_eq!(heights(1), changes);
    assert_eq!(heights(2), changes[1..]);
    assert_eq!(heights(6), []);
    // Whoever knows the first set follows them to the newest block.
    let newest = ledger.latest().expect("eight blocks");
    let now = newest.header.time;
    let mut light = LightClient::from_checkpoint(genesis.checkpoint());
    let far = light.accept(&newest.header, &newest.certificate, now).expect_err("by a key not known yet");
    assert!(far.asks_for_handovers(light.handovers_since()), "{far}");
    let all = ledger.handovers(light.handovers_since());
    assert!(matches!(light.follow(&all[2], now), Err(LightError::Handover(_))), "one is left out");
    for handover in &all {
        light.follow(handover, now).expect("a true handover");
    }
    light.accept(&newest.header, &newest.certificate, now).expect("the newest set is known");
    assert_eq!(newest.checkpoint(), light.checkpoint_at(&newest.header).expect("the same"));
    // And after a restart, from the store.
    drop((ledger, newest));
    let ledger = open();
    assert_eq!(ledger.handovers(Height(0)), all);
    decide(&ledger);
    assert_eq!(ledger.handovers(Height(0)).len(), 3, "no block after it changed the set");
}

/// A new key of a validator after a recovery.
fn new_secret(member: MemberNumber, _: Height) -> SecretKey {
    sample::test_secret(MEMBERS[member.0 as usize], KeyPurpose::Consensus, 7)
}

#[test]
fn f10_a_ledger_goes_on_by_a_recovery_that_it_was_given_and_readers_follow() {
    let (genesis, mut founding, _) = founding();
    let keys = (0..3).map(|key| sample::test_recovery_secret(key).public()).collect();
    founding.parameters.recovery = Some(RecoveryTerms { keys, threshold: 2, delay_secs: 1 }).into();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let domain = genesis.domain();
    let open = || {
        let store = Store::open(folder.path(), &domain).expect("a store");
        Ledger::open(store, domain, founding.clone(), Some(MemberNumber(0)), PoolLimits::default())
            .expect("its own ledger")
    };
    let ledger = open();
    (0..2).for_each(|_| decide(&ledger));
    let last = ledger.state();
    let seat = |member: u32| Seat {
        member: MemberNumber(member),
        power: 1,
        consensus: new_secret(MemberNumber(member), Height(0)).public(),
        peer: None,
    };
    let plan = RecoveryPlan {
        network: domain.network,
        height: last.height(),
        block: last.last(),
        from: Millis(last.time().0 + 1000),
        ground: Ground { reason: ReasonCode(1), decision: Digest([7; 32]) },
        seats: (0..4).map(seat).collect(),
    };
    let reason = genesis.codes.iter().find(|set| set.name == "reasons").expect("reasons").codes[0].code.clone();
    let ground = Ground { reason: ReasonCode(reason.parse().expect("a number")), ..plan.ground };
    let mut handover = RecoveryHandover::draft(RecoveryPlan { ground, ..plan });
    [0, 2].into_iter().for_each(|key| handover.sign(&domain, key, &sample::test_recovery_secret(key)));
    // Too few: the ledger stays with the validators it has.
    let few = RecoveryHandover { signatures: handover.signatures[..1].to_vec(), ..handover.clone() };
    ledger.give(vec![few]);
    assert_eq!(ledger.validators(Height(3)).expect("known"), last.next_validators());
    ledger.give(vec![handover.clone()]);
    assert_eq!(ledger.validators(Height(3)).expect("known"), handover.plan.validators().expect("a set"));
    assert!(ledger.recoveries(Height(0)).is_empty(), "there is no block yet that follows from it");
    (0..3).for_each(|_| decide_with(&ledger, new_secret));
    let served = ledger.recoveries(Height(0));
    assert_eq!((served.len(), ledger.recoveries(Height(3)).len()), (1, 0));
    let newest = ledger.latest().expect("five blocks");
    let now = newest.header.time;
    let mut light = LightClient::from_checkpoint(genesis.checkpoint());
    ledger
        .handovers(Height(0))
        .iter()
        .take(1)
        .for_each(|handover| light.follow(handover, now).expect("member 0's key"));
    light.recover(&served[0], now).expect("a recovery that holds");
    light.accept(&newest.header, &newest.certificate, now).expect("the new validators decide");
    assert_eq!(light.unacknowledged(), Some(Height(2)));
    // After a restart the records say who decides, whether or not the handover is given again.
    drop((ledger, newest));
    let ledger = open();
    assert_eq!(ledger.recoveries(Height(0)), served);
    decide_with(&ledger, new_secret);
}
