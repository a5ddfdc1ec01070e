//! How a node votes: its keys, the record of what each signed, and when it follows quietly instead.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fengni_core::{Domain, Height, PublicKey};
use malachite::ConsensusContext;

use super::context::{Address, Context};
use super::guard::{Guard, GuardError};
use super::health::HealthState;
use super::log::{self, LogError};
use super::ring::Ring;
use super::signing::{LedgerSigner, LedgerVerifier};
use super::{StartError, Voter};

/// How a record of signed votes is named: this, and the key's digest.
const RECORD: &str = "signed-";

/// Where the record of what a key signed is: a file for each key, because a new key starts with an
/// empty record.
pub(super) fn record_of(home: &Path, domain: &Domain, key: &PublicKey) -> PathBuf {
    let digest = domain.digest("guard", &[&key.wire()]).to_string();
    home.join(format!("{RECORD}{}", &digest[..16]))
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

/// How this node takes part.
#[derive(Default)]
pub(super) struct Votes {
    pub(super) ring: Option<Arc<Ring>>,
    pub(super) quiet_until: Option<Height>,
}

impl Votes {
    /// Opens the ring of a voter. Keys that have signed for heights the store does not know of stay
    /// quiet: the store is older than their votes, and only the others can tell what was decided.
    ///
    /// # Errors
    /// [`StartError::Key`] and [`StartError::Guard`].
    pub(super) fn open(
        home: &Path,
        domain: Domain,
        voter: Option<&Voter>,
        last_final: Height,
    ) -> Result<Self, StartError> {
        let Some(voter) = voter else { return Ok(Self::default()) };
        let ring = Ring::open(home, domain, voter)?;
        let (signed, next) = (ring.signed(), last_final.next());
        // Without the engine's log nobody knows what this node is locked on in the height in progress.
        let forgotten = signed == next && !log::is_there(home);
        let quiet_until = (signed > next || forgotten).then_some(signed);
        Ok(Self { ring: Some(Arc::new(ring)), quiet_until })
    }

    /// What the engine is given to sign and to verify with.
    pub(super) fn consensus(&self, domain: &Domain, health: &Arc<HealthState>) -> ConsensusContext<Context> {
        let verifier = Box::new(LedgerVerifier { domain: *domain });
        let Some(ring) = &self.ring else { return ConsensusContext::new_full_node(Address::OBSERVER, verifier) };
        let refusals = health.metrics.guard_refusals.clone();
        let heard = Arc::clone(health);
        let refused = Arc::new(move |reason: String| heard.end(format!("a signature was refused: {reason}")));
        let signer = LedgerSigner::new(*domain, Arc::clone(ring), refusals, refused);
        ConsensusContext::new_validator(Address::own(ring.member()), verifier, Box::new(signer))
    }
}
