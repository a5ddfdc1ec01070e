//! `fengni audit`: auditors trust nobody, least of all the node that answers.

mod replay;

use anyhow::Result;
use clap::Subcommand;

use crate::ending::Ending;
use crate::output::Output;

/// For auditors.
#[derive(Subcommand, Debug)]
pub(crate) enum AuditCommand {
    /// Run every block again from the founding and compare the state
    Replay(replay::ReplayArgs),
}

pub(crate) fn run(command: &AuditCommand, output: Output) -> Result<Ending> {
    match command {
        AuditCommand::Replay(args) => replay::run(args, output),
    }
}
