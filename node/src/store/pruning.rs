//! Pruning: old bodies, outcomes and the index of their transactions go; what makes old blocks
//! final stays.
//!
//! Headers move out of the bodies before these go, so that header, certificate and handover of
//! every height are still served. The range is compacted at once: a deletion alone frees nothing.

use fengni_core::{Block, Header, Height, codec};
use rocksdb::{BottommostLevelCompaction, CompactOptions, WriteBatch};

use super::{Column, Store, keys};
use crate::fault;

/// Heights that one step drops at most.
const STEP_HEIGHTS: u64 = 256;
/// Bytes of one step's batch, after which it ends early: memory stays bounded, whatever the blocks.
const STEP_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one encoded header.
const HEADER_BYTES: usize = 1024;
const KEPT: &[u8] = b"kept";

impl Store {
    /// The oldest height whose block, outcomes and transactions are kept.
    pub fn kept_from(&self) -> Height {
        self.get(Column::Meta, KEPT).map_or(Height(1), |bytes| Height(keys::to_u64(&bytes)))
    }

    /// The header of a final height; `None` only below [`Store::kept_from`] where it never was here.
    pub fn header(&self, height: Height) -> Option<Header> {
        let header = match self.body(height) {
            Some(body) => Block::decode(&body).map(|block| block.header),
            None => codec::decode(&self.get(Column::Headers, &keys::height(height))?, HEADER_BYTES),
        };
        Some(header.unwrap_or_else(|error| fault::stop("stored header", error)))
    }

    /// Drops the oldest heights below `end`, as many as fit in one step, and gives their space back.
    /// Returns the oldest height that is still kept: below `end` there is more to do.
    pub fn drop_below(&self, end: Height) -> Height {
        let first = self.kept_from();
        let end = end.min(self.last_height()).min(Height(first.0.saturating_add(STEP_HEIGHTS)));
        let mut batch = WriteBatch::default();
        let mut kept = first;
        while kept < end && batch.size_in_bytes() < STEP_BYTES {
            self.add_drop(&mut batch, kept);
            kept = kept.next();
        }
        if kept <= first {
            return first;
        }
        let (from, to) = (keys::height(first), keys::height(kept));
        for column in [Column::Blocks, Column::Outcomes] {
            batch.delete_range_cf(self.column(column), from, to);
        }
        self.add_kept(&mut batch, kept);
        self.db.write_opt(batch, &Self::synced()).unwrap_or_else(|error| fault::stop("store write", error));
        // The oldest data lies in the lowest level, which a compaction leaves alone unless told.
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        for column in [Column::Blocks, Column::Outcomes] {
            self.db.compact_range_cf_opt(self.column(column), Some(from), Some(to), &options);
        }
        kept
    }

    /// Adds which height is the oldest kept.
    pub(super) fn add_kept(&self, batch: &mut WriteBatch, kept: Height) {
        batch.put_cf(self.column(Column::Meta), KEPT, keys::height(kept));
    }

    fn add_drop(&self, batch: &mut WriteBatch, height: Height) {
        if let Some(header) = self.header(height) {
            batch.put_cf(self.column(Column::Headers), keys::height(height), codec::encode(&header));
        }
        for outcome in self.outcomes(height).into_iter().flatten() {
            batch.delete_cf(self.column(Column::Transactions), outcome.transaction.0.0);
        }
    }
}
