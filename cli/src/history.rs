//! `fengni history`, `fengni check`: everything that happened to a certificate (AUD-01).

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fengni_client::clock;
use fengni_client::history::{Event, History};
use fengni_client::light::{LightClient, LightError};
use fengni_core::proof::ProofError;
use serde_json::{Value, json};

use crate::connect::{ConnectArgs, load_genesis};
use crate::ending::Ending;
use crate::evidence::{Evidence, differences, events};
use crate::moment;
use crate::names::Target;
use crate::output::{Output, table};
use crate::standing::describe;

/// `fengni history`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni history 0/417 --prove --network net
  fengni history IDENTIFIER --prove --out c1.history --gateway http://127.0.0.1:27002 --genesis genesis.bin
  fengni check c1.history --genesis genesis.bin")]
pub(crate) struct HistoryArgs {
    /// Identifier, or book/line
    target: String,
    /// State whether the chain of acts is complete; the exit code says so as well
    #[arg(long)]
    prove: bool,
    /// Write the history with its proof to a file, for fengni check
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni check`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  fengni check c1.history --genesis genesis.bin")]
pub(crate) struct CheckArgs {
    /// File of a history
    file: PathBuf,
    /// Founding document to trust from, as genesis.bin or genesis.toml
    #[arg(long, alias = "checkpoint", value_name = "FILE")]
    genesis: PathBuf,
}

pub(crate) fn run(args: &HistoryArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let place = Target::parse(&args.target)?.place(&mut connection)?;
    let read = |proof: &fengni_core::proof::StateProof, proven: fengni_core::proof::Proven| {
        Ok::<_, ProofError>((proof.clone(), History::read(&proven, place)?))
    };
    let answer = connection.ledger.ask(|node| node.history(place), read)?;
    let (proof, history) = answer.value;
    connection.save(output);
    if let Some(path) = &args.out {
        Evidence::new(place, &proof, &history, Vec::new())?.save(path)?;
        output.progress(&format!("wrote {}; next: fengni check {} --genesis genesis.bin", path.display(), path.display()));
    }
    let signed = (proof.certificate.signatures.len(), connection.ledger.light().validators_at(proof.header.height)?.len());
    answer_history(&history, signed, Vec::new(), args.prove, output)
}

pub(crate) fn check(args: &CheckArgs, output: Output) -> Result<Ending> {
    let genesis = load_genesis(&args.genesis)?;
    let file = Evidence::load(&args.file)?;
    let mut light = LightClient::from_genesis(&genesis);
    let proof = file.state_proof();
    let now = clock::now();
    let judged = file.handovers.iter().try_for_each(|handover| light.follow(handover, now));
    let proven = match judged.and_then(|()| light.prove(&proof, now)) {
        Ok(proven) => proven,
        Err(error) => return Ok(not_proven(&error, output)),
    };
    let history = match History::read(&proven, file.place) {
        Ok(history) => history,
        Err(error) => return Ok(not_proven(&LightError::Proof(error), output)),
    };
    let defects = differences(&file.events, &events(&history)?);
    let signed = (proof.certificate.signatures.len(), light.validators_at(proof.header.height)?.len());
    answer_history(&history, signed, defects, true, output)
}

/// What does not hold is refused; what cannot be judged from the founding is undecided.
fn not_proven(error: &LightError, output: Output) -> Ending {
    let ending = if error.is_fault_of_answer() { Ending::Refused } else { Ending::Undecided };
    let result = if ending == Ending::Refused { "refused" } else { "undecided" };
    output.answer(&json!({ "result": result, "complete": false, "defects": [error.to_string()] }), || {
        let next = match ending {
            Ending::Refused => "ask a node for the history anew",
            _ => "give the founding document of the file's network, or a file with its handovers",
        };
        format!("{result}: the file proves nothing: {error}\nnext: {next}")
    });
    ending
}

fn answer_history(
    history: &History,
    (signatures, validators): (usize, usize),
    defects: Vec<String>,
    prove: bool,
    output: Output,
) -> Result<Ending> {
    let listed = events(history)?;
    let mut defects = defects;
    defects.extend(history.gaps.iter().map(|gap| format!("{gap}{}", seq_of(gap, history))));
    let complete = defects.is_empty();
    let ending = if complete || !prove { Ending::Holds } else { Ending::Refused };
    let facts = json!({
        "result": if complete { "complete" } else { "incomplete" },
        "complete": complete,
        "defects": defects,
        "as_of_height": history.as_of.0,
        "as_of_time": history.as_of.1,
        "signatures": signatures,
        "validators": validators,
        "events": listed,
        "chapters": history.chapters,
    });
    output.answer(&facts, || text(history, &listed, &defects, (signatures, validators)));
    Ok(ending)
}

/// The place in the story of an act that is missing: after it, acts are numbered from the chain.
fn seq_of(gap: &fengni_client::history::Gap, history: &History) -> String {
    use fengni_client::history::Gap;
    let Gap::Act { place, .. } = gap else { return String::new() };
    let chapter = history.chapters.iter().find(|chapter| chapter.place == *place);
    chapter.map_or_else(String::new, |chapter| {
        format!(": gap before the last {} events; head hash mismatch", chapter.events.len())
    })
}

fn text(history: &History, listed: &[Value], defects: &[String], (signatures, validators): (usize, usize)) -> String {
    let mut rows = Vec::new();
    for chapter in &history.chapters {
        let name = |actor: &fengni_client::history::Actor| {
            actor.name.clone().unwrap_or_else(|| format!("member {}", actor.member))
        };
        if let Some(sealed) = &chapter.sealed {
            rows.push([
                chapter.place.to_string(),
                "issue 新发".to_owned(),
                "active 有效".to_owned(),
                name(&chapter.keeper),
                keys(&sealed.keys),
                String::new(),
                sealed.height.to_string(),
            ]);
        }
        for event in &chapter.events {
            rows.push([
                chapter.place.to_string(),
                act(event),
                describe(event.to),
                name(&event.by),
                keys(&event.keys),
                event.reason_name.clone().unwrap_or_else(|| event.reason.to_string()),
                event.height.to_string(),
            ]);
        }
    }
    let rows = (1..).zip(rows).map(|(seq, [place, act, to, by, keys, reason, height]): (u32, _)| {
        [seq.to_string(), place, act, to, by, keys, reason, height]
    });
    let table = table(["seq", "line", "act", "standing after", "by", "keys", "reason", "height"], rows);
    let (height, time) = history.as_of;
    let proof = format!("header {height} of {} signed by {signatures} of {validators} validators", moment::show(time));
    if defects.is_empty() {
        let last = listed.len();
        return format!("{table}\ncomplete: {last} events, seq 1 to {last}, no act missing; {proof}");
    }
    format!("{table}\nincomplete: {}\n{proof}\nnext: ask another node for the history", defects.join("; "))
}

fn keys(keys: &[fengni_core::KeyNumber]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What was done, with what belongs to it.
fn act(event: &Event) -> String {
    use fengni_core::standing::ActKind;
    let name = match event.kind {
        ActKind::Suspend => "suspend 暂扣",
        ActKind::Return => "return 暂扣发还",
        ActKind::Cancel => "cancel 注销",
        ActKind::Annul => "annul 撤销",
        ActKind::Revoke => "revoke 吊销",
        ActKind::TransferOut => "transfer out 转出",
        ActKind::CancelTransfer => "cancel transfer 取消转出",
        ActKind::Expire => "expire 过期失效",
        ActKind::Dispute => "dispute 异议标注",
        ActKind::ClearDispute => "clear dispute 撤销异议标注",
        ActKind::BlockKey => "block key 挂失",
        ActKind::Renew => "renew 延续",
        ActKind::Change => "change 变更",
        ActKind::Correct => "correct 更正",
        ActKind::Rekey => "new holder key 补绑",
        ActKind::TransferIn => "transfer in 转入",
        ActKind::Consume => "consume 核销",
    };
    let mut name = name.to_owned();
    if let Some(until) = event.until {
        name.push_str(&format!(" until {}", moment::show(until)));
    }
    if let Some(successor) = event.successor {
        name.push_str(&format!(", goes on at {successor}"));
    }
    name
}
