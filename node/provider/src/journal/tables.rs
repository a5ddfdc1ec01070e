//! Tables: what the journal's file holds, and how rows are written.

use fengni_client::keys::FileError;
use fengni_client::random::RandomError;
use fengni_client::submit::Prepared;
use fengni_core::bytes::Bytes;
use fengni_core::sharing::{Batch, MemberSignature, Receipt};
use fengni_core::transaction::TransactionId;
use fengni_core::{Digest, Height, LinePlace, Millis};
use redb::TableDefinition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(super) const FORMAT: u64 = 2;

/// `format`: how the tables are written.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// Whose journal it is, and with which secret.
pub(super) const OWNER: TableDefinition<'static, (), &[u8]> = TableDefinition::new("owner");
/// Digest of an access: what was written down for it.
pub(super) const ACCESSES: TableDefinition<'static, [u8; 32], &[u8]> = TableDefinition::new("accesses");
/// Digest of an access: its answer, sealed to whoever asked.
pub(super) const ANSWERS: TableDefinition<'static, [u8; 32], &[u8]> = TableDefinition::new("answers");
/// When an access was answered, and which.
pub(super) const BY_TIME: TableDefinition<'static, (u64, [u8; 32]), ()> = TableDefinition::new("by-time");
/// Number of a receipt: the receipt.
pub(super) const RECEIPTS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("receipts");
/// Number of a receipt: its blinded leaf.
pub(super) const LEAVES: TableDefinition<'static, u64, [u8; 32]> = TableDefinition::new("leaves");
/// Number of an erased receipt: what is left of it.
pub(super) const TRACES: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("traces");
/// Hash of a holder's key under the secret, and the number of a receipt about something that it signed.
pub(super) const BY_HOLDER: TableDefinition<'static, ([u8; 32], u64), ()> = TableDefinition::new("by-holder");
/// Hash of a subject under the secret, and the number of a receipt about it.
pub(super) const BY_SUBJECT: TableDefinition<'static, ([u8; 32], u64), ()> = TableDefinition::new("by-subject");
/// Hash of a grant under the secret and place of its kind, or of a use code and 0: how often it was used.
pub(super) const USES: TableDefinition<'static, ([u8; 32], u16), u32> = TableDefinition::new("uses");
/// Number of a batch's first receipt: the batch.
pub(super) const BATCHES: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("batches");

/// Why the journal is of no use.
#[derive(Debug, Error)]
pub(crate) enum JournalError {
    /// The file.
    #[error("the journal: {0}; next: see to the disk")]
    File(#[from] redb::Error),
    /// Another process has it.
    #[error("another process has the journal; next: end that one")]
    InUse,
    /// Who may read it, or what the system says.
    #[error(transparent)]
    Access(#[from] FileError),
    /// Not what this program writes.
    #[error("the journal is damaged: a row cannot be read; next: restore the folder from a copy of this moment")]
    Damaged,
    /// A later program wrote it.
    #[error("the journal has format {0}; next: use the program that wrote it")]
    Format(u64),
    /// Of another network, member, book or secret.
    #[error("the journal is of another network, member, book or secret; next: name its own folder with --home")]
    Other,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The key did not sign.
    #[error("the key did not sign a receipt: {0}")]
    Sign(String),
    /// Too many wait to be written.
    #[error("too many accesses wait to be written")]
    Busy,
    /// The thread that writes is gone.
    #[error("the journal is closed")]
    Closed,
    /// A fault that a test put in.
    #[cfg(test)]
    #[error("killed by a test")]
    Killed,
}

/// Errors of the file, each kind of them.
macro_rules! file_errors {
    ($($name:ident),*) => {
        $(impl From<redb::$name> for JournalError {
            fn from(error: redb::$name) -> Self {
                Self::File(error.into())
            }
        })*
    };
}

file_errors!(TransactionError, TableError, StorageError, CommitError);

impl From<redb::DatabaseError> for JournalError {
    fn from(error: redb::DatabaseError) -> Self {
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            other => Self::File(other.into()),
        }
    }
}

/// What was written down for an access.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct AccessRow {
    /// Number of its first receipt.
    pub(super) first: u64,
    /// How many, one a question.
    pub(super) count: u64,
    /// When.
    pub(super) time: Millis,
}

/// A receipt with its signatures.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ReceiptRow {
    pub(super) receipt: Receipt,
    pub(super) provider: MemberSignature,
    pub(super) requester: Option<MemberSignature>,
    /// Under which hashes it is found: what an erasure drops with it.
    pub(super) holder: Option<Digest>,
    pub(super) subject: Digest,
}

/// A batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct BatchRow {
    /// Number of its first receipt.
    pub(crate) first: u64,
    /// How many.
    pub(crate) count: u64,
    /// Digest of the list of their leaves.
    pub(crate) receipts: Digest,
    /// The transaction that brings it to the ledger, as it was signed last.
    pub(super) sent: Sent,
    /// Where it stands.
    pub(crate) place: Option<LinePlace>,
}

/// A signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    id: TransactionId,
    valid_until: Height,
    bytes: Bytes,
}

impl From<&Prepared> for Sent {
    fn from(prepared: &Prepared) -> Self {
        let Prepared { id, valid_until, bytes } = prepared.clone();
        Self { id, valid_until, bytes }
    }
}

impl BatchRow {
    /// What its line says.
    pub(crate) fn batch(&self) -> Batch {
        Batch { first: self.first, count: self.count, receipts: self.receipts }
    }

    /// The transaction, to be sent any number of times.
    pub(crate) fn prepared(&self) -> Prepared {
        let Sent { id, valid_until, bytes } = self.sent.clone();
        Prepared { id, valid_until, bytes }
    }
}

pub(super) fn encode(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows are plain data")
}

/// What cannot be read is not repeated.
pub(super) fn decode<T: DeserializeOwned>(row: &[u8]) -> Result<T, JournalError> {
    serde_json::from_slice(row).map_err(|_| JournalError::Damaged)
}
