//! The map of a network: `network.json`, which people's tools and ours read alike.
//!
//! Paths in it are relative to its folder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fengni_core::id::{CreditCode, TypeCode};
use fengni_core::{MemberNumber, NetworkId, TypeNumber};
use serde::{Deserialize, Serialize};

/// The map's file name.
pub const FILE: &str = "network.json";

/// Version of the map's form.
const SCHEMA: u16 = 1;

/// A network and where its parts are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NetworkMap {
    /// Version of this form.
    pub schema: u16,
    /// Identity of the network.
    pub network: NetworkId,
    /// Its name.
    pub name: String,
    /// The founding document's canonical bytes.
    pub genesis: PathBuf,
    /// Every node, validators first.
    pub nodes: Vec<NodeEntry>,
    /// Every member.
    pub members: Vec<MemberEntry>,
    /// Every certificate type.
    pub types: Vec<TypeEntry>,
    /// The map's folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Whether a node votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeRole {
    /// Votes.
    Validator,
    /// Follows and serves reads.
    Observer,
}

impl std::fmt::Display for NodeRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Validator => "validator",
            Self::Observer => "observer",
        })
    }
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Its name, such as `psb`.
    pub name: String,
    /// Whether it votes.
    pub role: NodeRole,
    /// Short name of the member that runs it.
    pub member: String,
    /// The node's folder.
    pub home: PathBuf,
    /// Where the id of its process stands while it runs.
    pub pid_file: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// Listens for consensus, as host and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consensus: Option<String>,
    /// Listens for transactions of other nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transactions: Option<String>,
    /// URL of the public gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// URL of the relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<String>,
    /// URL of the operator's listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<String>,
}

/// A member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MemberEntry {
    /// Short name, such as `PSB`.
    pub key: String,
    /// Number in the member registry.
    pub number: MemberNumber,
    /// Credit code.
    pub code: CreditCode,
    /// Name.
    pub name: String,
    /// Folder with its keys and archives.
    pub home: PathBuf,
}

/// A certificate type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TypeEntry {
    /// Short name, such as `T-DL`.
    pub key: String,
    /// Number in the registry of types.
    pub number: TypeNumber,
    /// Type code.
    pub code: TypeCode,
    /// Name.
    pub name: String,
}

impl NetworkMap {
    /// A map of this form.
    pub(crate) fn new(network: NetworkId, name: &str, genesis: PathBuf, folder: &Path) -> Self {
        Self {
            schema: SCHEMA,
            network,
            name: name.to_owned(),
            genesis,
            nodes: Vec::new(),
            members: Vec::new(),
            types: Vec::new(),
            folder: folder.to_owned(),
        }
    }

    /// Reads a map from its file or from the folder that holds it.
    ///
    /// # Errors
    /// Where the file cannot be read or is no map of this form.
    pub fn load(path: &Path) -> Result<Self> {
        let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let text = std::fs::read_to_string(&file).with_context(|| {
            format!("{} cannot be read; next: fengni sample --home DIR makes a network", file.display())
        })?;
        let mut map: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is no map of a network", file.display()))?;
        if map.schema != SCHEMA {
            bail!("{} has schema {}, this program reads {SCHEMA}", file.display(), map.schema);
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Processes are found by the folder on their command line, which must not depend on ours.
        map.folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
        Ok(map)
    }

    /// Writes the map into its folder.
    pub(crate) fn save(&self) -> Result<()> {
        let path = self.folder.join(FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// A path of the map as one that can be opened.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The nodes with this name, or all.
    pub(crate) fn chosen(&self, name: Option<&str>) -> Result<Vec<&NodeEntry>> {
        let Some(name) = name else { return Ok(self.nodes.iter().collect()) };
        match self.nodes.iter().find(|node| node.name == name) {
            Some(node) => Ok(vec![node]),
            None => {
                let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
                bail!("there is no node {name}; next: name one of {}", names.join(", "))
            }
        }
    }

    /// The member with a short name or a credit code.
    pub fn member(&self, name: &str) -> Option<&MemberEntry> {
        self.members.iter().find(|member| member.key.eq_ignore_ascii_case(name) || member.code.as_str() == name)
    }
}
