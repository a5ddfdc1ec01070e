//! Recovery: how a network goes on whose validators are lost for good.
//!
//! Keys that people of several departments hold offline sign one document. It names the last final
//! block and who decides from the next one on, and holds once a stated delay has passed, so that
//! validators that were only away come back first. Rules F-9 to F-11: `sdk/spec/finality.md`.
//!
//! ```text
//! parameters: keys, threshold, delay
//!        |
//! plan --sign, sign, sign--> handover --verify(terms, last block)--> the next block's validators
//! ```

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::{BlockId, Header};
use crate::codec::{self, DecodeError};
use crate::day::Millis;
use crate::digest::{Domain, NetworkId};
use crate::finality::{SetError, Validator, ValidatorSet};
use crate::keys::{PublicKey, Signature};
use crate::limits::TRANSACTION_BYTES;
use crate::number::{Height, MemberNumber};
use crate::operation::Ground;

/// Whose signatures recover a network. Part of its parameters; without it there is no recovery.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct RecoveryTerms {
    /// Public halves of the recovery keys; a key's number is its place.
    pub keys: Vec<PublicKey>,
    /// How many of them must sign.
    pub threshold: u16,
    /// How long after the last final block a handover begins to hold, at least.
    pub delay_secs: u64,
}

/// Recovery terms as the parameters hold them: a byte string, empty where there are none, so that a
/// reader that follows no recovery carries it along unread.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg(feature = "recovery")]
pub struct RecoveryClause(Option<RecoveryTerms>);

/// Recovery terms, unread.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
#[cfg(not(feature = "recovery"))]
pub struct RecoveryClause(crate::bytes::Bytes);

#[cfg(feature = "recovery")]
mod clause {
    use std::ops::Deref;

    use super::{RecoveryClause, RecoveryTerms};
    use crate::bytes::Bytes;
    use crate::codec::{self, DecodeError, encoded_as};
    use crate::limits::RECORD_BYTES;

    encoded_as!(RecoveryClause, Bytes);

    impl From<RecoveryClause> for Bytes {
        fn from(clause: RecoveryClause) -> Self {
            Self(clause.0.as_ref().map(codec::encode).unwrap_or_default())
        }
    }

    impl TryFrom<Bytes> for RecoveryClause {
        type Error = DecodeError;

        fn try_from(bytes: Bytes) -> Result<Self, DecodeError> {
            let terms = (!bytes.0.is_empty()).then(|| codec::decode(&bytes.0, RECORD_BYTES));
            Ok(Self(terms.transpose()?))
        }
    }

    impl From<Option<RecoveryTerms>> for RecoveryClause {
        fn from(terms: Option<RecoveryTerms>) -> Self {
            Self(terms)
        }
    }

    impl Deref for RecoveryClause {
        type Target = Option<RecoveryTerms>;

        fn deref(&self) -> &Option<RecoveryTerms> {
            &self.0
        }
    }
}

/// A validator of the new set, with keys that nobody has used before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// The member.
    pub member: MemberNumber,
    /// Its voting power, at least 1.
    pub power: u64,
    /// Its new consensus key.
    pub consensus: PublicKey,
    /// The key that names its node on the network, where that was lost as well.
    pub peer: Option<PublicKey>,
}

/// What the recovery keys sign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct RecoveryPlan {
    /// The network.
    pub network: NetworkId,
    /// Height of the last final block.
    pub height: Height,
    /// That block.
    pub block: BlockId,
    /// When the plan begins to hold: no block that follows it is earlier.
    pub from: Millis,
    /// Why, without what only the departments may know.
    pub ground: Ground,
    /// Who decides from the next block on, by rising member number.
    pub seats: Vec<Seat>,
}

impl RecoveryPlan {
    /// Rule F-9: the bytes that are signed.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message("recovery", &[&codec::encode(self)])
    }

    /// The validators of the next block.
    ///
    /// # Errors
    /// [`SetError`].
    pub fn validators(&self) -> Result<ValidatorSet, SetError> {
        let seats = self.seats.iter();
        let validator = |seat: &Seat| Validator { member: seat.member, key: seat.consensus, power: seat.power };
        ValidatorSet::new(seats.map(validator).collect())
    }
}

/// One recovery key's signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct RecoverySignature {
    /// Place of the key among [`RecoveryTerms::keys`].
    pub key: u16,
    /// Over the plan.
    pub signature: Signature,
}

/// A recovery handover (恢复交接): a plan, and who signed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct RecoveryHandover {
    /// What is signed.
    pub plan: RecoveryPlan,
    /// By rising number of the key.
    pub signatures: Vec<RecoverySignature>,
}

