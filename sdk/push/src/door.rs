//! What commands ask the store, whether the service runs or not.

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;

use anyhow::{Result, bail};
use fengni_core::event::Position;
use fengni_core::{Height, Millis};
use fengni_service::door::Alone;
use serde::{Deserialize, Serialize};

use crate::counted::Counted;
use crate::home::Home;
use crate::store::{Entry, Store, StoreError};
use crate::subscription::{Name, Refusal, Subscription, View};

/// What is asked.
#[derive(Clone, Serialize, Deserialize)]
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
pub(crate) fn ask(home: &Home, request: &Request) -> Result<Reply> {
    let reply = fengni_service::door::ask(&home.door(), request, || match home.store() {
        Ok(store) => Ok(Alone::Answered(answer(&store, request.clone(), None)?)),
        // A service that begins or ends at this moment, or another command.
        Err(error @ StoreError::InUse) => Ok(Alone::InUse(error.into())),
        Err(error) => Err(error.into()),
    })?;
    if let Reply::Failed(why) = reply { bail!(why) } else { Ok(reply) }
}

/// Answers one command after the other, for as long as the process runs.
pub(crate) fn serve(listener: &UnixListener, store: &Store, running: &dyn Fn() -> Running) {
    fengni_service::door::serve(listener, |request: Option<Request>| match request {
        Some(request) => {
            let answered = answer(store, request, Some(running()));
            answered.unwrap_or_else(|error| Reply::Failed(error.to_string()))
        }
        None => Reply::Failed("the running service does not understand; next: use the same version".to_owned()),
    });
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
        assert_eq!(view(ask(&home, &add()).expect("a store")).state, State::Pending);

        let store = Arc::new(home.store().expect("nobody has it"));
        // As a service that was killed leaves it.
        drop(fengni_service::door::open(&home.door()).expect("a door"));
        let listener = fengni_service::door::open(&home.door()).expect("a door");
        let served = Arc::clone(&store);
        std::thread::spawn(move || {
            let running = || Running { height: Height(7), time: Millis(1), waits: None, stuck: BTreeMap::new() };
            serve(&listener, &served, &running);
        });
        assert!(matches!(ask(&home, &add()).expect("it answers"), Reply::Refused(Refusal::Taken(_))));
        let at = Position::after(Height(7));
        assert_eq!(view(ask(&home, &Request::Approve(name.clone(), at)).expect("it answers")).state, State::Approved);
        let Reply::List { running, subscriptions } = ask(&home, &Request::List).expect("it answers") else {
            panic!("another reply")
        };
        assert_eq!((running.map(|it| it.height), subscriptions.len()), (Some(Height(7)), 1));
        assert!(matches!(ask(&home, &Request::Log(name, 5)).expect("it answers"), Reply::Log(log) if log.is_empty()));
    }
}
