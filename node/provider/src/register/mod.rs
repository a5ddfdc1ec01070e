//! The register: what the gateway knows of the ledger, all of it proven, and how fresh it is. Rule I-24.
//!
//! ```text
//! poll, each second: parameters, books in use -> one height, one quorum
//!   a registry's root differs  -> its records in use are asked again
//!   a book's acts went on      -> the acts are read, and the lines that they are about asked again
//! first sight of a record or line -> asked by itself, at once
//! ```
//!
//! Only what is in use is kept. A withdrawal is an act, so that the poll after its block finds it; where
//! polls fail, nothing that rests on a grant is allowed once the last one is too old.

mod cache;
mod follow;
mod nodes;
#[cfg(test)]
mod tests;

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use fengni_client::ledger::LedgerError;
use fengni_core::book::Book;
use fengni_core::proof::{Place, ProofError, Proven, ShelfHead};
use fengni_core::record::{CodeSet, Record};
use fengni_core::sharing::NAMING;
use fengni_core::shelf::Shelf;
use fengni_core::{Height, LinePlace, Millis};
use thiserror::Error;
use tokio::sync::oneshot;

use cache::Cache;
use follow::{Asked, Follower, Seen, Want};
pub(crate) use nodes::{Nodes, WATCH};

/// Questions that wait to be asked of the ledger.
const WAITING: usize = 4_096;
/// How much older than the parameters say a header may be, and how much later than the clock, in seconds: clocks
/// differ.
pub(crate) const SKEW_SECS: u64 = 30;

/// Why something is not known.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum RegisterTrouble {
    /// Nodes are away, or what they gave does not hold.
    #[error("the ledger gives no answer: {0}")]
    Ledger(String),
    /// A state lacks what it should have.
    #[error("a proof lacks an entry: {0}")]
    Proof(#[from] ProofError),
    /// Too many ask for what was not seen yet.
    #[error("too many questions to the ledger wait")]
    Busy,
    /// Nothing was proven yet, or nothing for a long time.
    #[error("nothing recent is known of the ledger")]
    Stale,
}

impl RegisterTrouble {
    /// What kind of trouble: a place in a log line would lead to somebody's line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ledger(_) => "ledger",
            Self::Proof(_) => "proof",
            Self::Busy => "busy",
            Self::Stale => "stale",
        }
    }
}

impl From<LedgerError> for RegisterTrouble {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Proof(error) => Self::Proof(error),
            other => Self::Ledger(other.to_string()),
        }
    }
}

/// Entries of one state, with the heads of all registries.
pub(crate) type Looked = (Vec<ShelfHead>, Proven);

/// Where entries come from.
pub(crate) trait Source: Send {
    /// Entries of the newest state that is to be had, all of those asked for, never of one older than before.
    ///
    /// # Errors
    /// [`RegisterTrouble`].
    fn look(&mut self, places: &[Place]) -> Result<Looked, RegisterTrouble>;
}

/// How the ledger is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pace {
    /// Time between two polls.
    pub(crate) poll: Duration,
    /// How old the last poll may be for a grant to count, in milliseconds.
    pub(crate) fresh_millis: u64,
}

/// What is known, and how fresh it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Freshness {
    /// Height of the state.
    pub(crate) height: Height,
    /// Time of its block.
    pub(crate) time: Millis,
    /// When the last poll that came to an end was begun, by the gateway's clock.
    pub(crate) polled: Millis,
    /// Whether a grant may count by it.
    pub(crate) is_fresh: bool,
    /// Whether anything may: the header is not older than an online answer's, nor later than the clock.
    pub(crate) is_recent: bool,
}

type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// What is known of the ledger.
#[derive(Clone)]
pub(crate) struct Register {
    cache: Arc<RwLock<Cache>>,
    wants: SyncSender<Asked>,
    clock: Clock,
    pace: Pace,
}

impl Register {
    /// Follows the ledger in a thread of its own, which ends with the last register.
    pub(crate) fn start(source: impl Source + 'static, clock: Clock, pace: Pace) -> Self {
        let (wants, asked) = sync_channel(WAITING);
        let cache = Arc::new(RwLock::new(Cache::default()));
        let mut follower = Follower { source, cache: Arc::clone(&cache), clock: Arc::clone(&clock), begun: None };
        std::thread::spawn(move || follower.run(&asked, pace.poll));
        Self { cache, wants, clock, pace }
    }

