//! Grants (授权): a holder lets one department use named data for one purpose (SHR-04).
//!
//! ```text
//! notice, kinds, period -> content digest \
//!                                          commitment -> signature, line in a book of grants
//! secret -> withdrawal digest             /
//! ```
//!
//! The five items of the notice (HLD-04) are who receives, how to reach them, what for, how it is
//! used and which kinds of data: whoever leaves one out has no grant. Rules I-3 and I-4:
//! `sdk/spec/access.md`.

use bincode::Encode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::commitment::{grant_line, secret_digest, shown_commitment};
use super::form::{are_fields, is_text, unprinted};
use super::receipt::Receipt;
use crate::book::Line;
use crate::case::{is_item, is_number};
use crate::codec;
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::limits::{GRANT_DAYS, GRANT_KINDS, GRANT_USES, NOTICE_BYTES};
use crate::number::{MemberNumber, PurposeCode, ResourceNumber, TypeNumber};
use crate::record::Mode;

const DAY_SECS: u64 = 86_400;

/// What a grant lets its grantee do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Granted {
    /// Use data that another department keeps.
    Resource {
        /// The edition of the resource.
        resource: ResourceNumber,
        /// Which items of it, by number, in rising order.
        fields: Vec<u16>,
        /// How.
        mode: Mode,
    },
    /// Look at certificates of a type that ask for a grant.
    Showing {
        /// The type.
        certificate_type: TypeNumber,
    },
}

impl Granted {
    /// Whether both are about the same thing used in the same way: one grant says so once.
    fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Resource { resource: a, mode: x, .. }, Self::Resource { resource: b, mode: y, .. }) => {
                (a, x) == (b, y)
            }
            (Self::Showing { certificate_type: a }, Self::Showing { certificate_type: b }) => a == b,
            _ => false,
        }
    }
}

/// One kind of data, and how often it may be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct GrantedKind {
    /// What.
    pub what: Granted,
    /// How many times.
    pub uses: u32,
}

/// What a holder reads and agrees to. Time and randomness come from the wallet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct GrantTerms {
    /// Notice: who receives (接收方).
    pub grantee: MemberNumber,
    /// Notice: how to reach them (联系方式).
    pub contact: String,
    /// Notice: what for (目的).
    pub purpose: PurposeCode,
    /// Code of the service item that it is for (实施编码).
    pub item: String,
    /// The one case (办件编号) that it is for, where it is for one.
    pub case: Option<String>,
    /// Notice: how it is used (方式), in words.
    pub method: String,
    /// Notice: which kinds of data (种类).
    pub kinds: Vec<GrantedKind>,
    /// From when on.
    pub from: Millis,
    /// Until when, included.
    pub until: Millis,
    /// Whether the holder agreed to sensitive data by itself (单独同意).
    pub separate_consent: bool,
    /// The key that signs it: that of the certificate by which the holder says who they are.
    pub holder: PublicKey,
    /// Makes the digest unguessable.
    #[serde(with = "crate::bytes::array")]
    pub salt: [u8; 32],
}

/// Why there is no grant.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum GrantError {
    /// I-3: how to reach the recipient.
    #[error("the notice does not say how to reach the recipient (1 to {NOTICE_BYTES} bytes)")]
    Contact,
    /// I-3: how the data is used.
    #[error("the notice does not say how the data is used (1 to {NOTICE_BYTES} bytes)")]
    Method,
    /// I-3: which data.
    #[error(
        "the notice does not say which kinds of data: 1 to {GRANT_KINDS}, each once, with its items in rising order"
    )]
    Kinds,
    /// I-3: how often.
    #[error("each kind of data is used 1 to {GRANT_USES} times")]
    Uses,
    /// I-3: what for.
    #[error("a grant is for a service item's code, and for a case's number or none")]
    Item,
    /// I-3: how long.
    #[error("a grant ends after it begins, and holds at most {GRANT_DAYS} days")]
    Period,
    /// I-5: another network's.
    #[error("the grant is of another network")]
    OtherNetwork,
    /// I-5: not the holder's word.
    #[error("the grant was not signed with the key that it names")]
    Signature,
    /// I-5: the identity is of another key.
    #[error("the identity that comes with the grant is of another key")]
    OtherKey,
}

