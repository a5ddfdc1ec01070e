//! Source: a TOML or JSON text as one tree, and on which line each part of it stands.

use std::collections::BTreeMap;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use crate::problem::Findings;

/// How deep a document nests at most; ours needs six levels.
const DEPTH: usize = 16;

/// Line of each path of a document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Lines(BTreeMap<String, u32>);

impl Lines {
    /// The line of a path or, where it does not stand in the text, of what should hold it.
    pub(crate) fn of(&self, path: &str) -> Option<u32> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// A place inside a table or list.
pub(crate) fn field(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Reads a text as a tree while it notes lines.
pub(crate) struct Reader<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    pub(crate) lines: Lines,
    pub(crate) findings: Findings,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, line_starts, lines: Lines::default(), findings: Findings::default() }
    }

    fn line_at(&self, offset: usize) -> u32 {
        u32::try_from(self.line_starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    fn note(&mut self, path: &str, offset: usize) {
        let line = self.line_at(offset);
        self.lines.0.insert(path.to_owned(), line);
    }

    fn fault(&mut self, path: &str, line: u32, fault: impl Into<String>) {
        self.findings.add_at(line, "G-1", path, fault, "correct the text there");
    }

    /// The tree of a TOML text, as far as it can be read.
    pub(crate) fn toml(&mut self) -> Value {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let line = self.line_at(error.span().map_or(0, |span| span.start));
            self.fault("", line, error.message().replace('\n', ", "));
        }
        self.toml_table(table.get_ref(), "")
    }

    fn toml_table(&mut self, table: &DeTable<'_>, path: &str) -> Value {
        let entries = table.iter().map(|(key, value)| {
            let inner = field(path, key.get_ref());
            self.note(&inner, key.span().start);
            (key.get_ref().to_string(), self.toml_value(value.get_ref(), &inner))
        });
        Value::Object(entries.collect())
    }

    fn toml_value(&mut self, value: &DeValue<'_>, path: &str) -> Value {
        match value {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(digits.to_string()),
            },
            DeValue::Float(digits) => Value::from(digits.as_str().parse::<f64>().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Value::from(*flag),
            DeValue::Datetime(moment) => Value::from(moment.to_string()),
            DeValue::Array(values) => {
                let values = values.iter().enumerate().map(|(place, value)| {
                    let inner = format!("{path}[{place}]");
                    self.note(&inner, value.span().start);
                    self.toml_value(value.get_ref(), &inner)
                });
                Value::Array(values.collect())
            }
            DeValue::Table(table) => self.toml_table(table, path),
        }
    }

    /// The tree of a JSON text; null where it cannot be read.
    pub(crate) fn json(&mut self) -> Value {
        match serde_json::from_str::<&RawValue>(self.text) {
            Ok(raw) => self.json_value(raw, "", 0),
            Err(error) => {
                let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
                self.fault("", line, error.to_string());
                Value::Null
            }
        }
    }

    /// serde_json knows no places, but a raw value is a slice of the text it was read from.
    fn offset(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn json_value(&mut self, raw: &'a RawValue, path: &str, depth: usize) -> Value {
        let offset = self.offset(raw);
        self.note(path, offset);
        let nests = raw.get().starts_with(['[', '{']);
        if nests && depth == DEPTH {
            self.fault(path, self.line_at(offset), format!("nested deeper than {DEPTH} levels"));
            return Value::Null;
        }
        if raw.get().starts_with('[') {
            let values: Vec<&'a RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            let values = values.into_iter().enumerate();
            return values
                .map(|(place, value)| self.json_value(value, &format!("{path}[{place}]"), depth + 1))
                .collect();
        }
        if raw.get().starts_with('{') {
            let entries = serde_json::Deserializer::from_str(raw.get()).deserialize_map(Entries).unwrap_or_default();
            let mut object = serde_json::Map::new();
            for (key, value) in entries {
                let inner = field(path, &key);
                if object.contains_key(&key) {
                    self.fault(&inner, self.line_at(self.offset(value)), "stands there twice");
                    continue;
                }
                let value = self.json_value(value, &inner, depth + 1);
                object.insert(key, value);
            }
            return Value::Object(object);
        }
        serde_json::from_str(raw.get()).unwrap_or_default()
    }
}

/// The entries of a JSON object in the order of the text, a repeated key included.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
