//! A node of the ledger: consensus, store, network, gateway.
//!
//! ```text
//! api ──reads──> ledger <──asks── engine ──sends──> network
//!  └──submits──>  │  pool <──spreads── network
//!                 └──> store
//! ```
//!
//! `engine` alone names the consensus engine, `store` alone the database. [`run()`] wires them from
//! one configuration and stops them in order.

#![forbid(unsafe_code)]

pub mod api;
pub mod backup;
pub mod clock;
pub mod config;
pub mod counters;
pub mod disk;
pub mod doctor;
pub mod engine;
mod fault;
pub mod ledger;
mod membership;
pub mod network;
pub mod pool;
mod recover;
mod retention;
mod run;
pub mod selfcheck;
mod service;
mod snapshot;
mod spread;
pub mod store;
mod streams;
mod upkeep;

pub use recover::recover;
pub use run::{check, examine, repair_log, run, stopped_store};
pub use streams::{export, import};
pub use upkeep::{back_up, check_store, never_signed, restore};
