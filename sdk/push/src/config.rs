//! The service's configuration: `push.toml` in its folder, which holds secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::subscription::Name;
use anyhow::{Context as _, Result, anyhow, bail};
use fengni_client::keys::files;
use serde::Deserialize;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

const FILE_BYTES: u64 = 64 * 1024;
/// Channels that no program is named after.
const CHANNELS: [&str; 2] = ["webhook", "mail"];
const TIMEOUTS: std::ops::RangeInclusive<u64> = 1..=300;
const ROOTS_BYTES: u64 = 1024 * 1024;

/// What the operator says.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// URLs of gateways to ask, in order of preference.
    pub(crate) gateways: Vec<String>,
    /// The founding document.
    pub(crate) genesis: PathBuf,
    /// Who vouches for TLS certificates, in PEM; else the public ones.
    roots: Option<PathBuf>,
    #[serde(default)]
    pub(crate) webhook: WebhookConfig,
    pub(crate) mail: Option<MailConfig>,
    #[serde(default)]
    pub(crate) programs: BTreeMap<String, ProgramConfig>,
    #[serde(skip)]
    home: PathBuf,
}

/// How webhooks are sent.
#[derive(Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookConfig {
    timeout_secs: u32,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { timeout_secs: 10 }
    }
}

impl WebhookConfig {
    pub(crate) fn timeout(self) -> Duration {
        Duration::from_secs(self.timeout_secs.into())
    }
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailTls {
    /// From the first byte.
    Tls,
    /// After a greeting in the open; nothing is sent where the server offers none.
    Starttls,
    /// Not at all: on this machine alone.
    None,
}

/// The mail server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailConfig {
    pub(crate) server: String,
    pub(crate) port: u16,
    pub(crate) from: String,
    pub(crate) tls: MailTls,
    pub(crate) user: Option<String>,
    password: Option<String>,
    #[serde(default = "mail_timeout_secs")]
    timeout_secs: u32,
}

fn mail_timeout_secs() -> u32 {
    30
}

impl MailConfig {
    pub(crate) fn password(&self) -> &str {
        self.password.as_deref().unwrap_or_default()
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_secs.into())
    }
}

/// A program that reaches subscribers.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramConfig {
    pub(crate) path: PathBuf,
    #[serde(default = "program_timeout_secs")]
    timeout_secs: u32,
}

fn program_timeout_secs() -> u32 {
    30
}

impl ProgramConfig {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_secs.into())
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
        let path = home.join("push.toml");
        let bytes = files::read_private(&path, FILE_BYTES).map_err(|error| match error.is_missing() {
            true => anyhow!(error).context("next: write push.toml, as the manual's page on push has it"),
            false => anyhow!(error),
        })?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
        // The place alone: what the reader of TOML quotes could be a password.
        let wrong = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.lines().count().max(1);
            anyhow!("{}: line {line} is not as it should be; next: see the manual's page on push", path.display())
        };
        let config = Self { home: home.to_owned(), ..toml::from_str(text).map_err(wrong)? };
        let timeouts = [Some(config.webhook.timeout()), config.mail.as_ref().map(MailConfig::timeout)];
        let timeouts = timeouts.into_iter().flatten().chain(config.programs.values().map(ProgramConfig::timeout));
        if timeouts.into_iter().any(|timeout| !TIMEOUTS.contains(&timeout.as_secs())) {
            bail!("{}: a timeout_secs is not from 1 to 300; next: correct it", path.display());
        }
        let is_name = |name: &String| Name::try_from(name.clone()).is_ok() && !CHANNELS.contains(&name.as_str());
        if !config.programs.keys().all(is_name) {
            bail!(
                "{}: a program's name is webhook or mail, or no small letters, digits and hyphens; next: rename it",
                path.display()
            );
        }
        if config.gateways.is_empty() {
            bail!("{} names no gateway; next: gateways = [\"https://HOST\"]", path.display());
        }
        Ok(config)
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

    /// The same, one by one; `None` for the public ones.
    pub(crate) fn root_list(&self) -> Result<Option<Vec<Certificate<'static>>>> {
        let pem = self.roots()?;
        if pem.is_empty() {
            return Ok(None);
        }
        let certificate = |item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        };
        let list: Vec<_> = parse_pem(&pem).filter_map(certificate).collect();
        if list.is_empty() { bail!("the file of roots holds no certificate in PEM") } else { Ok(Some(list)) }
    }

    /// The same for HTTP.
    pub(crate) fn root_certificates(&self) -> Result<Option<RootCerts>> {
        Ok(self.root_list()?.map(|list| RootCerts::new_with_certs(&list)))
    }
}

#[cfg(test)]
impl Config {
    pub(crate) fn sample() -> Self {
        toml::from_str("gateways = [\"http://127.0.0.1:1\"]\ngenesis = \"genesis.bin\"").expect("a configuration")
    }
}

#[cfg(test)]
impl MailConfig {
    pub(crate) fn sample(server: &str, tls: MailTls) -> Self {
        let (server, from) = (server.to_owned(), "register@register.example".to_owned());
        Self { server, port: 25, from, tls, user: None, password: None, timeout_secs: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m9_what_is_wrong_is_said_without_a_line_of_it() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("push.toml");
        let load = |text: &str| {
            files::write_private(&path, text.as_bytes()).expect("a writable folder");
            Config::load(folder.path()).map_err(|error| format!("{error:#}"))
        };
        let right = "gateways = [\"http://127.0.0.1:1\"]\ngenesis = \"genesis.bin\"\n";
        let mail = "[mail]\nserver = \"m\"\nport = 25\nfrom = \"a@b.example\"\ntls = \"none\"\nuser = \"u\"\n";
        assert!(load(&format!("{right}{mail}password = \"hidden\"\n")).is_ok());
        for wrong in ["password = hidden", "password = \"hidden\"\nhidden = 1", "timeout_secs = \"hidden\""] {
            let said = load(&format!("{right}{mail}{wrong}\n")).expect_err("it is wrong");
            assert!(!said.contains("hidden") && said.contains("line"), "{said}");
        }
        assert!(load("gateways = []\ngenesis = \"genesis.bin\"\n").is_err());
    }
}
