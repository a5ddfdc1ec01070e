//! The door: how commands ask the journal, whether the service runs or not.
//!
//! One process has the journal. While the service runs, it is that one, and commands speak to it
//! through a socket in its private folder; else a command opens the journal itself.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fengni_client::clock;
use fengni_core::{Height, Millis};
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::journal::{Erased, Journal, JournalError, Listed, YOUNG, before};

const MESSAGE_BYTES: u64 = 16 * 1024 * 1024;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// What is asked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Request {
    /// How it is.
    Status,
    /// The newest receipts, so many.
    Receipts(usize),
    /// That receipts about these subjects lead to nobody any more.
    Erase(Vec<String>),
}

/// What the running service says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Height of what is known of the ledger.
    pub(crate) height: Option<Height>,
    /// Whether that is fresh enough for grants to count.
    pub(crate) fresh: bool,
    /// Why batches wait, if they do.
    pub(crate) waits: Option<String>,
    /// Whether the database answers.
    pub(crate) data: bool,
}

/// How the gateway is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The service, where it runs.
    pub(crate) running: Option<Running>,
    /// Receipts in the journal.
    pub(crate) receipts: u64,
    /// Batches of them.
    pub(crate) batches: u64,
    /// Receipts in no anchored batch.
    pub(crate) waiting: u64,
}

/// A receipt in a list: who used what when, without the case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) time: Millis,
    pub(crate) requester: u32,
    pub(crate) request: u32,
    pub(crate) mode: String,
    pub(crate) basis: String,
    pub(crate) result: String,
    /// Whether the requester signed it as well; none where it was erased.
    pub(crate) two_sided: Option<bool>,
    /// Whether it stands on the ledger.
    pub(crate) anchored: bool,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    Status(Status),
    Receipts(Vec<Row>),
    Erased(Erased),
    Failed(String),
}

/// Answers from the journal.
pub(crate) fn answer(
    journal: &Journal,
    request: Request,
    running: impl FnOnce() -> Option<Running>,
) -> Result<Reply, JournalError> {
    let (batches, receipts) = journal.sizes()?;
    let waiting = journal.waiting()?;
    Ok(match request {
        Request::Status => Reply::Status(Status { running: running(), receipts, batches, waiting }),
        Request::Receipts(newest) => {
            let anchored = receipts.saturating_sub(waiting);
            let row = |Listed { number, trace, is_two_sided }: Listed| Row {
                number,
                time: trace.time,
                requester: trace.requester.0,
                request: trace.request.0,
                mode: trace.mode.word().to_owned(),
                basis: trace.basis.word().to_owned(),
                result: serde_json::to_value(trace.result).map(|result| word(&result)).unwrap_or_default(),
                two_sided: is_two_sided,
                anchored: number < anchored,
            };
            Reply::Receipts(journal.newest(newest)?.into_iter().map(row).collect())
        }
        Request::Erase(subjects) => Reply::Erased(journal.erase(&subjects, before(clock::now(), YOUNG))?),
    })
}

/// The word of a result as it is written in receipts: of a refusal that of the refusal.
fn word(result: &serde_json::Value) -> String {
    let refused = result.get("refused").unwrap_or(result);
    refused.as_str().unwrap_or_default().to_owned()
}

/// Asks the running service, or the journal where none runs.
pub(crate) fn ask(home: &Home, request: Request) -> Result<Reply> {
    match UnixStream::connect(home.door()) {
        Ok(stream) => return exchange(&stream, &request).context("the running service does not answer"),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => (),
        Err(error) => return Err(error).with_context(|| home.door().display().to_string()),
    }
    let config = home.config()?;
    let owner = home.owner(&config, &home.genesis(&config)?)?;
    Ok(answer(&home.journal(owner)?, request, || None)?)
}

fn exchange(stream: &UnixStream, request: &Request) -> Result<Reply> {
    say(stream, request)?;
    let reply = hear(stream)?;
    if let Reply::Failed(why) = reply { bail!(why) } else { Ok(reply) }
}

/// Opens the door; whoever has the journal may take the place of a service that was killed.
pub(crate) fn open(home: &Home) -> Result<UnixListener> {
    let path = home.door();
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context(path.display().to_string()),
        _ => (),
    }
    let listener = UnixListener::bind(&path)
        .with_context(|| format!("{}; next: choose a folder with a shorter path", path.display()))?;
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, private).with_context(|| path.display().to_string())?;
    Ok(listener)
}

/// Answers one command after the other, for as long as the process runs.
pub(crate) fn serve(listener: &UnixListener, journal: &Journal, running: &dyn Fn() -> Running) {
    for stream in listener.incoming() {
        match stream {
            // A command that went away is its own affair.
            Ok(stream) => drop(serve_one(&stream, journal, running)),
            // Out of files for now.
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

fn serve_one(stream: &UnixStream, journal: &Journal, running: &dyn Fn() -> Running) -> Result<()> {
    let reply = match hear(stream) {
        Ok(request) => {
            answer(journal, request, || Some(running())).unwrap_or_else(|error| Reply::Failed(error.to_string()))
        }
        Err(_) => Reply::Failed("the running service does not understand; next: use the same version".to_owned()),
    };
    say(stream, &reply)
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
