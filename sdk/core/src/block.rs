//! Blocks and their headers.
//!
//! The header binds everything: what was asked, what became of it, the state after it, and who
//! decides the next block. Rules H-1 to H-4: `sdk/spec/blocks.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bytes::Bytes;
use crate::codec::{self, DecodeError};
use crate::day::Millis;
use crate::digest::{Digest, Domain, NetworkId, Suite};
use crate::finality::CommitCertificate;
use crate::limits::{BLOCK_BYTES, BLOCK_TRANSACTIONS};
use crate::list::{ListKind, list_digest};
use crate::number::{Height, MemberNumber};
use crate::outcome::Outcome;
use crate::tree;

/// The latest protocol version that this code speaks; it speaks the earlier ones as well.
pub const PROTOCOL_VERSION: u16 = 4;

/// Identity of a block: the digest of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct BlockId(pub Digest);

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A block header.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Header {
    /// Protocol version.
    pub version: u16,
    /// Algorithms.
    pub suite: Suite,
    /// The network.
    pub network: NetworkId,
    /// The block's height, from 1.
    pub height: Height,
    /// When it was proposed, later than the parent.
    pub time: Millis,
    /// The block before; zero for the first.
    pub parent: BlockId,
    /// The validator that proposed it.
    pub proposer: MemberNumber,
    /// Digest of the list of transactions.
    pub transactions: Digest,
    /// Digest of the list of outcomes.
    pub outcomes: Digest,
    /// Digest of the parent's commit certificate; zero for the first.
    pub parent_certificate: Digest,
    /// State root after this block.
    pub state_root: Digest,
    /// Digest of the validator set for the next block.
    pub next_validators: Digest,
}

impl Header {
    /// Rule H-2: the block's id.
    pub fn id(&self, domain: &Domain) -> BlockId {
        BlockId(domain.digest("header", &[&codec::encode(self)]))
    }

    /// The domain the header names.
    pub fn domain(&self) -> Domain {
        Domain { suite: self.suite, network: self.network }
    }
}

/// A block as it travels and is stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The parent's commit certificate; `None` for the first block.
    pub parent_certificate: Option<CommitCertificate>,
    /// Encoded transactions, in order.
    pub transactions: Vec<Bytes>,
}

impl Block {
    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Whether transactions and parent certificate are those the header names: without that, the
    /// bytes are not this block, whatever its id.
    pub fn is_bound(&self, domain: &Domain) -> bool {
        let certificate = self.parent_certificate.as_ref().map(|certificate| certificate.digest(domain));
        self.header.transactions == transactions_digest(domain, &self.transactions)
            && self.header.parent_certificate == certificate.unwrap_or_default()
    }

    /// Rule H-1: reads a block.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let block: Self = codec::decode(bytes, BLOCK_BYTES)?;
        if block.transactions.len() > BLOCK_TRANSACTIONS {
            return Err(DecodeError::TooLong { found: block.transactions.len(), limit: BLOCK_TRANSACTIONS });
        }
        Ok(block)
    }
}

/// Rule H-3: digest of a block's transactions, as they were signed.
pub fn transactions_digest(domain: &Domain, transactions: &[Bytes]) -> Digest {
    let leaves: Vec<Digest> = transactions.iter().map(|bytes| domain.suite.leaf(&bytes.0)).collect();
    list_digest(domain, ListKind::Transactions, leaves.len() as u64, &tree::root(domain.suite, &leaves))
}

/// Rule H-4: digest of a block's outcomes.
pub fn outcomes_digest(domain: &Domain, outcomes: &[Outcome]) -> Digest {
    let leaves: Vec<Digest> = outcomes.iter().map(|outcome| domain.suite.leaf(&outcome.encode())).collect();
    list_digest(domain, ListKind::Outcomes, leaves.len() as u64, &tree::root(domain.suite, &leaves))
}
