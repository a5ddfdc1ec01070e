//! A node from start to stop: files, store, network, consensus, listeners, and back.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use fengni_core::record::{KeyPurpose, Member, MemberStatus};
use fengni_core::recovery::{RecoveryHandover, Seat};
use fengni_core::{Domain, Height, MemberNumber, PublicKey, SecretKey};
use fengni_genesis::Genesis;
use fengni_state::State;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::api;
use crate::config::{Config, ConfigError, Mode, load_key};
use crate::engine::{self, Chain, EngineConfig, EngineHandle, Pace, Voter};
use crate::ledger::Ledger;
use crate::network::{
    Limits, MeshConfig, Multiaddr, NetworkMetrics, PeerAddress, PeerId, Purpose, Roster, TxNetwork, peer_id,
};
use crate::pool::PoolLimits;
use crate::recover;
use crate::service::Service;
use crate::spread;
use crate::store::Store;

/// Without a final block for this many idle intervals, readiness turns false.
const STALL_INTERVALS: u32 = 2;
/// How long a validator waits for the proposal of the first round.
const PROPOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Checks a node's files without starting anything.
///
/// # Errors
/// The first mistake, with the field's name and the next step.
pub fn check(home: &Path) -> anyhow::Result<()> {
    Files::load(home).map(drop)
}

/// Opens the store of a node that does not run.
///
/// # Errors
/// Wrong files, or a store that a running node holds.
pub fn stopped_store(home: &Path) -> anyhow::Result<Store> {
    let files = Files::load(home)?;
    Store::open(&files.config.data.join("store"), &files.domain).context("next: stop the node first, if it runs")
}

/// Runs a node until `stop` completes or consensus cannot go on.
///
/// # Errors
/// Why the node did not start, or why it ended by itself; its supervisor restarts it.
pub async fn run(home: &Path, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let files = Files::load(home)?;
    let domain = files.domain;
    let data = files.config.data.clone();
    std::fs::create_dir_all(&data).with_context(|| format!("data: cannot make {}", data.display()))?;
    let mut registry = Registry::default();

    let ledger = {
        let founding = files.genesis.founding();
        let member = (files.config.mode == Mode::Validator).then_some(files.member);
        let path = data.join("store");
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&path, &domain).map_err(anyhow::Error::from)?;
            Ledger::open(store, domain, founding, member, PoolLimits::default()).map_err(anyhow::Error::from)
        });
        Arc::new(opened.await??)
    };
    tracing::info!(network = %domain.network, height = %ledger.state().height(), mode = ?files.config.mode, "ledger opened");

    ledger.give(files.given.clone());
    let roster = Roster::new(allowed(&ledger.state(), &files));
    let transactions = Purpose::Transactions;
    let (network, incoming) = TxNetwork::start(
        mesh(&files, transactions),
        roster.clone(),
        NetworkMetrics::register(&mut registry, transactions),
    )
    .await?;
    let spread = spread::start(ledger.clone(), network.clone(), incoming, roster.clone());
    let engine = start_engine(&files, &ledger, &roster, &mut registry).await?;
    let (stopping, stopped) = watch::channel(false);
    let service = Arc::new(Service::new(
        &files.genesis,
        ledger.clone(),
        spread,
        engine.health_view(),
        (engine.mesh().clone(), network.mesh().clone()),
        files.config.mode,
        (files.member, files.peer_key.clone()),
    ));
    let listeners = api::Listeners {
        gateway: files.config.gateway.as_ref().map(Into::into),
        relay: files.config.relay.as_ref().map(Into::into),
        admin: files.config.admin.as_ref().map(Into::into),
        pages: files.config.pages.clone(),
    };
    let served = api::serve(
        listeners,
        service.clone(),
        service,
        api::Metrics { registry, others: vec![engine::engine_metrics] },
        stopped,
    )
    .await?;
    for (name, address) in served.addresses() {
        tracing::info!(listener = name, %address, "listening");
    }
    let followed = tokio::spawn(follow_registry(ledger.clone(), roster, files));

    let ended = tokio::select! {
        () = stop => None,
        reason = engine.ended() => Some(reason),
    };
    tracing::info!(reason = ended.as_deref().unwrap_or("asked to"), "stopping");
    stopping.send_replace(true);
    followed.abort();
    served.finished().await;
    engine.stop().await;
    network.mesh().stop().await;
    match ended {
        None => Ok(()),
        Some(reason) => anyhow::bail!("consensus ended: {reason}"),
    }
}

/// Everything a node reads at its start.
struct Files {
    config: Config,
    genesis: Genesis,
    domain: Domain,
    member: MemberNumber,
    consensus_key: Option<SecretKey>,
    peer_key: SecretKey,
    shared_key: Option<[u8; 32]>,
    /// Recovery handovers that a person has given this node.
    given: Vec<RecoveryHandover>,
}

impl Files {
    fn load(home: &Path) -> anyhow::Result<Self> {
        let config = Config::load(home)?;
        let path = &config.genesis;
        let bytes = std::fs::read(path).map_err(|error| ConfigError::File {
            field: "genesis",
            path: path.clone(),
            error,
            next: "copy the network's genesis file here",
        })?;
        let genesis = Genesis::decode(&bytes).with_context(|| format!("genesis: {} is no founding", path.display()))?;
        let domain = genesis.domain();
        let member = genesis.members.iter().position(|member| member.code == config.member);
        let member = member.ok_or_else(|| ConfigError::Field {
            field: "member",
            why: format!("{} is not a founding member", config.member),
            next: "give the credit code of the member that runs this node",
        })?;
        let member = MemberNumber(u32::try_from(member)?);
        let consensus_key = config.keys.consensus.as_ref().map(|path| load_key("keys.consensus", path)).transpose()?;
        let peer_key = load_key("keys.peer", &config.keys.peer)?;
        let shared_key = config.keys.network.as_ref().map(|path| shared_key(path)).transpose()?;
        let given = recover::load(&config.data)?;
        let files = Self { config, genesis, domain, member, consensus_key, peer_key, shared_key, given };
        files.check_keys()?;
        Ok(files)
    }

