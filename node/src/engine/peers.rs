//! The engine's network: our own actor on our own mesh.
//!
//! The engine's default network gossips, and looks at its allow-list only after a peer has joined.
//! Here every message goes straight to every connected peer, whom the gate has let in by its key.
//! Whatever names a signer must come from a peer of that signer's member; parts must be for one of
//! the two heights in progress. Senders are paced by the mesh; parts in flight inside the engine
//! are bounded, because its own mailboxes are not.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fengni_core::{CommitCertificate, Height, MemberNumber};
use malachite::app::consensus::LivenessMsg;
use malachite::app::streaming::StreamMessage;
use malachite::app::types::SignedConsensusMsg;
use malachite_engine::network::{Msg, NetworkEvent, NetworkRef, PersistentPeerError, Subscriber};
use malachite_network::Channel;
use malachite_sync as sync;
use malachite_sync::{InboundRequestId, OutboundFailureReason, OutboundRequestId};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{Semaphore, watch};
use tracing::{debug, warn};

use super::codec::{self, Wire};
use super::context::{Context, EngineHeight};
use super::health::{HealthState, Span};
use super::parts::{Part, StreamName};
use crate::network::{CallFailure, Frame, Mesh, MeshEvent, MeshFeeds, PeerId, Roster};

/// How long a status for validators rests: those who decide the same block a moment later need
/// not ask for it.
const STATUS_REST: Duration = Duration::from_millis(250);
/// Rests after which the last status is repeated to everyone, lest a lost one leave a peer behind.
const STATUS_AGAIN: u32 = 20;
/// Parts inside the engine at one time.
pub(crate) const PARTS_IN_FLIGHT: usize = 256;

/// What a frame carries: its first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    Message = 1,
    Liveness = 2,
    Part = 3,
    Status = 4,
}

/// Final blocks with their certificates, one after another.
pub(crate) type Blocks = Vec<(Bytes, CommitCertificate)>;
type EnginePeer = sync::PeerId;
type Listener = Box<dyn Subscriber<NetworkEvent<Context>>>;

/// What the actor and its tasks share.
pub(crate) struct Peers {
    mesh: Mesh,
    roster: Roster,
    health: Arc<HealthState>,
    /// The newest version of the protocol that this node speaks.
    speaks: u16,
    /// The highest height somebody else has begun or made final.
    ahead: watch::Sender<Height>,
    /// Taken for each part handed to the engine, given back when the driver sees it.
    pub(crate) part_room: Arc<Semaphore>,
    inner: Mutex<Inner>,
    status: watch::Sender<(u64, Bytes)>,
}

#[derive(Default)]
struct Inner {
    listeners: Vec<Listener>,
    connected: BTreeSet<PeerId>,
    requests: HashMap<InboundRequestId, crate::network::InboundRequestId>,
    validators: BTreeSet<MemberNumber>,
}

impl Peers {
    /// Starts the actor and the tasks that feed it; the actor stops when the mesh does.
    pub(crate) async fn start(
        (mesh, feeds): (Mesh, MeshFeeds),
        roster: Roster,
        health: Arc<HealthState>,
        speaks: u16,
    ) -> Result<(Arc<Self>, NetworkRef<Context>), ractor::SpawnErr> {
        let peers = Arc::new(Self {
            mesh,
            roster,
            health,
            speaks,
            ahead: watch::Sender::new(Height(0)),
            part_room: Arc::new(Semaphore::new(PARTS_IN_FLIGHT)),
            inner: Mutex::default(),
            status: watch::Sender::new((0, Bytes::new())),
        });
        let (actor, _) = Actor::spawn(None, PeerActor(Arc::clone(&peers)), ()).await?;
        let MeshFeeds { mut frames, mut events } = feeds;
        tokio::spawn({
            let (peers, actor) = (Arc::clone(&peers), actor.clone());
            async move {
                let _stop = StopOnDrop(actor);
                while let Some(frame) = frames.recv().await {
                    peers.on_frame(frame).await;
                }
            }
        });
        tokio::spawn({
            let (peers, actor) = (Arc::clone(&peers), actor.clone());
            async move {
                let _stop = StopOnDrop(actor);
                while let Some(event) = events.recv().await {
                    peers.on_event(event);
                }
            }
        });
        tokio::spawn({
            let (peers, actor) = (Arc::downgrade(&peers), actor.clone());
            async move {
                let _stop = StopOnDrop(actor);
                tell_status(&peers).await;
            }
        });
        Ok((peers, actor))
    }

