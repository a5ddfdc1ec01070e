//! `fengni case show`: how far a case is, as a quorum proves it.

use anyhow::{Result, bail};
use fengni_core::book::Subject;
use fengni_core::case::Slip;
use serde_json::json;

use super::{ShowArgs, slip};
use crate::connect::Connection;
use crate::ending::Ending;
use crate::history;
use crate::output::Output;
use crate::unproven;

pub(super) fn run(args: &ShowArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let slip = slip::read(&args.slip, connection.ledger.domain().network)?;
    match told(args, &slip, &mut connection, output) {
        Ok(ending) => Ok(ending),
        Err(error) => unproven::undecided(error, output),
    }
}

fn told(args: &ShowArgs, slip: &Slip, connection: &mut Connection, output: Output) -> Result<Ending> {
    if !stands(slip, connection)? {
        let reason = of_no_case(slip);
        output.answer(&json!({ "result": "refused", "defects": [reason] }), || format!("refused: {reason}"));
        return Ok(Ending::Refused);
    }
    args.telling.tell(slip.place, Some(&title(slip)), connection, output)
}

/// What people call a case.
pub(crate) fn title(slip: &Slip) -> String {
    let item = if slip.case.item.is_empty() { String::new() } else { format!(", item {}", slip.case.item) };
    format!("case 办件 {}{item}", slip.case.number)
}

/// Whether the line at the slip's place is its case's, by the newest block that any gateway shows, so
/// that a node which is behind refuses nobody. Rule A-5.
pub(crate) fn stands(slip: &Slip, connection: &mut Connection) -> Result<bool> {
    let place = slip.place;
    let Some((book, line)) = history::line(place, connection)? else { return Ok(false) };
    Ok(book.subject == Subject::Cases && line.commitment == slip.case.commitment(&connection.ledger.domain()))
}

/// Refuses a slip whose line is not its case's.
pub(crate) fn must_stand(slip: &Slip, connection: &mut Connection) -> Result<()> {
    if stands(slip, connection)? { Ok(()) } else { bail!("{}", of_no_case(slip)) }
}

fn of_no_case(slip: &Slip) -> String {
    format!("the slip is of no case at {}; next: ask the department for it again (fengni case slip)", slip.place)
}
