//! fengni-node: runs a node of the ledger.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fengni_node::config::{Config, LogFormat};

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
    /// Give a stopped node a recovery handover, after which it follows the validators that it names.
    Recover {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
        /// The handover, as `fengni recovery` makes it.
        #[arg(long, value_name = "FILE")]
        handover: PathBuf,
    },
    /// Check node.toml, keys and genesis without starting anything.
    Check {
        /// Folder with node.toml.
        #[arg(long)]
        home: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run { home } => run(&home),
        Command::Compact { home } => fengni_node::stopped_store(&home).map(|store| store.compact()),
        Command::Dump { home } => dump(&home),
        Command::Recover { home, handover } => {
            fengni_node::recover(&home, &handover).map(|done| eprintln!("{done}; next: fengni-node run"))
        }
        Command::Check { home } => fengni_node::check(&home).inspect(|()| eprintln!("the node's files are right")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
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
