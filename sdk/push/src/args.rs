//! Arguments: every command with its help and examples.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use fengni_core::Day;

use crate::subscription::Name;

/// Tells subscribers what the ledger does: by webhook, by mail, or by a program of yours.
///
/// Answers go to stdout, progress to stderr. Exit codes: 0 done or all is well, 1 refused or not all is
/// well, 2 undecided, which no command of this program is, 3 could not run.
#[derive(Parser, Debug)]
#[command(name = "fengni-push", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Answer as one line of JSON, with a schema version
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The service's private folder, with push.toml in it
    #[arg(long, value_name = "DIR", global = true, default_value = "push")]
    pub(crate) home: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Take up a subscription; nothing is sent before it is approved
    #[command(after_help = "The address is the one line of a file that only you can read, or of standard input with
--to -, so that it stands in no list of processes. It is kept in the private folder, and shown nowhere.

Fields of a filter are those of sdk/spec/exports.md, J-10: kinds, topics, types, divisions, books, lines,
members, refused. A case is its line, as its slip has it. Without one every event is sent that was done.

Examples:
  fengni-push add desk --by webhook --to desk.url --filter kinds=suspend,return --filter divisions=31 --home push
  fengni-push add owner --by mail --to - --filter lines=0/417 --home push
  fengni-push add duty --by sms --to duty.number --filter kinds=order,revoke-key --home push")]
    Add {
        /// Its name: lower-case letters, digits and hyphens
        name: Name,
        /// webhook, mail, or the name of a program in push.toml
        #[arg(long, value_name = "CHANNEL")]
        by: String,
        /// File with the address: a URL, a mail address, or what the program takes; - for standard input
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Field of the filter, and its values; may be given several times
        #[arg(long = "filter", value_name = "FIELD=VALUES")]
        filter: Vec<String>,
    },
    /// Approve a subscription: what happens from now on is sent
    #[command(after_help = "Asks the ledger how high it is: the first event that is sent is of the next block.

Examples:
  fengni-push approve desk --home push")]
    Approve {
        /// The subscription
        name: Name,
    },
    /// Send nothing for now; the position stays
    #[command(after_help = "Examples:
  fengni-push pause desk --home push")]
    Pause {
        /// The subscription
        name: Name,
    },
    /// Go on where a subscription was paused, or try again at once
    #[command(after_help = "Examples:
  fengni-push resume desk --home push")]
    Resume {
        /// The subscription
        name: Name,
    },
    /// End a subscription for good and erase its address
    #[command(after_help = "Examples:
  fengni-push end desk --home push")]
    End {
        /// The subscription
        name: Name,
    },
    /// List subscriptions, without their addresses
    #[command(after_help = "Examples:
  fengni-push list --home push
  fengni-push list --json --home push")]
    List,
    /// Show the newest attempts of a subscription
    #[command(after_help = "Examples:
  fengni-push log desk --home push
  fengni-push log desk --newest 5 --json --home push")]
    Log {
        /// The subscription
        name: Name,
        /// How many
        #[arg(long, value_name = "ATTEMPTS", default_value = "20")]
        newest: usize,
    },
    /// Tell whether the service runs and every subscriber is reached
    #[command(after_help = "Exit code 0: it runs and all is well; 1: it does not, or something waits for people.

Examples:
  fengni-push status --home push")]
    Status,
    /// Show how many messages went out, by day and channel
    #[command(
        after_help = "With --json the form is that of a node's counters: fengni stats --node FILE adds it to those.
With --metrics the sums of all days are given as OpenMetrics, for a collector that reads files.

Examples:
  fengni-push counters --from 2026-11-01 --home push
  fengni-push counters --json --home push > push.json && fengni stats --node push.json
  fengni-push counters --metrics --home push > /var/lib/node_exporter/fengni-push.prom"
    )]
    Counters {
        /// First day, such as 2026-11-01
        #[arg(long, value_name = "DAY", value_parser = day)]
        from: Option<Day>,
        /// Last day
        #[arg(long, value_name = "DAY", value_parser = day)]
        to: Option<Day>,
        /// As OpenMetrics, all days together
        #[arg(long, conflicts_with_all = ["from", "to"])]
        metrics: bool,
    },
    /// Print the public key by which receivers check webhooks
    #[command(after_help = "Examples:
  fengni-push key --home push")]
    Key,
    /// Run the service, until it is ended
    #[command(
        after_help = "It may be killed at any moment: the next run goes on where it was, and repeats at most what was
on its way, under the same id.

Examples:
  fengni-push run --home push"
    )]
    Run,
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| format!("{text} is no day such as 2026-11-23"))
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
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{}", command.get_name());
        }
    }
}
