//! A validator's machine is lost and comes back from a backup: at once, and again when the network has
//! gone far beyond the backup.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fengni_core::BookNumber;

use super::filling::Register;
use super::{PATIENCE, probes};
use crate::actors::Actor;
use crate::bench::feed::{relay, seals, send};
use crate::bench::table::Row;
use crate::binaries::binary;
use crate::load::Load;
use crate::network::Network;

/// The validator whose machine is lost.
const LOST: &str = "hrs";
/// Between two transactions while blocks are made: shorter makes blocks larger, not more of them.
const BETWEEN: Duration = Duration::from_millis(10);
/// Transactions signed at once while blocks are made: far fewer than the window lets wait.
const SIGNED: usize = 200;

/// Backs a validator up, loses it, restores it; lets it fall behind by so many blocks, and restores it
/// again from the same backup.
pub(super) fn lose_and_restore(network: &Network, register: &Register, blocks: u64) -> Vec<Row> {
    eprintln!("a validator is backed up, lost and restored");
    let home = network.node(LOST).home.clone();
    let backup = network.scratch().join("backup");
    let load = Load::resume(network, register.book, 1);
    load.wait_more(3);

    let begun = Instant::now();
    let manifest = node(&["backup", "--home", text(&home), "--to", text(&backup)]);
    let backed = begun.elapsed();
    let height = manifest["height"].as_u64().expect("a height");
    let root = manifest["state_root"].as_str().expect("a root").to_owned();
    assert_eq!(root, network.state_root("gov", height), "the network's own root");

    network.kill(LOST);
    fs::remove_dir_all(home.join("data")).expect("a folder of this network");
    let begun = Instant::now();
    let restored = node(&["restore", "--home", text(&home), "--from", text(&backup)]);
    let put_back = begun.elapsed();
    assert_eq!((restored["height"].as_u64(), restored["state_root"].as_str()), (Some(height), Some(root.as_str())));
    let back = Back::start(network);
    assert_eq!(network.state_root(LOST, height), root, "the same root at the same height");
    load.wait_more(3);
    let _ = load.stop();
    let mut rows = vec![
        Row::new(
            "backup of a running validator",
            probes::seconds(backed),
            "",
            format!("{} at height {height}, linked to the store's files at first", megabytes(&backup)),
        ),
        Row::new(
            "restore after the loss of the machine",
            probes::seconds(put_back),
            "",
            "copied, rebuilt to the root that a quorum signed, put in place",
        ),
        Row::new(
            "  from its start until it votes",
            probes::seconds(back.votes),
            "",
            format!(
                "without a record of signed votes, so that it waits for the network; ready after {}; same root as the network's",
                probes::seconds(back.ready)
            ),
        ),
    ];

    make_blocks(network, register.book, height + blocks);
    let load = Load::resume(network, register.book, 1);
    load.wait_more(3);
    network.kill(LOST);
    // The record of signed votes stays on the machine, as where a node was only stopped.
    node(&["restore", "--home", text(&home), "--from", text(&backup), "--force"]);
    let behind = network.height("gov") - height;
    let back = Back::start(network);
    load.wait_more(3);
    let _ = load.stop();
    network.wait_agreed(&["gov", LOST]);
    rows.push(Row::new(
        format!("a validator {behind} blocks behind"),
        probes::seconds(back.votes),
        if blocks >= 10_000 { "30 s" } else { "" },
        format!(
            "from its start, with the store of that time, until its vote is in a certificate; ready after {}; peak memory {}",
            probes::seconds(back.ready),
            probes::megabytes(probes::peak_memory(network.pid(LOST))),
        ),
    ));
    rows
}

/// How long a validator took to come back.
struct Back {
    ready: Duration,
    votes: Duration,
}

impl Back {
    fn start(network: &Network) -> Self {
        let begun = Instant::now();
        network.run(LOST);
        network.wait_ready_within(LOST, PATIENCE);
        let ready = begun.elapsed();
        network.wait_votes_within(LOST, PATIENCE);
        Self { ready, votes: begun.elapsed() }
    }
}

/// Keeps the pool from running dry until a height is reached, by small transactions one after another.
fn make_blocks(network: &Network, book: BookNumber, height: u64) {
    eprintln!("blocks are made up to height {height}");
    let mut issuer: Actor = network.actor("psb", "issuing", 1, "psb");
    let node = relay(network, "psb");
    let mut told = 0;
    loop {
        for prepared in seals(&mut issuer, book, SIGNED, 1) {
            send(&node, &[prepared]);
            std::thread::sleep(BETWEEN);
        }
        let now = network.height("psb");
        if now >= height {
            return;
        }
        if now / 1000 > told {
            told = now / 1000;
            eprintln!("  height {now} of {height}");
        }
    }
}

/// Runs the node's program to its end, which must be good, and returns what it says.
fn node(arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(binary("fengni-node")).args(arguments).output().expect("fengni-node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a manifest")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of this network")
}

fn megabytes(folder: &Path) -> String {
    probes::megabytes(probes::disk_used(folder))
}
