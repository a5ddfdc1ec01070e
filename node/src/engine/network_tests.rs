//! Engines of several nodes in one process, on real ledgers and real meshes over loopback.
//!
//! The engine's metrics are shared here, which no assertion looks at.

#![allow(clippy::print_stdout, reason = "how long it took is for whoever runs the test")]

use std::sync::Arc;
use std::time::Duration;

use fengni_core::id::CreditCode;
use fengni_core::record::KeyPurpose;
use fengni_core::{Height, MemberNumber, SecretKey};
use fengni_genesis::{Genesis, sample};
use fengni_signer::Signer;
use fengni_state::Founding;
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{Chain as _, EngineConfig, EngineHandle, Pace, never_signed, start};
use crate::ledger::Ledger;
use crate::ledger::tests::{decide, founding};
use crate::network::{Limits, MeshConfig, Multiaddr, PeerAddress, PeerId, Purpose, Roster, peer_id};
use crate::pool::PoolLimits;
use crate::store::Store;

/// Generous: the machine may be building something else.
const PATIENCE: Duration = Duration::from_secs(90);

/// A node that runs.
struct Node {
    ledger: Arc<Ledger>,
    engine: EngineHandle,
    roster: Roster,
}

/// Nodes of one founding, each connected with all that were started before it.
struct Cluster {
    genesis: Genesis,
    founding: Founding,
    folders: Vec<TempDir>,
    addresses: Vec<PeerAddress>,
}

impl Cluster {
    fn new() -> Self {
        let (genesis, founding, _) = founding();
        Self { genesis, founding, folders: Vec::new(), addresses: Vec::new() }
    }

    fn folder(&mut self) -> usize {
        self.folders.push(tempfile::tempdir().expect("a folder for the test"));
        self.folders.len() - 1
    }

    fn code(&self, member: u32) -> CreditCode {
        self.founding.members[member as usize].code
    }

    fn ledger(&self, folder: usize, voter: CreditCode) -> Ledger {
        let domain = self.genesis.domain();
        let store = Store::open(&self.folders[folder].path().join("store"), &domain).expect("a store");
        Ledger::open(store, domain, self.founding.clone(), Some(voter), PoolLimits::default()).expect("its own ledger")
    }

    /// Starts a node with a ledger that may hold blocks already.
    async fn start(&mut self, folder: usize, ledger: Ledger, voter: Option<SecretKey>) -> Node {
        let place = u8::try_from(self.addresses.len()).expect("a few nodes");
        let roster = Roster::new(everybody());
        let mesh = MeshConfig {
            key: peer_key(place),
            domain: self.genesis.domain(),
            purpose: Purpose::Consensus,
            shared_key: None,
            listen: Some("/ip4/127.0.0.1/tcp/0".parse().expect("an address")),
            peers: self.addresses.clone(),
            limits: Limits::default(),
        };
        let config = EngineConfig {
            name: format!("node{place}"),
            domain: self.genesis.domain(),
            home: self.folders[folder].path().join("consensus"),
            keys: voter.iter().map(|key| Arc::new(key.clone()) as Arc<dyn Signer>).collect(),
            pace: Pace { idle: Duration::from_millis(20), ..Pace::default() },
            propose_timeout: Duration::from_millis(500),
            mesh,
        };
        if let Some(key) = &voter {
            // Ledgers are filled without votes here: no key has signed anything.
            never_signed(&config.home, config.domain, &[key.public()]).expect("a folder of its own");
        }
        let ledger = Arc::new(ledger);
        let (chain, work) = (ledger.clone(), ledger.pool().work());
        let engine = start(config, chain, work, roster.clone(), &mut Registry::default()).await;
        let engine = engine.expect("consensus starts");
        let address: Multiaddr = engine.mesh().listening().expect("it listens").clone();
        self.addresses.push(PeerAddress { peer: known(place), address });
        Node { ledger, engine, roster }
    }

    /// Starts a node from the founding.
    async fn found(&mut self, member: u32, key: Option<SecretKey>) -> Node {
        let folder = self.folder();
        let ledger = self.ledger(folder, self.code(member));
        self.start(folder, ledger, key).await
    }
}

