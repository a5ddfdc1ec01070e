//! The service: what runs, and how it begins and ends.
//!
//! It may be killed at any moment: everything that counts is in the journal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use axum_server::Handle;
use fengni_client::keys::HeldKey;
use fengni_client::submit::Signers;
use fengni_client::{clock, light};
use fengni_core::sharing::{MemberSignature, Receipt};
use fengni_core::Millis;
use fengni_genesis::Genesis;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use crate::anchor::{Anchor, AnchorError, PATIENCE, WAIT};
use crate::config::{Config, ReceiptsConfig};
use crate::data::Data;
use crate::desk::Desk;
use crate::door::{self, Running};
use crate::home::Home;
use crate::http::{self, Bound, Gateway};
use crate::journal::{Journal, JournalError, Writer, before};
use crate::output::Output;
use crate::register::{Pace, Register};

/// How often is looked whether a batch is due.
const LOOK: Duration = Duration::from_millis(250);
/// Pauses after trouble with the ledger.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How often what is kept no longer is forgotten.
const FORGET: Duration = Duration::from_secs(600);
/// How long requests in flight have to finish.
const GRACE: Duration = Duration::from_secs(5);

/// Why batches wait, for status.
type Waits = Arc<Mutex<Option<String>>>;

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
    let journal = Arc::new(home.journal(owner)?);
    let listener = door::open(home)?;

    let number = key.number;
    let signing = key.clone();
    let sign = move |receipt: &Receipt| {
        let signature = signing.sign(&receipt.message(&owner.domain)).map_err(|error| error.to_string())?;
        Ok(MemberSignature { key: number, signature })
    };
    let pace = Pace { poll: config.ledger.poll(), fresh_millis: config.ledger.fresh_millis() };
    let clock: Arc<dyn Fn() -> Millis + Send + Sync> = Arc::new(clock::now);
    let desk = Desk {
        register: Register::start(home.ledger(&config, &genesis)?, Arc::clone(&clock), pace),
        data: Data::open(&config.database, config.tables()?)?,
        journal: Arc::clone(&journal),
        writer: Writer::start(Arc::clone(&journal), Arc::clone(&clock), Box::new(sign)),
        clock,
    };
    let gateway = Arc::new(Gateway::new(desk, submit(home, &config, &genesis, &key)?));

    let bound = [
        config
            .departments
            .as_ref()
            .map(|it| Bound::new("departments", it, &config))
            .transpose()?
            .map(|bound| (bound, http::departments(&gateway))),
        config
            .public
            .as_ref()
            .map(|it| Bound::new("public", it, &config))
            .transpose()?
            .map(|bound| (bound, http::public(&gateway))),
    ];

    let waits = Waits::default();
    let anchor = Anchor::new(
        Arc::clone(&journal),
        home.ledger(&config, &genesis)?,
        home.submitter(&config)?,
        &key,
        config.receipts.batch_after(),
    )?;
    let (told, anchoring) = tokio::sync::oneshot::channel();
    let anchored = Arc::clone(&gateway);
    let (saved, said, kept) = (home.light(), Arc::clone(&waits), config.receipts);
    std::thread::spawn(move || {
        let ended =
            keep_anchoring(anchor, &anchored, &said, kept, |anchor| light::save(anchor.light(), &saved).is_ok());
        let _ = told.send(ended);
    });

    let (door_gateway, runtime) = (Arc::clone(&gateway), tokio::runtime::Handle::current());
    std::thread::spawn(move || {
        door::serve(&listener, &door_gateway.desk.journal, &|| running(&door_gateway, &waits, &runtime));
    });

    let handle = Handle::new();
    let mut serving = JoinSet::new();
    for (bound, router) in bound.into_iter().flatten() {
        output.progress(&format!("listens for {}", bound.says()?));
        serving.spawn(bound.serve(router, handle.clone()));
    }
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let ended = tokio::select! {
        _ = terminated.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("no signal is heard"),
        broke = anchoring => Err(broke.unwrap_or_else(|_| anyhow!("a thread broke off"))),
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

/// Brings batches to the ledger, one after the other; returns where people have to look.
fn keep_anchoring(
    mut anchor: Anchor,
    gateway: &Gateway,
    waits: &Waits,
    kept: ReceiptsConfig,
    save: impl Fn(&Anchor) -> bool,
) -> anyhow::Error {
    let journal: &Journal = &gateway.desk.journal;
    let say = |why: Option<String>| *waits.lock().unwrap_or_else(PoisonError::into_inner) = why;
    let (mut is_checked, mut pause, mut forgotten) = (false, PAUSE, None::<Instant>);
    loop {
        let now = (gateway.desk.clock)();
        let step = if is_checked { anchor.step(now) } else { anchor.check().map(|()| false) };
        match step {
            Ok(went_on) => {
                (is_checked, pause) = (true, PAUSE);
                say(None);
                if went_on {
                    gateway.metrics.anchored();
                    if !save(&anchor) {
                        tracing::warn!("what was proven of the ledger could not be saved");
                    }
                } else {
                    std::thread::sleep(LOOK);
                }
            }
            Err(
                lasting @ (AnchorError::Journal(_)
                | AnchorError::OldJournal { .. }
                | AnchorError::OtherBook(_)
                | AnchorError::OtherKey),
            ) => return lasting.into(),
            Err(passing) => {
                tracing::warn!(reason = %passing, "batches wait");
                say(Some(passing.to_string()));
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
        }
        if forgotten.is_none_or(|at| at.elapsed() >= FORGET) {
            forgotten = Some(Instant::now());
            if let Err(error) = forget(journal, now, kept) {
                return error.into();
            }
        }
    }
}

/// Lets go of what is kept no longer: sealed answers after hours, receipts after years.
fn forget(journal: &Journal, now: Millis, kept: ReceiptsConfig) -> Result<(), JournalError> {
    journal.forget(before(now, kept.answers_kept()))?;
    while journal.erase_old(before(now, kept.receipts_kept()))? > 0 {}
    Ok(())
}

/// What the service says of itself.
fn running(gateway: &Gateway, waits: &Waits, runtime: &tokio::runtime::Handle) -> Running {
    let known = gateway.desk.register.freshness().ok();
    let data = runtime.block_on(gateway.desk.data.ping()).is_ok();
    Running {
        height: known.map(|known| known.height),
        fresh: known.is_some_and(|known| known.is_fresh),
        waits: waits.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        data,
    }
}
