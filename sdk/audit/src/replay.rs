//! A ledger run again, block by block.

use fengni_core::finality::FinalityError;
use fengni_core::outcome::{Decision, Outcome};
use fengni_core::record::Offence;
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Block, CommitCertificate, Digest, Header, Height, ValidatorSet};
use fengni_genesis::Genesis;
use fengni_state::{
    AdoptError, BlockError, CheckedBlock, Known, LoadError, RecentIds, State, StateParts, check, execute, recovery_of,
};
use thiserror::Error;

use crate::records::Keep;

/// Why a ledger cannot be what it says.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The bytes are no block.
    #[error("not a block: {0}")]
    Encoding(#[from] fengni_core::codec::DecodeError),
    /// The block breaks a rule, or executing it gives something else than its header says.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The recovery by which its validators were named does not hold.
    #[error("the recovery before the block: {0}")]
    Recovery(#[from] AdoptError),
    /// The certificate does not make it final under the validators of its height.
    #[error("the block is not final: {0}")]
    NotFinal(#[from] FinalityError),
}

/// A ledger run again: the state so far.
pub struct Replay<R> {
    state: State,
    records: R,
    recent: RecentIds,
    validators: Option<ValidatorSet>,
}

/// A block that was run.
pub struct Ran {
    /// The block.
    pub checked: CheckedBlock,
    /// What became of its transactions, in order.
    pub outcomes: Vec<Outcome>,
}

impl Ran {
    /// Its transactions with their ids, in order.
    pub fn transactions(&self) -> &[(TransactionId, Transaction)] {
        self.checked.transactions()
    }

    /// How many transactions the ledger refused.
    pub fn refused(&self) -> u64 {
        self.outcomes.iter().filter(|outcome| matches!(outcome.decision, Decision::Refused { .. })).count() as u64
    }
}

impl<R: Keep> Replay<R> {
    /// Before the first block.
    pub fn new(genesis: &Genesis, mut records: R) -> Self {
        let state = State::found(genesis.domain(), genesis.founding()).without_proofs();
        records.keep(&state.founding_writes());
        Self { state, records, recent: RecentIds::default(), validators: None }
    }

    /// Adopts the recovery that a block says it follows from; whether there is one.
    ///
    /// # Errors
    /// [`AdoptError`].
    pub fn adopt(&mut self, block: &Block) -> Result<bool, AdoptError> {
        let Some(handover) = recovery_of(block) else { return Ok(false) };
        self.state = self.state.adopt(&handover)?;
        Ok(true)
    }

    /// Runs the next block, which is final and whose recovery is adopted.
    ///
    /// - `known`: transactions whose signatures were checked before.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn run(&mut self, known: &impl Known, block: Block) -> Result<Ran, BlockError> {
        let deciders = self.state.next_validators();
        // No clock: the block is final already, whenever that was.
        let checked = check(&self.state, &self.recent, known, self.validators.as_ref(), None, block)?;
        let applied = execute(&self.state, &self.records, &checked)?;
        self.records.keep(&applied.writes);
        self.recent.push(checked.ids(), self.state.parameters().window);
        self.state = applied.state;
        self.validators = Some(deciders);
        Ok(Ran { checked, outcomes: applied.outcomes })
    }

    /// Runs the next block from its bytes, all by itself.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn apply(&mut self, bytes: &[u8], certificate: &CommitCertificate) -> Result<Ran, ReplayError> {
        let block = Block::decode(bytes)?;
        self.adopt(&block)?;
        let (height, id) = (block.header.height, block.header.id(self.state.domain()));
        let before = self.state.clone();
        // The block's own rules answer first: a block of another height has another certificate.
        if height == before.height().next() {
            certificate.verify(before.domain(), &before.next_validators(), height, id)?;
        }
        Ok(self.run(&(), block)?)
    }

    /// The state after the last block.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What only grows.
    pub fn records(&self) -> &R {
        &self.records
    }

    /// What only grows, to bring its file up to date.
    pub(crate) fn records_mut(&mut self) -> &mut R {
        &mut self.records
    }

    /// Height of the last block.
    pub fn height(&self) -> Height {
        self.state.height()
    }

    /// Offences on record after it.
    pub fn offences(&self) -> Vec<Offence> {
        self.state.registries().offences.iter().map(|record| record.as_ref().clone()).collect()
    }

    /// State root after it.
    pub fn root(&self) -> Digest {
        self.state.root()
    }

    /// Ids of the transactions of the last blocks, oldest block first.
    pub(crate) fn recent(&self) -> impl DoubleEndedIterator<Item = &[TransactionId]> + ExactSizeIterator {
        self.recent.blocks()
    }
}

impl<R: Keep + StateParts> Replay<R> {
    /// Goes on after a block whose state lies in the records.
    ///
    /// - `recent`: ids of the transactions of the last blocks, oldest block first.
    ///
    /// # Errors
    /// [`LoadError`] where the records are not those of the header.
    pub(crate) fn load(
        genesis: &Genesis,
        records: R,
        header: &Header,
        validators: Option<ValidatorSet>,
        recent: Vec<Vec<TransactionId>>,
    ) -> Result<Self, LoadError> {
        let state = State::load(genesis.domain(), header, &records)?.without_proofs();
        let (window, mut ids) = (state.parameters().window, RecentIds::default());
        for block in recent {
            ids.push(block, window);
        }
        Ok(Self { state, records, recent: ids, validators })
    }
}

#[cfg(test)]
mod tests {
    use fengni_state::MemoryRecords;

    use super::*;
    use crate::records::DiskRecords;
    use crate::testing::Ledger;

    #[test]
    fn a_ledger_runs_again_to_the_same_root() {
        let ledger = Ledger::with(3, 2);
        let mut replay = Replay::new(&ledger.genesis, MemoryRecords::default());
        let mut on_disk = Replay::new(&ledger.genesis, DiskRecords::temporary().expect("a disk"));
        for block in &ledger.blocks {
            replay.apply(&block.block.0, &block.certificate).expect("its own block");
            on_disk.apply(&block.block.0, &block.certificate).expect("its own block");
            on_disk.records_mut().commit(&[]).expect("a disk");
        }
        let last = Block::decode(&ledger.blocks[2].block.0).expect("its own block");
        assert_eq!((replay.height(), replay.root()), (Height(3), last.header.state_root));
        assert_eq!((on_disk.height(), on_disk.root()), (Height(3), last.header.state_root));
    }

    #[test]
    fn a_flipped_bit_a_missing_block_and_a_lost_signature_are_refused() {
        let ledger = Ledger::with(2, 1);
        let new = || Replay::new(&ledger.genesis, MemoryRecords::default());
        let (bytes, certificate) = (&ledger.blocks[0].block.0, &ledger.blocks[0].certificate);
        for place in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            assert!(new().apply(&flipped, certificate).is_err(), "byte {place}");
        }
        let skipped = new().apply(&ledger.blocks[1].block.0, &ledger.blocks[1].certificate).err();
        assert!(matches!(skipped, Some(ReplayError::Block(BlockError::NotNext { .. }))));
        let unsigned = CommitCertificate { signatures: Vec::new(), ..certificate.clone() };
        assert!(matches!(new().apply(bytes, &unsigned).err(), Some(ReplayError::NotFinal(_))));
    }
}
