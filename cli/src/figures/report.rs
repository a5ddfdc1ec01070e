//! `fengni report`: what a regulator looks at (AUD-07, CRT-11), the same from any node. Rule E-8.

use anyhow::Result;
use clap::Args;
use fengni_client::report::{Overdue, OverdueRow, RefusalRow, Supervision, Thresholds, UNRECORDED, UsageRow};
use fengni_core::Domain;
use fengni_core::block::Header;
use serde_json::{Value, json};

use super::called::Called;
use super::time::{Time, TimeArgs};
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::output::{Output, table};
use crate::unproven;

/// Version of the report's form.
const REPORT: u16 = 1;

/// `fengni report`.
#[derive(Args, Debug)]
#[command(
    after_help = "Overdue issuance, refusals, repeats and frequent users, from blocks that a quorum signed alone: with
--json, two reports of the same heights and thresholds have the same bytes, whichever node was asked.
A day that is over has the same heights everywhere.

Exit codes: 0 written; 2 undecided, such as where a gateway leaves a block out or the newest block is
old; 3 could not run.

Examples:
  fengni report --from 2026-11-01 --to 2026-11-30 --network net
  fengni report --from 1 --to 1999 --json --gateway https://a.example --genesis genesis.bin | sha256sum
  fengni report --from 2026-11-23 --to 2026-11-23 --over-transactions 200 --network net"
)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    time: TimeArgs,
    /// A member's day with more transactions than this is frequent use
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, help_heading = "Thresholds")]
    over_transactions: u64,
    /// A member's day with more lines sealed than this is frequent use
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, help_heading = "Thresholds")]
    over_lines: u64,
    /// A member's day with more acts on certificates than this is frequent use
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, help_heading = "Thresholds")]
    over_acts: u64,
    #[command(flatten)]
    connect: ConnectArgs,
}

impl ReportArgs {
    fn thresholds(&self) -> Thresholds {
        let Self { over_transactions, over_lines, over_acts, .. } = *self;
        Thresholds { transactions: over_transactions, lines: over_lines, acts: over_acts }
    }
}

pub(crate) fn run(args: &ReportArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let time = match args.time.find(&mut connection) {
        Ok(time) => time,
        Err(error) => return unproven::undecided(error, output),
    };
    let mut supervision = Supervision::default();
    let read = time.read(&mut connection, output, &mut |events| supervision.block(events));
    let last = match read.map_err(Into::into).and_then(|()| time.last_header(&mut connection)) {
        Ok(last) => last,
        Err(error) => return unproven::undecided(error, output),
    };
    let called = if output.is_json() { Called::default() } else { Called::load(&mut connection) };
    let domain = connection.ledger.domain();
    connection.save(output);
    let thresholds = args.thresholds();
    let facts = facts(&domain, &time, last.as_ref(), &supervision, thresholds);
    output.answer(&facts, || text(&time, &supervision, thresholds, &called));
    Ok(time.ending(output))
}

fn facts(
    domain: &Domain,
    time: &Time,
    last: Option<&Header>,
    supervision: &Supervision,
    thresholds: Thresholds,
) -> Value {
    let Supervision { overdue, refused, usage } = supervision;
    let unrecorded: Vec<Value> =
        UNRECORDED.iter().map(|(report, because)| json!({ "report": report, "because": because })).collect();
    json!({
        "report": REPORT,
        "network": domain.network,
        "from_height": time.from,
        "to_height": time.last,
        "last_block": last.map(|header| header.id(domain)),
        "last_time": last.map(|header| header.time),
        "ended": time.ended,
        "thresholds": thresholds,
        "overdue": { "rows": overdue.rows().collect::<Vec<_>>(), "seals": overdue.seals() },
        "refusals": refused.rows().collect::<Vec<_>>(),
        "repeats": refused.repeats().collect::<Vec<_>>(),
        "frequent_users": usage.above(thresholds).collect::<Vec<_>>(),
        "unrecorded": unrecorded,
    })
}

fn text(time: &Time, supervision: &Supervision, thresholds: Thresholds, called: &Called) -> String {
    let Supervision { overdue, refused, usage } = supervision;
    let Thresholds { transactions, lines, acts } = thresholds;
    let said = [
        time.text(),
        format!("\noverdue issuance\n{}", overdue_text(overdue, called)),
        format!("\nrefusals\n{}", refusals(refused.rows(), called)),
        format!("\nrepeats: refused because the same was there already\n{}", refusals(refused.repeats(), called)),
        format!(
            "\nfrequent users: days above {transactions} transactions, {lines} lines or {acts} acts\n{}",
            frequent(usage.above(thresholds), called)
        ),
    ];
    let unrecorded = UNRECORDED.iter().map(|(report, because)| format!("\nnot recorded: {report}: {because}"));
    said.into_iter().chain(unrecorded).collect::<Vec<_>>().join("\n")
}

/// A table, or that there is nothing to show.
fn table_or_none<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() { "none".to_owned() } else { table(header, rows) }
}

fn overdue_text(overdue: &Overdue, called: &Called) -> String {
    let rows: Vec<OverdueRow> = overdue.rows().collect();
    if rows.iter().all(|row| row.timed.seals == 0) {
        let lines: u64 = rows.iter().map(|row| row.untimed.lines).sum();
        return format!("of {lines} lines none had a day by which to be sealed");
    }
    let shown = rows.iter().map(|row| {
        let kind = row.certificate_type.map(|number| called.certificate_type(number)).unwrap_or_default();
        let counts =
            [row.untimed.lines, row.timed.lines, row.late.lines, row.late.seals].map(|count| count.to_string());
        let [untimed, timed, late, seals] = counts;
        [kind, called.member(row.member), untimed, timed, late, seals]
    });
    let mut said = vec![table(["type", "member", "lines without a limit", "with one", "late", "late seals"], shown)];
    said.extend(overdue.seals().iter().map(|seal| {
        let number = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        format!(
            "late by {} days: seal {} of book {}, {} lines, due {}, sealed {}",
            seal.late_days,
            number(seal.seal.map(|seal| seal.to_string())),
            number(seal.book.map(|book| book.to_string())),
            seal.lines,
            seal.due.as_deref().unwrap_or("-"),
            seal.sealed
        )
    }));
    said.join("\n")
}

fn refusals(rows: impl Iterator<Item = RefusalRow>, called: &Called) -> String {
    let shown = rows.map(|row| {
        let kind = row.certificate_type.map(|number| called.certificate_type(number)).unwrap_or_default();
        let refusal = format!("{} {}", row.refusal.number(), row.name);
        [called.member(row.member), refusal, row.kind.to_string(), kind, row.count.to_string()]
    });
    table_or_none(["member", "refusal", "asked", "type", "count"], shown.collect())
}

fn frequent(rows: impl Iterator<Item = UsageRow>, called: &Called) -> String {
    let shown = rows.map(|row| {
        let counts = [row.used.transactions, row.used.refused, row.used.lines, row.used.acts];
        let [transactions, refused, lines, acts] = counts.map(|count| count.to_string());
        [called.member(row.member), row.day, transactions, refused, lines, acts]
    });
    table_or_none(["member", "day", "transactions", "refused", "lines", "acts"], shown.collect())
}
