//! The programs under test, as people run them to their end: `fengni` and `fengni-node`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::binaries::binary;
use crate::clock::Clock;

/// What a command answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Exit code: 0 holds or done, 1 refused, 2 undecided, 3 could not run.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// The answer of a command that was given `--json`.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The answer, which must have this exit code.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of {self:?}");
        self
    }
}

/// Runs `fengni` with these arguments and standard input.
///
/// # Panics
/// When the program cannot be started.
pub fn fengni(arguments: &[&str], input: &[u8]) -> Answer {
    run(&Clock::default(), "fengni", arguments, input)
}

/// Runs `fengni-node` with these arguments, to its end.
///
/// # Panics
/// When the program cannot be started.
pub fn fengni_node(arguments: &[&str]) -> Answer {
    run(&Clock::default(), "fengni-node", arguments, b"")
}

/// Runs a program to its end, on a clock.
///
/// # Panics
/// When the program cannot be started.
pub(crate) fn run(clock: &Clock, program: &str, arguments: &[&str], input: &[u8]) -> Answer {
    let mut command = Command::new(binary(program));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = clock.start(&mut command);
    let mut pipe = child.stdin.take().expect("standard input was asked for");
    // A command that does not read its input closes the pipe: that is its choice.
    let _ = pipe.write_all(input);
    drop(pipe);
    let output = child.wait_with_output().expect("the program ends");
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
