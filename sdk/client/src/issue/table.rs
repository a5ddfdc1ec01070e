//! Tables: CSV and JSON lines as rows of named cells, before anybody asks what they mean.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::rows::{RowFault, RowProblem};

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Comma-separated values in UTF-8, the first line naming the columns.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// The format that a file's name ends in.
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// One row: its line in the file and its cells, empty ones left out.
pub(super) struct Cells {
    pub(super) line: u64,
    pub(super) cells: Vec<(String, String)>,
}

impl Cells {
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(name, _)| name == column).map(|(_, cell)| cell.as_str())
    }
}

/// What spreadsheets put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a table. `known` says which columns there may be.
pub(super) fn read(
    bytes: &[u8],
    format: Format,
    known: &BTreeSet<String>,
) -> (Vec<Result<Cells, RowProblem>>, Vec<RowProblem>) {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match format {
        Format::Csv => read_csv(bytes, known),
        Format::JsonLines => (read_json_lines(bytes, known), Vec::new()),
    }
}

/// Rows, and what is wrong with the line of column names, which concerns them all.
fn read_csv(bytes: &[u8], known: &BTreeSet<String>) -> (Vec<Result<Cells, RowProblem>>, Vec<RowProblem>) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.byte_records();
    let Some(Ok(first)) = records.next() else {
        return (Vec::new(), vec![RowProblem::new(1, None, RowFault::NoColumns)]);
    };
    let mut columns: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    for cell in &first {
        let name = std::str::from_utf8(cell).map(|name| name.trim().to_owned());
        let fault = match &name {
            Err(_) => Some(RowFault::Encoding),
            Ok(name) if !known.contains(name) => Some(RowFault::UnknownColumn),
            Ok(name) if columns.contains(name) => Some(RowFault::ColumnTwice),
            Ok(_) => None,
        };
        let name = name.unwrap_or_default();
        problems.extend(fault.map(|fault| RowProblem::new(1, Some(&name), fault)));
        columns.push(name);
    }
    if !problems.is_empty() {
        return (Vec::new(), problems);
    }
    let rows = records.map(|record| {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            RowProblem::new(line, None, RowFault::Syntax)
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != columns.len() {
            let fault = RowFault::Cells { found: record.len(), expected: columns.len() };
            return Err(RowProblem::new(line, None, fault));
        }
        let mut cells = Vec::with_capacity(columns.len());
        for (column, cell) in columns.iter().zip(&record) {
            let cell =
                std::str::from_utf8(cell).map_err(|_| RowProblem::new(line, Some(column), RowFault::Encoding))?;
            if !cell.is_empty() {
                cells.push((column.clone(), cell.to_owned()));
            }
        }
        Ok(Cells { line, cells })
    });
    (rows.collect(), problems)
}

fn read_json_lines(bytes: &[u8], known: &BTreeSet<String>) -> Vec<Result<Cells, RowProblem>> {
    let lines = (1u64..).zip(bytes.split(|byte| *byte == b'\n'));
    let lines = lines.filter(|(_, text)| !text.trim_ascii().is_empty());
    let rows = lines.map(|(line, text)| {
        if std::str::from_utf8(text).is_err() {
            return Err(RowProblem::new(line, None, RowFault::Encoding));
        }
        // The parser's own message could quote a value.
        let object: Object = serde_json::from_slice(text).map_err(|_| RowProblem::new(line, None, RowFault::Syntax))?;
        let mut cells: Vec<(String, String)> = Vec::new();
        for (column, cell) in object.0 {
            let fault = if !known.contains(&column) {
                Some(RowFault::UnknownColumn)
            } else if cells.iter().any(|(other, _)| *other == column) {
                Some(RowFault::ColumnTwice)
            } else {
                None
            };
            if let Some(fault) = fault {
                return Err(RowProblem::new(line, Some(&column), fault));
            }
            cells.push((column, cell));
        }
        cells.retain(|(_, cell)| !cell.is_empty());
        Ok(Cells { line, cells })
    });
    rows.collect()
}

/// A JSON object with its names in order, each as often as it stands there.
struct Object(Vec<(String, String)>);

/// A cell: text, or a number as it was written; null is empty.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Empty,
    Text(String),
    Number(serde_json::Number),
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts and numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, cell)) = map.next_entry::<String, Cell>()? {
                    let cell = match cell {
                        Cell::Empty => String::new(),
                        Cell::Text(text) => text,
                        Cell::Number(number) => number.to_string(),
                    };
                    pairs.push((name, cell));
                }
                if pairs.is_empty() { Err(de::Error::invalid_length(0, &self)) } else { Ok(Object(pairs)) }
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
