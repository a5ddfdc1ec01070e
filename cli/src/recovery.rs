//! `fengni recovery`: from a network that stands still for good to a handover that recovery keys
//! have signed. Each step runs on another person's machine; one file goes from hand to hand.
//!
//! ```text
//! draft (asks a gateway) -> sign (offline) -> sign (offline) -> check -> fengni-node recover
//! ```

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use fengni_client::clock;
use fengni_client::decision::Decision;
use fengni_client::keys::{KeyFile, KeyUse};
use fengni_core::recovery::{LastFinal, RecoveryHandover, RecoveryPlan, Seat};
use fengni_core::{Domain, MemberNumber, Millis, PublicKey, ReasonCode, Suite};
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::moment;
use crate::output::{Output, table};
use crate::passphrase::PassphraseArgs;
use crate::private;

/// `fengni recovery`.
#[derive(Subcommand, Debug)]
pub(crate) enum RecoveryCommand {
    /// Draft a handover: who decides after the last final block
    #[command(after_help = "Of all gateways the highest block counts: name those of every node that is left, because a
handover that follows an older block is excluded by it. Every validator makes a new consensus key, survivors too.

Examples:
  fengni recovery draft recovery.json --network net --reason 501 --decision order.pdf \\
    --seat 1,1,1:4f5a... --seat 2,1,1:77ab...,1:c0de...")]
    Draft(DraftArgs),
    /// Sign a handover with a recovery key, without any network
    #[command(after_help = "Examples:\n  fengni recovery sign recovery.json --key psb.recovery --number 1")]
    Sign(SignArgs),
    /// Show a handover, and whether it holds
    #[command(after_help = "Exit codes: 0 it holds now, 1 it does not, 2 not yet, 3 could not run.

Examples:\n  fengni recovery check recovery.json --network net")]
    Check(CheckArgs),
    /// Take note of a recovery, so that answers no longer show it
    #[command(after_help = "Examples:\n  fengni recovery acknowledge --network net --state light.json")]
    Acknowledge(AcknowledgeArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DraftArgs {
    /// The handover's file; a new one
    file: PathBuf,
    /// A validator: MEMBER,POWER,CONSENSUS-KEY, and PEER-KEY where its node's was lost as well; once each
    #[arg(long = "seat", value_name = "SEAT", required = true)]
    seats: Vec<SeatText>,
    /// Reason, by code: see fengni codes reasons
    #[arg(long, value_name = "CODE")]
    reason: u16,
    /// The decision document; only its salted hash is signed
    #[arg(long, value_name = "FILE")]
    decision: PathBuf,
    /// Seconds more than the delay that the network asks for
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    later: u64,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    /// The handover's file, which is written again
    file: PathBuf,
    /// File of the recovery key: see fengni key new --purpose recovery
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The key's number: its place among the recovery keys, from 0
    #[arg(long)]
    number: u16,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The handover's file
    file: PathBuf,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Args, Debug)]
pub(crate) struct AcknowledgeArgs {
    #[command(flatten)]
    connect: ConnectArgs,
}

/// A seat as it is typed.
#[derive(Clone, Debug)]
struct SeatText(Seat);

impl FromStr for SeatText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').collect();
        let (member, power, consensus, peer) = match parts[..] {
            [member, power, consensus] => (member, power, consensus, None),
            [member, power, consensus, peer] => (member, power, consensus, Some(peer)),
            _ => return Err("write MEMBER,POWER,CONSENSUS-KEY or MEMBER,POWER,CONSENSUS-KEY,PEER-KEY".to_owned()),
        };
        let key = |text: &str| PublicKey::from_text(text).map_err(|error| format!("{text}: {error}"));
        let number = |text: &str| text.parse().map_err(|_| format!("{text} is no member's number: see fengni members"));
        Ok(Self(Seat {
            member: MemberNumber(number(member)?),
            power: power.parse().map_err(|_| format!("{power} is no voting power"))?,
            consensus: key(consensus)?,
            peer: peer.map(key).transpose()?,
        }))
    }
}

pub(crate) fn run(command: &RecoveryCommand, output: Output) -> Result<Ending> {
    match command {
        RecoveryCommand::Draft(args) => draft(args, output),
        RecoveryCommand::Sign(args) => sign(args, output),
        RecoveryCommand::Check(args) => check(args, output),
        RecoveryCommand::Acknowledge(args) => acknowledge(args, output),
    }
}

