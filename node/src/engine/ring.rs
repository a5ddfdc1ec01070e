//! The ring of consensus keys (密钥环): one for each height, so that keys are rotated while voting.
//!
//! The validator set of a height names one key for a member, and every node knows the set before
//! the height begins. The ring signs with that key and no other; where it holds none of this name,
//! nothing is signed and the node follows.
//!
//! Each key has a [`Guard`] of its own. That is enough for all of them: two statements exclude each
//! other only at one height, a height has one key, and what a key has signed goes with it, to
//! another machine as well as back into the ring. How high the ring has signed is the highest of
//! its keys.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fengni_core::{Domain, Height, KeyAlgorithm, MemberNumber, PublicKey, Signature};
use fengni_signer::{SignError, Signer};
use thiserror::Error;

use super::guard::{Guard, GuardError, Statement};
use super::votes::record_of;
use super::{StartError, Voter};

/// Heights for which the key is remembered: the one in progress and those just decided.
const HEIGHTS: usize = 4;

/// Why a statement was not signed.
#[derive(Debug, Error)]
pub(crate) enum RingError {
    /// No key of the ring is the one for this height.
    #[error("no key of this node is the one for height {0}")]
    NotNamed(Height),
    /// It would exclude another one, or the record of what was signed failed.
    #[error("{0}{next}", next = if matches!(.0, GuardError::Disk { .. }) { "" } else {
        "; the store may be older than what this key has signed, or the key runs twice"
    })]
    Guard(#[from] GuardError),
    /// The key does not sign. The statement stands as signed and no other takes its place.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl RingError {
    /// Whether the guard said no, rather than the disk, the token or the register.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Guard(error) if !matches!(error, GuardError::Disk { .. }))
    }
}

struct Slot {
    public: PublicKey,
    signer: Arc<dyn Signer>,
    guard: Mutex<Guard>,
}

/// The consensus keys of one member.
pub(crate) struct Ring {
    member: MemberNumber,
    slots: Vec<Slot>,
    named: Mutex<BTreeMap<Height, usize>>,
}

impl Ring {
    /// Opens the records of what each key has signed.
    ///
    /// # Errors
    /// [`StartError::Key`] and [`StartError::Guard`].
    pub(crate) fn open(home: &Path, domain: Domain, voter: &Voter) -> Result<Self, StartError> {
        let mut slots: Vec<Slot> = Vec::with_capacity(voter.keys.len());
        for signer in &voter.keys {
            let public = signer.public();
            if public.algorithm() != KeyAlgorithm::Ed25519 {
                return Err(StartError::Key);
            }
            // A key that is given twice has one record.
            if slots.iter().all(|slot| slot.public != public) {
                let guard = Mutex::new(Guard::open(&record_of(home, &domain, &public), domain, &public)?);
                slots.push(Slot { public, signer: Arc::clone(signer), guard });
            }
        }
        Ok(Self { member: voter.member, slots, named: Mutex::default() })
    }

    /// Whose keys they are.
    pub(crate) fn member(&self) -> MemberNumber {
        self.member
    }

    /// The highest height that any key has signed for; 0 before the first.
    pub(crate) fn signed(&self) -> Height {
        let height = |slot: &Slot| slot.guard.lock().unwrap_or_else(PoisonError::into_inner).height();
        self.slots.iter().map(height).max().unwrap_or_default()
    }

