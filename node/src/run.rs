//! A node from start to stop: files, store, network, consensus, listeners, and back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use fengni_core::record::KeyPurpose;
use fengni_core::recovery::RecoveryHandover;
use fengni_core::{Domain, MemberNumber, PublicKey, SecretKey};
use fengni_genesis::Genesis;
use fengni_signer::Signer;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::api;
use crate::backup::Backups;
use crate::clock;
use crate::config::{Config, ConfigError, Mode, load_key};
use crate::counters::{self, Counters};
use crate::disk;
use crate::doctor::{Doctor, Finding, KeyOnDisk, Level};
use crate::engine::{self, Chain, EngineConfig, EngineHandle, HealthView, Pace};
use crate::ledger::Ledger;
use crate::membership::{self, Membership};
use crate::network::{
    Limits, MeshConfig, Multiaddr, NetworkMetrics, PeerAddress, PeerId, Purpose, Roster, TxNetwork, peer_id,
};
use crate::pool::PoolLimits;
use crate::recover;
use crate::retention;
use crate::selfcheck::Checks;
use crate::service::Service;
use crate::snapshot::{self, Joining};
use crate::spread;
use crate::store::{Store, copy};

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
    Store::open(&copy::place(&files.config.data), &files.domain).context("next: stop the node first, if it runs")
}

/// Examines a node that does not run: everything that needs no running one.
///
/// # Errors
/// Wrong files, or a node that runs: then its admin listener tells more.
pub fn examine(home: &Path) -> anyhow::Result<Vec<Finding>> {
    let files = Files::load(home)?;
    let doctor = files.doctor();
    if !copy::place(&files.config.data).exists() {
        return Ok(doctor.examine(None));
    }
    let store = stopped_store(home).context("next: fengni doctor asks a node that runs")?;
    let opened = Ledger::open(store, files.domain, files.genesis.founding(), None, PoolLimits::default());
    let ledger = match opened {
        Ok(ledger) => ledger,
        Err(damage) => {
            let mut findings = doctor.examine(None);
            findings.push(Finding::new("store", Level::Fail, damage.to_string()));
            return Ok(findings);
        }
    };
    let mut findings = doctor.examine(Some(&ledger.state()));
    findings.push(Finding::new("store", Level::Ok, "the newest blocks and every list are sound"));
    findings.push(doctor.log(&ledger.state()));
    Ok(findings)
}

/// Sets the engine's log of a stopped node aside and says where it is now.
///
/// # Errors
/// Wrong files, a node that runs, or a record of signed votes that is missing or damaged.
pub fn repair_log(home: &Path) -> anyhow::Result<String> {
    let files = Files::load(home)?;
    // Held meanwhile: a running node has the store open.
    let _store = stopped_store(home)?;
    let keys: Vec<PublicKey> = files.consensus_keys.iter().map(|key| key.public()).collect();
    let aside = engine::repair_log(&files.config.data.join(engine::FOLDER), &files.domain, &keys)?;
    Ok(match aside {
        None => "there is no engine's log: nothing to do".to_owned(),
        Some(path) => format!(
            "the engine's log is set aside as {}; next: start the node, which votes again after a height or two",
            path.display()
        ),
    })
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
    if let Some(trouble) = disk::too_full(&data) {
        anyhow::bail!(trouble);
    }
    let mut registry = Registry::default();

    copy::settle(&data).with_context(|| format!("data: {}", data.display()))?;
    join(&files).await?;

    let ledger = {
        let founding = files.genesis.founding();
        let voter = (files.config.mode == Mode::Validator).then_some(files.config.member);
        let (path, speaks) = (copy::place(&data), files.config.speaks());
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&path, &domain).map_err(anyhow::Error::from)?;
            let ledger = Ledger::open(store, domain, founding, voter, PoolLimits::default())?;
            anyhow::Ok(ledger.speaking(speaks))
        });
        Arc::new(opened.await??)
    };
    tracing::info!(network = %domain.network, height = %ledger.state().height(), mode = ?files.config.mode, "ledger opened");

    ledger.give(files.given.clone());
    let roster = Roster::new(peers(&membership::listed(&ledger.state())));
    let transactions = Purpose::Transactions;
    let (network, incoming) = TxNetwork::start(
        mesh(&files, transactions),
        roster.clone(),
        NetworkMetrics::register(&mut registry, transactions),
    )
    .await?;
    let spread = spread::start(ledger.clone(), network.clone(), incoming.batches, roster.clone());
    let serving = snapshot::start(ledger.clone(), network.mesh().clone(), incoming.questions, &data);
    let engine = start_engine(&files, &ledger, &roster, &mut registry).await?;
    let (stopping, stopped) = watch::channel(false);
    let service = Arc::new(Service::new(
        &files.genesis,
        ledger.clone(),
        spread,
        engine.health_view(),
        (engine.mesh().clone(), network.mesh().clone()),
        roster.clone(),
        (
            files.config.mode,
            files.doctor(),
            files.peer_key.clone(),
            Checks::new(ledger.clone(), files.genesis.founding(), &data),
        ),
    ));
    let listeners = api::Listeners {
        gateway: files.config.gateway.as_ref().map(Into::into),
        relay: files.config.relay.as_ref().map(Into::into),
        admin: files.config.admin.as_ref().map(Into::into),
        pages: files.config.pages.clone(),
    };
    let counters = Arc::new(Counters::open(&data, clock::now()));
    let kept = counters::keep(Arc::clone(&counters));
    let served = api::serve(
        listeners,
        service.clone(),
        service,
        Arc::new(Backups::new(ledger.clone(), &data)),
        api::Metrics { registry, others: vec![engine::engine_metrics], counters: Arc::clone(&counters) },
        stopped,
    )
    .await?;
    for (name, address) in served.addresses() {
        tracing::info!(listener = name, %address, "listening");
    }
    let pruned = files.config.retention.map(|retention| retention::start(ledger.clone(), retention.blocks));
    let followed = tokio::spawn(follow_registry(ledger.clone(), roster, files.membership(), engine.health_view()));

    let ended = tokio::select! {
        () = stop => None,
        reason = engine.ended() => Some(reason),
    };
    tracing::info!(reason = ended.as_deref().unwrap_or("asked to"), "stopping");
    stopping.send_replace(true);
    followed.abort();
    pruned.inspect(tokio::task::JoinHandle::abort);
    served.finished().await;
    kept.abort();
    counters.save();
    engine.stop().await;
    network.mesh().stop().await;
    serving.abort();
    match ended {
        None => Ok(()),
        Some(reason) => anyhow::bail!("consensus ended: {reason}"),
    }
}

