//! Reading a founding document: every entry that is not well formed, with its line.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::document::{Document, NetworkEntry, TypeEntry};
use crate::problem::Problems;
use crate::source::{Lines, Reader, field};

/// The most bytes of a founding document.
pub const DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// How a founding document is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// TOML 1.0.
    Toml,
    /// JSON, with the same tables and fields.
    Json,
}

impl Format {
    /// The format a file name announces; TOML unless it ends in `.json`.
    pub fn of_file_name(name: &str) -> Self {
        if name.to_ascii_lowercase().ends_with(".json") { Self::Json } else { Self::Toml }
    }
}

const SECTIONS: [&str; 9] =
    ["network", "parameters", "recovery", "codes", "members", "types", "authorities", "agreements", "validators"];

impl Document {
    /// Rule G-1: reads a founding document.
    ///
    /// # Errors
    /// Every problem of form: grammar, unknown and missing fields, values of another kind. Where
    /// an entry has several, its first.
    ///
    /// # Source
    /// `sdk/spec/genesis.md`, rule G-1.
    pub fn parse(text: &str, format: Format) -> Result<Self, Problems> {
        let mut sections = Sections::of(text, format)?;
        let mut document = Self {
            network: sections.network().unwrap_or_default(),
            parameters: sections.table("parameters"),
            recovery: sections.optional("recovery"),
            codes: sections.table("codes"),
            members: sections.list("members"),
            types: sections.list("types"),
            authorities: sections.list("authorities"),
            agreements: sections.list("agreements"),
            validators: sections.list("validators"),
            lines: Default::default(),
        };
        sections.refuse_others(&SECTIONS);
        sections.reader.findings.finish(&sections.reader.lines)?;
        document.lines = sections.reader.lines;
        Ok(document)
    }
}

/// Rule G-1: reads a document that has one `[[types]]` table and nothing else, with its lines.
pub(crate) fn one_type(text: &str, format: Format) -> Result<(TypeEntry, Lines), Problems> {
    let mut sections = Sections::of(text, format)?;
    let mut types: Vec<TypeEntry> = sections.list("types");
    sections.refuse_others(&["types"]);
    let count = types.len();
    if !sections.reader.findings.any() && count != 1 {
        let fault = format!("there are {count} types");
        sections.reader.findings.add("G-1", "types", fault, "write one [[types]] table");
    }
    sections.reader.findings.finish(&sections.reader.lines)?;
    Ok((types.remove(0), sections.reader.lines))
}

/// The top level of a document, whose sections are read one by one so that one problem does not
/// hide the next.
struct Sections<'a> {
    tree: Value,
    reader: Reader<'a>,
}

impl<'a> Sections<'a> {
    fn of(text: &'a str, format: Format) -> Result<Self, Problems> {
        let mut reader = Reader::new(text);
        if text.len() > DOCUMENT_BYTES {
            let fault = format!("{} bytes are above the limit of {DOCUMENT_BYTES}", text.len());
            reader.findings.add("G-1", "", fault, "shorten the document");
            return Err(reader.findings.finish(&reader.lines).expect_err("a problem was just added"));
        }
        let tree = match format {
            Format::Toml => reader.toml(),
            Format::Json => reader.json(),
        };
        if reader.findings.any() {
            return Err(reader.findings.finish(&reader.lines).expect_err("problems were found"));
        }
        Ok(Self { tree, reader })
    }
}

impl Sections<'_> {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.tree.get_mut(name).map(Value::take)
    }

    fn network(&mut self) -> Option<NetworkEntry> {
        let Some(value) = self.take("network") else {
            self.reader.findings.add("G-1", "network", "is missing", "add [network] with name and founded");
            return None;
        };
        self.read(value, "network")
    }

    fn table<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        self.optional(name).unwrap_or_default()
    }

    fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.take(name).and_then(|value| self.read(value, name))
    }

    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => {
                let values = values.into_iter().enumerate();
                values.filter_map(|(place, value)| self.read(value, &format!("{name}[{place}]"))).collect()
            }
            Some(_) => {
                self.reader.findings.add("G-1", name, "is no list", format!("write [[{name}]] before each entry"));
                Vec::new()
            }
        }
    }

    fn read<T: DeserializeOwned>(&mut self, value: Value, path: &str) -> Option<T> {
        let error = match serde_path_to_error::deserialize(value) {
            Ok(entry) => return Some(entry),
            Err(error) => error,
        };
        let inner = error.path().to_string();
        let fault = error.inner().to_string();
        let next = match fault.split(' ').next() {
            Some("missing") => "add it",
            Some("unknown") => "correct its spelling or remove it",
            _ => "write a value of the kind expected",
        };
        let path = match inner.as_str() {
            "." => path.to_owned(),
            inner if inner.starts_with('[') => format!("{path}{inner}"),
            inner => field(path, inner),
        };
        self.reader.findings.add("G-1", path, fault, next);
        None
    }

    fn refuse_others(&mut self, expected: &[&str]) {
        let Value::Object(sections) = &self.tree else {
            let next = "write an object with the sections of a founding document";
            return self.reader.findings.add("G-1", "", "is no table of sections", next);
        };
        for name in sections.keys().filter(|name| !expected.contains(&name.as_str())) {
            let fault = format!("unknown section, expected one of {}", expected.join(", "));
            self.reader.findings.add("G-1", name.as_str(), fault, "correct its spelling or remove it");
        }
    }
}
