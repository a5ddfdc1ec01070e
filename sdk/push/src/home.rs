//! The service's private folder: configuration, key, store, and the door of the running service.
//! Rule M-9.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use fengni_client::gateway::Gateway;
use fengni_client::keys::{FileError, StoredKey, files, generate};
use fengni_client::ledger::Ledger;
use fengni_client::transport::HttpOptions;
use fengni_client::{founding, light};
use fengni_core::{KeyAlgorithm, SecretKey};
use fengni_genesis::Genesis;
use fengni_service::folder;

use crate::config::Config;
use crate::store::{Store, StoreError};

const KEY_BYTES: u64 = 4 * 1024;
/// How long commands have the store, at most.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    /// A folder that only its owner reads.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let next = "mkdir -m 700 it and write push.toml into it, or name another --home";
        Ok(Self { path: folder::private(path, next)? })
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

    /// The store, if no other process has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn store(&self) -> Result<Store, StoreError> {
        Store::open(&self.path.join("push.redb"))
    }

    /// The store, as soon as no command has it any more.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::InUse`] where another service has it.
    pub(crate) fn store_to_keep(&self) -> Result<Store, StoreError> {
        let begun = Instant::now();
        loop {
            match self.store() {
                Err(StoreError::InUse) if begun.elapsed() < PATIENCE => sleep(LOOK),
                other => return other,
            }
        }
    }

    /// The key that signs webhooks, made when it is first asked for. Rule M-6.
    pub(crate) fn key(&self) -> Result<SecretKey> {
        let path = self.path.join("webhook.key.json");
        let bytes = match files::read_private(&path, KEY_BYTES) {
            Err(error) if error.is_missing() => {
                files::make_private(&path, &serde_json::to_vec(&StoredKey::of(&generate(KeyAlgorithm::Ed25519)?))?)?;
                files::read_private(&path, KEY_BYTES)?
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
    fn a_service_waits_for_a_command_that_has_the_store() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let home = Home { path: folder.path().to_owned() };
        let command = home.store().expect("nobody has it");
        let service = std::thread::spawn({
            let home = home.clone();
            move || home.store_to_keep().map(drop)
        });
        assert!(matches!(home.store(), Err(StoreError::InUse)));
        drop(command);
        assert!(service.join().expect("it ends").is_ok());
    }

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
        // A service and a command that begin at the same time have one key.
        let made = [home.clone(), home.clone()].map(|home| std::thread::spawn(move || home.key()));
        let [key, other] = made.map(|made| made.join().expect("it ends").expect("randomness").public());
        assert_eq!((key, home.key().expect("it is there").public()), (other, other));
        let path = folder.path().join("webhook.key.json");
        mode(&path, 0o640);
        assert!(home.key().is_err());
        mode(&path, 0o600);
        std::fs::write(&path, "{\"algorithm\":\"ed25519\",\"seed\":\"0707\"}").expect("its own");
        assert!(!home.key().expect_err("damaged").to_string().contains("0707"));
    }
}
