//! The service's private folder: configuration, key, store, and the door of the running service.
//! Rule M-9.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use fengni_client::gateway::Gateway;
use fengni_client::keys::{FileError, StoredKey, files, generate};
use fengni_client::ledger::Ledger;
use fengni_client::transport::HttpOptions;
use fengni_client::{founding, light};
use fengni_core::{KeyAlgorithm, SecretKey};
use fengni_genesis::Genesis;

use crate::config::Config;
use crate::store::{Store, StoreError};

const KEY_BYTES: u64 = 4 * 1024;

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    /// A folder that only its owner reads.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let system = || path.display().to_string();
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).with_context(system)?.permissions());
        if mode & 0o077 != 0 {
            bail!("{}: others can look into this folder of secrets; next: chmod 700", path.display());
        }
        Ok(Self { path: path.canonicalize().with_context(system)? })
    }

    /// Where the running service listens.
    pub(crate) fn door(&self) -> PathBuf {
        self.path.join("push.socket")
    }

    /// What the light client remembers.
    pub(crate) fn light(&self) -> PathBuf {
        self.path.join("light.json")
    }

    /// What the operator says.
    pub(crate) fn config(&self) -> Result<Config> {
        Config::load(&self.path)
    }

    /// The founding document.
    pub(crate) fn genesis(&self, config: &Config) -> Result<Genesis> {
        Ok(founding::load(&config.seen_from_home(&config.genesis))?)
    }

    /// The store, of which no other process may have hold.
    pub(crate) fn store(&self) -> Result<Store, StoreError> {
        Store::open(&self.path.join("push.redb"))
    }

    /// The key that signs webhooks, made when it is first asked for. Rule M-6.
    pub(crate) fn key(&self) -> Result<SecretKey> {
        let path = self.path.join("webhook.key.json");
        let bytes = match files::read_private(&path, KEY_BYTES) {
            Err(error) if error.is_missing() => {
                let key = generate(KeyAlgorithm::Ed25519)?;
                files::write_private(&path, &serde_json::to_vec(&StoredKey::of(&key))?)?;
                return Ok(key);
            }
            other => other?,
        };
        // Nothing of the file is repeated.
        let wrong = |reason: &str| anyhow!(FileError::content(&path, reason));
        let stored: StoredKey = serde_json::from_slice(&bytes).map_err(|_| wrong("not a key file"))?;
        let key = stored.open().map_err(wrong)?;
        if key.algorithm() == KeyAlgorithm::Ed25519 { Ok(key) } else { Err(wrong("webhooks are signed with ed25519")) }
    }

    /// The ledger as quorums prove it, never older than what was seen.
    pub(crate) fn ledger(&self, config: &Config, genesis: &Genesis) -> Result<Ledger> {
        let options = HttpOptions { roots_pem: config.roots()?, ..HttpOptions::default() };
        let gateway = Gateway::http(&config.gateways, &options)?;
        Ok(Ledger::new(light::open(&self.light(), genesis)?, gateway))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m6_the_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mode = |path: &Path, bits| {
            let bits = std::os::unix::fs::PermissionsExt::from_mode(bits);
            std::fs::set_permissions(path, bits).expect("its own");
        };
        mode(folder.path(), 0o755);
        assert!(Home::open(folder.path()).expect_err("open to others").to_string().contains("chmod 700"));
        mode(folder.path(), 0o700);
        let home = Home::open(folder.path()).expect("private");
        let key = home.key().expect("randomness");
        assert_eq!(home.key().expect("it is there").public(), key.public());
        let path = folder.path().join("webhook.key.json");
        mode(&path, 0o640);
        assert!(home.key().is_err());
        mode(&path, 0o600);
        std::fs::write(&path, "{\"algorithm\":\"ed25519\",\"seed\":\"0707\"}").expect("its own");
        assert!(!home.key().expect_err("damaged").to_string().contains("0707"));
    }
}
