//! fengni-demo: the story of a certificate on a network of your own.

use std::path::PathBuf;
use std::process::ExitCode;

use fengni_tests::demo::{Demo, tell};

const HELP: &str = "fengni-demo [--once] [--home DIR]

Starts four validators and an observer as processes on loopback and tells the story:
issue, show, scan, recognise, suspend, replace, share, audit. Each step is a command you can repeat.

--once      stop the network at the end; exit code 0 when every answer was the expected one
--home DIR  keep the network in DIR, which must be new or hold an earlier demo [default: .demo]

Example:
  make demo ONCE=1";

#[expect(clippy::print_stdout)]
fn main() -> ExitCode {
    let mut once = false;
    let mut home = PathBuf::from(".demo");
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.len()) {
            ("--once", _) => once = true,
            ("--home", 1..) => home = arguments.next().unwrap_or_default().into(),
            ("--help", _) => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            _ => {
                eprintln!("{HELP}");
                return ExitCode::from(3);
            }
        }
    }
    let demo = match Demo::begin(&home) {
        Ok(demo) => demo,
        Err(reason) => {
            eprintln!("fengni-demo: {reason}");
            return ExitCode::from(3);
        }
    };
    let told = tell(&demo);
    if once || !told {
        demo.end();
    } else {
        demo.leave_running();
    }
    if told { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