    /// The highest height somebody else has begun or made final.
    pub(crate) fn ahead(&self) -> watch::Receiver<Height> {
        self.ahead.subscribe()
    }

    /// Asks a peer for final blocks with their certificates, from a height on, at most so many.
    ///
    /// # Errors
    /// Why there is no answer that can be used.
    pub(crate) async fn fetch(&self, peer: PeerId, first: Height, count: usize) -> Result<Blocks, String> {
        let count_more = u64::try_from(count.saturating_sub(1)).unwrap_or(u64::MAX);
        let last = Height(first.0.saturating_add(count_more));
        let request =
            sync::Request::ValueRequest(sync::ValueRequest::<Context>::new(EngineHeight(first)..=EngineHeight(last)));
        let request = codec::encode(&request).map_err(|error| error.to_string())?;
        let answer = self.mesh.ask(peer, request).await.map_err(|error| error.to_string())?;
        let sync::Response::ValueResponse(answer) =
            codec::decode::<sync::Response<Context>>(answer).map_err(|error| error.to_string())?;
        if answer.start_height.0 != first || answer.values.len() > count {
            return Err("the answer is to another question".to_owned());
        }
        let block = |value: sync::RawDecidedValue<Context>| {
            let certificate = codec::certificate(&value.certificate.trim_vote_extensions());
            certificate.map(|certificate| (value.value_bytes, certificate)).map_err(|error| error.to_string())
        };
        answer.values.into_iter().map(block).collect()
    }

