//! Frequent users: members that act much on a day. Rule E-6.

use std::collections::BTreeMap;

use fengni_core::event::{Event, Topic};
use fengni_core::{Day, MemberNumber};
use serde::Serialize;

/// What a member did on a day.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Used {
    /// Transactions, done or refused.
    pub transactions: u64,
    /// Of those, refused.
    pub refused: u64,
    /// Lines sealed, of certificates and of cases.
    pub lines: u64,
    /// Acts on certificates.
    pub acts: u64,
}

impl Used {
    fn add(&mut self, more: Self) {
        self.transactions = self.transactions.saturating_add(more.transactions);
        self.refused = self.refused.saturating_add(more.refused);
        self.lines = self.lines.saturating_add(more.lines);
        self.acts = self.acts.saturating_add(more.acts);
    }
}

/// Above what a member's day is frequent use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Thresholds {
    /// Transactions.
    pub transactions: u64,
    /// Lines.
    pub lines: u64,
    /// Acts.
    pub acts: u64,
}

/// A member's day of frequent use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UsageRow {
    /// The member.
    pub member: MemberNumber,
    /// The day in China.
    pub day: String,
    /// What it did.
    #[serde(flatten)]
    pub used: Used,
}

/// What members did, day by day.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Usage(BTreeMap<(MemberNumber, Day), Used>);

impl Usage {
    /// Looks at an event.
    pub fn event(&mut self, event: &Event) {
        let sealed = event.done && event.seal.is_some();
        let used = Used {
            transactions: u64::from(event.position.part == 0),
            refused: u64::from(!event.done),
            lines: if sealed { event.lines.unwrap_or_default() } else { 0 },
            acts: u64::from(event.act.is_some() && event.topic == Topic::Certificates),
        };
        self.0.entry((event.member, Day::of(event.time))).or_default().add(used);
    }

    /// Adds a time that follows.
    pub fn join(&mut self, later: &Self) {
        later.0.iter().for_each(|(place, used)| self.0.entry(*place).or_default().add(*used));
    }

    /// Members' days above any of the thresholds.
    pub fn above(&self, thresholds: Thresholds) -> impl Iterator<Item = UsageRow> + '_ {
        let above = move |used: &Used| {
            used.transactions > thresholds.transactions || used.lines > thresholds.lines || used.acts > thresholds.acts
        };
        let found = self.0.iter().filter(move |(_, used)| above(used));
        found.map(|((member, day), used)| UsageRow { member: *member, day: day.to_string(), used: *used })
    }
}
