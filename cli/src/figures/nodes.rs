//! What nodes counted themselves (N-32), added up: their word, no proof.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use fengni_core::Millis;
use serde::{Deserialize, Serialize};

use crate::audit::period::Edge;
use crate::local::probe;

/// Version of a node's answer.
const VERSION: u16 = 1;
/// Kinds of queries that verifiers ask.
const VERIFICATIONS: [&str; 2] = ["line", "identifier"];

/// What one day of one node says.
#[derive(Deserialize, Default)]
#[serde(default)]
struct DayCounts {
    visits: u64,
    queries: BTreeMap<String, u64>,
    submissions: BTreeMap<String, u64>,
    problems: BTreeMap<String, u64>,
    /// Of the push service (M-10): messages that went out, and attempts that failed.
    messages: BTreeMap<String, u64>,
    failures: BTreeMap<String, u64>,
    day: String,
}

/// A node's answer.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Counted {
    version: u16,
    since: Millis,
    days: Vec<DayCounts>,
}

/// A node that was asked.
#[derive(Serialize)]
pub(super) struct Asked {
    /// URL of its operator's listener.
    pub(super) node: String,
    /// When it began to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Millis>,
    /// Why it gave nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trouble: Option<String>,
}

/// A figure that nodes gave.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct NodePlace {
    /// What is counted.
    pub(super) category: &'static str,
    /// The kind, answer or name of it.
    pub(super) kind: Option<String>,
}

/// What nodes counted, added up.
#[derive(Default)]
pub(super) struct NodeFigures {
    /// By category and kind.
    pub(super) sums: BTreeMap<NodePlace, u64>,
    /// Who was asked.
    pub(super) asked: Vec<Asked>,
}

impl NodeFigures {
    /// Asks each node for its days.
    ///
    /// # Errors
    /// Where the time is named by heights, of which no node's counters know.
    pub(super) fn ask(urls: &[String], (from, to): (Option<Edge>, Option<Edge>)) -> Result<Self> {
        let mut figures = Self::default();
        if urls.is_empty() {
            return Ok(figures);
        }
        let mut parameters = Vec::new();
        for (name, edge) in [("from", from), ("to", to)] {
            match edge {
                None => (),
                Some(Edge::Day(day)) => parameters.push(format!("{name}={day}")),
                Some(edge) => bail!("nodes count by day, not by {edge}; next: name days, or leave --node out"),
            }
        }
        let path = format!("/v1/counters?{}", parameters.join("&"));
        for (url, place) in urls.iter().zip(0..) {
            if urls[..place].contains(url) {
                bail!("{url} is named twice, and would be counted twice; next: name each node once, by URL or file");
            }
            let found = if url.contains("://") { asked_of(url, &path) } else { read(Path::new(url), from, to) };
            let found = found.and_then(|counted| match counted.version {
                VERSION => Ok(counted),
                other => Err(format!("its counters are of version {other}")),
            });
            let mut asked = Asked { node: url.clone(), since: None, trouble: None };
            match found {
                Ok(counted) => {
                    asked.since = Some(counted.since);
                    counted.days.iter().for_each(|day| figures.day(day));
                }
                Err(trouble) => asked.trouble = Some(trouble),
            }
            figures.asked.push(asked);
        }
        Ok(figures)
    }

    fn day(&mut self, day: &DayCounts) {
        self.add("visits", None, day.visits);
        for (kind, count) in &day.queries {
            self.add("queries", Some(kind), *count);
            match kind.as_str() {
                "reference-code" => self.add("reference-code-queries", None, *count),
                "subscription" => self.add("streams", None, *count),
                kind if VERIFICATIONS.contains(&kind) => self.add("verifications", None, *count),
                _ => (),
            }
        }
        day.submissions.iter().for_each(|(answer, count)| self.add("submissions", Some(answer), *count));
        day.messages.iter().for_each(|(channel, count)| self.add("messages", Some(channel), *count));
        day.failures.iter().for_each(|(channel, count)| self.add("message-failures", Some(channel), *count));
        day.problems.iter().for_each(|(name, count)| self.add("problems", Some(name), *count));
    }

    fn add(&mut self, category: &'static str, kind: Option<&String>, count: u64) {
        let sum = self.sums.entry(NodePlace { category, kind: kind.cloned() }).or_default();
        *sum = sum.saturating_add(count);
    }
}

fn asked_of(url: &str, path: &str) -> Result<Counted, String> {
    match probe::ask::<Counted>(url, path)? {
        (200, counted) => Ok(counted),
        (status, _) => Err(format!("it answers {status}")),
    }
}

/// Counters in a file, such as `fengni-push counters --json` writes.
fn read(path: &Path, from: Option<Edge>, to: Option<Edge>) -> Result<Counted, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut counted: Counted = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let day = |edge: Option<Edge>| match edge {
        Some(Edge::Day(day)) => Some(day.to_string()),
        _ => None,
    };
    // Days as they are written rise as days do.
    let (from, to) = (day(from), day(to));
    counted.days.retain(|counts| from.as_ref().is_none_or(|from| *from <= counts.day));
    counted.days.retain(|counts| to.as_ref().is_none_or(|to| counts.day <= *to));
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_nodes_add_up_under_the_categories_of_statistics() {
        let day = r#"{"day":"2026-11-23","visits":2,"queries":{"line":3,"identifier":1,"reference-code":4,"header":9},
            "submissions":{"accepted":5},"problems":{"overloaded":1},"messages":{"mail":4,"sms":1}}"#;
        let answer = format!(r#"{{"version":1,"since":0,"days":[{day},{day}]}}"#);
        let counted: Counted = serde_json::from_str(&answer).expect("a node's answer");
        let mut figures = NodeFigures::default();
        counted.days.iter().for_each(|day| figures.day(day));
        let of = |category: &str| -> u64 {
            let found = figures.sums.iter().filter(|(place, _)| place.category == category);
            found.map(|(_, count)| count).sum()
        };
        let expected = [
            ("visits", 4),
            ("queries", 34),
            ("reference-code-queries", 8),
            ("verifications", 8),
            ("streams", 0),
            ("submissions", 10),
            ("problems", 2),
            ("messages", 10),
        ];
        for (category, count) in expected {
            assert_eq!(of(category), count, "{category}");
        }
    }

    #[test]
    fn no_node_counts_by_height() {
        let heights = (Some(Edge::Height(7)), None);
        assert!(NodeFigures::ask(&[], heights).is_ok(), "nobody is asked");
        let error = NodeFigures::ask(&["http://127.0.0.1:1".to_owned()], heights).err().expect("refused");
        assert!(error.to_string().contains("next: name days"), "{error}");
    }
}
