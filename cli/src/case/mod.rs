//! `fengni case`: cases (办件), from the department that handles them and for whoever waits (SVC-02).

mod open;
mod show;
mod slip;
mod step;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::history::Telling;
use crate::output::Output;
use crate::signing::ActorArgs;

pub(crate) use show::stands;
pub(crate) use slip::{ENDING, read as read_slip};

/// The department's journal of cases, in its folder.
const JOURNAL: &str = "cases.jsonl";

/// Cases: opening them, and how far they are.
#[derive(Subcommand, Debug)]
pub(crate) enum CaseCommand {
    /// Open cases: the ledger gets a freshly salted hash of each, the applicant a slip
    #[command(
        after_help = "A table has the columns number and item (the service item's code, may be empty). The journal
cases.jsonl in --home keeps numbers and salts: back it up, a lost salt is a lost case. A number that is
open already is not opened again, so that an interrupted run is run again as it was.

Whoever has a slip follows the case; hand it to the applicant alone.

Exit codes: 0 all are open, 1 refused, 2 it is not known of some, 3 could not run.

Examples:
  fengni case open YS20260309000317 --item 11319900XN010003XA4000 --home net/members/ciq --out slips
  fengni case open --table today.csv --home net/members/ciq --out slips"
    )]
    Open(OpenArgs),
    /// Record a step of a case, such as accepted, inspected or released
    #[command(
        after_help = "Steps are reference codes: see fengni codes steps. The document stays here; its freshly salted
hash goes to the ledger, and the salt to decisions.jsonl in --home.

Examples:
  fengni case step YS20260309000317 --step 受理 --decision acceptance.pdf --home net/members/ciq
  fengni case step 4/0 --step 9 --close --decision certificate.pdf --home net/members/ciq"
    )]
    Step(StepArgs),
    /// Show how far a case is, every step proven
    #[command(after_help = "The slip is compared with the line on the ledger: one of another case is refused.

Exit codes: 0 shown, with --prove complete; 1 refused; 2 undecided; 3 could not run.

Examples:
  fengni case show slips/YS20260309000317.slip.json --network net
  fengni case show slips/YS20260309000317.slip.json --prove --out case.history --network net
  fengni watch --case slips/YS20260309000317.slip.json --network net")]
    Show(ShowArgs),
    /// Write the slip of an open case again
    #[command(
        after_help = "Examples:\n  fengni case slip YS20260309000317 --home net/members/ciq --out slips --network net"
    )]
    Slip(SlipArgs),
    /// List the cases in the department's journal
    #[command(after_help = "Examples:\n  fengni case list --home net/members/ciq --network net")]
    List(ListArgs),
}

/// `fengni case open`.
#[derive(Args, Debug)]
pub(crate) struct OpenArgs {
    /// The case's number (办件编号), 1 to 50 characters
    #[arg(required_unless_present = "table", conflicts_with = "table")]
    number: Option<String>,
    /// The service item's code (实施编码)
    #[arg(long, value_name = "CODE", default_value = "", conflicts_with = "table")]
    item: String,
    /// Many cases: a CSV file with the columns number and item
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Region; else the member's own
    #[arg(long, value_name = "CODE")]
    division: Option<String>,
    /// Folder for the applicants' slips
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni case step`.
#[derive(Args, Debug)]
pub(crate) struct StepArgs {
    /// The case: its number in the journal, a slip, or book/line
    case: String,
    /// Which step, by name or code
    #[arg(long, value_name = "STEP")]
    step: String,
    /// The document of the step; only its salted hash goes to the ledger
    #[arg(long, value_name = "FILE")]
    decision: PathBuf,
    /// The case ends with it: no step follows
    #[arg(long)]
    close: bool,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni case show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The applicant's slip
    slip: PathBuf,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni case slip`.
#[derive(Args, Debug)]
pub(crate) struct SlipArgs {
    /// The case's number
    number: String,
    /// Folder of the member, with its journal
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Folder for the slip
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni case list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Folder of the member, with its journal
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(crate) fn run(command: &CaseCommand, output: Output) -> Result<Ending> {
    match command {
        CaseCommand::Open(args) => open::run(args, output),
        CaseCommand::Step(args) => step::run(args, output),
        CaseCommand::Show(args) => show::run(args, output),
        CaseCommand::Slip(args) => slip::again(args, output),
        CaseCommand::List(args) => slip::list(args, output),
    }
}
