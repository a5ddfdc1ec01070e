//! Stories of the client against a small ledger in memory: see `ledger.rs` here.

mod audit;
mod handovers;
mod history;
mod http;
mod issue;
mod ledger;
mod light;
mod picture;
mod report;
mod rows;
mod submit;
mod verify;
