//! Transactions between nodes: batches by request and answer, on a mesh of their own. On the same
//! mesh, nodes that join ask for a snapshot: a request's first byte says which of the two it is.
//!
//! A batch crosses a wire once: it goes straight to each connected peer, whose answer says
//! whether it took it. Nothing is forwarded here; the pool decides what to send where.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream::{FuturesUnordered, StreamExt as _};
use libp2p::PeerId;
use thiserror::Error;
use tokio::sync::mpsc;

use super::mesh::AbortOnDrop;
use super::{
    CallFailure, InboundRequestId, Mesh, MeshConfig, MeshEvent, MeshFeeds, NetworkError, NetworkMetrics, Roster,
};

/// Bytes of one batch.
pub const TX_BATCH_BYTES: usize = 1024 * 1024;
/// Batches received and not yet taken by the pool.
const BATCHES_WAITING: usize = 64;

/// Questions received and not yet answered.
const QUESTIONS_WAITING: usize = 16;

const BATCH: u8 = 0;
const QUESTION: u8 = 1;

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

/// A question of a node that joins.
#[derive(Debug)]
pub struct TxQuestion {
    /// The authenticated sender.
    pub from: PeerId,
    /// To be answered, or forgotten, through the mesh.
    pub(crate) id: InboundRequestId,
    /// The question.
    pub bytes: Bytes,
}

/// What arrives on the mesh. Batches must be taken; questions that nobody takes make the node busy.
#[derive(Debug)]
pub struct TxFeeds {
    /// Batches of transactions.
    pub batches: mpsc::Receiver<TxBatch>,
    /// Questions of nodes that join.
    pub questions: mpsc::Receiver<TxQuestion>,
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
    /// Starts the mesh. What peers send arrives on the returned receivers; while one is full,
    /// peers are told that this node is busy.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn start(
        mut config: MeshConfig,
        roster: Roster,
        metrics: NetworkMetrics,
    ) -> Result<(Self, TxFeeds), NetworkError> {
        config.limits.request_bytes = 1 + TX_BATCH_BYTES;
        config.limits.response_bytes = crate::snapshot::ANSWER_BYTES;
        // The link of this mesh carries heartbeats only.
        config.limits.frame_bytes = 0;
        config.limits.frames_queued = 1;
        config.limits.frames_received = 1;
        config.limits.frames_per_second = 10;
        let (mesh, feeds) = Mesh::start(config, roster, metrics).await?;
        let (batches, to_batches) = mpsc::channel(BATCHES_WAITING);
        let (questions, to_questions) = mpsc::channel(QUESTIONS_WAITING);
        let serving = tokio::spawn(serve(mesh.clone(), feeds, batches, questions));
        let feeds = TxFeeds { batches: to_batches, questions: to_questions };
        Ok((Self { mesh, _serving: Arc::new(AbortOnDrop(serving)) }, feeds))
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
        let answer = self.mesh.ask(peer, marked(BATCH, &batch)).await?;
        if answer == TAKEN { Ok(()) } else { Err(TxError::Busy) }
    }

    /// Asks one peer what a node that joins asks.
    ///
    /// # Errors
    /// [`CallFailure`].
    pub async fn ask(&self, peer: PeerId, question: Bytes) -> Result<Bytes, CallFailure> {
        self.mesh.ask(peer, marked(QUESTION, &question)).await
    }
}

/// A request with the byte that says what it is.
fn marked(kind: u8, bytes: &Bytes) -> Bytes {
    let mut request = BytesMut::with_capacity(1 + bytes.len());
    request.put_u8(kind);
    request.put_slice(bytes);
    request.freeze()
}

async fn serve(mesh: Mesh, mut feeds: MeshFeeds, batches: mpsc::Sender<TxBatch>, questions: mpsc::Sender<TxQuestion>) {
    while let Some(event) = feeds.events.recv().await {
        let MeshEvent::Request { from, id, mut body } = event else { continue };
        let kind = (!body.is_empty()).then(|| body.split_to(1)[0]);
        match kind {
            Some(BATCH) => {
                let taken = batches.try_send(TxBatch { from, bytes: body }).is_ok();
                mesh.answer(id, Bytes::from_static(if taken { TAKEN } else { BUSY })).await;
            }
            Some(QUESTION) => {
                if questions.try_send(TxQuestion { from, id, bytes: body }).is_err() {
                    mesh.answer(id, crate::snapshot::busy()).await;
                }
            }
            _ => mesh.forget(id).await,
        }
    }
}
