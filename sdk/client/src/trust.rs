//! Trust packs on a disk and over a network: what a device takes along to verify offline.
//!
//! An update asks every node for its newest header first: nodes that contradict one another under
//! two quorums are found here, and so are members that vouch for another block: nothing is decided
//! until people have looked. Then one node gives the pack, a delta where one will do; a download that
//! breaks off goes on where it was.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use fengni_core::limits::STORE_BYTES;
use fengni_core::pack::{Basis, PackError, Subscription};
use fengni_core::trust::{TrustError, TrustStore};
use fengni_core::{Height, Millis};
use thiserror::Error;

use crate::checkpoints::{self, Disagreement, Word};
use crate::disk::{self, FileError};
use crate::gateway::{Gateway, NodeTrouble, Trouble};
use crate::handovers::{Others, believe, catch_up};
use crate::ledger::judged;
use crate::node::Node;

/// How often a download that broke off is taken up again.
const ATTEMPTS: usize = 5;

/// Reads a trust store.
///
/// # Errors
/// [`FileError`], also where it does not add up.
pub fn load(path: &Path) -> Result<TrustStore, FileError> {
    let bytes = disk::read(path, STORE_BYTES as u64)?;
    TrustStore::decode(&bytes).map_err(|error| FileError::content(path, error))
}

/// Writes a trust store, whole and durably.
///
/// # Errors
/// [`FileError`].
pub fn save(store: &TrustStore, path: &Path) -> Result<(), FileError> {
    disk::write_private(path, &store.encode())
}

/// A store that nobody else changes meanwhile: from reading to writing.
pub struct Held {
    /// The store.
    pub store: TrustStore,
    path: PathBuf,
    // Let go when dropped.
    _lock: File,
}

impl Held {
    /// Waits until nobody else holds the store, and reads it.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn wait(path: &Path) -> Result<Self, FileError> {
        let lock = lock_file(path)?;
        lock.lock().map_err(FileError::system(path))?;
        Ok(Self { store: load(path)?, path: path.to_owned(), _lock: lock })
    }

    /// Reads the store unless somebody else holds it.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn try_now(path: &Path) -> Result<Option<Self>, FileError> {
        let lock = lock_file(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { store: load(path)?, path: path.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(FileError::system(path)(error)),
        }
    }

    /// Writes the store.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn save(&self) -> Result<(), FileError> {
        save(&self.store, &self.path)
    }
}

fn lock_file(path: &Path) -> Result<File, FileError> {
    // The store itself is put in place anew each time: a lock on it would be on the old one.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let lock = path.with_file_name(name);
    disk::private_options().write(true).create(true).truncate(false).open(&lock).map_err(FileError::system(&lock))
}

/// What an update brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Updated {
    /// The node that gave the pack.
    pub node: String,
    /// Bytes downloaded.
    pub bytes: usize,
    /// The height it builds on; `None` for a full pack.
    pub since: Option<Height>,
    /// Height of the state now at hand.
    pub height: Height,
    /// Its time.
    pub time: Millis,
    /// Gateways whose members vouch for what was heard.
    pub words: Vec<Word>,
    /// Nodes that gave nothing of use.
    pub troubles: Vec<NodeTrouble>,
}

/// What the gateways say of the present.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    /// Height of each node's newest header, and its place among the gateway's nodes.
    nodes: Vec<(Height, usize)>,
    /// Gateways whose members vouch for what was heard.
    pub words: Vec<Word>,
    /// Nodes that gave nothing of use.
    pub troubles: Vec<NodeTrouble>,
}

impl Heard {
    /// The newest height that a quorum signed, by any node.
    pub fn newest(&self) -> Option<Height> {
        self.nodes.iter().map(|(height, _)| *height).max()
    }
}

/// Why there is no newer pack. The one at hand stays.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum UpdateError {
    /// Two quorums contradict one another.
    #[error(
        "two final headers contradict one another at height {0}: nothing is decided; next: keep the store, it holds the evidence, and ask the network's operators"
    )]
    Contradiction(Height),
    /// A member vouches for a block that another's word or a final header excludes.
    #[error(
        "member {} vouches for another block of height {}: nothing is taken; next: keep the evidence, and ask the network's operators", .0.word.member, .0.height()
    )]
    Disagreement(Box<Disagreement>),
    /// No node gave a pack that holds.
    #[error("no node gave a trust pack that holds: {}; next: name other nodes, or try again later", all(.0))]
    NoNode(Vec<NodeTrouble>),
}

fn all(troubles: &[NodeTrouble]) -> String {
    let all: Vec<String> = troubles.iter().map(NodeTrouble::to_string).collect();
    if all.is_empty() { "there is no node to ask".to_owned() } else { all.join("; ") }
}

