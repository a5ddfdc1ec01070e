//! x
#![forbid(unsafe_code)]
mod config;
mod data;
mod journal;
mod register;
