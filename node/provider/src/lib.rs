//! x
#![forbid(unsafe_code)]
mod config;
mod data;
mod desk;
mod journal;
mod register;
