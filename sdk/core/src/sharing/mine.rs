//! A holder's question to a provider: which receipts are there about me? Rule I-16.
//!
//! The key that signs is that of grants and use codes; who has it not learns nothing. What was used
//! by duty has no key of the holder's in it: for that the question says whom it is of.

use bincode::Encode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::form::unprinted;
use super::identity::Identity;
use crate::codec;
use crate::day::Millis;
use crate::digest::Domain;
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::number::MemberNumber;
use crate::verify::SKEW_SECS;

/// How long a question may be answered, in seconds.
pub const QUESTION_SECS: u64 = 120;

/// What a holder asks. Time and randomness come from the wallet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct HolderQuestion {
    /// Who is asked.
    pub provider: MemberNumber,
    /// The key of the grants and use codes asked about.
    pub holder: PublicKey,
    /// Whose key it is: asks for the receipts about that person, body or certificate as well.
    pub identity: Option<Identity>,
    /// Number of the first receipt wanted, in the provider's book.
    pub from: u64,
    /// Fresh randomness of the wallet.
    #[serde(with = "crate::bytes::array")]
    pub nonce: [u8; 16],
    /// When it is asked.
    pub time: Millis,
}

/// A holder's question, signed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHolderQuestion {
    /// What is asked.
    pub question: HolderQuestion,
    /// By the holder's key over [`HolderQuestion::message`].
    pub signature: Signature,
}

unprinted!(HolderQuestion, SignedHolderQuestion);

/// Why a provider answers nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum HolderQuestionError {
    /// I-16: for another provider.
    #[error("the question is for another member")]
    OtherProvider,
    /// I-16: an identity of another key.
    #[error("the identity that comes with the question is of another key")]
    OtherKey,
    /// I-16: not of the key.
    #[error("the question was not signed with the key that it names")]
    Signature,
    /// I-16: too early or too late.
    #[error("the question is too old or from later than now: ask again")]
    Time,
}

impl HolderQuestion {
    /// Rule I-16: the bytes that the holder signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message("mine", &[&codec::encode(self)])
    }

    /// Rule I-16: the question, signed.
    pub fn sign(self, domain: &Domain, key: &SecretKey) -> SignedHolderQuestion {
        let signature = key.sign(&self.message(domain));
        SignedHolderQuestion { question: self, signature }
    }
}

impl SignedHolderQuestion {
    /// Rule I-16: whether a provider answers it now. Whom the identity is of is for
    /// [`Identity::open`].
    ///
    /// # Errors
    /// [`HolderQuestionError`].
    pub fn check(&self, domain: &Domain, provider: MemberNumber, now: Millis) -> Result<(), HolderQuestionError> {
        let HolderQuestion { holder, identity, time, .. } = &self.question;
        let (skew, end) = (Millis::from_secs(SKEW_SECS).0, Millis::from_secs(QUESTION_SECS + SKEW_SECS).0);
        if self.question.provider != provider {
            Err(HolderQuestionError::OtherProvider)
        } else if identity.as_ref().is_some_and(|identity| identity.key() != holder) {
            Err(HolderQuestionError::OtherKey)
        } else if !holder.verify(&self.question.message(domain), &self.signature) {
            Err(HolderQuestionError::Signature)
        } else if time.0 > now.0.saturating_add(skew) || now.0 > time.0.saturating_add(end) {
            Err(HolderQuestionError::Time)
        } else {
            Ok(())
        }
    }
}
