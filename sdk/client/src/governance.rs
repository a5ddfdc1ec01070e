//! Proposals and votes (提案与表决): how members change the network together.

use fengni_core::operation::{Ground, Operation};
use fengni_core::record::{Measure, Proposal};
use fengni_core::{Domain, Height, ProposalNumber};

/// Puts a measure to the vote.
///
/// - `effective`: the first height that it is to rule.
pub fn propose(measure: Measure, effective: Height, ground: Ground) -> Operation {
    Operation::Propose { measure: Box::new(measure), effective, ground }
}

/// Votes on a proposal. What is signed is the digest of the measure, its height and its ground as
/// they were read, so that nobody can put another measure under the number.
pub fn vote(domain: &Domain, proposal: ProposalNumber, read: &Proposal, approve: bool) -> Operation {
    Operation::Vote { proposal, digest: digest(domain, read), approve }
}

/// What a vote names: the digest of a proposal's measure, height and ground.
pub fn digest(domain: &Domain, read: &Proposal) -> fengni_core::Digest {
    read.measure.digest(domain, read.effective, &read.ground)
}

/// Takes an open proposal back.
pub fn withdraw(proposal: ProposalNumber) -> Operation {
    Operation::Withdraw { proposal }
}
