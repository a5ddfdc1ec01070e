//! Placeholder.

pub mod engine;
pub mod network;
