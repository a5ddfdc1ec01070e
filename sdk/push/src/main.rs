//! `fengni-push`: tells subscribers what the ledger does.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fengni_push::main()
}
