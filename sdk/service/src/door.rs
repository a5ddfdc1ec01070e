//! The door: how commands reach the one process that has the store, whether the service runs or not.
//!
//! While the service runs, it has the store, and commands speak to it through a socket in its private
//! folder, a line of JSON each way; else a command opens the store itself.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const MESSAGE_BYTES: u64 = 16 * 1024 * 1024;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// What became of a command where no service runs.
pub enum Alone<A> {
    /// It had the store, and this is its answer.
    Answered(A),
    /// A service that begins or ends at this moment has it, or another command.
    InUse(anyhow::Error),
}

/// Asks the running service, or the store where none runs.
///
/// - `door`: the socket in the service's folder.
/// - `alone`: asks the store; again for as long as it is in use, ten seconds at most.
///
/// # Errors
/// The service's or the store's trouble.
pub fn ask<A: DeserializeOwned>(
    door: &Path,
    request: &impl Serialize,
    mut alone: impl FnMut() -> Result<Alone<A>>,
) -> Result<A> {
    let begun = Instant::now();
    loop {
        match UnixStream::connect(door) {
            Ok(stream) => {
                let heard = say(&stream, request).and_then(|()| hear(&stream));
                return heard.context("the running service does not answer");
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => (),
            Err(error) => return Err(error).with_context(|| door.display().to_string()),
        }
        match alone()? {
            Alone::Answered(answer) => return Ok(answer),
            Alone::InUse(_) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Alone::InUse(error) => return Err(error),
        }
    }
}

/// Opens the door; whoever has the store may take the place of a service that was killed.
///
/// # Errors
/// The system's, with the next step.
pub fn open(path: &Path) -> Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context(path.display().to_string()),
        _ => (),
    }
    let listener = UnixListener::bind(path)
        .with_context(|| format!("{}; next: choose a folder with a shorter path", path.display()))?;
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, private).with_context(|| path.display().to_string())?;
    Ok(listener)
}

/// Answers one command after the other, for as long as the process runs.
///
/// - `answer`: what is answered; to nothing, where the command is not understood, as of another version.
pub fn serve<Q: DeserializeOwned, A: Serialize>(listener: &UnixListener, answer: impl Fn(Option<Q>) -> A) {
    for stream in listener.incoming() {
        match stream {
            // A command that went away is its own affair.
            Ok(stream) => drop(say(&stream, &answer(hear(&stream).ok()))),
            // Out of files for now.
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

fn say(mut stream: &UnixStream, what: &impl Serialize) -> Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(stream.write_all(&line)?)
}

fn hear<T: for<'a> Deserialize<'a>>(stream: &UnixStream) -> Result<T> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = Vec::new();
    BufReader::new(stream.take(MESSAGE_BYTES)).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_command_is_answered_alike_whether_the_service_runs_or_not() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let door = folder.path().join("test.socket");
        let twice = |number: u32| number * 2;
        let alone = || Ok(Alone::Answered(twice(4)));
        assert_eq!(ask(&door, &4, alone).expect("nobody has the store"), 8);
        // As a service that was killed leaves it.
        drop(open(&door).expect("a door"));
        assert_eq!(ask(&door, &4, alone).expect("nobody has the store"), 8);
        let listener = open(&door).expect("a door");
        std::thread::spawn(move || serve(&listener, |number: Option<u32>| number.map_or(0, twice)));
        let never = || -> Result<Alone<u32>> { Err(anyhow!("the service has the store")) };
        assert_eq!(ask(&door, &4, never).expect("it answers"), 8);
        assert_eq!(ask(&door, &"four", never).expect("it answers"), 0, "it does not understand, and goes on");
        assert_eq!(ask(&door, &5, never).expect("it answers"), 10);
    }

    #[test]
    fn a_command_waits_while_another_has_the_store() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut looks = 0;
        let answered = ask(&folder.path().join("none.socket"), &4, || {
            looks += 1;
            Ok(if looks < 3 { Alone::InUse(anyhow!("another has it")) } else { Alone::Answered(looks) })
        });
        assert_eq!(answered.expect("it was let go"), 3);
    }
}
