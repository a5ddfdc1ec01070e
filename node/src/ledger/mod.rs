//! The ledger: final states, the blocks being decided, and the pool, above one store.
//!
//! Everything the engine asks of the chain is answered here (`chain.rs`), and everything the
//! gateway reads (`reads.rs`). Locks are held for look-ups only; disk and arithmetic run without.

mod chain;
mod reads;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::codec::DecodeError;
use fengni_core::id::CreditCode;
use fengni_core::light::Checkpoint;
use fengni_core::recovery::RecoveryHandover;
use fengni_core::transaction::{TransactionError, TransactionId};
use fengni_core::{Block, BlockId, CommitCertificate, Domain, Header, Height, MemberNumber, Millis, ValidatorSet};
use fengni_state::{Applied, CheckedBlock, Founding, LoadError, RecentIds, State};
use thiserror::Error;
use tokio::sync::watch;

use crate::pool::{Admission, Pool, PoolLimits, Waiting};
use crate::store::{Store, StoreError};

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
    /// The stored state is not what its header commits to.
    #[error("{0}; next: move the store away and let the node fetch the ledger again")]
    Load(#[from] LoadError),
    /// A stored block is damaged.
    #[error("the stored block {height} is damaged: {why}; next: move the store away and let the node fetch it again")]
    Block {
        /// Its height.
        height: Height,
        /// What is wrong.
        why: DecodeError,
    },
    /// A block is missing.
    #[error("the stored block {0} is missing; next: move the store away and let the node fetch the ledger again")]
    Missing(Height),
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
}

impl Ledger {
    /// Opens the ledger of a founded network, or goes on where the store ends. The stored state is
    /// rebuilt and checked against the last final header.
    ///
    /// - `voter`: credit code of the member this node votes for, also before the register lists it.
    ///
    /// # Errors
    /// [`OpenError`], with the next step.
    pub fn open(
        store: Store,
        domain: Domain,
        founding: Founding,
        voter: Option<CreditCode>,
        limits: PoolLimits,
    ) -> Result<Self, OpenError> {
        let founded = State::found(domain, founding);
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
            load(&store, domain, last)?
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

fn load(store: &Store, domain: Domain, last: Height) -> Result<Tip, OpenError> {
    let read = |height: Height| {
        let body = store.body(height).ok_or(OpenError::Missing(height))?;
        Block::decode(&body).map_err(|why| OpenError::Block { height, why })
    };
    let header = read(last)?.header;
    let finality = store.finality(last).ok_or(OpenError::Missing(last))?;
    let state = State::load(domain, &header, store)?;
    let window = state.parameters().window;
    let mut recent = RecentIds::default();
    // Where the window has grown since blocks were dropped, those had let nothing in that could come again.
    for height in last.0.saturating_sub(window).max(store.kept_from().0)..=last.0 {
        let outcomes = store.outcomes(Height(height)).ok_or(OpenError::Missing(Height(height)))?;
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
