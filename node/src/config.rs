//! The configuration: one commented TOML file a node. See `node/deploy/node.toml`.
//!
//! A wrong file is refused with the name of the field and the next step; an unknown field is a
//! mistake, not a comment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fengni_core::id::CreditCode;
use fengni_core::{PublicKey, SecretKey};
use serde::Deserialize;
use thiserror::Error;

/// Whether the node votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Votes and proposes with the member's consensus key.
    Validator,
    /// Follows final blocks and serves reads; holds no validator or issuing key (SEC-01).
    Observer,
}

/// Key files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Signs votes; validators only.
    pub consensus: Option<PathBuf>,
    /// Names the node on the network.
    pub peer: PathBuf,
    /// Pre-shared network key, 64 hexadecimal digits; every node has the same or none.
    pub network: Option<PathBuf>,
}

/// A peer this node knows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its peer key, as in the member registry.
    pub key: PublicKey,
    /// Where its consensus listener is; left out where the peer only dials.
    pub consensus: Option<SocketAddr>,
    /// Where its transaction listener is.
    pub transactions: Option<SocketAddr>,
}

/// Listeners towards other nodes, and the nodes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Listens for consensus; left out where the node only dials.
    pub consensus: Option<SocketAddr>,
    /// Listens for transactions.
    pub transactions: Option<SocketAddr>,
    /// The nodes it dials and lets in.
    #[serde(default)]
    pub peers: Vec<Peer>,
}

/// One HTTP listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Address and port.
    pub listen: SocketAddr,
    /// PEM chain; needed where the address is not of this host alone.
    pub tls_certificate: Option<PathBuf>,
    /// PEM key.
    pub tls_key: Option<PathBuf>,
    /// Says that a proxy on this host ends TLS in front of the listener.
    #[serde(default)]
    pub plaintext_behind_proxy: bool,
}

/// How the node logs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `json` or `text`.
    pub format: LogFormat,
    /// Level or filter, such as `info` or `info,fengni_node::network=debug`.
    pub level: String,
}

/// Form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// How long the node keeps old blocks.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The newest blocks whose bodies, outcomes and transactions are kept; at least the window in
    /// which a transaction may come again, and 1,024.
    pub blocks: u64,
}

/// How a node without blocks begins.
#[derive(Clone, Copy, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Whether it takes a snapshot from a peer; left out, it does where peers are far ahead.
    pub snapshot: Option<bool>,
}

/// A node's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether the node votes.
    pub mode: Mode,
    /// Credit code of the member that runs it.
    pub member: CreditCode,
    /// The founding document's canonical bytes.
    pub genesis: PathBuf,
    /// Folder for everything the node writes.
    pub data: PathBuf,
    /// Key files.
    pub keys: Keys,
    /// Other nodes.
    pub network: Network,
    /// Read-only HTTP for everybody.
    pub gateway: Option<Listener>,
    /// Takes signed transactions.
    pub relay: Option<Listener>,
    /// Health, metrics and status for the operator.
    pub admin: Option<Listener>,
    /// Folder of the verifier's pages, which the gateway serves under `/web/`.
    pub pages: Option<PathBuf>,
    /// How the node begins without blocks.
    #[serde(default)]
    pub join: Join,
    /// What a pruned node keeps; an archive has no such table and keeps everything.
    pub retention: Option<Retention>,
    /// Log lines.
    #[serde(default)]
    pub log: Log,
}

/// Why a node cannot start from its files.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{field}: cannot read {path}: {error}; next: {next}")]
    File {
        /// The field that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
        /// What to do.
        next: &'static str,
    },
    /// The file is not a configuration.
    #[error("{path}: {error}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Field and line, from the parser.
        error: Box<toml::de::Error>,
    },
    /// A field contradicts another or the genesis.
    #[error("{field}: {why}; next: {next}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong.
        why: String,
        /// What to do.
        next: &'static str,
    },
}

