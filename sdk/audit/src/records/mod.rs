//! What only grows, while blocks are run again: lines, seals, acts and the index of tags.

mod disk;
mod pending;
mod sieve;

use fengni_state::{MemoryRecords, Records, Write};

pub use disk::DiskRecords;
pub(crate) use disk::Row;

/// Records that take the writes of a block.
pub trait Keep: Records {
    /// Takes them, after those of every block before.
    fn keep(&mut self, writes: &[Write]);
}

impl Keep for MemoryRecords {
    fn keep(&mut self, writes: &[Write]) {
        self.write(writes);
    }
}
