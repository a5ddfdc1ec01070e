//! Consensus: one block after another, each final by the signatures of a quorum.
//!
//! The engine is Malachite, Tendermint in Rust; this folder is the only place that names it. The
//! rest of the node gives it a ledger ([`Chain`]), a roster of peers and a sign that work waits,
//! and looks at its [`Health`]. What bites, and where it is answered:
//!
//! ```text
//! body durable before any answer .......... chain.rs, driver.rs (every message that brings one)
//! the same block for the same round ....... chain.rs propose, driver.rs undecided
//! no second signature ..................... guard.rs, signing.rs; quiet.rs after a restore
//! no silent stall ......................... driver.rs (trouble ends), health.rs (says why)
//! hang for safety, end for liveness ....... this file: both watched, only the second ends
//! parts bound, limited, evicted ........... parts.rs, peers.rs
//! closed from the first byte .............. crate::network, peers.rs
//! same set everywhere, sorted ............. context.rs, chain.rs validators
//! loop never waits ........................ driver.rs
//! any distance behind, without a person .... catch_up.rs
//! ```

mod catch_up;
mod chain;
mod codec;
mod context;
mod driver;
mod guard;
mod health;
mod log;
mod pace;
mod parts;
mod peers;
mod quiet;
mod ring;
mod signing;
mod stall;
mod votes;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use fengni_core::{Domain, Height, MemberNumber};
use fengni_signer::Signer;
use malachite::app::config::{ConsensusConfig, NodeConfig, ValueSyncConfig};
use malachite::app::engine::node::NodeRef;
use malachite::app::types::core::LinearTimeouts;
use malachite::{EngineBuilder, RequestContext, SyncContext, WalContext};
use malachite_engine::network::NetworkRef;
use prometheus_client::registry::Registry;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::info;

use crate::disk;
use crate::network::{Mesh, MeshConfig, NetworkError, NetworkMetrics, PeerId, Purpose, Roster};

pub use chain::{Candidate, Chain, Considered, Followed, Received, Refusal, SignedStep, Trouble};
pub use guard::{Guard, GuardError, Statement as GuardedStatement};
pub use health::{EngineMetrics, Health};
pub use log::{LogError, check as check_log};
pub use pace::Pace;
use votes::Votes;
pub use votes::{has_record, mark_quiet, never_signed, repair_log, signed_height};

/// A log filter to put before the operator's own: at level info the engine tells every timeout of
/// every round, which is of use to its makers.
pub const QUIET_LOG: &str = "arc_malachitebft=warn";

/// Folder of the engine's log and of the record of signed votes, in a node's data.
pub const FOLDER: &str = "consensus";

/// How long the parts of the engine may take to stop.
const STOPPING: Duration = Duration::from_secs(5);
/// How often health is looked at.
const WATCH: Duration = Duration::from_secs(1);

/// Who a validator votes as, and with which keys.
#[derive(Clone, Debug)]
pub(crate) struct Voter {
    pub(crate) member: MemberNumber,
    pub(crate) keys: Vec<Arc<dyn Signer>>,
}

/// What consensus is started with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// A short name of this node, for the engine's own metrics.
    pub name: String,
    /// Suite and network.
    pub domain: Domain,
    /// Folder of the engine's log and of the record of signed votes; both are this node's own.
    pub home: PathBuf,
    /// The ed25519 consensus keys of the member that the chain calls its voter, each of which runs on
    /// one machine only: a height is signed with the one that its validator set names. Without any,
    /// the node follows without voting: an observer.
    pub keys: Vec<Arc<dyn Signer>>,
    /// How fast blocks follow one another.
    pub pace: Pace,
    /// How long the first round waits for a proposal; later rounds wait longer, up to a cap.
    pub propose_timeout: Duration,
    /// The mesh of consensus. Its purpose, limits of messages and domain are set here.
    pub mesh: MeshConfig,
}

/// Why consensus did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The mesh.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The record of signed votes.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The engine's log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A consensus key is not an ed25519 key.
    #[error("a consensus key is not an ed25519 key")]
    Key,
    /// The folder, the engine's log or one of its actors.
    #[error("the consensus engine did not start: {0}")]
    Engine(String),
}

/// Running consensus.
#[derive(Debug)]
pub struct EngineHandle {
    health: Arc<health::HealthState>,
    /// There once consensus has begun.
    node: Arc<OnceLock<NodeRef>>,
    supervisor: JoinHandle<()>,
    watcher: JoinHandle<()>,
    order: Arc<tokio::sync::Mutex<()>>,
    mesh: Mesh,
}

