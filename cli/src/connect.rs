//! Connecting: which network, which nodes to ask, and what is trusted to begin with.
//!
//! With a map (`network.json`) everything is known; without one, a gateway and the founding
//! document are enough to read, and a relay to act.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
pub(crate) use fengni_client::founding::load as load_genesis;
use fengni_client::gateway::Gateway;
use fengni_client::ledger::Ledger;
use fengni_client::light;
use fengni_client::submit::Submitter;
use fengni_client::transport::HttpOptions;
use fengni_core::light::LightClient;
use fengni_genesis::Genesis;

use crate::local::map::{self, NetworkMap, NodeRole};
use crate::output::Output;

/// The light client's file in a member's folder.
const LIGHT_FILE: &str = "light.json";

/// Where the network is.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConnectArgs {
    /// Map of the network; else the network.json of this folder, of --home or above them
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) network: Option<PathBuf>,
    /// URL of a gateway to ask, such as `https://gateway.example`; may be given several times
    #[arg(long = "gateway", value_name = "URL", help_heading = "Network")]
    pub(crate) gateways: Vec<String>,
    /// URL of a relay that takes transactions; may be given several times
    #[arg(long = "relay", value_name = "URL", help_heading = "Network")]
    pub(crate) relays: Vec<String>,
    /// Founding document to trust from, as genesis.bin or genesis.toml
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) genesis: Option<PathBuf>,
    /// File that remembers what was proven, so that no answer goes back; else in --home
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) state: Option<PathBuf>,
}

/// A network that can be asked.
pub(crate) struct Connection {
    /// The map, if there is one.
    pub(crate) map: Option<NetworkMap>,
    /// The founding document.
    pub(crate) genesis: Genesis,
    /// The ledger as quorums prove it.
    pub(crate) ledger: Ledger,
    relays: Vec<String>,
    state: Option<PathBuf>,
}

impl ConnectArgs {
    /// The map that is named, or the nearest one.
    pub(crate) fn map(&self, home: Option<&Path>) -> Result<Option<NetworkMap>> {
        if let Some(path) = &self.network {
            return NetworkMap::load(path).map(Some);
        }
        // Who names a gateway means that one and no network that happens to be near.
        if !self.gateways.is_empty() {
            return Ok(None);
        }
        let here = std::env::current_dir().ok();
        let starts = home.map(Path::to_owned).into_iter().chain(here).filter_map(|path| path.canonicalize().ok());
        let found = starts.flat_map(|start| start.ancestors().map(Path::to_owned).collect::<Vec<_>>());
        let found = found.map(|folder| folder.join(map::FILE)).find(|file| file.is_file());
        found.map(|file| NetworkMap::load(&file)).transpose()
    }

    /// The founding document that is named, or the map's.
    fn genesis(&self, map: Option<&NetworkMap>) -> Result<Genesis> {
        let path = self.genesis.clone().or_else(|| map.map(|map| map.path(&map.genesis)));
        let path =
            path.context("no network is named; next: give --network FILE, or --gateway URL and --genesis FILE")?;
        let genesis = load_genesis(&path)?;
        if let Some(map) = map.filter(|map| map.network != genesis.network()) {
            bail!("{} founds network {}, the map is of {}", path.display(), genesis.network(), map.network);
        }
        Ok(genesis)
    }

    /// The map, if there is one, and the founding document: enough without any network.
    pub(crate) fn founding(&self, home: Option<&Path>) -> Result<(Option<NetworkMap>, Genesis)> {
        let map = self.map(home)?;
        let genesis = self.genesis(map.as_ref())?;
        Ok((map, genesis))
    }

    /// The nodes to ask: those that are named, or the map's.
    pub(crate) fn gateway(&self, map: Option<&NetworkMap>, home: Option<&Path>) -> Result<Gateway> {
        let gateways = if self.gateways.is_empty() { gateways_of(map, home) } else { self.gateways.clone() };
        if gateways.is_empty() {
            bail!("there is no node to ask; next: give --gateway URL");
        }
        Ok(Gateway::http(&gateways, &HttpOptions::default())?)
    }

    /// Connects.
    ///
    /// - `home`: a member's folder, which remembers what was proven.
    pub(crate) fn open(&self, home: Option<&Path>) -> Result<Connection> {
        let (map, genesis) = self.founding(home)?;
        let gateway = self.gateway(map.as_ref(), home)?;
        let mut relays = self.relays.clone();
        if relays.is_empty() {
            relays = map.iter().flat_map(|map| map.nodes.iter().filter_map(|node| node.relay.clone())).collect();
        }
        let state = self.state.clone().or_else(|| home.map(|home| home.join(LIGHT_FILE)));
        let light = match &state {
            Some(path) => light::open(path, &genesis)?,
            None => LightClient::from_checkpoint(genesis.checkpoint()),
        };
        Ok(Connection { map, genesis, ledger: Ledger::new(light, gateway), relays, state })
    }
}

/// Gateways of a map: a member's own node first.
fn gateways_of(map: Option<&NetworkMap>, home: Option<&Path>) -> Vec<String> {
    let Some(map) = map else { return Vec::new() };
    let home = home.and_then(|home| home.canonicalize().ok());
    let own = map.members.iter().find(|member| Some(map.path(&member.home)) == home).map(|member| &member.key);
    let mut nodes: Vec<_> = map.nodes.iter().collect();
    nodes.sort_by_key(|node| (Some(&node.member) != own, node.role == NodeRole::Validator));
    nodes.into_iter().filter_map(|node| node.gateway.clone()).collect()
}

impl Connection {
    /// A way to submit transactions.
    pub(crate) fn submitter(&self) -> Result<Submitter> {
        if self.relays.is_empty() {
            bail!("there is no relay to send to; next: give --relay URL");
        }
        Ok(Submitter::new(Gateway::http(&self.relays, &HttpOptions::default())?))
    }

    /// Remembers what was proven. An answer stands without it, so that a failure only warns.
    pub(crate) fn save(&self, output: Output) {
        remember(self.state.as_deref(), &self.ledger, output);
    }

    /// The ledger alone, and what remembers it.
    pub(crate) fn into_parts(self) -> (Ledger, Memory) {
        (self.ledger, Memory { state: self.state })
    }
}

/// Where what was proven is remembered.
pub(crate) struct Memory {
    state: Option<PathBuf>,
}

impl Memory {
    /// Remembers what was proven.
    pub(crate) fn save(&self, ledger: &Ledger, output: Output) {
        remember(self.state.as_deref(), ledger, output);
    }
}

fn remember(state: Option<&Path>, ledger: &Ledger, output: Output) {
    if let Some(Err(error)) = state.map(|path| light::save(ledger.light(), path)) {
        output.progress(&format!("note: what was proven could not be remembered: {error}"));
    }
}
