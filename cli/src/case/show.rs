//! `fengni case show`: how far a case is, as a quorum proves it.

use anyhow::Result;
use fengni_core::book::{Book, Subject};
use fengni_core::case::Slip;
use serde_json::json;

use super::{ShowArgs, slip};
use crate::connect::Connection;
use crate::ending::Ending;
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
        let reason = format!("the slip is of no case at {}", slip.place);
        output.answer(&json!({ "result": "refused", "defects": [reason] }), || format!("refused: {reason}"));
        return Ok(Ending::Refused);
    }
    let item = if slip.case.item.is_empty() { String::new() } else { format!(", item {}", slip.case.item) };
    let title = format!("case 办件 {}{item}", slip.case.number);
    args.telling.tell(slip.place, Some(&title), connection, output)
}

/// Whether the line at the slip's place is its case's. Rule A-5.
pub(crate) fn stands(slip: &Slip, connection: &mut Connection) -> Result<bool> {
    let proven = connection.ledger.line(slip.place, None)?.value;
    let book: Book = proven.record(slip.place.book.0)?;
    let there = slip.place.line.0 < book.lines && book.subject == Subject::Cases;
    Ok(there && proven.line(slip.place)?.commitment == slip.case.commitment(&connection.ledger.domain()))
}
