//! Final blocks: bodies, certificates, outcomes, and where each transaction stands.

use bincode::{Decode, Encode};
use fengni_core::codec;
use fengni_core::limits::{BLOCK_BYTES, PROOF_BYTES};
use fengni_core::outcome::Outcome;
use fengni_core::proof::StateProof;
use fengni_core::recovery::RecoveryHandover;
use fengni_core::transaction::TransactionId;
use fengni_core::{CommitCertificate, Height, ValidatorSet};
use fengni_state::Write;
use rocksdb::{WriteBatch, WriteOptions};

use super::{Column, Store, broken, keys};
use crate::fault;

/// What makes a block final: its certificate and who might sign it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Finality {
    /// The certificate this node holds; other nodes may hold another.
    pub certificate: CommitCertificate,
    /// The validators of the block's height.
    pub validators: ValidatorSet,
}

/// Everything to store with a final block.
pub struct FinalBlock<'a> {
    /// Its height.
    pub height: Height,
    /// Its encoding.
    pub body: &'a [u8],
    /// What makes it final.
    pub finality: &'a Finality,
    /// The validators of the next height, where they are others than those of this one.
    pub next: Option<&'a ValidatorSet>,
    /// By what the validators of this height were named, where a recovery did: the parameters' proof
    /// under the block before, and the handover.
    pub recovery: Option<&'a (StateProof, RecoveryHandover)>,
    /// Outcomes of its transactions, in order.
    pub outcomes: &'a [Outcome],
    /// What it changed.
    pub writes: &'a [Write],
}

impl Store {
    /// Stores a final block and all it changed, in one synced batch.
    pub fn commit(&self, block: &FinalBlock<'_>) {
        self.write_final(block, &Self::synced());
    }

    /// Stores a final block in one batch that is durable after [`Store::sync`] only: a crash before
    /// loses it and every later one, never one of those between.
    pub fn commit_unsynced(&self, block: &FinalBlock<'_>) {
        self.write_final(block, &WriteOptions::default());
    }

    /// Makes everything written so far durable.
    pub fn sync(&self) {
        self.db.flush_wal(true).unwrap_or_else(|error| broken("store write", &error));
    }

    fn write_final(&self, block: &FinalBlock<'_>, options: &WriteOptions) {
        let mut batch = WriteBatch::default();
        let key = keys::height(block.height);
        batch.put_cf(self.column(Column::Blocks), key, block.body);
        batch.put_cf(self.column(Column::Certificates), key, codec::encode(block.finality));
        if let Some(next) = block.next {
            batch.put_cf(self.column(Column::Handovers), key, codec::encode(next));
        }
        if let Some(recovery) = block.recovery {
            batch.put_cf(self.column(Column::Recoveries), key, codec::encode(recovery));
        }
        batch.put_cf(self.column(Column::Outcomes), key, codec::encode(block.outcomes));
        self.add_transactions(&mut batch, block.height, block.outcomes);
        self.add_writes(&mut batch, block.writes);
        self.drop_candidates(&mut batch, block.height);
        batch.put_cf(self.column(Column::Meta), b"last", key);
        self.db.write_opt(batch, options).unwrap_or_else(|error| broken("store write", &error));
    }

    /// Adds where the transactions of a block stand.
    pub(super) fn add_transactions(&self, batch: &mut WriteBatch, height: Height, outcomes: &[Outcome]) {
        for (outcome, place) in outcomes.iter().zip(0u32..) {
            let value = [keys::height(height).as_slice(), &place.to_be_bytes()].concat();
            batch.put_cf(self.column(Column::Transactions), outcome.transaction.0.0, value);
        }
    }

    /// The encoded block of a height.
    pub fn body(&self, height: Height) -> Option<Vec<u8>> {
        self.get(Column::Blocks, &keys::height(height))
    }

    /// What made the block of a height final.
    pub fn finality(&self, height: Height) -> Option<Finality> {
        let bytes = self.get(Column::Certificates, &keys::height(height))?;
        Some(codec::decode(&bytes, PROOF_BYTES).unwrap_or_else(|error| fault::stop("stored certificate", error)))
    }

    /// Heights above `since` at whose blocks the validators change, rising, with those that decide
    /// from the next height on.
    pub fn handovers(&self, since: Height) -> impl Iterator<Item = (Height, ValidatorSet)> + use<'_> {
        self.scan_from(Column::Handovers, &keys::height(since.next())).map(|(key, value)| {
            let next = codec::decode(&value, PROOF_BYTES);
            (Height(keys::to_u64(&key)), next.unwrap_or_else(|error| fault::stop("stored validators", error)))
        })
    }

    /// Heights above `since` whose validators a recovery has named, rising, with the parameters' proof
    /// under the block before and the handover.
    pub fn recoveries(&self, since: Height) -> impl Iterator<Item = (Height, StateProof, RecoveryHandover)> + use<'_> {
        self.scan_from(Column::Recoveries, &keys::height(since.next())).map(|(key, value)| {
            let (last, handover) =
                codec::decode(&value, PROOF_BYTES).unwrap_or_else(|error| fault::stop("stored recovery", error));
            (Height(keys::to_u64(&key)), last, handover)
        })
    }

    /// Outcomes of the block of a height.
    pub fn outcomes(&self, height: Height) -> Option<Vec<Outcome>> {
        let bytes = self.get(Column::Outcomes, &keys::height(height))?;
        Some(codec::decode(&bytes, BLOCK_BYTES).unwrap_or_else(|error| fault::stop("stored outcomes", error)))
    }

    /// Where a transaction stands: the height and its place in the block.
    pub fn transaction(&self, id: &TransactionId) -> Option<(Height, u32)> {
        let value = self.get(Column::Transactions, &id.0.0)?;
        Some((Height(keys::to_u64(&value[..8])), keys::to_u32(&value[8..])))
    }
}

impl Store {
    /// Stores what a network begins with.
    pub fn found(&self, writes: &[Write]) {
        let mut batch = WriteBatch::default();
        self.add_writes(&mut batch, writes);
        self.db.write_opt(batch, &Self::synced()).unwrap_or_else(|error| broken("store write", &error));
    }
}
