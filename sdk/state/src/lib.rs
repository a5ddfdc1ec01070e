//! What a block does to the register: pure, deterministic, the same on a server and in a replay.
//!
//! ```text
//! Block --check--> CheckedBlock --apply--> Applied { state after, writes, outcomes }
//! ```
//!
//! [`State`] is a value: applying a block gives a new one that shares what did not change, so a
//! proposal is tried by applying it and dropped by dropping it. What only grows (lines, seals,
//! acts, the index of tags) stays with the caller behind [`Records`].
//!
//! Invariants: two nodes that applied the same blocks have the same state root (2); no accepted
//! transaction can stall or crash a node (4).

#![forbid(unsafe_code)]

mod apply;
mod block;
mod book;
mod calendar;
mod codes;
mod draft;
mod fault;
mod growing;
mod measure;
mod memory;
mod pack;
mod parameters;
mod prove;
mod records;
mod registries;
mod registry;
mod sealed;
mod state;
mod suspension;
mod types;

pub use apply::{AdoptError, Applied, apply};
pub use block::{BlockError, CheckedBlock, Known, Proposal, RecentIds, assemble, check, execute, recovery_of};
pub use book::BookState;
pub use codes::{code_fault, is_set_name};
pub use fault::{Fault, NAME_NEXT, count_fault, name_fault, rises};
pub use measure::{Moment, Touched, enact};
pub use memory::MemoryRecords;
pub use pack::pack;
pub use parameters::{parameter_faults, recovery_faults};
pub use prove::{ProveError, line_places, prove};
pub use records::{Records, Write};
pub use registries::Registries;
pub use registry::Registry;
pub use state::{Founding, LoadError, State, StateParts};
pub use types::{TypeSetting, is_fresh_type, type_faults};
