//! `fengni objection`: objections to certificates (校核).

use anyhow::Result;
use clap::Subcommand;
use fengni_core::ObjectionNumber;
use fengni_core::operation::{ObjectionAnswer, Operation};
use fengni_core::outcome::Effect;
use fengni_core::record::{KeyPurpose, Objection, ObjectionStatus};
use serde_json::json;

use super::{clock, numbered, today};
use crate::admin::{ActingArgs, Asked};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{Names, Target};
use crate::output::{Output, table};
use crate::standing::GroundArgs;

/// What happens to an objection.
#[derive(Subcommand, Debug)]
pub(crate) enum ObjectionCommand {
    /// Object to a certificate, for oneself or for its holder: it is flagged until the issuer has answered
    #[command(after_help = "Examples:
  fengni objection file 2/0 --reason 401 --decision statement.pdf --home net/members/yhd")]
    File {
        /// Identifier, or book/line
        target: String,
        #[command(flatten)]
        ground: GroundArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Answer an objection, as the keeper: the flag is lifted
    #[command(after_help = "After a correction (fengni supersede --cause correct), or to maintain the certificate:
  fengni objection answer 0 --reason 402 --decision answer.pdf --home net/members/res
  fengni objection answer 0 --maintain --reason 402 --decision answer.pdf --home net/members/res")]
    Answer {
        /// Number of the objection: see fengni objection list
        objection: u32,
        /// The certificate is right as it is
        #[arg(long)]
        maintain: bool,
        #[command(flatten)]
        ground: GroundArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// List objections, or those that are overdue
    #[command(after_help = "Examples:\n  fengni objection list --overdue --network net")]
    List {
        /// Only those that are overdue
        #[arg(long)]
        overdue: bool,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

pub(crate) fn run(command: &ObjectionCommand, output: Output) -> Result<Ending> {
    match command {
        ObjectionCommand::List { overdue, connect } => list(*overdue, connect, output),
        ObjectionCommand::File { target, ground, acting } => {
            let asked = |connection: &mut Connection, names: &mut Names| {
                let place = Target::parse(target)?.place(connection)?;
                ground.asked(connection, names, |ground| Operation::FileObjection { place, ground })
            };
            acting.carry_out(output, asked, done)
        }
        ObjectionCommand::Answer { objection, maintain, ground, acting } => {
            let answer = if *maintain { ObjectionAnswer::Maintain } else { ObjectionAnswer::Correct };
            let number = ObjectionNumber(*objection);
            let asked = |connection: &mut Connection, names: &mut Names| -> Result<Asked> {
                let place = connection.ledger.record::<Objection>(number.0)?.place;
                let operation = |ground| Operation::AnswerObjection { objection: number, place, answer, ground };
                let asked = ground.asked(connection, names, operation)?;
                Ok(Asked { purpose: KeyPurpose::Issuing, ..asked })
            };
            acting.carry_out(output, asked, done)
        }
    }
}

fn done(effect: &Effect) -> String {
    let Effect::Objection { objection, status, due, .. } = effect else { return String::new() };
    let due = due.map_or_else(String::new, |due| format!(", due {due}"));
    format!("objection {objection} is {}{due}", status_words(*status))
}

fn status_words(status: ObjectionStatus) -> &'static str {
    match status {
        ObjectionStatus::Open => "open 受理",
        ObjectionStatus::Corrected => "corrected 更正",
        ObjectionStatus::Maintained => "maintained 维持",
    }
}

fn list(overdue: bool, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let today = today(&mut connection)?;
    let is_late = |objection: &Objection| objection.status == ObjectionStatus::Open && objection.answer.is_late(today);
    let mut objections: Vec<(u32, Objection)> = numbered(&mut connection)?;
    objections.retain(|(_, objection)| !overdue || is_late(objection));
    let members = Names::default().called(&mut connection)?;
    let listed = objections
        .iter()
        .map(|(number, record)| json!({ "objection": number, "overdue": is_late(record), "record": record }));
    output.answer(&json!({ "today": today.to_string(), "objections": listed.collect::<Vec<_>>() }), || {
        let rows = objections.iter().map(|(number, record)| {
            [
                number.to_string(),
                record.place.to_string(),
                members.of(record.filer),
                record.filed_on.to_string(),
                status_words(record.status).to_owned(),
                clock(record.answer, today),
            ]
        });
        table(["number", "certificate", "filed by", "filed", "status", "answer"], rows)
    });
    Ok(Ending::Holds)
}
