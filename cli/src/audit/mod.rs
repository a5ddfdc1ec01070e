//! `fengni audit`: auditors trust nobody, least of all the node that answers.

mod book;
mod compare;
pub(crate) mod period;
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
    /// Ask several nodes the same, and name where their blocks, states or entries part
    Compare(compare::CompareArgs),
}

pub(crate) fn run(command: &AuditCommand, output: Output) -> Result<Ending> {
    match command {
        AuditCommand::Book(args) => book::run(args, output),
        AuditCommand::Replay(args) => replay::run(args, output),
        AuditCommand::Compare(args) => compare::run(args, output),
    }
}
