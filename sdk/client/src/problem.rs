//! Problems: what a node says when it does not give what was asked (RFC 9457).

use std::fmt;

use serde::Deserialize;

/// The most characters of a node's text that are shown.
const SHOWN_CHARS: usize = 300;

/// A node's reason, in its own words: to be shown, never to be believed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// What kind of problem, as a URI reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// The word of a refusal, from those that have words.
    pub code: String,
}

impl Problem {
    /// A problem from an answer's body, whatever the body is.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let read: Self = serde_json::from_slice(body).unwrap_or_default();
        Self { status, ..read }.cleaned()
    }

    /// Without what could move a terminal's cursor or fill its screen.
    pub(crate) fn cleaned(self) -> Self {
        let clean = |text: String| text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect();
        Self {
            kind: clean(self.kind),
            title: clean(self.title),
            detail: clean(self.detail),
            code: clean(self.code),
            status: self.status,
        }
    }

    /// Whether the node knows nothing of what was asked for. That proves no absence.
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// Whether it is of a kind, by the name that ends its URI.
    pub fn is_about(&self, kind: &str) -> bool {
        self.kind.rsplit(':').next() == Some(kind)
    }

    /// Whether another node, or the same one later, may answer better.
    pub fn is_passing(&self) -> bool {
        self.status >= 500 || self.status == 429
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        for text in [&self.title, &self.detail] {
            if !text.is_empty() {
                write!(f, ", {text}")?;
            }
        }
        Ok(())
    }
}
