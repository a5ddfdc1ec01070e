//! Commands: what people ask for, and what they are shown.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Result, anyhow, bail, ensure};
use fengni_client::keys::files;
use fengni_service::output::{Ending, Output};
use serde::Serialize;

use crate::args::{Args, Command};
use crate::door::{self, Reply, Request, Row, Status};
use crate::home::Home;
use crate::journal::Erased;
use crate::service;

/// Bytes of a list of subjects.
const SUBJECTS_BYTES: u64 = 1024 * 1024;

/// Does what the arguments ask for.
pub(crate) fn run(args: &Args, output: Output) -> Result<Ending> {
    if let Command::Init = args.command {
        let made = Home::make(&args.home)?;
        let made = made.display().to_string();
        output.answer(&serde_json::json!({ "made": made }), || {
            format!("{made} is there; next: fill it in, then fengni-provider run")
        });
        return Ok(Ending::Done);
    }
    let home = Home::open(&args.home)?;
    let request = match &args.command {
        Command::Init | Command::Status => Request::Status,
        Command::Receipts { newest } => Request::Receipts(*newest),
        Command::Erase { subjects } => Request::Erase(read_subjects(subjects)?),
        Command::Run => {
            service::run(&home, output)?;
            return Ok(Ending::Done);
        }
    };
    Ok(match door::ask(&home, &request)? {
        Reply::Status(status) => shown(&status, output),
        Reply::Receipts(receipts) => {
            let listed = Listed { receipts };
            output.answer(&listed, || listed.text());
            Ending::Done
        }
        Reply::Erased(erased) => {
            output.answer(&erased, || {
                let Erased { receipts, young } = erased;
                let young = match young {
                    0 => String::new(),
                    young => format!("; {young} are too young: run it again in ten minutes"),
                };
                format!("{receipts} receipts lead to nobody any more{young}")
            });
            if erased.young == 0 { Ending::Done } else { Ending::Refused }
        }
        Reply::Failed(why) => bail!(why),
    })
}

/// Subjects, one a line; nothing of them is repeated, whatever is wrong.
fn read_subjects(path: &Path) -> Result<Vec<String>> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(SUBJECTS_BYTES + 1).read_to_end(&mut bytes)?;
        ensure!(bytes.len() as u64 <= SUBJECTS_BYTES, "more than {SUBJECTS_BYTES} bytes");
        bytes
    } else {
        files::read_private(path, SUBJECTS_BYTES)?
    };
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("the subjects are not UTF-8"))?;
    let subjects: Vec<String> = text.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    ensure!(!subjects.is_empty(), "there is no subject; next: write one a line");
    Ok(subjects)
}

/// How it is, with the one word that matters.
#[derive(Serialize)]
struct Shown<'a> {
    well: bool,
    #[serde(flatten)]
    status: &'a Status,
}

fn shown(status: &Status, output: Output) -> Ending {
    let is_well = status.running.as_ref().is_some_and(|it| it.fresh && it.data && it.waits.is_none());
    output.answer(&Shown { well: is_well, status }, || {
        let mut lines = match &status.running {
            None => vec!["the gateway does not run; next: fengni-provider run".to_owned()],
            Some(running) => {
                let ledger = match running.height {
                    Some(height) if running.fresh => format!("the ledger is known up to height {height}"),
                    _ => {
                        "nothing recent is known of the ledger: no grant counts; next: name another gateway".to_owned()
                    }
                };
                let data = if running.data { "the database answers" } else { "the database does not answer" };
                let waits = running.waits.iter().map(|why| format!("batches wait: {why}"));
                [ledger, data.to_owned()].into_iter().chain(waits).collect()
            }
        };
        let Status { receipts, batches, waiting, .. } = status;
        lines.push(format!("{receipts} receipts in {batches} batches; {waiting} are not on the ledger yet"));
        lines.join("\n")
    });
    if is_well { Ending::Done } else { Ending::Refused }
}

/// What a list holds.
#[derive(Serialize)]
struct Listed {
    receipts: Vec<Row>,
}

impl Listed {
    fn text(&self) -> String {
        if self.receipts.is_empty() {
            return "there is no receipt yet".to_owned();
        }
        let line = |row: &Row| {
            let sides = match row.two_sided {
                Some(true) => "two-sided",
                Some(false) => "one-sided",
                None => "erased",
            };
            let anchored = if row.anchored { "anchored" } else { "not anchored yet" };
            let Row { number, time, requester, request, mode, basis, result, .. } = row;
            let time = time.show();
            format!(
                "{number} {time} member {requester}, request {request}: {mode} by {basis}: {result}; {sides}, {anchored}"
            )
        };
        self.receipts.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