    /// Names the key for a height. Returns whether the ring holds it.
    pub(crate) fn name(&self, height: Height, key: &PublicKey) -> bool {
        let place = self.slots.iter().position(|slot| slot.public == *key);
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            Some(place) => named.insert(height, place),
            None => named.remove(&height),
        };
        while named.len() > HEIGHTS {
            named.pop_first();
        }
        place.is_some()
    }

    /// Signs with the key of the statement's height, once its record is on disk.
    ///
    /// Takes as long as a disk and a token take.
    ///
    /// # Errors
    /// [`RingError`].
    pub(crate) fn sign(&self, statement: &Statement, bytes: &[u8]) -> Result<Signature, RingError> {
        let place = self.named.lock().unwrap_or_else(PoisonError::into_inner).get(&statement.height).copied();
        let slot = &self.slots[place.ok_or(RingError::NotNamed(statement.height))?];
        slot.guard.lock().unwrap_or_else(PoisonError::into_inner).allow(statement)?;
        Ok(slot.signer.sign(bytes)?)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({} keys of member {})", self.slots.len(), self.member)
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::SignedStep;
    use super::super::signing::tests::{domain, key};
    use super::*;

    fn voter(seeds: &[u8]) -> Voter {
        let keys = seeds.iter().map(|seed| Arc::new(key(*seed)) as Arc<dyn Signer>).collect();
        Voter { member: MemberNumber(4), keys }
    }

    fn prevote(height: u64) -> Statement {
        Statement { height: Height(height), round: 0, step: SignedStep::Prevote, block: None, valid_round: None }
    }

    #[test]
    fn each_height_is_signed_with_the_key_that_its_set_names() {
        let home = tempfile::tempdir().expect("a folder");
        let ring = Ring::open(home.path(), domain(), &voter(&[1, 2, 2])).expect("new records");
        for (height, seed) in [(7, 1), (8, 2), (9, 2), (10, 1)] {
            assert!(ring.name(Height(height), &key(seed).public()));
            let signature = ring.sign(&prevote(height), b"a vote").expect("the ring holds it");
            assert_eq!(signature, key(seed).sign(b"a vote"), "height {height}");
        }
        assert!(!ring.name(Height(11), &key(3).public()));
        assert!(matches!(ring.sign(&prevote(11), b"a vote"), Err(RingError::NotNamed(Height(11)))));
        assert!(matches!(ring.sign(&prevote(12), b"a vote"), Err(RingError::NotNamed(_))), "nobody has named it");
    }

    #[test]
    fn what_any_key_has_signed_is_remembered_and_no_key_signs_twice() {
        let home = tempfile::tempdir().expect("a folder");
        let other = Statement { block: Some(Default::default()), ..prevote(7) };
        {
            let ring = Ring::open(home.path(), domain(), &voter(&[1, 2])).expect("new records");
            ring.name(Height(7), &key(2).public());
            ring.sign(&prevote(7), b"a vote").expect("the first");
            assert!(matches!(ring.sign(&other, b"another"), Err(RingError::Guard(GuardError::Conflict { .. }))));
        }
        // With the keys in another order, and with the old one gone.
        for seeds in [&[2, 1][..], &[2]] {
            let ring = Ring::open(home.path(), domain(), &voter(seeds)).expect("the records read");
            assert_eq!(ring.signed(), Height(7));
            ring.name(Height(7), &key(2).public());
            assert!(ring.sign(&other, b"another").is_err());
            ring.sign(&prevote(7), b"a vote").expect("the very same");
        }
    }

    #[derive(Debug)]
    struct Broken;

    impl Signer for Broken {
        fn public(&self) -> PublicKey {
            key(1).public()
        }

        fn sign(&self, _: &[u8]) -> Result<Signature, SignError> {
            Err(SignError::Token("token hsm: gone".to_owned()))
        }
    }

    #[test]
    fn what_a_token_failed_to_sign_is_not_signed_otherwise_later() {
        let home = tempfile::tempdir().expect("a folder");
        let broken = Voter { member: MemberNumber(4), keys: vec![Arc::new(Broken)] };
        let ring = Ring::open(home.path(), domain(), &broken).expect("a new record");
        ring.name(Height(7), &key(1).public());
        let failed = ring.sign(&prevote(7), b"a vote").expect_err("the token is gone");
        assert_eq!(failed.to_string(), "token hsm: gone");
        let ring = Ring::open(home.path(), domain(), &voter(&[1])).expect("the record reads");
        ring.name(Height(7), &key(1).public());
        let other = Statement { block: Some(Default::default()), ..prevote(7) };
        assert!(matches!(ring.sign(&other, b"another"), Err(RingError::Guard(GuardError::Conflict { .. }))));
        ring.sign(&prevote(7), b"a vote").expect("the very same");
    }
}
