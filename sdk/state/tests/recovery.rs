//! Recovery: the first block after it, and what it does to the members. Rules H-13, O-26 and T-7.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::{Network, foreign_key, founding, member, secret};
use fengni_core::block::{Block, transactions_digest};
use fengni_core::bytes::Bytes;
use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::{Decision, Effect};
use fengni_core::record::{KeyPurpose, MemberStatus, Role};
use fengni_core::recovery::{RecoveryError, RecoveryHandover, RecoveryPlan, RecoveryTerms, Seat};
use fengni_core::transaction::{Transaction, TransactionError};
use fengni_core::{Digest, Height, KeyAlgorithm, MemberNumber, Millis, PublicKey, ReasonCode, SecretKey, Suite};
use fengni_state::{AdoptError, BlockError, Proposal, State, assemble, check, execute, recovery_of};

const DELAY_SECS: u64 = 600;

fn new_key(member: MemberNumber, peer: bool) -> SecretKey {
    let seed = [0xa0 + member.0 as u8 * 2 + u8::from(peer); 32];
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &seed).expect("32 bytes are a key")
}

fn recovery_key(number: u16) -> SecretKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[0x70 + number as u8; 32]).expect("32 bytes are a key")
}

/// A network of three blocks with three recovery keys, of which two must sign.
fn network() -> Network {
    let mut begun = founding(Suite::Standard);
    let keys = (0..3).map(|number| recovery_key(number).public()).collect();
    begun.parameters.recovery = Some(RecoveryTerms { keys, threshold: 2, delay_secs: DELAY_SECS }).into();
    let mut network = Network::found(Suite::Standard, begun);
    for _ in 0..3 {
        let clock = Millis(network.state.time().0 + 1000);
        network.next_block(clock, Vec::new());
    }
    network
}

/// Police survives, the hall takes a seat, the others of the four validators are lost.
fn plan(state: &State) -> RecoveryPlan {
    let seat = |name: &str, peer: bool| Seat {
        member: member(name),
        power: 1,
        consensus: new_key(member(name), false).public(),
        peer: peer.then(|| new_key(member(name), true).public()),
    };
    RecoveryPlan {
        network: state.domain().network,
        height: state.height(),
        block: state.last(),
        from: Millis(state.time().0 + DELAY_SECS * 1000),
        ground: Ground { reason: ReasonCode(1), decision: Digest([0xd0; 32]) },
        seats: vec![seat("police", false), seat("hall", true)],
    }
}

fn signed(state: &State, plan: RecoveryPlan) -> RecoveryHandover {
    let mut handover = RecoveryHandover::draft(plan);
    [0, 2]
        .into_iter()
        .for_each(|number| handover.take(number, recovery_key(number).sign(&handover.plan.message(state.domain()))));
    handover
}

fn proposal(network: &Network, clock: Millis) -> Proposal {
    Proposal { proposer: member("police"), ..network.proposal(clock) }
}

/// The first block after a recovery, as one of its validators makes it.
fn first_block(network: &Network, adopted: &State) -> Block {
    let clock = Millis(adopted.recovery().expect("adopted").plan.from.0 + 1000);
    let (made, _) = assemble(adopted, &network.records, &network.recent, &(), proposal(network, clock), Vec::new());
    made.block
}

fn judge(network: &Network, state: &State, block: Block) -> Result<State, BlockError> {
    let checked = check(state, &network.recent, &(), network.validators.as_ref(), None, block)?;
    Ok(execute(state, &network.records, &checked)?.state)
}

