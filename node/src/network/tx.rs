//! Transactions between nodes: batches by request and answer, on a mesh of their own.
//!
//! A batch crosses a wire once: it goes straight to each connected peer, whose answer says
//! whether it took it. Nothing is forwarded here; the pool decides what to send where.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt as _};
use libp2p::PeerId;
use thiserror::Error;
use tokio::sync::mpsc;

use super::mesh::AbortOnDrop;
use super::{CallFailure, Mesh, MeshConfig, MeshEvent, MeshFeeds, NetworkError, NetworkMetrics, Roster};

/// Bytes of one batch.
pub const TX_BATCH_BYTES: usize = 1024 * 1024;
/// Batches received and not yet taken by the pool.
const BATCHES_WAITING: usize = 64;

const TAKEN: &[u8] = &[1];
const BUSY: &[u8] = &[0];

/// A batch received from a peer on the roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TxBatch {
    /// The authenticated sender.
    pub from: PeerId,
    /// The batch, as the sender gave it.
    pub bytes: Bytes,
}

/// Why a batch was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TxError {
    /// The batch is above [`TX_BATCH_BYTES`].
    #[error("batch is above the limit of {TX_BATCH_BYTES} bytes")]
    TooLong,
    /// The peer's pool takes no more for now.
    #[error("the peer is busy")]
    Busy,
    /// No answer.
    #[error("no answer: {0}")]
    Call(#[from] CallFailure),
}

/// The mesh on which transactions travel.
#[derive(Clone, Debug)]
pub struct TxNetwork {
    mesh: Mesh,
    _serving: Arc<AbortOnDrop>,
}

impl TxNetwork {
    /// Starts the mesh. Batches of peers arrive on the returned receiver; while it is full,
    /// peers are told that this node is busy.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn start(
        mut config: MeshConfig,
        roster: Roster,
        metrics: NetworkMetrics,
    ) -> Result<(Self, mpsc::Receiver<TxBatch>), NetworkError> {
        config.limits.request_bytes = TX_BATCH_BYTES;
        config.limits.response_bytes = 16;
        // The link of this mesh carries heartbeats only.
        config.limits.frame_bytes = 0;
        config.limits.frames_queued = 1;
        config.limits.frames_received = 1;
        config.limits.frames_per_second = 10;
        let (mesh, feeds) = Mesh::start(config, roster, metrics).await?;
        let (batches, incoming) = mpsc::channel(BATCHES_WAITING);
        let serving = tokio::spawn(serve(mesh.clone(), feeds, batches));
        Ok((Self { mesh, _serving: Arc::new(AbortOnDrop(serving)) }, incoming))
    }

    /// The mesh below, for its peers and its address.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Sends a batch to every connected peer at once and returns how many took it.
    pub async fn send(&self, batch: Bytes) -> usize {
        let sending: FuturesUnordered<_> =
            self.mesh.peers().into_iter().map(|peer| self.send_to(peer, batch.clone())).collect();
        sending.filter(|taken| std::future::ready(taken.is_ok())).count().await
    }

    /// Sends a batch to one peer.
    ///
    /// # Errors
    /// [`TxError`].
    pub async fn send_to(&self, peer: PeerId, batch: Bytes) -> Result<(), TxError> {
        if batch.len() > TX_BATCH_BYTES {
            return Err(TxError::TooLong);
        }
        let answer = self.mesh.ask(peer, batch).await?;
        if answer == TAKEN { Ok(()) } else { Err(TxError::Busy) }
    }
}

async fn serve(mesh: Mesh, mut feeds: MeshFeeds, batches: mpsc::Sender<TxBatch>) {
    while let Some(event) = feeds.events.recv().await {
        if let MeshEvent::Request { from, id, body } = event {
            let answer = match batches.try_send(TxBatch { from, bytes: body }) {
                Ok(()) => TAKEN,
                Err(_) => BUSY,
            };
            mesh.answer(id, Bytes::from_static(answer)).await;
        }
    }
}