/// Takes a snapshot where the node has no blocks and its peers are far ahead. A validator that comes so
/// late without a record of signed votes may have lost it with its store.
async fn join(files: &Files) -> anyhow::Result<()> {
    let mesh = MeshConfig { listen: None, ..mesh(files, Purpose::Transactions) };
    let (genesis, data) = (&files.genesis, &files.config.data);
    let seen = snapshot::join(Joining { mesh, genesis, data, snapshot: files.config.join.snapshot }).await?;
    let consensus = data.join(engine::FOLDER);
    if !files.consensus_keys.is_empty() && seen.is_some_and(snapshot::is_far) && !engine::has_record(&consensus)? {
        engine::mark_quiet(&consensus)?;
    }
    Ok(())
}

/// Everything a node reads at its start.
pub(crate) struct Files {
    pub(crate) config: Config,
    pub(crate) genesis: Genesis,
    pub(crate) domain: Domain,
    pub(crate) consensus_keys: Vec<Arc<dyn Signer>>,
    peer_key: SecretKey,
    shared_key: Option<[u8; 32]>,
    /// Recovery handovers that a person has given this node.
    pub(crate) given: Vec<RecoveryHandover>,
}

impl Files {
    pub(crate) fn load(home: &Path) -> anyhow::Result<Self> {
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
        let passphrases = config.keys.passphrases();
        let consensus = config.keys.consensus.iter().map(|path| {
            let file = load_key("keys.consensus", path, KeyPurpose::Consensus)?;
            file.open(&passphrases).map_err(|error| ConfigError::Key { field: "keys.consensus", error })
        });
        let consensus_keys = consensus.collect::<Result<Vec<_>, _>>()?;
        let peer_key = load_key("keys.peer", &config.keys.peer, KeyPurpose::Peer)?
            .secret(&passphrases)
            .map_err(|error| ConfigError::Key { field: "keys.peer", error })?;
        let shared_key = config.keys.network.as_ref().map(|path| shared_key(path)).transpose()?;
        let given = recover::load(&config.data)?;
        Ok(Self { config, genesis, domain, consensus_keys, peer_key, shared_key, given })
    }

    fn doctor(&self) -> Doctor {
        let keys = &self.config.keys;
        let peer = KeyOnDisk {
            field: "keys.peer",
            path: keys.peer.clone(),
            purpose: KeyPurpose::Peer,
            key: self.peer_key.public(),
        };
        let consensus = keys.consensus.iter().zip(&self.consensus_keys).map(|(path, key)| KeyOnDisk {
            field: "keys.consensus",
            path: path.clone(),
            purpose: KeyPurpose::Consensus,
            key: key.public(),
        });
        let ports = self.config.network.peers.iter().flat_map(|peer| {
            let addresses = [peer.consensus, peer.transactions].into_iter().flatten();
            addresses.map(|address| (peer.key, address))
        });
        Doctor {
            domain: self.domain,
            data: self.config.data.clone(),
            keys: std::iter::once(peer).chain(consensus).collect(),
            secrets: keys.network.clone().into_iter().collect(),
            ports: ports.collect(),
            own: self.membership(),
            speaks: self.config.speaks(),
        }
    }

    fn membership(&self) -> Membership {
        Membership {
            code: self.config.member,
            peer: self.peer_key.public(),
            consensus: self.consensus_keys.iter().map(|key| key.public()).collect(),
        }
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
    let state = ledger.state();
    let parameters = state.parameters();
    let age = Duration::from_secs(u64::from(parameters.online_age_secs));
    let config = EngineConfig {
        name: files.config.member.to_string(),
        domain: files.domain,
        home: files.config.data.join(engine::FOLDER),
        keys: membership::voting_keys(&state, &files.consensus_keys),
        pace: Pace::for_age(age),
        propose_timeout: PROPOSE_TIMEOUT,
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

/// Listed keys as peers of the network.
fn peers(listed: &[(PublicKey, MemberNumber)]) -> Vec<(PeerId, MemberNumber)> {
    listed.iter().filter_map(|(key, member)| Some((peer_id(key)?, *member))).collect()
}

/// Keeps the allow-list in step with the member registry, and says what the register denies this
/// node.
async fn follow_registry(ledger: Arc<Ledger>, roster: Roster, own: Membership, health: HealthView) {
    let mut heights = ledger.heights();
    let mut list = Vec::new();
    loop {
        let state = ledger.state();
        // Keys begin and end at heights, also where no record changes.
        let next = membership::listed(&state);
        if next != list {
            list = next;
            roster.set(peers(&list));
            tracing::info!(height = %state.height(), keys = list.len(), "peers follow the member registry");
        }
        health.note_membership(own.trouble(&state));
        if heights.changed().await.is_err() {
            return;
        }
    }
}
