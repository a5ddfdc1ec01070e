//! `fengni history`, `fengni check`: everything that happened to a certificate (AUD-01).

pub(crate) mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use fengni_client::clock;
use fengni_client::history::{self, Whole};
use fengni_core::block::Header;
use fengni_core::book::{Book, Line, Subject, Suspension, SuspensionCause};
use fengni_core::history::{Actor, Event, Gap, History, Origin};
use fengni_core::light::{FinalHeader, LightClient, LightError};
use fengni_core::proof::{Place, Proven};
use fengni_core::record::CodeSet;
use fengni_core::shelf::Shelf;
use fengni_core::standing::ActKind;
use fengni_core::{Height, LinePlace, Millis};
use fengni_genesis::Genesis;
use serde_json::{Value, json};

use crate::audit::saved::{self, Saved};
use crate::case;
use crate::connect::{ConnectArgs, Connection, load_genesis};
use crate::ending::Ending;
use crate::kept::{self, Kept, Shown};
use crate::moment;
use crate::names::{Names, Target};
use crate::output::{Output, table};
use crate::unproven;
use crate::verify;
use file::{HistoryFile, differences, events, other_network};

/// `fengni history`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni history 0/417 --prove --network net
  fengni history IDENTIFIER --prove --out c1.history --gateway http://127.0.0.1:27002 --genesis genesis.bin
  fengni check c1.history --genesis genesis.bin

The history begins with the line that was issued first, and follows every line that took over. With
--prove the exit codes are: 0 complete; 1 incomplete or altered; 2 undecided, such as where no gateway
shows a young block; 3 could not run.")]
pub(crate) struct HistoryArgs {
    /// Identifier, or book/line
    target: String,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// How a history is told.
#[derive(Args, Debug)]
pub(crate) struct Telling {
    /// State whether the chain of acts is complete; the exit code says so as well
    #[arg(long)]
    prove: bool,
    /// With --prove: how old the newest block may be, such as 90s, 30m or 2h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = moment::parse_span)]
    max_age: u32,
    /// Write the history with its proof to a file, for fengni check
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `fengni check`.
#[derive(Args, Debug)]
#[command(
    after_help = "What a file proves is the past: a verdict is that of its block's time, and says nothing about today.

Exit codes: 0 complete, or valid then; 1 refused; 2 undecided; 3 could not run.

Examples:
  fengni check c1.history --genesis genesis.bin
  fengni check case.history --slip slips/YS20260309000317.slip.json --genesis genesis.bin
  fengni check lin.verdict --checkpoint genesis.bin
  fengni check march.audit --genesis genesis.bin"
)]
pub(crate) struct CheckArgs {
    /// File of a history, of a verdict or of an audit
    file: PathBuf,
    /// The slip of the case that it is to be the history of
    #[arg(long, value_name = "FILE")]
    slip: Option<PathBuf>,
    /// Founding document to trust from, as genesis.bin or genesis.toml
    #[arg(long, alias = "checkpoint", value_name = "FILE")]
    genesis: PathBuf,
}

pub(crate) fn run(args: &HistoryArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let place = Target::parse(&args.target)?.place(&mut connection);
    match place.and_then(|place| args.telling.tell(place, None, &mut connection, output)) {
        Ok(ending) => Ok(ending),
        Err(error) => unproven::undecided(error, output),
    }
}

impl Telling {
    /// Tells a line's history.
    ///
    /// - `title`: what people call it.
    pub(crate) fn tell(
        &self,
        place: LinePlace,
        title: Option<&str>,
        connection: &mut Connection,
        output: Output,
    ) -> Result<Ending> {
        let mut told = told(place, connection, &mut Names::default())?;
        connection.save(output);
        if let Some(path) = &self.out {
            told.save(path, connection)?;
            output.progress(&format!(
                "wrote {}; next: fengni check {} --genesis genesis.bin",
                path.display(),
                path.display()
            ));
        }
        let age_secs = clock::now().0.saturating_sub(told.newest.time.0) / 1000;
        told.story.stale_secs = Some(age_secs).filter(|age| self.prove && *age > u64::from(self.max_age));
        told.story.title = title.map(str::to_owned);
        let header = &told.whole.proof.header;
        let signed = told.whole.proof.certificate.signatures.len();
        let validators = connection.ledger.light().validators_at(header.height)?.len();
        answer_history(&told.story, (signed, validators), Vec::new(), self.prove, output)
    }
}

