//! `fengni gov`: members change the network together (提案与表决, GOV-03, GOV-07).

mod forecast;
mod measure;
mod simulate;
mod words;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use fengni_client::governance;
use fengni_core::ProposalNumber;
use fengni_core::operation::Operation;
use fengni_core::outcome::Effect;
use fengni_core::record::{Proposal, ProposalStatus};
use serde::Serialize;

use self::measure::MeasureCommand;
use self::simulate::{SeenArgs, SimulateArgs, Trial};
use self::words::Tally;
use crate::admin::ActingArgs;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::height::HeightArg;
use crate::names::Names;
use crate::output::{Output, table};
use crate::register::Register;
use crate::standing::GroundArgs;

/// What members decide.
#[derive(Subcommand, Debug)]
pub(crate) enum GovCommand {
    /// Put a measure to the vote, after trying it; proposing is no vote
    #[command(subcommand)]
    Propose(MeasureCommand<ProposeArgs>),
    /// Vote on exactly what a proposal says
    #[command(after_help = "Examples:
  fengni gov vote 0 --approve --home net/members/psb
  fengni gov vote 0 --oppose --home net/members/hrs")]
    Vote(VoteArgs),
    /// Take one's own open proposal back
    #[command(after_help = "Examples:\n  fengni gov withdraw 0 --home net/members/gov")]
    Withdraw {
        /// Number of the proposal
        proposal: u32,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// List proposals
    #[command(after_help = "Examples:\n  fengni gov list --open --network net")]
    List {
        /// Only those that members may vote on
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Show a proposal: what it says, who voted, and how many it needs
    #[command(after_help = "Examples:\n  fengni gov show 0 --network net")]
    Show {
        /// Number of the proposal
        proposal: u32,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Try a measure on a copy of the register: what it would change, and what it would lock
    #[command(
        after_help = "Exit codes: 0 nothing against it, 1 the ledger would refuse it, 2 it may lock the network: see the warnings,
3 could not run.

Examples:
  fengni gov simulate remove HRS --network net
  fengni gov simulate admit 0 --effective +50 --network net
  fengni gov simulate parameters --set validators_min=5 --network net --json
  fengni gov simulate --proposal 0 --network net"
    )]
    Simulate(SimulateArgs),
}

/// When, why and by whom.
#[derive(Args, Debug)]
pub(crate) struct ProposeArgs {
    /// First height that it rules: 4096, or +50 above the newest
    #[arg(long, value_name = "HEIGHT")]
    effective: HeightArg,
    /// Propose it in spite of warnings that it may lock the network
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    seen: SeenArgs,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `fengni gov vote`.
#[derive(Args, Debug)]
pub(crate) struct VoteArgs {
    /// Number of the proposal
    proposal: u32,
    /// For it
    #[arg(long, conflicts_with = "oppose", required_unless_present = "oppose")]
    approve: bool,
    /// Against it
    #[arg(long)]
    oppose: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

pub(crate) fn run(command: &GovCommand, output: Output) -> Result<Ending> {
    match command {
        GovCommand::Propose(measure) => propose(measure, output),
        GovCommand::Vote(args) => vote(args, output),
        GovCommand::Withdraw { proposal, acting } => {
            let withdraw: Operation = governance::withdraw(ProposalNumber(*proposal));
            acting.carry_out(output, |_, _| Ok(withdraw.into()), done)
        }
        GovCommand::List { open, connect } => list(*open, connect, output),
        GovCommand::Show { proposal, connect } => show(*proposal, connect, output),
        GovCommand::Simulate(args) => simulate::run(args, output),
    }
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::Proposal { proposal, status } => format!("proposal {proposal} is {}", words::status(*status)),
        other => format!("{other:?}"),
    }
}

/// A proposal by its number.
fn proposal(register: &Register, number: u32) -> Result<&Proposal> {
    let found = register.registries.proposals.get(number);
    Ok(found.with_context(|| format!("there is no proposal {number}; next: fengni gov list"))?.as_ref())
}

fn propose(command: &MeasureCommand<ProposeArgs>, output: Output) -> Result<Ending> {
    let (draft, args) = command.parts();
    let mut connection = args.acting.open()?;
    let mut names = Names::default();
    let mut register = Register::fetch(&mut connection)?;
    let measure = draft.measure(&mut connection, &mut names, &register.registries)?;
    register.fetch_books(&mut connection, &measure)?;
    let effective = args.effective.resolve(&mut connection)?;
    let connected = args.seen.members(&mut connection, &mut names)?;
    let trial = Trial::of(&connection, &register, (measure.clone(), effective), &connected, false);
    if trial.ending == Ending::Refused || trial.warns() && !args.anyway {
        output.answer(&trial, || {
            let next = "\nnothing is proposed; next: weigh the warnings, then propose it again with --anyway";
            format!("{}{}", trial.text(), if trial.warns() { next } else { "" })
        });
        return Ok(trial.ending);
    }
    output.progress(&trial.text());
    let propose = |ground| governance::propose(measure, effective, ground);
    let asked = args.ground.asked(&mut connection, &mut names, propose)?;
    args.acting.settle(&mut connection, asked, output, done)
}

fn vote(args: &VoteArgs, output: Output) -> Result<Ending> {
    let mut connection = args.acting.open()?;
    let register = Register::fetch(&mut connection)?;
    let read = proposal(&register, args.proposal)?;
    output.progress(&describe(&register, args.proposal, read));
    let number = ProposalNumber(args.proposal);
    let operation = governance::vote(&connection.ledger.domain(), number, read, args.approve);
    args.acting.settle(&mut connection, operation.into(), output, done)
}

#[derive(Serialize)]
struct Listed {
    proposal: ProposalNumber,
    /// The measure in words.
    says: String,
    #[serde(flatten)]
    tally: Tally,
    #[serde(flatten)]
    record: Proposal,
}

impl Listed {
    fn of(register: &Register, number: u32, record: &Proposal) -> Self {
        Self {
            proposal: ProposalNumber(number),
            says: words::measure(&register.registries, &record.measure),
            tally: Tally::of(&register.registries, record),
            record: record.clone(),
        }
    }
}

fn list(open: bool, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let register = Register::fetch(&mut connection)?;
    let all = (0..).zip(register.registries.proposals.iter());
    let meant = all.filter(|(_, record)| !open || record.status == ProposalStatus::Open);
    let listed: Vec<Listed> = meant.map(|(number, record)| Listed::of(&register, number, record)).collect();
    output.answer(&serde_json::json!({ "proposals": listed }), || {
        let rows = listed.iter().map(|it| {
            let Tally { approved, opposed, needed, voters } = it.tally;
            [
                it.proposal.to_string(),
                words::status(it.record.status),
                format!("{approved} for, {opposed} against, {needed} of {voters} needed"),
                it.record.closes.to_string(),
                it.record.effective.to_string(),
                it.says.clone(),
            ]
        });
        table(["number", "status", "votes", "closes", "effective", "measure"], rows)
    });
    Ok(Ending::Holds)
}

fn show(number: u32, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let register = Register::fetch(&mut connection)?;
    let read = proposal(&register, number)?;
    output.answer(&Listed::of(&register, number, read), || describe(&register, number, read));
    Ok(Ending::Holds)
}

/// A proposal for people.
fn describe(register: &Register, number: u32, read: &Proposal) -> String {
    let now = &register.registries;
    let Tally { approved, opposed, needed, voters } = Tally::of(now, read);
    let reason = read.ground.reason.to_string();
    let reasons = now.codes.iter().find(|set| set.name == "reasons");
    let reason_name = reasons.and_then(|set| set.name_of(&reason).map(ToOwned::to_owned)).unwrap_or_default();
    let ballots = read.ballots.iter().map(|ballot| {
        let word = if ballot.approve { "for" } else { "against" };
        format!("\n  {} {word} at {}", words::member(now, ballot.member), ballot.height)
    });
    format!(
        "proposal {number}: {}\n{}\nproposed by {} at {}, reason {reason} {reason_name}, decision {}\nvote closes after {}, effective from {}\n{approved} for, {opposed} against, {needed} of {voters} needed{}",
        words::status(read.status),
        words::measure(now, &read.measure),
        words::member(now, read.proposer),
        read.opened,
        read.ground.decision,
        read.closes,
        read.effective,
        ballots.collect::<String>(),
    )
}
