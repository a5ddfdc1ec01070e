//! Blocks: making one, checking one, executing one. Rules H-5 to H-13: `sdk/spec/blocks.md`.
//!
//! Wrong encoding, signature, window or a replay makes the block invalid; a broken rule of an
//! operation is an outcome inside it.

use std::collections::{BTreeMap, HashSet, VecDeque};

use fengni_core::block::{Block, Header, PROTOCOL_VERSION, outcomes_digest, transactions_digest};
use fengni_core::bytes::Bytes;
use fengni_core::finality::{FinalityError, ValidatorSet};
use fengni_core::limits::{BLOCK_BYTES, BLOCK_TRANSACTIONS};
use fengni_core::recovery::RecoveryHandover;
use fengni_core::transaction::{Transaction, TransactionError, TransactionId};
use fengni_core::{BlockId, CommitCertificate, Digest, Height, MemberNumber, Millis};
use thiserror::Error;

use crate::apply::{Applied, apply};
use crate::records::Records;
use crate::state::State;

/// Why a block is invalid.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BlockError {
    /// H-5: another protocol version, suite or network.
    #[error("the block speaks another protocol or is of another network")]
    OtherNetwork,
    /// H-5: a version whose rules the program does not know.
    #[error(
        "block {height} speaks version {version} of the protocol, as members voted, and this program {speaks}; next: \
         install the newer program"
    )]
    LaterVersion {
        /// The height it is of.
        height: Height,
        /// The version it speaks.
        version: u16,
        /// The newest that the program speaks.
        speaks: u16,
    },
    /// H-5: it does not follow the last block.
    #[error("the block does not follow block {last}")]
    NotNext {
        /// The last block's id.
        last: BlockId,
    },
    /// H-6: not later than its parent.
    #[error("block time {time:?} is not later than its parent's {parent:?}")]
    TimeNotLater {
        /// The block's time.
        time: Millis,
        /// The parent's.
        parent: Millis,
    },
    /// H-6: too far ahead of this node's clock.
    #[error("block time {} is ahead of the clock {}; next: compare the clocks of this node and its proposer", time.0, clock.0)]
    TimeAhead {
        /// The block's time.
        time: Millis,
        /// The clock.
        clock: Millis,
    },
    /// H-7: the proposer is not a validator.
    #[error("member {0} is not a validator of this height")]
    Proposer(MemberNumber),
    /// H-8: the parent's certificate is missing or not what the header names.
    #[error("the parent's certificate is not the one the header names")]
    ParentCertificate,
    /// H-8: the parent's certificate does not make the parent final.
    #[error("the parent's certificate: {0}")]
    ParentNotFinal(#[from] FinalityError),
    /// H-9: the transactions are not those the header names.
    #[error("the transactions are not those the header names")]
    Transactions,
    /// H-10: a transaction that can be in no block.
    #[error("transaction {place}: {error}")]
    Transaction {
        /// Its place in the block.
        place: usize,
        /// What is wrong.
        error: TransactionError,
    },
    /// H-13: the recovery that names this block's validators is not its first transaction, or the block
    /// is earlier than it holds.
    #[error("the block is not the first one after the recovery of height {0}")]
    Recovery(Height),
    /// H-11: heavier than the parameters allow.
    #[error("the block weighs more than the parameters allow")]
    Weight,
    /// H-12: executing it gives other outcomes, another state or other validators.
    #[error("executing the block gives other outcomes, another state or other validators than its header names")]
    Result,
}

/// Ids of the transactions of the last W blocks: each is included once.
#[derive(Clone, Default, Debug)]
pub struct RecentIds {
    ids: HashSet<TransactionId>,
    blocks: VecDeque<Vec<TransactionId>>,
}

impl RecentIds {
    /// Whether a transaction is in one of the last blocks.
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.ids.contains(id)
    }

    /// Ids of each of these blocks, the oldest first.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &[TransactionId]> + ExactSizeIterator {
        self.blocks.iter().map(Vec::as_slice)
    }

    /// Adds a block's transactions and forgets those of blocks before the window.
    pub fn push(&mut self, ids: Vec<TransactionId>, window: u64) {
        self.ids.extend(&ids);
        self.blocks.push_back(ids);
        // valid-until is at most W heights after the including one, so W + 1 blocks are enough.
        while self.blocks.len() as u64 > window.saturating_add(1) {
            for id in self.blocks.pop_front().into_iter().flatten() {
                self.ids.remove(&id);
            }
        }
    }
}