/// A line's history with what proves it.
pub(crate) struct ToldHistory {
    /// What happened.
    pub(crate) story: Story,
    /// The newest block that any gateway shows.
    pub(crate) newest: Header,
    place: LinePlace,
    whole: Whole,
    headers: Vec<FinalHeader>,
}

impl ToldHistory {
    /// Writes the history with its proof, for `fengni check`.
    pub(crate) fn save(&self, path: &Path, connection: &mut Connection) -> Result<()> {
        let Whole { history, proof, origin_proofs, .. } = &self.whole;
        let found = FinalHeader { header: proof.header.clone(), certificate: proof.certificate.clone() };
        let handovers = connection.ledger.handovers(&connection.genesis.checkpoint(), &found)?;
        let first = history.chapters.first().map_or(self.place, |chapter| chapter.place);
        let (events, headers) = (self.story.events.clone(), self.headers.clone());
        HistoryFile::new(first, proof, events, headers, handovers, origin_proofs).save(path)
    }
}

/// A line with its book, by the newest block that any gateway shows; `None` where there is none.
pub(crate) fn line(place: LinePlace, connection: &mut Connection) -> Result<Option<(Book, Line)>> {
    connection.ledger.follow()?;
    let at = connection.ledger.highest()?.0.height;
    let book = Place::Record(Shelf::Books, place.book.0);
    let line = Place::Line(place.book, place.line);
    let head = connection.ledger.prove_at(&[book], at)?.value.1;
    let record: Book = head.record(place.book.0)?;
    if place.line.0 >= record.lines {
        return Ok(None);
    }
    let found = connection.ledger.prove_at(&[line], at)?.value.1.line(place)?;
    Ok(Some((record, found)))
}

