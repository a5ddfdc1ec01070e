//! The gateway's configuration: `provider.toml` in its folder, which holds secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use fengni_client::keys::files;
use fengni_core::id::CreditCode;
use fengni_core::{BookNumber, ResourceNumber};
use serde::Deserialize;

use crate::data::{Table, TableConfig};

pub(crate) const FILE: &str = "provider.toml";
const FILE_BYTES: u64 = 256 * 1024;
const ROOTS_BYTES: u64 = 1024 * 1024;
const CONNECTIONS_MAX: u32 = 64;
const TIMEOUT_MILLIS_MAX: u64 = 10_000;
/// How long a receipt may wait for its batch, at most: it is to be anchored within 10 seconds.
const BATCH_SECS_MAX: u64 = 8;
/// How long records of processing are kept, at least (HLD-06): three years, the longest there are.
const KEPT_DAYS_MIN: u64 = 1_096;
const KEPT_DAYS_MAX: u64 = 36_525;
/// The oldest that what is known of the ledger may be: a withdrawal is to hold within 5 seconds, and takes one until
/// a node is asked for the newest header, and one until it answers.
const FRESH_MILLIS_MAX: u64 = 3_000;

/// What the operator says.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// URLs of gateways to ask, in order of preference.
    pub(crate) gateways: Vec<String>,
    /// URLs of relays that take transactions.
    pub(crate) relays: Vec<String>,
    /// The founding document.
    pub(crate) genesis: PathBuf,
    /// Who vouches for TLS certificates of gateways and relays, in PEM; else the public ones.
    roots: Option<PathBuf>,
    /// The member's application key, which signs receipts and writes in the book.
    pub(crate) key: PathBuf,
    /// The member's book of receipts.
    pub(crate) book: BookNumber,
    /// The department's database.
    pub(crate) database: DatabaseConfig,
    /// What each resource is in it, by its number on the ledger.
    resources: BTreeMap<String, TableConfig>,
    /// Credit codes of the members whose certificates say who somebody is (IDN-03); where it is left out, of
    /// whoever has the authority over such types.
    pub(crate) identities: Option<Vec<CreditCode>>,
    /// Where departments ask for data; off where it is left out.
    pub(crate) departments: Option<ListenerConfig>,
    /// Where holders ask about themselves; off where it is left out.
    pub(crate) public: Option<ListenerConfig>,
    #[serde(default)]
    pub(crate) receipts: ReceiptsConfig,
    #[serde(default)]
    pub(crate) ledger: LedgerConfig,
    #[serde(skip)]
    home: PathBuf,
}

/// The department's database.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatabaseConfig {
    /// A file of SQLite, seen from the folder.
    sqlite: Option<PathBuf>,
    /// Where PostgreSQL is, with the name and password of somebody who may read.
    postgres: Option<String>,
    #[serde(default = "connections")]
    connections: u32,
    #[serde(default = "timeout_millis")]
    timeout_millis: u64,
}

fn connections() -> u32 {
    8
}

fn timeout_millis() -> u64 {
    2_000
}

/// Which database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server; holds a password.
    Postgres(String),
}

impl DatabaseConfig {
    /// Which database.
    ///
    /// # Panics
    /// Never for what [`Config::load`] read: it names one.
    pub(crate) fn address(&self) -> Address {
        match (&self.sqlite, &self.postgres) {
            (Some(path), _) => Address::Sqlite(path.clone()),
            (None, url) => Address::Postgres(url.clone().unwrap_or_default()),
        }
    }

    /// Connections that are open at once, at most.
    pub(crate) fn connections(&self) -> u32 {
        self.connections
    }

    /// How long a question may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_millis)
    }
}

/// One HTTP listener, with the options of a node's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenerConfig {
    /// Address and port.
    pub(crate) listen: SocketAddr,
    /// PEM chain; needed where the address is not of this host alone.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// PEM key.
    pub(crate) tls_key: Option<PathBuf>,
    /// Says that a proxy on this host ends TLS in front of the listener.
    #[serde(default)]
    pub(crate) plaintext_behind_proxy: bool,
}

