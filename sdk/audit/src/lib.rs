//! Runs a ledger again, from any source.
//!
//! ```text
//! source --blocks--> check ahead, on every core --in order--> chain --> bodies --> execution
//!                    digests, signatures                      headers            state roots
//! ```
//!
//! Nothing that a source says is believed but bytes that a quorum signed: their order, their
//! signatures and every outcome are recomputed here, by the rules of the time. A level says how far
//! that goes; each includes those before it. What does not hold is named with its height.
//!
//! Lines, seals, acts and the index of tags lie in one file, so that memory does not grow with them,
//! and a replay that was killed goes on where that file ends.
//!
//! ```no_run
//! use fengni_audit::{Audit, Level, StreamSource};
//! # fn run(genesis: &fengni_genesis::Genesis) -> Result<(), Box<dyn std::error::Error>> {
//! let audit = Audit::open(genesis, Level::Full, None)?;
//! let source = StreamSource::open(std::fs::File::open("ledger.blocks")?, genesis.domain(), audit.height())?;
//! let report = audit.run(source, None, |_| Ok(()))?;
//! assert!(report.failure.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! Invariants: two replays of the same blocks give the same state root (2); a failure names the
//! first block that does not hold, and no other.

#![forbid(unsafe_code)]

mod ahead;
mod audit;
mod bodies;
mod chain;
mod fault;
mod level;
mod pipeline;
mod records;
mod replay;
mod source;
#[cfg(test)]
mod testing;
mod work;

pub use audit::{Audit, Executed, Report, Step, Trouble};
pub use fault::{Failure, Fault};
pub use level::Level;
pub use records::{DiskRecords, Keep};
pub use replay::{Replay, ReplayError};
pub use source::{Source, SourceError, StreamSource};
pub use work::{Figures, WorkError};
