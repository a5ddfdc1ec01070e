//! `fengni audit replay`: runs the whole ledger again from its founding (AUD-05).
//!
//! ```text
//! gateway, file or standard input --blocks--> decode, certificate, signatures, execute --> state root
//! ```
//!
//! Nothing the source says is believed but the bytes of its blocks; how far they are checked is the
//! level. The crate `fengni-audit` does the work.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use fengni_audit::{Audit, Level};
use fengni_client::clock;
use fengni_core::record::Offence;
use fengni_core::{Digest, Height, Millis};
use serde::Serialize;

use crate::blocks::BlocksFrom;
use crate::connect::load_genesis;
use crate::ending::Ending;
use crate::moment;
use crate::offence;
use crate::output::Output;

/// `fengni audit replay`.
#[derive(Args, Debug)]
#[command(after_help = "Levels, each with those before it:
  offsets  whole entries, each a block, and heights without a gap
  headers  parents, times, and quorums under the validators that one set hands to the next
  trees    transactions and parent certificates are those that headers name
  full     signatures, every outcome and every state root

Without --to, the replay ends at the newest block that this one gateway shows, or where the stream ends:
the age of the last block says how much may be missing, and --max-age how much is too much.

Exit codes: 0 everything holds, 1 a block does not hold, 2 undecided because the last block is older than
--max-age, 3 a block cannot be had.

Examples:
  fengni audit replay --gateway http://127.0.0.1:27002 --genesis net/genesis.bin
  fengni audit replay --gateway http://127.0.0.1:27002 --genesis net/genesis.bin --to 2000 --work replay
  fengni audit replay --blocks ledger.blocks --genesis net/genesis.bin --level headers
  fengni-node export --home net/nodes/psb --out - | fengni audit replay --blocks - --genesis net/genesis.bin")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    from: BlocksFrom,
    /// Founding document, as genesis.bin or genesis.toml
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Last height; else the newest
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// How old the last block may be, such as 90s, 30m or 2h; else its age is only said
    #[arg(long, value_name = "TIME", value_parser = moment::parse_span, conflicts_with = "to")]
    max_age: Option<u32>,
    /// How far blocks are checked
    #[arg(long, value_enum, default_value = "full")]
    level: LevelArg,
    /// Folder that remembers how far the replay is: interrupted, the same command goes on there
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// A level by its name.
#[derive(Clone, Copy, Debug)]
struct LevelArg(Level);

impl ValueEnum for LevelArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Level::Offsets), Self(Level::Headers), Self(Level::Trees), Self(Level::Full)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.0.name().into())
    }
}

#[derive(Serialize)]
struct Replayed {
    /// `equal`, `refused` where a block does not hold, or `undecided` where the last one is too old.
    result: &'static str,
    level: Level,
    /// The height that an earlier replay had come to.
    resumed_from: Height,
    height: Height,
    /// The time of the last block, where the level reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Millis>,
    /// How old it is by this clock, where the replay was to reach the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_secs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_root: Option<Digest>,
    transactions: u64,
    /// Counted by executing them.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_transactions: Option<u64>,
    recoveries: Vec<Height>,
    /// Validators that signed twice, as the ledger has on record.
    offences: Vec<Offence>,
    seconds: f64,
    /// Of this run.
    transactions_a_second: f64,
    /// The most that this process had in memory, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_height: Option<Height>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) fn run(args: &ReplayArgs, output: Output) -> Result<Ending> {
    let genesis = load_genesis(&args.genesis)?;
    let LevelArg(level) = args.level;
    let audit = Audit::open(&genesis, level, args.work.as_deref())?;
    let (resumed_from, transactions) = (audit.height(), audit.transactions());
    let to = args.to.map(Height);
    if to.is_some_and(|to| to < resumed_from) {
        return Err(anyhow!("the folder's replay is at height {resumed_from} already; next: name a later --to"));
    }
    let (source, last) = args.from.open(&genesis, resumed_from, to)?;
    let bar = output.heights("replay", last.map(|last| last.0));
    bar.set_position(resumed_from.0);
    let began = Instant::now();
    let report = audit.run(source, last, |_| {
        bar.inc(1);
        Ok(())
    });
    bar.finish_and_clear();
    let report = report?;
    let elapsed = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = (report.figures.transactions - transactions) as f64 / elapsed.as_secs_f64().max(0.001);
    let age_secs = report.time.filter(|_| to.is_none()).map(|time| clock::now().0.saturating_sub(time.0) / 1000);
    let replayed = Replayed {
        result: result(report.failure.is_some(), age_secs, args.max_age),
        level,
        resumed_from,
        height: report.height,
        time: report.time,
        age_secs,
        state_root: report.state_root,
        transactions: report.figures.transactions,
        refused_transactions: (level == Level::Full).then_some(report.figures.refused),
        recoveries: report.figures.recoveries,
        offences: report.offences,
        seconds: elapsed.as_secs_f64(),
        transactions_a_second: rate,
        peak_memory_bytes: peak_memory(),
        failed_height: report.failure.as_ref().map(|failure| failure.height),
        reason: report.failure.map(|failure| failure.fault.to_string()),
    };
    output.answer(&replayed, || text(&replayed, elapsed, args.from.name()));
    Ok(match replayed.result {
        "equal" => Ending::Holds,
        "undecided" => Ending::Undecided,
        _ => Ending::Refused,
    })
}