    /// The keys are the member's own: a validator with another key would only be ignored.
    fn check_keys(&self) -> Result<(), ConfigError> {
        let member = &self.genesis.members[self.member.0 as usize];
        let has = |purpose: KeyPurpose, key: &PublicKey| {
            let seats = self.given.iter().flat_map(|given| &given.plan.seats).filter(|seat| seat.member == self.member);
            let seated = |seat: &Seat| match purpose {
                KeyPurpose::Consensus => seat.consensus == *key,
                _ => seat.peer == Some(*key),
            };
            member.keys.iter().any(|known| known.purpose == purpose && known.key == *key)
                || seats.into_iter().any(seated)
        };
        let wrong = |field: &'static str| {
            Err(ConfigError::Field {
                field,
                why: format!("the key is not one of member {}", member.code),
                next: "use the key file that belongs to the member's registered key",
            })
        };
        if let Some(key) = self.consensus_key.as_ref().filter(|key| !has(KeyPurpose::Consensus, &key.public())) {
            tracing::warn!(key = %key.public(), "the consensus key is not among the founding keys");
            return wrong("keys.consensus");
        }
        if has(KeyPurpose::Peer, &self.peer_key.public()) { Ok(()) } else { wrong("keys.peer") }
    }
}

fn shared_key(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = crate::config::read("keys.network", path, "name the file with the shared network key")?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .map_err(|_| anyhow::anyhow!("keys.network: the file does not hold 64 hexadecimal digits"))?;
    Ok(key)
}

async fn start_engine(
    files: &Files,
    ledger: &Arc<Ledger>,
    roster: &Roster,
    registry: &mut Registry,
) -> anyhow::Result<EngineHandle> {
    let parameters = ledger.state().parameters().clone();
    let idle = Duration::from_secs(u64::from(parameters.online_age_secs)) / 3;
    let config = EngineConfig {
        name: files.config.member.to_string(),
        domain: files.domain,
        home: files.config.data.join("consensus"),
        voter: files.consensus_key.clone().map(|key| Voter { member: files.member, key }),
        pace: Pace { idle, ..Pace::default() },
        propose_timeout: PROPOSE_TIMEOUT,
        stall_after: idle * STALL_INTERVALS,
        mesh: mesh(files, Purpose::Consensus),
    };
    let chain: Arc<dyn Chain> = ledger.clone();
    Ok(engine::start(config, chain, ledger.pool().work(), roster.clone(), registry).await?)
}

fn mesh(files: &Files, purpose: Purpose) -> MeshConfig {
    let network = &files.config.network;
    let multiaddr = |address: std::net::SocketAddr| -> Multiaddr {
        let mut multi = Multiaddr::from(address.ip());
        multi.push(crate::network::Protocol::Tcp(address.port()));
        multi
    };
    let (listen, address): (_, fn(&crate::config::Peer) -> Option<std::net::SocketAddr>) = match purpose {
        Purpose::Consensus => (network.consensus, |peer| peer.consensus),
        Purpose::Transactions => (network.transactions, |peer| peer.transactions),
    };
    let peers = network
        .peers
        .iter()
        .filter_map(|peer| Some(PeerAddress { peer: peer_id(&peer.key)?, address: multiaddr(address(peer)?) }));
    MeshConfig {
        key: files.peer_key.clone(),
        domain: files.domain,
        purpose,
        shared_key: files.shared_key,
        listen: listen.map(multiaddr),
        peers: peers.collect(),
        limits: Limits::default(),
    }
}

/// Peers that may connect: listed in the configuration and registered by an active member.
fn allowed(state: &State, files: &Files) -> Vec<(PeerId, MemberNumber)> {
    let configured: BTreeSet<PublicKey> = files.config.network.peers.iter().map(|peer| peer.key).collect();
    let height = state.height().next();
    let keys = |member: &Member| {
        let peers = member.keys.iter().filter(|key| key.purpose == KeyPurpose::Peer && key.is_valid_at(height));
        peers.map(|key| key.key).filter(|key| configured.contains(key)).filter_map(|key| peer_id(&key)).collect()
    };
    let active = state.members().iter().zip(0..).filter(|(member, _)| member.status == MemberStatus::Active);
    let listed = active.flat_map(|(member, number)| {
        let peers: Vec<PeerId> = keys(member);
        peers.into_iter().map(move |peer| (peer, MemberNumber(number)))
    });
    // Until their first block has recorded it, nodes of a recovery are known by its plan alone.
    let seats = state.recovery().into_iter().flat_map(|given| &given.plan.seats);
    let named = seats.filter_map(|seat| Some((seat.peer.filter(|key| configured.contains(key))?, seat.member)));
    let named = named.filter_map(|(key, member)| Some((peer_id(&key)?, member)));
    listed.chain(named).collect()
}

/// Keeps the allow-list in step with the member registry.
async fn follow_registry(ledger: Arc<Ledger>, roster: Roster, files: Files) {
    let mut heights = ledger.heights();
    let mut seen = None;
    while heights.changed().await.is_ok() {
        let height: Height = *heights.borrow_and_update();
        let state = ledger.state();
        let members = state.shelf_lists()[fengni_core::shelf::Shelf::Members as usize].root();
        // Most blocks change no member.
        if seen != Some(members) {
            seen = Some(members);
            roster.set(allowed(&state, &files));
            tracing::debug!(%height, "peers follow the member registry");
        }
    }
}