/// Which transactions had their signatures checked before, so that curve arithmetic is done once.
///
/// A key's number never comes to mean another key, so a signature that verified stays so; whether
/// the key is valid at the including height is judged every time.
pub trait Known {
    /// Whether exactly these bytes of the transaction were verified before.
    fn is_verified(&self, id: &TransactionId, bytes: &[u8]) -> bool;
}

/// Nothing was checked before.
impl Known for () {
    fn is_verified(&self, _: &TransactionId, _: &[u8]) -> bool {
        false
    }
}

/// A block whose form, time, signatures and weights are right; it has not been executed.
#[derive(Clone, Debug)]
pub struct CheckedBlock {
    /// The block.
    pub block: Block,
    /// Its id.
    pub id: BlockId,
    transactions: Vec<(TransactionId, Transaction)>,
}

impl CheckedBlock {
    /// Ids of its transactions, in order.
    pub fn ids(&self) -> Vec<TransactionId> {
        self.transactions.iter().map(|(id, _)| *id).collect()
    }

    /// Its transactions with their ids, in order.
    pub fn transactions(&self) -> &[(TransactionId, Transaction)] {
        &self.transactions
    }
}

/// Checks a block that should follow `state`. Rules H-5 to H-11 and H-13.
///
/// - `validators`: of the parent's height; not needed for the first block.
/// - `clock`: this node's, for a block being voted on; `None` for one that is final already.
///
/// # Errors
/// [`BlockError`], but [`BlockError::Result`], which takes executing it.
pub fn check(
    state: &State,
    recent: &RecentIds,
    known: &impl Known,
    validators: Option<&ValidatorSet>,
    clock: Option<Millis>,
    block: Block,
) -> Result<CheckedBlock, BlockError> {
    let header = &block.header;
    let domain = state.domain;
    state.check_spoken(PROTOCOL_VERSION)?;
    if header.version != state.parameters().protocol || header.domain() != domain {
        return Err(BlockError::OtherNetwork);
    }
    if header.height != state.height.next() || header.parent != state.last {
        return Err(BlockError::NotNext { last: state.last });
    }
    if header.time <= state.time {
        return Err(BlockError::TimeNotLater { time: header.time, parent: state.time });
    }
    let ahead = state.parameters().clock_ahead_millis;
    if let Some(clock) = clock.filter(|clock| header.time.0 > clock.0.saturating_add(ahead)) {
        return Err(BlockError::TimeAhead { time: header.time, clock });
    }
    if state.next_validators().get(header.proposer).is_none() {
        return Err(BlockError::Proposer(header.proposer));
    }
    check_parent_certificate(state, &block, validators)?;
    if header.transactions != transactions_digest(&domain, &block.transactions) {
        return Err(BlockError::Transactions);
    }
    let mut scale = Scale::new(state);
    let mut transactions = Vec::with_capacity(block.transactions.len());
    let mut ids = HashSet::new();
    let recovered = check_recovery(state, &block)?;
    let rest = usize::from(recovered.is_some());
    if let Some((id, transaction)) = recovered {
        ids.insert(id);
        transactions.push((id, transaction));
    }
    for (bytes, place) in block.transactions.iter().zip(0..).skip(rest) {
        let checked = check_transaction(state, recent, known, header.height, bytes);
        let (id, transaction) = checked.map_err(|error| BlockError::Transaction { place, error })?;
        if !ids.insert(id) {
            return Err(BlockError::Transaction { place, error: TransactionError::Replay });
        }
        if !scale.add(&transaction) {
            return Err(BlockError::Weight);
        }
        transactions.push((id, transaction));
    }
    let id = header.id(&domain);
    Ok(CheckedBlock { block, id, transactions })
}

