//! A mesh: the swarm of one purpose, its listener, its dialling, its frames and its calls.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use fengni_core::{Domain, SecretKey};
use futures::StreamExt as _;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::request_response::{
    self, InboundRequestId, Message, OutboundFailure, OutboundRequestId, ProtocolSupport, ResponseChannel,
};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};

use super::calls::Calls;
use super::gate::Gate;
use super::link::{LinkBehaviour, Links};
use super::transport::{keypair, transport};
use super::{Limits, NetworkMetrics, Purpose, Roster};

/// First wait before dialling a peer again; doubled up to [`REDIAL_MAX`].
const REDIAL_MIN: Duration = Duration::from_millis(100);
/// Longest wait before dialling a peer again.
const REDIAL_MAX: Duration = Duration::from_secs(2);
/// A connection that stood this long was a good one: the next wait is the first one again.
const STOOD: Duration = Duration::from_secs(5);

/// Where a peer listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerAddress {
    /// The peer; another key behind the address is refused.
    pub peer: PeerId,
    /// Its address, without the peer id.
    pub address: Multiaddr,
}

/// What a mesh is started with.
#[derive(Clone, Debug)]
pub struct MeshConfig {
    /// The node's ed25519 peer key.
    pub key: SecretKey,
    /// Suite and network: another network fails the handshake.
    pub domain: Domain,
    /// What the mesh is for.
    pub purpose: Purpose,
    /// A key all nodes of the network share, besides their own.
    pub shared_key: Option<[u8; 32]>,
    /// Where to listen; `None` only dials.
    pub listen: Option<Multiaddr>,
    /// Whom to dial. A peer that is not on the roster is left alone until it is.
    pub peers: Vec<PeerAddress>,
    /// How much is accepted and kept.
    pub limits: Limits,
}

/// Why a mesh could not be started.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The peer key is not an ed25519 key.
    #[error("the peer key is not an ed25519 key")]
    Key,
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: Multiaddr,
        /// What the system answered.
        reason: String,
    },
}

/// Why a frame was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SendError {
    /// No connection stands.
    #[error("not connected")]
    NotConnected,
    /// The peer's queue is full.
    #[error("the peer takes frames too slowly")]
    Slow,
}

/// Why a call got no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CallFailure {
    /// No connection stands, or none could be made.
    #[error("not connected")]
    NotConnected,
    /// The connection closed first.
    #[error("connection closed")]
    Closed,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The peer does not know the protocol.
    #[error("the peer does not know the protocol")]
    Unsupported,
    /// Reading or writing failed, or a message was above its limit.
    #[error("the exchange broke")]
    Broken,
}

/// A frame and the peer that sent it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The authenticated sender.
    pub from: PeerId,
    /// The bytes.
    pub bytes: Bytes,
}

/// What happens in a mesh, besides frames.
#[derive(Debug)]
pub enum MeshEvent {
    /// A peer's first connection stands.
    Connected(PeerId),
    /// A peer's last connection closed.
    Disconnected(PeerId),
    /// A peer asks; answer with [`Mesh::answer`] or let go with [`Mesh::forget`].
    Request {
        /// Who asks.
        from: PeerId,
        /// Which request.
        id: InboundRequestId,
        /// What is asked.
        body: Bytes,
    },
    /// A request of a peer can no longer be answered.
    RequestGone {
        /// Who asked.
        from: PeerId,
        /// Which request.
        id: InboundRequestId,
    },
    /// An answer to a request sent with [`Mesh::request`].
    Answer {
        /// Who answers.
        from: PeerId,
        /// Which request.
        id: OutboundRequestId,
        /// The answer.
        body: Bytes,
    },
    /// A request sent with [`Mesh::request`] failed.
    NoAnswer {
        /// Who was asked.
        from: PeerId,
        /// Which request.
        id: OutboundRequestId,
        /// Why.
        failure: CallFailure,
    },
}

/// What a mesh delivers. Both must be drained.
#[derive(Debug)]
pub struct MeshFeeds {
    /// Frames of all peers; while it is full, no socket is read.
    pub frames: mpsc::Receiver<Frame>,
    /// Everything else.
    pub events: mpsc::Receiver<MeshEvent>,
}

enum Command {
    Request { to: PeerId, body: Bytes, id: oneshot::Sender<OutboundRequestId> },
    Ask { to: PeerId, body: Bytes, answer: oneshot::Sender<Result<Bytes, CallFailure>> },
    Answer { id: InboundRequestId, body: Bytes },
    Forget { id: InboundRequestId },
    Stop { done: oneshot::Sender<()> },
}