impl EngineHandle {
    /// A look at consensus now.
    pub fn health(&self) -> Health {
        self.health.look()
    }

    /// A way to look at it from elsewhere, such as an API.
    pub fn health_view(&self) -> HealthView {
        HealthView(Arc::clone(&self.health))
    }

    /// The mesh of consensus, for its address and peers.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Completes when consensus cannot go on, with the reason: the process must then end with an
    /// error, and its supervisor restart it. Does not complete when the engine stops itself for
    /// safety: then [`Health::safety_failure`] is set and a person decides.
    pub async fn ended(&self) -> String {
        ended(self.health.endings()).await
    }

    /// Stops consensus; a commit in progress is finished first.
    pub async fn stop(self) {
        self.health.stopping();
        self.watcher.abort();
        let _order = self.order.lock().await;
        match self.node.get() {
            Some(node) => node.stop(Some("the node is stopping".to_owned())),
            None => self.supervisor.abort(),
        }
        let _ = timeout(STOPPING, self.supervisor).await;
        self.mesh.stop().await;
        info!("consensus stopped");
    }
}

/// Looks at consensus.
#[derive(Clone, Debug)]
pub struct HealthView(Arc<health::HealthState>);

impl HealthView {
    /// A look now.
    pub fn look(&self) -> Health {
        self.0.look()
    }

    /// The newest version of the protocol that each connected peer says it speaks.
    pub fn versions(&self) -> Vec<(PeerId, u16)> {
        self.0.versions()
    }

    /// What the register denies this node at the next height, if anything: `/readyz` shows it.
    pub fn note_membership(&self, trouble: Option<String>) {
        self.0.note_membership(trouble);
    }

    /// As [`EngineHandle::ended`].
    pub async fn ended(&self) -> String {
        ended(self.0.endings()).await
    }
}

async fn ended(mut endings: watch::Receiver<Option<String>>) -> String {
    match endings.wait_for(Option::is_some).await {
        Ok(reason) => reason.clone().unwrap_or_default(),
        Err(_) => "consensus is gone".to_owned(),
    }
}

/// The engine's own metrics as text, to be exported with the node's.
pub fn engine_metrics() -> String {
    let mut text = String::new();
    malachite::app::metrics::export(&mut text);
    text
}

/// Starts consensus. One per process: the engine's metrics are global.
///
/// A node that is to vote and whose member the register does not list yet follows without the engine
/// until it does, because the engine wants to know its own number from its start.
///
/// - `chain`: the ledger.
/// - `work`: true while the pool holds a transaction that could go into a block.
/// - `roster`: who may connect.
///
/// # Errors
/// [`StartError`].
pub async fn start(
    config: EngineConfig,
    chain: Arc<dyn Chain>,
    work: watch::Receiver<bool>,
    roster: Roster,
    registry: &mut Registry,
) -> Result<EngineHandle, StartError> {
    std::fs::create_dir_all(&config.home).map_err(|error| StartError::Engine(error.to_string()))?;
    let metrics = EngineMetrics::register(registry);
    let (last_final, member, speaks) = tokio::task::spawn_blocking({
        let chain = Arc::clone(&chain);
        move || (chain.last_final(), chain.voter(), chain.speaks())
    })
    .await
    .map_err(|error| StartError::Engine(error.to_string()))?;
    let health = Arc::new(health::HealthState::new(last_final, config.pace.stall_after(), metrics));
    let network_metrics = NetworkMetrics::register(registry, Purpose::Consensus);
    let (mesh, feeds) = Mesh::start(mesh_config(&config), roster.clone(), network_metrics).await?;
    let (peers, network) = peers::Peers::start((mesh.clone(), feeds), roster.clone(), Arc::clone(&health), speaks)
        .await
        .map_err(|error| StartError::Engine(error.to_string()))?;
    let order = Arc::new(tokio::sync::Mutex::new(()));
    let home = config.home.clone();
    let joins = !config.keys.is_empty() && member.is_none();
    let parts = Parts { config, chain, work, health, peers, network, roster, order };
    let (health, order, node) = (Arc::clone(&parts.health), Arc::clone(&parts.order), Arc::new(OnceLock::new()));
    let supervisor = if joins {
        tokio::spawn(parts.join(Arc::clone(&node)))
    } else {
        let running = parts.build(member, last_final, &node).await?;
        tokio::spawn(running.supervise())
    };
    let watcher = tokio::spawn(watch_health(Arc::clone(&health), home));
    Ok(EngineHandle { health, node, supervisor, watcher, order, mesh })
}

