//! The provider's gateway (数源网关): it stands before a department's data, answers whoever may ask, and
//! says by a receipt who used what.
//!
//! ```text
//! signed access --> Desk --> Register: request, grants, holders, proven
//!                    |  \--> Data: the department's own database
//!                    v
//!                 Journal: use, receipt, sealed answer --> Anchor --> book of receipts
//!                    |
//!                    v
//!                 answer        holders --> receipts about their keys
//! ```
//!
//! ```text
//! $ fengni-provider init --home provider
//! $ fengni-provider run --home provider
//! ```
//!
//! Invariants, each owned by a test:
//!
//! - No signature, no answer; what is refused is written down as what is answered is: I-25.
//! - An answer leaves after its use is on the disk; a use is counted once, whatever ends the program:
//!   I-20 and I-21.
//! - Batches of receipts follow one another without a gap: I-22.
//! - Data is in the department's database and in sealed answers, nowhere else: I-23, I-28.
//! - Whoever has the journal alone finds nobody in it, and what is erased leads to nobody: I-29.
//! - No grant counts where nothing recent is known of it: I-24.
//!
//! Rules I-20 to I-29: `sdk/spec/gateway.md`.

#![forbid(unsafe_code)]

mod anchor;
mod args;
mod commands;
mod config;
mod data;
mod desk;
mod door;
#[cfg(test)]
mod double;
mod home;
mod http;
mod journal;
mod register;
mod service;
mod upkeep;

// J6 on core's tiny register, as core's own tests have it.
#[cfg(test)]
mod common {
    use fengni_core::{Digest, Domain, NetworkId, Suite};

    pub(crate) fn domain() -> Domain {
        Domain { suite: Suite::Standard, network: NetworkId(Digest([0x46; 32])) }
    }
}
#[cfg(test)]
#[allow(clippy::cast_possible_truncation)]
#[path = "../../../sdk/core/tests/verify/sample.rs"]
mod sample;
#[cfg(test)]
#[allow(dead_code, clippy::cast_possible_truncation)]
#[path = "../../../sdk/core/tests/sharing/scene.rs"]
mod scene;
#[cfg(test)]
#[allow(dead_code, clippy::cast_possible_truncation)]
#[path = "../../../sdk/core/tests/verify/world.rs"]
mod world;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use fengni_service::output::{Ending, Output};

use args::Args;

/// Requests that a listener answers at once, and so accesses that may wait to be written.
const REQUESTS: usize = 1_024;

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
    commands::run(&args, output).unwrap_or_else(|error| output.trouble(&error)).into()
}
