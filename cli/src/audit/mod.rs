//! `fengni audit`: auditors trust nobody, least of all the node that answers.

mod book;
mod period;
mod replay;
pub(crate) mod saved;

use anyhow::Result;
use clap::Subcommand;

use crate::ending::Ending;
use crate::output::Output;

/// For auditors.
#[derive(Subcommand, Debug)]
pub(crate) enum AuditCommand {
    /// Account for every line, seal and act of a department's books
    Book(book::BookArgs),
    /// Run every block again from the founding and compare the state
    Replay(replay::ReplayArgs),
}

pub(crate) fn run(command: &AuditCommand, output: Output) -> Result<Ending> {
    match command {
        AuditCommand::Book(args) => book::run(args, output),
        AuditCommand::Replay(args) => replay::run(args, output),
    }
}
