//! Output: answers on stdout, progress on stderr, the same facts as JSON.
//!
//! The one place of this crate that writes to the terminal. A reader that went away, such as
//! `| head`, is no trouble.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::{Map, Value};

/// Version of the JSON form of every answer; grows when a field changes its meaning or goes.
pub const SCHEMA: u16 = 1;

/// Where answers go and in which form.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Answers as JSON, or for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether answers are JSON.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Whether somebody looks at a terminal that redraws.
    pub fn is_terminal(self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// One answer: `facts` as JSON, or `text` for people.
    pub fn answer(self, facts: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json { self.facts(facts) } else { self.text(&text()) }
    }

    /// Facts as one line of JSON, with the schema version in front.
    fn facts(self, facts: &impl Serialize) {
        let mut object = Map::new();
        object.insert("schema".to_owned(), SCHEMA.into());
        match serde_json::to_value(facts) {
            Ok(Value::Object(fields)) => object.extend(fields),
            Ok(value) => drop(object.insert("value".to_owned(), value)),
            Err(error) => drop(object.insert("error".to_owned(), error.to_string().into())),
        }
        self.text(&Value::Object(object).to_string());
    }

    /// Lines for people, or a payload such as the text of a code.
    pub fn text(self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
    }

    /// What is being done, for whoever waits.
    pub fn progress(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Why a command could not run, and what to do about it.
    pub fn trouble(self, error: &anyhow::Error) {
        let message = format!("{error:#}");
        if self.json {
            self.facts(&serde_json::json!({ "error": message }));
        }
        let _ = writeln!(io::stderr().lock(), "error: {message}");
    }

    /// A bar on stderr, hidden where nobody looks.
    pub fn bar(self, what: &'static str, total: u64) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let template = "{msg:>10} [{bar:30}] {pos}/{len} {per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }

    /// A bar of heights on stderr, with its rate; the last one may be unknown.
    pub fn heights(self, what: &'static str, last: Option<u64>) -> ProgressBar {
        match last {
            Some(last) => self.bar(what, last),
            None => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                if let Ok(style) = ProgressStyle::with_template("{msg:>10} {spinner} {pos} {per_sec}") {
                    bar.set_style(style);
                }
                bar.set_message(what);
                bar
            }
        }
    }
}

/// A table whose columns align for Chinese names as well.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
