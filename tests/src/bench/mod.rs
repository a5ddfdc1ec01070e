//! The benchmark: one command, one table, for the machine it runs on.
//!
//! Speed is measured here and asserted nowhere: a test that fails because the machine is busy
//! protects nothing.

mod feed;
mod ledger;
mod offline;
mod packs;
mod profile;
mod register;
mod replaying;
mod sharing;
mod subscribers;
mod table;
mod upkeep;

pub use ledger::{Sizes, measure_ledger};
pub use offline::measure_verification;
pub use packs::{Province, measure_packs, write_pack};
pub use replaying::{Length, measure_replay, write_chain};
pub use sharing::{Counters, measure_sharing};
pub use subscribers::{Crowd, measure_subscribers};
pub use table::{Row, Table};
pub use upkeep::{Extent, measure_upkeep};
