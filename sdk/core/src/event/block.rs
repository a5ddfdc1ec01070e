//! A block's events from its bytes, bound by its header. Rule J-6.

use thiserror::Error;

use super::{Directory, Event, events};
use crate::block::{Block, Header, outcomes_digest};
use crate::bytes::Bytes;
use crate::codec::DecodeError;
use crate::digest::Domain;
use crate::outcome::Outcome;
use crate::transaction::{Transaction, TransactionError, TransactionId};

/// Why bytes are not what a header's block did.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BlockEventsError {
    /// H-1: not the encoding of a block.
    #[error("the block cannot be read: {0}")]
    Encoding(#[from] DecodeError),
    /// T-1: not the encoding of a transaction.
    #[error("a transaction cannot be read: {0}")]
    Transaction(#[from] TransactionError),
    /// H-2, H-3: another block than the header's.
    #[error("the block is not the header's")]
    Block,
    /// H-4: not the outcomes of the header.
    #[error("the outcomes are not those of the header")]
    Outcomes,
}

/// What a final block did.
///
/// - `header`: final.
/// - `block`, `outcomes`: whoever gave them; both are held against the header.
///
/// # Errors
/// [`BlockEventsError`].
pub fn block_events(
    domain: &Domain,
    header: &Header,
    block: &[u8],
    outcomes: &[Outcome],
    directory: &mut Directory,
) -> Result<Vec<Event>, BlockEventsError> {
    let block = Block::decode(block)?;
    if block.header != *header || !block.is_bound(domain) {
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