/// Brings a device's trust up to date.
///
/// - `progress`: told how many bytes have come, and of how many if that is known.
///
/// # Errors
/// [`UpdateError`].
pub fn update(
    store: &mut TrustStore,
    gateway: &Gateway,
    now: Millis,
    progress: &mut dyn FnMut(usize, Option<usize>),
) -> Result<Updated, UpdateError> {
    let Heard { mut nodes, words, mut troubles } = hear(store, gateway, now)?;
    // The newest first; among equals, in the order of preference.
    nodes.sort_by_key(|(height, _)| std::cmp::Reverse(*height));
    let mut others = Others::of(gateway);
    for node in nodes.iter().map(|(_, place)| &gateway.nodes()[*place]) {
        // A delta that does not fit is no fault of anybody: the full pack follows.
        for basis in [store.basis().map(Some), Some(None)].into_iter().flatten() {
            match fetch(store, node, &mut others, basis.as_ref(), now, progress) {
                Ok((bytes, height, time)) => {
                    let (node, since) = (node.name().to_owned(), basis.map(|basis| basis.height));
                    return Ok(Updated { node, bytes, since, height, time, words, troubles });
                }
                Err(trouble) => troubles.push(NodeTrouble { node: node.name().to_owned(), trouble }),
            }
            contradiction(store)?;
        }
    }
    Err(UpdateError::NoNode(troubles))
}

/// Asks every node for its newest header, and its member's word for it; believes what quorums
/// signed, and follows the handovers in between.
///
/// # Errors
/// [`UpdateError::Contradiction`] and [`UpdateError::Disagreement`].
pub fn hear(store: &mut TrustStore, gateway: &Gateway, now: Millis) -> Result<Heard, UpdateError> {
    let mut heard = Heard::default();
    let mut others = Others::of(gateway);
    for (place, node) in gateway.nodes().iter().enumerate() {
        match newest(store, node, &mut others, now) {
            Ok(height) => heard.nodes.push((height, place)),
            Err(trouble) => heard.troubles.push(NodeTrouble { node: node.name().to_owned(), trouble }),
        }
        contradiction(store)?;
    }
    let words = checkpoints::compare(store, gateway, now, &mut heard.troubles);
    // Quorums that contradict one another say more than anybody's word.
    contradiction(store)?;
    heard.words = words.map_err(UpdateError::Disagreement)?;
    Ok(heard)
}

fn contradiction(store: &TrustStore) -> Result<(), UpdateError> {
    let evidence = store.light().evidence().first();
    evidence.map_or(Ok(()), |found| Err(UpdateError::Contradiction(found.second.header.height)))
}

/// A node's newest header, if a quorum signed it.
fn newest(store: &mut TrustStore, node: &Node, others: &mut Others<'_>, now: Millis) -> Result<Height, Trouble> {
    let (header, certificate) = node.latest_header()?;
    believe(store, node, others, now, |store| store.hear(&header, &certificate, now))?;
    Ok(header.height)
}

fn fetch(
    store: &mut TrustStore,
    node: &Node,
    others: &mut Others<'_>,
    basis: Option<&Basis>,
    now: Millis,
    progress: &mut dyn FnMut(usize, Option<usize>),
) -> Result<(usize, Height, Millis), Trouble> {
    let bytes = node.pack(store.subscription(), basis, ATTEMPTS, progress)?;
    let trouble = |error| match error {
        TrustError::Light(error) => judged(error),
        TrustError::Pack(error @ PackError::Older { .. }) => Trouble::Behind(error.to_string()),
        // A delta may miss what this device has: nobody's fault, and the full pack follows.
        TrustError::Pack(error) if basis.is_some() => Trouble::Unjudged(error.to_string()),
        TrustError::Pack(error) => Trouble::Lied(error.to_string()),
    };
    let mut taken = take(store, &bytes, now);
    // The validators may have changed since its newest header was heard.
    if let Err(TrustError::Light(error)) = &taken
        && catch_up(store, error, node, others, now)?
    {
        taken = take(store, &bytes, now);
    }
    let (height, time) = taken.map_err(trouble)?;
    Ok((bytes.len(), height, time))
}

fn take(store: &mut TrustStore, bytes: &[u8], now: Millis) -> Result<(Height, Millis), TrustError> {
    let header = store.update(bytes, now)?.header();
    Ok((header.height, header.time))
}

/// The query of a pack. Rule N-20.
pub(crate) fn query(subscription: &Subscription, basis: Option<&Basis>, height: Option<u64>) -> String {
    fn list<T: ToString>(name: &str, values: &[T]) -> Option<String> {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        (!values.is_empty()).then(|| format!("{name}={}", values.join(",")))
    }
    let basis = basis.map(|basis| format!("since={}&shelves={}", basis.height, basis.shelves_hex()));
    let height = height.map(|height| format!("height={height}"));
    let parts = [list("types", &subscription.types), list("regions", &subscription.regions), basis, height];
    parts.into_iter().flatten().collect::<Vec<_>>().join("&")
}
