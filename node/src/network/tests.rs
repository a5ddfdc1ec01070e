//! The closed network, in one process on loopback.

use std::time::Duration;

use bytes::Bytes;
use fengni_core::{Digest, Domain, KeyAlgorithm, MemberNumber, NetworkId, SecretKey, Suite};
use tokio::time::timeout;

use super::*;

/// Far above what anything here takes: reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

fn domain(network: u8) -> Domain {
    Domain { suite: Suite::Standard, network: NetworkId(Digest([network; 32])) }
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[seed; 32]).expect("any seed is an ed25519 key")
}

fn peer(seed: u8) -> PeerId {
    peer_id(&key(seed).public()).expect("an ed25519 key")
}

fn roster(seeds: &[u8]) -> Roster {
    Roster::new(seeds.iter().map(|seed| (peer(*seed), MemberNumber(u32::from(*seed)))))
}

fn config(seed: u8, dials: &[(u8, &Mesh)]) -> MeshConfig {
    let peers = dials
        .iter()
        .map(|(seed, mesh)| PeerAddress { peer: peer(*seed), address: mesh.listening().expect("a listener").clone() });
    MeshConfig {
        key: key(seed),
        domain: domain(1),
        purpose: Purpose::Consensus,
        shared_key: None,
        listen: Some("/ip4/127.0.0.1/tcp/0".parse().expect("an address")),
        peers: peers.collect(),
        limits: Limits { frame_bytes: 1024, ..Limits::default() },
    }
}

struct Node {
    mesh: Mesh,
    feeds: MeshFeeds,
    metrics: NetworkMetrics,
}

async fn start(config: MeshConfig, roster: Roster) -> Node {
    let metrics = NetworkMetrics::default();
    let (mesh, feeds) = Mesh::start(config, roster, metrics.clone()).await.expect("a mesh");
    Node { mesh, feeds, metrics }
}

impl Node {
    async fn event(&mut self) -> MeshEvent {
        timeout(PATIENCE, self.feeds.events.recv()).await.expect("an event in time").expect("a running mesh")
    }

    async fn frame(&mut self) -> Frame {
        timeout(PATIENCE, self.feeds.frames.recv()).await.expect("a frame in time").expect("a running mesh")
    }

    async fn connected_to(&mut self, seed: u8) {
        loop {
            if let MeshEvent::Connected(found) = self.event().await {
                assert_eq!(found, peer(seed));
                return;
            }
        }
    }

    /// Waits for a counter; the mesh counts on its own.
    async fn counted(&self, what: impl Fn(&NetworkMetrics) -> u64) {
        let reached = async {
            while what(&self.metrics) == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached).await.expect("counted in time");
    }
}

#[tokio::test]
async fn listed_peers_connect_and_frames_keep_their_order() {
    let mut a = start(config(1, &[]), roster(&[1, 2])).await;
    let mut b = start(config(2, &[(1, &a.mesh)]), roster(&[1, 2])).await;
    a.connected_to(2).await;
    b.connected_to(1).await;
    for number in 0..50u8 {
        a.mesh.send(&peer(2), Bytes::from(vec![number; 100])).expect("room");
    }
    for number in 0..50u8 {
        let frame = b.frame().await;
        assert_eq!((frame.from, frame.bytes), (peer(1), Bytes::from(vec![number; 100])));
    }
    assert_eq!(b.mesh.broadcast(&Bytes::from_static(b"back")), 1);
    assert_eq!(a.frame().await.bytes, Bytes::from_static(b"back"));
    // Calls: an answer as an event, an answer waited for, and a request let go.
    let id = a.mesh.request(peer(2), Bytes::from_static(b"question")).await.expect("a running mesh");
    let MeshEvent::Request { from, id: asked, body } = b.event().await else { panic!("a request") };
    assert_eq!((from, body), (peer(1), Bytes::from_static(b"question")));
    b.mesh.answer(asked, Bytes::from_static(b"answer")).await;
    let MeshEvent::Answer { id: answered, body, .. } = a.event().await else { panic!("an answer") };
    assert_eq!((answered, body), (id, Bytes::from_static(b"answer")));
    let asking = tokio::spawn({
        let mesh = a.mesh.clone();
        async move { mesh.ask(peer(2), Bytes::from_static(b"again")).await }
    });
    let MeshEvent::Request { id: asked, .. } = b.event().await else { panic!("a request") };
    b.mesh.forget(asked).await;
    assert!(timeout(PATIENCE, asking).await.expect("in time").expect("no panic").is_err());
}

#[tokio::test]
async fn an_unlisted_peer_gets_no_message() {
    let a = start(config(1, &[]), roster(&[1, 2])).await;
    // The stranger lists everyone and dials; it even knows the network.
    let mut stranger = start(config(3, &[(1, &a.mesh)]), roster(&[1, 2, 3])).await;
    a.counted(|metrics| metrics.refused.get()).await;
    assert!(a.mesh.peers().is_empty());
    assert_eq!(a.mesh.broadcast(&Bytes::from_static(b"secret")), 0);
    assert_eq!(a.mesh.send(&peer(3), Bytes::from_static(b"secret")), Err(SendError::NotConnected));
    // Neither does a listed node that dials an address where a stranger answers.
    let mut c = config(2, &[]);
    c.peers = vec![PeerAddress { peer: peer(1), address: stranger.mesh.listening().expect("a listener").clone() }];
    let c = start(c, roster(&[1, 2])).await;
    c.counted(|metrics| metrics.failed.get()).await;
    assert!(c.mesh.peers().is_empty());
    assert!(stranger.feeds.frames.try_recv().is_err(), "nothing arrived");
}