impl Config {
    /// Reads `node.toml` in a node's home; paths in it are relative to the home.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let path = home.join("node.toml");
        let next = "give the node's folder with --home; fengni sample makes one";
        let text = read("home", &path, next)?;
        let config: Self =
            toml::from_str(&text).map_err(|error| ConfigError::Syntax { path, error: Box::new(error) })?;
        let config = config.relative_to(home);
        config.check()?;
        Ok(config)
    }

    fn relative_to(mut self, home: &Path) -> Self {
        let paths = [Some(&mut self.genesis), Some(&mut self.data), Some(&mut self.keys.peer)];
        let keys = [self.keys.consensus.as_mut(), self.keys.network.as_mut()];
        let listeners = [self.gateway.as_mut(), self.relay.as_mut(), self.admin.as_mut()];
        let tls = listeners.into_iter().flatten().flat_map(|l| [l.tls_certificate.as_mut(), l.tls_key.as_mut()]);
        for path in paths.into_iter().chain(keys).chain(tls).chain([self.pages.as_mut()]).flatten() {
            *path = home.join(&*path);
        }
        self
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field, why: &str, next| Err(ConfigError::Field { field, why: why.to_owned(), next });
        match (self.mode, &self.keys.consensus) {
            (Mode::Validator, None) => {
                return wrong("keys.consensus", "a validator signs votes", "name the consensus key file");
            }
            (Mode::Observer, Some(_)) => {
                return wrong("keys.consensus", "an observer holds no validator key", "remove the line and the file");
            }
            _ => (),
        }
        if self.pages.is_some() && self.gateway.is_none() {
            return wrong("pages", "there is no gateway to serve them", "add a [gateway] table or remove the line");
        }
        if self.pages.as_ref().is_some_and(|folder| !folder.is_dir()) {
            return wrong("pages", "there is no such folder", "build the pages with: make web");
        }
        for (field, listener) in [("gateway", &self.gateway), ("relay", &self.relay), ("admin", &self.admin)] {
            let Some(listener) = listener else { continue };
            if listener.tls_certificate.is_some() != listener.tls_key.is_some() {
                return wrong(field, "TLS needs a certificate and a key", "set tls_certificate and tls_key");
            }
            let leaves_host = !listener.listen.ip().is_loopback();
            if leaves_host && listener.tls_certificate.is_none() && !listener.plaintext_behind_proxy {
                return wrong(
                    field,
                    "the listener leaves the host without TLS",
                    "set tls_certificate and tls_key, or plaintext_behind_proxy = true",
                );
            }
        }
        Ok(())
    }
}

/// What a key file holds that a node needs.
#[derive(Deserialize)]
struct KeyFile {
    algorithm: u8,
    seed: String,
}

/// Reads a signing key.
///
/// # Errors
/// [`ConfigError`]; the message never shows the file's content.
pub fn load_key(field: &'static str, path: &Path) -> Result<SecretKey, ConfigError> {
    let text = read(field, path, "make the key with fengni sample, or name another file")?;
    let wrong = || ConfigError::Field {
        field,
        why: format!("{} is no key file", path.display()),
        next: "make the key anew, or restore it from a backup",
    };
    let file: KeyFile = serde_json::from_str(&text).map_err(|_| wrong())?;
    let algorithm = fengni_core::KeyAlgorithm::from_number(file.algorithm).ok_or_else(wrong)?;
    let mut seed = [0; 32];
    hex::decode_to_slice(&file.seed, &mut seed).map_err(|_| wrong())?;
    SecretKey::from_seed(algorithm, &seed).ok_or_else(wrong)
}

/// Reads a file as text.
///
/// # Errors
/// [`ConfigError::File`].
pub fn read(field: &'static str, path: &Path, next: &'static str) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::File { field, path: path.to_owned(), error, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(edit: impl Fn(&str) -> String) -> Result<Config, ConfigError> {
        let home = tempfile::tempdir().expect("a folder for the test");
        let text = edit(include_str!("../deploy/node.toml"));
        std::fs::write(home.path().join("node.toml"), text).expect("the folder is writable");
        Config::load(home.path())
    }

    fn refusal(from: &str, to: &str) -> String {
        let refused = load(|text| {
            assert!(text.contains(from), "the sample has {from}");
            text.replace(from, to)
        });
        refused.expect_err("the change is a mistake").to_string()
    }

    #[test]
    fn the_commented_sample_is_a_configuration() {
        let config = load(str::to_owned).expect("the sample is right");
        assert_eq!(config.mode, Mode::Validator);
        assert!(config.genesis.is_absolute() && config.genesis.ends_with("genesis.bin"));
    }

    #[test]
    fn a_node_keeps_everything_and_joins_as_it_sees_fit_unless_told_otherwise() {
        let config = load(str::to_owned).expect("the sample is right");
        assert!(config.retention.is_none() && config.join.snapshot.is_none());
        let told = |text: &str| {
            let told = ["[join]\nsnapshot = true", "[retention]\nblocks = 100000"];
            told.iter().fold(text.to_owned(), |text, table| {
                let commented = format!("# {}", table.replace('\n', "\n# "));
                assert!(text.contains(&commented), "the sample has {commented}");
                text.replace(&commented, table)
            })
        };
        let config = load(told).expect("what the sample comments out is right");
        assert_eq!(config.retention.map(|retention| retention.blocks), Some(100_000));
        assert_eq!(config.join.snapshot, Some(true));
        assert!(load(|text| told(text).replace("blocks = 100000", "block = 1")).is_err());
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_fields_name() {
        assert!(refusal("mode = \"validator\"", "mode = \"voter\"").contains("mode"));
        assert!(refusal("member = \"11319900XN0100021G\"", "member = \"11319900XN0100021H\"").contains("member"));
        assert!(refusal("data = ", "date = ").contains("date"));
        assert!(refusal("consensus = \"keys/consensus.json\"", "").starts_with("keys.consensus"));
        assert!(refusal("mode = \"validator\"", "mode = \"observer\"").starts_with("keys.consensus"));
        assert!(refusal("listen = \"127.0.0.1:27002\"", "listen = \"0.0.0.0:27002\"").starts_with("gateway"));
        assert!(refusal("listen = \"127.0.0.1:27004\"", "listen = \"here\"").contains("listen"));
    }
}
