//! Consensus.
mod chain;
mod codec;
mod context;
mod guard;
mod parts;
mod signing;
