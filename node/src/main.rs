//! fengni-node: runs a node of the ledger.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use fengni_node::config::{Config, LogFormat};
use fengni_node::doctor::{Finding, Level};
use serde_json::json;

/// A node of the Fengni ledger.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:\n  fengni-node run --home nodes/psb\n  fengni-node check --home nodes/psb\n  fengni-node compact --home nodes/psb"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run until told to stop (SIGTERM or Ctrl-C).
    Run {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
    /// Pack the store of a stopped node, so that it takes the least space.
    Compact {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
    /// Write every entry of a stopped node's store to standard output: column, key and value, each
    /// after its length in eight bytes.
    Dump {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
    /// Examine a node that does not run; fengni doctor asks one that does.
    Doctor {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
    /// Set a damaged log of the engine aside, once the record of signed votes is seen to stand.
    RepairLog {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
    /// Write a backup into a folder that is not there yet. A running node goes on meanwhile: it is asked
    /// through its admin listener.
    #[command(
        after_help = "Example:\n  fengni-node backup --home nodes/psb --to /mnt/backup/psb-2026-11-22\n\nKeys and the record of signed votes are not in it: keep copies of keys elsewhere, and of the record none."
    )]
    Backup {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// The backup's folder.
        #[arg(long)]
        to: PathBuf,
    },
    /// Put a backup in the place of a stopped node's store, after checking that its state rebuilds to the
    /// root that a quorum signed.
    #[command(
        after_help = "Example:\n  fengni-node restore --home nodes/psb --from /mnt/backup/psb-2026-11-22\n\nA validator whose record of signed votes is lost follows without voting until the network has gone on,\nand votes by itself from then on."
    )]
    Restore {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// The backup's folder.
        #[arg(long)]
        from: PathBuf,
        /// Replace a store that is newer than the backup, or that nobody can read.
        #[arg(long)]
        force: bool,
    },
    /// Write the blocks of a stopped node as a stream; fengni export blocks asks one that runs.
    #[command(
        after_help = "Examples:\n  fengni-node export --home nodes/psb --out ledger.blocks\n  fengni-node export --home nodes/psb --out - | fengni audit replay --blocks - --genesis genesis.bin"
    )]
    Export {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// File that is not there yet; - for standard output.
        #[arg(long, value_name = "FILE")]
        out: String,
        /// First height; else the oldest that is kept.
        #[arg(long, value_name = "HEIGHT")]
        from: Option<u64>,
        /// Last height; else the newest.
        #[arg(long, value_name = "HEIGHT")]
        to: Option<u64>,
    },
    /// Bring the blocks of a stream into the store of a stopped node, each checked and executed.
    #[command(
        after_help = "Example:\n  fengni-node import --home nodes/psb --blocks ledger.blocks\n\nInterrupted, the same command goes on. A validator whose record of signed votes is lost follows without\nvoting until the network has gone on."
    )]
    Import {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// The stream; - for standard input.
        #[arg(long, value_name = "FILE")]
        blocks: String,
    },
    /// Let a stopped validator vote at once whose record of signed votes is lost.
    ///
    /// DANGER: this is your word that its key signed nothing after the newest block in its store, on any
    /// machine. If that is wrong, it signs twice: evidence against your member on the ledger, and with
    /// others of its kind a fork. Use it only where the network stands still and waits for exactly this
    /// validator.
    #[command(after_help = "Example:\n  fengni-node never-signed --home nodes/psb")]
    NeverSigned {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
    /// Give a stopped node a recovery handover, after which it follows the validators that it names.
    Recover {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// The handover, as `fengni recovery` makes it.
        #[arg(long, value_name = "FILE")]
        handover: PathBuf,
    },
    /// Check node.toml, keys and genesis without starting anything; with --store, every entry of the store.
    #[command(
        after_help = "Exit codes: 0 sound, 1 the store is damaged, 3 could not run.\n\nExamples:\n  fengni-node check --home nodes/psb\n  fengni-node check --home nodes/psb --store\n  fengni-node check --home nodes/psb --store --repair\n\nA running node looks at its store beside its work, and is asked through its admin listener. A damaged\nstore is named entry by entry; indexes that can be made from the rest are made again by --repair, on\na stopped node; for everything else, move data/store away and start the node.\n\nWhat is found is kept with the store: the node does not start until a check of its store, while it is\nstopped, finds every entry sound or makes it so."
    )]
    Check {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// Look at the store as well.
        #[arg(long)]
        store: bool,
        /// Make damaged indexes again, where nothing else is damaged.
        #[arg(long, requires = "store")]
        repair: bool,
        /// Answer as JSON.
        #[arg(long, requires = "store")]
        json: bool,
    },
}

