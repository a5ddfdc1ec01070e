//! How far a replay has come, kept beside its records, so that it goes on there.

use bincode::{Decode, Encode};
use fengni_core::codec::{self, DecodeError};
use fengni_core::limits::PROOF_BYTES;
use fengni_core::transaction::TransactionId;
use fengni_core::{Digest, Domain, Height};
use fengni_state::LoadError;
use serde::Serialize;
use thiserror::Error;

use crate::chain::Chain;
use crate::level::Level;
use crate::records::{DiskRecords, Row};

const FORMAT: u16 = 1;
const PROGRESS: &[u8] = b"progress";
const RECENT: &[u8] = b"recent/";

/// What a replay has counted, from the first block on.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Encode, Decode)]
pub struct Figures {
    /// Transactions.
    pub transactions: u64,
    /// Those that the ledger refused; counted by executing them.
    pub refused: u64,
    /// Last heights before a recovery: from there on, validators that no quorum has named.
    pub recoveries: Vec<Height>,
}

/// Why the folder of a replay is of no use.
#[derive(Debug, Error)]
pub enum WorkError {
    /// The file.
    #[error("the replay's file: {0}; next: see to the disk, and that no other replay uses the folder")]
    File(#[from] redb::Error),
    /// Not what a replay writes.
    #[error("the replay's file is damaged: {0}; next: begin in another folder")]
    Damaged(#[from] DecodeError),
    /// A later program wrote it.
    #[error("the replay's file has format {0}; next: use the program that wrote it, or another folder")]
    Format(u16),
    /// Of another network.
    #[error("the folder holds a replay of network {0}; next: use another folder")]
    OtherNetwork(String),
    /// Of another level.
    #[error("the folder holds a replay of level {}; next: use that level, or another folder", .0.name())]
    OtherLevel(Level),
    /// The records are not those of the header.
    #[error("the replay's records do not hold: {0}; next: begin in another folder")]
    Load(#[from] LoadError),
}

/// How far a replay had come.
#[derive(Encode, Decode)]
struct Saved {
    format: u16,
    domain: Domain,
    level: Level,
    chain: Chain,
    figures: Figures,
}

/// What a replay goes on with.
pub(crate) struct Found {
    pub(crate) chain: Chain,
    pub(crate) figures: Figures,
    /// Ids of the transactions of the last blocks, oldest block first.
    pub(crate) recent: Vec<Vec<TransactionId>>,
}

/// Where the records say that a replay is, if one was begun.
pub(crate) fn find(records: &DiskRecords, domain: &Domain, level: Level) -> Result<Option<Found>, WorkError> {
    let rows = records.rows(PROGRESS);
    let Some((_, bytes)) = rows.first() else { return Ok(None) };
    match bytes.first_chunk().map(|format| u16::from_le_bytes(*format)) {
        Some(FORMAT) => (),
        other => return Err(WorkError::Format(other.unwrap_or_default())),
    }
    let saved: Saved = codec::decode(bytes, PROOF_BYTES)?;
    if saved.domain != *domain {
        return Err(WorkError::OtherNetwork(saved.domain.network.to_string()));
    }
    if saved.level != level {
        return Err(WorkError::OtherLevel(saved.level));
    }
    let recent = records.rows(RECENT).into_iter().map(|(_, ids)| {
        let (ids, _) = ids.as_chunks::<32>();
        ids.iter().map(|id| TransactionId(Digest(*id))).collect()
    });
    Ok(Some(Found { chain: saved.chain, figures: saved.figures, recent: recent.collect() }))
}

/// The row that says how far a replay is.
pub(crate) fn progress(domain: Domain, level: Level, chain: &Chain, figures: &Figures) -> Row {
    let saved = Saved { format: FORMAT, domain, level, chain: chain.clone(), figures: figures.clone() };
    (PROGRESS.to_vec(), Some(codec::encode(&saved)))
}

/// The rows that bring the ids of recent transactions up to date.
///
/// - `recent`: of the last blocks up to `height`, oldest block first; `saved`: the height of the rows
///   that are there.
pub(crate) fn recent<'a>(
    recent: impl ExactSizeIterator<Item = &'a [TransactionId]>,
    height: Height,
    saved: Height,
    stored: &mut Height,
) -> Vec<Row> {
    let key = |height: u64| [RECENT, &height.to_be_bytes()].concat();
    let first = height.0.saturating_sub(recent.len() as u64) + 1;
    let gone = (stored.0..first.min(saved.0 + 1)).map(|height| (key(height), None));
    let mut rows: Vec<Row> = gone.collect();
    let new = (first..).zip(recent).filter(|(height, _)| *height > saved.0);
    rows.extend(new.map(|(height, ids)| {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.0.0).collect();
        (key(height), Some(bytes))
    }));
    *stored = Height(first);
    rows
}
