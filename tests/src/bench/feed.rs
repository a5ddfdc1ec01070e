//! Feeding a network: many signed transactions at once, to a relay, until they are final.

use std::time::Duration;

use fengni_client::gateway::Gateway;
use fengni_client::node::{Node, Relayed};
use fengni_client::submit::Prepared;
use fengni_client::transport::HttpOptions;
use fengni_core::book::{Line, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect};
use fengni_core::{BookNumber, Digest, Height, LineNumber};

use crate::actors::{Actor, random};
use crate::network::Network;
use crate::wait::{Deadline, until};

/// How long a node may hold one request open.
pub(super) const WAIT: Duration = Duration::from_secs(10);
/// Bytes of one batch of transactions to a relay.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Transactions of one batch.
const BATCH: usize = 200;

/// The relay of one node.
pub(super) fn relay(network: &Network, node: &str) -> Node {
    let url = network.node(node).relay.clone().expect("a validator has a relay");
    Gateway::http(&[url], &HttpOptions::default()).expect("the map names URLs").nodes()[0].clone()
}

/// The gateway of one node.
pub(super) fn gateway(network: &Network, node: &str) -> Node {
    let url = network.node(node).gateway.clone();
    Gateway::http(&[url], &HttpOptions::default()).expect("the map names URLs").nodes()[0].clone()
}

/// Signed seals of lines that no certificate is behind: for the ledger they are all alike.
pub(super) fn seals(issuer: &mut Actor, book: BookNumber, count: usize, lines: usize) -> Vec<Prepared> {
    let line = || Line { tag: Tag(random()), commitment: Digest(random()) };
    let operations = (0..count).map(|_| Operation::Seal { book, lines: (0..lines).map(|_| line()).collect() });
    sign(issuer, operations)
}

/// Signs operations, each good for as long as the window allows.
pub(super) fn sign(issuer: &mut Actor, operations: impl Iterator<Item = Operation>) -> Vec<Prepared> {
    let valid_until: Height = issuer.submitter.valid_until(&mut issuer.ledger).expect("the gateway answers");
    let domain = issuer.ledger.domain();
    operations
        .map(|operation| {
            Prepared::sign(&domain, &issuer.signers, operation, valid_until, random()).expect("keys in memory sign")
        })
        .collect()
}

/// Hands transactions to a relay in batches.
pub(super) fn send(node: &Node, prepared: &[Prepared]) {
    let mut batch: Vec<Bytes> = Vec::new();
    let mut size = 0;
    let flush = |batch: &mut Vec<Bytes>| {
        if batch.is_empty() {
            return;
        }
        let answers = node.submit_batch(batch).expect("the relay answers");
        for answer in answers {
            assert!(matches!(answer, Relayed::Accepted(_)), "{answer:?}");
        }
        batch.clear();
    };
    for transaction in prepared {
        if batch.len() == BATCH || size + transaction.bytes.0.len() > BATCH_BYTES {
            flush(&mut batch);
            size = 0;
        }
        size += transaction.bytes.0.len() + 8;
        batch.push(transaction.bytes.clone());
    }
    flush(&mut batch);
}

/// Waits until all are final on all validators, and returns the first line of each seal.
pub(super) fn wait_final(network: &Network, prepared: &[Prepared]) -> Vec<LineNumber> {
    let mut firsts = Vec::new();
    for validator in network.validators() {
        let node = gateway(network, &validator.name);
        firsts = prepared
            .iter()
            .map(|transaction| {
                let proof = until("a transaction is final", Deadline(Duration::from_secs(300)), || {
                    node.transaction(transaction.id, WAIT).expect("the gateway answers")
                });
                done(&proof.outcome.decision)
            })
            .collect();
    }
    firsts
}

/// The first line of an accepted seal.
pub(super) fn done(decision: &Decision) -> LineNumber {
    match decision {
        Decision::Done(Effect::Sealed { first, .. }) => *first,
        other => panic!("the ledger refused the load: {other:?}"),
    }
}