fn main() -> ExitCode {
    let mut sick = false;
    let result = match Arguments::parse().command {
        Command::Run { home } => run(&home),
        Command::Compact { home } => fengni_node::stopped_store(&home).map(|store| store.compact()),
        Command::Dump { home } => dump(&home),
        Command::Doctor { home } => doctor(&home).map(|found| sick = found),
        Command::RepairLog { home } => fengni_node::repair_log(&home).map(|done| eprintln!("{done}")),
        Command::Backup { home, to } => fengni_node::back_up(&home, &to).map(|manifest| print(&manifest)),
        Command::Restore { home, from, force } => {
            fengni_node::restore(&home, &from, force).map(|manifest| print(&manifest))
        }
        Command::Export { home, out, from, to } => {
            fengni_node::export(&home, &out, from, to).map(|done| eprintln!("{done}"))
        }
        Command::Import { home, blocks } => fengni_node::import(&home, &blocks).map(|done| eprintln!("{done}")),
        Command::NeverSigned { home } => {
            fengni_node::never_signed(&home).inspect(|()| eprintln!("the validator votes from its next start"))
        }
        Command::Recover { home, handover } => {
            fengni_node::recover(&home, &handover).map(|done| eprintln!("{done}; next: fengni-node run"))
        }
        Command::Check { home, store, repair, json } => {
            let files = fengni_node::check(&home).inspect(|()| eprintln!("the node's files are right"));
            match store {
                true => files.and_then(|()| check_store(&home, repair, json)).map(|damaged| sick = damaged),
                false => files,
            }
        }
    };
    match result {
        Ok(()) => ExitCode::from(u8::from(sick)),
        Err(error) => {
            eprintln!("fengni-node: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn run(home: &std::path::Path) -> anyhow::Result<()> {
    let config = Config::load(home)?;
    start_log(&config)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async { fengni_node::run(home, stop_signal()?).await })
}

/// Shows what the doctor finds; whether anything does not work.
fn doctor(home: &std::path::Path) -> anyhow::Result<bool> {
    let findings = fengni_node::examine(home)?;
    for Finding { check, level, says } in &findings {
        let level = match level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        eprintln!("{level}  {check}: {says}");
    }
    Ok(findings.iter().any(|finding| finding.level == Level::Fail))
}

/// How often somebody who waits is told.
const TELL: Duration = Duration::from_secs(5);

/// Shows what is damaged in a store; whether anything still is.
#[allow(clippy::print_stdout, reason = "answers go to standard output")]
fn check_store(home: &std::path::Path, repair: bool, json: bool) -> anyhow::Result<bool> {
    let mut told = Instant::now();
    let mut tell = |entries: u64| {
        if told.elapsed() > TELL {
            eprintln!("{entries} entries");
            told = Instant::now();
        }
    };
    let report = fengni_node::check_store(home, repair, &mut tell)?;
    let (sound, repaired) = (report.is_sound(), repair && report.mendable);
    let result = match (sound, repaired) {
        (true, _) => "sound",
        (false, true) => "repaired",
        (false, false) => "damaged",
    };
    if json {
        let mut facts = json!({ "schema": 1, "result": result, "next": (result == "damaged").then(|| report.next()) });
        let told = serde_json::to_value(&report)?;
        if let (Some(facts), Some(told)) = (facts.as_object_mut(), told.as_object()) {
            facts.extend(told.clone());
        }
        println!("{facts}");
    } else {
        report.damage.iter().for_each(|damage| println!("damaged: {damage}"));
        if report.unnamed > 0 {
            println!("and {} entries more", report.unnamed);
        }
        println!("{result}: {} entries looked at, height {}", report.entries, report.height);
        if result == "damaged" {
            println!("next: {}", report.next());
        }
    }
    Ok(result == "damaged")
}

#[allow(clippy::print_stdout, reason = "answers go to standard output")]
fn print(manifest: &fengni_node::backup::Manifest) {
    println!("{}", serde_json::to_string_pretty(manifest).expect("a manifest is plain data"));
}

fn dump(home: &std::path::Path) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    fengni_node::stopped_store(home)?.dump(&mut out)?;
    Ok(std::io::Write::flush(&mut out)?)
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let level = format!("{},{}", fengni_node::engine::QUIET_LOG, config.log.level);
    let filter = tracing_subscriber::EnvFilter::try_new(level)
        .map_err(|error| anyhow::anyhow!("log.level: {error}; next: write a level such as info"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Json => log.json().init(),
        LogFormat::Text => log.with_ansi(false).init(),
    }
    Ok(())
}

/// Completes when the node is asked to stop. The handlers are in place when this returns.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
