//! `fengni history`, `fengni check`: everything that happened to a certificate (AUD-01).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fengni_client::clock;
use fengni_core::evidence::{act_words, standing_words};
use fengni_core::history::{Actor, Event, Gap, History};
use fengni_core::light::{FinalHeader, LightClient, LightError};
use fengni_core::proof::{ProofError, Proven, StateProof};
use fengni_core::standing::{ActKind, State};
use fengni_core::{Height, Millis};
use fengni_genesis::Genesis;
use serde_json::{Value, json};

use crate::connect::{ConnectArgs, Connection, load_genesis};
use crate::ending::Ending;
use crate::evidence::{self, Evidence, differences, events};
use crate::kept::{self, Kept, Shown};
use crate::moment;
use crate::names::Target;
use crate::output::{Output, table};
use crate::verify;

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
#[command(
    after_help = "What a file proves is the past: a verdict is that of its block's time, and says nothing about today.

Exit codes: 0 complete, or valid then; 1 refused; 2 undecided; 3 could not run.

Examples:
  fengni check c1.history --genesis genesis.bin
  fengni check lin.verdict --checkpoint genesis.bin"
)]
pub(crate) struct CheckArgs {
    /// File of a history or of a verdict
    file: PathBuf,
    /// Founding document to trust from, as genesis.bin or genesis.toml
    #[arg(long, alias = "checkpoint", value_name = "FILE")]
    genesis: PathBuf,
}

pub(crate) fn run(args: &HistoryArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let place = Target::parse(&args.target)?.place(&mut connection)?;
    let read =
        |proof: &StateProof, proven: Proven| Ok::<_, ProofError>((proof.clone(), History::read(&proven, place)?));
    let answer = connection.ledger.ask(|node| node.history(place), read)?;
    let (proof, history) = answer.value;
    let headers = headers(&mut connection, &history)?;
    connection.save(output);
    let story = Story::new(history, &headers, &connection.genesis)?;
    if let Some(path) = &args.out {
        let found = FinalHeader { header: proof.header.clone(), certificate: proof.certificate.clone() };
        let handovers = connection.ledger.handovers(&connection.genesis.checkpoint(), &found)?;
        Evidence::new(place, &proof, story.events.clone(), headers, handovers).save(path)?;
        output.progress(&format!(
            "wrote {}; next: fengni check {} --genesis genesis.bin",
            path.display(),
            path.display()
        ));
    }
    let signed =
        (proof.certificate.signatures.len(), connection.ledger.light().validators_at(proof.header.height)?.len());
    answer_history(&story, signed, Vec::new(), args.prove, output)
}

/// The headers of the blocks in which something happened: they say when.
pub(crate) fn headers(connection: &mut Connection, history: &History) -> Result<Vec<FinalHeader>> {
    let mut headers = Vec::new();
    for height in heights(history) {
        headers.push(connection.ledger.header(height)?.value);
    }
    Ok(headers)
}

fn heights(history: &History) -> BTreeSet<Height> {
    let chapters = history.chapters.iter();
    chapters
        .flat_map(|chapter| {
            let sealed = chapter.sealed.iter().map(|sealed| sealed.height);
            sealed.chain(chapter.events.iter().map(|event| event.height))
        })
        .collect()
}

/// A history with the times of its events.
struct Story {
    history: History,
    events: Vec<Value>,
    times: BTreeMap<Height, Millis>,
    reasons: BTreeMap<u16, String>,
}

impl Story {
    /// - `headers`: accepted by a light client.
    fn new(history: History, headers: &[FinalHeader], genesis: &Genesis) -> Result<Self> {
        let times: BTreeMap<Height, Millis> =
            headers.iter().map(|found| (found.header.height, found.header.time)).collect();
        let events = events(&history, &times)?;
        let set = genesis.codes.iter().find(|set| set.name == "reasons");
        let codes = set.iter().flat_map(|set| &set.codes);
        let reasons = codes.filter_map(|code| Some((code.code.parse().ok()?, code.name.clone()))).collect();
        Ok(Self { history, events, times, reasons })
    }

    fn when(&self, height: Height) -> String {
        self.times.get(&height).map_or_else(String::new, |time| moment::show(*time))
    }

    fn reason(&self, event: &Event) -> String {
        let known = event.reason_name.clone().or_else(|| self.reasons.get(&event.reason.0).cloned());
        known.map_or_else(|| event.reason.to_string(), |name| format!("{} {name}", event.reason))
    }
}

pub(crate) fn check(args: &CheckArgs, output: Output) -> Result<Ending> {
    let genesis = load_genesis(&args.genesis)?;
    let mut light = LightClient::of_the_past(genesis.checkpoint());
    let text = evidence::read(&args.file)?;
    if evidence::kind(&text).as_deref() == Some(kept::KIND) {
        return check_verdict(&Kept::parse(&text, &args.file)?, &mut light, output);
    }
    let file = Evidence::parse(&text, &args.file)?;
    let proof = file.state_proof();
    let now = clock::now();
    let judged = file.handovers.iter().try_for_each(|handover| light.follow(handover, now));
    let judged = judged
        .and_then(|()| file.headers.iter().try_for_each(|found| light.accept(&found.header, &found.certificate, now)));
    let proven = match judged.and_then(|()| light.prove(&proof, now)) {
        Ok(proven) => proven,
        Err(error) => return Ok(not_proven(&error, output)),
    };
    let history = match History::read(&proven, file.place) {
        Ok(history) => history,
        Err(error) => return Ok(not_proven(&LightError::Proof(error), output)),
    };
    let story = Story::new(history, &file.headers, &genesis)?;
    let missing = heights(&story.history).into_iter().find(|height| !story.times.contains_key(height));
    let mut defects = match story.history.gaps.is_empty() {
        // Where the proof has a gap, the words after it are numbered otherwise: the gap says it all.
        true => differences(&file.events, &story.events),
        false => story.history.gaps.iter().map(|gap| named_gap(gap, &file.events)).collect(),
    };
    defects.extend(missing.map(|height| format!("the header of height {height} is missing, which says when")));
    let signed = (proof.certificate.signatures.len(), light.validators_at(proof.header.height)?.len());
    answer_history(&story, signed, defects, true, output)
}

