//! How far a replay goes.

use bincode::{Decode, Encode};
use serde::Serialize;

/// What a replay checks; each level includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Whole entries, each a block, and heights without a gap.
    Offsets,
    /// Parents, times, and quorums under the validators that one set hands to the next.
    Headers,
    /// Transactions and parent certificates are those that headers name, each transaction well formed
    /// and there once. Who may sign as whom takes the registries: that is of the next level.
    Trees,
    /// Signatures, windows, weights, every outcome and every state root.
    Full,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::Offsets, Self::Headers, Self::Trees, Self::Full];

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offsets => "offsets",
            Self::Headers => "headers",
            Self::Trees => "trees",
            Self::Full => "full",
        }
    }
}
