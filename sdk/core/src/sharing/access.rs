//! Access (用数): what a requester asks of a provider, signed first.
//!
//! No signature, no answer: whoever asks says for which request, item, case and purpose, and on what
//! it rests, before anything is looked up. Rules I-8 and I-9: `sdk/spec/access.md`.

use bincode::Encode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::form::{are_fields, unprinted};
use super::identity::Identity;
use super::presented::PresentedGrant;
use super::signed::MemberSignature;
use super::use_code::UseCode;
use crate::case::{is_item, is_number};
use crate::certificate::ClaimValue;
use crate::codec::{self, encoded_by_number};
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::keys::{SecretKey, Signature};
use crate::limits::{ACCESS_QUESTIONS, QUESTION_TESTS};
use crate::number::{Height, KeyNumber, MemberNumber, PurposeCode, RequestNumber};
use crate::record::{AccessBasis, Member, Mode};

/// How a test compares what the provider has with what the requester says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// It is the same.
    Equal,
    /// It is as much or more, or as late or later.
    AtLeast,
    /// It is as much or less, or as early or earlier.
    AtMost,
}

impl Comparison {
    /// Every comparison, by number.
    pub const ALL: [Self; 3] = [Self::Equal, Self::AtLeast, Self::AtMost];
}

encoded_by_number!(Comparison);

/// A test of one item of data (核验): it is answered with yes or no.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Number of the item in the resource.
    pub field: u16,
    /// How it compares.
    pub is: Comparison,
    /// With what.
    pub value: ClaimValue,
}

/// What a question rests on besides the request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Warrant {
    /// Nothing: enough for the basis *function*, refused for the others.
    None,
    /// The holder's grant.
    Grant(Box<PresentedGrant>),
    /// The holder's use code.
    UseCode {
        /// The code.
        code: Box<UseCode>,
        /// Who the holder is.
        identity: Box<Identity>,
    },
}

/// A question about one subject.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Whom or what it is about, as the resource says: a number, a code or an identifier.
    pub subject: ClaimValue,
    /// What has to hold, in the mode *verify*.
    pub tests: Vec<Test>,
    /// What it rests on.
    pub warrant: Warrant,
}

/// What a requester asks. Time and randomness come from outside.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct AccessTerms {
    /// Who is asked.
    pub provider: MemberNumber,
    /// Who asks.
    pub requester: MemberNumber,
    /// Number of the requester's key that signs.
    pub key: KeyNumber,
    /// The request that the provider agreed to.
    pub request: RequestNumber,
    /// On what it rests.
    pub basis: AccessBasis,
    /// Code of the service item (实施编码).
    pub item: String,
    /// The case (办件编号).
    pub case: String,
    /// What for.
    pub purpose: PurposeCode,
    /// How the data is used.
    pub mode: Mode,
    /// Which items of data, by number, in rising order.
    pub fields: Vec<u16>,
    /// One, or up to 100 in the mode *batch*.
    pub questions: Vec<Question>,
    /// Whoever asks at the requester's, by a number that means something there alone.
    #[serde(with = "crate::bytes::array")]
    pub operator: [u8; 16],
    /// X25519 key to which the answer is sealed.
    #[serde(with = "crate::bytes::array")]
    pub reply_key: [u8; 32],
    /// Fresh randomness of the requester.
    #[serde(with = "crate::bytes::array")]
    pub nonce: [u8; 16],
    /// When it was asked.
    pub time: Millis,
}

/// Why something is no access. Rule I-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AccessError {
    /// Item or case.
    #[error("an access is for a service item's code and a case's number")]
    Case,
    /// Items of data.
    #[error("an access asks for items of data by number, in rising order")]
    Fields,
    /// Questions.
    #[error("an access has one question, or 1 to {ACCESS_QUESTIONS} in the mode batch")]
    Questions,
    /// Tests.
    #[error("a question has 1 to {QUESTION_TESTS} tests of items asked for in the mode verify, and none in another")]
    Tests,
    /// Warrant.
    #[error("what rests on a duty needs no grant and no use code, and carries none")]
    Warrant,
}

/// An access that is one. Rule I-8.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(try_from = "AccessTerms", into = "AccessTerms")]
pub struct Access(AccessTerms);

/// An access with its requester's signature. Rule I-9.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAccess {
    /// What is asked.
    pub access: Access,
    /// By the requester's key over [`Access::message`].
    pub signature: Signature,
}

unprinted!(Test, Warrant, Question, AccessTerms, Access, SignedAccess);

impl Warrant {
    /// What a grant or a use code is known by, in the journal and under the salt of a receipt.
    pub fn digest(&self, domain: &Domain) -> Option<Digest> {
        match self {
            Self::None => None,
            Self::Grant(grant) => Some(grant.content.digest(domain)),
            Self::UseCode { code, .. } => Some(code.terms().digest(domain)),
        }
    }
}

impl Access {
    /// Rule I-8: an access whose parts agree.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn new(terms: AccessTerms) -> Result<Self, AccessError> {
        let AccessTerms { basis, item, case, mode, fields, questions, .. } = &terms;
        let most = if *mode == Mode::Batch { ACCESS_QUESTIONS } else { 1 };
        let least_tests = usize::from(*mode == Mode::Verify);
        let tests = least_tests * QUESTION_TESTS;
        let of_fields = |test: &Test| fields.contains(&test.field);
        let rests_right = |question: &Question| basis.needs_grant() || question.warrant == Warrant::None;
        let is_tested = |question: &Question| {
            (least_tests..=tests).contains(&question.tests.len()) && question.tests.iter().all(of_fields)
        };
        if !is_item(item) || !is_number(case) {
            Err(AccessError::Case)
        } else if !are_fields(fields) {
            Err(AccessError::Fields)
        } else if !(1..=most).contains(&questions.len()) {
            Err(AccessError::Questions)
        } else if !questions.iter().all(is_tested) {
            Err(AccessError::Tests)
        } else if !questions.iter().all(rests_right) {
            Err(AccessError::Warrant)
        } else {
            Ok(Self(terms))
        }
    }

    /// What it says.
    pub fn terms(&self) -> &AccessTerms {
        &self.0
    }

    /// Rule I-9: the digest by which journal, receipts and answers know it.
    pub fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("access", &[&codec::encode(self)])
    }

    /// Rule I-9: the bytes that the requester signs.
    pub fn message(&self, domain: &Domain) -> Vec<u8> {
        domain.message("access", &[&self.digest(domain).0])
    }

    /// Rule I-9: the access, signed.
    pub fn sign(self, domain: &Domain, key: &SecretKey) -> SignedAccess {
        let signature = key.sign(&self.message(domain));
        SignedAccess { access: self, signature }
    }
}

impl SignedAccess {
    /// Rule I-9: whether an active member's application key signed it.
    ///
    /// - `requester`: the record of the member it names, proven.
    /// - `height`: of the state that proved it.
    pub fn is_signed_by(&self, domain: &Domain, requester: &Member, height: Height) -> bool {
        let signature = MemberSignature { key: self.access.terms().key, signature: self.signature };
        signature.is_of(requester, height, &self.access.message(domain))
    }
}

impl TryFrom<AccessTerms> for Access {
    type Error = AccessError;

    fn try_from(terms: AccessTerms) -> Result<Self, AccessError> {
        Self::new(terms)
    }
}

impl From<Access> for AccessTerms {
    fn from(access: Access) -> Self {
        access.0
    }
}
