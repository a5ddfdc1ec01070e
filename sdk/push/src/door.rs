//! The door: how commands reach the store, whether the service runs or not.
//!
//! One process writes the store. While the service runs, it is that one, and commands speak to it
//! through a socket in its private folder; else a command opens the store itself.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fengni_core::event::Position;
use fengni_core::{Height, Millis};
use serde::{Deserialize, Serialize};

use crate::counted::Counted;
use crate::home::Home;
use crate::store::{Entry, Store, StoreError};
use crate::subscription::{Name, Refusal, Subscription, View};

const MESSAGE_BYTES: u64 = 4 * 1024 * 1024;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// What is asked.
#[derive(Serialize, Deserialize)]
pub(crate) enum Request {
    Add(Box<Subscription>),
    /// From a position on.
    Approve(Name, Position),
    Pause(Name),
    Resume(Name),
    End(Name),
    List,
    /// The newest entries, so many.
    Log(Name, usize),
    /// How many messages went out.
    Counters,
}

/// What the running service says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The last block that it has read.
    pub(crate) height: Height,
    /// Time of the newest block that any gateway shows.
    pub(crate) time: Millis,
    /// Why it waits for the ledger, if it does.
    pub(crate) waits: Option<String>,
    /// Subscriptions that are behind and cannot read on, and why.
    pub(crate) stuck: BTreeMap<Name, String>,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    Done(View),
    List { running: Option<Running>, subscriptions: Vec<View> },
    Log(Vec<Entry>),
    Counted(Counted, Vec<View>),
    Refused(Refusal),
    Failed(String),
}

/// Answers from the store.
pub(crate) fn answer(store: &Store, request: Request, running: Option<Running>) -> Result<Reply, StoreError> {
    let changed = |name: &Name, with: &dyn Fn(&mut Subscription) -> Result<(), Refusal>| {
        let changed = store.change(name, |subscription| with(subscription).map(|()| None))?;
        Ok(changed.map_or_else(Reply::Refused, |subscription| Reply::Done(subscription.view())))
    };
    match request {
        Request::Add(new) => {
            Ok(store.add(*new)?.map_or_else(Reply::Refused, |subscription| Reply::Done(subscription.view())))
        }
        Request::Approve(name, at) => {
            // The service may have proven blocks that the command's gateway does not have yet.
            let read = running.map_or(at, |running| Position::after(running.height));
            changed(&name, &|it| it.approve(at.max(read)))
        }
        Request::Pause(name) => changed(&name, &|it| it.pause("asked for")),
        Request::Resume(name) => changed(&name, &Subscription::resume),
        Request::End(name) => changed(&name, &Subscription::end),
        Request::List => {
            let subscriptions = store.all()?.iter().map(Subscription::view).collect();
            Ok(Reply::List { running, subscriptions })
        }
        Request::Counters => {
            Ok(Reply::Counted(store.counted()?, store.all()?.iter().map(Subscription::view).collect()))
        }
        Request::Log(name, newest) => match store.get(&name)? {
            Some(_) => Ok(Reply::Log(store.log(&name, newest)?)),
            None => Ok(Reply::Refused(Refusal::Unknown(name))),
        },
    }
}

/// Asks the running service, or the store where none runs.
pub(crate) fn ask(home: &Home, request: Request) -> Result<Reply> {
    let begun = Instant::now();
    loop {
        match UnixStream::connect(home.door()) {
            Ok(stream) => return exchange(&stream, &request).context("the running service does not answer"),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => (),
            Err(error) => return Err(error).with_context(|| home.door().display().to_string()),
        }
        match home.store() {
            Ok(store) => return Ok(answer(&store, request, None)?),
            // A service that begins or ends at this moment, or another command.
            Err(StoreError::InUse) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Err(error) => return Err(error.into()),
        }
    }
}

fn exchange(stream: &UnixStream, request: &Request) -> Result<Reply> {
    say(stream, request)?;
    let reply = hear(stream)?;
    if let Reply::Failed(why) = reply { bail!(why) } else { Ok(reply) }
}

/// Opens the door; whoever has the store may take the place of a service that was killed.
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
pub(crate) fn serve(listener: &UnixListener, store: &Store, running: &dyn Fn() -> Running) {
    for stream in listener.incoming() {
        match stream {
            // A command that went away is its own affair.
            Ok(stream) => drop(serve_one(&stream, store, running)),
            // Out of files for now.
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

fn serve_one(stream: &UnixStream, store: &Store, running: &dyn Fn() -> Running) -> Result<()> {
    let reply = match hear(stream) {
        Ok(request) => answer(store, request, Some(running())).unwrap_or_else(|error| Reply::Failed(error.to_string())),
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use fengni_core::event::Filter;

    use super::*;
    use crate::channel::Channel;
    use crate::subscription::State;

    fn private(path: &Path) -> Home {
        let bits = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(path, bits).expect("its own");
        Home::open(path).expect("private")
    }

    #[test]
    fn m1_commands_are_answered_alike_whether_the_service_runs_or_not() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let home = private(folder.path());
        let name: Name = "desk".parse().expect("a name");
        let channel = Channel::Webhook { to: "https://desk.example/secret".to_owned().into() };
        let add = || Request::Add(Box::new(Subscription::new(name.clone(), Filter::default(), channel.clone())));
        let view = |reply| match reply {
            Reply::Done(view) => view,
            _ => panic!("it is refused"),
        };
        assert_eq!(view(ask(&home, add()).expect("a store")).state, State::Pending);

        let store = Arc::new(home.store().expect("nobody has it"));
        // As a service that was killed leaves it.
        drop(open(&home).expect("a door"));
        let listener = open(&home).expect("a door");
        let served = Arc::clone(&store);
        std::thread::spawn(move || {
            let running = || Running { height: Height(7), time: Millis(1), waits: None, stuck: BTreeMap::new() };
            serve(&listener, &served, &running);
        });
        assert!(matches!(ask(&home, add()).expect("it answers"), Reply::Refused(Refusal::Taken(_))));
        let at = Position::after(Height(7));
        assert_eq!(view(ask(&home, Request::Approve(name.clone(), at)).expect("it answers")).state, State::Approved);
        let Reply::List { running, subscriptions } = ask(&home, Request::List).expect("it answers") else {
            panic!("another reply")
        };
        assert_eq!((running.map(|it| it.height), subscriptions.len()), (Some(Height(7)), 1));
        assert!(matches!(ask(&home, Request::Log(name, 5)).expect("it answers"), Reply::Log(log) if log.is_empty()));
    }
}