/// A handle to a running mesh. The mesh ends when all handles are gone or with [`Mesh::stop`].
#[derive(Clone, Debug)]
pub struct Mesh {
    links: Links,
    commands: mpsc::Sender<Command>,
    own: PeerId,
    listening: Option<Multiaddr>,
    metrics: NetworkMetrics,
}

impl Mesh {
    /// Listens, starts to dial, and returns once the listener stands.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn start(
        config: MeshConfig,
        roster: Roster,
        metrics: NetworkMetrics,
    ) -> Result<(Self, MeshFeeds), NetworkError> {
        let key = keypair(&config.key.seed())?;
        let own = key.public().to_peer_id();
        let transport = transport(&key, &config.domain, config.purpose, config.shared_key.as_ref())?;
        let links = Links::default();
        let (received, frames) = mpsc::channel(config.limits.frames_received);
        let behaviour = behaviour(&config, own, &roster, links.clone(), received, &metrics);
        let mut swarm = Swarm::new(transport, behaviour, own, libp2p::swarm::Config::with_tokio_executor());
        let listening = match &config.listen {
            Some(address) => Some(listen(&mut swarm, address).await?),
            None => None,
        };
        let (commands, orders) = mpsc::channel(256);
        let (events, feed) = mpsc::channel(256);
        let task = Task {
            swarm,
            dialled: config.peers.iter().map(|peer| (peer.peer, Dialled::new(peer.address.clone()))).collect(),
            roster,
            orders,
            events,
            outbox: VecDeque::new(),
            open: HashMap::new(),
            asked: HashMap::new(),
            metrics: metrics.clone(),
        };
        tokio::spawn(task.run());
        info!(network = config.purpose.name(), peer = %own, "network started");
        Ok((Self { links, commands, own, listening, metrics }, MeshFeeds { frames, events: feed }))
    }

    /// The node's own peer id.
    pub fn own(&self) -> PeerId {
        self.own
    }

    /// The address the listener got, with its true port.
    pub fn listening(&self) -> Option<&Multiaddr> {
        self.listening.as_ref()
    }

    /// The peers connected now.
    pub fn peers(&self) -> Vec<PeerId> {
        self.links.peers()
    }

    /// Sends a frame to one peer. It is dropped, and counted, when the peer is slow.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&self, to: &PeerId, frame: Bytes) -> Result<(), SendError> {
        let sent = self.links.send(to, frame);
        if sent == Err(SendError::Slow) {
            self.metrics.dropped.inc();
        }
        sent
    }

    /// Sends a frame to every connected peer and returns how many took it.
    pub fn broadcast(&self, frame: &Bytes) -> usize {
        self.peers().iter().filter(|peer| self.send(peer, frame.clone()).is_ok()).count()
    }

    /// Sends a request whose answer arrives as an event. `None` once the mesh has ended.
    pub async fn request(&self, to: PeerId, body: Bytes) -> Option<OutboundRequestId> {
        let (id, given) = oneshot::channel();
        self.commands.send(Command::Request { to, body, id }).await.ok()?;
        given.await.ok()
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// [`CallFailure`].
    pub async fn ask(&self, to: PeerId, body: Bytes) -> Result<Bytes, CallFailure> {
        let (answer, answered) = oneshot::channel();
        let order = Command::Ask { to, body, answer };
        self.commands.send(order).await.map_err(|_| CallFailure::Closed)?;
        answered.await.map_err(|_| CallFailure::Closed)?
    }

    /// Answers a request of a peer.
    pub async fn answer(&self, id: InboundRequestId, body: Bytes) {
        let _ = self.commands.send(Command::Answer { id, body }).await;
    }

    /// Lets go of a request that will not be answered.
    pub async fn forget(&self, id: InboundRequestId) {
        let _ = self.commands.send(Command::Forget { id }).await;
    }

    /// Closes the listener and every connection.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.commands.send(Command::Stop { done }).await.is_ok() {
            let _ = stopped.await;
        }
    }
}

/// The gate comes first and the limits second: whoever they refuse gets no handler of the others.
#[derive(NetworkBehaviour)]
struct Behaviour {
    gate: Gate,
    limits: connection_limits::Behaviour,
    link: LinkBehaviour,
    calls: request_response::Behaviour<Calls>,
}

