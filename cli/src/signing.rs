//! Signing: which keys of a member's folder sign an operation, and what became of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::keys::{HeldKey, KeyFile, OpenError};
use fengni_client::submit::{Settlement, Signers};
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::record::KeyPurpose;
use fengni_core::{Height, MemberNumber};
use serde::Serialize;

use crate::connect::Connection;
use crate::ending::Ending;
use crate::passphrase::PassphraseArgs;

/// Who acts.
#[derive(Args, Clone, Debug)]
pub(crate) struct ActorArgs {
    /// Folder of the member that acts, with its keys
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// Key file to sign with, once for each person; else the keys of --home, as many as are needed
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[arg(skip)]
    pub(crate) opened: Opened,
}

/// Keys that were opened: whoever gave a passphrase is not asked again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened(Arc<Mutex<BTreeMap<PathBuf, HeldKey>>>);

impl Opened {
    fn open(&self, file: &KeyFile, passphrase: &PassphraseArgs) -> Result<HeldKey, OpenError> {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another file may have come to this path: what it says of its key is in the open.
        let place = |key: &HeldKey| (key.public(), Some(key.member), Some(key.number));
        if let Some(key) = opened.get(file.path()).filter(|key| place(key) == (file.public(), file.member, file.number))
        {
            return Ok(key.clone());
        }
        let key = HeldKey::open(file, &passphrase.passphrases())?;
        opened.insert(file.path().to_owned(), key.clone());
        Ok(key)
    }
}

impl ActorArgs {
    /// Whoever has this folder, with the keys in it.
    pub(crate) fn of(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            keys: Vec::new(),
            passphrase: PassphraseArgs::default(),
            opened: Opened::default(),
        }
    }

    /// The member whose folder it is.
    pub(crate) fn member(&self) -> Result<MemberNumber> {
        let files = self.files()?;
        let first = files.first().with_context(|| {
            format!("{} holds no keys; next: give --home DIR/members/NAME, or --key FILE", self.home.display())
        })?;
        let placed = files.iter().find_map(|file| file.member);
        Ok(placed.ok_or_else(|| OpenError::NotPlaced { path: first.path().to_owned() })?)
    }

    fn files(&self) -> Result<Vec<KeyFile>> {
        let paths = if self.keys.is_empty() { key_paths(&self.home)? } else { self.keys.clone() };
        Ok(paths.iter().map(|path| KeyFile::load(path)).collect::<Result<_, _>>()?)
    }

    /// Whether the folder, or what was named, has keys for a purpose.
    pub(crate) fn has(&self, purpose: KeyPurpose) -> Result<bool> {
        Ok(!self.keys_for(purpose)?.is_empty())
    }

    /// The key files for a purpose, not opened. A key without a place on the ledger is passed over
    /// unless it was named.
    fn keys_for(&self, purpose: KeyPurpose) -> Result<Vec<KeyFile>> {
        let mut files = self.files()?;
        files.retain(|file| file.purpose == purpose.into() && (file.number.is_some() || !self.keys.is_empty()));
        Ok(files)
    }

    /// One key for a purpose: the first named or found.
    pub(crate) fn key(&self, purpose: KeyPurpose) -> Result<HeldKey> {
        let files = self.keys_for(purpose)?;
        let file = files.first().with_context(|| self.lacks(purpose))?;
        Ok(self.opened.open(file, &self.passphrase)?)
    }

    fn lacks(&self, purpose: KeyPurpose) -> String {
        let word = serde_json::to_value(purpose).unwrap_or_default();
        let word = word.as_str().unwrap_or_default();
        format!("{} holds no {word} key; next: give --key FILE with one", self.home.display())
    }

    /// The signers for a purpose: those named, else one, or two where two persons are needed.
    pub(crate) fn signers(&self, purpose: KeyPurpose, two_persons: bool) -> Result<Signers> {
        let mut files = self.keys_for(purpose)?;
        if files.is_empty() {
            bail!("{}", self.lacks(purpose));
        }
        if self.keys.is_empty() {
            files.truncate(if two_persons { 2 } else { 1 });
        }
        let keys = files.iter().map(|file| self.opened.open(file, &self.passphrase));
        Ok(Signers::new(&keys.collect::<Result<Vec<_>, _>>()?)?)
    }
}

/// Key files of a member's folder, by name.
fn key_paths(home: &Path) -> Result<Vec<PathBuf>> {
    let folder = home.join("keys");
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    Ok(paths)
}

/// What the ledger made of an operation, as an answer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Settled {
    /// `done`, `refused` or `undecided`.
    pub(crate) result: &'static str,
    /// The transaction.
    pub(crate) transaction: String,
    /// The including height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<Height>,
    /// What it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effect: Option<serde_json::Value>,
    /// Which rule it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<Refused>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip)]
    pub(crate) ending: Ending,
}

/// A broken rule.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Refused {
    /// Its permanent number.
    pub(crate) number: u16,
    /// Its name.
    pub(crate) name: String,
    /// The same in words.
    pub(crate) message: String,
    /// Where: for lines, the place in the transaction.
    pub(crate) detail: u64,
}

impl Refused {
    pub(crate) fn of(refusal: Refusal, detail: u64) -> Self {
        Self { number: refusal.number(), name: refusal.name(), message: refusal.to_string(), detail }
    }
}

impl Settled {
    pub(crate) fn of(settlement: &Settlement) -> Result<Self> {
        let settled = |result, height, ending| Self {
            result,
            transaction: settlement.id().to_string(),
            height,
            effect: None,
            refusal: None,
            reason: None,
            ending,
        };
        Ok(match settlement {
            Settlement::Done { effect, height, .. } => {
                Self { effect: Some(serde_json::to_value(effect)?), ..settled("done", Some(*height), Ending::Holds) }
            }
            Settlement::Refused { refusal, detail, height, .. } => Self {
                refusal: Some(Refused::of(*refusal, *detail)),
                ..settled("refused", Some(*height), Ending::Refused)
            },
            Settlement::Undecided { reason, .. } => {
                Self { reason: Some(reason.to_string()), ..settled("undecided", None, Ending::Undecided) }
            }
        })
    }

    /// One line for people.
    pub(crate) fn text(&self, what: &str) -> String {
        let height = self.height.map_or_else(String::new, |height| format!(" at height {height}"));
        match (&self.refusal, &self.reason) {
            (Some(refused), _) => {
                format!("refused {} {}: {}{height}", refused.number, refused.name, refused.message)
            }
            (_, Some(reason)) => format!(
                "undecided: {reason}\nnext: look whether the act is in the history before doing it again; transaction {}",
                self.transaction
            ),
            _ => format!("done: {what}{height}"),
        }
    }
}

/// Signs, sends and waits for what becomes of an operation.
pub(crate) fn submit(connection: &mut Connection, signers: &Signers, operation: Operation) -> Result<Settlement> {
    let submitter = connection.submitter()?;
    Ok(submitter.submit(&mut connection.ledger, signers, operation)?)
}
