//! Submitting: from an operation to what the ledger made of it.
//!
//! A transaction is signed once and may be sent many times: its id is the hash of its body, and
//! the ledger takes an id once. So whoever does not know what became of one sends it again.

use std::fmt;
use std::time::{Duration, Instant};

use fengni_core::block::Header;
use fengni_core::bytes::Bytes;
use fengni_core::limits::TRANSACTION_SIGNATURES;
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect, Outcome, Refusal};
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::{TransactionBody, TransactionId};
use fengni_core::{Domain, Height, MemberNumber};
use fengni_signer::{HeldKey, SignError};
use thiserror::Error;

use crate::gateway::{Gateway, GatewayError, Trouble};
use crate::ledger::{Ledger, LedgerError};
use crate::node::Relayed;
use crate::problem::Problem;
use crate::random::{RandomError, random};
use fengni_core::light::LightError;

/// Full seals sent in one HTTP request: some 800 KB.
const BATCH: usize = 16;

/// Why keys cannot sign together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SignersError {
    /// None, or more than a transaction carries.
    #[error("a transaction is signed by one to four keys")]
    Count,
    /// Keys of different members.
    #[error("the keys belong to different members")]
    OtherMember,
    /// Keys for different purposes.
    #[error("the keys serve different purposes")]
    OtherPurpose,
    /// One key twice: the second signature is to be another person's.
    #[error("one key was given twice")]
    Twice,
}

/// One to four keys of one member that sign together.
#[derive(Clone, Debug)]
pub struct Signers {
    member: MemberNumber,
    purpose: KeyPurpose,
    keys: Vec<HeldKey>,
}

impl Signers {
    /// Keys of one member for one purpose, each of another person.
    ///
    /// # Errors
    /// [`SignersError`].
    pub fn new(keys: &[HeldKey]) -> Result<Self, SignersError> {
        let first = keys.first().filter(|_| keys.len() <= TRANSACTION_SIGNATURES).ok_or(SignersError::Count)?;
        if keys.iter().any(|key| key.member != first.member) {
            return Err(SignersError::OtherMember);
        }
        if keys.iter().any(|key| key.purpose != first.purpose) {
            return Err(SignersError::OtherPurpose);
        }
        let twice = |place: usize| {
            keys[..place].iter().any(|key| key.number == keys[place].number || key.public() == keys[place].public())
        };
        if (1..keys.len()).any(twice) {
            return Err(SignersError::Twice);
        }
        Ok(Self { member: first.member, purpose: first.purpose, keys: keys.to_vec() })
    }

    /// Whose keys they are.
    pub fn member(&self) -> MemberNumber {
        self.member
    }

    /// What they are for.
    pub fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// Whether two persons sign.
    pub fn are_two_persons(&self) -> bool {
        self.keys.len() >= 2
    }
}

/// A signed transaction, ready to be sent any number of times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// Its id.
    pub id: TransactionId,
    /// The last height at which it may be included.
    pub valid_until: Height,
    /// Its encoding.
    pub bytes: Bytes,
}

impl Prepared {
    /// Signs an operation.
    ///
    /// # Errors
    /// [`SignError`] of the first key that does not sign.
    pub fn sign(
        domain: &Domain,
        signers: &Signers,
        operation: Operation,
        valid_until: Height,
        salt: [u8; 16],
    ) -> Result<Self, SignError> {
        let body = TransactionBody { network: domain.network, member: signers.member, valid_until, salt, operation };
        let id = body.id(domain);
        let message = body.message(domain);
        let signatures = signers.keys.iter().map(|key| Ok((key.number, key.sign(&message)?)));
        let signatures = signatures.collect::<Result<Vec<_>, SignError>>()?;
        Ok(Self { id, valid_until, bytes: Bytes(body.signed(signatures).encode()) })
    }
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// It was applied, as a quorum proves.
    Done {
        /// The transaction.
        id: TransactionId,
        /// What it did.
        effect: Effect,
        /// The including height.
        height: Height,
    },
    /// It broke a rule and changed nothing, as a quorum proves.
    Refused {
        /// The transaction.
        id: TransactionId,
        /// Which rule.
        refusal: Refusal,
        /// Where: for lines, the place in the transaction.
        detail: u64,
        /// The including height.
        height: Height,
    },
    /// It is not known. Sending the same bytes again can do no harm.
    Undecided {
        /// The transaction.
        id: TransactionId,
        /// Why not.
        reason: Unsettled,
    },
}

