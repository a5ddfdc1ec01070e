//! Snapshots: a new node takes the register as it is, and proves every byte of it, instead of
//! replaying every block since the founding.
//!
//! ```text
//! joiner                                    a peer, on the mesh of transactions
//! Tip ------------------------------------> its last final height
//! Open -----------------------------------> header and certificate of a copy of its store
//! Handovers above a height ---------------> validators, from the founding to the header
//! Part after a key (again and again) -----> records, pages, heads, seals, acts, lines, blocks
//! ```
//!
//! The joiner believes the header by its quorum, the records by the header's state root, everything
//! else by the sizes and digests in the records; it makes the index of tags itself. The messages are
//! between nodes of one version and no part of the protocol: `sdk/spec/nodes.md`.

mod arriving;
mod join;
mod serve;
#[cfg(test)]
mod tests;

use bincode::{Decode, Encode};
use fengni_core::bytes::Bytes;
use fengni_core::light::Handover;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::{CommitCertificate, Header, Height, codec};

use crate::store::{Entry, Part};

pub use join::{Joining, is_far, join};
pub use serve::start;

/// Bytes of one question.
pub const QUESTION_BYTES: usize = 256;
/// Bytes of entries in one answer, but for a single entry that is larger.
const PART_BYTES: usize = 1024 * 1024;
/// Bytes of one answer: a part and the largest block.
pub const ANSWER_BYTES: usize = BLOCK_BYTES + 2 * PART_BYTES;

/// The answer of a node that has too many questions waiting.
pub fn busy() -> bytes::Bytes {
    codec::encode(&Answer::Busy).into()
}

/// What a node that joins asks.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
enum Question {
    /// The last final height.
    Tip,
    /// A copy of the store to read from.
    Open,
    /// The first handovers above a height.
    Handovers {
        /// The height.
        since: Height,
    },
    /// Entries of the copy that was opened.
    Part {
        /// The copy's height.
        height: Height,
        /// Which part.
        part: Part,
        /// The last key that arrived; empty for the first.
        after: Bytes,
    },
}

/// What the peer answers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
enum Answer {
    /// Not now; ask again in a moment.
    Busy,
    /// There is no block yet, or the copy is gone: open again.
    Gone,
    /// The last final height.
    Tip(Height),
    /// The last block of the copy.
    Opened {
        /// Its header.
        header: Box<Header>,
        /// What makes it final.
        certificate: CommitCertificate,
    },
    /// Handovers, rising; none are left where there is none.
    Handovers(Vec<Handover>),
    /// Entries, by rising keys.
    Part {
        /// The entries.
        entries: Vec<Entry>,
        /// Whether there are more.
        more: bool,
    },
}
