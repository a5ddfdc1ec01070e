//! Small views of the network as a quorum proves it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::clock;
use fengni_core::Height;
use fengni_core::book::{Book, Subject, SuspensionCause};
use fengni_core::light::Checkpoint;
use fengni_core::record::Parameters;
use serde_json::json;

use crate::args::ViewArgs;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::moment;
use crate::names::Names;
use crate::output::{Output, table};
use crate::words;

/// `fengni codes`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  fengni codes --network net\n  fengni codes reasons --network net")]
pub(crate) struct CodesArgs {
    /// One set, such as purposes or reasons
    set: Option<String>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni network`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni network --network net
  fengni network --network net --checkpoint checkpoint.json
  fengni trust init desk.trust --checkpoint checkpoint.json")]
pub(crate) struct NetworkArgs {
    /// Write a checkpoint of a moment ago to a file: where another device's trust may begin
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Heights back from the newest at which the checkpoint stands, so that proofs of nodes that are a
/// little behind can be judged by it as well.
const HEIGHTS_BACK: u64 = 16;

pub(crate) fn network(args: &NetworkArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let answer = connection.ledger.sync()?;
    let parameters = connection.ledger.parameters()?;
    let header = answer.value;
    let validators = connection.ledger.light().validators_at(header.height)?.clone();
    let age_secs = clock::now().0.saturating_sub(header.time.0) / 1000;
    if let Some(path) = &args.checkpoint {
        write_checkpoint(&mut connection, header.height, &parameters, path)?;
        output.progress(&format!("wrote {}; next: hand it over where nobody can exchange it", path.display()));
    }
    connection.save(output);
    let facts = json!({
        "network": header.network,
        "name": connection.genesis.name,
        "height": header.height,
        "time": header.time,
        "age_secs": age_secs,
        "state_root": header.state_root,
        "validators": validators.iter().collect::<Vec<_>>(),
        "quorum": validators.quorum(),
        "founding_checkpoint": connection.genesis.checkpoint().digest(),
        "parameters": parameters,
        "node": answer.node,
    });
    output.answer(&facts, || {
        format!(
            "{}\nnetwork {}\ncheckpoint of the founding {}\nheight {}, {} ({} ago), state root {}\n{} validators, quorum {} of {}\nasked {}",
            connection.genesis.name,
            header.network,
            connection.genesis.checkpoint().digest(),
            header.height,
            header.time.show(),
            moment::age(age_secs),
            header.state_root,
            validators.len(),
            validators.quorum(),
            validators.power(),
            answer.node,
        )
    });
    Ok(Ending::Holds)
}

fn write_checkpoint(connection: &mut Connection, newest: Height, parameters: &Parameters, path: &Path) -> Result<()> {
    let checkpoint = match newest.0.checked_sub(HEIGHTS_BACK).filter(|back| *back > 0) {
        Some(back) => {
            let found = connection.ledger.header(Height(back))?.value;
            connection.ledger.light().checkpoint_at(&found.header)?
        }
        // A young network: the founding is a moment ago.
        None => connection.genesis.checkpoint(),
    };
    let checkpoint = Checkpoint { trusting_period_secs: parameters.trusting_period_secs, ..checkpoint };
    let text = serde_json::to_string_pretty(&checkpoint)? + "\n";
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

pub(crate) fn members(args: &ViewArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let members = Names::default().members(&mut connection)?.to_vec();
    let key = |place: usize| {
        let map = connection.map.as_ref();
        let entry = map.and_then(|map| map.members.iter().find(|member| member.number.0 as usize == place));
        entry.map_or_else(String::new, |member| member.key.clone())
    };
    output.answer(&json!({ "members": members }), || {
        let rows = members.iter().enumerate().map(|(place, member)| {
            [
                place.to_string(),
                key(place),
                member.code.to_string(),
                member.name.clone(),
                words::status(member.status).to_owned(),
                words::roles(member.roles),
            ]
        });
        table(["number", "key", "code", "name", "status", "roles"], rows)
    });
    Ok(Ending::Holds)
}

pub(crate) fn types(args: &ViewArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let types = Names::default().types(&mut connection)?.to_vec();
    output.answer(&json!({ "types": types }), || {
        let rows = types.iter().enumerate().map(|(place, kind)| {
            let fields = kind
                .schemas
                .last()
                .map(|schema| schema.claims.iter().map(|claim| claim.label.clone()).collect::<Vec<_>>().join(" "));
            let profiles = kind.schemas.last().map(|schema| {
                let names = schema.profiles.iter().map(|profile| profile.name.as_str());
                std::iter::once("everyday").chain(names).collect::<Vec<_>>().join(" ")
            });
            let enabled = if kind.enabled { "yes" } else { "no" };
            let lifetime = format!("{} s", kind.code_lifetime_secs);
            [
                place.to_string(),
                kind.code.to_string(),
                kind.name.clone(),
                enabled.to_owned(),
                lifetime,
                fields.unwrap_or_default(),
                profiles.unwrap_or_default(),
            ]
        });
        table(["number", "code", "name", "enabled", "code holds", "fields", "profiles"], rows)
    });
    Ok(Ending::Holds)
}

pub(crate) fn books(args: &ViewArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let mut names = Names::default();
    let books = names.books(&mut connection)?.to_vec();
    let types = names.types(&mut connection)?.to_vec();
    let members = names.called(&mut connection)?;
    output.answer(&json!({ "books": books }), || {
        let rows = books.iter().enumerate().map(|(place, book)| {
            let kind = match book.subject {
                Subject::Certificates { certificate_type } => {
                    types.get(certificate_type.0 as usize).map_or_else(String::new, |kind| kind.name.clone())
                }
                Subject::Cases => "cases 办件".to_owned(),
                Subject::Grants => "grants 授权".to_owned(),
                Subject::Receipts => "receipts 用证记录".to_owned(),
            };
            let keeper = members.of(book.keeper);
            [
                place.to_string(),
                kind,
                book.division.to_string(),
                keeper,
                book.lines.to_string(),
                book.seals.size.to_string(),
                book.acts.size.to_string(),
                suspended(book),
            ]
        });
        table(["book", "type", "division", "keeper", "lines", "seals", "acts", "suspended"], rows)
    });
    Ok(Ending::Holds)
}

/// The lines of a book that are suspended together, as many runs as fit a row: JSON has them all.
fn suspended(book: &Book) -> String {
    const SHOWN: usize = 3;
    let runs = book.suspended.iter().take(SHOWN).map(|run| {
        let cause = match run.cause {
            SuspensionCause::Key { key } => format!("key {key}"),
            SuspensionCause::Order { order } => format!("order {order}"),
        };
        format!("{} to {} ({cause})", run.first, run.last)
    });
    let more = book.suspended.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("{more} more runs: --json"));
    runs.chain(more).collect::<Vec<_>>().join(", ")
}

pub(crate) fn codes(args: &CodesArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let mut sets = Names::default().codes(&mut connection)?.to_vec();
    if let Some(name) = &args.set {
        let known: Vec<String> = sets.iter().map(|set| set.name.clone()).collect();
        sets.retain(|set| set.name == *name);
        if sets.is_empty() {
            bail!("there is no set {name}; next: name one of {}", known.join(", "));
        }
    }
    output.answer(&json!({ "sets": sets }), || {
        let rows = sets
            .iter()
            .flat_map(|set| set.codes.iter().map(|code| [set.name.clone(), code.code.clone(), code.name.clone()]));
        table(["set", "code", "meaning"], rows)
    });
    Ok(Ending::Holds)
}
