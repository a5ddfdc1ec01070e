//! Handovers: validators whose keys begin and end at heights, over a real store.

use std::sync::LazyLock;

use fengni_core::light::{LightClient, LightError};
use fengni_core::record::{KeyPurpose, MemberKey, Role, Roles};
use fengni_core::{
    BlockId, CommitCertificate, CommitSignature, Height, MemberNumber, Millis, SecretKey, VoteStep, vote_bytes,
};
use fengni_genesis::{Genesis, sample};
use fengni_state::Founding;

use super::Ledger;
use crate::clock;
use crate::engine::{Chain as _, Refusal};
use crate::pool::PoolLimits;
use crate::store::Store;

/// An hour ago, because blocks carry the hour of now: from a founding of long ago nobody is followed.
static FOUNDED: LazyLock<Millis> = LazyLock::new(|| Millis(clock::now().0 - 3_600_000));
const MEMBERS: [&str; 5] = ["GOV", "PSB", "AMR", "HRS", "CIQ"];

/// The sample network, and the heights at which its validators change: member 0 takes another key
/// from height 3 on, and member 4 decides heights 5 and 6 with the others.
fn founding() -> (Genesis, Founding, [Height; 3]) {
    let genesis = sample::network(*FOUNDED, &sample::test_key).check().expect("the sample is right");
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

/// The certificate of every validator of a height.
fn certify(ledger: &Ledger, height: Height, block: BlockId) -> CommitCertificate {
    let sign = |member: MemberNumber| {
        let message = vote_bytes(ledger.domain(), VoteStep::Precommit, height, 0, Some(block), member);
        CommitSignature { member, signature: secret(MEMBERS[member.0 as usize], height).sign(&message) }
    };
    let validators = ledger.validators(height).expect("a height up to the next");
    CommitCertificate { height, round: 0, block, signatures: validators.iter().map(|it| sign(it.member)).collect() }
}

/// Decides the next block, signed by every validator of its height.
fn decide(ledger: &Ledger) {
    let height = ledger.last_final().next();
    let block = ledger.propose(height, 0).expect("a proposal").id;
    ledger.commit(certify(ledger, height, block)).expect("the block was executed");
}

#[test]
fn n23_handovers_lead_from_the_founding_to_the_newest_block() {
    let (genesis, _, changes) = founding();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let open = || opened(folder.path());
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

/// A ledger of the founding in a folder of its own.
fn opened(folder: &std::path::Path) -> Ledger {
    let (genesis, founding, _) = founding();
    let store = Store::open(folder, &genesis.domain()).expect("a store");
    Ledger::open(store, genesis.domain(), founding, Some(MemberNumber(0)), PoolLimits::default())
        .expect("its own ledger")
}

#[test]
fn whoever_follows_believes_quorums_alone_and_across_changes_of_validators() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the test"));
    let (ahead, behind) = (opened(folders[0].path()), opened(folders[1].path()));
    for _ in 0..70 {
        decide(&ahead);
    }
    let served =
        |first: u64, last: u64| ahead.final_blocks(Height(first)..=Height(last), usize::MAX).expect("they are kept");
    let follow = |blocks| behind.follow(blocks).expect("the disk is well");
    let unproven = |followed: crate::engine::Followed, last: u64| {
        assert_eq!(followed.last, Height(last));
        assert!(matches!(followed.refused, Some(Refusal::Unproven(_))), "{:?}", followed.refused);
    };
    // Not from the middle, and not a certificate that too few signed, or with a foreign signature.
    unproven(follow(served(2, 3)), 0);
    let mut few = served(1, 2);
    few[1].1.signatures.truncate(2);
    unproven(follow(few), 1);
    let mut forged = served(2, 3);
    forged[1].1.signatures[0].signature = forged[0].1.signatures[0].signature;
    unproven(follow(forged), 2);
    // A body that the header does not bind, under a true certificate.
    let mut other = served(3, 4);
    let mut torn = other[0].0.to_vec();
    torn.truncate(torn.len() - 1);
    other[0].0 = torn.into();
    unproven(follow(other), 2);
    // The true ones lead over three changes of validators to the same state.
    let followed = follow(served(3, 70));
    assert_eq!((followed.last, followed.refused), (Height(70), None));
    assert_eq!(behind.state().root(), ahead.state().root());
    assert_eq!(behind.handovers(Height(0)), ahead.handovers(Height(0)));
    assert_eq!(follow(Vec::new()).last, Height(70));
    // It is there after a restart, and the engine may decide what follows.
    drop(behind);
    let behind = opened(folders[1].path());
    assert_eq!(behind.last_final(), Height(70));
    decide(&behind);
}

#[test]
fn a_block_that_a_quorum_decided_and_that_breaks_a_rule_is_for_people() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the test"));
    let (ahead, behind) = (opened(folders[0].path()), opened(folders[1].path()));
    decide(&ahead);
    let (body, _) = ahead.final_blocks(Height(1)..=Height(1), usize::MAX).expect("it is kept").swap_remove(0);
    let mut block = fengni_core::Block::decode(&body).expect("our own");
    block.header.state_root = fengni_core::Digest([7; 32]);
    let id = block.header.id(ahead.domain());
    let followed = behind.follow(vec![(block.encode().into(), certify(&ahead, Height(1), id))]).expect("no trouble");
    assert!(matches!(followed.refused, Some(Refusal::Invalid { height: Height(1), .. })), "{:?}", followed.refused);
    assert_eq!(behind.last_final(), Height(0));
}
