//! `fengni audit book`: whether a department's books show everything that the ledger counts (AUD-02).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::audit::{self, Audit, WITHHELD};
use fengni_client::clock;
use fengni_client::ledger::{Ledger, LedgerError};
use fengni_core::BookNumber;
use fengni_core::audit::{Audited, Heights};
use fengni_core::block::Header;
use fengni_core::book::Book;
use fengni_core::record::{CertificateType, Member};
use fengni_core::standing::ActKind;
use serde::Serialize;
use serde_json::{Value, json};

use super::period::{self, Edge};
use super::saved::{Part, Saved};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::moment;
use crate::names::Names;
use crate::output::{Output, table};
use crate::unproven;

/// `fengni audit book`.
#[derive(Args, Debug)]
#[command(
    after_help = "Every line, seal and act that the ledger counts is asked for and hashed up to the book's record;
what a gateway withholds or alters is named, and the next gateway is asked for it. All is judged by the
newest block that any of the gateways shows: one header of another node is enough to notice what one
leaves out.

Exit codes: 0 complete; 1 incomplete or altered; 2 undecided, such as where no gateway shows a young
block; 3 could not run.

Examples:
  fengni audit book 0 --network net
  fengni audit book PSB --from 2026-03-01 --to 2026-03-31 --network net
  fengni audit book 0 --from 1200 --to 1999 --out march.audit --gateway https://a.example --genesis genesis.bin
  fengni audit book PSB --node-blame --gateway https://a.example --gateway https://b.example --genesis genesis.bin"
)]
pub(crate) struct BookArgs {
    /// Number of a book; or a department, by short name, credit code or name: every book that it opened or
    /// keeps or kept
    #[arg(value_name = "BOOK|DEPARTMENT")]
    target: String,
    /// First day or height; else from the founding
    #[arg(long, value_name = "DATE|HEIGHT")]
    from: Option<Edge>,
    /// Last day or height; else to the newest block
    #[arg(long, value_name = "DATE|HEIGHT")]
    to: Option<Edge>,
    /// How old the newest block may be, such as 90s, 30m or 2h, where the time reaches to it
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = moment::parse_span)]
    max_age: u32,
    /// Ask every gateway for everything, and say which of them withholds or alters what
    #[arg(long)]
    node_blame: bool,
    /// Write the counts with their proof to a file, for fengni check
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What was found in one book.
#[derive(Serialize)]
struct Found {
    /// Name of its type.
    #[serde(rename = "type")]
    kind: String,
    /// Name of who keeps it.
    keeper: String,
    /// Lines, seals and acts that its record counts in all.
    recorded: [u64; 3],
    #[serde(flatten)]
    words: Value,
    ended_early: bool,
    #[serde(skip)]
    audit: Audit,
}

/// What one gateway gave, asked alone.
#[derive(Serialize)]
struct Blame {
    gateway: String,
    complete: bool,
    says: Vec<String>,
}

pub(crate) fn run(args: &BookArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let followed = connection.ledger.follow();
    let newest = match followed.and_then(|()| connection.ledger.highest()) {
        Ok((newest, _)) => newest,
        Err(error) => return unproven::undecided(error.into(), output),
    };
    let heights = period::heights(&mut connection.ledger, args.from, args.to, &newest)?;
    let numbers = match books(args, &newest, &mut connection) {
        Ok(numbers) => numbers,
        Err(error) => return unproven::undecided(error, output),
    };
    let mut found = Vec::new();
    for number in &numbers {
        match audit_one(&mut connection.ledger, *number, heights, &newest, output) {
            Ok(audit) => found.push(describe(&mut connection.ledger, audit)?),
            Err(error) => return unproven::undecided(error.into(), output),
        }
    }
    connection.save(output);
    if let Some(path) = &args.out {
        save(path, &found, heights, &mut connection, output)?;
    }
    let blames = if args.node_blame { blame(&connection.ledger, &numbers, heights, &newest)? } else { Vec::new() };
    let age_secs = clock::now().0.saturating_sub(newest.time.0) / 1000;
    // What was before the newest block does not grow old.
    let stale = heights.to > newest.height && age_secs > u64::from(args.max_age);
    let complete = found.iter().all(|found| found.audit.audited.is_complete() && !found.ended_early);
    let ending = match (complete, stale) {
        (false, _) => Ending::Refused,
        (true, true) => Ending::Undecided,
        (true, false) => Ending::Holds,
    };
    let signed = signatures(&mut connection.ledger, &newest)?;
    let troubles = connection.ledger.gateway().troubles().iter().map(ToString::to_string).collect();
    let summary = Summary { args, heights, newest, age_secs, signed, ending, found, troubles, blames };
    output.answer(&summary.facts(), || summary.text());
    Ok(ending)
}

