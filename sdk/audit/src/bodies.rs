//! What a block carries: transactions and the parent's certificate are those its header names.

use std::collections::HashSet;

use fengni_core::block::transactions_digest;
use fengni_core::transaction::{Transaction, TransactionError, TransactionId};
use fengni_core::{Block, Domain};

use crate::fault::Fault;

/// The transactions of a block that are bound by its header, decoded, each there once. Rules H-3,
/// H-8, T-1 and T-3.
pub(crate) fn check(domain: &Domain, block: &Block) -> Result<Vec<(TransactionId, Transaction)>, Fault> {
    if block.header.transactions != transactions_digest(domain, &block.transactions) {
        return Err(Fault::Transactions);
    }
    let certificate = block.parent_certificate.as_ref().map(|certificate| certificate.digest(domain));
    if block.header.parent_certificate != certificate.unwrap_or_default() {
        return Err(Fault::ParentCertificate);
    }
    let mut seen = HashSet::new();
    let read = |(place, bytes): (usize, &fengni_core::bytes::Bytes)| {
        let wrong = |error| Fault::Transaction { place, error };
        let transaction = Transaction::decode(&bytes.0).map_err(wrong)?;
        if transaction.body.network != domain.network {
            return Err(wrong(TransactionError::OtherNetwork { found: transaction.body.network }));
        }
        let id = transaction.body.id(domain);
        if seen.insert(id) { Ok((id, transaction)) } else { Err(Fault::Twice(id)) }
    };
    block.transactions.iter().enumerate().map(read).collect()
}