impl Settlement {
    /// The transaction.
    pub fn id(&self) -> TransactionId {
        match self {
            Self::Done { id, .. } | Self::Refused { id, .. } | Self::Undecided { id, .. } => *id,
        }
    }

    fn of(outcome: Outcome, header: &Header) -> Self {
        let (id, height) = (outcome.transaction, header.height);
        match outcome.decision {
            Decision::Done(effect) => Self::Done { id, effect, height },
            Decision::Refused { refusal, detail } => Self::Refused { id, refusal, detail, height },
        }
    }
}

/// Why it is not known what became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Unsettled {
    /// No relay took it: their troubles.
    #[error("no relay took it: {0}")]
    NotTaken(GatewayError),
    /// A relay took it and no block has it yet.
    #[error("a relay took it and no block has it yet")]
    Waiting,
    /// A relay is too busy to take it.
    #[error("the relay is busy: {0}")]
    Busy(Problem),
    /// A relay says that it breaks a rule of transactions, which proves nothing.
    #[error("the relay does not take it: {0}")]
    Declined(Problem),
    /// The last height at which it might be included has passed.
    #[error("height {0} has passed and no node knows it")]
    Late(Height),
}

/// Why nothing was submitted, or it cannot be known what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SubmitError {
    /// The ledger gave no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No randomness for the salt.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<LightError> for SubmitError {
    fn from(error: LightError) -> Self {
        Self::Ledger(error.into())
    }
}

/// The listeners that take transactions, and how long to wait for a block.
pub struct Submitter {
    relay: Gateway,
    wait: Duration,
    patience: Duration,
}

impl fmt::Debug for Submitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Submitter({} relays)", self.relay.nodes().len())
    }
}

impl Submitter {
    /// Submits by these relays.
    pub fn new(relay: Gateway) -> Self {
        Self { relay, wait: Duration::from_secs(5), patience: Duration::from_secs(30) }
    }

    /// How long a node may hold one request open, and how long to go on without any progress.
    #[must_use]
    pub fn with_wait(self, wait: Duration, patience: Duration) -> Self {
        Self { wait, patience, ..self }
    }

