//! Links: one ordered stream of frames in each direction of every connection.
//!
//! A frame is a length of four bytes and the bytes; a length of 0 is a heartbeat. Reading and
//! writing run in tasks of their own: a slow peer fills its own queue, and frames beyond that are
//! dropped and counted; a node that takes frames too slowly stops reading from the socket. A peer
//! that breaks a limit or stays silent loses its connection.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::core::{Endpoint, Multiaddr, transport::PortUse, upgrade::ReadyUpgrade};
use libp2p::swarm::handler::{ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, SubstreamProtocol, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{PeerId, Stream, StreamProtocol};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::mesh::Frame;
use super::{Limits, NetworkMetrics, SendError};

/// How often an idle writer shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long a reader waits for the next byte, and a writer for room.
const SILENCE: Duration = Duration::from_secs(12);

#[derive(Debug, Error)]
enum LinkError {
    #[error("frame of {found} bytes is above the limit of {limit}")]
    TooLong { found: u32, limit: usize },
    #[error("peer was silent for {} seconds", SILENCE.as_secs())]
    Silent,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The queues towards connected peers, shared with everyone who sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(Arc<RwLock<HashMap<PeerId, Vec<Queue>>>>);

#[derive(Debug)]
struct Queue {
    connection: ConnectionId,
    frames: mpsc::Sender<Bytes>,
}

impl Links {
    /// Puts a frame into the queue of the peer's newest connection.
    pub(crate) fn send(&self, peer: &PeerId, frame: Bytes) -> Result<(), SendError> {
        let links = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let queue = links.get(peer).and_then(|queues| queues.last()).ok_or(SendError::NotConnected)?;
        queue.frames.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Slow,
            mpsc::error::TrySendError::Closed(_) => SendError::NotConnected,
        })
    }

    /// The peers connected now.
    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn open(&self, peer: PeerId, connection: ConnectionId, room: usize) -> mpsc::Receiver<Bytes> {
        let (frames, queued) = mpsc::channel(room);
        let mut links = self.0.write().unwrap_or_else(PoisonError::into_inner);
        links.entry(peer).or_default().push(Queue { connection, frames });
        queued
    }

    fn close(&self, peer: &PeerId, connection: ConnectionId) {
        let mut links = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(queues) = links.get_mut(peer) {
            queues.retain(|queue| queue.connection != connection);
            if queues.is_empty() {
                links.remove(peer);
            }
        }
    }
}

/// Gives every connection its link.
pub(crate) struct LinkBehaviour {
    links: Links,
    protocol: StreamProtocol,
    limits: Limits,
    received: mpsc::Sender<Frame>,
    metrics: NetworkMetrics,
    to_close: VecDeque<(PeerId, ConnectionId)>,
}

impl LinkBehaviour {
    pub(crate) fn new(
        links: Links,
        protocol: &'static str,
        limits: Limits,
        received: mpsc::Sender<Frame>,
        metrics: NetworkMetrics,
    ) -> Self {
        let protocol = StreamProtocol::new(protocol);
        Self { links, protocol, limits, received, metrics, to_close: VecDeque::new() }
    }

    fn handler(&self, peer: PeerId, connection: ConnectionId) -> LinkHandler {
        LinkHandler {
            protocol: self.protocol.clone(),
            queued: Some(self.links.open(peer, connection, self.limits.frames_queued)),
            asked: false,
            reader: None,
            writer: None,
            broken: false,
            reading: Reading {
                peer,
                limit: self.limits.frame_bytes,
                per_second: self.limits.frames_per_second,
                received: self.received.clone(),
                metrics: self.metrics.clone(),
            },
        }
    }
}

impl NetworkBehaviour for LinkBehaviour {
    type ConnectionHandler = LinkHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer, connection))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer, connection))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(closed) = event {
            self.links.close(&closed.peer_id, closed.connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, _: THandlerOutEvent<Self>) {
        self.metrics.broken.inc();
        self.links.close(&peer, connection);
        self.to_close.push_back((peer, connection));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.to_close.pop_front() {
            Some((peer_id, connection)) => {
                Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(connection) })
            }
            None => Poll::Pending,
        }
    }
}

/// Tells the behaviour that a link ended and its connection with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkBroken;

/// The link of one connection.
pub(crate) struct LinkHandler {
    protocol: StreamProtocol,
    queued: Option<mpsc::Receiver<Bytes>>,
    asked: bool,
    reader: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    broken: bool,
    reading: Reading,
}

