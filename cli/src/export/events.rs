//! `fengni export events`: what blocks did, verified by running every block again.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use fengni_audit::{Audit, Executed, Level, Step};
use fengni_core::Height;
use fengni_core::event::{Directory, events};
use serde::Serialize;

use super::file::Target;
use super::table::Table;
use crate::blocks::BlocksFrom;
use crate::connect::load_genesis;
use crate::ending::Ending;
use crate::output::Output;

/// `fengni export events`.
#[derive(Args, Debug)]
#[command(
    after_help = "Verified by replay: every block from the founding on is run again at level full, so that what is
written is what the ledger did, whoever gave the blocks. With --work, a later export goes on from
the height that an earlier one or a replay had come to.

Exit codes: 0 written, 1 a block does not hold and no file is left, 3 a block cannot be had.

Examples:
  fengni export events --gateway http://127.0.0.1:27002 --genesis net/genesis.bin --format csv --out events.csv
  fengni export events --blocks ledger.blocks --genesis net/genesis.bin --out - | jq 'select(.kind == \"suspend\")'"
)]
pub(crate) struct ExportEventsArgs {
    #[command(flatten)]
    source: BlocksFrom,
    /// Founding document, as genesis.bin or genesis.toml
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// File to write, which must not be there yet; - for standard output
    #[arg(long, value_name = "FILE")]
    out: String,
    /// One JSON object a line, or rows for a spreadsheet
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// First height whose events are written
    #[arg(long, value_name = "HEIGHT", default_value_t = 1)]
    from: u64,
    /// Last height; else the newest
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// Folder that remembers how far blocks were run
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// How events are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values, with a row of names.
    Csv,
}

#[derive(Serialize)]
struct Exported {
    result: &'static str,
    first: Height,
    last: Height,
    events: u64,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_height: Option<Height>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Events on their way to a file.
enum Writer {
    Lines(Target),
    Rows(Box<Table<Target>>),
}

impl Writer {
    fn open(format: Format, out: &str) -> Result<Self> {
        let target = Target::open(out)?;
        Ok(match format {
            Format::Jsonl => Self::Lines(target),
            Format::Csv => Self::Rows(Box::new(Table::new(target)?)),
        })
    }

    fn finish(self) -> Result<Option<PathBuf>> {
        match self {
            Self::Lines(target) => target.finish(),
            Self::Rows(table) => table.into_inner()?.finish(),
        }
    }
}

pub(crate) fn run(args: &ExportEventsArgs, output: Output) -> Result<Ending> {
    let genesis = load_genesis(&args.genesis)?;
    let audit = Audit::open(&genesis, Level::Full, args.work.as_deref())?;
    let (begun, first) = (audit.height(), Height(args.from.max(1)));
    anyhow::ensure!(
        begun < first,
        "the folder's replay is at height {begun} already; next: name a later --from, or another folder"
    );
    let (source, last) = args.source.open(&genesis, begun, args.to.map(Height))?;
    let mut writer = Writer::open(args.format, &args.out)?;
    let bar = output.heights("export", last.map(|last| last.0));
    bar.set_position(begun.0);
    let mut directory: Option<Directory> = None;
    let mut count = 0;
    let report = audit.run(source, last, |Step { header, executed, .. }| {
        bar.inc(1);
        let Some(Executed { transactions, outcomes, state }) = executed else { return Ok(()) };
        // Books of before are in the state; those of this block are noted once more.
        let directory = directory.get_or_insert_with(|| state.directory());
        let events = events(header, transactions, outcomes, directory);
        if header.height < first {
            return Ok(());
        }
        count += events.len() as u64;
        match &mut writer {
            Writer::Lines(target) => events.iter().try_for_each(|event| {
                serde_json::to_writer(&mut *target, event)?;
                target.write_all(b"\n")
            }),
            Writer::Rows(table) => events.iter().try_for_each(|event| table.write(event)).map_err(io::Error::other),
        }
    });
    bar.finish_and_clear();
    let report = report?;
    let holds = report.failure.is_none();
    let file = if holds { writer.finish()? } else { None };
    let exported = Exported {
        result: if holds { "written" } else { "refused" },
        first,
        last: report.height,
        events: count,
        file: file.as_ref().map_or("-".to_owned(), |path| path.display().to_string()),
        failed_height: report.failure.as_ref().map(|failure| failure.height),
        reason: report.failure.as_ref().map(|failure| failure.fault.to_string()),
    };
    let text = || match &report.failure {
        Some(failure) => format!("refused: {failure}\nnext: take the blocks from another node"),
        None => format!("{count} events of blocks {first} to {} in {}", exported.last, exported.file),
    };
    if args.out == "-" {
        output.progress(&text());
    } else {
        output.answer(&exported, text);
    }
    Ok(Ending::from(holds))
}
