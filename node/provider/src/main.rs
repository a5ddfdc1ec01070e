//! `fengni-provider`: answers for a department's data, and says by a receipt who used it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fengni_provider::main()
}