    /// The member a peer of the engine's belongs to.
    pub(crate) fn member(&self, peer: &EnginePeer) -> Option<(PeerId, MemberNumber)> {
        let peer = mesh_peer(peer)?;
        Some((peer, self.roster.member(&peer)?))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_connected(&self, inner: &Inner) {
        let members = inner.connected.iter().filter_map(|peer| self.roster.member(peer));
        self.health.connected(inner.connected.len(), members.collect());
    }

    fn emit(&self, event: &NetworkEvent<Context>) {
        for listener in &self.inner().listeners {
            listener.send(event.clone());
        }
    }

    fn wake(&self, height: Height) {
        self.ahead.send_if_modified(|ahead| {
            let higher = height > *ahead;
            *ahead = height.max(*ahead);
            higher
        });
    }

    /// A message of a height in progress shows that its sender has begun it.
    fn begun(&self, height: Height) {
        if height.0 <= self.health.last_final().0.saturating_add(2) {
            self.wake(height);
        }
    }

    async fn on_frame(&self, frame: Frame) {
        let from = frame.from;
        let Some(member) = self.roster.member(&from) else { return };
        let event = match self.read(frame, member) {
            Ok(Some(event)) => event,
            Ok(None) => return,
            Err(error) => {
                self.health.metrics.refused_messages.inc();
                debug!(peer = %from, %member, "refused message: {error}");
                return;
            }
        };
        if matches!(event, NetworkEvent::ProposalPart(..)) {
            match self.part_room.acquire().await {
                Ok(room) => room.forget(),
                Err(_) => return,
            }
        }
        self.emit(&event);
    }

    /// Decodes a frame and holds it against its sender; `None` is a message that came too late.
    fn read(&self, mut frame: Frame, member: MemberNumber) -> Result<Option<NetworkEvent<Context>>, Refused> {
        let from = frame.from;
        let peer = engine_peer(&from).ok_or(Refused::Peer)?;
        if frame.bytes.is_empty() {
            return Err(Refused::Kind(0));
        }
        let kind = frame.bytes.split_to(1)[0];
        let bytes = frame.bytes;
        let own = |signer: MemberNumber| if signer == member { Ok(()) } else { Err(Refused::Signer(signer)) };
        Ok(Some(match kind {
            1 => match codec::decode::<SignedConsensusMsg<Context>>(bytes)? {
                SignedConsensusMsg::Vote(vote) => {
                    own(vote.message.address.0)?;
                    self.begun(vote.message.height.0);
                    NetworkEvent::Vote(peer, vote)
                }
                SignedConsensusMsg::Proposal(proposal) => {
                    own(proposal.message.address.0)?;
                    self.begun(proposal.message.height.0);
                    NetworkEvent::Proposal(peer, proposal)
                }
            },
            2 => match codec::decode::<LivenessMsg<Context>>(bytes)? {
                LivenessMsg::Vote(vote) => {
                    own(vote.message.address.0)?;
                    self.begun(vote.message.height.0);
                    NetworkEvent::Vote(peer, vote)
                }
                LivenessMsg::PolkaCertificate(certificate) => {
                    self.begun(certificate.height.0);
                    NetworkEvent::PolkaCertificate(peer, certificate)
                }
                LivenessMsg::SkipRoundCertificate(certificate) => {
                    self.begun(certificate.height.0);
                    NetworkEvent::RoundCertificate(peer, certificate)
                }
            },
            3 => {
                let part = codec::decode::<StreamMessage<Part>>(bytes)?;
                let height = StreamName::of(&part.stream_id).ok_or(Refused::Kind(kind))?.height;
                let last_final = self.health.last_final().0;
                if height.0 <= last_final || height.0 > last_final.saturating_add(2) {
                    return Ok(None);
                }
                self.begun(height);
                NetworkEvent::ProposalPart(peer, Some(peer), part)
            }
            4 => {
                let (version, bytes) = split_version(bytes).ok_or(Refused::Kind(kind))?;
                let status = codec::decode::<sync::Status<Context>>(bytes)?;
                if status.peer_id != peer {
                    return Err(Refused::Peer);
                }
                self.health.speaks(from, version);
                let span = Span { first: status.history_min_height.0, last: status.tip_height.0 };
                self.wake(self.health.tip(from, span));
                let status = malachite_engine::network::Status::new(status.tip_height, status.history_min_height);
                NetworkEvent::Status(peer, status)
            }
            other => return Err(Refused::Kind(other)),
        }))
    }

    fn on_event(&self, event: MeshEvent) {
        match event {
            MeshEvent::Connected(mesh_peer) => {
                let Some(peer) = engine_peer(&mesh_peer) else { return };
                let mut inner = self.inner();
                inner.connected.insert(mesh_peer);
                self.tell_connected(&inner);
                for listener in &inner.listeners {
                    greet(listener, peer);
                }
            }
            MeshEvent::Disconnected(mesh_peer) => {
                let Some(peer) = engine_peer(&mesh_peer) else { return };
                let mut inner = self.inner();
                inner.connected.remove(&mesh_peer);
                self.tell_connected(&inner);
                self.health.gone(&mesh_peer);
                for listener in &inner.listeners {
                    listener.send(NetworkEvent::PeerDisconnected(peer));
                }
            }
            MeshEvent::Request { from, id, body } => {
                let Some(peer) = engine_peer(&from) else { return };
                match codec::decode::<sync::Request<Context>>(body) {
                    Ok(request) => {
                        let given = InboundRequestId::new(id);
                        self.inner().requests.insert(given.clone(), id);
                        self.emit(&NetworkEvent::SyncRequest(given, peer, request));
                    }
                    Err(error) => {
                        self.health.metrics.refused_messages.inc();
                        debug!(peer = %from, "refused request: {error}");
                        let mesh = self.mesh.clone();
                        tokio::spawn(async move { mesh.forget(id).await });
                    }
                }
            }
            MeshEvent::RequestGone { from, id } => {
                let Some(peer) = engine_peer(&from) else { return };
                let given = InboundRequestId::new(id);
                self.inner().requests.remove(&given);
                self.emit(&NetworkEvent::SyncInboundRequestFailed(given, peer));
            }
            MeshEvent::Answer { from, id, body } => {
                let Some(peer) = engine_peer(&from) else { return };
                // A malformed answer counts against the peer: the engine asks another.
                let answer = codec::decode::<sync::Response<Context>>(body)
                    .inspect_err(|error| {
                        self.health.metrics.refused_messages.inc();
                        debug!(peer = %from, "refused answer: {error}");
                    })
                    .ok();
                self.emit(&NetworkEvent::SyncResponse(OutboundRequestId::new(id), peer, answer));
            }
            MeshEvent::NoAnswer { from, id, failure } => {
                let Some(peer) = engine_peer(&from) else { return };
                let reason = match failure {
                    CallFailure::NotConnected => OutboundFailureReason::DialFailure,
                    CallFailure::Closed => OutboundFailureReason::ConnectionClosed,
                    CallFailure::Timeout => OutboundFailureReason::Timeout,
                    CallFailure::Unsupported => OutboundFailureReason::UnsupportedProtocols,
                    CallFailure::Broken => OutboundFailureReason::Io,
                };
                self.emit(&NetworkEvent::SyncRequestFailed(OutboundRequestId::new(id), peer, reason));
            }
        }
    }

    fn publish<T: Wire>(&self, kind: Kind, message: &T) {
        match codec::encode(message) {
            Ok(bytes) => drop(self.mesh.broadcast(&frame(kind, &bytes))),
            Err(error) => warn!("a message of our own has no wire form: {error}"),
        }
    }

    fn is_validator(&self, peer: &PeerId) -> bool {
        self.roster.member(peer).is_some_and(|member| self.inner().validators.contains(&member))
    }

    async fn handle(&self, message: Msg<Context>) {
        match message {
            Msg::Subscribe(listener) => {
                let mut inner = self.inner();
                let address = self.mesh.listening().cloned().unwrap_or_else(crate::network::Multiaddr::empty);
                // The engine starts when it hears of a listener, also on a node that only dials.
                listener.send(NetworkEvent::Listening(address));
                for peer in inner.connected.iter().filter_map(engine_peer) {
                    greet(&listener, peer);
                }
                inner.listeners.push(listener);
            }
            Msg::PublishConsensusMsg(message) => self.publish(Kind::Message, &message),
            Msg::PublishLivenessMsg(message) => self.publish(Kind::Liveness, &message),
            Msg::PublishProposalPart(part) => self.publish(Kind::Part, &part),
            Msg::BroadcastStatus(status) => self.on_own_status(&status),
            Msg::OutgoingRequest(peer, request, reply) => {
                let Some(to) = mesh_peer(&peer) else { return };
                match codec::encode(&request) {
                    Ok(body) => {
                        if let Some(id) = self.mesh.request(to, body).await {
                            let _ = reply.send(OutboundRequestId::new(id));
                        }
                    }
                    Err(error) => warn!("a request of our own has no wire form: {error}"),
                }
            }
            Msg::OutgoingResponse(given, response) => {
                let Some(id) = self.inner().requests.remove(&given) else { return };
                match codec::encode(&response) {
                    Ok(body) => self.mesh.answer(id, body).await,
                    Err(error) => {
                        warn!("an answer of our own has no wire form: {error}");
                        self.mesh.forget(id).await;
                    }
                }
            }
            Msg::CancelInboundRequest(given) => {
                let id = self.inner().requests.remove(&given);
                if let Some(id) = id {
                    self.mesh.forget(id).await;
                }
            }
            Msg::UpdateValidatorSet(set) => self.inner().validators = set.members().collect(),
            Msg::DumpState(reply) => drop(reply.send(None)),
            Msg::UpdatePersistentPeers(_, reply) => {
                let refused = PersistentPeerError::InternalError("peers come from the roster".to_owned());
                let _ = reply.send(Err(refused));
            }
            // The answer to a cancelled request is dropped by the engine. Peers prove themselves
            // by the roster. Events of the default network do not exist here.
            Msg::CancelRequest(_) | Msg::ValidatorProofVerified { .. } | Msg::NewEvent(_) => {}
        }
    }

    fn on_own_status(&self, status: &malachite_engine::network::Status<Context>) {
        let Some(peer_id) = engine_peer(&self.mesh.own()) else { return };
        let (tip_height, history_min_height) = (status.tip_height, status.history_min_height);
        let Ok(bytes) = codec::encode(&sync::Status::<Context> { peer_id, tip_height, history_min_height }) else {
            return;
        };
        let frame = frame(Kind::Status, &with_version(self.speaks, &bytes));
        // Observers learn of a final block at once: they have no other way.
        for peer in self.mesh.peers().iter().filter(|peer| !self.is_validator(peer)) {
            let _ = self.mesh.send(peer, frame.clone());
        }
        self.status.send_modify(|(count, last)| {
            *count = count.wrapping_add(1);
            *last = frame;
        });
    }
}

/// Tells validators a status once it has rested, and everyone the last one from time to time.
async fn tell_status(peers: &std::sync::Weak<Peers>) {
    let mut clock = tokio::time::interval(STATUS_REST);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut told, mut rested, mut quiet) = (0, (0, Bytes::new()), 0);
    loop {
        clock.tick().await;
        let Some(peers) = peers.upgrade() else { return };
        quiet += 1;
        let again = quiet >= STATUS_AGAIN;
        let (count, frame) = &rested;
        if *count != told || (again && !frame.is_empty()) {
            for peer in peers.mesh.peers() {
                if again || peers.is_validator(&peer) {
                    let _ = peers.mesh.send(&peer, frame.clone());
                }
            }
            told = *count;
            quiet = 0;
        }
        rested = peers.status.borrow().clone();
    }
}

