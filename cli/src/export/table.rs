//! Events as rows of a spreadsheet.

use std::io::Write;

use anyhow::{Result, anyhow};
use fengni_core::LinePlace;
use fengni_core::event::Event;
use fengni_core::standing::State;

/// Names of the columns; new ones are added at the end.
const COLUMNS: [&str; 45] = [
    "position",
    "time",
    "kind",
    "result",
    "member",
    "keys",
    "refusal",
    "refusal_name",
    "detail",
    "book",
    "certificate_type",
    "division",
    "line",
    "lines",
    "seal",
    "act",
    "state",
    "disputed",
    "key_blocked",
    "reason",
    "decision",
    "successor",
    "predecessor",
    "concerns",
    "key",
    "from",
    "until",
    "agreement",
    "authority",
    "application",
    "proposal",
    "order",
    "offence",
    "approve",
    "transaction",
    "time_millis",
    "last",
    "topic",
    "acted",
    "due",
    "receipts",
    "resource",
    "item",
    "request",
    "objection",
];

/// Rows of events, under the names of their columns.
pub(super) struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    /// Writes the names of the columns.
    pub(super) fn new(output: W) -> Result<Self, csv::Error> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    /// Writes one event.
    pub(super) fn write(&mut self, event: &Event) -> Result<(), csv::Error> {
        self.0.write_record(row(event).iter().map(|cell| harmless(cell)))
    }

    /// Writes everything out.
    pub(super) fn into_inner(self) -> Result<W> {
        self.0.into_inner().map_err(|error| anyhow!("the rows cannot be written: {}", error.error()))
    }
}

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn harmless(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn place(place: LinePlace) -> String {
    format!("{}/{}", place.book, place.line)
}

/// A state's name, as in JSON.
fn state(state: State) -> String {
    serde_json::to_value(state).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn row(event: &Event) -> [String; COLUMNS.len()] {
    let keys: Vec<String> = event.keys.iter().map(ToString::to_string).collect();
    [
        event.position.to_string(),
        event.time.show(),
        event.kind.to_string(),
        if event.done { "done" } else { "refused" }.to_owned(),
        event.member.to_string(),
        keys.join(" "),
        cell(event.refusal.map(|refusal| refusal.number())),
        cell(event.refusal.map(|refusal| refusal.name())),
        cell(event.detail),
        cell(event.book),
        cell(event.certificate_type),
        cell(event.division),
        cell(event.line),
        cell(event.lines),
        cell(event.seal),
        cell(event.act),
        cell(event.standing.map(|standing| state(standing.state))),
        cell(event.standing.map(|standing| standing.disputed)),
        cell(event.standing.map(|standing| standing.key_blocked)),
        cell(event.reason),
        cell(event.decision),
        cell(event.successor.map(place)),
        cell(event.predecessor.map(place)),
        cell(event.concerns),
        cell(event.key),
        cell(event.from),
        cell(event.until.map(fengni_core::Millis::show)),
        cell(event.agreement),
        cell(event.authority),
        cell(event.application),
        cell(event.proposal),
        cell(event.order),
        cell(event.offence),
        cell(event.approve),
        event.transaction.to_string(),
        event.time.0.to_string(),
        cell(event.last),
        event.topic.to_string(),
        cell(event.acted),
        cell(event.due),
        cell(event.receipts),
        cell(event.resource),
        cell(event.item),
        cell(event.request),
        cell(event.objection),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@sum", "\tx", "\r=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["", "0", "done", "4711.0.0"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