fn behaviour(
    config: &MeshConfig,
    own: PeerId,
    roster: &Roster,
    links: Links,
    received: mpsc::Sender<Frame>,
    metrics: &NetworkMetrics,
) -> Behaviour {
    let limits = &config.limits;
    let connections = ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.connections))
        .with_max_established(Some(limits.connections))
        // Two peers that dial each other at once keep both connections, and a restarted peer
        // comes back before its old connection is known to be dead.
        .with_max_established_per_peer(Some(6));
    let codec = Calls { request_bytes: limits.request_bytes, response_bytes: limits.response_bytes };
    let protocol = (StreamProtocol::new(config.purpose.calls()), ProtocolSupport::Full);
    let calls = request_response::Config::default()
        .with_request_timeout(limits.request_timeout)
        .with_max_concurrent_streams(limits.requests_in_flight.saturating_mul(2));
    Behaviour {
        gate: Gate::new(roster.clone(), own, limits.connections_per_ip, metrics.clone()),
        limits: connection_limits::Behaviour::new(connections),
        link: LinkBehaviour::new(links, config.purpose.frames(), limits.clone(), received, metrics.clone()),
        calls: request_response::Behaviour::with_codec(codec, [protocol], calls),
    }
}

async fn listen(swarm: &mut Swarm<Behaviour>, address: &Multiaddr) -> Result<Multiaddr, NetworkError> {
    let refused = |reason: String| NetworkError::Listen { address: address.clone(), reason };
    swarm.listen_on(address.clone()).map_err(|error| refused(error.to_string()))?;
    let standing = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => return Ok(address),
                SwarmEvent::ListenerError { error, .. } => return Err(refused(error.to_string())),
                SwarmEvent::ListenerClosed { .. } => return Err(refused("listener closed".to_owned())),
                _ => {}
            }
        }
    };
    timeout(STOOD, standing).await.map_err(|_| refused("no answer from the system".to_owned()))?
}

/// A peer this node dials.
struct Dialled {
    address: Multiaddr,
    wait: Duration,
    next: Option<Instant>,
    since: Option<Instant>,
}

impl Dialled {
    fn new(address: Multiaddr) -> Self {
        Self { address, wait: REDIAL_MIN, next: Some(Instant::now()), since: None }
    }

    fn stands(&mut self) {
        self.next = None;
        self.since = Some(Instant::now());
    }

    fn again(&mut self) {
        let stood = self.since.take().is_some_and(|since| since.elapsed() >= STOOD);
        self.wait = if stood { REDIAL_MIN } else { (self.wait * 2).min(REDIAL_MAX) };
        self.next = Some(Instant::now() + self.wait);
    }
}

/// Events waiting for their receiver before the swarm is left alone.
const OUTBOX: usize = 256;

enum Asked {
    /// The answer becomes an event.
    Event,
    /// Someone waits for the answer.
    Waiting(oneshot::Sender<Result<Bytes, CallFailure>>),
}

struct Task {
    swarm: Swarm<Behaviour>,
    dialled: HashMap<PeerId, Dialled>,
    roster: Roster,
    orders: mpsc::Receiver<Command>,
    events: mpsc::Sender<MeshEvent>,
    outbox: VecDeque<MeshEvent>,
    open: HashMap<InboundRequestId, ResponseChannel<Bytes>>,
    asked: HashMap<OutboundRequestId, Asked>,
    metrics: NetworkMetrics,
}

