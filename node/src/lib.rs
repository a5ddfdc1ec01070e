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
pub mod clock;
pub mod config;
pub mod engine;
mod fault;
pub mod ledger;
pub mod network;
pub mod pool;
mod recover;
mod run;
mod service;
mod spread;
pub mod store;

pub use recover::recover;
pub use run::{check, run, stopped_store};
