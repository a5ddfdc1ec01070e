//! The configuration: one commented TOML file a node. See `node/deploy/node.toml`.
//!
//! A wrong file is refused with the name of the field and the next step; an unknown field is a
//! mistake, not a comment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fengni_core::PublicKey;
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::id::CreditCode;
use fengni_core::record::KeyPurpose;
use fengni_signer::{KeyFile, OpenError, Passphrases, Source};
use serde::{Deserialize, Deserializer};
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
    /// Sign votes; validators only. One path, or a list while keys are rotated: each height is
    /// signed with the one that the ledger names for it.
    #[serde(default, deserialize_with = "one_or_many")]
    pub consensus: Vec<PathBuf>,
    /// Names the node on the network. A key in a file: it opens connections, not only signs.
    pub peer: PathBuf,
    /// File with the passphrase of encrypted key files.
    pub passphrase_file: Option<PathBuf>,
    /// Environment variable with the passphrase, where no file holds it.
    pub passphrase_env: Option<String>,
    /// Pre-shared network key, 64 hexadecimal digits; every node has the same or none.
    pub network: Option<PathBuf>,
}

impl Keys {
    /// Where passphrases come from; the terminal where nothing is named.
    pub fn passphrases(&self) -> Passphrases {
        let file = self.passphrase_file.clone().map(Source::File);
        Passphrases::new(file.into_iter().chain(self.passphrase_env.clone().map(Source::Env)).collect())
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path, or a list of paths")]
    enum Paths {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(deserializer)? {
        Paths::One(path) => vec![path],
        Paths::Many(paths) => paths,
    })
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
    /// The nodes it dials. Who is let in is the member registry's to say.
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
    /// Runs the node as an older program, which speaks no later version of the protocol: to rehearse
    /// an upgrade.
    pub as_version: Option<u16>,
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
    /// A key file that gives no key.
    #[error("{field}: {error}")]
    Key {
        /// The field that names it.
        field: &'static str,
        /// What is wrong with it, and the next step.
        error: OpenError,
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

    /// The newest version of the protocol that the node speaks.
    pub fn speaks(&self) -> u16 {
        self.as_version.unwrap_or(PROTOCOL_VERSION)
    }

    fn relative_to(mut self, home: &Path) -> Self {
        let paths = [Some(&mut self.genesis), Some(&mut self.data), Some(&mut self.keys.peer)];
        let keys = [self.keys.network.as_mut(), self.keys.passphrase_file.as_mut()];
        let ring = self.keys.consensus.iter_mut().map(Some);
        let listeners = [self.gateway.as_mut(), self.relay.as_mut(), self.admin.as_mut()];
        let tls = listeners.into_iter().flatten().flat_map(|l| [l.tls_certificate.as_mut(), l.tls_key.as_mut()]);
        for path in paths.into_iter().chain(keys).chain(ring).chain(tls).chain([self.pages.as_mut()]).flatten() {
            *path = home.join(&*path);
        }
        self
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field, why: &str, next| Err(ConfigError::Field { field, why: why.to_owned(), next });
        match (self.mode, self.keys.consensus.is_empty()) {
            (Mode::Validator, true) => {
                return wrong("keys.consensus", "a validator signs votes", "name the consensus key file");
            }
            (Mode::Observer, false) => {
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
        if self.as_version.is_some_and(|version| !(1..=PROTOCOL_VERSION).contains(&version)) {
            return wrong("as_version", "this program speaks no such version", "write 1 or above, or remove the line");
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

/// Reads a key file.
///
/// # Errors
/// [`ConfigError`]; the message never shows the file's secret.
pub fn load_key(field: &'static str, path: &Path, purpose: KeyPurpose) -> Result<KeyFile, ConfigError> {
    let file = KeyFile::load(path).map_err(|error| ConfigError::Key { field, error: error.into() })?;
    if file.purpose != purpose.into() {
        return Err(ConfigError::Field {
            field,
            why: format!("{} holds a key for another purpose", path.display()),
            next: "name the node's own key file; fengni key inspect tells what a file holds",
        });
    }
    Ok(file)
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
    fn keys_are_rotated_by_naming_both_and_passphrases_stand_beside() {
        let keys = "consensus = [\"keys/a.json\", \"keys/b.json\"]\npassphrase_file = \"keys/passphrase\"";
        let config = load(|text| text.replace("consensus = \"keys/consensus.json\"", keys)).expect("two keys");
        assert!(config.keys.consensus.iter().all(|path| path.is_absolute()) && config.keys.consensus.len() == 2);
        let file = Source::File(config.keys.passphrase_file.clone().expect("a file"));
        assert_eq!(config.keys.passphrases(), Passphrases::new(vec![file]));
        assert!(refusal("consensus = \"keys/consensus.json\"", "consensus = []").starts_with("keys.consensus"));
        assert!(refusal("consensus = \"keys/consensus.json\"", "consensus = 7").contains("a path, or a list"));
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
    fn a_node_speaks_the_newest_version_unless_it_rehearses() {
        let line = |text: &str| text.replace("# as_version = 1", "as_version = 1");
        assert_eq!(load(str::to_owned).expect("the sample is right").speaks(), PROTOCOL_VERSION);
        assert_eq!(load(line).expect("what the sample comments out is right").speaks(), 1);
        let later = format!("as_version = {}", PROTOCOL_VERSION + 1);
        assert!(refusal("# as_version = 1", &later).starts_with("as_version"));
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