impl Task {
    async fn run(mut self) {
        let mut roster = self.roster.changes();
        let events = self.events.clone();
        loop {
            let next = self.dialled.values().filter_map(|peer| peer.next).min();
            let due = next.unwrap_or_else(|| Instant::now() + REDIAL_MAX);
            tokio::select! {
                // Orders are taken even while the receiver of events is slow: it may be waiting
                // for room among the orders.
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX => self.on_swarm(event),
                room = events.reserve(), if !self.outbox.is_empty() => match (room, self.outbox.pop_front()) {
                    (Ok(room), Some(event)) => room.send(event),
                    _ => return,
                },
                order = self.orders.recv() => match order {
                    Some(Command::Stop { done }) => {
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    Some(order) => self.on_order(order),
                    None => return,
                },
                changed = roster.changed() => if changed.is_ok() { self.drop_unlisted() },
                () = sleep_until(due) => self.dial(),
            }
        }
    }

    fn dial(&mut self) {
        let now = Instant::now();
        for (peer, dialled) in &mut self.dialled {
            if dialled.next.is_none_or(|next| next > now) {
                continue;
            }
            dialled.again();
            if !self.roster.allows(peer) || self.swarm.is_connected(peer) {
                continue;
            }
            let options = DialOpts::peer_id(*peer)
                .addresses(vec![dialled.address.clone()])
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .build();
            if let Err(error) = self.swarm.dial(options) {
                debug!(%peer, "not dialled: {error}");
            }
        }
    }

    fn drop_unlisted(&mut self) {
        let unlisted: Vec<PeerId> =
            self.swarm.connected_peers().filter(|peer| !self.roster.allows(peer)).copied().collect();
        for peer in unlisted {
            info!(%peer, "peer left the roster: disconnected");
            self.metrics.refused.inc();
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn on_order(&mut self, order: Command) {
        let calls = &mut self.swarm.behaviour_mut().calls;
        match order {
            Command::Request { to, body, id } => {
                let given = calls.send_request(&to, body);
                self.asked.insert(given, Asked::Event);
                let _ = id.send(given);
            }
            Command::Ask { to, body, answer } => {
                let given = calls.send_request(&to, body);
                self.asked.insert(given, Asked::Waiting(answer));
            }
            Command::Answer { id, body } => {
                if let Some(channel) = self.open.remove(&id) {
                    // Where the connection closed in the meantime, a failure event follows.
                    let _ = calls.send_response(channel, body);
                }
            }
            Command::Forget { id } => {
                self.open.remove(&id);
            }
            Command::Stop { .. } => {}
        }
    }

    fn emit(&mut self, event: MeshEvent) {
        self.outbox.push_back(event);
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
                if let Some(dialled) = self.dialled.get_mut(&peer_id) {
                    dialled.stands();
                }
                if num_established.get() == 1 {
                    self.metrics.peers.inc();
                    info!(peer = %peer_id, "peer connected");
                    self.emit(MeshEvent::Connected(peer_id));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                if let Some(dialled) = self.dialled.get_mut(&peer_id) {
                    dialled.again();
                }
                self.metrics.peers.dec();
                info!(peer = %peer_id, cause = cause.map(tracing::field::display), "peer disconnected");
                self.emit(MeshEvent::Disconnected(peer_id));
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                self.metrics.failed.inc();
                debug!(peer = peer_id.map(tracing::field::display), "dialling failed: {error}");
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                self.metrics.failed.inc();
                debug!(address = %send_back_addr, "inbound connection failed: {error}");
            }
            SwarmEvent::Behaviour(BehaviourEvent::Calls(event)) => self.on_call(event),
            _ => {}
        }
    }

    fn on_call(&mut self, event: request_response::Event<Bytes, Bytes>) {
        match event {
            request_response::Event::Message {
                peer: from,
                message: Message::Request { request_id: id, request: body, channel },
                ..
            } => {
                self.open.insert(id, channel);
                self.emit(MeshEvent::Request { from, id, body });
            }
            request_response::Event::Message {
                peer: from,
                message: Message::Response { request_id: id, response: body },
                ..
            } => match self.asked.remove(&id) {
                Some(Asked::Waiting(answer)) => drop(answer.send(Ok(body))),
                Some(Asked::Event) => self.emit(MeshEvent::Answer { from, id, body }),
                None => {}
            },
            request_response::Event::OutboundFailure { peer: from, request_id: id, error, .. } => {
                let failure = failure_of(&error);
                match self.asked.remove(&id) {
                    Some(Asked::Waiting(answer)) => drop(answer.send(Err(failure))),
                    Some(Asked::Event) => self.emit(MeshEvent::NoAnswer { from, id, failure }),
                    None => {}
                }
            }
            request_response::Event::InboundFailure { peer: from, request_id: id, .. } => {
                self.open.remove(&id);
                self.emit(MeshEvent::RequestGone { from, id });
            }
            request_response::Event::ResponseSent { .. } => {}
        }
    }
}

fn failure_of(error: &OutboundFailure) -> CallFailure {
    match error {
        OutboundFailure::DialFailure => CallFailure::NotConnected,
        OutboundFailure::ConnectionClosed => CallFailure::Closed,
        OutboundFailure::Timeout => CallFailure::Timeout,
        OutboundFailure::UnsupportedProtocols => CallFailure::Unsupported,
        OutboundFailure::Io(_) => CallFailure::Broken,
    }
}

/// Ends a task with its owner.
#[derive(Debug)]
pub(crate) struct AbortOnDrop(pub(crate) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
