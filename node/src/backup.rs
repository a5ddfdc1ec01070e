//! Backups: a copy of the store with a manifest, taken while the node runs, and put back.
//!
//! ```text
//! FOLDER/manifest.json   network, version, height, block, state root of what is copied
//! FOLDER/store/          the store as of that block
//! ```
//!
//! A backup never holds the record of signed votes, nor a key: a record that is older than what its
//! key signed would let the key sign twice, and a copied key could sign on two machines. What a
//! validator does after a restore is told in `engine/quiet.rs`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fengni_core::light::LightError;
use fengni_core::{BlockId, Digest, Domain, Height};
use fengni_genesis::Genesis;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::ledger::{Ledger, OpenError};
use crate::pool::PoolLimits;
use crate::store::{Store, StoreError, copy};

/// The form of a backup.
const VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";
const STORE: &str = "store";

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the backup: 1.
    pub version: u32,
    /// Version of the software that wrote it.
    pub software: String,
    /// The network.
    pub network: String,
    /// The last final height in it.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Id of that block.
    #[schema(value_type = String)]
    pub block: BlockId,
    /// State root after it.
    #[schema(value_type = String)]
    pub state_root: Digest,
}

/// Why there is no backup, or why one is not put back.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Not a plain name.
    #[error("a backup's name has 1 to 64 letters, digits, '-' and '_', and '.' between them")]
    Name,
    /// The folder is there already.
    #[error("{} is there already; next: choose another name, or move the folder away", .0.display())]
    Exists(PathBuf),
    /// Another backup is being written.
    #[error("another backup is being written; next: wait until it is done")]
    Busy,
    /// Nothing to copy.
    #[error("the ledger has no block yet; next: wait for the first")]
    Empty,
    /// Not a backup.
    #[error("{path}: {reason}; next: name the folder of a whole backup")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What is copied is not what the manifest says.
    #[error("the backup is damaged: its store ends at height {found}, its manifest says {expected}")]
    Differs {
        /// Height of the store, with the wrong block or state if it is the same.
        found: Height,
        /// Height of the manifest.
        expected: Height,
    },
    /// The store that would be replaced is newer.
    #[error(
        "the node's store is at height {held}, the backup at {offered}; next: keep the store, or say --force to lose what is newer here"
    )]
    Newer {
        /// Height of the node's store.
        held: Height,
        /// Height of the backup.
        offered: Height,
    },
    /// The store that would be replaced does not open, so nobody knows how new it is.
    #[error("the node's store cannot be read: {0}; next: say --force to replace it")]
    Unreadable(StoreError),
    /// The node runs.
    #[error("the node is running; next: stop it first")]
    Running,
    /// No quorum stands behind the last block.
    #[error("the backup's last block is not final: {0}; next: take another backup")]
    NotFinal(#[from] LightError),
    /// An entry is not what the last header commits to.
    #[error("the backup is damaged: {0}; next: take another backup")]
    Damaged(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk.
    #[error("{path}: {error}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            OpenError::Damaged(damage) => Self::Damaged(damage.to_string()),
            OpenError::Known(says) => Self::Damaged(says),
        }
    }
}

fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::Disk { path, error }
}

/// Writes backups of a running node, one at a time, below one folder.
pub struct Backups {
    ledger: Arc<Ledger>,
    folder: PathBuf,
    busy: Mutex<()>,
}

impl Backups {
    /// Backups of a ledger, into `data/backups`.
    pub fn new(ledger: Arc<Ledger>, data: &Path) -> Self {
        Self { ledger, folder: folder(data), busy: Mutex::new(()) }
    }

    /// Writes a backup under a plain name.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn write(&self, name: &str) -> Result<Manifest, BackupError> {
        if !is_plain(name) {
            return Err(BackupError::Name);
        }
        let _one = self.busy.try_lock().map_err(|_| BackupError::Busy)?;
        write(self.ledger.store(), self.ledger.domain(), &self.folder.join(name))
    }
}

/// Where a node writes its backups: on the store's disk.
pub fn folder(data: &Path) -> PathBuf {
    data.join("backups")
}

/// A name that leads nowhere else.
fn is_plain(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&name.len()) && name.chars().all(inner) && !name.starts_with('.') && !name.ends_with('.')
}