#[tokio::test]
async fn another_network_purpose_or_shared_key_fails_the_handshake() {
    let a = start(config(1, &[]), roster(&[1, 2])).await;
    let base = config(2, &[(1, &a.mesh)]);
    for other in [
        MeshConfig { domain: domain(2), ..base.clone() },
        MeshConfig { purpose: Purpose::Transactions, ..base.clone() },
        MeshConfig { shared_key: Some([1; 32]), ..base.clone() },
    ] {
        let b = start(other, roster(&[1, 2])).await;
        b.counted(|metrics| metrics.failed.get()).await;
        assert!(b.mesh.peers().is_empty());
        b.mesh.stop().await;
    }
    assert_eq!(a.metrics.refused.get(), 0, "nobody came as far as the gate");
    assert!(a.mesh.peers().is_empty());
    let mut b = start(base, roster(&[1, 2])).await;
    b.connected_to(1).await;
}

#[tokio::test]
async fn a_peer_that_leaves_the_roster_is_disconnected_and_comes_back_when_listed_again() {
    let list = roster(&[1, 2]);
    let mut a = start(config(1, &[]), list.clone()).await;
    let mut b = start(config(2, &[(1, &a.mesh)]), roster(&[1, 2])).await;
    a.connected_to(2).await;
    b.connected_to(1).await;
    list.set([(peer(1), MemberNumber(1))]);
    assert!(matches!(a.event().await, MeshEvent::Disconnected(found) if found == peer(2)));
    assert_eq!(a.mesh.send(&peer(2), Bytes::from_static(b"x")), Err(SendError::NotConnected));
    list.set([(peer(1), MemberNumber(1)), (peer(2), MemberNumber(2))]);
    a.connected_to(2).await;
}

#[tokio::test]
async fn a_restarted_peer_is_dialled_again() {
    let first = start(config(1, &[]), roster(&[1, 2])).await;
    let mut b = start(config(2, &[(1, &first.mesh)]), roster(&[1, 2])).await;
    b.connected_to(1).await;
    let address = first.mesh.listening().expect("a listener").clone();
    first.mesh.stop().await;
    assert!(matches!(b.event().await, MeshEvent::Disconnected(_)));
    let again = MeshConfig { listen: Some(address), ..config(1, &[]) };
    let mut again = start(again, roster(&[1, 2])).await;
    b.connected_to(1).await;
    again.connected_to(2).await;
    b.mesh.send(&peer(1), Bytes::from_static(b"hello again")).expect("room");
    assert_eq!(again.frame().await.bytes, Bytes::from_static(b"hello again"));
}

#[tokio::test]
async fn a_frame_above_the_limit_costs_the_connection() {
    let mut a = start(config(1, &[]), roster(&[1, 2])).await;
    let mut b = start(config(2, &[(1, &a.mesh)]), roster(&[1, 2])).await;
    a.connected_to(2).await;
    b.connected_to(1).await;
    a.mesh.send(&peer(2), Bytes::from(vec![0; 1025])).expect("room");
    assert!(matches!(b.event().await, MeshEvent::Disconnected(_)));
    assert_eq!(b.metrics.broken.get(), 1);
    assert!(b.feeds.frames.try_recv().is_err());
}

#[tokio::test]
async fn a_slow_peer_fills_its_own_queue_and_no_more() {
    let mut a = config(1, &[]);
    a.limits.frames_queued = 4;
    let mut a = start(a, roster(&[1, 2])).await;
    // Takes no frame out of its feed.
    let mut slow = config(2, &[(1, &a.mesh)]);
    slow.limits.frames_received = 1;
    let mut slow = start(slow, roster(&[1, 2])).await;
    a.connected_to(2).await;
    slow.connected_to(1).await;
    let dropped = async {
        while a.mesh.send(&peer(2), Bytes::from(vec![0; 1024])) != Err(SendError::Slow) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, dropped).await.expect("the queue is bounded");
    assert!(a.metrics.dropped.get() > 0);
}

#[tokio::test]
async fn batches_go_to_every_listed_peer_once() {
    let start = |config: MeshConfig| async move {
        let config = MeshConfig { purpose: Purpose::Transactions, ..config };
        TxNetwork::start(config, roster(&[1, 2, 3]), NetworkMetrics::default()).await.expect("a mesh")
    };
    let (a, _incoming) = start(config(1, &[])).await;
    let (b, to_b) = start(config(2, &[(1, a.mesh())])).await;
    let (c, to_c) = start(config(3, &[(1, a.mesh())])).await;
    let all = async {
        while a.mesh().peers().len() < 2 || b.mesh().peers().is_empty() || c.mesh().peers().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, all).await.expect("connected in time");
    assert_eq!(a.send(Bytes::from_static(b"batch")).await, 2);
    let [mut to_b, mut to_c] = [to_b, to_c].map(|feeds| feeds.batches);
    for incoming in [&mut to_b, &mut to_c] {
        let batch = timeout(PATIENCE, incoming.recv()).await.expect("in time").expect("running");
        assert_eq!(batch, TxBatch { from: peer(1), bytes: Bytes::from_static(b"batch") });
    }
    assert_eq!(b.send_to(peer(1), Bytes::from(vec![0; TX_BATCH_BYTES + 1])).await, Err(TxError::TooLong));
    assert!(matches!(b.send_to(peer(3), Bytes::new()).await, Err(TxError::Call(_))), "not connected to each other");
    // A pool that takes nothing makes the node busy, not full.
    let mut answers = Vec::new();
    while answers.last() != Some(&Err(TxError::Busy)) && answers.len() < 1000 {
        answers.push(a.send_to(peer(2), Bytes::from_static(b"more")).await);
    }
    assert_eq!(answers.last(), Some(&Err(TxError::Busy)));
}
