//! Reports: what the ledger did in a time, counted from proven events. Rules E-1 to E-8:
//! `sdk/spec/reports.md`.
//!
//! ```text
//! proven blocks --events--> Figures      what there was: for statistics (SVC-06)
//!                      '--> Supervision  what a regulator looks at (AUD-07, CRT-11)
//! ```
//!
//! Both are sums: events in, counts out, and the counts of two times that follow one another add up
//! to those of both. So whoever reads the same blocks gets the same figures, whichever node gave them.

mod figures;
mod overdue;
mod read;
mod refused;
mod supervision;
mod usage;

pub use figures::{Category, Figure, Figures, Place};
pub use overdue::{LateSeal, Overdue, OverdueRow, SEALS_LISTED, Sealing, Timing};
pub use read::read;
pub use refused::{RefusalRow, Refused, is_repeat};
pub use supervision::{Supervision, UNRECORDED};
pub use usage::{Thresholds, Usage, UsageRow, Used};
