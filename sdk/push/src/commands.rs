//! Commands: what people ask for, and what they are shown.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::clock;
use fengni_client::keys::files;
use fengni_core::Day;
use fengni_core::event::{Filter, Position};
use fengni_service::output::{Ending, Output};
use serde::Serialize;

use crate::args::{Args, Command};
use crate::channel::Channel;
use crate::door::{self, Reply, Request, Running};
use crate::home::Home;
use crate::service;
use crate::signature;
use crate::store::Entry;
use crate::subscription::{Name, Subscription, View};

/// How old the newest block may be where all is well: an idle ledger makes one every few seconds.
const FRESH_SECS: u64 = 600;
const ADDRESS_BYTES: u64 = 4 * 1024;

/// Does what the arguments ask for.
pub(crate) fn run(args: Args, output: Output) -> Result<Ending> {
    let home = Home::open(&args.home)?;
    let request = match args.command {
        Command::Add { name, by, to, filter } => add(&home, name, by, &to, &filter)?,
        Command::Approve { name } => Request::Approve(name, now(&home)?),
        Command::Pause { name } => Request::Pause(name),
        Command::Resume { name } => Request::Resume(name),
        Command::End { name } => Request::End(name),
        Command::Log { name, newest } => Request::Log(name, newest),
        Command::List => Request::List,
        Command::Status => return status(&home, output),
        Command::Counters { from, to, metrics } => return counters(&home, (from, to), metrics, output),
        Command::Key => return key(&home, output),
        Command::Run => match service::run(&home, output)? {},
    };
    Ok(shown(door::ask(&home, &request)?, output))
}

fn add(home: &Home, name: Name, by: String, to: &Path, fields: &[String]) -> Result<Request> {
    let parts =
        fields.iter().map(|field| field.split_once('=').with_context(|| format!("{field} is not FIELD=VALUES")));
    let filter = Filter::of(parts.collect::<Result<Vec<_>>>()?)?;
    let to = address(to)?.into();
    let channel = match by.as_str() {
        "webhook" => Channel::Webhook { to },
        "mail" => Channel::Mail { to },
        _ => Channel::Program { program: by, to },
    };
    // What cannot be carried is refused now rather than after its approval.
    channel.carrier(&home.config()?, &home.key()?)?;
    Ok(Request::Add(Box::new(Subscription::new(name, filter, channel))))
}

/// The one line of a file.
fn address(path: &Path) -> Result<String> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(ADDRESS_BYTES).read_to_end(&mut bytes)?;
        bytes
    } else {
        files::read_private(path, ADDRESS_BYTES)?
    };
    let Ok(text) = String::from_utf8(bytes) else { bail!("the address is not UTF-8") };
    Ok(text.trim().to_owned())
}

/// Where the ledger is: after its newest block.
fn now(home: &Home) -> Result<Position> {
    let config = home.config()?;
    let (newest, _) = home.ledger(&config, &home.genesis(&config)?)?.highest()?;
    Ok(Position::after(newest.height))
}

/// What a list holds.
#[derive(Serialize)]
struct Listed {
    subscriptions: Vec<View>,
}

/// What a log holds.
#[derive(Serialize)]
struct Logged {
    attempts: Vec<Entry>,
}

fn shown(reply: Reply, output: Output) -> Ending {
    let lines = |lines: Vec<String>, none: &str| if lines.is_empty() { none.to_owned() } else { lines.join("\n") };
    match reply {
        Reply::Done(view) => output.answer(&view, || view.text()),
        Reply::List { subscriptions, .. } => {
            let listed = Listed { subscriptions };
            let text = || lines(listed.subscriptions.iter().map(View::text).collect(), "there is no subscription");
            output.answer(&listed, text);
        }
        Reply::Log(attempts) => {
            let logged = Logged { attempts };
            output.answer(&logged, || lines(logged.attempts.iter().map(Entry::text).collect(), "nothing was sent yet"));
        }
        Reply::Refused(refusal) => {
            let refused = refusal.to_string();
            output.answer(&serde_json::json!({ "refused": refused }), || format!("refused: {refused}"));
            return Ending::Refused;
        }
        Reply::Counted(counted, _) => output.answer(&counted, || counted.text()),
        Reply::Failed(why) => return output.trouble(&anyhow::anyhow!(why)),
    }
    Ending::Done
}

/// How the service is.
#[derive(Serialize)]
struct Status {
    well: bool,
    running: Option<Running>,
    subscriptions: Vec<View>,
}

fn status(home: &Home, output: Output) -> Result<Ending> {
    let Reply::List { running, subscriptions } = door::ask(home, &Request::List)? else {
        bail!("the running service answers something else; next: use the same version")
    };
    let follows = running.as_ref().is_some_and(|running| running.waits.is_none());
    let is_fresh = |it: &Running| clock::now().0.saturating_sub(it.time.0) / 1_000 <= FRESH_SECS && it.stuck.is_empty();
    let well = follows && running.as_ref().is_some_and(is_fresh) && subscriptions.iter().all(View::is_well);
    let status = Status { well, running, subscriptions };
    output.answer(&status, || text(&status));
    Ok(if well { Ending::Done } else { Ending::Refused })
}

fn text(status: &Status) -> String {
    let mut lines = vec![match &status.running {
        None => "the service does not run; next: fengni-push run".to_owned(),
        Some(Running { waits: Some(why), .. }) => format!("the service waits for the ledger: {why}"),
        Some(running) => {
            let secs = clock::now().0.saturating_sub(running.time.0) / 1_000;
            let height = running.height;
            format!("the service has read height {height}; the newest block that gateways show is {secs} seconds old")
        }
    }];
    let stuck = status.running.iter().flat_map(|running| &running.stuck);
    lines.extend(stuck.map(|(name, why)| format!("{name} is behind and waits: {why}; next: name another gateway")));
    lines.extend(status.subscriptions.iter().map(View::text));
    lines.join("\n")
}

fn counters(home: &Home, days: (Option<Day>, Option<Day>), metrics: bool, output: Output) -> Result<Ending> {
    let Reply::Counted(counted, subscriptions) = door::ask(home, &Request::Counters)? else {
        bail!("the running service answers something else; next: use the same version")
    };
    if metrics {
        output.plain(&counted.metrics(&subscriptions));
    } else {
        let counted = counted.within(days.0, days.1);
        output.answer(&counted, || counted.text());
    }
    Ok(Ending::Done)
}

fn key(home: &Home, output: Output) -> Result<Ending> {
    let key = signature::shown(&home.key()?.public());
    output.answer(&serde_json::json!({ "key": key }), || key.clone());
    Ok(Ending::Done)
}
