//! Overdue issuance (CRT-11): lines that were sealed too long after the act that they record. Rule E-4.

use std::collections::BTreeMap;

use fengni_core::event::{Event, Topic};
use fengni_core::{BookNumber, Day, Height, LineNumber, MemberNumber, SealNumber, TypeNumber};
use serde::Serialize;

/// Late seals that are listed one by one, the first of the time; all are counted.
pub const SEALS_LISTED: usize = 1000;

/// When the act of a seal was, by when it was to be sealed, and when it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Day of the act, where the seal names one.
    pub acted: Option<Day>,
    /// Last day on which sealing is in time; `None` where the type has no limit.
    pub due: Option<Day>,
    /// Day of the block.
    pub sealed: Day,
}

impl Timing {
    /// What an event says of it: each node has reckoned the last day in time when it ran the block (O-28).
    pub fn of(event: &Event) -> Self {
        Self { acted: event.acted, due: event.due, sealed: Day::of(event.time) }
    }

    /// By how many days it is late; `None` where it is in time, or nothing was due.
    pub fn late_days(&self) -> Option<u32> {
        self.due.and_then(|due| self.sealed.0.checked_sub(due.0)).filter(|days| *days > 0)
    }
}

/// Seals and their lines.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Sealing {
    /// Seals.
    pub seals: u64,
    /// Lines.
    pub lines: u64,
}

impl Sealing {
    fn add(&mut self, more: Self) {
        self.seals = self.seals.saturating_add(more.seals);
        self.lines = self.lines.saturating_add(more.lines);
    }
}

/// What a member sealed of a type.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Counts {
    untimed: Sealing,
    timed: Sealing,
    late: Sealing,
}

/// What a member sealed of a type, as it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct OverdueRow {
    /// Type of certificate.
    pub certificate_type: Option<TypeNumber>,
    /// The member.
    pub member: MemberNumber,
    /// For which nothing was due: the type has no limit, or the seal names no day.
    pub untimed: Sealing,
    /// For which a day was due.
    pub timed: Sealing,
    /// Of those, late.
    pub late: Sealing,
}

/// A seal that was late.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LateSeal {
    /// The block.
    pub height: Height,
    /// The book.
    pub book: Option<BookNumber>,
    /// The seal's number in the book.
    pub seal: Option<SealNumber>,
    /// Its first line.
    pub line: Option<LineNumber>,
    /// How many lines.
    pub lines: u64,
    /// Type of certificate.
    pub certificate_type: Option<TypeNumber>,
    /// Who sealed.
    pub member: MemberNumber,
    /// Day of the act.
    pub acted: Option<String>,
    /// Last day in time.
    pub due: Option<String>,
    /// Day of the block.
    pub sealed: String,
    /// Days between the last two.
    pub late_days: u32,
}

/// Overdue issuance of a time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Overdue {
    counts: BTreeMap<(Option<TypeNumber>, MemberNumber), Counts>,
    seals: Vec<LateSeal>,
}

impl Overdue {
    /// Looks at an event.
    pub fn event(&mut self, event: &Event) {
        if event.done && event.seal.is_some() && event.topic == Topic::Certificates {
            self.seal(event, Timing::of(event));
        }
    }

    /// Counts a seal.
    pub fn seal(&mut self, event: &Event, timing: Timing) {
        let lines = event.lines.unwrap_or_default();
        let one = Sealing { seals: 1, lines };
        let counts = self.counts.entry((event.certificate_type, event.member)).or_default();
        if timing.due.is_some() {
            counts.timed.add(one)
        } else {
            counts.untimed.add(one)
        }
        let Some(late_days) = timing.late_days() else { return };
        counts.late.add(one);
        if self.seals.len() < SEALS_LISTED {
            self.seals.push(LateSeal {
                height: event.position.height,
                book: event.book,
                seal: event.seal,
                line: event.line,
                lines,
                certificate_type: event.certificate_type,
                member: event.member,
                acted: timing.acted.map(|day| day.to_string()),
                due: timing.due.map(|day| day.to_string()),
                sealed: timing.sealed.to_string(),
                late_days,
            });
        }
    }

    /// Adds a time that follows.
    pub fn join(&mut self, later: &Self) {
        for (place, more) in &later.counts {
            let counts = self.counts.entry(*place).or_default();
            counts.untimed.add(more.untimed);
            counts.timed.add(more.timed);
            counts.late.add(more.late);
        }
        let room = SEALS_LISTED.saturating_sub(self.seals.len());
        self.seals.extend(later.seals.iter().take(room).cloned());
    }

    /// By type and member.
    pub fn rows(&self) -> impl Iterator<Item = OverdueRow> + '_ {
        self.counts.iter().map(|((certificate_type, member), counts)| OverdueRow {
            certificate_type: *certificate_type,
            member: *member,
            untimed: counts.untimed,
            timed: counts.timed,
            late: counts.late,
        })
    }

    /// The first late seals, at most [`SEALS_LISTED`].
    pub fn seals(&self) -> &[LateSeal] {
        &self.seals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e4_a_seal_is_late_from_the_day_after_the_last_one_in_time() {
        let day = |text: &str| Day::parse(text);
        // Acted on a Friday, with five working days.
        let (acted, due) = (day("2026-11-13"), day("2026-11-20"));
        for (sealed, late) in
            [("2026-11-13", None), ("2026-11-20", None), ("2026-11-21", Some(1)), ("2026-12-01", Some(11))]
        {
            let sealed = day(sealed).expect("a real day");
            assert_eq!(Timing { acted, due, sealed }.late_days(), late, "{sealed}");
            assert_eq!(Timing { acted, due: None, sealed }.late_days(), None, "nothing is due");
        }
    }
}
