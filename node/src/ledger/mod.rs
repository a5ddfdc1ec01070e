//! The ledger: final states, the blocks being decided, and the pool, above one store.
//!
//! Everything the engine asks of the chain is answered here (`chain.rs`), and everything the
//! gateway reads (`reads.rs`). Locks are held for look-ups only; disk and arithmetic run without.

mod chain;
mod reads;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::id::CreditCode;
use fengni_core::light::Checkpoint;
use fengni_core::recovery::RecoveryHandover;
use fengni_core::transaction::{TransactionError, TransactionId};
use fengni_core::{BlockId, CommitCertificate, Domain, Header, Height, MemberNumber, Millis, ValidatorSet};
use fengni_state::{Applied, CheckedBlock, Founding, LoadError, RecentIds, State};
use thiserror::Error;
use tokio::sync::watch;

use crate::pool::{Admission, Pool, PoolLimits, Waiting};
use crate::selfcheck::{self, Careful, Damage, Depth};
use crate::store::{FETCH_ANEW, Store, StoreError};

/// How many heights proofs are served for.
pub const PROOF_HEIGHTS: usize = 1024;

/// The register after a final block, with what makes it final.
pub struct FinalState {
    /// The state.
    pub state: State,
    /// The block's header.
    pub header: Header,
    /// Its certificate, as this node holds it.
    pub certificate: CommitCertificate,
}

impl FinalState {
    /// Where somebody's trust may begin: this block, and the validators that decide the next.
    pub fn checkpoint(&self) -> Checkpoint {
        let domain = self.header.domain();
        Checkpoint {
            network: domain.network,
            suite: domain.suite,
            height: self.header.height,
            time: self.header.time,
            block: Some(self.header.id(&domain)),
            validators: self.state.next_validators(),
            trusting_period_secs: self.state.parameters().trusting_period_secs,
        }
    }
}

/// A candidate that was executed: deciding it costs no second execution.
struct Executed {
    checked: CheckedBlock,
    applied: Applied,
    body: Vec<u8>,
}

/// What changes with each block.
struct Tip {
    state: State,
    /// Validators of the last final height; `None` before the first block.
    validators: Option<ValidatorSet>,
    finals: VecDeque<Arc<FinalState>>,
    recent: RecentIds,
    executed: HashMap<BlockId, Arc<Executed>>,
    /// Recovery handovers that a person has given this node.
    given: Vec<RecoveryHandover>,
}

impl Tip {
    /// Rule F-10: goes on by the recovery that follows the last block, if one was given.
    fn adopt(&mut self) {
        let height = self.state.height();
        for handover in self.given.iter().filter(|it| it.plan.height == height) {
            match self.state.adopt(handover) {
                Ok(state) => {
                    tracing::warn!(%height, "the validators of the next block are those of a recovery");
                    self.state = state;
                    return;
                }
                Err(error) => tracing::error!(%height, "a recovery that was given does not hold: {error}"),
            }
        }
    }
}

/// Why a node cannot begin.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something in the store is not what the last final header commits to.
    #[error("the store is damaged: {0}; next: {FETCH_ANEW}; fengni-node check --store names all of it")]
    Damaged(Damage),
    /// A check has found it before, where a start may not look.
    #[error("the store is damaged, as a check has found: {0}; fengni-node check --store names all of it")]
    Known(String),
}

/// Why a transaction was not taken.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AdmitError {
    /// It can be in no block.
    #[error(transparent)]
    Invalid(#[from] TransactionError),
    /// The pool is full.
    #[error("too many transactions are waiting; next: try again in a few seconds")]
    Full,
}

/// The ledger of one node.
pub struct Ledger {
    domain: Domain,
    /// Credit code of the member this node votes for; `None` for an observer.
    voter: Option<CreditCode>,
    store: Store,
    pool: Pool,
    /// The newest version of the protocol that it speaks.
    speaks: u16,
    tip: RwLock<Tip>,
    heights: watch::Sender<Height>,
    first_validators: ValidatorSet,
    /// How many milliseconds ahead of this clock the newest block of each proposer arrived.
    ahead_millis: Mutex<BTreeMap<MemberNumber, i64>>,
    /// What was found to be damaged in the store while the node runs.
    damage: OnceLock<String>,
}

impl Ledger {
    /// Opens the ledger of a founded network, or goes on where the store ends. The newest blocks are
    /// looked at, and the stored state is rebuilt and checked against the last final header.
    ///
    /// - `voter`: credit code of the member this node votes for, also before the register lists it.
    ///
    /// # Errors
    /// [`OpenError`], with the next step: also where a check has marked the store as damaged.
    pub fn open(
        store: Store,
        domain: Domain,
        founding: Founding,
        voter: Option<CreditCode>,
        limits: PoolLimits,
    ) -> Result<Self, OpenError> {
        if let Some(says) = store.known_damage() {
            return Err(OpenError::Known(says));
        }
        // Before anything is written: a store that has lost its end is not one that never began.
        let report = selfcheck::check_blocks(&store, domain, &founding);
        if let Some(damage) = report.damage.into_iter().next() {
            return Err(OpenError::Damaged(damage));
        }
        let founded = State::found(domain, founding.clone());
        let first_validators = founded.next_validators();
        let last = store.last_height();
        let tip = if last == Height(0) {
            store.found(&founded.founding_writes());
            Tip {
                state: founded,
                validators: None,
                finals: VecDeque::new(),
                recent: RecentIds::default(),
                executed: HashMap::new(),
                given: Vec::new(),
            }
        } else {
            load(&store, domain, &founding, last)?
        };
        let pool = Pool::new(limits);
        let heights = watch::Sender::new(last);
        Ok(Self {
            domain,
            voter,
            store,
            pool,
            speaks: PROTOCOL_VERSION,
            tip: RwLock::new(tip),
            heights,
            first_validators,
            ahead_millis: Mutex::default(),
            damage: OnceLock::new(),
        })
    }

