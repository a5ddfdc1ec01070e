//! Data sharing beside the ledger: grants, accesses, receipts. Rules I-1 to I-18: `sdk/spec/access.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

#[path = "../common/mod.rs"]
#[allow(clippy::duplicate_mod)]
mod common;
mod forms;
mod held;
mod identity;
mod judging;
mod receipts;
#[path = "../verify/sample.rs"]
mod sample;
mod scene;
mod unlinkable;
mod vectors;
#[path = "../verify/world.rs"]
#[allow(dead_code)]
mod world;