/// The last final block, as far as a recovery builds on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastFinal {
    /// Its height.
    pub height: Height,
    /// Its id.
    pub block: BlockId,
    /// Its time.
    pub time: Millis,
}

impl LastFinal {
    /// Of a header.
    pub fn of(domain: &Domain, header: &Header) -> Self {
        Self { height: header.height, block: header.id(domain), time: header.time }
    }
}

/// Why a recovery handover hands nothing over.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RecoveryError {
    /// F-9: the parameters name no recovery keys.
    #[error("this network names no recovery keys: there is no recovery")]
    NoTerms,
    /// F-9: of another network.
    #[error("the recovery is of network {0}")]
    OtherNetwork(NetworkId),
    /// F-9: it builds on another block than the last final one.
    #[error("the recovery follows block {block} of height {height}, which is not the last final block here")]
    OtherBlock {
        /// The height it names.
        height: Height,
        /// The block it names.
        block: BlockId,
    },
    /// F-9: its delay is shorter than the parameters ask for.
    #[error("the recovery would hold from {from:?}, earlier than {earliest:?}, when the delay is over")]
    Delay {
        /// When it would hold.
        from: Millis,
        /// The earliest that may stand there.
        earliest: Millis,
    },
    /// F-9: the new validators make no set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// F-9: signers are not in rising order.
    #[error("recovery key {0} stands out of order or signs twice")]
    SignerOrder(u16),
    /// F-9: there is no such recovery key.
    #[error("there is no recovery key {0}")]
    UnknownSigner(u16),
    /// F-9: a signature does not verify.
    #[error("the signature of recovery key {0} does not verify")]
    BadSignature(u16),
    /// F-9: too few signed.
    #[error("{signed} recovery keys signed, {needed} are needed")]
    BelowThreshold {
        /// How many signed.
        signed: usize,
        /// How many must.
        needed: u16,
    },
}

impl RecoveryHandover {
    /// A plan that nobody has signed yet.
    pub fn draft(plan: RecoveryPlan) -> Self {
        Self { plan, signatures: Vec::new() }
    }

    /// Reads a handover from its encoding.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, TRANSACTION_BYTES)
    }

    /// Takes the signature of the recovery key of a number; the same key's earlier one is replaced.
    pub fn take(&mut self, key: u16, signature: Signature) {
        self.signatures.retain(|signed| signed.key != key);
        let place = self.signatures.partition_point(|signed| signed.key < key);
        self.signatures.insert(place, RecoverySignature { key, signature });
    }

    /// Rule F-9: whether it may follow the last final block, and who decides then.
    ///
    /// - `terms`: of the parameters in the state after that block.
    ///
    /// Says nothing about the present: whoever follows it asks that [`RecoveryPlan::from`] is over.
    ///
    /// # Errors
    /// [`RecoveryError`].
    ///
    /// # Source
    /// `sdk/spec/finality.md`, rule F-9.
    pub fn verify(
        &self,
        domain: &Domain,
        terms: Option<&RecoveryTerms>,
        last: &LastFinal,
    ) -> Result<ValidatorSet, RecoveryError> {
        let terms = terms.ok_or(RecoveryError::NoTerms)?;
        let RecoveryPlan { network, height, block, from, .. } = self.plan;
        if network != domain.network {
            return Err(RecoveryError::OtherNetwork(network));
        }
        // A network without a block is founded anew.
        if height == Height(0) || (height, block) != (last.height, last.block) {
            return Err(RecoveryError::OtherBlock { height, block });
        }
        let earliest = Millis(last.time.0.saturating_add(terms.delay_secs.saturating_mul(1000)));
        if from < earliest {
            return Err(RecoveryError::Delay { from, earliest });
        }
        let validators = self.plan.validators()?;
        self.verify_signatures(domain, terms)?;
        Ok(validators)
    }

    /// Rule F-9: every signature is good, and there are enough.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn verify_signatures(&self, domain: &Domain, terms: &RecoveryTerms) -> Result<(), RecoveryError> {
        let message = self.plan.message(domain);
        let mut before = None;
        for RecoverySignature { key, signature } in &self.signatures {
            if before.is_some_and(|before| before >= *key) {
                return Err(RecoveryError::SignerOrder(*key));
            }
            before = Some(*key);
            let known = terms.keys.get(usize::from(*key)).ok_or(RecoveryError::UnknownSigner(*key))?;
            if !known.verify(&message, signature) {
                return Err(RecoveryError::BadSignature(*key));
            }
        }
        let (signed, needed) = (self.signatures.len(), terms.threshold);
        if signed < usize::from(needed) { Err(RecoveryError::BelowThreshold { signed, needed }) } else { Ok(()) }
    }
}
