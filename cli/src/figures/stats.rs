//! `fengni stats`: how often what was done (SVC-06), from proven blocks, and as nodes counted it.

use std::io;

use anyhow::{Result, bail};
use clap::Args;
use fengni_client::report::{Figure, Figures};
use fengni_core::id::Division;
use fengni_core::outcome::Refusal;
use fengni_core::{MemberNumber, TypeNumber};
use serde::Serialize;
use serde_json::{Value, json};

use super::called::Called;
use super::nodes::NodeFigures;
use super::time::{Time, TimeArgs};
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::export::harmless;
use crate::output::{Output, table};
use crate::unproven;

/// What the push service sends.
const MESSAGES: &[&str] = &["sms", "e-mails"];
/// What no figure is of, and why: named rather than shown as nought.
const UNCOUNTED: [(&[&str], &str); 2] = [
    (&["displays"], "a phone shows a code without asking any node"),
    (MESSAGES, "fengni-push counts them; next: fengni-push counters --json > push.json, and --node push.json"),
];

/// `fengni stats`.
#[derive(Args, Debug)]
#[command(
    after_help = "Figures of the ledger are counted from blocks that a quorum signed, so that they are the same from any
gateway. With --node, what nodes counted themselves is added up: visits, queries by kind, submissions,
problems; and what fengni-push counted: messages by channel. Each figure says where it is from.

Exit codes: 0 counted; 2 undecided, such as where a gateway leaves a block out, a node does not answer
or the newest block is old; 3 could not run.

Examples:
  fengni stats --network net
  fengni stats --from 2026-11-01 --to 2026-11-30 --csv --network net > november.csv
  fengni stats --node http://127.0.0.1:27004 --node http://127.0.0.1:27009 --network net
  fengni-push counters --json > push.json && fengni stats --node push.json --network net
  fengni stats --from 1200 --to 1999 --json --gateway https://a.example --genesis genesis.bin"
)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    time: TimeArgs,
    /// URL of a node's operator's listener, or a file of counters, such as fengni-push writes: these are
    /// added; may be given several times
    #[arg(long = "node", value_name = "URL|FILE")]
    nodes: Vec<String>,
    /// Answer as comma-separated values
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// A figure and where it is from.
#[derive(Serialize, Default)]
struct Row {
    /// `ledger`, or `nodes`.
    source: &'static str,
    category: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_type: Option<TypeNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    division: Option<Division>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
    count: u64,
}

/// What no figure is of among these.
fn uncounted(nodes: &NodeFigures) -> impl Iterator<Item = &'static (&'static [&'static str], &'static str)> {
    let has_messages = nodes.sums.keys().any(|place| place.category == "messages");
    UNCOUNTED.iter().filter(move |(what, _)| !has_messages || *what != MESSAGES)
}

impl From<Figure> for Row {
    fn from(Figure { place, count }: Figure) -> Self {
        let category = serde_json::to_value(place.category).ok();
        Self {
            source: "ledger",
            category: category.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(),
            kind: place.kind.map(|kind| kind.word().to_owned()),
            certificate_type: place.certificate_type,
            member: place.member,
            division: place.division,
            refusal: place.refusal,
            count,
        }
    }
}

/// Names of the columns of values; new ones are added at the end.
const COLUMNS: [&str; 10] = [
    "source",
    "category",
    "kind",
    "certificate_type",
    "type_name",
    "member",
    "member_name",
    "division",
    "refusal",
    "count",
];

impl Row {
    fn cells(&self, called: &Called) -> [String; COLUMNS.len()] {
        fn cell<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        [
            self.source.to_owned(),
            self.category.clone(),
            self.kind.clone().unwrap_or_default(),
            cell(self.certificate_type),
            self.certificate_type.map(|number| called.certificate_type(number)).unwrap_or_default(),
            cell(self.member),
            self.member.map(|number| called.member(number)).unwrap_or_default(),
            cell(self.division),
            cell(self.refusal.map(|refusal| refusal.number())),
            self.count.to_string(),
        ]
    }
}

pub(crate) fn run(args: &StatsArgs, output: Output) -> Result<Ending> {
    if args.csv && output.is_json() {
        bail!("--csv and --json are two forms; next: name one");
    }
    let mut connection = args.connect.open(None)?;
    let time = match args.time.find(&mut connection) {
        Ok(time) => time,
        Err(error) => return unproven::undecided(error, output),
    };
    let nodes = NodeFigures::ask(&args.nodes, args.time.edges())?;
    let mut figures = Figures::default();
    if let Err(error) = time.read(&mut connection, output, &mut |events| figures.block(events)) {
        return unproven::undecided(error.into(), output);
    }
    let called = if output.is_json() { Called::default() } else { Called::load(&mut connection) };
    connection.save(output);
    let mut rows: Vec<Row> = figures.iter().map(Row::from).collect();
    rows.extend(nodes.sums.iter().map(|(place, count)| Row {
        source: "nodes",
        category: place.category.to_owned(),
        kind: place.kind.clone(),
        count: *count,
        ..Row::default()
    }));
    if args.csv {
        output.text(&values(&rows, &called)?);
    } else {
        output.answer(&facts(&time, &rows, &nodes), || text(&time, &rows, &nodes, &called));
    }
    for asked in &nodes.asked {
        if let Some(trouble) = &asked.trouble {
            output.progress(&format!(
                "undecided: {} gives no counters: {trouble}; next: start it, or leave it out",
                asked.node
            ));
        }
    }
    let silent = nodes.asked.iter().any(|asked| asked.trouble.is_some());
    Ok(if silent { Ending::Undecided } else { time.ending(output) })
}

