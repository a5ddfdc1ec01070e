//! Members that decide together: one operation a block, proposals and votes.

use std::sync::Arc;

use fengni_core::bytes::Bytes;
use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::{Decision, Effect, Refusal};
use fengni_core::record::{Measure, Proposal, ProposalStatus};
use fengni_core::transaction::Transaction;
use fengni_core::{Digest, Height, Millis, ProposalNumber, ReasonCode};

use super::{Network, member};

pub const OTHERS: &[&str] = &["donghai", "police", "ministry"];
pub const TWO_ADMINS: &[u16] = &[2, 3];
pub const ADMIN: &[u16] = &[2];
pub const GROUND: Ground = Ground { reason: ReasonCode(1), decision: Digest([9; 32]) };

/// One operation in a block of its own.
pub fn act(network: &mut Network, who: &str, keys: &[u16], operation: Operation) -> Decision {
    let transaction = network.transaction(member(who), keys, operation);
    run(network, transaction)
}

pub fn run(network: &mut Network, transaction: Transaction) -> Decision {
    let clock = Millis(network.state.time().0 + 1000);
    let mut outcomes = network.next_block(clock, vec![Bytes(transaction.encode())]);
    outcomes.pop().expect("the transaction is in the block").decision
}

pub fn done(network: &mut Network, who: &str, keys: &[u16], operation: Operation) -> Effect {
    match act(network, who, keys, operation) {
        Decision::Done(effect) => effect,
        Decision::Refused { refusal, .. } => panic!("refused: {refusal}"),
    }
}

pub fn refused(network: &mut Network, who: &str, keys: &[u16], operation: Operation) -> Refusal {
    match act(network, who, keys, operation) {
        Decision::Refused { refusal, .. } => refusal,
        Decision::Done(effect) => panic!("done: {effect:?}"),
    }
}

/// Empty blocks up to a height.
pub fn reach(network: &mut Network, height: u64) {
    while network.state.height().0 < height {
        let clock = Millis(network.state.time().0 + 1000);
        network.next_block(clock, Vec::new());
    }
}

pub fn propose(measure: Measure, effective: u64) -> Operation {
    Operation::Propose { measure: Box::new(measure), effective: Height(effective), ground: GROUND }
}

pub fn proposal(network: &Network, number: ProposalNumber) -> Arc<Proposal> {
    network.state.registries().proposals.get(number.0).expect("a proposal").clone()
}

pub fn ballot(network: &Network, number: ProposalNumber, approve: bool) -> Operation {
    let it = proposal(network, number);
    let digest = it.measure.digest(&network.domain, it.effective, &it.ground);
    Operation::Vote { proposal: number, digest, approve }
}

pub fn vote(network: &mut Network, who: &str, number: ProposalNumber, approve: bool) -> ProposalStatus {
    let operation = ballot(network, number, approve);
    match done(network, who, ADMIN, operation) {
        Effect::Proposal { status, .. } => status,
        other => panic!("another effect: {other:?}"),
    }
}

/// Proposes a measure for a height and lets these members approve it.
pub fn pass(network: &mut Network, measure: Measure, effective: u64, voters: &[&str]) -> ProposalNumber {
    let Effect::Proposal { proposal, .. } = done(network, "council", ADMIN, propose(measure, effective)) else {
        panic!("another effect")
    };
    let mut status = ProposalStatus::Open;
    for voter in voters {
        status = vote(network, voter, proposal, true);
    }
    assert!(matches!(status, ProposalStatus::Passed { .. }), "{status:?}");
    proposal
}