fn greet(listener: &Listener, peer: EnginePeer) {
    listener.send(NetworkEvent::PeerConnected(peer));
    // Makes the engine tell its status.
    listener.send(NetworkEvent::PeerSubscribed(peer, Channel::Sync));
}

fn frame(kind: Kind, bytes: &Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(bytes.len() + 1);
    frame.extend_from_slice(&[kind as u8]);
    frame.extend_from_slice(bytes);
    frame.freeze()
}

/// A status goes behind the newest version of the protocol that its sender speaks.
fn with_version(speaks: u16, status: &Bytes) -> Bytes {
    Bytes::from([&speaks.to_le_bytes()[..], status].concat())
}

fn split_version(bytes: Bytes) -> Option<(u16, Bytes)> {
    let version = u16::from_le_bytes(*bytes.first_chunk()?);
    Some((version, bytes.slice(2..)))
}

/// Why a frame was refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("no kind of message is {0}")]
    Kind(u8),
    #[error("it names a peer that did not send it")]
    Peer,
    #[error("it names member {0} as its signer")]
    Signer(MemberNumber),
    #[error(transparent)]
    Wire(#[from] codec::WireError),
}

fn engine_peer(peer: &PeerId) -> Option<EnginePeer> {
    EnginePeer::from_bytes(&peer.to_bytes()).ok()
}