    /// Signs an operation that may wait as long as the window allows.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn prepare(
        &self,
        ledger: &mut Ledger,
        signers: &Signers,
        operation: Operation,
    ) -> Result<Prepared, SubmitError> {
        let valid_until = self.valid_until(ledger)?;
        Ok(Prepared::sign(&ledger.domain(), signers, operation, valid_until, random()?)?)
    }

    /// The latest height a transaction signed now may name, with room for nodes that are a few
    /// heights behind the one asked: to them it would be valid for too long.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn valid_until(&self, ledger: &mut Ledger) -> Result<Height, LedgerError> {
        let window = ledger.parameters()?.window;
        let newest = ledger.light().newest().map_or(Height(0), |header| header.height);
        Ok(Height(newest.0.saturating_add(window - window / 10)))
    }

    /// Signs an operation, sends it and waits for its outcome.
    ///
    /// # Errors
    /// [`SubmitError`]; what the ledger refuses is a [`Settlement`].
    pub fn submit(
        &self,
        ledger: &mut Ledger,
        signers: &Signers,
        operation: Operation,
    ) -> Result<Settlement, SubmitError> {
        let prepared = self.prepare(ledger, signers, operation)?;
        self.send(ledger, &prepared)
    }

    /// Sends a signed transaction, again if need be, and waits for its outcome.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn send(&self, ledger: &mut Ledger, prepared: &Prepared) -> Result<Settlement, SubmitError> {
        let began = Instant::now();
        loop {
            see_newest(ledger)?;
            let reason = match self.send_once(ledger, prepared)? {
                Ok(settlement) => return Ok(settlement),
                Err(reason) => reason,
            };
            if let Some(settlement) = look_up(ledger, prepared, self.wait)? {
                return Ok(settlement);
            }
            // A relay that declines has judged: the rest is waiting for a network.
            if matches!(reason, Unsettled::Declined(_)) || began.elapsed() >= self.patience {
                return Ok(Settlement::Undecided { id: prepared.id, reason });
            }
            std::thread::sleep(Duration::from_millis(200).min(self.wait));
        }
    }

    /// One round: posts it to a relay and believes the outcome if one comes back.
    fn send_once(
        &self,
        ledger: &mut Ledger,
        prepared: &Prepared,
    ) -> Result<Result<Settlement, Unsettled>, SubmitError> {
        let answer = self.relay.ask(|node| match node.submit(&prepared.bytes.0, self.wait)? {
            None => Ok(None),
            Some(proof) => ledger.outcome(node, prepared.id, &proof).map(Some),
        });
        Ok(match answer.map(|answer| answer.value) {
            Ok(Some((outcome, header))) => Ok(Settlement::of(outcome, &header)),
            Ok(None) => Err(Unsettled::Waiting),
            Err(error) => Err(declined(error)),
        })
    }

    /// Sends several signed transactions, all in flight at once, and waits for their outcomes.
    ///
    /// - `settled`: told of each outcome as it is proven, with the transaction's place; may stop
    ///   the rest with an error of its own.
    ///
    /// Returns for each transaction that has no outcome why not.
    ///
    /// # Errors
    /// [`SubmitError`], or that of `settled`.
    pub fn send_all<E: From<SubmitError>>(
        &self,
        ledger: &mut Ledger,
        prepared: &[Prepared],
        mut settled: impl FnMut(usize, Settlement) -> Result<(), E>,
    ) -> Result<Vec<(usize, Unsettled)>, E> {
        let mut open: Vec<(usize, Unsettled)> = (0..prepared.len()).map(|place| (place, Unsettled::Waiting)).collect();
        let mut progress = Instant::now();
        while !open.is_empty() {
            see_newest(ledger).map_err(E::from)?;
            self.post(prepared, &mut open);
            let round = Instant::now();
            let mut left = Vec::new();
            let mut advanced = false;
            for (place, reason) in open {
                let wait = match &reason {
                    Unsettled::Waiting => self.wait.saturating_sub(round.elapsed()),
                    _ => Duration::ZERO,
                };
                match look_up(ledger, &prepared[place], wait).map_err(E::from)? {
                    Some(Settlement::Undecided { reason, .. }) => left.push((place, reason)),
                    Some(settlement) => {
                        advanced = true;
                        settled(place, settlement)?;
                    }
                    None => left.push((place, reason)),
                }
            }
            open = left;
            // What was judged or is too late will not be taken by waiting.
            let hopeless =
                |(_, reason): &(usize, Unsettled)| matches!(reason, Unsettled::Late(_) | Unsettled::Declined(_));
            if advanced {
                progress = Instant::now();
            } else if progress.elapsed() >= self.patience || open.iter().all(hopeless) {
                break;
            } else {
                std::thread::sleep(Duration::from_millis(100).min(self.wait));
            }
        }
        Ok(open)
    }

    /// Posts what is open, in batches, and notes what the relay says to each.
    fn post(&self, prepared: &[Prepared], open: &mut [(usize, Unsettled)]) {
        for batch in open.chunks_mut(BATCH) {
            let bytes: Vec<Bytes> = batch.iter().map(|(place, _)| prepared[*place].bytes.clone()).collect();
            match self.relay.ask(|node| node.submit_batch(&bytes)) {
                Ok(answer) => {
                    for ((_, reason), relayed) in batch.iter_mut().zip(answer.value) {
                        *reason = match relayed {
                            Relayed::Accepted(_) => Unsettled::Waiting,
                            Relayed::NotTaken(problem) if problem.is_passing() => Unsettled::Busy(problem),
                            Relayed::NotTaken(problem) => Unsettled::Declined(problem),
                        };
                    }
                }
                Err(error) => batch.iter_mut().for_each(|(_, reason)| *reason = Unsettled::NotTaken(error.clone())),
            }
        }
    }
}

/// A relay that judges the transaction itself, rather than being silent or busy.
fn declined(error: GatewayError) -> Unsettled {
    let judged = error.troubles.iter().find_map(|found| match &found.trouble {
        Trouble::Refused(problem) if !problem.is_passing() => Some(problem.clone()),
        _ => None,
    });
    judged.map_or(Unsettled::NotTaken(error), Unsettled::Declined)
}

/// Learns how high the ledger is, if any node says.
fn see_newest(ledger: &mut Ledger) -> Result<(), SubmitError> {
    match ledger.sync() {
        Ok(_) | Err(LedgerError::Gateway(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Asks the ledger what became of a transaction, and whether it is too late for anything.
fn look_up(ledger: &mut Ledger, prepared: &Prepared, wait: Duration) -> Result<Option<Settlement>, SubmitError> {
    let late = ledger.light().newest().is_some_and(|newest| newest.height > prepared.valid_until);
    match ledger.transaction(prepared.id, wait) {
        Ok(Some((outcome, header))) => Ok(Some(Settlement::of(outcome, &header))),
        Ok(None) if late => {
            let reason = Unsettled::Late(prepared.valid_until);
            Ok(Some(Settlement::Undecided { id: prepared.id, reason }))
        }
        Ok(None) | Err(LedgerError::Gateway(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
