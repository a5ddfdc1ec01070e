//! Recovery handovers that a person has given this node. Rule F-10: `sdk/spec/finality.md`.
//!
//! They are kept beside the store, in one file. At its start, and whenever a block becomes final,
//! the ledger goes on by the one that follows its last block, if there is one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use fengni_core::Millis;
use fengni_core::codec;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::recovery::RecoveryHandover;
use fengni_genesis::Genesis;

use crate::clock;
use crate::config::Config;
use crate::engine;
use crate::ledger::Ledger;
use crate::membership;
use crate::pool::PoolLimits;
use crate::store::{Store, copy};

/// Name of the file in the node's data folder.
const FILE: &str = "recoveries";

/// Gives a recovery handover to a node that does not run. Rule F-10.
///
/// Returns what the node will do, in words.
///
/// # Errors
/// Wrong files, a handover that does not hold yet or does not follow this node's last block, or a
/// store that a running node holds.
pub fn recover(home: &Path, file: &Path) -> anyhow::Result<String> {
    let handover = read(file)?;
    let config = Config::load(home)?;
    let bytes = std::fs::read(&config.genesis).context("genesis: the founding cannot be read")?;
    let genesis = Genesis::decode(&bytes).context("genesis: not a founding")?;
    let (domain, height) = (genesis.domain(), handover.plan.height);
    let now = clock::now();
    anyhow::ensure!(
        handover.plan.from <= now,
        "the recovery holds in {} seconds by this clock; next: run this again then",
        Millis(handover.plan.from.0 - now.0).secs() + 1
    );
    std::fs::create_dir_all(&config.data)?;
    let store = Store::open(&copy::place(&config.data), &domain).context("next: stop the node first, if it runs")?;
    let ledger = Ledger::open(store, domain, genesis.founding(), None, PoolLimits::default())?;
    let last = ledger.state().height();
    anyhow::ensure!(last <= height, "block {} is final here: the recovery of height {height} is void", height.next());
    if last < height {
        keep(&config.data, &handover)?;
        return Ok(format!("kept: it is judged once this node has block {height}, it has {last} now"));
    }
    ledger.state().adopt(&handover).context("the recovery does not hold on this node's last block")?;
    if !keep(&config.data, &handover)? {
        return Ok("this node has it already".to_owned());
    }
    // What the lost validators proposed and voted on this height is never decided.
    ledger.store().forget_candidates(height.next());
    // Nor do the engine's log and what lost keys signed matter: the new key has signed nothing.
    let consensus = config.data.join(engine::FOLDER);
    engine::repair_log(&consensus, &domain, &[])?;
    let own = membership::find(&ledger.state(), &config.member);
    let seat = handover.plan.seats.iter().find(|seat| Some(seat.member) == own);
    engine::never_signed(&consensus, domain, seat.map(|seat| seat.consensus).as_slice())?;
    Ok(format!("taken: {} validators decide block {}", handover.plan.seats.len(), height.next()))
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The handovers that this node was given, in that order.
///
/// # Errors
/// A file that cannot be read or is damaged.
pub(crate) fn load(data: &Path) -> anyhow::Result<Vec<RecoveryHandover>> {
    let path = path(data);
    match fs::read(&path) {
        Ok(bytes) => codec::decode(&bytes, BLOCK_BYTES).with_context(|| {
            format!("{} is damaged; next: remove it and run fengni-node recover again", path.display())
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Keeps one more, durably; `false` where it is here already.
///
/// # Errors
/// As [`load`], and where the disk fails.
fn keep(data: &Path, handover: &RecoveryHandover) -> anyhow::Result<bool> {
    let mut all = load(data)?;
    if all.iter().any(|known| known.plan == handover.plan) {
        return Ok(false);
    }
    all.push(handover.clone());
    let path = path(data);
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(&codec::encode(&all))?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(data)?.sync_all()?;
    Ok(true)
}

/// Reads a handover as people pass it on.
///
/// # Errors
/// A file that cannot be read, or holds something else.
fn read(file: &Path) -> anyhow::Result<RecoveryHandover> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no recovery handover; next: fengni recovery check", file.display()))
}
