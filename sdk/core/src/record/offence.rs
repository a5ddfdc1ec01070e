//! Offences (作恶记录): proof that a validator signed two statements that exclude each other.
//!
//! Rule R-15: `sdk/spec/registries.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::block::BlockId;
use crate::codec::encoded_by_number;
use crate::digest::Domain;
use crate::finality::{VoteStep, proposal_bytes, vote_bytes};
use crate::keys::{PublicKey, Signature};
use crate::number::{Height, MemberNumber};
use crate::shelf::Shelf;

/// What was signed twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedKind {
    /// A proposal.
    Proposal,
    /// A first vote.
    Prevote,
    /// A second vote.
    Precommit,
}

impl SignedKind {
    /// Every kind, by number.
    pub const ALL: [Self; 3] = [Self::Proposal, Self::Prevote, Self::Precommit];
}

encoded_by_number!(SignedKind);

/// One of two statements.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct SignedStatement {
    /// The block; `None` is a vote for none.
    pub block: Option<BlockId>,
    /// The valid round of a proposal.
    pub valid_round: Option<u32>,
    /// The validator's signature.
    pub signature: Signature,
}

/// Two statements of one validator for one height, round and step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct DoubleSigning {
    /// The validator.
    pub member: MemberNumber,
    /// The height.
    pub height: Height,
    /// The round.
    pub round: u32,
    /// What was signed.
    pub kind: SignedKind,
    /// One statement.
    pub first: SignedStatement,
    /// The other.
    pub second: SignedStatement,
}

impl DoubleSigning {
    /// Rule R-15: whether both statements are the key's, and exclude each other.
    ///
    /// - `key`: a consensus key of the member at the height.
    pub fn is_proven(&self, domain: &Domain, key: &PublicKey) -> bool {
        let content = |statement: &SignedStatement| (statement.block, statement.valid_round);
        let signed = |statement: &SignedStatement| {
            self.bytes(domain, statement).is_some_and(|bytes| key.verify(&bytes, &statement.signature))
        };
        content(&self.first) != content(&self.second) && signed(&self.first) && signed(&self.second)
    }

    /// The bytes of a statement, or `None` where no validator could have signed it. F-3, F-4.
    fn bytes(&self, domain: &Domain, statement: &SignedStatement) -> Option<Vec<u8>> {
        let vote = |step| vote_bytes(domain, step, self.height, self.round, statement.block, self.member);
        match self.kind {
            SignedKind::Proposal => {
                let block = statement.block?;
                Some(proposal_bytes(domain, self.height, self.round, statement.valid_round, block, self.member))
            }
            _ if statement.valid_round.is_some() => None,
            SignedKind::Prevote => Some(vote(VoteStep::Prevote)),
            SignedKind::Precommit => Some(vote(VoteStep::Precommit)),
        }
    }
}

/// An offence on the ledger, the ground of a removal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Offence {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// The proof.
    pub proof: DoubleSigning,
    /// Who reported it.
    pub reported_by: MemberNumber,
    /// When.
    pub reported: Height,
}

impl Record for Offence {
    const SHELF: Shelf = Shelf::Offences;
}
