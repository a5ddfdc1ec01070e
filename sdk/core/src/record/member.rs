//! Members (成员单位): departments, their roles and their keys.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::codec::encoded_by_number;
use crate::day::Day;
use crate::digest::Domain;
use crate::finality::Validator;
use crate::id::{CreditCode, Division};
use crate::keys::{KeyAlgorithm, PublicKey, SecretKey, Signature};
use crate::number::{AgreementNumber, AuthorityNumber, Height, KeyNumber, MemberNumber};
use crate::shelf::Shelf;

/// What a member may do. A member holds any set of roles (GOV-04).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Role {
    /// Runs a consensus node (共识节点).
    Validator = 0,
    /// Follows the ledger without a vote.
    Observer = 1,
    /// Issues certificates (发证单位).
    Issuer = 2,
    /// Provides data.
    Provider = 3,
    /// Requests data.
    Requester = 4,
    /// Verifies codes (用证单位).
    Verifier = 5,
    /// Supervises; signs agreements for its region (监管).
    Regulator = 6,
    /// Audits.
    Auditor = 7,
    /// Checks people and vouches for the keys on their phones (身份认证服务).
    Identity = 8,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Validator,
        Self::Observer,
        Self::Issuer,
        Self::Provider,
        Self::Requester,
        Self::Verifier,
        Self::Regulator,
        Self::Auditor,
        Self::Identity,
    ];
}

/// A set of roles, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct Roles(u16);

impl Roles {
    /// The set of these roles.
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |bits, role| bits | 1 << *role as u8))
    }

    /// The set and this role.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u8)
    }

    /// The set without this role.
    #[must_use]
    pub fn without(self, role: Role) -> Self {
        Self(self.0 & !(1 << role as u8))
    }

    /// Whether the set holds this role.
    pub fn has(self, role: Role) -> bool {
        self.0 & 1 << role as u8 != 0
    }
}

/// Life cycle of a member.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberStatus {
    /// May act.
    Active,
    /// May not act for now (暂停).
    Suspended,
    /// Left or was removed (退出).
    Removed,
}

impl MemberStatus {
    /// Every status, by number.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Removed];
}

encoded_by_number!(MemberStatus);

/// What a key is for. A key has one purpose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPurpose {
    /// Signs consensus votes.
    Consensus,
    /// Names a node on the network.
    Peer,
    /// Signs agreements and decisions.
    Admin,
    /// Opens books, seals lines, changes standings.
    Issuing,
    /// Suspends and revokes what others issued.
    Enforcement,
    /// Signs for an application.
    Application,
}

impl KeyPurpose {
    /// Every purpose, by number.
    pub const ALL: [Self; 6] =
        [Self::Consensus, Self::Peer, Self::Admin, Self::Issuing, Self::Enforcement, Self::Application];

    /// Rule O-15: whether two persons sign the revocation of such a key.
    ///
    /// One is quick and enough where a mistake only stops the member's own work. An admin key that
    /// ended others alone would own the member, or those below it, once it is stolen.
    ///
    /// - `own`: the acting member revokes a key of its own.
    pub fn revocation_takes_two(self, own: bool) -> bool {
        !own || self == Self::Admin
    }
}

encoded_by_number!(KeyPurpose);

/// A key of a member and the heights at which it is valid, both included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct MemberKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The public half.
    pub key: PublicKey,
    /// First height at which it signs.
    pub from: Height,
    /// Last height at which it signs; `None` while in use.
    pub until: Option<Height>,
}

impl MemberKey {
    /// Whether the key signs at `height`.
    pub fn is_valid_at(&self, height: Height) -> bool {
        self.from <= height && self.until.is_none_or(|until| height <= until)
    }
}

/// A key that a member is to have, with the proof that its secret half is in somebody's hands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct NewKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The public half.
    pub key: PublicKey,
    /// The key's own signature over purpose, member and itself.
    pub proof: Signature,
}

impl NewKey {
    /// Proves a key for the member with a credit code. Rule R-10.
    pub fn of(domain: &Domain, code: &CreditCode, purpose: KeyPurpose, secret: &SecretKey) -> Self {
        let key = secret.public();
        Self { purpose, key, proof: secret.sign(&Self::message(domain, code, purpose, &key)) }
    }

    /// What the key signs: nobody registers a key of somebody else's, or for another purpose.
    pub fn message(domain: &Domain, code: &CreditCode, purpose: KeyPurpose, key: &PublicKey) -> Vec<u8> {
        domain.message("key-proof", &[&[purpose as u8], code.as_str().as_bytes(), &key.wire()])
    }

    /// Rule R-10: whether the proof holds and the algorithm suits the purpose. Nodes sign with
    /// ed25519 alone.
    pub fn is_proven(&self, domain: &Domain, code: &CreditCode) -> bool {
        let suits = match self.purpose {
            KeyPurpose::Peer => self.key.algorithm() == KeyAlgorithm::Ed25519,
            KeyPurpose::Consensus => self.key.algorithm() != KeyAlgorithm::P256,
            _ => true,
        };
        suits && self.key.verify(&Self::message(domain, code, self.purpose, &self.key), &self.proof)
    }
}

/// A member of the network.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Member {
    /// Counts the record's changes, from 1.
    pub version: u32,
    /// Unified social credit code (统一社会信用代码).
    pub code: CreditCode,
    /// Name of the department.
    pub name: String,
    /// Region it works in (行政区划).
    pub division: Division,
    /// The member above it, if any (GOV-08).
    pub superior: Option<MemberNumber>,
    /// What it may do.
    pub roles: Roles,
    /// Voting power in consensus; 0 for a member that runs no validator.
    pub power: u64,
    /// Whether it may act.
    pub status: MemberStatus,
    /// Its keys; a key's number is its place here and never changes.
    pub keys: Vec<MemberKey>,
    /// Every authority it was ever given, in rising order.
    pub authorities: Vec<AuthorityNumber>,
    /// Every agreement it signed, in rising order: what is not here is not recognised.
    pub agreements: Vec<AgreementNumber>,
    /// Day of its latest terminal act, and how many it made that day.
    pub terminal_acts: (Day, u32),
}

impl Member {
    /// The key with this number, if the member has it.
    pub fn key(&self, number: KeyNumber) -> Option<&MemberKey> {
        self.keys.get(usize::from(number.0))
    }

    /// The key for a purpose at a height: the latest one valid.
    pub fn key_for(&self, purpose: KeyPurpose, height: Height) -> Option<&MemberKey> {
        self.keys.iter().rev().find(|key| key.purpose == purpose && key.is_valid_at(height))
    }

    /// Whether it votes on proposals and, with a consensus key, on blocks.
    pub fn is_voter(&self) -> bool {
        self.status == MemberStatus::Active && self.roles.has(Role::Validator) && self.power > 0
    }

    /// Rule F-1: the validator it is at a height, if any.
    pub fn validator_at(&self, number: MemberNumber, height: Height) -> Option<Validator> {
        let key = self.key_for(KeyPurpose::Consensus, height).filter(|_| self.is_voter())?.key;
        Some(Validator { member: number, key, power: self.power })
    }
}

impl Record for Member {
    const SHELF: Shelf = Shelf::Members;
}
