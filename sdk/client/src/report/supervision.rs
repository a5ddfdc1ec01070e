//! What a regulator looks at (AUD-07): overdue issuance, refusals, frequent use, repeats. Rules E-4 to E-8.

use fengni_core::event::Event;

use super::overdue::Overdue;
use super::refused::Refused;
use super::usage::Usage;

/// Reports that the ledger holds nothing for, and why: they are named rather than shown as nought.
pub const UNRECORDED: [(&str, &str); 1] = [(
    "repeat-collection",
    "what departments collect of people comes with data sharing, which is not on the ledger yet",
)];

/// The regulator's reports of a time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Supervision {
    /// Overdue issuance.
    pub overdue: Overdue,
    /// Refusals, and repeats among them.
    pub refused: Refused,
    /// What members did, day by day.
    pub usage: Usage,
}

impl Supervision {
    /// Counts what a block did, whatever was refused included.
    pub fn block(&mut self, events: &[Event]) {
        for event in events {
            self.overdue.event(event);
            self.refused.event(event);
            self.usage.event(event);
        }
    }

    /// Adds a time that follows.
    pub fn join(&mut self, later: &Self) {
        self.overdue.join(&later.overdue);
        self.refused.join(&later.refused);
        self.usage.join(&later.usage);
    }
}