fn signatures(ledger: &mut Ledger, newest: &Header) -> Result<(usize, usize)> {
    let signed = match ledger.light().header_at(newest.height) {
        Some(found) => found.certificate.signatures.len(),
        None => ledger.header(newest.height)?.value.certificate.signatures.len(),
    };
    Ok((signed, ledger.light().validators_at(newest.height)?.len()))
}

/// The books that are meant.
fn books(args: &BookArgs, newest: &Header, connection: &mut Connection) -> Result<Vec<BookNumber>> {
    let books: Vec<Book> = connection.ledger.shelf_at(newest.height)?;
    if let Ok(number) = args.target.parse::<u32>() {
        if number as usize >= books.len() {
            bail!("there is no book {number}, the register has {}; next: fengni books", books.len());
        }
        return Ok(vec![BookNumber(number)]);
    }
    let member = Names::default().member(connection, &args.target)?;
    let kept = books.iter().zip(0..).filter(|(book, _)| book.was_kept_by(member));
    let numbers: Vec<BookNumber> = kept.map(|(_, number)| BookNumber(number)).collect();
    if numbers.is_empty() {
        bail!("{} has opened and keeps no book; next: fengni books", args.target);
    }
    Ok(numbers)
}

fn audit_one(
    ledger: &mut Ledger,
    number: BookNumber,
    heights: Heights,
    newest: &Header,
    output: Output,
) -> Result<Audit, LedgerError> {
    let bar = output.bar("entries", 0);
    let audit = audit::book(ledger, number, heights, newest.height, &mut |done, about| {
        bar.set_length(about.max(done));
        bar.set_position(done);
    });
    bar.finish_and_clear();
    audit
}

fn describe(ledger: &mut Ledger, audit: Audit) -> Result<Found> {
    let keeper = audit.record.keeper;
    // Names are for people: where nobody gives them, numbers will do.
    let kind = match audit.record.certificate_type() {
        None => "cases 办件".to_owned(),
        Some(kind) => {
            let named = ledger.record::<CertificateType>(kind.0).ok().map(|record| record.name);
            named.unwrap_or_else(|| format!("type {kind}"))
        }
    };
    let keepers = ledger.record::<Member>(keeper.0).ok().map(|record| record.name);
    let mut words = serde_json::to_value(&audit.audited)?;
    let said: Vec<Value> = audit.audited.defects.iter().map(|defect| defect.to_string().into()).collect();
    if let Some(fields) = words.as_object_mut() {
        fields.insert("says".to_owned(), said.into());
    }
    Ok(Found {
        kind,
        keeper: keepers.unwrap_or_else(|| format!("member {keeper}")),
        recorded: [audit.record.lines, audit.record.seals.size, audit.record.acts.size],
        words,
        ended_early: audit.ended_early,
        audit,
    })
}

fn save(path: &Path, found: &[Found], heights: Heights, connection: &mut Connection, output: Output) -> Result<()> {
    let parts: Option<Vec<Part>> = found.iter().map(|found| Part::of(&found.audit)).collect();
    let parts = parts.context("no gateway gave the proof of the counts, so that there is nothing to write")?;
    Saved::new(parts, heights, connection)?.save(path)?;
    let path = path.display();
    output.progress(&format!("wrote {path}; next: fengni check {path} --genesis genesis.bin"));
    Ok(())
}

/// What each gateway gives when it is asked alone.
fn blame(ledger: &Ledger, numbers: &[BookNumber], heights: Heights, newest: &Header) -> Result<Vec<Blame>> {
    let mut blames = Vec::new();
    for mut alone in ledger.each() {
        let gateway = alone.gateway().nodes().first().map(|node| node.name().to_owned()).unwrap_or_default();
        let mut says: Vec<String> = Vec::new();
        for number in numbers {
            match audit::book(&mut alone, *number, heights, newest.height, &mut |_, _| ()) {
                Ok(audit) => {
                    says.extend(audit.audited.defects.iter().map(|defect| format!("book {number}: {defect}")));
                }
                Err(error) => says.push(format!("book {number}: {error}")),
            }
        }
        if !says.is_empty() {
            says.extend(alone.gateway().troubles().iter().map(|found| found.trouble.to_string()));
        }
        blames.push(Blame { gateway, complete: says.is_empty(), says });
    }
    Ok(blames)
}