fn check_parent_certificate(state: &State, block: &Block, validators: Option<&ValidatorSet>) -> Result<(), BlockError> {
    let named = block.header.parent_certificate;
    match &block.parent_certificate {
        None if state.height == Height(0) && named == Digest::default() => Ok(()),
        Some(certificate) if state.height > Height(0) && certificate.digest(&state.domain) == named => {
            let validators = validators.ok_or(BlockError::ParentCertificate)?;
            Ok(certificate.verify(&state.domain, validators, state.height, state.last)?)
        }
        _ => Err(BlockError::ParentCertificate),
    }
}

/// Rule H-13: the first transaction of the first block after a recovery, and of no other.
fn check_recovery(state: &State, block: &Block) -> Result<Option<(TransactionId, Transaction)>, BlockError> {
    let Some(adopted) = state.recovery() else { return Ok(None) };
    let other = BlockError::Recovery(adopted.plan.height);
    let first = block.transactions.first().and_then(|bytes| Transaction::decode(&bytes.0).ok());
    let transaction = first.filter(|first| {
        let handover = first.recovery().filter(|handover| state.has_adopted(handover));
        handover.is_some_and(|handover| *first == Transaction::of_recovery(handover.clone()))
    });
    match transaction {
        Some(transaction) if block.header.time >= adopted.plan.from => {
            Ok(Some((transaction.body.id(&state.domain), transaction)))
        }
        _ => Err(other),
    }
}

/// The recovery that a block says it follows from: whoever runs blocks again adopts it, and says so.
pub fn recovery_of(block: &Block) -> Option<RecoveryHandover> {
    let first = Transaction::decode(&block.transactions.first()?.0).ok()?;
    first.recovery().cloned()
}

/// Rules T-1 to T-8: a transaction that may stand in the block at `height`.
fn check_transaction(
    state: &State,
    recent: &RecentIds,
    known: &impl Known,
    height: Height,
    bytes: &Bytes,
) -> Result<(TransactionId, Transaction), TransactionError> {
    let transaction = Transaction::decode(&bytes.0)?;
    let domain = &state.domain;
    if transaction.recovery().is_some() {
        return Err(TransactionError::Recovery);
    }
    let (needs, speaks) = (transaction.body.operation.since(), state.parameters().protocol);
    if needs > speaks {
        return Err(TransactionError::LaterVersion { needs, speaks });
    }
    transaction.check_window(domain, height, state.parameters().window)?;
    let id = transaction.body.id(domain);
    if recent.contains(&id) {
        return Err(TransactionError::Replay);
    }
    let number = transaction.body.member;
    let member = state.member(number).ok_or(TransactionError::UnknownMember { member: number })?;
    if known.is_verified(&id, &bytes.0) {
        transaction.check_keys(member, height)?;
    } else {
        transaction.check_signatures(domain, id, member, height)?;
    }
    Ok((id, transaction))
}

impl State {
    /// Rule H-5: refuses to go on where the next block is of a later version than a program speaks.
    ///
    /// - `speaks`: the newest version that it speaks.
    ///
    /// # Errors
    /// [`BlockError::LaterVersion`].
    pub fn check_spoken(&self, speaks: u16) -> Result<(), BlockError> {
        let (version, height) = (self.parameters().protocol, self.height.next());
        if version > speaks { Err(BlockError::LaterVersion { height, version, speaks }) } else { Ok(()) }
    }

    /// Checks a transaction as if it stood in the next block: what a pool asks at its door.
    ///
    /// # Errors
    /// [`TransactionError`], with the rule's tag.
    pub fn check_transaction(
        &self,
        recent: &RecentIds,
        bytes: &Bytes,
    ) -> Result<(TransactionId, Transaction), TransactionError> {
        check_transaction(self, recent, &(), self.height.next(), bytes)
    }

    /// Whether a transaction that was checked before can still stand in the next block.
    pub fn still_stands(&self, recent: &RecentIds, known: &impl Known, bytes: &Bytes) -> bool {
        check_transaction(self, recent, known, self.height.next(), bytes).is_ok()
    }
}

/// Weighs a block as it fills.
struct Scale<'a> {
    state: &'a State,
    block: u64,
    members: BTreeMap<MemberNumber, u64>,
}

impl<'a> Scale<'a> {
    fn new(state: &'a State) -> Self {
        Self { state, block: 0, members: BTreeMap::new() }
    }

