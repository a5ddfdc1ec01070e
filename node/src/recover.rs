//! Recovery handovers that a person has given this node. Rule F-10: `sdk/spec/finality.md`.
//!
//! They are kept beside the store, in one file. At its start, and whenever a block becomes final,
//! the ledger goes on by the one that follows its last block, if there is one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use fengni_core::Millis;
use fengni_core::codec;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::record::KeyPurpose;
use fengni_core::recovery::{RecoveryHandover, RecoveryPlan};
use fengni_genesis::Genesis;

use crate::clock;
use crate::config::{Config, load_key};
use crate::disk::write_anew;
use crate::engine;
use crate::ledger::Ledger;
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
    if has(&config.data, &handover)? {
        return Ok("this node has it already".to_owned());
    }
    let store = Store::open(&copy::place(&config.data), &domain).context("next: stop the node first, if it runs")?;
    let ledger = Ledger::open(store, domain, genesis.founding(), None, PoolLimits::default())?;
    let last = ledger.state().height();
    anyhow::ensure!(last <= height, "block {} is final here: the recovery of height {height} is void", height.next());
    let is_seated = is_seated(&config, &handover.plan)?;
    if last < height {
        // Who may sign can change until then, and is judged then; what is no handover of this network is not kept.
        anyhow::ensure!(handover.plan.network == domain.network, "the recovery is of another network");
        handover.plan.validators().context("the recovery names no set of validators")?;
        keep(&config.data, &handover)?;
        return Ok(format!(
            "kept: it is judged once this node has block {height}, it has {last} now; start it again when it has that block"
        ));
    }
    ledger.give(load(&config.data)?);
    let other = ledger.state().recovery().is_some_and(|taken| taken.plan != handover.plan);
    anyhow::ensure!(!other, "this node has taken another recovery of height {height}; next: find out which one holds");
    ledger.state().adopt(&handover).context("the recovery does not hold on this node's last block")?;
    // What the lost validators proposed and voted on this height is never decided, nor does the
    // engine's log of it matter. First, so that a crash leaves a node that may be given it again.
    ledger.store().forget_candidates(height.next());
    engine::repair_log(&config.data.join(engine::FOLDER), &domain, &[])?;
    keep(&config.data, &handover)?;
    let part = if is_seated { "this node is one of them" } else { "this node, which has no key of theirs, follows" };
    Ok(format!("taken: {} validators decide block {}; {part}", handover.plan.seats.len(), height.next()))
}

/// Whether a consensus key of the node has a seat.
fn is_seated(config: &Config, plan: &RecoveryPlan) -> anyhow::Result<bool> {
    for path in &config.keys.consensus {
        let key = load_key("keys.consensus", path, KeyPurpose::Consensus)?.public();
        if plan.seats.iter().any(|seat| seat.consensus == key) {
            return Ok(true);
        }
    }
    Ok(false)
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

/// Whether the node was given this handover before, with these signatures.
fn has(data: &Path, handover: &RecoveryHandover) -> anyhow::Result<bool> {
    Ok(load(data)?.contains(handover))
}

/// Keeps one more, durably.
///
/// # Errors
/// As [`load`], and where the disk fails.
fn keep(data: &Path, handover: &RecoveryHandover) -> anyhow::Result<()> {
    let mut all = load(data)?;
    all.push(handover.clone());
    let bytes = codec::encode(&all);
    anyhow::ensure!(bytes.len() <= BLOCK_BYTES, "there are too many recoveries in {}", path(data).display());
    Ok(write_anew(&path(data), &bytes)?)
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
