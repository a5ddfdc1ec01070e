//! `fengni watch`: what the ledger does, as it happens, every event bound by a final header.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use fengni_client::clock;
use fengni_client::events::Follow;
use fengni_core::NetworkId;
use fengni_core::event::{Event, Filter, Position};

use crate::case;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::moment;
use crate::output::Output;
use crate::private;

/// How often a quiet ledger is asked.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after trouble.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// `fengni watch`.
#[derive(Args, Debug)]
#[command(after_help = "Every block is held against a header that a quorum signed, so that no node leaves an event out
or adds one. With --position the file remembers what was shown: the next run goes on there, and an
event that was on its way when the program was killed is shown again, with the same position.

--line and --book show events that name the line or the book. One of a wider scope names neither: an
order about a type or a keeper, the lifting of an order, a revoked key. Follow these besides, with
--kind order --kind lift-order --kind revoke-key --kind confirm and no --line, --book, --type or
--division.

Runs until it is interrupted; with --count it ends by itself, with exit code 0.

Examples:
  fengni watch --network net
  fengni watch --case slips/YS20260309000317.slip.json --network net
  fengni watch --kind suspend --kind return --division 31 --json --network net
  fengni watch --line 0/417 --position c1.position --gateway https://gateway.example --genesis genesis.bin
  fengni watch --since 0.0.0 --count 10 --network net")]
pub(crate) struct WatchArgs {
    /// Kind of event, such as seal or suspend; may be given several times
    #[arg(long = "kind", value_name = "KIND", help_heading = "Filter")]
    kinds: Vec<String>,
    /// Topic: certificates, cases, agreements, members or votes; may be given several times
    #[arg(long = "topic", value_name = "TOPIC", help_heading = "Filter")]
    topics: Vec<String>,
    /// Number of a certificate type
    #[arg(long = "type", value_name = "NUMBER", help_heading = "Filter")]
    types: Vec<String>,
    /// Region, with those inside it
    #[arg(long = "division", value_name = "CODE", help_heading = "Filter")]
    divisions: Vec<String>,
    /// Number of a book
    #[arg(long = "book", value_name = "NUMBER", help_heading = "Filter")]
    books: Vec<String>,
    /// A line, as book/line
    #[arg(long = "line", value_name = "BOOK/LINE", help_heading = "Filter")]
    lines: Vec<String>,
    /// A case, by its applicant's slip
    #[arg(long = "case", value_name = "SLIP", help_heading = "Filter")]
    cases: Vec<PathBuf>,
    /// Number of a member that acts
    #[arg(long = "member", value_name = "NUMBER", help_heading = "Filter")]
    members: Vec<String>,
    /// Show what was refused as well
    #[arg(long, help_heading = "Filter")]
    refused: bool,
    /// Begin after this position; 0.0.0 for all there is; else now
    #[arg(long, value_name = "POSITION")]
    since: Option<String>,
    /// File that remembers the position
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    position: Option<PathBuf>,
    /// How old the newest block may be, such as 90s or 10m, before a note says so
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = moment::parse_span)]
    max_age: u32,
    /// End after so many events
    #[arg(long, value_name = "EVENTS")]
    count: Option<u64>,
    #[command(flatten)]
    connect: ConnectArgs,
}

impl WatchArgs {
    /// - `network`: that of the slips.
    fn filter(&self, network: NetworkId) -> Result<Filter> {
        let slips = self.cases.iter().map(|path| case::read_slip(path, network));
        let slips = slips.map(|slip| slip.map(|slip| format!("{}/{}", slip.place.book, slip.place.line)));
        let lines: Vec<String> = self.lines.iter().cloned().map(Ok).chain(slips).collect::<Result<_>>()?;
        let fields = [
            ("kinds", &self.kinds),
            ("topics", &self.topics),
            ("types", &self.types),
            ("divisions", &self.divisions),
            ("books", &self.books),
            ("lines", &lines),
            ("members", &self.members),
        ];
        let named = fields.into_iter().filter(|(_, values)| !values.is_empty());
        let named: Vec<(&str, String)> = named.map(|(name, values)| (name, values.join(","))).collect();
        let filter = Filter::of(named.iter().map(|(name, text)| (*name, text.as_str())))?;
        Ok(Filter { refused: self.refused, ..filter })
    }

    fn since(&self) -> Result<Option<Position>> {
        let kept = self.position.as_deref().map(read_position).transpose()?.flatten();
        let named = self.since.as_deref().map(str::parse).transpose();
        Ok(named.map_err(|error: &str| anyhow!(error))?.or(kept))
    }
}

pub(crate) fn run(args: &WatchArgs, output: Output) -> Result<Ending> {
    let since = args.since()?;
    let mut connection = args.connect.open(None)?;
    let filter = args.filter(connection.ledger.domain().network)?;
    let mut follow = Follow::new(&mut connection.ledger, filter, since)?;
    remember(args, follow.position())?;
    let (mut left, mut pause, mut told) = (args.count, PAUSE, false);
    loop {
        if left == Some(0) {
            return Ok(Ending::Holds);
        }
        match follow.next_block(&mut connection.ledger) {
            Ok(Some(events)) => {
                pause = PAUSE;
                for event in events {
                    if left == Some(0) {
                        return Ok(Ending::Holds);
                    }
                    output.answer(&event, || text(&event));
                    remember(args, event.position)?;
                    left = left.map(|left| left - 1);
                }
                if left != Some(0) {
                    remember(args, follow.position())?;
                }
            }
            Ok(None) => {
                let age_secs = clock::now().0.saturating_sub(follow.newest().0) / 1000;
                let is_stale = age_secs > u64::from(args.max_age);
                if is_stale && !told {
                    output.progress(&format!(
                        "note: the newest block that any gateway shows is {} old; next: ask another gateway as well",
                        moment::age(age_secs)
                    ));
                }
                told = is_stale;
                sleep(PAUSE);
            }
            // A node that is away comes back; what contradicts a quorum is for people.
            Err(error) if error.is_passing() => {
                output.progress(&format!("waiting: {error}"));
                sleep(pause);
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The position in a file; `None` where there is no file yet.
fn read_position(path: &Path) -> Result<Option<Position>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let read = text.trim().parse().map_err(|error: &str| anyhow!("{}: {error}", path.display()))?;
    Ok(Some(read))
}

fn remember(args: &WatchArgs, position: Position) -> Result<()> {
    let Some(path) = &args.position else { return Ok(()) };
    private::write(path, format!("{position}\n").as_bytes())
}

/// One line for people.
fn text(event: &Event) -> String {
    let mut text = format!("{} {} {}", event.time.show(), event.position, event.kind);
    if let Some(refusal) = event.refusal {
        text.push_str(&format!(" refused {refusal:?}"));
    }
    text.push_str(&format!(" by member {}", event.member));
    match (event.book, event.line, event.lines) {
        (Some(book), Some(line), Some(1)) => text.push_str(&format!(", line {book}/{line}")),
        (Some(book), Some(line), Some(lines)) => text.push_str(&format!(", {lines} lines from {book}/{line} on")),
        (Some(book), _, _) => text.push_str(&format!(", book {book}")),
        _ => (),
    }
    if let Some(successor) = event.successor {
        text.push_str(&format!(", goes on at {successor}"));
    }
    if let Some(reason) = event.reason {
        text.push_str(&format!(", reason {reason}"));
    }
    text
}