/// Writes a backup of a store into a folder that is not there yet, on the store's disk.
///
/// # Errors
/// [`BackupError`]; then there is no such folder.
pub fn write(store: &Store, domain: &Domain, folder: &Path) -> Result<Manifest, BackupError> {
    if folder.exists() {
        return Err(BackupError::Exists(folder.to_owned()));
    }
    let partial = beside(folder, "partial");
    copy::remove(&partial).map_err(disk(&partial))?;
    std::fs::create_dir_all(&partial).map_err(disk(&partial))?;
    store.copy_to(&partial.join(STORE))?;
    // What the copy holds is read from the copy: the node has gone on since.
    let manifest = describe(&Store::open_copy(&partial.join(STORE), domain)?, domain)?;
    let path = partial.join(MANIFEST);
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data");
    std::fs::write(&path, text).and_then(|()| copy::sync(&path)).map_err(disk(&path))?;
    move_folder(&partial, folder)?;
    Ok(manifest)
}

fn describe(store: &Store, domain: &Domain) -> Result<Manifest, BackupError> {
    let height = store.last_height();
    let header = store.header(height).ok_or(BackupError::Empty)?;
    Ok(Manifest {
        version: VERSION,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        network: domain.network.to_string(),
        height,
        block: header.id(domain),
        state_root: header.state_root,
    })
}

/// A name beside a folder's.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    folder.with_file_name(name)
}

/// Moves a backup, to another disk if need be. It has its name only when it is whole.
///
/// # Errors
/// [`BackupError`].
pub fn move_folder(from: &Path, to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let above = to.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(above).map_err(disk(above))?;
    if std::fs::rename(from, to).is_err() {
        let partial = beside(to, "copying");
        copy::remove(&partial).map_err(disk(&partial))?;
        copy::copy_folder(from, &partial).map_err(disk(&partial))?;
        std::fs::rename(&partial, to).map_err(disk(to))?;
        copy::remove(from).map_err(disk(from))?;
    }
    copy::sync(above).map_err(disk(above))
}