#[test]
fn h13_o26_the_first_block_records_the_recovery_and_its_validators_go_on() {
    let network = network();
    let adopted = network.state.adopt(&signed(&network.state, plan(&network.state))).expect("it holds");
    assert_eq!(adopted.root(), network.state.root());
    let block = first_block(&network, &adopted);
    let after = judge(&network, &adopted, block.clone()).expect("a right block");
    assert!(after.recovery().is_none());
    assert_eq!(after.next_validators(), adopted.next_validators(), "the same set goes on from the records");
    let height = block.header.height;
    let record = |name: &str| after.member(member(name)).expect("a member").clone();
    // A survivor's earlier key has ended, its peer key stays.
    let police = record("police");
    assert_eq!(
        police.key_for(KeyPurpose::Consensus, height).map(|key| key.key),
        Some(new_key(member("police"), false).public())
    );
    assert_eq!(police.keys[0].until, Some(network.state.height()));
    assert_eq!(police.keys[1].until, None);
    // A member that was none is a validator, and its node has a new name.
    let hall = record("hall");
    assert!(hall.roles.has(Role::Validator) && hall.power == 1 && hall.keys[1].until == Some(network.state.height()));
    // Who was lost goes on as an observer and may come back by a vote.
    let council = record("council");
    assert!(council.roles.has(Role::Observer) && !council.roles.has(Role::Validator) && council.power == 0);
    assert!(council.key_for(KeyPurpose::Consensus, height).is_none());
    assert_eq!(council.status, MemberStatus::Active);
    assert_eq!(record("gone").status, MemberStatus::Removed);
}

#[test]
fn h13_a_replay_takes_the_handover_from_the_block_and_judges_it() {
    let network = network();
    let adopted = network.state.adopt(&signed(&network.state, plan(&network.state))).expect("it holds");
    let block = first_block(&network, &adopted);
    let handover = recovery_of(&block).expect("it records one");
    let again = network.state.adopt(&handover).expect("it holds here as well");
    let checked = check(&again, &network.recent, &(), network.validators.as_ref(), None, block).expect("right");
    let applied = execute(&again, &network.records, &checked).expect("the same");
    assert_eq!(applied.outcomes[0].decision, Decision::Done(Effect::Recovered { validators: 2 }));
    // Others may have signed the handover that this node was given.
    let mut others = RecoveryHandover::draft(plan(&network.state));
    [1, 2].into_iter().for_each(|number| {
        others.take(number, recovery_key(number).sign(&others.plan.message(network.state.domain())))
    });
    let given = network.state.adopt(&others).expect("it holds");
    judge(&network, &given, checked.block).expect("the same plan");
}

#[test]
fn h13_nobody_else_takes_the_block_and_whoever_took_the_handover_takes_no_other() {
    let network = network();
    let adopted = network.state.adopt(&signed(&network.state, plan(&network.state))).expect("it holds");
    let block = first_block(&network, &adopted);
    // To a node without the handover, the proposer may be known and the transaction is not.
    let refused = judge(&network, &network.state, block.clone()).err();
    assert_eq!(refused, Some(BlockError::Transaction { place: 0, error: TransactionError::Recovery }));
    // An ordinary block.
    let clock = Millis(adopted.recovery().expect("adopted").plan.from.0);
    let (ordinary, _) =
        assemble(&network.state, &network.records, &network.recent, &(), proposal(&network, clock), Vec::new());
    let height = network.state.height();
    assert_eq!(judge(&network, &adopted, ordinary.block).err(), Some(BlockError::Recovery(height)));
    // Before its time, without its transaction, behind another, or altered.
    let changed = |change: &dyn Fn(&mut Block)| {
        let mut changed = block.clone();
        change(&mut changed);
        changed.header.transactions = transactions_digest(network.state.domain(), &changed.transactions);
        judge(&network, &adopted, changed).err()
    };
    let of_recovery = Some(BlockError::Recovery(height));
    assert_eq!(changed(&|it| it.header.time = Millis(clock.0 - 1)), of_recovery);
    assert_eq!(changed(&|it| it.transactions.clear()), of_recovery);
    assert_eq!(changed(&|it| it.transactions.insert(0, Bytes(vec![1]))), of_recovery);
    let twice = changed(&|it| it.transactions.push(it.transactions[0].clone()));
    assert_eq!(twice, Some(BlockError::Transaction { place: 1, error: TransactionError::Recovery }));
    let altered = |change: &dyn Fn(&mut Transaction)| {
        changed(&|it| {
            let mut transaction = Transaction::decode(&it.transactions[0].0).expect("its own");
            change(&mut transaction);
            it.transactions[0] = Bytes(transaction.encode());
        })
    };
    assert_eq!(altered(&|_| ()), None);
    assert_eq!(altered(&|it| it.body.salt[0] = 1), of_recovery);
    assert_eq!(altered(&|it| it.body.member = member("council")), of_recovery);
    assert_eq!(
        altered(&|it| if let Operation::Recover { handover } = &mut it.body.operation {
            handover.plan.seats[0].power = 2
        }),
        of_recovery
    );
    assert_eq!(
        altered(&|it| if let Operation::Recover { handover } = &mut it.body.operation {
            handover.signatures.truncate(1)
        }),
        of_recovery
    );
}

