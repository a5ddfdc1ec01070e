//! Receipts (用证记录): who used what, for what and when, without whose it was (SHR-06).
//!
//! ```text
//! receipt -> digest -> provider's signature, requester's signature
//!                  \-> blinded leaf -> batch -> line in a book of receipts
//! ```
//!
//! One receipt a question, of a refusal as well. It holds no subject and no value: hashes of both
//! are salted with randomness that is in the receipt itself. Rules I-12 to I-14:
//! `sdk/spec/access.md`.

use bincode::Encode;
use serde::{Deserialize, Serialize};

use super::access::{Access, AccessTerms};
use super::answer::FieldValue;
use super::form::unprinted;
use super::refusal::AccessRefusal;
use super::signed::MemberSignature;
use crate::certificate::ClaimValue;
use crate::codec;
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::number::{BookNumber, Height, MemberNumber, PurposeCode, RequestNumber, ResourceNumber};
use crate::record::{AccessBasis, Member, Mode};
use crate::verify::SKEW_SECS;

/// What came of a question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode)]
#[serde(rename_all = "kebab-case")]
pub enum ResultCode {
    /// Every test holds.
    Yes,
    /// Some test does not.
    No,
    /// Values were handed over.
    Answered,
    /// The provider has nothing about the subject.
    NotFound,
    /// Nothing was looked up.
    Refused(AccessRefusal),
}

/// A receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Who was asked.
    pub provider: MemberNumber,
    /// Who asked.
    pub requester: MemberNumber,
    /// For which request.
    pub request: RequestNumber,
    /// Which edition of which resource; that of the request, 0 where there is no such request.
    pub resource: ResourceNumber,
    /// On what it rests.
    pub basis: AccessBasis,
    /// What for.
    pub purpose: PurposeCode,
    /// Code of the service item (实施编码).
    pub item: String,
    /// The case (办件编号).
    pub case: String,
    /// How the data was used.
    pub mode: Mode,
    /// Which items of data, by number, in rising order.
    pub fields: Vec<u16>,
    /// Salted digest of the grant or use code; zeros where there was none.
    pub warrant: Digest,
    /// Which use of the grant's kind it was, from 1; 0 where none was counted.
    pub use_number: u32,
    /// Salted digest of the subject and of the record answered from.
    pub record: Digest,
    /// The signed access.
    pub access: Digest,
    /// Which of its questions, from 0.
    pub question: u16,
    /// What came of it.
    pub result: ResultCode,
    /// When.
    pub time: Millis,
    /// The provider's book of receipts.
    pub book: BookNumber,
    /// Its number there, from 0.
    pub number: u64,
    /// Blinds the leaf, and salts what is hashed in the receipt.
    #[serde(with = "crate::bytes::array")]
    pub salt: [u8; 32],
}

unprinted!(Receipt);

/// Rule I-12: the salted digest of a grant's content or of a use code; zeros for none.
pub fn warrant_digest(domain: &Domain, salt: &[u8; 32], warrant: Option<&Digest>) -> Digest {
    warrant.map_or_else(Digest::default, |warrant| domain.digest("receipt-warrant", &[salt, &warrant.0]))
}

/// Rule I-12: the salted digest of a subject and of the record answered from.
///
/// - `values`: the items that were looked at, by rising number, each with its text or none; `None`
///   where there is no record, or none was looked up.
pub fn record_digest(domain: &Domain, salt: &[u8; 32], subject: &ClaimValue, values: Option<&[FieldValue]>) -> Digest {
    domain.digest("receipt-record", &[salt, &codec::encode(&(subject, values))])
}

impl Receipt {
    /// Rule I-12: whether it repeats what was asked. Whoever countersigns looks first.
    pub fn is_for(&self, domain: &Domain, access: &Access) -> bool {
        let AccessTerms { provider, requester, request, basis, purpose, item, case, mode, fields, questions, .. } =
            access.terms();
        usize::from(self.question) < questions.len()
            && self.access == access.digest(domain)
            && (self.provider, self.requester, self.request) == (*provider, *requester, *request)
            && (self.basis, self.purpose, self.mode) == (*basis, *purpose, *mode)
            && (&self.item, &self.case, &self.fields) == (item, case, fields)
    }

    /// Rule I-12: whether it is of a use of this grant, which its salt shows to whoever has the grant.
    pub fn is_under(&self, domain: &Domain, content: &Digest) -> bool {
        self.warrant == warrant_digest(domain, &self.salt, Some(content))
    }

    /// Rule I-15: whether it is dated later than two clocks may disagree by.
    ///
    /// - `as_of`: time of a proven header.
    pub fn is_ahead(&self, as_of: Millis) -> bool {
        self.time.0 > as_of.0.saturating_add(Millis::from_secs(SKEW_SECS).0)
    }

    /// Rule I-13: what both sides sign.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("receipt", &[&codec::encode(self)])
    }

    /// Rule I-13: the bytes that the provider signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message("receipt", &[&self.digest(domain).0])
    }

    /// Rule I-13: the bytes that the requester signs.
    pub fn taken_message(&self, domain: &Domain) -> Vec<u8> {
        domain.message("receipt-taken", &[&self.digest(domain).0])
    }

    /// Rule I-14: its blinded leaf, the hash of a list entry (D-2).
    pub fn leaf(&self, domain: &Domain) -> Digest {
        domain.suite.leaf(&domain.digest("receipt-leaf", &[&self.digest(domain).0]).0)
    }
}

/// A receipt with whatever signatures somebody has. Rule I-13.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SidedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// The provider's, over [`Receipt::message`].
    pub provider: Option<MemberSignature>,
    /// The requester's, over [`Receipt::taken_message`].
    pub requester: Option<MemberSignature>,
}

unprinted!(SidedReceipt);

/// Whose word a receipt is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// Both sides'.
    Both,
    /// The provider's alone: it proves nothing against the requester.
    Provider,
    /// The requester's alone: it proves nothing against the provider.
    Requester,
    /// Nobody's.
    Neither,
}

impl SidedReceipt {
    /// Rule I-13: whose word it is. A signature that does not verify counts as none.
    ///
    /// - `provider`, `requester`: the records of the members that the receipt names, proven.
    /// - `height`: at which the keys must be in force: that of the batch's seal, or of now.
    pub fn sides(&self, domain: &Domain, provider: &Member, requester: &Member, height: Height) -> Sides {
        let Self { receipt, provider: given, requester: taken } = self;
        let given = given.is_some_and(|signature| signature.was_of(provider, height, &receipt.message(domain)));
        let taken = taken.is_some_and(|signature| signature.was_of(requester, height, &receipt.taken_message(domain)));
        match (given, taken) {
            (true, true) => Sides::Both,
            (true, false) => Sides::Provider,
            (false, true) => Sides::Requester,
            (false, false) => Sides::Neither,
        }
    }
}
