//! Finality: which signatures make a block final.
//!
//! A commit certificate carries the precommits of more than two thirds of the voting power. This
//! module owns the bytes a validator signs; the consensus engine is pinned to them by a test.
//! Rules F-1 to F-6: `sdk/spec/finality.md`; following handovers (F-7) is its reader's part.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::BlockId;
use crate::codec::{self, encoded_as};
use crate::digest::{Digest, Domain};
use crate::keys::{PublicKey, Signature};
use crate::limits::VALIDATORS;
use crate::list::{ListKind, NumberedList};
use crate::number::{Height, MemberNumber};

/// A validator of one height: its votes are signed as the member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Validator {
    /// The member.
    pub member: MemberNumber,
    /// Its consensus key at this height.
    pub key: PublicKey,
    /// Its voting power, at least 1.
    pub power: u64,
}

/// The validators of one height, by rising member number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<Validator>", into = "Vec<Validator>")]
pub struct ValidatorSet(Vec<Validator>);

/// F-1: why validators make no set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a validator set has 1 to 256 members in rising order, each with power, adding up below 2^62")]
pub struct SetError;

impl ValidatorSet {
    /// Rule F-1: a set of validators.
    ///
    /// # Errors
    /// [`SetError`].
    pub fn new(validators: Vec<Validator>) -> Result<Self, SetError> {
        let rising = validators.windows(2).all(|pair| pair[0].member < pair[1].member);
        let powers = validators.iter().try_fold(0u64, |sum, v| sum.checked_add(v.power).filter(|_| v.power > 0));
        let counted = (1..=VALIDATORS).contains(&validators.len());
        if counted && rising && powers.is_some_and(|sum| sum < 1 << 62) { Ok(Self(validators)) } else { Err(SetError) }
    }

    /// The validators, by rising member number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Validator> + Clone {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a set has at least one validator.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The validator with this member number.
    pub fn get(&self, member: MemberNumber) -> Option<&Validator> {
        let found = self.0.binary_search_by_key(&member, |validator| validator.member).ok()?;
        Some(&self.0[found])
    }

    /// All the voting power.
    pub fn power(&self) -> u64 {
        self.0.iter().map(|validator| validator.power).sum()
    }

    /// The least power that is more than two thirds.
    pub fn quorum(&self) -> u64 {
        self.power() * 2 / 3 + 1
    }

    /// Rule F-2: the digest a header names for the next block's set.
    pub fn digest(&self, domain: &Domain) -> Digest {
        let mut list = NumberedList::new(domain.suite, ListKind::Validators);
        for validator in &self.0 {
            list.append(&codec::encode(validator));
        }
        list.digest(domain)
    }
}

encoded_as!(ValidatorSet, Vec<Validator>);

impl TryFrom<Vec<Validator>> for ValidatorSet {
    type Error = SetError;

    fn try_from(validators: Vec<Validator>) -> Result<Self, SetError> {
        Self::new(validators)
    }
}

impl From<ValidatorSet> for Vec<Validator> {
    fn from(set: ValidatorSet) -> Self {
        set.0
    }
}

/// The two steps of a round in which validators vote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum VoteStep {
    /// First vote.
    Prevote = 1,
    /// Second vote: a quorum of these makes a block final.
    Precommit = 2,
}

/// Rule F-3: the bytes of a vote; without a block, a vote for none.
pub fn vote_bytes(
    domain: &Domain,
    step: VoteStep,
    height: Height,
    round: u32,
    block: Option<BlockId>,
    member: MemberNumber,
) -> Vec<u8> {
    let (there, id) = block.map_or((0, Digest::default()), |block| (1, block.0));
    domain.message(
        "vote",
        &[&[step as u8], &height.0.to_be_bytes(), &round.to_be_bytes(), &[there], &id.0, &member.0.to_be_bytes()],
    )
}

/// Rule F-4: the bytes of a proposal.
pub fn proposal_bytes(
    domain: &Domain,
    height: Height,
    round: u32,
    valid_round: Option<u32>,
    block: BlockId,
    member: MemberNumber,
) -> Vec<u8> {
    let (there, valid) = valid_round.map_or((0, 0), |round| (1, round));
    domain.message(
        "proposal",
        &[
            &height.0.to_be_bytes(),
            &round.to_be_bytes(),
            &[there],
            &valid.to_be_bytes(),
            &block.0.0,
            &member.0.to_be_bytes(),
        ],
    )
}

/// One validator's precommit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct CommitSignature {
    /// Who.
    pub member: MemberNumber,
    /// Over [`vote_bytes`] of the certificate's height, round and block.
    pub signature: Signature,
}

/// The precommits that made a block final. Certificates differ between nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct CommitCertificate {
    /// The block's height.
    pub height: Height,
    /// The round that decided.
    pub round: u32,
    /// The block.
    pub block: BlockId,
    /// Precommits, by rising member number.
    pub signatures: Vec<CommitSignature>,
}

/// Why a certificate does not make a block final.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FinalityError {
    /// F-5: for another height or block.
    #[error("the certificate is for another block")]
    OtherBlock,
    /// F-5: signers are not in rising order.
    #[error("member {member} stands out of order or signs twice")]
    SignerOrder {
        /// The signer.
        member: MemberNumber,
    },
    /// F-5: not a validator of this height.
    #[error("member {member} is not a validator of this height")]
    UnknownSigner {
        /// The signer.
        member: MemberNumber,
    },
    /// F-5: a signature does not verify.
    #[error("the signature of member {member} does not verify")]
    BadSignature {
        /// The signer.
        member: MemberNumber,
    },
    /// F-6: the signatures weigh less than the quorum.
    #[error("signed weight {signed} is below quorum {needed}")]
    BelowQuorum {
        /// Power that signed.
        signed: u64,
        /// Power needed.
        needed: u64,
    },
}

impl CommitCertificate {
    /// The digest the next header names.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("commit-certificate", &[&codec::encode(self)])
    }

    /// Whether this certificate makes the block final under a set of validators.
    ///
    /// # Errors
    /// [`FinalityError`].
    ///
    /// # Source
    /// `sdk/spec/finality.md`, rules F-5 and F-6.
    pub fn verify(
        &self,
        domain: &Domain,
        set: &ValidatorSet,
        height: Height,
        block: BlockId,
    ) -> Result<(), FinalityError> {
        if self.height != height || self.block != block {
            return Err(FinalityError::OtherBlock);
        }
        let mut signed = 0;
        let mut before = None;
        for CommitSignature { member, signature } in &self.signatures {
            if before.is_some_and(|before| before >= *member) {
                return Err(FinalityError::SignerOrder { member: *member });
            }
            before = Some(*member);
            let validator = set.get(*member).ok_or(FinalityError::UnknownSigner { member: *member })?;
            let message = vote_bytes(domain, VoteStep::Precommit, height, self.round, Some(block), *member);
            if !validator.key.verify(&message, signature) {
                return Err(FinalityError::BadSignature { member: *member });
            }
            signed += validator.power;
        }
        let needed = set.quorum();
        if signed < needed { Err(FinalityError::BelowQuorum { signed, needed }) } else { Ok(()) }
    }
}