/// The content of a grant, which says all that it has to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(try_from = "GrantTerms", into = "GrantTerms")]
pub struct GrantContent(GrantTerms);

unprinted!(GrantTerms, GrantContent, Secret);

/// What withdraws a grant, whoever brings it to the ledger. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, zeroize::ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(#[serde(with = "crate::bytes::array")] pub [u8; 32]);

impl Secret {
    /// Rule I-4: what stands in the commitment for the secret.
    pub fn withdrawal(&self, domain: &Domain) -> Digest {
        secret_digest(domain, &self.0)
    }
}

impl GrantContent {
    /// Rule I-3: a content whose notice is whole.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn new(terms: GrantTerms) -> Result<Self, GrantError> {
        if !is_text(&terms.contact, NOTICE_BYTES) {
            return Err(GrantError::Contact);
        }
        if !is_item(&terms.item) || terms.case.as_deref().is_some_and(|case| !is_number(case)) {
            return Err(GrantError::Item);
        }
        if !is_text(&terms.method, NOTICE_BYTES) {
            return Err(GrantError::Method);
        }
        if !are_kinds(&terms.kinds) {
            return Err(GrantError::Kinds);
        }
        if terms.kinds.iter().any(|kind| !(1..=GRANT_USES).contains(&kind.uses)) {
            return Err(GrantError::Uses);
        }
        let longest = Millis::from_secs(GRANT_DAYS * DAY_SECS);
        if terms.until <= terms.from || terms.until.0 - terms.from.0 > longest.0 {
            return Err(GrantError::Period);
        }
        Ok(Self(terms))
    }

    /// What it says.
    pub fn terms(&self) -> &GrantTerms {
        &self.0
    }

    /// The place of the kind that a receipt counts for, by its resource and mode.
    pub fn kind_of(&self, receipt: &Receipt) -> Option<usize> {
        let is_its = |kind: &GrantedKind| match &kind.what {
            Granted::Resource { resource, mode, .. } => (*resource, *mode) == (receipt.resource, receipt.mode),
            Granted::Showing { .. } => false,
        };
        self.0.kinds.iter().position(is_its)
    }

    /// Rule I-4: the digest of the content, which its salt makes unguessable.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("grant-content", &[&codec::encode(self)])
    }

    /// Rule I-4: what its line commits to.
    ///
    /// - `withdrawal`: from [`Secret::withdrawal`], of the secret that withdraws it.
    pub fn commitment(&self, domain: &Domain, withdrawal: &Digest) -> Digest {
        shown_commitment(domain, &self.digest(domain), withdrawal)
    }

    /// Rule I-4: its line.
    pub fn line(&self, domain: &Domain, withdrawal: &Digest) -> Line {
        grant_line(domain, self.commitment(domain, withdrawal))
    }

    /// Rule I-5: the bytes that the holder signs. They bind the secret as well: under another one the
    /// content would make another line, which this holder could not withdraw.
    pub fn message(&self, domain: &Domain, withdrawal: &Digest) -> Vec<u8> {
        domain.message("grant", &[&self.commitment(domain, withdrawal).0])
    }

    /// Rule I-5: the holder's signature.
    pub fn sign(&self, domain: &Domain, withdrawal: &Digest, key: &SecretKey) -> Signature {
        key.sign(&self.message(domain, withdrawal))
    }
}

fn are_kinds(kinds: &[GrantedKind]) -> bool {
    let is_right = |kind: &GrantedKind| match &kind.what {
        Granted::Resource { fields, .. } => are_fields(fields),
        Granted::Showing { .. } => true,
    };
    let once = |(at, kind): (usize, &GrantedKind)| !kinds[..at].iter().any(|earlier| earlier.what.repeats(&kind.what));
    (1..=GRANT_KINDS).contains(&kinds.len()) && kinds.iter().all(is_right) && kinds.iter().enumerate().all(once)
}

impl TryFrom<GrantTerms> for GrantContent {
    type Error = GrantError;

    fn try_from(terms: GrantTerms) -> Result<Self, GrantError> {
        Self::new(terms)
    }
}

impl From<GrantContent> for GrantTerms {
    fn from(content: GrantContent) -> Self {
        content.0
    }
}