/// Everything that happened on a line, before it and after it.
///
/// - `names`: reads what codes are called once, for however many lines.
pub(crate) fn told(place: LinePlace, connection: &mut Connection, names: &mut Names) -> Result<ToldHistory> {
    // By the newest block that any of the gateways shows: none can offer an older state as the present.
    connection.ledger.follow()?;
    let newest = connection.ledger.highest()?.0;
    let whole = history::whole(&mut connection.ledger, place, newest.height)?;
    let headers = headers(connection, &whole.history)?;
    let mut story = Story::new(whole.history.clone(), &headers, &connection.genesis)?;
    story.origin = whole.origin;
    story.notes = connection.ledger.gateway().troubles().iter().map(ToString::to_string).collect();
    // Members vote for codes: those of the founding may be few, or old.
    story.name_codes(names.codes(connection)?);
    Ok(ToldHistory { story, newest, place, whole, headers })
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
pub(crate) struct Story {
    /// What is proven.
    pub(crate) history: History,
    /// The same as people read it.
    pub(crate) events: Vec<Value>,
    times: BTreeMap<Height, Millis>,
    reasons: BTreeMap<(&'static str, u16), String>,
    /// Where the first line comes from, as far as that was shown.
    origin: Option<Origin>,
    /// What nodes gave that does not hold, or left out.
    notes: Vec<String>,
    /// The age of the newest block, where that is too old to speak of the present.
    stale_secs: Option<u64>,
    /// What people call the line.
    title: Option<String>,
}

impl Story {
    /// - `headers`: accepted by a light client.
    fn new(history: History, headers: &[FinalHeader], genesis: &Genesis) -> Result<Self> {
        let times: BTreeMap<Height, Millis> =
            headers.iter().map(|found| (found.header.height, found.header.time)).collect();
        let events = events(&history, &times)?;
        let reasons = BTreeMap::new();
        let mut story =
            Self { history, events, times, reasons, origin: None, notes: Vec::new(), stale_secs: None, title: None };
        story.name_codes(&genesis.codes);
        Ok(story)
    }

    /// What reasons and steps are called.
    fn name_codes(&mut self, sets: &[CodeSet]) {
        for set in sets {
            let Some(name) = ["reasons", "steps"].into_iter().find(|name| *name == set.name) else { continue };
            let named = set.codes.iter().filter_map(|code| Some(((name, code.code.parse().ok()?), code.name.clone())));
            self.reasons.extend(named);
        }
    }

    /// When and what the latest act was, or the seal.
    pub(crate) fn last(&self) -> (String, String) {
        let last = self.history.told().pop();
        last.map_or_else(Default::default, |told| {
            let what = told.event.map_or(told.act.clone(), |event| match event.kind {
                ActKind::Step => self.reason(event),
                _ => told.act.clone(),
            });
            (self.when(told.height), what)
        })
    }

    fn when(&self, height: Height) -> String {
        self.times.get(&height).map_or_else(String::new, |time| time.show())
    }

    fn reason(&self, event: &Event) -> String {
        let known =
            event.reason_name.clone().or_else(|| self.reasons.get(&(event.kind.reasons(), event.reason.0)).cloned());
        known.map_or_else(|| event.reason.to_string(), |name| format!("{} {name}", event.reason))
    }
}

pub(crate) fn check(args: &CheckArgs, output: Output) -> Result<Ending> {
    let genesis = load_genesis(&args.genesis)?;
    let mut light = LightClient::of_the_past(genesis.checkpoint());
    let text = file::read(&args.file)?;
    if file::kind(&text).as_deref() == Some(kept::KIND) {
        return check_verdict(&Kept::parse(&text, &args.file)?, &mut light, output);
    }
    if file::kind(&text).as_deref() == Some(saved::KIND) {
        return Saved::parse(&text, &args.file)?.check(&mut light, output);
    }
    let file = HistoryFile::parse(&text, &args.file)?;
    let proof = file.state_proof();
    let now = clock::now();
    let judged = file.handovers.iter().try_for_each(|handover| light.follow(handover, now));
    let judged = judged
        .and_then(|()| file.headers.iter().try_for_each(|found| light.accept(&found.header, &found.certificate, now)));
    let proven = match judged.and_then(|()| light.prove(&proof, now)) {
        Ok(proven) => proven,
        Err(error) => return Ok(not_proven(&error, output)),
    };
    let mut history = match History::read(&proven, file.place) {
        Ok(history) => history,
        Err(error) => return Ok(not_proven(&LightError::Proof(error), output)),
    };
    let before: Vec<Proven> = match file.origin().map(|proof| light.prove(&proof, now)).collect() {
        Ok(before) => before,
        Err(error) => return Ok(not_proven(&error, output)),
    };
    let origin = history.begins(&before);
    let mut story = Story::new(history, &file.headers, &genesis)?;
    story.origin = origin;
    let missing = heights(&story.history).into_iter().find(|height| !story.times.contains_key(height));
    let mut defects = match story.history.gaps.is_empty() {
        // Where the proof has a gap, the words after it are numbered otherwise: the gap says it all.
        true => differences(&file.events, &story.events),
        false => story.history.gaps.iter().map(|gap| named_gap(gap, &file.events)).collect(),
    };
    if let Some(path) = &args.slip {
        let slip = case::read_slip(path, proof.header.network)?;
        let line = proven.line(slip.place).ok().filter(|_| slip.place == file.place);
        let is_its = line.is_some_and(|line| line.commitment == slip.case.commitment(&proof.header.domain()));
        let subject = story.history.chapters.first().map(|chapter| chapter.subject);
        if !is_its || subject != Some(Subject::Cases) {
            defects.push(format!("the history is not that of the slip's case, at {}", slip.place));
        }
        story.title = Some(case::title(&slip));
    }
    // The header of the proof is of the founding's network, else nothing were proven.
    defects.extend(other_network(file.network, proof.header.network));
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
        lines.push(format!("at {}, by the state of that block:", block.show()));
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
    let ending = match (defects.is_empty(), story.stale_secs) {
        (false, _) if prove => Ending::Refused,
        (true, Some(_)) => Ending::Undecided,
        _ => Ending::Holds,
    };
    let result = match (defects.is_empty(), story.stale_secs) {
        (false, _) => "incomplete",
        (true, Some(_)) => "undecided",
        (true, None) => "complete",
    };
    let facts = json!({
        "result": result,
        "complete": result == "complete",
        "title": story.title,
        "defects": defects,
        "statement": statement(story, (signatures, validators)),
        "origin": story.origin,
        "troubles": story.notes,
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
    let name = |actor: &Actor| actor.name.clone().unwrap_or_else(|| format!("member {}", actor.member));
    let rows = story.history.told().into_iter().map(|told| {
        [
            told.place.to_string(),
            told.act,
            told.after,
            name(told.by),
            keys(told.keys),
            told.event.map_or_else(String::new, |event| story.reason(event)),
            told.height.to_string(),
            story.when(told.height),
        ]
    });
    let rows = (1..).zip(rows).map(|(seq, [place, act, to, by, keys, reason, height, time]): (u32, _)| {
        [seq.to_string(), place, act, to, by, keys, reason, height, time]
    });
    let mut said: Vec<String> = story.title.iter().cloned().collect();
    said.push(table(["seq", "line", "act", "standing after", "by", "keys", "reason", "height", "time"], rows));
    for chapter in &story.history.chapters {
        let run = |run: &Suspension| {
            format!(
                "{}: suspended together with lines {} to {} now: {}",
                chapter.place,
                run.first,
                run.last,
                cause(run.cause)
            )
        };
        said.extend(chapter.together.iter().map(run));
    }
    said.extend(story.notes.iter().map(|note| format!("note: {note}")));
    let (height, time) = story.history.as_of;
    let proof = format!("header {height} of {} signed by {signatures} of {validators} validators", time.show());
    let last = story.events.len();
    match story.stale_secs {
        _ if !defects.is_empty() => {
            said.push(format!("incomplete: {}\n{proof}\nnext: ask another node for the history", defects.join("; ")));
        }
        Some(age) => said.push(format!(
            "undecided: no act is missing of {last} events up to {proof}, which is {} old: what came since is not shown\nnext: ask another gateway as well",
            moment::age(age)
        )),
        None => {
            said.push(format!("complete: {last} events, seq 1 to {last}, no act missing; {proof}"));
            said.extend(statement(story, (signatures, validators)).iter().map(|step| format!("  {step}")));
        }
    }
    said.join("\n")
}

/// The statement of completeness, step by step: what binds the events to the quorum, and what tells
/// where they begin and end.
fn statement(story: &Story, (signatures, validators): (usize, usize)) -> Vec<String> {
    let chapters = &story.history.chapters;
    let mut said = vec![match story.origin {
        Some(Origin::Issued) => {
            "the first line was issued: no act of its height made another line go on in it".to_owned()
        }
        _ => "where the first line comes from is not shown".to_owned(),
    }];
    for chapter in chapters {
        let acts = chapter.events.len();
        said.push(format!(
            "{}: {acts} acts, each naming the one before; the page's list of heads names the last",
            chapter.place
        ));
        said.extend(chapter.events.iter().filter_map(|event| {
            Some(format!("{}: act {} makes it go on at {}", chapter.place, event.number, event.successor?))
        }));
    }
    said.push(
        "the book's record binds its lists of pages, seals, acts and heads; the state root binds the record".to_owned(),
    );
    said.push(
        "suspensions of many lines by one act are shown as they are now; those lifted before leave no act".to_owned(),
    );
    said.push(format!(
        "header {} binds the state root; {signatures} of {validators} validators signed it",
        story.history.as_of.0
    ));
    said
}

/// Why lines are suspended together.
fn cause(cause: SuspensionCause) -> String {
    match cause {
        SuspensionCause::Key { key } => format!("key {key} of whoever sealed them is revoked"),
        SuspensionCause::Order { order } => format!("order {order}"),
    }
}

fn keys(keys: &[fengni_core::KeyNumber]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
