//! A block's events, bound by its header. Rule J-6.

use thiserror::Error;

use super::{Directory, Event, events};
use crate::block::{Block, outcomes_digest};
use crate::bytes::Bytes;
use crate::digest::Domain;
use crate::outcome::Outcome;
use crate::transaction::{Transaction, TransactionError, TransactionId};

/// Why bytes are not what a header's block did.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BlockEventsError {
    /// T-1: not the encoding of a transaction.
    #[error("a transaction cannot be read: {0}")]
    Transaction(#[from] TransactionError),
    /// H-3, H-8: transactions or parent certificate are not those of the header.
    #[error("the block is not the header's")]
    Block,
    /// H-4: not the outcomes of the header.
    #[error("the outcomes are not those of the header")]
    Outcomes,
}

/// What a final block did.
///
/// - `block`: whoever gave it; its header is final, and what it holds is held against that.
/// - `outcomes`: whoever gave them; held against the header as well.
/// - `directory`: takes note of the books that the block opens.
///
/// # Errors
/// [`BlockEventsError`]; the directory is as it was then.
pub fn block_events(
    domain: &Domain,
    block: &Block,
    outcomes: &[Outcome],
    directory: &mut Directory,
) -> Result<Vec<Event>, BlockEventsError> {
    let header = &block.header;
    if !block.is_bound(domain) {
        return Err(BlockEventsError::Block);
    }
    if outcomes.len() != block.transactions.len() || outcomes_digest(domain, outcomes) != header.outcomes {
        return Err(BlockEventsError::Outcomes);
    }
    let read = |bytes: &Bytes| -> Result<(TransactionId, Transaction), TransactionError> {
        let transaction = Transaction::decode(&bytes.0)?;
        Ok((transaction.body.id(domain), transaction))
    };
    let transactions = block.transactions.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(events(header, &transactions, outcomes, directory))
}