#[test]
fn t7_nobody_hands_a_recovery_in() {
    let network = network();
    let handover = signed(&network.state, plan(&network.state));
    let transaction = Transaction::of_recovery(handover.clone());
    let bytes = Bytes(transaction.encode());
    assert_eq!(network.state.check_transaction(&network.recent, &bytes), Err(TransactionError::Recovery));
    let adopted = network.state.adopt(&handover).expect("it holds");
    assert_eq!(adopted.check_transaction(&network.recent, &bytes), Err(TransactionError::Recovery));
    // A member's signature on it makes it no better.
    let mut signed = network.clone().transaction(member("council"), &[2], transaction.body.operation.clone());
    assert_eq!(Transaction::decode(&signed.encode()), Err(TransactionError::Signatures));
    signed.signatures.clear();
    let bytes = Bytes(signed.encode());
    assert_eq!(network.state.check_transaction(&network.recent, &bytes), Err(TransactionError::Recovery));
}

#[test]
fn o26_seats_are_of_active_members_with_keys_that_nobody_has_used() {
    let network = network();
    let state = &network.state;
    let why = |change: &dyn Fn(&mut RecoveryPlan)| {
        let mut changed = plan(state);
        change(&mut changed);
        state.adopt(&signed(state, changed)).err()
    };
    let key = |key: PublicKey| Some(AdoptError::Key(Box::new(key)));
    assert_eq!(why(&|_| ()), None);
    assert_eq!(why(&|it| it.seats[1].member = MemberNumber(99)), Some(AdoptError::Member(MemberNumber(99))));
    for name in ["paused", "gone"] {
        assert_eq!(why(&|it| it.seats[1].member = member(name)), Some(AdoptError::Member(member(name))), "{name}");
    }
    // A survivor's key has voted on this height already.
    let survivor = secret(Suite::Standard, member("police"), 0).public();
    assert_eq!(why(&|it| it.seats[0].consensus = survivor), key(survivor));
    let first = new_key(member("police"), false).public();
    assert_eq!(why(&|it| it.seats[1].consensus = first), key(first));
    assert_eq!(why(&|it| it.seats[1].peer = Some(first)), key(first));
    let other_curve = secret(Suite::Standard, member("police"), 41).public();
    assert_eq!(why(&|it| it.seats[0].consensus = other_curve), key(other_curve));
    assert_eq!(why(&|it| it.seats[0].consensus = foreign_key()), None);
    assert_eq!(why(&|it| it.ground.reason = ReasonCode(77)), Some(AdoptError::Reason));
    assert!(matches!(
        why(&|it| it.height = Height(it.height.0 - 1)),
        Some(AdoptError::Handover(RecoveryError::OtherBlock { .. }))
    ));
    assert!(matches!(
        why(&|it| it.from = Millis(it.from.0 - 1)),
        Some(AdoptError::Handover(RecoveryError::Delay { .. }))
    ));
    let without = Network::new(Suite::Standard).state;
    let none = without.adopt(&signed(&without, plan(&without)));
    assert_eq!(none.err(), Some(AdoptError::Handover(RecoveryError::NoTerms)));
}
