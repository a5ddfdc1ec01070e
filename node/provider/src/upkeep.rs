//! Upkeep beside the answers: receipts are anchored, and what is kept no longer is let go.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fengni_core::Millis;
use tokio::sync::oneshot;

use crate::anchor::{Anchor, AnchorError};
use crate::config::ReceiptsConfig;
use crate::http::Gateway;
use crate::journal::{Journal, JournalError, before};

/// How often is looked whether a batch is due.
const LOOK: Duration = Duration::from_millis(250);
/// Pauses after trouble with the ledger.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How often what is kept no longer is forgotten.
const FORGET: Duration = Duration::from_secs(600);
/// How long batches may wait before the gateway says that it is not well: receipts are due on the ledger by then.
const LATE_MILLIS: u64 = 10_000;

/// Whether batches go to the ledger, and if not, since when and why.
#[derive(Default)]
pub(crate) struct Anchoring(Mutex<Option<(Millis, String)>>);

impl Anchoring {
    /// Nothing is in the way.
    pub(crate) fn goes_on(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Something is in the way, maybe for a while already.
    pub(crate) fn waits(&self, now: Millis, why: String) {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = waits.as_ref().map_or(now, |(since, _)| *since);
        *waits = Some((since, why));
    }

    /// What is in the way.
    pub(crate) fn why(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, why)| why.clone())
    }

    /// Whether it has been in the way for so long that receipts are late.
    pub(crate) fn is_late(&self, now: Millis) -> bool {
        let waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waits.as_ref().is_some_and(|(since, _)| now.0.saturating_sub(since.0) > LATE_MILLIS)
    }
}

/// Brings batches to the ledger, one after the other; returns where people have to look.
///
/// - `compared`: told once the journal was compared with the ledger.
/// - `save`: saves what was proven of the ledger.
pub(crate) fn keep(
    mut anchor: Anchor,
    gateway: &Gateway,
    kept: ReceiptsConfig,
    compared: oneshot::Sender<()>,
    save: impl Fn(&Anchor) -> bool,
) -> anyhow::Error {
    let journal: &Journal = &gateway.desk.journal;
    let mut compared = Some(compared);
    let (mut pause, mut forgotten) = (PAUSE, None::<Instant>);
    loop {
        let now = (gateway.desk.clock)();
        let step = if compared.is_some() { anchor.compare().map(|()| true) } else { anchor.step(now) };
        match step {
            Ok(went_on) => {
                pause = PAUSE;
                gateway.anchoring.goes_on();
                if let Some(compared) = compared.take() {
                    let _ = compared.send(());
                } else if went_on {
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
                gateway.anchoring.waits(now, passing.to_string());
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
        }
        if forgotten.is_none_or(|at| at.elapsed() >= FORGET) {
            match forget(journal, now, kept) {
                Ok(true) => forgotten = Some(Instant::now()),
                // The rest waits for the next turn: batches come first.
                Ok(false) => (),
                Err(error) => return error.into(),
            }
        }
    }
}

/// Lets go of some of what is kept no longer: sealed answers after hours, receipts after years. True when it is done.
fn forget(journal: &Journal, now: Millis, kept: ReceiptsConfig) -> Result<bool, JournalError> {
    let accesses = journal.forget(before(now, kept.answers_kept()))?;
    let receipts = journal.erase_old(before(now, kept.receipts_kept()))?;
    Ok(accesses == 0 && receipts == 0)
}