    /// How fresh it is.
    ///
    /// # Errors
    /// [`RegisterTrouble::Stale`] where nothing was proven yet.
    pub(crate) fn freshness(&self) -> Result<Freshness, RegisterTrouble> {
        let cache = self.read();
        let known = cache.known().ok_or(RegisterTrouble::Stale)?;
        let now = (self.clock)();
        let skew = Millis::from_secs(SKEW_SECS);
        let age = Millis::from_secs(u64::from(known.parameters.online_age_secs) + SKEW_SECS);
        // A clock that was put back, or is far behind the validators', does not say how old anything is.
        let is_recent = known.time.0.saturating_sub(skew.0) <= now.0 && now.0.saturating_sub(known.time.0) <= age.0;
        let is_polled = now.0.checked_sub(known.polled.0).is_some_and(|age| age <= self.pace.fresh_millis);
        let (height, time, polled) = (known.height, known.time, known.polled);
        Ok(Freshness { height, time, polled, is_fresh: is_recent && is_polled, is_recent })
    }

    /// A record; `None` where there is proven to be none.
    ///
    /// # Errors
    /// [`RegisterTrouble`].
    pub(crate) async fn record<R>(&self, number: u32) -> Result<Option<Arc<R>>, RegisterTrouble>
    where
        R: Record + Send + Sync + 'static,
    {
        let mut asked = false;
        loop {
            let found = self.read().record::<R>(number, (self.clock)());
            match found {
                Some(found) => return Ok(found),
                None if asked => return Err(RegisterTrouble::Stale),
                None => drop(self.want(Want::Record(R::SHELF, number)).await?),
            }
            asked = true;
        }
    }

    /// Which claim of a type names its holder (I-2); `None` where nothing says so.
    ///
    /// # Errors
    /// [`RegisterTrouble`].
    pub(crate) async fn naming(&self) -> Result<Option<Arc<CodeSet>>, RegisterTrouble> {
        let mut number = 0;
        while let Some(set) = self.record::<CodeSet>(number).await? {
            if set.name == NAMING {
                return Ok(Some(set));
            }
            number += 1;
        }
        Ok(None)
    }

    /// A proven state with a line, its book, its page and, of a certificate, its type; of a place where
    /// there is no line, what shows that, as of now.
    ///
    /// # Errors
    /// [`RegisterTrouble`].
    pub(crate) async fn line(&self, place: LinePlace) -> Result<Arc<Proven>, RegisterTrouble> {
        self.seen(place, Want::Line(place)).await
    }

    /// The same, and nothing of it is kept: for what everybody may ask.
    ///
    /// # Errors
    /// [`RegisterTrouble`].
    pub(crate) async fn glance(&self, place: LinePlace) -> Result<Arc<Proven>, RegisterTrouble> {
        self.seen(place, Want::Glance(place)).await
    }

    async fn seen(&self, place: LinePlace, want: Want) -> Result<Arc<Proven>, RegisterTrouble> {
        let known = self.read().line(place, (self.clock)());
        match known {
            Some(known) => Ok(known),
            None => self.want(want).await?.ok_or(RegisterTrouble::Stale),
        }
    }

    async fn want(&self, want: Want) -> Result<Seen, RegisterTrouble> {
        let (told, answer) = oneshot::channel();
        self.wants.try_send((want, told)).map_err(|error| match error {
            TrySendError::Full(_) => RegisterTrouble::Busy,
            TrySendError::Disconnected(_) => RegisterTrouble::Stale,
        })?;
        answer.await.unwrap_or(Err(RegisterTrouble::Stale))
    }

    fn read(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a proven state has a line at a place.
///
/// # Errors
/// [`ProofError`] where its book was not proven.
pub(crate) fn stands(proven: &Proven, place: LinePlace) -> Result<bool, ProofError> {
    // The shelf's size proves that there is no such book.
    let is_book = u64::from(place.book.0) < proven.size(Shelf::Books);
    Ok(is_book && place.line.0 < proven.record::<Book>(place.book.0)?.lines)
}

/// The registries whose records are kept.
pub(super) const KEPT: [Shelf; 5] = [Shelf::Members, Shelf::Codes, Shelf::Resources, Shelf::Items, Shelf::Requests];