/// The member of each node, in the order in which tests start them.
const MEMBERS: [u32; 7] = [0, 1, 2, 3, 4, 0, 5];

fn peer_key(place: u8) -> SecretKey {
    super::signing::tests::key(100 + place)
}

fn known(place: u8) -> PeerId {
    peer_id(&peer_key(place).public()).expect("an ed25519 key")
}

/// Every node's peer, with the member it votes for.
fn everybody() -> impl Iterator<Item = (PeerId, MemberNumber)> {
    (0..).zip(MEMBERS).map(|(place, member)| (known(place), MemberNumber(member)))
}

fn key(name: &str, index: usize) -> Option<SecretKey> {
    Some(sample::test_secret(name, KeyPurpose::Consensus, index))
}

async fn reaches(node: &Node, height: u64) {
    let mut heights = node.ledger.heights();
    let reached = timeout(PATIENCE, heights.wait_for(|now| now.0 >= height)).await;
    assert!(reached.is_ok(), "height {} of {height}: {:?}", node.ledger.last_final(), node.engine.health());
}

/// Who signed a height, in a node's certificate.
fn signers(node: &Node, height: u64) -> Vec<u32> {
    let blocks = node.ledger.final_blocks(Height(height)..=Height(height), usize::MAX).expect("it is kept");
    blocks[0].1.signatures.iter().map(|signature| signature.member.0).collect()
}

/// Waits until a member's vote is in a certificate above a height.
async fn votes_above(node: &Node, member: u32, height: u64) {
    let mut heights = node.ledger.heights();
    let voted = async {
        let mut looked = height;
        loop {
            let now = heights.borrow_and_update().0;
            if (looked + 1..=now).any(|height| signers(node, height).contains(&member)) {
                return;
            }
            looked = looked.max(now);
            heights.changed().await.expect("the ledger lives");
        }
    };
    assert!(timeout(PATIENCE, voted).await.is_ok(), "member {member} does not vote: {:?}", node.engine.health());
}

fn same_state(nodes: &[&Node], height: u64) {
    let at = |node: &&Node| node.ledger.at(Height(height)).expect("one of the newest").header.id(node.ledger.domain());
    let first = at(&nodes[0]);
    assert!(nodes.iter().all(|node| at(node) == first), "blocks of height {height} differ");
}

/// Member 0 takes another key, on another machine, from height 3 on, and member 4 decides heights 5
/// and 6 with the others: the founding says so, and every engine follows.
#[tokio::test(flavor = "multi_thread")]
async fn validators_change_between_heights_and_blocks_go_on() {
    let mut cluster = Cluster::new();
    let mut nodes = Vec::new();
    for (member, name) in (0..).zip(["GOV", "PSB", "AMR", "HRS", "CIQ"]) {
        nodes.push(cluster.found(member, key(name, 0)).await);
    }
    nodes.push(cluster.found(0, key("GOV", 1)).await);
    for node in &nodes {
        reaches(node, 12).await;
    }
    same_state(&nodes.iter().collect::<Vec<_>>(), 12);
    for height in 1..=12 {
        let signed = signers(&nodes[1], height);
        let of_five = (5..=6).contains(&height);
        assert!(signed.len() >= if of_five { 4 } else { 3 }, "height {height}: {signed:?}");
        assert!(of_five || !signed.contains(&4), "height {height}: {signed:?}");
    }
    // The machine with the new key votes, and the one with the old key only follows.
    votes_above(&nodes[1], 0, 12).await;
    for node in &nodes {
        assert!(!node.engine.health().safety_failure);
        assert_eq!(node.engine.health.metrics.guard_refusals.get(), 0);
    }
    for node in nodes {
        node.engine.stop().await;
    }
}

