//! Transactions: an operation, who asks it, until when, and one to four signatures.
//!
//! The id covers the unsigned body, so that a signature more or less makes no second transaction.
//! Rules T-1 to T-8: `sdk/spec/transactions.md`.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{self, DecodeError};
use crate::digest::{Digest, Domain, NetworkId};
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::limits::{TRANSACTION_BYTES, TRANSACTION_SIGNATURES};
use crate::number::{Height, KeyNumber, MemberNumber};
use crate::operation::Operation;
use crate::record::Member;
use crate::recovery::RecoveryHandover;

/// Identity of a transaction: the digest of its body.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct TransactionId(pub Digest);

impl std::fmt::Display for TransactionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What is asked, before anybody signs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct TransactionBody {
    /// The network it is meant for.
    pub network: NetworkId,
    /// Who asks.
    pub member: MemberNumber,
    /// The last height at which it may be included.
    pub valid_until: Height,
    /// Makes two equal requests two transactions.
    #[serde(with = "crate::bytes::array")]
    pub salt: [u8; 16],
    /// What is asked.
    pub operation: Operation,
}

impl TransactionBody {
    /// Rule T-2: the transaction's id.
    pub fn id(&self, domain: &Domain) -> TransactionId {
        TransactionId(domain.digest("transaction", &[&codec::encode(self)]))
    }

    /// Signs with the member's keys, each given with its number.
    pub fn sign(self, domain: &Domain, keys: &[(KeyNumber, &SecretKey)]) -> Transaction {
        let message = self.message(domain);
        let sign = |(key, secret): &(KeyNumber, &SecretKey)| (*key, secret.sign(&message));
        let signatures = keys.iter().map(sign).collect();
        self.signed(signatures)
    }

    /// Rule T-4: the bytes that each key signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        signed_message(domain, self.id(domain))
    }

    /// The transaction with these signatures, in their order on the ledger.
    pub fn signed(self, signatures: Vec<(KeyNumber, Signature)>) -> Transaction {
        let with_key = |(key, signature)| TransactionSignature { key, signature };
        let mut signatures: Vec<TransactionSignature> = signatures.into_iter().map(with_key).collect();
        signatures.sort_by_key(|signature| signature.key);
        Transaction { body: self, signatures }
    }
}

fn signed_message(domain: &Domain, id: TransactionId) -> Vec<u8> {
    domain.message("sign-transaction", &[&id.0.0])
}

/// One signature on a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct TransactionSignature {
    /// Which of the member's keys.
    pub key: KeyNumber,
    /// The signature.
    pub signature: Signature,
}

/// A signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Transaction {
    /// What is asked.
    pub body: TransactionBody,
    /// One to four signatures, by rising key number.
    pub signatures: Vec<TransactionSignature>,
}

/// Why a transaction can be in no block.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TransactionError {
    /// T-1: not the encoding of a transaction.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// T-3: meant for another network.
    #[error("transaction is for network {found}")]
    OtherNetwork {
        /// The network it names.
        found: NetworkId,
    },
    /// T-4: signatures do not number one to four with rising keys.
    #[error("a transaction carries one to four signatures by different keys in rising order")]
    Signatures,
    /// T-4: no member has this number.
    #[error("there is no member {member}")]
    UnknownMember {
        /// The member named.
        member: MemberNumber,
    },
    /// T-4: the member has no such key at this height.
    #[error("member {member} has no key {key} at height {height}")]
    UnknownKey {
        /// The member.
        member: MemberNumber,
        /// The key named.
        key: KeyNumber,
        /// The including height.
        height: Height,
    },
    /// T-4: a signature is not the key's.
    #[error("the signature by key {key} does not verify")]
    BadSignature {
        /// The key.
        key: KeyNumber,
    },
    /// T-5: too late, or valid for longer than the window.
    #[error("valid until height {until}, outside {height} to {last}")]
    Window {
        /// The height it names.
        until: Height,
        /// The including height.
        height: Height,
        /// The last height allowed.
        last: Height,
    },
    /// T-6: its id is in one of the last blocks.
    #[error("already included")]
    Replay,
    /// T-7: a recovery that is not the one this block follows from.
    #[error(
        "a recovery is recorded by the first block after it, and is handed in by nobody; next: fengni-node recover"
    )]
    Recovery,
    /// T-8: what it asks came with a later version of the protocol.
    #[error("what it asks is of protocol version {needs}, the ledger speaks {speaks}")]
    LaterVersion {
        /// The version that brought it.
        needs: u16,
        /// The version of the including block.
        speaks: u16,
    },
}