/// The whole answer.
struct Summary<'a> {
    args: &'a BookArgs,
    heights: Heights,
    newest: Header,
    age_secs: u64,
    /// Signatures under the newest header, and validators.
    signed: (usize, usize),
    ending: Ending,
    found: Vec<Found>,
    /// What gateways gave that does not hold, or did not give.
    troubles: Vec<String>,
    blames: Vec<Blame>,
}

impl Summary<'_> {
    fn result(&self) -> &'static str {
        match self.ending {
            Ending::Holds => "complete",
            Ending::Undecided => "undecided",
            _ => "incomplete",
        }
    }

    fn sum(&self, of: impl Fn(&Audited) -> u64) -> u64 {
        self.found.iter().map(|found| of(&found.audit.audited)).sum()
    }

    fn facts(&self) -> Value {
        json!({
            "result": self.result(),
            "complete": self.ending == Ending::Holds,
            "as_of_height": self.newest.height,
            "as_of_time": self.newest.time,
            "age_secs": self.age_secs,
            "signatures": self.signed.0,
            "validators": self.signed.1,
            "from_height": self.heights.from,
            "to_height": self.last(),
            "seals": self.sum(|found| found.seals),
            "lines": self.sum(|found| found.lines),
            "acts": self.sum(|found| found.acts),
            "books": self.found,
            "troubles": self.troubles,
            "gateways": self.blames,
        })
    }

    /// The last height of the time.
    fn last(&self) -> u64 {
        self.heights.to.min(self.newest.height).0
    }

    fn text(&self) -> String {
        let rows = self.found.iter().map(|found| {
            let Audited { book, seals, lines, acts, pages, .. } = &found.audit.audited;
            let counter =
                found.audit.audited.counter.map_or_else(|| "-".to_owned(), |(first, last)| format!("{first}…{last}"));
            let kinds = kinds(&found.audit.audited);
            let issues = format!("{lines} issues + {acts}{kinds}");
            [
                book.to_string(),
                found.kind.clone(),
                found.keeper.clone(),
                counter,
                issues,
                seals.to_string(),
                pages.to_string(),
            ]
        });
        let mut said = vec![table(["book", "type", "keeper", "counter", "events", "seals", "pages hashed"], rows)];
        for found in &self.found {
            let book = found.audit.audited.book;
            said.extend(found.audit.audited.defects.iter().map(|defect| format!("book {book}: {defect}")));
            if found.ended_early {
                said.push(format!("book {book}: ended early, {WITHHELD} entries are withheld; there may be more"));
            }
        }
        said.extend(self.troubles.iter().map(|trouble| format!("note: {trouble}")));
        for blame in &self.blames {
            let says = if blame.complete { "gives everything".to_owned() } else { blame.says.join("; ") };
            said.push(format!("gateway {}: {says}", blame.gateway));
        }
        said.push(self.conclusion());
        said.join("\n")
    }

    fn conclusion(&self) -> String {
        let (signatures, validators) = self.signed;
        let height = self.newest.height;
        let time = self.newest.time.show();
        let proof = format!("header {height} of {time} signed by {signatures} of {validators} validators");
        let edge = |edge: &Option<Edge>| edge.map_or_else(String::new, |edge| edge.to_string());
        let days = match (&self.args.from, &self.args.to) {
            (None, None) => String::new(),
            (from, to) => format!(" {}…{}", edge(from), edge(to)),
        };
        let span = format!("{}{days}, heights {} to {}", self.args.target, self.heights.from, self.last());
        match self.ending {
            Ending::Holds => {
                let (lines, acts) = (self.sum(|found| found.lines), self.sum(|found| found.acts));
                format!("complete: {span}: {lines} issues + {acts}, none missing; {proof}")
            }
            Ending::Undecided => format!(
                "undecided: nothing is missing up to height {height}, which is {} old: what came since is not shown; {proof}\nnext: ask another gateway as well",
                moment::age(self.age_secs)
            ),
            _ => format!("incomplete: {span}; {proof}\nnext: ask another gateway, and report the one that withholds"),
        }
    }
}

/// Acts by kind, in brackets.
fn kinds(audited: &Audited) -> String {
    let name = |kind: &ActKind| serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned));
    let counts: BTreeMap<String, u64> =
        audited.kinds.iter().filter_map(|(kind, count)| Some((name(kind)?, *count))).collect();
    let said: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_counted_by_kind() {
        let audited = Audited { kinds: vec![(ActKind::Suspend, 2), (ActKind::Return, 1)], ..Audited::default() };
        assert_eq!(kinds(&audited), " (return 1, suspend 2)");
        assert_eq!(kinds(&Audited::default()), "");
    }
}
