//! `fengni`: the command line of the ledger.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fengni_cli::main()
}
