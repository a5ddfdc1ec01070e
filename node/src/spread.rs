//! Spreading: a transaction that enters here reaches every validator, once.
//!
//! What a relay takes goes straight to each connected peer, in batches of whatever has gathered
//! meanwhile. A validator forwards only what comes from a peer that is none, such as an observer
//! inside: in a full mesh everybody else has it already.

use std::sync::Arc;

use bytes::Bytes as Frame;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use tokio::sync::mpsc;

use crate::ledger::Ledger;
use crate::network::{Roster, TX_BATCH_BYTES, TxBatch, TxNetwork};

/// Transactions that gather before those who bring more must wait.
const GATHERED: usize = 4096;
/// Batches under way at once.
const UNDER_WAY: usize = 4;
/// How often a batch is offered while no peer takes it.
const TRIES: u32 = 20;
/// The rest between two offers.
const BETWEEN_TRIES: std::time::Duration = std::time::Duration::from_millis(250);

/// Takes transactions to be sent to all peers.
#[derive(Clone, Debug)]
pub struct Spread(mpsc::Sender<Bytes>);

impl Spread {
    /// Sends a transaction to all peers; `false` where too many gather already.
    pub fn send(&self, transaction: Bytes) -> bool {
        self.0.try_send(transaction).is_ok()
    }
}

/// Starts both directions. They end with the network.
pub fn start(ledger: Arc<Ledger>, network: TxNetwork, incoming: mpsc::Receiver<TxBatch>, roster: Roster) -> Spread {
    let (sender, gathered) = mpsc::channel(GATHERED);
    let spread = Spread(sender);
    tokio::spawn(send(network, gathered));
    tokio::spawn(receive(ledger, incoming, roster, spread.clone()));
    spread
}

async fn send(network: TxNetwork, mut gathered: mpsc::Receiver<Bytes>) {
    let under_way = Arc::new(tokio::sync::Semaphore::new(UNDER_WAY));
    let mut next = gathered.recv().await;
    while let Some(first) = next.take() {
        // Eight bytes of length each, and eight for the batch.
        let mut size = 16 + first.0.len();
        let mut batch = vec![first];
        while let Ok(more) = gathered.try_recv() {
            size += 8 + more.0.len();
            if size > TX_BATCH_BYTES {
                next = Some(more);
                break;
            }
            batch.push(more);
        }
        let Ok(permit) = under_way.clone().acquire_owned().await else { return };
        let network = network.clone();
        tokio::spawn(async move {
            let frame = Frame::from(codec::encode(&batch));
            // Without a peer that takes it, an observer's transactions would be lost for good.
            for _ in 0..TRIES {
                if network.send(frame.clone()).await > 0 {
                    break;
                }
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            drop(permit);
        });
        if next.is_none() {
            next = gathered.recv().await;
        }
    }
}

async fn receive(ledger: Arc<Ledger>, mut incoming: mpsc::Receiver<TxBatch>, roster: Roster, spread: Spread) {
    while let Some(batch) = incoming.recv().await {
        let sender = roster.member(&batch.from);
        let (ledger, spread) = (ledger.clone(), spread.clone());
        let taking = tokio::task::spawn_blocking(move || {
            let transactions: Vec<Bytes> = match codec::decode(&batch.bytes, TX_BATCH_BYTES) {
                Ok(transactions) => transactions,
                Err(error) => return tracing::warn!(from = %batch.from, %error, "a batch of transactions is malformed"),
            };
            let validators = ledger.state().next_validators();
            let from_validator = sender.is_some_and(|member| validators.get(member).is_some());
            for transaction in transactions {
                let admitted = ledger.admit(transaction.0.clone());
                if admitted.is_ok_and(|(_, new)| new) && !from_validator {
                    spread.send(transaction);
                }
            }
        });
        if taking.await.is_err() {
            tracing::error!("taking a batch of transactions failed");
        }
    }
}
