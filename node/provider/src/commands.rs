//! Commands: what people ask for, and what they are shown.

use anyhow::{Result, bail};
use serde::Serialize;

use crate::args::{Args, Command};
use crate::door::{self, Reply, Request, Row, Status};
use crate::home::Home;
use crate::output::{Ending, Output};
use crate::service;

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
    let request = match args.command {
        Command::Init | Command::Status => Request::Status,
        Command::Receipts { newest } => Request::Receipts(newest),
        Command::Run => {
            service::run(&home, output)?;
            return Ok(Ending::Done);
        }
    };
    Ok(match door::ask(&home, request)? {
        Reply::Status(status) => shown(&status, output),
        Reply::Receipts(receipts) => {
            let listed = Listed { receipts };
            output.answer(&listed, || listed.text());
            Ending::Done
        }
        Reply::Failed(why) => bail!(why),
    })
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
            let sides = if row.two_sided { "two-sided" } else { "one-sided" };
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
