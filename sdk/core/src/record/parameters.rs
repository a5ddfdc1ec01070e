//! Parameters: what genesis fixes and a vote can change.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::recovery::RecoveryClause;
use crate::shelf::Shelf;

/// What operations cost against the weight of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Every transaction: its signatures and its place in the lists.
    pub transaction: u64,
    /// Every line of a seal.
    pub line: u64,
    /// Every act on a line.
    pub act: u64,
    /// Every change of a registry record.
    pub record: u64,
}

/// How members decide together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Voting {
    /// More than this part of the voters must approve: numerator.
    pub numerator: u32,
    /// Denominator.
    pub denominator: u32,
    /// Heights between the close of a vote and its effect, at least: time to prepare a node.
    pub notice: u64,
    /// Heights between a proposal and its effect, at most.
    pub horizon: u64,
}

impl Voting {
    /// How many of so many voters must approve.
    pub fn needed(&self, voters: usize) -> usize {
        let share = (voters as u128) * u128::from(self.numerator) / u128::from(self.denominator.max(1));
        usize::try_from(share).unwrap_or(usize::MAX).saturating_add(1)
    }
}

/// The network's parameters. There is one such record, at place 0 of its shelf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Heights for which a transaction may wait, and replays are remembered (W).
    pub window: u64,
    /// How far a block's time may be ahead of a validator's clock, in milliseconds (δ).
    pub clock_ahead_millis: u64,
    /// How old a header may be for an online answer, in seconds.
    pub online_age_secs: u32,
    /// How old a checkpoint may be for statements about the present, in seconds.
    pub trusting_period_secs: u64,
    /// Weight of a full block.
    pub block_weight: u64,
    /// Weight of one member's transactions in one block.
    pub member_weight: u64,
    /// What operations weigh.
    pub weights: Weights,
    /// Lines one person may seal alone; more need two signatures (CRT-09).
    pub solo_seal_lines: u32,
    /// Terminal acts of one member in one day.
    pub terminal_acts_per_day: u32,
    /// The fewest validators the network runs with.
    pub validators_min: u32,
    /// How members decide together.
    pub voting: Voting,
    /// The version of the protocol that the next block speaks.
    pub protocol: u16,
    /// Who may recover the network where its validators are lost for good, if anybody.
    pub recovery: RecoveryClause,
}

impl Record for Parameters {
    const SHELF: Shelf = Shelf::Parameters;
}