/// What consensus is built of.
struct Parts {
    config: EngineConfig,
    chain: Arc<dyn Chain>,
    work: watch::Receiver<bool>,
    health: Arc<health::HealthState>,
    peers: Arc<peers::Peers>,
    network: NetworkRef<context::Context>,
    roster: Roster,
    order: Arc<tokio::sync::Mutex<()>>,
}

impl Parts {
    /// Follows until the register lists this node's member, then begins consensus.
    async fn join(self, node: Arc<OnceLock<NodeRef>>) {
        let (publish, _published) = mpsc::channel(1);
        let last_final = self.health.last_final();
        let follower = self.ledger(Votes::default(), last_final, publish);
        let Ok(member) = follower.until_listed().await else { return };
        info!(%member, "the register lists this node's member: consensus begins");
        match self.build(Some(member), self.health.last_final(), &node).await {
            Ok(running) => running.supervise().await,
            Err(error) => self.health.end(error.to_string()),
        }
    }

    /// What the driver answers from.
    fn ledger(
        &self,
        votes: Votes,
        last_final: Height,
        network: mpsc::Sender<malachite::NetworkMsg<context::Context>>,
    ) -> Arc<driver::Ledger> {
        Arc::new(driver::Ledger {
            chain: Arc::clone(&self.chain),
            voter: votes.ring,
            quiet: votes.quiet,
            roster: self.roster.clone(),
            health: Arc::clone(&self.health),
            pace: self.config.pace,
            timeouts: timeouts(self.config.propose_timeout),
            work: self.work.clone(),
            peers: Arc::clone(&self.peers),
            network,
            order: Arc::clone(&self.order),
            committed: watch::Sender::new(last_final),
            set: Mutex::new(None),
            streams: AtomicU64::new(start_number()),
        })
    }

    /// Starts the engine's actors.
    async fn build(
        &self,
        member: Option<MemberNumber>,
        last_final: Height,
        node: &OnceLock<NodeRef>,
    ) -> Result<Running, StartError> {
        let config = &self.config;
        let voter = member.filter(|_| !config.keys.is_empty());
        let voter = voter.map(|member| Voter { member, keys: config.keys.clone() });
        log::check(&config.home, last_final.next())?;
        let votes = Votes::open(&config.home, config.domain, voter.as_ref(), last_final)?;
        let (publish, mut published) = mpsc::channel::<malachite::NetworkMsg<context::Context>>(64);
        tokio::spawn({
            let network = self.network.clone();
            async move {
                while let Some(message) = published.recv().await {
                    if network.cast(message.into()).is_err() {
                        return;
                    }
                }
            }
        });
        let (channels, handle) = EngineBuilder::new(context::Context, Settings::new(config.name.clone()))
            .with_default_wal(WalContext::new(config.home.join(log::FILE), codec::WireCodec))
            .with_custom_network(self.network.clone(), publish)
            .with_default_consensus(votes.consensus(&config.domain, &self.health))
            .with_default_sync(SyncContext::new(codec::WireCodec))
            .with_default_request(RequestContext::new(16))
            .build()
            .await
            .map_err(|error| StartError::Engine(format!("{error:#}")))?;
        let ledger = self.ledger(votes, last_final, channels.network.clone());
        // The only one that is ever built in this process.
        let _ = node.set(handle.actor.clone());
        let (driver, health) = (driver::Driver::new(ledger), Arc::clone(&self.health));
        Ok(Running { driver, channels, node: handle.handle, health })
    }
}

/// Streams of this run are not mistaken for those of the run before.
fn start_number() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(0)
}

fn mesh_config(config: &EngineConfig) -> MeshConfig {
    let mut mesh = config.mesh.clone();
    mesh.domain = config.domain;
    mesh.purpose = Purpose::Consensus;
    mesh.limits.frame_bytes = codec::PART_BYTES.max(codec::CERTIFICATE_BYTES) + 1;
    mesh.limits.frames_received = 256;
    mesh.limits.frames_per_second = 1000;
    mesh.limits.request_bytes = codec::STATUS_BYTES;
    mesh.limits.response_bytes = codec::ANSWER_BYTES;
    mesh
}

