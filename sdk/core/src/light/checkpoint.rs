//! Checkpoints: where trust begins, and who vouches for one.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::BlockId;
use crate::codec;
use crate::day::Millis;
use crate::digest::{Digest, Domain, NetworkId, Suite};
use crate::finality::ValidatorSet;
use crate::keys::{SecretKey, Signature};
use crate::number::{Height, KeyNumber, MemberNumber};
use crate::record::{KeyPurpose, Member, MemberStatus};

/// Where trust begins: validators that somebody vouches for, as of a height and a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Checkpoint {
    /// The network.
    pub network: NetworkId,
    /// Algorithms.
    pub suite: Suite,
    /// Height of the header; 0 for the founding itself.
    pub height: Height,
    /// The header's time.
    pub time: Millis,
    /// The header; `None` for the founding itself.
    pub block: Option<BlockId>,
    /// The set that decides from the next height on.
    pub validators: ValidatorSet,
    /// How old a checkpoint may be for statements about the present, in seconds.
    pub trusting_period_secs: u64,
}

impl Checkpoint {
    /// Whose rules digests and signatures follow.
    pub fn domain(&self) -> Domain {
        Domain { suite: self.suite, network: self.network }
    }

    /// Rule F-12: names the checkpoint in a line of text, to be printed, published and compared.
    pub fn digest(&self) -> Digest {
        self.domain().digest("pinned-checkpoint", &[&codec::encode(self)])
    }
}

/// A checkpoint that a member's node vouches for: no proof, and the member's word for good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct SignedCheckpoint {
    /// What the node knows as final.
    pub checkpoint: Checkpoint,
    /// The member whose node it is.
    pub member: MemberNumber,
    /// Number of the member's key that signed: the one that names the node on the network.
    pub key: KeyNumber,
    /// Over the bytes of rule F-8.
    pub signature: Signature,
}

/// Why a signed checkpoint vouches for nothing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CheckpointError {
    /// F-8: of another network or suite.
    #[error("the checkpoint is of another network")]
    OtherNetwork,
    /// F-8: the member may not act.
    #[error("the member that signed the checkpoint may not act")]
    NotActive,
    /// F-8: no such key, or one for something else, or no longer in force.
    #[error("key {key} is no peer key of the member that signed, or not in force")]
    Key {
        /// Number of the key.
        key: KeyNumber,
    },
    /// F-8: the signature is not that key's.
    #[error("the checkpoint was not signed by the member it names")]
    Signature,
}

impl SignedCheckpoint {
    /// Rule F-8: vouches for a checkpoint with a member's peer key.
    pub fn sign(checkpoint: Checkpoint, member: MemberNumber, key: KeyNumber, secret: &SecretKey) -> Self {
        let signature = secret.sign(&message(&checkpoint, member, key));
        Self { checkpoint, member, key, signature }
    }

    /// Rule F-8: whether the member it names has signed it.
    ///
    /// - `record`: the record of [`SignedCheckpoint::member`], proven.
    /// - `height`: of the state that proved it. A key that was withdrawn since vouches for nothing
    ///   any more, however old the checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(&self, domain: &Domain, record: &Member, height: Height) -> Result<(), CheckpointError> {
        if self.checkpoint.domain() != *domain {
            return Err(CheckpointError::OtherNetwork);
        }
        if record.status != MemberStatus::Active {
            return Err(CheckpointError::NotActive);
        }
        let height = height.max(self.checkpoint.height);
        let key = record.key(self.key).filter(|key| key.purpose == KeyPurpose::Peer && key.is_valid_at(height));
        let key = key.ok_or(CheckpointError::Key { key: self.key })?;
        let message = message(&self.checkpoint, self.member, self.key);
        if key.key.verify(&message, &self.signature) { Ok(()) } else { Err(CheckpointError::Signature) }
    }
}

/// Rule F-8: the bytes that are signed.
fn message(checkpoint: &Checkpoint, member: MemberNumber, key: KeyNumber) -> Vec<u8> {
    let parts: [&[u8]; 3] = [&member.0.to_be_bytes(), &key.0.to_be_bytes(), &codec::encode(checkpoint)];
    checkpoint.domain().message("checkpoint", &parts)
}
