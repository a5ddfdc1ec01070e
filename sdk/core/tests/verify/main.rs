//! Verification: each wrong thing gets exactly its own answer.

#![allow(clippy::cast_possible_truncation)]

mod granted;
mod identifier;
mod plain;
mod property;
#[path = "../common/random.rs"]
#[allow(dead_code, unreachable_pub)]
mod random;
mod replay;
mod sample;
mod scan;
mod story;
mod times;
mod vectors;
mod world;