/// Blocks that nobody asked an engine for, decided by the keys of all.
fn chain(cluster: &mut Cluster, blocks: u64) -> [usize; 3] {
    let folders = [(); 3].map(|()| cluster.folder());
    let ledgers = folders.map(|folder| cluster.ledger(folder, cluster.code(1)));
    for _ in 0..blocks {
        decide(&ledgers[0]);
    }
    for first in (1..=blocks).step_by(64) {
        let range = Height(first)..=Height(first + 63);
        for ledger in &ledgers[1..] {
            let batch = ledgers[0].final_blocks(range.clone(), usize::MAX).expect("they are kept");
            assert_eq!(ledger.follow(batch).expect("the disk is well").refused, None);
        }
    }
    folders
}

/// Starts PSB, AMR and HRS so many blocks ahead of GOV, which then catches up and votes.
async fn behind(blocks: u64) {
    let mut cluster = Cluster::new();
    // GOV starts first and alone: to the others it is a node that comes back.
    let gov = cluster.found(0, key("GOV", 1)).await;
    let folders = chain(&mut cluster, blocks);
    let mut nodes = Vec::new();
    for ((member, name), folder) in (1..).zip(["PSB", "AMR", "HRS"]).zip(folders) {
        let ledger = cluster.ledger(folder, cluster.code(member));
        nodes.push(cluster.start(folder, ledger, key(name, 0)).await);
    }
    let begun = std::time::Instant::now();
    reaches(&gov, blocks).await;
    votes_above(&nodes[0], 0, blocks).await;
    println!("{blocks} blocks behind: votes again after {:?}", begun.elapsed());
    let height = nodes[0].ledger.last_final().0;
    reaches(&gov, height).await;
    same_state(&[&gov, &nodes[0]], height);
    assert!(!gov.engine.health().safety_failure);
    gov.engine.stop().await;
    for node in nodes {
        node.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_far_behind_votes_again_by_itself() {
    behind(600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_was_cut_off_while_it_ran_votes_again_by_itself() {
    let mut cluster = Cluster::new();
    let mut nodes = Vec::new();
    for (member, name) in (0..).zip(["GOV", "PSB", "AMR", "HRS", "CIQ"]) {
        nodes.push(cluster.found(member, key(name, usize::from(member == 0))).await);
    }
    let gov = &nodes[0];
    reaches(gov, 10).await;
    // For GOV nobody is registered any more: all are disconnected at once, and the others go on.
    gov.roster.set([]);
    let cut = async {
        while !gov.engine.mesh().peers().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(PATIENCE, cut).await.is_ok(), "whoever leaves the roster is disconnected");
    let left = gov.ledger.last_final().0;
    reaches(&nodes[1], left + 120).await;
    assert!(gov.ledger.last_final().0 <= left + 1);
    gov.roster.set(everybody());
    reaches(gov, left + 120).await;
    let height = nodes[1].ledger.last_final().0;
    votes_above(&nodes[1], 0, height).await;
    for node in nodes {
        assert!(!node.engine.health().safety_failure);
        node.engine.stop().await;
    }
}

/// `make test-long`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-long"]
async fn a_validator_ten_thousand_blocks_behind_votes_again_by_itself() {
    behind(10_000).await;
}

/// A node whose member no register lists yet follows, and does not vote.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_member_is_not_listed_follows_without_a_vote() {
    let mut cluster = Cluster::new();
    let mut nodes = Vec::new();
    for (member, name) in (0..).zip(["GOV", "PSB", "AMR", "HRS", "CIQ"]) {
        nodes.push(cluster.found(member, key(name, usize::from(member == 0))).await);
    }
    nodes.push(cluster.found(0, key("GOV", 0)).await);
    let folder = cluster.folder();
    let stranger = sample::bodies().iter().find(|body| body.key == "YHR").expect("a sample body").credit_code();
    let ledger = cluster.ledger(folder, stranger);
    let joining = cluster.start(folder, ledger, key("CIQ", 7)).await;
    for height in [5, 9] {
        reaches(&joining, height).await;
    }
    assert!(joining.engine.node.get().is_none(), "the engine waits for the register");
    assert_eq!(joining.ledger.voter(), None);
    let height = joining.ledger.last_final().0;
    same_state(&[&joining, &nodes[1]], height.min(nodes[1].ledger.last_final().0));
    joining.engine.stop().await;
    for node in nodes {
        node.engine.stop().await;
    }
}