/// Sums of each category, in the order of their rows.
fn totals(rows: &[Row]) -> Vec<(&'static str, &str, u64)> {
    let mut totals: Vec<(&'static str, &str, u64)> = Vec::new();
    for row in rows {
        match totals.last_mut().filter(|(source, category, _)| (*source, *category) == (row.source, &row.category)) {
            Some((_, _, total)) => *total += row.count,
            None => totals.push((row.source, &row.category, row.count)),
        }
    }
    totals
}

fn facts(time: &Time, rows: &[Row], nodes: &NodeFigures) -> Value {
    let totals: Vec<Value> = totals(rows)
        .iter()
        .map(|(source, category, count)| json!({ "source": source, "category": category, "count": count }))
        .collect();
    let left_out: Vec<Value> =
        uncounted(nodes).map(|(names, because)| json!({ "categories": names, "because": because })).collect();
    json!({
        "network": time.newest.network,
        "from_height": time.from,
        "to_height": time.last,
        "ended": time.ended,
        "as_of_height": time.newest.height,
        "as_of_time": time.newest.time,
        "age_secs": time.age_secs,
        "totals": totals,
        "figures": rows,
        "nodes": nodes.asked,
        "uncounted": left_out,
    })
}

fn text(time: &Time, rows: &[Row], nodes: &NodeFigures, called: &Called) -> String {
    let mut shown: Vec<[String; 7]> = Vec::new();
    for (source, category, total) in totals(rows) {
        let row = |cells: [String; 4], count: u64| {
            let [kind, certificate_type, member, division] = cells;
            [source.to_owned(), category.to_owned(), kind, certificate_type, member, division, count.to_string()]
        };
        shown.push(row(Default::default(), total));
        for part in rows.iter().filter(|row| (row.source, row.category.as_str()) == (source, category)) {
            let refusal = part.refusal.map(|refusal| format!(" {}", refusal.name())).unwrap_or_default();
            let kind = part.kind.as_ref().map(|kind| format!("{kind}{refusal}")).unwrap_or_default();
            if kind.is_empty() {
                continue;
            }
            let certificate_type = part.certificate_type.map(|number| called.certificate_type(number));
            let member = part.member.map(|number| called.member(number));
            let division = part.division.map(|division| division.to_string());
            let cells =
                [kind, certificate_type.unwrap_or_default(), member.unwrap_or_default(), division.unwrap_or_default()];
            shown.push(row(cells, part.count));
        }
    }
    let mut said = vec![
        time.text(),
        table(["from", "category", "kind", "type", "member", "region", "count"], shown),
        "ledger: counted from blocks that a quorum signed".to_owned(),
    ];
    for asked in nodes.asked.iter().filter(|asked| asked.trouble.is_none()) {
        let since = asked.since.map(|since| since.show()).unwrap_or_default();
        said.push(format!("nodes: {} says so, and has counted since {since}", asked.node));
    }
    said.extend(uncounted(nodes).map(|(names, because)| format!("not counted: {}: {because}", names.join(", "))));
    said.join("\n")
}

fn values(rows: &[Row], called: &Called) -> Result<String> {
    let mut writer = csv::Writer::from_writer(io::Cursor::new(Vec::new()));
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record(row.cells(called).iter().map(|cell| harmless(cell)))?;
    }
    let written = writer.into_inner().map_err(|error| anyhow::anyhow!("{}", error.error()))?;
    Ok(String::from_utf8(written.into_inner())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_summed_by_source() {
        let row =
            |source, category: &str, count| Row { source, category: category.to_owned(), count, ..Row::default() };
        let rows =
            [row("ledger", "acts", 2), row("ledger", "acts", 3), row("nodes", "acts", 4), row("nodes", "visits", 0)];
        assert_eq!(totals(&rows), [("ledger", "acts", 5), ("nodes", "acts", 4), ("nodes", "visits", 0)]);
        let lines = values(&rows, &Called::default()).expect("plain text");
        assert_eq!(lines.lines().nth(1), Some("ledger,acts,,,,,,,,2"));
    }
}
