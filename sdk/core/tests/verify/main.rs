//! Verification: each wrong thing gets exactly its own answer.

#![allow(clippy::cast_possible_truncation)]

mod identifier;
mod plain;
mod property;
mod replay;
mod sample;
mod scan;
mod story;
mod times;
mod vectors;
mod world;
