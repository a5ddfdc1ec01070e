//! What a node's folder holds: `node.toml` and key files, in the form the node reads.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use fengni_core::PublicKey;

use super::map::NodeRole;

/// A node to be written down.
pub(super) struct NodePlan {
    pub(super) name: String,
    pub(super) member: String,
    pub(super) code: String,
    pub(super) role: NodeRole,
    pub(super) peer: PublicKey,
    pub(super) consensus: Option<SocketAddr>,
    pub(super) transactions: Option<SocketAddr>,
    pub(super) gateway: SocketAddr,
    pub(super) relay: Option<SocketAddr>,
    pub(super) admin: SocketAddr,
}

impl NodePlan {
    /// The node's configuration, with the peers it dials, and the pages it serves.
    pub(super) fn config(&self, peers: &[&Self], pages: Option<&Path>) -> String {
        let mut text = String::from("# Made by `fengni sample`. Paths are relative to this file's folder.\n");
        let mut line = |text_of_line: String| {
            text.push_str(&text_of_line);
            text.push('\n');
        };
        line(format!("mode = \"{}\"", self.role));
        line(format!("member = \"{}\"", self.code));
        line("genesis = \"../../genesis.bin\"".to_owned());
        line("data = \"data\"".to_owned());
        if let Some(pages) = pages {
            line(format!("pages = {:?}", pages.display().to_string()));
        }
        line("\n[keys]".to_owned());
        if self.role == NodeRole::Validator {
            line("consensus = \"keys/consensus.json\"".to_owned());
        }
        line("peer = \"keys/peer.json\"".to_owned());
        line("\n[network]".to_owned());
        for (name, address) in self.addresses() {
            line(format!("{name} = \"{address}\""));
        }
        for peer in peers {
            line(format!("\n# {}\n[[network.peers]]", peer.name));
            line(format!("key = \"{}\"", peer.peer));
            for (name, address) in peer.addresses() {
                line(format!("{name} = \"{address}\""));
            }
        }
        line(format!("\n[gateway]\nlisten = \"{}\"", self.gateway));
        if let Some(relay) = self.relay {
            line(format!("\n[relay]\nlisten = \"{relay}\""));
        }
        line(format!("\n[admin]\nlisten = \"{}\"", self.admin));
        line("\n[log]\nformat = \"json\"\nlevel = \"info\"".to_owned());
        text
    }

    fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let listed = [("consensus", self.consensus), ("transactions", self.transactions)];
        listed.into_iter().filter_map(|(name, address)| Some((name, address?)))
    }
}

/// Makes the folders above a file.
pub(super) fn create_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// Writes a file with the folders above it.
pub(super) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    create_folder(path)?;
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}