impl Transaction {
    /// Rule T-7: the one transaction that records a recovery. The recovery keys have signed all of it
    /// that counts, so that no member signs.
    pub fn of_recovery(handover: RecoveryHandover) -> Self {
        let body = TransactionBody {
            network: handover.plan.network,
            member: handover.plan.seats.first().map_or(MemberNumber(0), |seat| seat.member),
            valid_until: handover.plan.height.next(),
            salt: [0; 16],
            operation: Operation::Recover { handover },
        };
        Self { body, signatures: Vec::new() }
    }

    /// The recovery that it records, if it records one.
    pub fn recovery(&self) -> Option<&RecoveryHandover> {
        match &self.body.operation {
            Operation::Recover { handover } => Some(handover),
            _ => None,
        }
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Rule T-1: reads a transaction.
    ///
    /// # Errors
    /// [`TransactionError::Encoding`] and [`TransactionError::Signatures`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        let transaction: Self = codec::decode(bytes, TRANSACTION_BYTES)?;
        transaction.check_shape()?;
        Ok(transaction)
    }

    /// Rule T-4: the number and order of signatures.
    ///
    /// # Errors
    /// [`TransactionError::Signatures`].
    pub fn check_shape(&self) -> Result<(), TransactionError> {
        if self.recovery().is_some() {
            return if self.signatures.is_empty() { Ok(()) } else { Err(TransactionError::Signatures) };
        }
        let rising = self.signatures.windows(2).all(|pair| pair[0].key < pair[1].key);
        if rising && (1..=TRANSACTION_SIGNATURES).contains(&self.signatures.len()) {
            Ok(())
        } else {
            Err(TransactionError::Signatures)
        }
    }

    /// Rule T-3 and T-5: network and window.
    ///
    /// # Errors
    /// [`TransactionError::OtherNetwork`] and [`TransactionError::Window`].
    pub fn check_window(&self, domain: &Domain, height: Height, window: u64) -> Result<(), TransactionError> {
        if self.body.network != domain.network {
            return Err(TransactionError::OtherNetwork { found: self.body.network });
        }
        let until = self.body.valid_until;
        let last = Height(height.0.saturating_add(window));
        if (height..=last).contains(&until) { Ok(()) } else { Err(TransactionError::Window { until, height, last }) }
    }

    /// Rule T-4: every signature is by a key the member has at `height`.
    ///
    /// # Errors
    /// [`TransactionError::UnknownKey`] and [`TransactionError::BadSignature`].
    pub fn check_signatures(
        &self,
        domain: &Domain,
        id: TransactionId,
        member: &Member,
        height: Height,
    ) -> Result<(), TransactionError> {
        let message = signed_message(domain, id);
        for (key, found, signature) in self.found_keys(member, height)? {
            if !found.verify(&message, signature) {
                return Err(TransactionError::BadSignature { key });
            }
        }
        Ok(())
    }

    /// Rule T-4, the arithmetic alone: whether every signature is by a key of this number of the
    /// member's, whatever the height.
    pub fn verifies(&self, domain: &Domain, id: TransactionId, member: &Member) -> bool {
        let message = signed_message(domain, id);
        let holds = |TransactionSignature { key, signature }: &TransactionSignature| {
            member.key(*key).is_some_and(|found| found.key.verify(&message, signature))
        };
        self.signatures.iter().all(holds)
    }

    /// Rule T-4 without the arithmetic: every signature names a key the member has at `height`.
    ///
    /// # Errors
    /// [`TransactionError::UnknownKey`].
    pub fn check_keys(&self, member: &Member, height: Height) -> Result<(), TransactionError> {
        self.found_keys(member, height).map(drop)
    }

    fn found_keys<'a>(
        &'a self,
        member: &'a Member,
        height: Height,
    ) -> Result<Vec<(KeyNumber, &'a PublicKey, &'a Signature)>, TransactionError> {
        let found = self.signatures.iter().map(|TransactionSignature { key, signature }| {
            let found = member.key(*key).filter(|found| found.is_valid_at(height));
            let unknown = TransactionError::UnknownKey { member: self.body.member, key: *key, height };
            Ok((*key, &found.ok_or(unknown)?.key, signature))
        });
        found.collect()
    }

    /// The numbers of the signing keys, rising.
    pub fn keys(&self) -> Vec<KeyNumber> {
        self.signatures.iter().map(|signature| signature.key).collect()
    }
}
