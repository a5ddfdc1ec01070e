//! Challenges: asking as a verifier, and finding out who asks as a holder.
//!
//! A wallet shows nothing to somebody it cannot name: the member's record comes proven from the
//! ledger, so that a challenge needs a network on the holder's side.

use fengni_core::challenge::{Challenge, ChallengeError, Question};
use fengni_core::proof::Place;
use fengni_core::record::{KeyPurpose, Member};
use fengni_core::shelf::Shelf;
use fengni_core::{Domain, Millis, PurposeCode};
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError};
use crate::random::{RandomError, random};
use fengni_signer::{HeldKey, SignError};

/// Seconds for which a question may be answered, where nothing else is said.
pub const LIFETIME_SECS: u32 = 120;

/// Why nobody is asked, or nobody should answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// A key for something else.
    #[error("the key is no application key; next: give one that the ledger lists for applications")]
    OtherKey,
    /// What is wrong with the challenge.
    #[error(transparent)]
    Challenge(#[from] ChallengeError),
    /// Who asks could not be proven.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Asks: a fresh challenge of the key's member.
///
/// # Errors
/// [`AskError::OtherKey`], [`AskError::Challenge`] for a lifetime that is not allowed, and
/// [`AskError::Random`].
pub fn ask(
    domain: &Domain,
    key: &HeldKey,
    purpose: PurposeCode,
    lifetime_secs: u32,
    now: Millis,
) -> Result<Challenge, AskError> {
    if key.purpose != KeyPurpose::Application {
        return Err(AskError::OtherKey);
    }
    let question = Question {
        verifier: key.member,
        key: key.number,
        purpose,
        issued_secs: now.secs(),
        lifetime_secs,
        nonce: random()?,
    };
    question.sign_with(domain, |message| Ok(key.sign(message)?))
}

/// Finds out who asks: the member's record, if the challenge is its own and may be answered now.
///
/// # Errors
/// [`AskError::Ledger`] where nobody proves who asks, and [`AskError::Challenge`].
pub fn who_asks(ledger: &mut Ledger, challenge: &Challenge) -> Result<Member, AskError> {
    let number = challenge.question.verifier.0;
    let proven = ledger.prove(&[Place::Record(Shelf::Members, number)])?.value;
    let member: Member = proven.record(number).map_err(LedgerError::from)?;
    challenge.check(&ledger.domain(), &member, proven.header().height, ledger.now())?;
    Ok(member)
}