/// How receipts are kept and anchored.
#[derive(Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReceiptsConfig {
    /// How long a receipt waits for its batch, in seconds: time for the requester to countersign.
    batch_secs: u64,
    /// How long an answer is kept for a requester that asks for it again, sealed as it was, in hours.
    answer_hours: u64,
    /// How long a receipt is kept, in days; its leaf and number stay.
    kept_days: u64,
}

impl Default for ReceiptsConfig {
    fn default() -> Self {
        Self { batch_secs: 5, answer_hours: 24, kept_days: KEPT_DAYS_MIN }
    }
}

impl ReceiptsConfig {
    pub(crate) fn batch_after(self) -> Duration {
        Duration::from_secs(self.batch_secs)
    }

    pub(crate) fn answers_kept(self) -> Duration {
        Duration::from_secs(self.answer_hours * 3_600)
    }

    pub(crate) fn receipts_kept(self) -> Duration {
        Duration::from_secs(self.kept_days * 86_400)
    }
}

/// How the ledger is followed.
#[derive(Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LedgerConfig {
    /// How often the ledger is asked, in milliseconds.
    poll_millis: u64,
    /// How old what is known of it may be for a grant to count, in milliseconds.
    fresh_millis: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { poll_millis: 1_000, fresh_millis: FRESH_MILLIS_MAX }
    }
}

impl LedgerConfig {
    pub(crate) fn poll(self) -> Duration {
        Duration::from_millis(self.poll_millis)
    }

    pub(crate) fn fresh_millis(self) -> u64 {
        self.fresh_millis
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({})", self.home.display())
    }
}

impl Config {
    /// Reads the configuration of a folder.
    ///
    /// # Errors
    /// What is wrong, without repeating a line of it.
    pub(crate) fn load(home: &Path) -> Result<Self> {
        let path = home.join(FILE);
        let bytes = files::read_private(&path, FILE_BYTES).map_err(|error| match error.is_missing() {
            true => anyhow!(error).context("next: fengni-provider init"),
            false => anyhow!(error),
        })?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
        Self::parse(text, home).with_context(|| format!("{}; next: correct it", path.display()))
    }

    /// The configuration of a text.
    pub(crate) fn parse(text: &str, home: &Path) -> Result<Self> {
        // The place alone: what the reader of TOML quotes could be a password.
        let wrong = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            anyhow!("line {} is not as it should be", before.lines().count().max(1))
        };
        let mut config = Self { home: home.to_owned(), ..toml::from_str(text).map_err(wrong)? };
        let database = &mut config.database;
        if database.sqlite.is_some() == database.postgres.is_some() {
            bail!("[database] names sqlite or postgres, one of them");
        }
        database.sqlite = database.sqlite.take().map(|path| home.join(path));
        let bounds = [
            (u64::from(config.database.connections), 1, u64::from(CONNECTIONS_MAX), "database.connections"),
            (config.database.timeout_millis, 1, TIMEOUT_MILLIS_MAX, "database.timeout_millis"),
            (config.receipts.batch_secs, 1, BATCH_SECS_MAX, "receipts.batch_secs"),
            (config.receipts.answer_hours, 1, 24 * 31, "receipts.answer_hours"),
            (config.receipts.kept_days, KEPT_DAYS_MIN, KEPT_DAYS_MAX, "receipts.kept_days"),
            (config.ledger.poll_millis, 100, 2_000, "ledger.poll_millis"),
            (config.ledger.fresh_millis, config.ledger.poll_millis, FRESH_MILLIS_MAX, "ledger.fresh_millis"),
        ];
        if let Some((_, from, until, name)) = bounds.iter().find(|(it, from, until, _)| !(from..=until).contains(&it)) {
            bail!("{name} is not from {from} to {until}");
        }
        if config.gateways.is_empty() || config.relays.is_empty() {
            bail!("it names no gateway or no relay");
        }
        config.tables()?;
        Ok(config)
    }

    /// What each resource is in the database.
    pub(crate) fn tables(&self) -> Result<BTreeMap<ResourceNumber, Table>> {
        let table = |(number, table): (&String, &TableConfig)| {
            let number = number.parse().with_context(|| format!("{number:?} is no number of a resource"))?;
            Ok((ResourceNumber(number), Table::new(table)?))
        };
        self.resources.iter().map(table).collect()
    }

    /// A path of the configuration, which is seen from its folder.
    pub(crate) fn seen_from_home(&self, path: &Path) -> PathBuf {
        self.home.join(path)
    }

    /// Certificates of those who vouch for others, in PEM; empty for the public ones.
    pub(crate) fn roots(&self) -> Result<Vec<u8>> {
        let Some(path) = &self.roots else { return Ok(Vec::new()) };
        Ok(files::read(&self.seen_from_home(path), ROOTS_BYTES)?)
    }
}

