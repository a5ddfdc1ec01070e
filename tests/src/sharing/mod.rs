//! Data sharing as a harness: HRS shares for how many months somebody was insured, and YHD uses it.
//!
//! ```text
//! Stage   put on the ledger at once, for load and kills    -> accesses, as a program makes them
//! Desk    by the commands that people type, on any day     -> what each says
//! ```
//!
//! Where the journeys say YHR, the housing department of 云山 acts here: YHD, which is a member from the
//! founding on.

mod anchored;
mod desk;
pub mod papers;
pub mod registries;
mod stage;
mod written;

pub use anchored::{Anchored, anchored};
pub use desk::{Desk, GrantTerms};
pub use stage::{Holder, REQUEST_BY_DUTY, REQUEST_BY_GRANT, RESOURCE, Stage, TABLE};
pub use written::{Consent, UseTexts, taken, terms, word};
