//! The service: what runs, and how it begins and ends.
//!
//! It may be killed at any moment: everything that counts is in the journal.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use axum_server::Handle;
use fengni_client::keys::HeldKey;
use fengni_client::submit::Signers;
use fengni_client::{clock, light};
use fengni_core::Millis;
use fengni_core::sharing::{MemberSignature, Receipt};
use fengni_genesis::Genesis;
use fengni_service::output::Output;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use crate::anchor::{Anchor, PATIENCE, WAIT};
use crate::config::Config;
use crate::data::Data;
use crate::desk::{Desk, Identities};
use crate::door::{self, Running};
use crate::home::Home;
use crate::http::{self, Bound, Gateway};
use crate::journal::Writer;
use crate::register::{Nodes, Pace, Register, WATCH};
use crate::upkeep;

/// How long requests in flight have to finish.
const GRACE: Duration = Duration::from_secs(5);

/// Runs until it is ended, or until something is wrong that people have to see.
///
/// # Errors
/// What is wrong, with the next step.
pub(crate) fn run(home: &Home, output: Output) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    tokio::runtime::Runtime::new()?.block_on(serve(home, output))
}

async fn serve(home: &Home, output: Output) -> Result<()> {
    let config = home.config()?;
    let genesis = home.genesis(&config)?;
    let owner = home.owner(&config, &genesis)?;
    let key = home.key(&config)?;
    let journal = Arc::new(home.journal_to_keep(owner)?);
    let listener = fengni_service::door::open(&home.door())?;

    let number = key.number;
    let signing = key.clone();
    let sign = move |receipt: &Receipt| {
        let signature = signing.sign(&receipt.message(&owner.domain)).map_err(|error| error.to_string())?;
        Ok(MemberSignature { key: number, signature })
    };
    let pace = Pace { poll: config.ledger.poll(), fresh_millis: config.ledger.fresh_millis() };
    let clock: Arc<dyn Fn() -> Millis + Send + Sync> = Arc::new(clock::now);
    let desk = Desk {
        register: Register::start(Nodes::watched(home.ledger(&config, &genesis)?, WATCH), Arc::clone(&clock), pace),
        data: Data::open(&config.database, config.tables()?)?,
        journal: Arc::clone(&journal),
        writer: Writer::start(Arc::clone(&journal), Arc::clone(&clock), Box::new(sign)),
        identities: Identities::new(config.identities.as_deref()),
        clock,
    };
    let gateway = Arc::new(Gateway::new(desk, submit(home, &config, &genesis, &key)?));

    let anchor = Anchor::new(
        Arc::clone(&journal),
        home.ledger(&config, &genesis)?,
        home.submitter(&config)?,
        &key,
        config.receipts.batch_after(),
    )?;
    let (told, anchoring) = oneshot::channel();
    let (compared, is_compared) = oneshot::channel();
    let (anchored, saved, kept) = (Arc::clone(&gateway), home.light(), config.receipts);
    std::thread::spawn(move || {
        let save = |anchor: &Anchor| light::save(anchor.light(), &saved).is_ok();
        let _ = told.send(upkeep::keep(anchor, &anchored, kept, compared, save));
    });
    let (door_gateway, runtime) = (Arc::clone(&gateway), tokio::runtime::Handle::current());
    std::thread::spawn(move || {
        door::serve(&listener, &door_gateway.desk.journal, &|| running(&door_gateway, &runtime));
    });

    let mut ends = std::pin::pin!(ends(anchoring));
    // An old journal answers nobody: it would count uses again.
    tokio::select! {
        ended = &mut ends => return ended,
        Ok(()) = is_compared => (),
    }
    let handle = Handle::new();
    let mut serving = JoinSet::new();
    let listeners = [
        ("departments", config.departments.as_ref(), http::departments(&gateway)),
        ("public", config.public.as_ref(), http::public(&gateway)),
    ];
    for (name, listener, router) in listeners {
        let Some(listener) = listener else { continue };
        let bound = Bound::new(name, listener, &config)?;
        output.progress(&format!("listens for {}", bound.says()?));
        serving.spawn(bound.serve(router, handle.clone()));
    }
    let ended = tokio::select! {
        ended = ends => ended,
        Some(broke) = serving.join_next() => broke.map_err(anyhow::Error::from).flatten(),
    };
    handle.graceful_shutdown(Some(GRACE));
    while serving.join_next().await.is_some() {}
    ended
}

/// What brings a holder's withdrawal to the ledger with the member's key.
fn submit(home: &Home, config: &Config, genesis: &Genesis, key: &HeldKey) -> Result<http::Submit> {
    let signers = Signers::new(std::slice::from_ref(key))?;
    let submitter = home.submitter(config)?.with_wait(WAIT, PATIENCE);
    let (home, config, genesis) = (home.clone(), config.clone(), genesis.clone());
    Ok(Box::new(move |operation| {
        let mut ledger = home.ledger(&config, &genesis)?;
        Ok(submitter.submit(&mut ledger, &signers, operation)?)
    }))
}

/// Until it is told to end, or until something is wrong that people have to see.
async fn ends(anchoring: oneshot::Receiver<anyhow::Error>) -> Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("no signal is heard"),
        broke = anchoring => Err(broke.unwrap_or_else(|_| anyhow!("a thread broke off"))),
    }
}

/// What the service says of itself.
fn running(gateway: &Gateway, runtime: &tokio::runtime::Handle) -> Running {
    let known = gateway.desk.register.freshness().ok();
    let data = runtime.block_on(gateway.desk.data.ping()).is_ok();
    Running {
        height: known.map(|known| known.height),
        fresh: known.is_some_and(|known| known.is_fresh),
        waits: gateway.anchoring.why(),
        data,
    }
}