/// What is to be said of a replay. Where blocks may be of any age, none is too old.
fn result(failed: bool, age_secs: Option<u64>, max_age: Option<u32>) -> &'static str {
    let is_old = |max: u32| age_secs.is_none_or(|age| age > u64::from(max));
    match (failed, max_age.is_some_and(is_old)) {
        (true, _) => "refused",
        (false, true) => "undecided",
        (false, false) => "equal",
    }
}

/// The most memory that this process had at once.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

fn text(replayed: &Replayed, elapsed: Duration, source: &str) -> String {
    let Replayed { height, transactions, resumed_from, .. } = replayed;
    let refused = replayed.refused_transactions.map(|count| format!(" ({count} refused by a rule)"));
    let mut said = format!(
        "{height} blocks, {transactions} transactions{} at level {} in {:.1} s, {:.0} a second",
        refused.unwrap_or_default(),
        replayed.level.name(),
        elapsed.as_secs_f64(),
        replayed.transactions_a_second
    );
    if *resumed_from > Height(0) {
        said += &format!("\nresumed after height {resumed_from}");
    }
    for offence in &replayed.offences {
        said += &format!("\noffence: {}", offence::describe(&offence.proof));
    }
    if let (Some(failed), Some(reason)) = (&replayed.failed_height, &replayed.reason) {
        return format!(
            "{said}\nrefused: block {failed} of {source} does not hold: {reason}\nnext: replay another node and compare"
        );
    }
    for height in &replayed.recoveries {
        said += &format!("\nrecovered after height {height}: recovery keys named the validators");
    }
    let held = match (&replayed.state_root, replayed.level) {
        (Some(root), Level::Full) => format!("state root equal at height {height}: {root}"),
        (Some(root), _) => format!("a quorum signed state root {root} at height {height}; not computed at this level"),
        (None, _) => format!("no gap up to height {height}; nothing more is checked at this level"),
    };
    said = format!("{said}\n{held}");
    if let Some(time) = replayed.time {
        said += &format!("\nthe last block is of {}", time.show());
    }
    if let Some(secs) = replayed.age_secs {
        said += &format!(", {} ago: what came after it is not looked at", moment::age(secs));
    }
    if replayed.result == "undecided" {
        said += "\nundecided: the last block is too old, or this level reads no time\nnext: replay from another node, or name --to";
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aud05_a_replay_that_ends_long_ago_is_undecided_where_an_age_is_named() {
        let cases = [
            ((false, Some(90_000), None), "equal"),
            ((false, Some(60), Some(60)), "equal"),
            ((false, Some(61), Some(60)), "undecided"),
            ((false, None, Some(60)), "undecided"),
            ((true, Some(61), Some(60)), "refused"),
        ];
        for ((failed, age, max), said) in cases {
            assert_eq!(result(failed, age, max), said, "{failed} {age:?} {max:?}");
        }
    }
}
