//! Counters by day: how many messages went out, by channel (SVC-06). Rule M-10.

use std::collections::BTreeMap;

use fengni_core::{Day, Millis};
use serde::{Deserialize, Serialize};

use crate::subscription::View;

/// Version of the form of an answer.
const VERSION: u16 = 1;
/// What an attempt that arrived is noted as.
pub(crate) const DELIVERED: &str = "delivered";
/// Days that are kept: a year, and a month to read it in.
pub(crate) const DAYS: u32 = 400;

/// What went out on one day, by channel.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct DayCounts {
    /// The day in China, as `2026-11-23`.
    pub(crate) day: String,
    /// Messages that were delivered.
    pub(crate) messages: BTreeMap<String, u64>,
    /// Attempts that failed.
    pub(crate) failures: BTreeMap<String, u64>,
}

/// What was counted. `fengni stats --node` reads it from a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    version: u16,
    /// When counting began, in milliseconds since 1970.
    since: Millis,
    /// Days on which anything was counted, rising.
    pub(crate) days: Vec<DayCounts>,
    /// All since then, whatever days are kept.
    total: DayCounts,
}

impl Counted {
    /// What rows of a store say: the day, the channel, whether it arrived, how many. Day 0 is all days.
    pub(crate) fn of(since: Millis, rows: impl Iterator<Item = (Day, String, bool, u64)>) -> Self {
        let mut days: BTreeMap<Day, DayCounts> = BTreeMap::new();
        for (day, channel, arrived, count) in rows {
            let counts = days.entry(day).or_insert_with(|| DayCounts { day: day.to_string(), ..DayCounts::default() });
            let counts = if arrived { &mut counts.messages } else { &mut counts.failures };
            counts.insert(channel, count);
        }
        let total = DayCounts { day: "all".to_owned(), ..days.remove(&Day(0)).unwrap_or_default() };
        Self { version: VERSION, since, days: days.into_values().collect(), total }
    }

    /// Leaves the days from one to another.
    pub(crate) fn within(mut self, from: Option<Day>, to: Option<Day>) -> Self {
        let (from, to) = (from.map(|day| day.to_string()), to.map(|day| day.to_string()));
        // Days as they are written rise as days do.
        self.days.retain(|counts| from.as_ref().is_none_or(|from| *from <= counts.day));
        self.days.retain(|counts| to.as_ref().is_none_or(|to| counts.day <= *to));
        self
    }

    /// Lines for people.
    pub(crate) fn text(&self) -> String {
        let counts = |counts: &BTreeMap<String, u64>| {
            let each = counts.iter().map(|(channel, count)| format!("{count} by {channel}"));
            let each = each.collect::<Vec<_>>().join(", ");
            if each.is_empty() { "none".to_owned() } else { each }
        };
        let line = |day: &DayCounts| {
            format!("{}: delivered {}; failed attempts {}", day.day, counts(&day.messages), counts(&day.failures))
        };
        self.days.iter().chain([&self.total]).map(line).collect::<Vec<_>>().join("\n")
    }

    /// OpenMetrics 1.0.
    pub(crate) fn metrics(&self, subscriptions: &[View]) -> String {
        let mut text = String::new();
        let mut family =
            |name: &str, kind: &str, help: &str, label: &str, ending: &str, rows: &BTreeMap<String, u64>| {
                text.push_str(&format!("# TYPE {name} {kind}\n# HELP {name} {help}\n"));
                for (value, count) in rows {
                    text.push_str(&format!("{name}{ending}{{{label}=\"{value}\"}} {count}\n"));
                }
            };
        let total = &self.total;
        family("fengni_push_messages", "counter", "Messages delivered", "channel", "_total", &total.messages);
        family("fengni_push_failures", "counter", "Attempts that failed", "channel", "_total", &total.failures);
        let mut states = BTreeMap::new();
        for view in subscriptions {
            *states.entry(view.state.word().to_owned()).or_default() += 1;
        }
        family("fengni_push_subscriptions", "gauge", "Subscriptions by state", "state", "", &states);
        text + "# EOF\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m10_days_and_their_sum_are_told_apart() {
        let day = Day::parse("2026-11-23").expect("a date");
        let rows = [
            (Day(0), "mail".to_owned(), true, 7),
            (Day(0), "mail".to_owned(), false, 1),
            (day, "mail".to_owned(), true, 2),
            (Day(day.0 + 1), "sms".to_owned(), true, 3),
        ];
        let counted = Counted::of(Millis(5), rows.into_iter());
        assert_eq!(counted.days.len(), 2);
        let metrics = counted.metrics(&[]);
        assert!(metrics.contains("fengni_push_messages_total{channel=\"mail\"} 7\n"), "{metrics}");
        assert!(metrics.contains("fengni_push_failures_total{channel=\"mail\"} 1\n"), "{metrics}");
        assert!(metrics.ends_with("# EOF\n"));
        let one = counted.within(None, Some(day));
        assert_eq!(one.days.iter().map(|day| day.messages["mail"]).collect::<Vec<_>>(), [2]);
        assert!(one.text().contains("2026-11-23: delivered 2 by mail"), "{}", one.text());
    }
}
