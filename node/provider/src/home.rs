//! The gateway's private folder: configuration, journal, and the door of the running service.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fengni_client::gateway::Gateway;
use fengni_client::keys::{FileError, HeldKey, KeyFile, Passphrases, files};
use fengni_client::ledger::Ledger;
use fengni_client::submit::Submitter;
use fengni_client::transport::HttpOptions;
use fengni_client::{founding, light};
use fengni_core::MemberNumber;
use fengni_genesis::Genesis;
use fengni_service::folder;

use crate::config::{Config, FILE, TEMPLATE};
use crate::journal::{Journal, JournalError, Owner, Secret};

/// How long a node may take to answer: one that is slower is passed over, and the next one asked.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(3);
/// How long the service waits for a command that has the journal.
const JOURNAL_WAIT: Duration = Duration::from_secs(5);
const JOURNAL_PAUSE: Duration = Duration::from_millis(50);

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    /// Makes a folder with a configuration to be filled in.
    pub(crate) fn make(path: &Path) -> Result<PathBuf> {
        let system = |error| FileError::system(path)(error);
        std::fs::create_dir_all(path).map_err(system)?;
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(system)?;
        let file = path.join(FILE);
        if file.exists() {
            bail!("{} is there already; next: fengni-provider run", file.display());
        }
        files::write_private(&file, TEMPLATE.as_bytes())?;
        Ok(file)
    }

    /// A folder that only its owner reads.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: folder::private(path, "fengni-provider init, or name another --home")? })
    }

    /// Where the running service listens for commands.
    pub(crate) fn door(&self) -> PathBuf {
        self.path.join("provider.socket")
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

    /// The member's application key, ready to sign.
    pub(crate) fn key(&self, config: &Config) -> Result<HeldKey> {
        Ok(HeldKey::load(&config.seen_from_home(&config.key), &Passphrases::asked())?)
    }

    /// Whose gateway it is, without opening the key.
    pub(crate) fn owner(&self, config: &Config, genesis: &Genesis) -> Result<Owner> {
        let path = config.seen_from_home(&config.key);
        let member: Option<MemberNumber> = KeyFile::load(&path)?.member;
        let member = member.with_context(|| format!("{}: it does not say whose key it is", path.display()))?;
        Ok(Owner { domain: genesis.domain(), member, book: config.book })
    }

    /// The journal, if no other process has it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn journal(&self, owner: Owner) -> Result<Journal, JournalError> {
        let path = self.path.join("journal.redb");
        let secret = Secret::open(&self.path.join("journal.secret"), !path.exists())?;
        Journal::open(&path, secret, owner)
    }

    /// The journal, as soon as no command has it any more.
    ///
    /// # Errors
    /// [`JournalError`]; [`JournalError::InUse`] where another service has it.
    pub(crate) fn journal_to_keep(&self, owner: Owner) -> Result<Journal, JournalError> {
        let until = Instant::now() + JOURNAL_WAIT;
        loop {
            match self.journal(owner) {
                Err(JournalError::InUse) if Instant::now() < until => std::thread::sleep(JOURNAL_PAUSE),
                opened => return opened,
            }
        }
    }

    fn nodes(&self, config: &Config, urls: &[String]) -> Result<Gateway> {
        let options = HttpOptions { connect: CONNECT, answer: ANSWER, roots_pem: config.roots()? };
        Ok(Gateway::http(urls, &options)?)
    }

    /// The ledger as quorums prove it, never older than what was seen.
    pub(crate) fn ledger(&self, config: &Config, genesis: &Genesis) -> Result<Ledger> {
        Ok(Ledger::new(light::open(&self.light(), genesis)?, self.nodes(config, &config.gateways)?))
    }

    /// The relays.
    pub(crate) fn submitter(&self, config: &Config) -> Result<Submitter> {
        Ok(Submitter::new(self.nodes(config, &config.relays)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("provider");
        let file = Home::make(&path).expect("a new folder");
        assert!(Home::make(&path).expect_err("it is there").to_string().contains("already"));
        Home::open(&path).expect("private").config().expect("the template is well formed");
        let mode = |path: &Path, bits| {
            let bits = std::os::unix::fs::PermissionsExt::from_mode(bits);
            std::fs::set_permissions(path, bits).expect("its own");
        };
        mode(&path, 0o750);
        assert!(Home::open(&path).expect_err("open to others").to_string().contains("chmod 700"));
        mode(&path, 0o700);
        mode(&file, 0o640);
        assert!(Home::open(&path).expect("private").config().is_err(), "it holds a password");
    }
}
