//! Retention: a pruned node lets old blocks go, beside the running ledger.
//!
//! A task follows the heights and drops what is old in bounded steps, each on a thread for blocking
//! work; making a block final never waits for it. What proofs rest on stays: states, lines, seals,
//! acts, and header, certificate and handover of every height. An archive keeps everything and
//! starts no such task.

use std::sync::Arc;

use fengni_core::Height;
use tokio::task::JoinHandle;

use crate::ledger::{Ledger, PROOF_HEIGHTS};

/// Heights that gather before they are dropped: a compaction costs the same for one as for many.
const GATHERED: u64 = 64;

/// Starts to drop blocks older than the newest `blocks`, or the fewest that a node needs.
pub fn start(ledger: Arc<Ledger>, blocks: u64) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut heights = ledger.heights();
        loop {
            let running = ledger.clone();
            match tokio::task::spawn_blocking(move || step(&running, blocks)).await {
                Ok(true) => continue,
                Ok(false) => (),
                Err(error) => return tracing::error!(%error, "old blocks are not dropped any more"),
            }
            if heights.changed().await.is_err() {
                return;
            }
        }
    })
}

/// The oldest height that a node keeps: of the newest `blocks`, the window in which a transaction
/// may come again with one block more, and the heights that proofs are served for, the most.
fn first_to_keep(last: Height, window: u64, blocks: u64) -> Height {
    let kept = blocks.max(window.saturating_add(1)).max(PROOF_HEIGHTS as u64);
    Height(last.0.saturating_sub(kept).saturating_add(1))
}

/// Drops one step of old blocks, if enough have gathered; `true` where more wait.
fn step(ledger: &Ledger, blocks: u64) -> bool {
    let state = ledger.state();
    let end = first_to_keep(state.height(), state.parameters().window, blocks);
    let kept = ledger.store().kept_from();
    if end.0 < kept.0.saturating_add(GATHERED) {
        return false;
    }
    let kept = ledger.store().drop_below(end);
    tracing::info!(kept_from = %kept, "old blocks are dropped");
    kept < end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_and_the_heights_of_proofs_are_kept_whatever_is_asked() {
        for (window, blocks, kept) in [(10, 1, 1024), (10, 5000, 5000), (3000, 1, 3001), (0, 0, 1024)] {
            assert_eq!(first_to_keep(Height(10_000), window, blocks), Height(10_001 - kept), "{window} {blocks}");
        }
        assert_eq!(first_to_keep(Height(7), 10, 1), Height(1));
    }
}
