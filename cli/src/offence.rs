//! `fengni offence`: validators that signed twice (作恶记录), from a node's proof to the ledger.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use fengni_client::offence;
use fengni_core::OffenceNumber;
use fengni_core::record::{DoubleSigning, KeyPurpose, Offence, SignedKind};
use serde::{Deserialize, Serialize};

use crate::admin::ActingArgs;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::local::probe;
use crate::names::Names;
use crate::output::{Output, table};
use crate::signing::{self, Settled};

/// What becomes of a proof.
#[derive(Subcommand, Debug)]
pub(crate) enum OffenceCommand {
    /// Put on record what nodes keep as proof that a validator signed twice
    #[command(
        after_help = "The proofs come from the operator's listeners of the network's map, of --admin, or from a file.
What is on record already is passed over. Removal is for a vote: fengni gov propose remove.

Examples:
  fengni offence report --home net/members/gov
  fengni offence report --admin http://127.0.0.1:27004 --home net/members/gov
  fengni offence report --file proof.json --home net/members/gov"
    )]
    Report(ReportArgs),
    /// List the offences on record
    #[command(after_help = "Examples:\n  fengni offence list --network net")]
    List(ConnectArgs),
}

/// `fengni offence report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// URL of a node's operator's listener; may be given several times
    #[arg(long = "admin", value_name = "URL")]
    admins: Vec<String>,
    /// File with proofs, as an operator's listener gives them
    #[arg(long, value_name = "FILE", conflicts_with = "admins")]
    file: Option<PathBuf>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// What an operator's listener gives. Rule N-26.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence {
    evidence: Vec<DoubleSigning>,
}

pub(crate) fn run(command: &OffenceCommand, output: Output) -> Result<Ending> {
    match command {
        OffenceCommand::Report(args) => report(args, output),
        OffenceCommand::List(connect) => list(connect, output),
    }
}

fn is_same(one: &DoubleSigning, other: &DoubleSigning) -> bool {
    (one.member, one.height, one.round, one.kind) == (other.member, other.height, other.round, other.kind)
}

fn report(args: &ReportArgs, output: Output) -> Result<Ending> {
    let mut connection = args.acting.open()?;
    let known: Vec<Offence> = connection.ledger.shelf()?;
    let mut proofs: Vec<DoubleSigning> = Vec::new();
    for proof in found(args, &connection, output)? {
        let is_known = known.iter().any(|it| is_same(&it.proof, &proof));
        if !is_known && !proofs.iter().any(|it| is_same(it, &proof)) {
            proofs.push(proof);
        }
    }
    let signers = args.acting.actor().signers(KeyPurpose::Admin, false)?;
    let mut reported = Vec::new();
    for proof in proofs {
        let what = describe(&proof);
        let settlement = signing::submit(&mut connection, &signers, offence::accuse(proof))?;
        reported.push((what, Settled::of(&settlement)?));
    }
    connection.save(output);
    let all: Vec<&Settled> = reported.iter().map(|(_, settled)| settled).collect();
    output.answer(&serde_json::json!({ "reported": all }), || {
        let lines: Vec<String> = reported.iter().map(|(what, settled)| settled.text(what)).collect();
        if lines.is_empty() { "no node keeps a proof that is not on record".to_owned() } else { lines.join("\n") }
    });
    Ok(reported.iter().fold(Ending::Holds, |ending, (_, settled)| ending.and(settled.ending)))
}

/// The proofs that were named, or that the nodes of the map keep.
fn found(args: &ReportArgs, connection: &Connection, output: Output) -> Result<Vec<DoubleSigning>> {
    if let Some(path) = &args.file {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let read: Evidence =
            serde_json::from_str(&text).with_context(|| format!("{} holds no proofs", path.display()))?;
        return Ok(read.evidence);
    }
    let of_map = || connection.map.iter().flat_map(|map| map.nodes.iter().filter_map(|node| node.admin.clone()));
    let doors: Vec<String> = if args.admins.is_empty() { of_map().collect() } else { args.admins.clone() };
    if doors.is_empty() {
        bail!("no node is named; next: give --admin URL of an operator's listener, or --file FILE");
    }
    let mut proofs = Vec::new();
    for url in doors {
        match probe::ask::<Evidence>(&url, "/v1/evidence") {
            Ok((200, read)) => proofs.extend(read.evidence),
            Ok((status, _)) => output.progress(&format!("note: {url} answers {status}")),
            Err(error) => output.progress(&format!("note: {url} does not answer: {error}")),
        }
    }
    Ok(proofs)
}

/// An offence in words.
pub(crate) fn describe(proof: &DoubleSigning) -> String {
    let DoubleSigning { member, height, round, kind, .. } = proof;
    let what = match kind {
        SignedKind::Proposal => "proposals",
        SignedKind::Prevote => "first votes",
        SignedKind::Precommit => "second votes",
    };
    format!("member {member} signed two {what} of height {height}, round {round}")
}

#[derive(Serialize)]
struct Listed {
    offence: OffenceNumber,
    #[serde(flatten)]
    record: Offence,
}

fn list(connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let records: Vec<Offence> = connection.ledger.shelf()?;
    let members = Names::default().called(&mut connection)?;
    let listed: Vec<Listed> =
        (0..).map(OffenceNumber).zip(records).map(|(offence, record)| Listed { offence, record }).collect();
    output.answer(&serde_json::json!({ "offences": listed }), || {
        let rows = listed.iter().map(|it| {
            let Offence { proof, reported_by, reported, .. } = &it.record;
            let (who, by) = (members.of(proof.member), members.of(*reported_by));
            [it.offence.to_string(), who, describe(proof), by, reported.to_string()]
        });
        table(["offence", "validator", "what", "reported by", "height"], rows)
    });
    Ok(Ending::Holds)
}
