//! Arguments: every command with its help and examples.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Answers for a department's data, and says by a receipt who used it.
///
/// Answers go to stdout, progress to stderr. Exit codes: 0 done or all is well, 1 not all is well,
/// 2 undecided, which no command of this program is, 3 could not run.
#[derive(Parser, Debug)]
#[command(name = "fengni-provider", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Answer as one line of JSON, with a schema version
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The gateway's private folder, with provider.toml in it
    #[arg(long, value_name = "DIR", global = true, default_value = "provider")]
    pub(crate) home: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make the private folder, with a provider.toml to be filled in
    #[command(after_help = "Examples:
  fengni-provider init --home provider
  fengni-provider init --home provider && $EDITOR provider/provider.toml")]
    Init,
    /// Run the gateway, until it is ended
    #[command(after_help = "It may be killed at any moment: what was answered is counted once, and batches go on.

Examples:
  fengni-provider run --home provider
  RUST_LOG=debug fengni-provider run --home provider")]
    Run,
    /// Tell whether the gateway runs, knows the ledger, reaches the database and anchors its receipts
    #[command(after_help = "Exit code 0: it runs and all is well; 1: it does not, or something waits for people.

Examples:
  fengni-provider status --home provider
  fengni-provider status --json --home provider")]
    Status,
    /// Show the newest receipts
    #[command(after_help = "Without cases, subjects and values: who used what, on what it rested, and what came of it.

Examples:
  fengni-provider receipts --home provider
  fengni-provider receipts --newest 5 --json --home provider")]
    Receipts {
        /// How many
        #[arg(long, value_name = "RECEIPTS", default_value = "20")]
        newest: usize,
    },
    /// Erase what leads to somebody: receipts with their salts, sealed answers, what finds them again
    #[command(
        after_help = "One subject a line, as departments ask for them: a resident number, a credit code, an identifier. They are
read from a file that only its owner reads, or from stdin, never from the command line. Leaves and numbers stay,
so that batches stay complete; what departments and holders have themselves stays with them.

Exit code 0: it is done; 1: some receipts are less than ten minutes old or not anchored, run it again later.

Examples:
  fengni-provider erase subjects.txt --home provider
  fengni-provider erase - --home provider < subjects.txt"
    )]
    Erase {
        /// The file; - for stdin
        subjects: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed_and_every_command_has_examples() {
        let mut command = Args::command();
        command.build();
        command.clone().debug_assert();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{}", sub.get_name());
        }
    }
}
