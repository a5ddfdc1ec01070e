//! How a node votes: its keys, the record of what each signed, and when it follows quietly instead.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fengni_core::{Domain, Height, PublicKey};
use malachite::ConsensusContext;

use super::context::{Address, Context};
use super::guard::{Guard, GuardError};
use super::health::HealthState;
use super::log::{self, LogError};
use super::quiet::{self, Mark, Quiet};
use super::ring::Ring;
use super::signing::{LedgerSigner, LedgerVerifier};
use super::{StartError, Voter};

/// Where the record of what a key signed is: a file for each key, because a new key starts with an
/// empty record.
pub(super) fn record_of(home: &Path, domain: &Domain, key: &PublicKey) -> PathBuf {
    let digest = domain.digest("guard", &[&key.wire()]).to_string();
    home.join(format!("{}{}", quiet::RECORD, &digest[..16]))
}

/// The height up to which a key has signed; `None` where there is no record of it.
///
/// # Errors
/// [`GuardError`].
pub fn signed_height(home: &Path, domain: &Domain, key: &PublicKey) -> Result<Option<Height>, GuardError> {
    let path = record_of(home, domain, key);
    if path.exists() { Guard::read(&path, *domain, key).map(Some) } else { Ok(None) }
}

/// Sets the engine's log of a stopped node aside, after seeing that the record of what each of its
/// keys signed stands. Says where it is now; `None` where there is none.
///
/// # Errors
/// [`StartError::Log`] and [`StartError::Guard`].
pub fn repair_log(home: &Path, domain: &Domain, keys: &[PublicKey]) -> Result<Option<PathBuf>, StartError> {
    for key in keys {
        let path = record_of(home, domain, key);
        if !path.exists() {
            return Err(LogError::NoGuard { path }.into());
        }
        Guard::open(&path, *domain, key)?;
    }
    Ok(log::set_aside(home)?)
}

/// Says that nobody knows what the keys of a node have signed: it follows without voting until the
/// network has gone on, as after the loss of the record.
///
/// - `home`: the folder of consensus of a node that does not run.
///
/// # Errors
/// Those of the disk.
pub fn mark_quiet(home: &Path) -> io::Result<()> {
    std::fs::create_dir_all(home)?;
    Mark::in_folder(home).set()
}

/// Whether a key has a record of signed votes on this machine.
///
/// # Errors
/// Those of the disk.
pub fn has_record(home: &Path) -> io::Result<bool> {
    if home.exists() { quiet::has_record(home) } else { Ok(false) }
}

/// Takes a person's word that keys signed nothing but what their records here say: the node votes from
/// its start. Said wrongly, it makes the validator sign twice.
///
/// - `home`: the folder of consensus of a node that does not run.
///
/// # Errors
/// [`StartError::Guard`] and [`StartError::Engine`].
pub fn never_signed(home: &Path, domain: Domain, keys: &[PublicKey]) -> Result<(), StartError> {
    std::fs::create_dir_all(home).map_err(disk)?;
    for key in keys {
        Guard::open(&record_of(home, &domain, key), domain, key)?;
    }
    Mark::in_folder(home).lift().map_err(disk)
}

fn disk(error: io::Error) -> StartError {
    StartError::Engine(error.to_string())
}

/// How this node takes part.
#[derive(Default)]
pub(super) struct Votes {
    pub(super) ring: Option<Arc<Ring>>,
    pub(super) quiet: Option<Quiet>,
}

impl Votes {
    /// Opens the ring of a voter. Keys that have signed for heights the store does not know of stay
    /// quiet: the store is older than their votes, and only the others can tell what was decided. So
    /// do those whose record may have been lost.
    ///
    /// # Errors
    /// [`StartError::Key`], [`StartError::Guard`] and [`StartError::Engine`].
    pub(super) fn open(
        home: &Path,
        domain: Domain,
        voter: Option<&Voter>,
        last_final: Height,
    ) -> Result<Self, StartError> {
        let Some(voter) = voter else { return Ok(Self::default()) };
        let mark = Mark::in_folder(home);
        if last_final > Height(0) && !quiet::has_record(home).map_err(disk)? {
            mark.set().map_err(disk)?;
        }
        let ring = Ring::open(home, domain, voter)?;
        let (signed, next) = (ring.signed(), last_final.next());
        // Without the engine's log nobody knows what this node is locked on in the height in progress.
        let forgotten = signed == next && !log::is_there(home);
        let quiet = if mark.stands() {
            Some(Quiet::by_mark(signed, mark))
        } else {
            (signed > next || forgotten).then(|| Quiet::by_record(signed))
        };
        Ok(Self { ring: Some(Arc::new(ring)), quiet })
    }

    /// What the engine is given to sign and to verify with.
    pub(super) fn consensus(&self, domain: &Domain, health: &Arc<HealthState>) -> ConsensusContext<Context> {
        let verifier = Box::new(LedgerVerifier { domain: *domain });
        let Some(ring) = &self.ring else { return ConsensusContext::new_full_node(Address::OBSERVER, verifier) };
        let refusals = health.metrics.guard_refusals.clone();
        let heard = Arc::clone(health);
        let unsigned = Arc::new(move |reason: String| heard.end(reason));
        let signer = LedgerSigner::new(*domain, Arc::clone(ring), refusals, unsigned);
        ConsensusContext::new_validator(Address::own(ring.member()), verifier, Box::new(signer))
    }
}
