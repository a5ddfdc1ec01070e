//! What it takes to keep a network for years, measured on a register of some size: joining it, losing
//! a machine, coming back from far behind, letting old blocks go.
//!
//! ```text
//! fill ---> join by a snapshot ---> backup, loss, restore ---> blocks ---> restore from far behind ---> prune
//! ```
//!
//! One network goes through all of it, so that each step finds what the one before left.

mod filling;
mod joining;
mod probes;
mod pruning;
mod restoring;

use std::time::Duration;

use super::table::Row;
use crate::network::Network;
use crate::wait::Deadline;

/// Whatever is waited for comes sooner, or the figure is no figure.
const PATIENCE: Deadline = Deadline(Duration::from_secs(600));

/// How large the register is, and how far behind a node falls.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Certificates, sealed by as many at once as a seal takes.
    pub certificates: usize,
    /// Small transactions besides: half of them suspensions, half seals of one line.
    pub transactions: usize,
    /// Blocks that a validator misses.
    pub blocks: u64,
}

impl Extent {
    /// The figures to quote.
    pub fn full() -> Self {
        Self { certificates: 1_000_000, transactions: 50_000, blocks: 10_000 }
    }

    /// A tenth of the register, and as many blocks as leave something to prune.
    pub fn quick() -> Self {
        Self { certificates: 100_000, transactions: 5_000, blocks: 2_000 }
    }
}

/// Fills a network, and measures.
///
/// # Panics
/// When the network does not do what it should: then there is no figure.
pub fn measure_upkeep(extent: Extent) -> Vec<Row> {
    let network = Network::made();
    for validator in network.validators() {
        network.run(&validator.name);
    }
    for validator in network.validators() {
        network.wait_ready(&validator.name);
    }
    let (register, mut rows) = filling::fill(&network, extent);
    rows.extend(joining::join(&network, &register));
    rows.extend(restoring::lose_and_restore(&network, &register, extent.blocks));
    rows.extend(pruning::prune(&network, &register));
    rows
}
