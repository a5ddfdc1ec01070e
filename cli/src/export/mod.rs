//! `fengni export`: what leaves the ledger for other programs. Rules J-1 to J-9:
//! `sdk/spec/exports.md`.

mod blocks;
mod events;
mod file;
mod table;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use table::harmless;

use crate::ending::Ending;
use crate::output::Output;

/// Blocks or events.
#[derive(Subcommand, Debug)]
pub(crate) enum ExportCommand {
    /// Write the blocks of a gateway as a stream, for replays elsewhere
    Blocks(blocks::ExportBlocksArgs),
    /// Write what blocks did, one event a line, for spreadsheets and jq
    Events(events::ExportEventsArgs),
}

pub(crate) fn run(command: &ExportCommand, output: Output) -> Result<Ending> {
    match command {
        ExportCommand::Blocks(args) => blocks::run(args, output),
        ExportCommand::Events(args) => events::run(args, output),
    }
}