/// What a code was worth at the time of a block.
fn check_verdict(file: &Kept, light: &mut LightClient, output: Output) -> Result<Ending> {
    let shown = match file.check(light) {
        Ok(shown) => shown,
        Err(error) => return Ok(not_proven(&error, output)),
    };
    let Shown { verdict, block, words_hold } = &shown;
    // Words that are not the proof's make the whole file suspect.
    let ending = if *words_hold { verify::ending(verdict) } else { Ending::Refused };
    let facts = json!({ "block_time": block, "words_hold": words_hold, "verdict": verdict });
    output.answer(&facts, || {
        let mut lines = Vec::new();
        if !words_hold {
            lines.push("refused: the words of the file are not what its proof says; this is what it says:".to_owned());
        }
        lines.push(format!("at {}, by the state of that block:", moment::show(*block)));
        lines.push(verify::statement(verdict));
        lines.push("whether the code was used before, and what has happened since, is not in the file".to_owned());
        lines.join("\n")
    });
    Ok(ending)
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
    story: &Story,
    (signatures, validators): (usize, usize),
    mut defects: Vec<String>,
    prove: bool,
    output: Output,
) -> Result<Ending> {
    let history = &story.history;
    if defects.is_empty() {
        defects.extend(history.gaps.iter().map(ToString::to_string));
    }
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
        "events": story.events,
        "chapters": history.chapters,
    });
    output.answer(&facts, || text(story, &defects, (signatures, validators)));
    Ok(ending)
}

/// A gap of the proof with the place of what is missing in the words of the file.
fn named_gap(gap: &Gap, said: &[Value]) -> String {
    let Gap::Act { place, number } = gap else { return gap.to_string() };
    let place = serde_json::to_value(place).ok();
    let is_it = |event: &&Value| {
        event.get("place") == place.as_ref() && event.get("number").and_then(Value::as_u64) == Some(number.0)
    };
    match said.iter().find(is_it).and_then(|event| event.get("seq")).and_then(Value::as_u64) {
        Some(seq) => format!("gap at seq {seq}: {gap}; head hash mismatch"),
        None => format!("{gap}; head hash mismatch"),
    }
}

fn text(story: &Story, defects: &[String], (signatures, validators): (usize, usize)) -> String {
    let mut rows = Vec::new();
    for chapter in &story.history.chapters {
        let name = |actor: &Actor| actor.name.clone().unwrap_or_else(|| format!("member {}", actor.member));
        if let Some(sealed) = &chapter.sealed {
            rows.push([
                chapter.place.to_string(),
                "issue 新发".to_owned(),
                "active 有效".to_owned(),
                name(&chapter.keeper),
                keys(&sealed.keys),
                String::new(),
                sealed.height.to_string(),
                story.when(sealed.height),
            ]);
        }
        let mut holds = BTreeSet::new();
        for event in &chapter.events {
            match (event.kind, event.hold) {
                (ActKind::Suspend, _) => drop(holds.insert(event.by.member)),
                (ActKind::Return, Some(hold)) => drop(holds.remove(&hold)),
                _ => (),
            }
            let suspended = !holds.is_empty() && event.to.state == State::Active;
            rows.push([
                chapter.place.to_string(),
                act(event),
                if suspended { "suspended 暂扣".to_owned() } else { standing_words(event.to) },
                name(&event.by),
                keys(&event.keys),
                story.reason(event),
                event.height.to_string(),
                story.when(event.height),
            ]);
        }
    }
    let rows = (1..).zip(rows).map(|(seq, [place, act, to, by, keys, reason, height, time]): (u32, _)| {
        [seq.to_string(), place, act, to, by, keys, reason, height, time]
    });
    let table = table(["seq", "line", "act", "standing after", "by", "keys", "reason", "height", "time"], rows);
    let (height, time) = story.history.as_of;
    let proof = format!("header {height} of {} signed by {signatures} of {validators} validators", moment::show(time));
    if defects.is_empty() {
        let last = story.events.len();
        return format!("{table}\ncomplete: {last} events, seq 1 to {last}, no act missing; {proof}");
    }
    format!("{table}\nincomplete: {}\n{proof}\nnext: ask another node for the history", defects.join("; "))
}

fn keys(keys: &[fengni_core::KeyNumber]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What was done, with what belongs to it.
fn act(event: &Event) -> String {
    let mut name = act_words(event.kind).to_owned();
    if let Some(until) = event.until {
        name.push_str(&format!(" until {}", moment::show(until)));
    }
    if let Some(successor) = event.successor {
        name.push_str(&format!(", goes on at {successor}"));
    }
    name
}