fn draft(args: &DraftArgs, output: Output) -> Result<Ending> {
    private::must_be_new(&args.file)?;
    let mut connection = args.connect.open(None)?;
    let domain = connection.ledger.domain();
    let (header, asked) = connection.ledger.highest()?;
    let parameters = connection.ledger.parameters()?;
    let terms = parameters.recovery.as_ref().context("this network names no recovery keys")?;
    let document = std::fs::read(&args.decision).with_context(|| args.decision.display().to_string())?;
    let decision = Decision::of(&domain, &document)?;
    let wait = terms.delay_secs.saturating_add(args.later).saturating_mul(1000);
    let mut seats: Vec<Seat> = args.seats.iter().map(|seat| seat.0.clone()).collect();
    seats.sort_by_key(|seat| seat.member);
    let plan = RecoveryPlan {
        network: domain.network,
        height: header.height,
        block: header.id(&domain),
        from: Millis(header.time.0.saturating_add(wait)),
        ground: decision.ground(ReasonCode(args.reason)),
        seats,
    };
    plan.validators()?;
    let handover = RecoveryHandover::draft(plan);
    write(&args.file, &handover)?;
    let facts = json!({ "plan": handover.plan, "nodes": asked, "salt": hex::encode(decision.salt), "threshold": terms.threshold });
    output.answer(&facts, || {
        format!(
            "{}\nthe highest block of {asked} nodes that answered\nsalt of the decision, to be kept with it: {}\nnext: {} holders of recovery keys run fengni recovery sign {}",
            told(&handover),
            hex::encode(decision.salt),
            terms.threshold,
            args.file.display()
        )
    });
    Ok(Ending::Holds)
}

fn sign(args: &SignArgs, output: Output) -> Result<Ending> {
    let mut handover = read(&args.file)?;
    let domain = Domain { suite: Suite::Standard, network: handover.plan.network };
    let key = KeyFile::load(&args.key)?;
    if key.purpose != KeyUse::Recovery {
        bail!("{} holds a key for {}; next: name a recovery key", args.key.display(), key.purpose);
    }
    let signer = key.open(&args.passphrase.passphrases())?;
    handover.take(args.number, signer.sign(&handover.plan.message(&domain))?);
    write(&args.file, &handover)?;
    output.answer(&json!({ "plan": handover.plan, "signed": signers(&handover) }), || {
        format!("{}\nnext: pass {} on, or fengni recovery check", told(&handover), args.file.display())
    });
    Ok(Ending::Holds)
}

fn check(args: &CheckArgs, output: Output) -> Result<Ending> {
    let handover = read(&args.file)?;
    let mut connection = args.connect.open(None)?;
    let domain = connection.ledger.domain();
    let (header, _) = connection.ledger.highest()?;
    let terms = connection.ledger.parameters()?.recovery;
    let judged = handover.verify(&domain, terms.as_ref(), &LastFinal::of(&domain, &header));
    let wait_secs = handover.plan.from.0.saturating_sub(clock::now().0).div_ceil(1000);
    let (ending, result, reason) = match judged {
        Err(error) => (Ending::Refused, "refused", Some(error.to_string())),
        Ok(_) if wait_secs > 0 => {
            (Ending::Undecided, "too-early", Some(format!("it holds in {}", moment::age(wait_secs))))
        }
        Ok(_) => (Ending::Holds, "holds", None),
    };
    let facts = json!({ "result": result, "reason": reason, "plan": handover.plan, "signed": signers(&handover) });
    output.answer(&facts, || {
        let why = reason.map_or_else(|| "holds".to_owned(), |reason| format!("{result}: {reason}"));
        format!("{}\n{why}", told(&handover))
    });
    Ok(ending)
}

fn acknowledge(args: &AcknowledgeArgs, output: Output) -> Result<Ending> {
    if args.connect.state.is_none() {
        bail!("name the file that remembers: --state FILE; for a trust store: fengni trust acknowledge");
    }
    let mut connection = args.connect.open(None)?;
    connection.ledger.sync()?;
    let heights: Vec<_> = connection.ledger.light().recoveries().iter().map(|it| it.plan.height).collect();
    let noted = connection.ledger.light_mut().acknowledge();
    connection.save(output);
    output.answer(&json!({ "noted": noted, "heights": heights }), || format!("recoveries noted: {noted}"));
    Ok(Ending::Holds)
}

fn read(path: &Path) -> Result<RecoveryHandover> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).map_err(|error| anyhow!("{} is no recovery handover: {error}", path.display()))
}

fn write(path: &Path, handover: &RecoveryHandover) -> Result<()> {
    private::write(path, (serde_json::to_string_pretty(handover)? + "\n").as_bytes())
}

fn signers(handover: &RecoveryHandover) -> Vec<u16> {
    handover.signatures.iter().map(|signed| signed.key).collect()
}

/// What a person reads before signing.
fn told(handover: &RecoveryHandover) -> String {
    let plan = &handover.plan;
    let seats = plan.seats.iter().map(|seat| {
        let peer = seat.peer.map_or_else(|| "as before".to_owned(), |key| key.to_string());
        [seat.member.to_string(), seat.power.to_string(), seat.consensus.to_string(), peer]
    });
    let signed: Vec<String> = signers(handover).iter().map(ToString::to_string).collect();
    format!(
        "recovery of network {}\nafter block {} of height {}, from {} on, reason {}\n{}\nsigned by recovery keys: {}",
        plan.network,
        plan.block.0,
        plan.height,
        plan.from.show(),
        plan.ground.reason,
        table(["member", "power", "consensus key", "peer key"], seats),
        if signed.is_empty() { "none".to_owned() } else { signed.join(", ") }
    )
}