/// What `init` writes: every setting that has to be made, and what the others are.
pub(crate) const TEMPLATE: &str = r#"# fengni-provider: paths are seen from this folder.
gateways = ["https://gateway.example"]
relays = ["https://relay.example"]
genesis = "genesis.bin"
# roots = "roots.pem"
key = "application.key.json"   # the member's application key: signs receipts, writes in the book
book = 0                       # the member's book of receipts: fengni books

# Members whose certificates say who somebody is, by credit code; left out: all that have the authority.
# identities = ["11319900XN0100021G"]

[database]
sqlite = "data.db"
# postgres = "postgres://reader:password@db.internal/data"
# connections = 8
# timeout_millis = 2000

# A table or view for each resource, by its number on the ledger; a column for each item, in order.
[resources.0]
table = "insured"
subject = "id_number"
fields = [{ column = "months", kind = "number" }]   # kind: text, number, date

# Where departments ask for data.
[departments]
listen = "127.0.0.1:8460"
# tls_certificate = "chain.pem"
# tls_key = "key.pem"

# Where holders ask who used what, and withdraw.
[public]
listen = "127.0.0.1:8461"

# [receipts]
# batch_secs = 5       # a receipt waits so long for its batch
# answer_hours = 24    # a sealed answer is kept so long for who asks again
# kept_days = 1096     # a receipt is kept so long: three years at least
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_configuration() {
        let config = Config::parse(TEMPLATE, Path::new("/srv/provider")).expect("well formed");
        assert!(config.database.address() == Address::Sqlite("/srv/provider/data.db".into()));
        assert_eq!((config.tables().expect("names").len(), config.identities), (1, None));
        let listed = TEMPLATE.replace("# identities", "identities");
        let config = Config::parse(&listed, Path::new("/srv/provider")).expect("well formed");
        assert_eq!(config.identities.map(|listed| listed.len()), Some(1));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_repeated() {
        let wrong = |from: &str, to: &str| {
            let text = TEMPLATE.replace(from, to);
            assert_ne!(text, TEMPLATE, "{from}");
            format!("{:#}", Config::parse(&text, Path::new("/srv/provider")).expect_err("refused"))
        };
        assert!(wrong("# postgres", "postgres").contains("one of them"));
        assert!(wrong("# batch_secs = 5", "# \n[receipts]\nbatch_secs = 9").contains("receipts.batch_secs"));
        assert!(wrong("table = \"insured\"", "table = 'a\"b'").contains("no name of a table"));
        assert!(wrong("# batch_secs = 5", "# \n[ledger]\nfresh_millis = 3001").contains("ledger.fresh_millis"));
        assert!(wrong("# kept_days = 1096", "# \n[receipts]\nkept_days = 1095").contains("receipts.kept_days"));
        assert!(wrong("# identities = [\"11319900XN0100021G\"]", "identities = [\"PSB\"]").contains("line"));
        let secret = wrong("# connections = 8", "password_of_db = 'geheim'");
        assert!(secret.contains("line") && !secret.contains("geheim"), "{secret}");
    }
}