    /// Whether not even the lightest transaction fits any more.
    fn is_full(&self) -> bool {
        let parameters = self.state.parameters();
        self.block.saturating_add(parameters.weights.transaction) > parameters.block_weight
    }

    /// Adds a transaction unless it would make the block or its member too heavy.
    fn add(&mut self, transaction: &Transaction) -> bool {
        let parameters = self.state.parameters();
        let weight = transaction.body.operation.weight(&parameters.weights);
        let member = self.members.entry(transaction.body.member).or_default();
        let (block, own) = (self.block.saturating_add(weight), member.saturating_add(weight));
        let fits = block <= parameters.block_weight && own <= parameters.member_weight;
        if fits {
            self.block = block;
            *member = own;
        }
        fits
    }
}

/// Executes a checked block and holds the result against its header. Rule H-12.
///
/// # Errors
/// [`BlockError::Result`].
pub fn execute(state: &State, records: &impl Records, checked: &CheckedBlock) -> Result<Applied, BlockError> {
    let header = &checked.block.header;
    let mut applied = apply(state, records, header.height, header.time, &checked.transactions);
    applied.state.last = checked.id;
    let same = outcomes_digest(&state.domain, &applied.outcomes) == header.outcomes
        && applied.state.root() == header.state_root
        && applied.state.next_validators().digest(&state.domain) == header.next_validators;
    if same { Ok(applied) } else { Err(BlockError::Result) }
}

/// What a proposer brings to a block.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The proposer's clock; the block's time is later than its parent's in any case.
    pub clock: Millis,
    /// Who proposes.
    pub proposer: MemberNumber,
    /// The parent's certificate, but for the first block.
    pub parent_certificate: Option<CommitCertificate>,
}

/// Makes the next block of those transactions that may stand in it, in order, as many as fit.
pub fn assemble(
    state: &State,
    records: &impl Records,
    recent: &RecentIds,
    known: &impl Known,
    proposal: Proposal,
    candidates: impl IntoIterator<Item = Bytes>,
) -> (CheckedBlock, Applied) {
    let domain = state.domain;
    let height = state.height.next();
    // Room for the header, the certificate and the lengths in front of transactions.
    let mut room = BLOCK_BYTES - 128 * 1024;
    let mut scale = Scale::new(state);
    let mut ids = HashSet::new();
    let (mut bodies, mut transactions) = (Vec::new(), Vec::new());
    if let Some(handover) = state.recovery() {
        let transaction = Transaction::of_recovery(handover.clone());
        let bytes = Bytes(transaction.encode());
        room -= bytes.0.len() + 8;
        bodies.push(bytes);
        transactions.push((transaction.body.id(&domain), transaction));
    }
    for bytes in candidates {
        if bodies.len() == BLOCK_TRANSACTIONS || scale.is_full() {
            break;
        }
        let Ok((id, transaction)) = check_transaction(state, recent, known, height, &bytes) else { continue };
        let size = bytes.0.len() + 8;
        if size <= room && ids.insert(id) && scale.add(&transaction) {
            room -= size;
            bodies.push(bytes);
            transactions.push((id, transaction));
        }
    }
    let from = state.recovery().map_or(Millis(0), |handover| handover.plan.from);
    let time = Millis(proposal.clock.0.max(state.time.0 + 1)).max(from);
    let mut applied = apply(state, records, height, time, &transactions);
    let parent_certificate = proposal.parent_certificate.as_ref().map(|certificate| certificate.digest(&domain));
    let header = Header {
        version: state.parameters().protocol,
        suite: domain.suite,
        network: domain.network,
        height,
        time,
        parent: state.last,
        proposer: proposal.proposer,
        transactions: transactions_digest(&domain, &bodies),
        outcomes: outcomes_digest(&domain, &applied.outcomes),
        parent_certificate: parent_certificate.unwrap_or_default(),
        state_root: applied.state.root(),
        next_validators: applied.state.next_validators().digest(&domain),
    };
    let id = header.id(&domain);
    applied.state.last = id;
    let block = Block { header, parent_certificate: proposal.parent_certificate, transactions: bodies };
    (CheckedBlock { block, id, transactions }, applied)
}