fn mesh_peer(peer: &EnginePeer) -> Option<PeerId> {
    PeerId::from_bytes(&peer.to_bytes()).ok()
}

/// The actor the engine talks to.
struct PeerActor(Arc<Peers>);

#[async_trait]
impl Actor for PeerActor {
    type Msg = Msg<Context>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Self::Msg>, message: Self::Msg, (): &mut ()) -> Result<(), ActorProcessingErr> {
        self.0.handle(message).await;
        Ok(())
    }
}

/// Stops the actor when the task that feeds it ends, however it ends: a network that is gone must
/// not look like a quiet one.
struct StopOnDrop(NetworkRef<Context>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop(Some("the network ended".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::encode;
    use super::super::context::{Address, EngineHeight, EngineValue, NilOrVal, Proposal, Round, Vote, VoteType};
    use super::super::health::EngineMetrics;
    use super::super::parts::{Init, stream};
    use super::super::signing::tests::{domain, key};
    use super::*;
    use crate::network::{Limits, MeshConfig, NetworkMetrics, Purpose, peer_id};
    use fengni_core::{BlockId, Digest};
    use malachite::app::types::core::SignedMessage;

    const OWN: MemberNumber = MemberNumber(2);
    const OTHER: MemberNumber = MemberNumber(3);

    fn peer(seed: u8) -> PeerId {
        peer_id(&key(seed).public()).expect("an ed25519 key")
    }

    /// A node whose last final height is 10, with a peer of member 2 on its roster.
    async fn peers() -> Arc<Peers> {
        let config = MeshConfig {
            key: key(1),
            domain: domain(),
            purpose: Purpose::Consensus,
            shared_key: None,
            listen: None,
            peers: Vec::new(),
            limits: Limits::default(),
        };
        let roster = Roster::new([(peer(2), OWN)]);
        let (mesh, feeds) =
            Mesh::start(config, roster.clone(), NetworkMetrics::default()).await.expect("a mesh without a listener");
        let health = HealthState::new(Height(10), Duration::from_secs(3600), EngineMetrics::default());
        Peers::start((mesh, feeds), roster, Arc::new(health), 1).await.expect("an actor").0
    }

    fn vote(member: MemberNumber, height: u64) -> SignedConsensusMsg<Context> {
        let (height, address) = (EngineHeight(Height(height)), Address::of(member));
        let vote = Vote { step: VoteType::Prevote, height, round: Round::new(0), value: NilOrVal::Nil, address };
        SignedConsensusMsg::Vote(SignedMessage::new(vote, key(1).sign(b"anything")))
    }

    fn read(peers: &Peers, kind: Kind, bytes: &Bytes) -> Result<Option<NetworkEvent<Context>>, Refused> {
        peers.read(Frame { from: peer(2), bytes: frame(kind, bytes) }, OWN)
    }

    #[tokio::test]
    async fn whoever_names_another_signer_or_sender_is_refused() {
        let peers = peers().await;
        let own = encode(&vote(OWN, 11)).expect("a form");
        assert!(matches!(read(&peers, Kind::Message, &own), Ok(Some(NetworkEvent::Vote(..)))));
        let foreign = encode(&vote(OTHER, 11)).expect("a form");
        assert!(matches!(read(&peers, Kind::Message, &foreign), Err(Refused::Signer(OTHER))));
        let SignedConsensusMsg::Vote(again) = vote(OTHER, 11) else { panic!("a vote") };
        let again = encode(&LivenessMsg::Vote(again)).expect("a form");
        assert!(matches!(read(&peers, Kind::Liveness, &again), Err(Refused::Signer(OTHER))));
        let proposal = Proposal {
            height: EngineHeight(Height(11)),
            round: Round::new(0),
            value: EngineValue(BlockId(Digest([1; 32]))),
            valid_round: Round::Nil,
            address: Address::of(OTHER),
        };
        let proposal: SignedConsensusMsg<Context> =
            SignedConsensusMsg::Proposal(SignedMessage::new(proposal, key(1).sign(b"anything")));
        let proposal = encode(&proposal).expect("a form");
        assert!(matches!(read(&peers, Kind::Message, &proposal), Err(Refused::Signer(OTHER))));
        let status = |seed| {
            let peer_id = engine_peer(&peer(seed)).expect("a peer id");
            let (tip_height, history_min_height) = (EngineHeight(Height(10)), EngineHeight(Height(1)));
            let status = encode(&sync::Status::<Context> { peer_id, tip_height, history_min_height });
            with_version(7, &status.expect("a form"))
        };
        assert!(matches!(read(&peers, Kind::Status, &status(2)), Ok(Some(NetworkEvent::Status(..)))));
        assert_eq!(peers.health.versions(), [(peer(2), 7)]);
        assert!(matches!(read(&peers, Kind::Status, &status(3)), Err(Refused::Peer)));
        // Right bytes of the wrong kind, an unknown kind, and nothing at all.
        assert!(matches!(read(&peers, Kind::Part, &own), Err(Refused::Wire(_))));
        for bytes in [Bytes::new(), Bytes::from_static(&[9, 1, 2]), Bytes::from_static(&[0])] {
            assert!(peers.read(Frame { from: peer(2), bytes }, OWN).is_err());
        }
    }

    #[tokio::test]
    async fn messages_of_the_next_height_wake_and_distant_ones_do_not() {
        let peers = peers().await;
        let ahead = || *peers.ahead().borrow();
        let far = encode(&vote(OWN, 1000)).expect("a form");
        read(&peers, Kind::Message, &far).expect("the engine queues or drops it");
        assert_eq!(ahead(), Height(0));
        read(&peers, Kind::Message, &encode(&vote(OWN, 11)).expect("a form")).expect("read");
        assert_eq!(ahead(), Height(11));
        let body = Bytes::from_static(b"body");
        let part = |height| {
            let init = Init { height: Height(height), round: 0, valid_round: None, proposer: OWN, length: 4 };
            encode(&stream(init, 1, &body).swap_remove(0)).expect("a form")
        };
        assert!(matches!(read(&peers, Kind::Part, &part(10)), Ok(None)), "final already");
        assert!(matches!(read(&peers, Kind::Part, &part(13)), Ok(None)), "too far");
        assert_eq!(ahead(), Height(11));
        assert!(matches!(read(&peers, Kind::Part, &part(12)), Ok(Some(NetworkEvent::ProposalPart(..)))));
        assert_eq!(ahead(), Height(12));
    }

    #[tokio::test]
    async fn an_unlisted_sender_reaches_nothing() {
        let peers = peers().await;
        let bytes = frame(Kind::Message, &encode(&vote(OWN, 11)).expect("a form"));
        peers.on_frame(Frame { from: peer(9), bytes }).await;
        assert_eq!(*peers.ahead().borrow(), Height(0));
    }
}
