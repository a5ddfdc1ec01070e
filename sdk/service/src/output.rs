//! Output: answers on stdout, progress on stderr, the same facts as JSON; and what the exit code says.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Map, Value};

/// Version of the JSON form of every answer; grows when a field changes its meaning or goes.
pub const SCHEMA: u16 = 1;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It is done, or all is well.
    Done,
    /// It is against a rule, or not all is well.
    Refused,
    /// It could not run: wrong arguments, a missing file, no network.
    CouldNotRun,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Done => 0,
            Ending::Refused => 1,
            Ending::CouldNotRun => 3,
        })
    }
}

/// In which form answers are given.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// As one line of JSON, or as text for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// One answer: `facts` as one line of JSON with the schema version in front, or `text` for people.
    pub fn answer(self, facts: &impl Serialize, text: impl FnOnce() -> String) {
        let text = if self.json { with_schema(facts) } else { text() };
        // A reader that went away, such as `| head`, is no trouble.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// Text in a form of its own, whatever was asked for.
    pub fn plain(self, text: &str) {
        let _ = write!(io::stdout().lock(), "{text}");
    }

    /// What is being done, for whoever watches.
    pub fn progress(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Why a command could not run, and what to do about it.
    pub fn trouble(self, error: &anyhow::Error) -> Ending {
        let message = format!("{error:#}");
        if self.json {
            self.answer(&serde_json::json!({ "error": message }), String::new);
        }
        self.progress(&format!("error: {message}"));
        Ending::CouldNotRun
    }
}

fn with_schema(facts: &impl Serialize) -> String {
    let mut object = Map::new();
    object.insert("schema".to_owned(), SCHEMA.into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(facts) {
        object.extend(fields);
    }
    Value::Object(object).to_string()
}