impl LinkHandler {
    fn ended(task: &mut Option<JoinHandle<()>>, cx: &mut Context<'_>) -> bool {
        match task {
            Some(handle) => Pin::new(handle).poll(cx).is_ready(),
            None => false,
        }
    }
}

impl Drop for LinkHandler {
    fn drop(&mut self) {
        for task in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            task.abort();
        }
    }
}

impl ConnectionHandler for LinkHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = LinkBroken;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    fn connection_keep_alive(&self) -> bool {
        !self.broken
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), LinkBroken>> {
        if self.broken {
            return Poll::Pending;
        }
        if !self.asked {
            self.asked = true;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        if Self::ended(&mut self.reader, cx) || Self::ended(&mut self.writer, cx) {
            self.broken = true;
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(LinkBroken));
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            // A second stream of frames on one connection has no purpose: it is dropped.
            ConnectionEvent::FullyNegotiatedInbound(inbound) if self.reader.is_none() => {
                self.reader = Some(tokio::spawn(self.reading.clone().run(inbound.protocol)));
            }
            ConnectionEvent::FullyNegotiatedOutbound(outbound) => {
                if let Some(queued) = self.queued.take() {
                    let peer = self.reading.peer;
                    let metrics = self.reading.metrics.clone();
                    self.writer = Some(tokio::spawn(async move {
                        if let Err(error) = write(outbound.protocol, queued, metrics).await {
                            debug!(%peer, "link closed while writing: {error}");
                        }
                    }));
                }
            }
            ConnectionEvent::DialUpgradeError(_) => {
                // A finished task makes the next poll report the broken link.
                self.writer = Some(tokio::spawn(async {}));
            }
            _ => {}
        }
    }
}

/// What a reader needs.
#[derive(Clone)]
struct Reading {
    peer: PeerId,
    limit: usize,
    per_second: u32,
    received: mpsc::Sender<Frame>,
    metrics: NetworkMetrics,
}

impl Reading {
    async fn run(self, stream: Stream) {
        let peer = self.peer;
        if let Err(error) = self.frames(stream).await {
            debug!(%peer, "link closed while reading: {error}");
        }
    }

    async fn frames(self, mut stream: Stream) -> Result<(), LinkError> {
        let mut pace = Pace::new(self.per_second);
        loop {
            let mut length = [0; 4];
            timeout(SILENCE, stream.read_exact(&mut length)).await.map_err(|_| LinkError::Silent)??;
            pace.one_more().await;
            let found = u32::from_be_bytes(length);
            if found == 0 {
                continue;
            }
            let too_long = LinkError::TooLong { found, limit: self.limit };
            let Some(length) = usize::try_from(found).ok().filter(|length| *length <= self.limit) else {
                return Err(too_long);
            };
            let mut frame = vec![0; length];
            timeout(SILENCE, stream.read_exact(&mut frame)).await.map_err(|_| LinkError::Silent)??;
            self.metrics.frames_received.inc();
            self.metrics.bytes_received.inc_by(u64::from(found));
            if self.received.send(Frame { from: self.peer, bytes: frame.into() }).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// Lets so many frames through each second and makes the reader wait for the next one.
struct Pace {
    per_second: u32,
    until: Instant,
    count: u32,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1), until: Instant::now() + Duration::from_secs(1), count: 0 }
    }

    async fn one_more(&mut self) {
        if self.count == self.per_second {
            sleep_until(self.until).await;
        }
        let now = Instant::now();
        if now >= self.until {
            self.until = now + Duration::from_secs(1);
            self.count = 0;
        }
        self.count += 1;
    }
}

async fn write(
    mut stream: Stream,
    mut queued: mpsc::Receiver<Bytes>,
    metrics: NetworkMetrics,
) -> Result<(), LinkError> {
    loop {
        let first = match timeout(HEARTBEAT, queued.recv()).await {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(_) => Bytes::new(),
        };
        let batch = async {
            let mut next = Some(first);
            while let Some(frame) = next {
                let length = u32::try_from(frame.len()).map_err(std::io::Error::other)?;
                stream.write_all(&length.to_be_bytes()).await?;
                stream.write_all(&frame).await?;
                if length > 0 {
                    metrics.frames_sent.inc();
                }
                next = queued.try_recv().ok();
            }
            stream.flush().await
        };
        timeout(SILENCE, batch).await.map_err(|_| LinkError::Silent)??;
    }
}
