//! Programs: the operator's own way to a subscriber, such as a short message. Rule M-8.

use std::io::{ErrorKind, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fengni_core::Millis;
use rustix::process::{Pid, Signal, kill_process_group};

use super::{Answer, Carrier, Trouble};
use crate::config::Config;
use crate::message::Message;

/// `EX_TEMPFAIL` of sysexits.h.
const TRY_AGAIN: i32 = 75;
/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A program and whom it reaches.
pub(super) struct Program {
    path: PathBuf,
    to: String,
    timeout: Duration,
}

impl Program {
    pub(super) fn new(name: &str, to: &str, config: &Config) -> Result<Self> {
        let found = config.programs.get(name);
        let program =
            found.with_context(|| format!("no program {name} is configured; next: [programs.{name}] in push.toml"))?;
        Ok(Self { path: config.seen_from_home(&program.path), to: to.to_owned(), timeout: program.timeout() })
    }

    fn run(&self, input: &[u8]) -> std::io::Result<Option<ExitStatus>> {
        // What it says is its own affair: it could repeat the address.
        let mut child = Command::new(&self.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = child.stdin.take();
        let input = input.to_vec();
        // By a thread of its own: a program that reads nothing must not hold up what ends it. One that
        // has read enough closes the pipe, which is its choice.
        let writing = std::thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&input)));
        let ended = wait(&mut child, self.timeout);
        if !matches!(ended, Ok(Some(_))) {
            stop(&mut child);
        }
        drop(writing.join());
        ended
    }
}

fn wait(child: &mut Child, longest: Duration) -> std::io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        match child.try_wait()? {
            None if begun.elapsed() < longest => std::thread::sleep(LOOK),
            ended => return Ok(ended),
        }
    }
}

/// Ends it with whatever it has started.
fn stop(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

impl Carrier for Program {
    fn carry(&mut self, message: &Message, _now: Millis) -> Answer {
        match self.run(&message.for_program(&self.to)) {
            Ok(Some(status)) => match status.code() {
                Some(0) => Answer::Delivered,
                Some(TRY_AGAIN) => Answer::Again { why: Trouble::Exit(TRY_AGAIN), after: None },
                Some(code) => Answer::Stop { why: Trouble::Exit(code) },
                None => Answer::Again { why: Trouble::NotRun, after: None },
            },
            Ok(None) => Answer::Again { why: Trouble::TimedOut, after: None },
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                Answer::Stop { why: Trouble::NotRun }
            }
            // The machine is short of something, or the file is being replaced.
            Err(_) => Answer::Again { why: Trouble::NotRun, after: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::message::Message;

    #[test]
    fn m8_a_program_is_given_one_object_and_answers_by_its_exit_code() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (path, seen) = (folder.path().join("adapter"), folder.path().join("seen"));
        let carry = |script: &str, timeout| {
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a writable folder");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("its own file");
            let mut program = Program { path: path.clone(), to: "number 7".to_owned(), timeout };
            program.carry(&Message::sample(), Millis(0))
        };
        let long = Duration::from_secs(60);
        assert_eq!(carry(&format!("cat > {}", seen.display()), long), Answer::Delivered);
        let given: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&seen).expect("it was written")).expect("one object of JSON");
        assert_eq!((&given["to"], &given["id"]), (&"number 7".into(), &Message::sample().id().into()));
        assert_eq!(given["schema"], 1);

        let again = Answer::Again { why: Trouble::Exit(75), after: None };
        assert_eq!(carry("exit 75", long), again);
        assert_eq!(carry("echo number 7; exit 67", long), Answer::Stop { why: Trouble::Exit(67) });
        assert_eq!(carry("kill -9 $$", long), Answer::Again { why: Trouble::NotRun, after: None });
        // What it has started ends with it.
        let late = Answer::Again { why: Trouble::TimedOut, after: None };
        assert_eq!(carry("sleep 600 & wait", Duration::from_millis(50)), late);
        let missing = Program { path: folder.path().join("none"), to: String::new(), timeout: long };
        assert_eq!({ missing }.carry(&Message::sample(), Millis(0)), Answer::Stop { why: Trouble::NotRun });
    }
}