    /// Recovery handovers that a person has given this node, before it takes part: one may be for a
    /// height it has yet to reach.
    pub fn give(&self, handovers: Vec<RecoveryHandover>) {
        let mut tip = self.write();
        tip.given = handovers;
        tip.adopt();
    }

    /// The same ledger of a program that speaks no later version of the protocol than this one: it ends
    /// where a later one begins.
    pub fn speaking(self, version: u16) -> Self {
        Self { speaks: version.min(PROTOCOL_VERSION), ..self }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Suite and network.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The state after the last final block, or the founding.
    pub fn state(&self) -> State {
        self.read().state.clone()
    }

    /// The last final state; `None` before the first block.
    pub fn latest(&self) -> Option<Arc<FinalState>> {
        self.read().finals.back().cloned()
    }

    /// The final state of one of the newest heights.
    pub fn at(&self, height: Height) -> Option<Arc<FinalState>> {
        let tip = self.read();
        let first = tip.finals.front()?.header.height;
        let place = usize::try_from(height.0.checked_sub(first.0)?).ok()?;
        tip.finals.get(place).cloned()
    }

    /// Follows the last final height.
    pub fn heights(&self) -> watch::Receiver<Height> {
        self.heights.subscribe()
    }

    /// Checks a transaction and lets it wait. The answer says whether it is new here.
    ///
    /// # Errors
    /// [`AdmitError`].
    pub fn admit(&self, bytes: Vec<u8>) -> Result<(TransactionId, bool), AdmitError> {
        let bytes = fengni_core::bytes::Bytes(bytes);
        let (id, transaction) = {
            let tip = self.read();
            tip.state.check_transaction(&tip.recent, &bytes)?
        };
        let (member, valid_until) = (transaction.body.member, transaction.body.valid_until);
        match self.pool.add(Waiting { id, member, valid_until, bytes }) {
            Admission::Added => Ok((id, true)),
            Admission::Known => Ok((id, false)),
            Admission::Full => Err(AdmitError::Full),
        }
    }

    /// What is damaged in the store, once that was found: nothing is served from it then.
    pub fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    /// Notes that the store is damaged, also for the starts to come; what was found first stays.
    pub fn note_damage(&self, damage: String) {
        if self.damage.set(damage.clone()).is_ok()
            && let Err(error) = self.store.mark_damaged(&damage)
        {
            tracing::error!(%error, "the store cannot be marked as damaged: the next start may not know");
        }
    }

    /// How many milliseconds ahead of this node's clock the newest block of each proposer arrived.
    pub fn ahead_millis(&self) -> Vec<(MemberNumber, i64)> {
        let ahead = self.ahead_millis.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.iter().map(|(member, millis)| (*member, *millis)).collect()
    }

    fn note_clock(&self, proposer: MemberNumber, time: Millis, clock: Millis) {
        let ahead = i64::try_from(i128::from(time.0) - i128::from(clock.0)).unwrap_or(i64::MAX);
        self.ahead_millis.lock().unwrap_or_else(PoisonError::into_inner).insert(proposer, ahead);
    }

    fn read(&self) -> RwLockReadGuard<'_, Tip> {
        self.tip.read().expect("no thread panics while it holds the tip")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tip> {
        self.tip.write().expect("no thread panics while it holds the tip")
    }
}

fn load(store: &Store, domain: Domain, founding: &Founding, last: Height) -> Result<Tip, OpenError> {
    let sound = "blocks of the newest heights are there: they were looked at";
    let (header, finality) = (store.header(last).expect(sound), store.finality(last).expect(sound));
    let parts = Careful::new(store);
    let loaded = State::load(domain, &header, &parts);
    let damage = parts.damage();
    let state = match (loaded, damage) {
        (Ok(state), None) => state,
        (loaded, damage) => return Err(OpenError::Damaged(named(store, domain, founding, loaded.err(), damage))),
    };
    let window = state.parameters().window;
    let mut recent = RecentIds::default();
    // Where the window has grown since blocks were dropped, those had let nothing in that could come again.
    for height in last.0.saturating_sub(window).max(store.kept_from().0)..=last.0 {
        let outcomes = selfcheck::outcomes(store, Height(height)).map_err(OpenError::Damaged)?;
        recent.push(outcomes.iter().map(|outcome| outcome.transaction).collect(), window);
    }
    let certificate = finality.certificate;
    let latest = Arc::new(FinalState { state: state.clone(), header, certificate });
    Ok(Tip {
        state,
        validators: Some(finality.validators),
        finals: VecDeque::from([latest]),
        recent,
        executed: HashMap::new(),
        given: Vec::new(),
    })
}

/// The entry for which no state can be loaded, as exactly as it can be said in a short time.
fn named(
    store: &Store,
    domain: Domain,
    founding: &Founding,
    error: Option<LoadError>,
    unread: Option<Damage>,
) -> Damage {
    let report = selfcheck::check(store, domain, founding, Depth::Start, &mut |_| ());
    let found = report.damage.into_iter().next().or(unread);
    let says = error.map(|error| error.to_string()).unwrap_or_default();
    found.unwrap_or_else(|| Damage { column: "records".to_owned(), entry: "one or more".to_owned(), says })
}