/// Timeouts by round: a dead proposer costs one propose timeout, and rounds grow until the slowest
/// link fits in.
fn timeouts(propose: Duration) -> LinearTimeouts {
    let (growth, vote) = (propose / 2, propose / 4);
    LinearTimeouts {
        propose,
        propose_delta: growth,
        prevote: vote,
        prevote_delta: vote,
        precommit: vote,
        precommit_delta: vote,
        rebroadcast: propose * 2,
        max_timeout: (propose * 10).max(Duration::from_secs(10)),
    }
}

/// The engine's settings; its network settings have no effect on our own actor.
struct Settings {
    name: String,
    consensus: ConsensusConfig,
    sync: ValueSyncConfig,
}

impl Settings {
    fn new(name: String) -> Self {
        let consensus = ConsensusConfig { queue_per_height_capacity: 2048, ..ConsensusConfig::default() };
        let sync = ValueSyncConfig {
            // Zero: a status goes out with every final block.
            status_update_interval: Duration::ZERO,
            request_timeout: Duration::from_secs(5),
            // The engine's own requests close small gaps; far ones are ours: see catch_up.rs. The
            // size of a batch is also what peers are served.
            parallel_requests: 1,
            batch_size: catch_up::BATCH_BLOCKS,
            ..ValueSyncConfig::default()
        };
        Self { name, consensus, sync }
    }
}

impl NodeConfig for Settings {
    fn moniker(&self) -> &str {
        &self.name
    }

    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &ValueSyncConfig {
        &self.sync
    }

    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.sync
    }
}

/// The engine's actors at work.
struct Running {
    driver: driver::Driver,
    channels: malachite::Channels<context::Context>,
    node: JoinHandle<()>,
    health: Arc<health::HealthState>,
}

impl Running {
    /// Drives the engine until it is gone, and tells a safe end from a hang for safety: in a hang the
    /// engine's children are stopped, its channel closes, and its node stays.
    async fn supervise(self) {
        let Self { driver, channels, mut node, health } = self;
        // Dropped last: the engine takes closed channels for an application that is gone.
        let malachite::Channels {
            consensus,
            network: _network,
            events: _events,
            requests: _requests,
            net_requests: _net,
        } = channels;
        tokio::select! {
            () = driver.run(consensus) => {}
            _ = &mut node => {
                health.end("the consensus engine stopped");
                return;
            }
        }
        if timeout(STOPPING, &mut node).await.is_err() {
            if !health.has_ended() {
                health.fail_safe();
            }
            let _ = node.await;
        }
        health.end("the consensus engine stopped");
    }
}

/// Looks for progress, for room on the disk, and for the engine's own sign that it stopped for safety.
async fn watch_health(health: Arc<health::HealthState>, home: PathBuf) {
    let mut clock = tokio::time::interval(WATCH);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut room: Option<JoinHandle<()>> = None;
    loop {
        clock.tick().await;
        // A disk that hangs must not stop the watch: its answer is not waited for.
        if room.as_ref().is_none_or(JoinHandle::is_finished) {
            let (folder, health) = (home.clone(), Arc::clone(&health));
            room = Some(tokio::task::spawn_blocking(move || {
                if let Some(trouble) = disk::too_full(&folder) {
                    health.end(trouble);
                }
            }));
        }
        if safety_sign(&engine_metrics()) {
            health.fail_safe();
        }
        health.watch();
    }
}

fn safety_sign(metrics: &str) -> bool {
    metrics
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains("node_safety_failure"))
        .any(|line| line.ends_with(" 1"))
}

#[cfg(test)]
mod network_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_safety_sign_is_read_from_its_metrics() {
        let quiet = "# TYPE core_node_safety_failure gauge\ncore_node_safety_failure{moniker=\"a\"} 0\nx 1\n";
        assert!(!safety_sign(quiet));
        assert!(safety_sign("core_node_safety_failure{moniker=\"a\"} 1\n"));
    }

    #[test]
    fn timeouts_grow_by_round_and_are_capped() {
        use malachite::app::types::core::{Round, Timeout};
        let timeouts = timeouts(Duration::from_secs(1));
        let propose = |round| timeouts.duration_for(Timeout::propose(Round::new(round)));
        assert_eq!(propose(0), Duration::from_secs(1));
        assert_eq!(propose(2), Duration::from_secs(2));
        assert_eq!(propose(u32::MAX), Duration::from_secs(10));
    }
}
