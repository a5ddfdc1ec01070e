//! A block from a peer. Rule H-1, and the transactions in it.

#![no_main]

use fengni_core::block::{Block, transactions_digest};
use fengni_core::transaction::Transaction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(block) = Block::decode(bytes) {
        assert_eq!(block.encode(), bytes);
        let domain = block.header.domain();
        let _ = (block.header.id(&domain), transactions_digest(&domain, &block.transactions));
        for transaction in &block.transactions {
            let _ = Transaction::decode(&transaction.0);
        }
    }
});
