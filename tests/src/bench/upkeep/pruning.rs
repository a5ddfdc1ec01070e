//! An archive is told to keep the newest blocks only, while it goes on: what comes back of the disk, and
//! what that does to whoever submits by it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use fengni_core::Height;

use super::filling::Register;
use super::{PATIENCE, probes};
use crate::bench::feed::gateway;
use crate::bench::table::Row;
use crate::network::Network;

/// The validator that is pruned.
const PRUNED: &str = "psb";
/// Transactions of the comparison.
const BEFORE: usize = 100;
/// Certificates that are asked for afterwards.
const ASKED: usize = 200;

/// Prunes a validator under load.
pub(super) fn prune(network: &Network, register: &Register) -> Vec<Row> {
    eprintln!("a validator is pruned under load");
    let home = network.node(PRUNED).home.clone();
    let store = home.join("data").join("store");
    // What lies in the database's log goes to its place at a start: then the disk can be compared.
    restart(network, &home, "");
    let before = probes::latency(network, PRUNED, register.book, |count| count >= BEFORE);
    network.wait_agreed(&["gov", PRUNED]);
    let used_before = probes::disk_at_rest(&store);
    restart(network, &home, "\n[retention]\nblocks = 1024\n");
    let begun = Instant::now();
    let mut took = None;
    let during = probes::latency(network, PRUNED, register.book, |count| {
        let status = network.status(PRUNED).expect("the node answers");
        assert!(begun.elapsed() < PATIENCE.0, "pruning does not end: {}", status.kept_from);
        // Sixty-four heights gather before they are dropped.
        if status.height < status.kept_from + 1024 + 64 {
            took.get_or_insert_with(|| (begun.elapsed(), probes::disk_used(&store)));
        }
        took.is_some() && count >= BEFORE
    });
    let (took, used_running) = took.unwrap_or_default();
    restart(network, &home, "");
    let kept = network.status(PRUNED).expect("the node answers").kept_from;
    let used_after = probes::disk_at_rest(&store);
    let archive = gateway(network, "gov");
    let bodies: u64 = (1..kept).map(|height| archive.block(Height(height)).expect("an archive").0.0.len() as u64).sum();
    let back = used_before.saturating_sub(used_after);
    let rate = probes::prove_all(network, PRUNED, &register.certificates[..ASKED.min(register.certificates.len())]);
    let oldest = gateway(network, PRUNED).header(Height(2));
    assert!(oldest.is_ok(), "headers of old blocks stay: {oldest:?}");
    #[expect(clippy::cast_precision_loss)]
    let share = 100.0 * back as f64 / bodies as f64;
    vec![
        Row::new(
            "disk that comes back of pruned bodies",
            format!("{share:.0} %"),
            "90 %",
            format!(
                "bodies of {} blocks, {}; {} came back in {} under load, with outcomes and index and less the headers, which stay: \
                 store {} before, {} when that was done, {} after a restart and at rest; {rate:.0} proofs/s afterwards",
                kept - 1,
                probes::megabytes(bodies),
                probes::megabytes(back),
                probes::seconds(took),
                probes::megabytes(used_before),
                probes::megabytes(used_running),
                probes::megabytes(used_after),
            ),
        ),
        Row::new(
            "  submit to final meanwhile, p50 / p95 / most",
            during,
            "",
            format!("one small seal after the other by the node that is pruned; before: {before}"),
        ),
    ]
}

/// Stops the pruned node, adds to its configuration, and starts it.
fn restart(network: &Network, home: &Path, added: &str) {
    assert_eq!(network.terminate(PRUNED), Some(0), "a clean shutdown");
    let toml = home.join("node.toml");
    let config = fs::read_to_string(&toml).expect("the sample's file");
    fs::write(&toml, format!("{config}{added}")).expect("the folder is writable");
    network.run(PRUNED);
    network.wait_ready_within(PRUNED, PATIENCE);
}
