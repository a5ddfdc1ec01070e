//! A recovery: a ledger that was given one goes on by it.

use fengni_core::light::LightClient;
use fengni_core::record::KeyPurpose;
use fengni_core::recovery::{RecoveryHandover, RecoveryPlan, RecoveryTerms, Seat};
use fengni_core::{Height, MemberNumber, Millis, SecretKey};
use fengni_genesis::sample;

use super::{MEMBERS, certify_with, decide, founding, ground, open};
use crate::engine::Chain as _;
use crate::ledger::Ledger;
use crate::selfcheck::{self, Depth};
use crate::store::{Column, Mend, key_of_height};

/// A new key of a validator after a recovery.
fn new_secret(member: MemberNumber, _: Height) -> SecretKey {
    sample::test_secret(MEMBERS[member.0 as usize], KeyPurpose::Consensus, 7)
}

/// Decides the next block, signed by the new keys.
fn decide_anew(ledger: &Ledger) {
    let height = ledger.last_final().next();
    let block = ledger.propose(height, 0).expect("a proposal").id;
    ledger.commit(certify_with(ledger, height, block, new_secret)).expect("the block was executed");
}

#[test]
fn f10_a_ledger_goes_on_by_a_recovery_that_it_was_given_and_readers_follow() {
    let (genesis, mut founding, _) = founding();
    let keys = (0..3).map(|key| sample::test_recovery_secret(key).public()).collect();
    founding.parameters.recovery = Some(RecoveryTerms { keys, threshold: 2, delay_secs: 1 }).into();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let domain = genesis.domain();
    let open = || open(folder.path(), &genesis, &founding);
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
        ground: ground(&ledger),
        seats: (0..4).map(seat).collect(),
    };
    let mut handover = RecoveryHandover::draft(plan);
    let message = handover.plan.message(&domain);
    [0, 2].into_iter().for_each(|key| handover.take(key, sample::test_recovery_secret(key).sign(&message)));
    // Too few: the ledger stays with the validators it has.
    let few = RecoveryHandover { signatures: handover.signatures[..1].to_vec(), ..handover.clone() };
    ledger.give(vec![few]);
    assert_eq!(ledger.validators(Height(3)).expect("known"), last.next_validators());
    ledger.give(vec![handover.clone()]);
    assert_eq!(ledger.validators(Height(3)).expect("known"), handover.plan.validators().expect("a set"));
    assert!(ledger.recoveries(Height(0)).is_empty(), "there is no block yet that follows from it");
    (0..3).for_each(|_| decide_anew(&ledger));
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
    // What is stored of it leads from the block before to the new validators, and to none else.
    let examine = |ledger: &Ledger| {
        let report = selfcheck::check(ledger.store(), domain, &founding, Depth::Whole, &mut |_| ());
        report.damage.iter().map(|damage| format!("{}, {}", damage.column, damage.entry)).collect::<Vec<_>>()
    };
    assert_eq!(examine(&ledger), [""; 0]);
    let (column, key) = (Column::Recoveries, key_of_height(Height(3)));
    let right = ledger.store().look_up(column, &key).expect("a disk").expect("it is kept");
    let put = |value: &[u8]| {
        let mend = Mend { column, key: key.clone(), value: Some(value.to_vec()) };
        ledger.store().mend(&[mend]).expect("a disk");
    };
    put(&right[..right.len() - 1]);
    assert_eq!(examine(&ledger), ["recoveries, height 3"]);
    put(&right);
    // After a restart the records say who decides, whether or not the handover is given again.
    drop((ledger, newest));
    let ledger = open();
    assert_eq!(ledger.recoveries(Height(0)), served);
    decide_anew(&ledger);
}
