//! `fengni stats` and `fengni report`: what the ledger did in a time, counted from proven blocks. Rules
//! E-1 to E-8: `sdk/spec/reports.md`.
//!
//! ```text
//! days or heights -> proven blocks -> figures by type, member, region (and what nodes counted)
//!                                '--> what a regulator looks at, the same from any node
//! ```

pub(crate) mod report;
pub(crate) mod stats;

mod called;
mod nodes;
mod time;
