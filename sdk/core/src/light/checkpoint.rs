//! Checkpoints: where trust begins.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::block::BlockId;
use crate::day::Millis;
use crate::digest::{Domain, NetworkId, Suite};
use crate::finality::ValidatorSet;
use crate::number::Height;

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
}