/// Reads a backup's manifest.
///
/// # Errors
/// [`BackupError::Manifest`], also for another network or version.
pub fn read(folder: &Path, domain: &Domain) -> Result<Manifest, BackupError> {
    let path = folder.join(MANIFEST);
    let wrong = |reason: String| BackupError::Manifest { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if manifest.version != VERSION {
        return Err(wrong(format!("version {}, and this program reads {VERSION}", manifest.version)));
    }
    if manifest.network != domain.network.to_string() {
        return Err(wrong(format!("a backup of network {}, not {}", manifest.network, domain.network)));
    }
    Ok(manifest)
}

/// A backup that was checked and lies beside the store whose place it takes.
pub struct Checked {
    data: PathBuf,
    incoming: PathBuf,
    manifest: Manifest,
}

/// Copies a backup beside a node's store and checks it: the network, a quorum behind its last block,
/// and that its state rebuilds to the root in that block's header.
///
/// - `data`: the data folder of a node that does not run.
/// - `force`: replaces a store that is newer, or that nobody can read.
///
/// # Errors
/// [`BackupError`]; then nothing is changed.
pub fn check(from: &Path, data: &Path, genesis: &Genesis, force: bool) -> Result<Checked, BackupError> {
    let domain = genesis.domain();
    let manifest = read(from, &domain)?;
    copy::settle(data).map_err(disk(data))?;
    if copy::place(data).exists() {
        match Store::open(&copy::place(data), &domain) {
            Err(error) if error.is_held() => return Err(BackupError::Running),
            Ok(held) if held.last_height() > manifest.height && !force => {
                return Err(BackupError::Newer { held: held.last_height(), offered: manifest.height });
            }
            Err(error) if !force => return Err(BackupError::Unreadable(error)),
            _ => (),
        }
    }
    let incoming = data.join("store.restoring");
    copy::remove(&incoming).map_err(disk(&incoming))?;
    let checked = Checked { data: data.to_owned(), incoming, manifest };
    let copied = copy::copy_folder(&from.join(STORE), &checked.incoming).map_err(disk(&checked.incoming));
    match copied.and_then(|()| rebuilds(&checked, genesis)) {
        Ok(()) => Ok(checked),
        Err(error) => {
            copy::remove(&checked.incoming).map_err(disk(&checked.incoming))?;
            Err(error)
        }
    }
}

fn rebuilds(checked: &Checked, genesis: &Genesis) -> Result<(), BackupError> {
    let (domain, expected) = (genesis.domain(), &checked.manifest);
    let store = Store::open(&checked.incoming, &domain)?;
    let found = describe(&store, &domain)?;
    if (found.height, found.block, found.state_root) != (expected.height, expected.block, expected.state_root) {
        return Err(BackupError::Differs { found: found.height, expected: expected.height });
    }
    let ledger = Ledger::open(store, domain, genesis.founding(), None, PoolLimits::default())?;
    Ok(ledger.verify_from(genesis.checkpoint())?)
}

impl Checked {
    /// Puts the backup in the store's place.
    ///
    /// # Errors
    /// [`BackupError::Disk`].
    pub fn put_in_place(self) -> Result<Manifest, BackupError> {
        copy::put_in_place(&self.data, &self.incoming).map_err(disk(&self.data))?;
        Ok(self.manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{a_book, decide, founding, open};

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["a", "2026-11-22", "before_upgrade.1"] {
            assert!(is_plain(name), "{name}");
        }
        let long = "a".repeat(65);
        for name in ["", ".", "..", "../a", "a/b", "/a", "a\\b", ".a", "a.", "a b", "a\0", "é", &long] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn ops03_a_backup_of_a_running_ledger_comes_back_to_the_same_root() {
        let (genesis, founding, _) = founding();
        let home = tempfile::tempdir().expect("a folder for the test");
        let data = home.path().join("data");
        std::fs::create_dir_all(&data).expect("a folder");
        let ledger = Arc::new(open(&copy::place(&data), &genesis, &founding));
        let backups = Backups::new(ledger.clone(), &data);
        assert!(matches!(backups.write("early"), Err(BackupError::Empty)));
        a_book(&ledger);
        let root = ledger.state().root();
        let manifest = backups.write("one").expect("a backup");
        assert_eq!((manifest.height, manifest.state_root), (ledger.state().height(), root));
        assert!(matches!(backups.write("one"), Err(BackupError::Exists(_))));
        assert!(matches!(backups.write("../one"), Err(BackupError::Name)));
        let from = folder(&data).join("one");
        decide(&ledger);
        assert!(matches!(check(&from, &data, &genesis, true), Err(BackupError::Running)));
        drop((backups, ledger));

        // The store has gone on since: only whoever says so loses that.
        assert!(matches!(check(&from, &data, &genesis, false), Err(BackupError::Newer { .. })));
        let restored = check(&from, &data, &genesis, true).expect("whole").put_in_place().expect("a disk");
        assert_eq!(restored, manifest);
        let ledger = open(&copy::place(&data), &genesis, &founding);
        assert_eq!((ledger.state().height(), ledger.state().root()), (manifest.height, root));
        decide(&ledger);
        drop(ledger);

        // The backup was not touched by what came after, and can be put back where nothing is.
        copy::remove(&copy::place(&data)).expect("a disk");
        check(&from, &data, &genesis, false).expect("whole").put_in_place().expect("a disk");
        assert_eq!(open(&copy::place(&data), &genesis, &founding).state().root(), root);
    }

    #[test]
    fn a_damaged_or_foreign_backup_changes_nothing() {
        let (genesis, founding, _) = founding();
        let home = tempfile::tempdir().expect("a folder for the test");
        let data = home.path().join("data");
        std::fs::create_dir_all(&data).expect("a folder");
        let ledger = open(&copy::place(&data), &genesis, &founding);
        decide(&ledger);
        let from = folder(&data).join("one");
        write(ledger.store(), &genesis.domain(), &from).expect("a backup");
        drop(ledger);
        let path = from.join(MANIFEST);
        let text = std::fs::read_to_string(&path).expect("a manifest");
        let root = read(&from, &genesis.domain()).expect("a manifest").state_root.to_string();
        let cases = [
            (r#""version": 1"#, r#""version": 2"#),
            (r#""height": 1"#, r#""height": 2"#),
            (&genesis.domain().network.to_string(), &"0".repeat(64)),
            (&root, &"0".repeat(64)),
        ];
        for (right, wrong) in cases {
            assert!(text.contains(right), "{right}");
            std::fs::write(&path, text.replace(right, wrong)).expect("a file");
            check(&from, &data, &genesis, true).map(drop).expect_err(right);
            assert!(!data.join("store.restoring").exists());
        }
        assert_eq!(open(&copy::place(&data), &genesis, &founding).state().height(), Height(1));
    }
}
