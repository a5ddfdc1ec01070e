//! Push (推送): subscribers are told what the ledger does, by webhook, by mail, or by a program that
//! reaches them otherwise.
//!
//! ```text
//! ledger --Follow--> Feed --filter--> Courier --> webhook, mail, program
//!                                      |  ^
//!                                      v  | how far, when next
//!                                     Store <--- Door <--- add, approve, pause, list ...
//! ```
//!
//! ```text
//! $ fengni-push add desk --by webhook --to desk.url --filter kinds=suspend,return
//! $ fengni-push approve desk
//! $ fengni-push run
//! ```
//!
//! Invariants, each owned by a test:
//!
//! - A subscriber gets exactly the events that its filter wants, each at least once and under one id,
//!   in the ledger's order, and none from before its approval: M-1 to M-4.
//! - What is sent is derived from proven blocks; a message is a notice and proves nothing: M-5.
//! - A crash at any moment loses nothing, and repeats at most what was on its way: M-3.
//! - A subscriber that does not answer holds up nobody else: M-4.
//! - Addresses stay in the private folder: no log, no answer and no list repeats one: M-9.
//!
//! Rules M-1 to M-10: `sdk/spec/push.md`.

#![forbid(unsafe_code)]

mod args;
mod backoff;
mod bell;
mod channel;
mod commands;
mod config;
mod counted;
mod courier;
mod door;
mod feed;
mod home;
mod message;
mod notice;
mod service;
mod signature;
mod store;
mod subscription;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use fengni_service::output::{Ending, Output};

use args::Args;

/// Runs the program with the arguments of its process.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { Ending::Done } else { Ending::CouldNotRun }.into();
        }
    };
    let output = Output::new(args.json);
    let ended = commands::run(args, output);
    ended.unwrap_or_else(|error| output.trouble(&error)).into()
}
