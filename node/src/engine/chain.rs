//! What the engine asks of the ledger.
//!
//! The engine orders blocks and collects signatures; it never looks into a block. All methods
//! may block: the driver calls them on threads of their own. `propose`, `consider` and `commit`
//! are never called at the same time, nor is `follow`; the others may be, also while one of those runs.

use std::ops::RangeInclusive;

use bytes::Bytes;
use fengni_core::record::DoubleSigning;
use fengni_core::{BlockId, CommitCertificate, Height, MemberNumber, ValidatorSet};
use thiserror::Error;

/// The world failed under the ledger: a disk, a store, a broken promise of its own. The process
/// ends, because restarting from durable state is the safe path.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    /// Trouble from any error.
    pub fn from_error(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// A block that is not decided yet, as the ledger stored it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its height.
    pub height: Height,
    /// The round it was proposed in.
    pub round: u32,
    /// The earlier round it was found valid in, if it was proposed again.
    pub valid_round: Option<u32>,
    /// Who proposed it in this round.
    pub proposer: MemberNumber,
    /// Its identity.
    pub id: BlockId,
    /// The encoded block.
    pub body: Bytes,
}

/// A block received from a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// Its height: the one after the last final block.
    pub height: Height,
    /// The round it was proposed in.
    pub round: u32,
    /// The earlier round it was found valid in, if it was proposed again. The header then names
    /// whoever proposed it first.
    pub valid_round: Option<u32>,
    /// Whose turn the round is; without a valid round, the header must name this member.
    pub proposer: MemberNumber,
    /// The encoded block.
    pub body: Bytes,
    /// A quorum has decided this height already: the clock is not asked, and the header may name
    /// another proposer than the round's.
    pub synced: bool,
}

/// The ledger's answer to a received block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Considered {
    /// Every rule holds, and the body is stored and synced.
    Valid(BlockId),
    /// A rule is broken.
    Invalid {
        /// The block's identity; `None` where the bytes are no block at all.
        id: Option<BlockId>,
        /// The rule and the facts.
        reason: String,
    },
}

/// What became of final blocks that a peer served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// The last final block now.
    pub last: Height,
    /// Why the first block that was not taken was refused.
    pub refused: Option<Refusal>,
}

/// Why a served block was not taken.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// It is not what a quorum decided: whoever served it is at fault.
    #[error("not the block that a quorum decided: {0}")]
    Unproven(String),
    /// A quorum decided it and it breaks a rule here: people must look.
    #[error("a quorum decided block {height}, which is invalid here: {reason}")]
    Invalid {
        /// Its height.
        height: Height,
        /// The rule and the facts.
        reason: String,
    },
}

/// Which message a statement is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum SignedStep {
    /// A proposal.
    Proposal = 0,
    /// A first vote.
    Prevote = 1,
    /// A second vote.
    Precommit = 2,
}

/// The ledger, as the engine sees it.
pub trait Chain: Send + Sync + 'static {
    /// Height of the last final block; 0 before the first.
    fn last_final(&self) -> Height;

    /// The oldest final block whose body is still served.
    fn first_kept(&self) -> Height;

    /// The member this node is to vote for, once the register lists it; `None` also for an observer.
    fn voter(&self) -> Option<MemberNumber>;

    /// The validators of a height up to the one after the last final block, derived from the
    /// state of the block before: every node must give the same answer.
    ///
    /// # Errors
    /// [`Trouble`].
    fn validators(&self, height: Height) -> Result<ValidatorSet, Trouble>;

    /// The newest version of the protocol that this node speaks: peers are told.
    fn speaks(&self) -> u16;

    /// Builds a block, or returns the one stored for this height and round: the answer never
    /// changes, also after a crash. The body is stored and synced before returning.
    ///
    /// # Errors
    /// [`Trouble`].
    fn propose(&self, height: Height, round: u32) -> Result<Candidate, Trouble>;

    /// Checks a received block fully; a valid body is stored for its height and round, and
    /// synced, before returning.
    ///
    /// # Errors
    /// [`Trouble`]; a block that breaks a rule is no trouble.
    fn consider(&self, received: Received) -> Result<Considered, Trouble>;

    /// The stored blocks of a round that were proposed or found valid.
    ///
    /// # Errors
    /// [`Trouble`].
    fn candidates(&self, height: Height, round: u32) -> Result<Vec<Candidate>, Trouble>;

    /// The body of a stored undecided block.
    ///
    /// # Errors
    /// [`Trouble`].
    fn body(&self, id: BlockId) -> Result<Option<Bytes>, Trouble>;

    /// Makes a block final, durably. Whatever the pool still holds of it must be gone when this
    /// returns, or an empty block follows. A second call for the same block changes nothing.
    ///
    /// # Errors
    /// [`Trouble`], also where no body is stored for the certificate.
    fn commit(&self, certificate: CommitCertificate) -> Result<(), Trouble>;

    /// Makes blocks of a peer final that were decided long ago: each must follow the one before and
    /// carry a certificate of a quorum of the validators that the ledger's own state names for its
    /// height. All that were taken are durable together when this returns; until then nothing may be
    /// signed for a height above them.
    ///
    /// # Errors
    /// [`Trouble`]; a block that breaks a rule is no trouble.
    fn follow(&self, blocks: Vec<(Bytes, CommitCertificate)>) -> Result<Followed, Trouble>;

    /// Final blocks with their certificates, from the start of the range, without a gap, and at
    /// most `bytes` of bodies unless the first alone is larger.
    ///
    /// # Errors
    /// [`Trouble`].
    fn final_blocks(
        &self,
        heights: RangeInclusive<Height>,
        bytes: usize,
    ) -> Result<Vec<(Bytes, CommitCertificate)>, Trouble>;

    /// Keeps proof that a validator signed twice.
    fn evidence(&self, evidence: DoubleSigning);
}
