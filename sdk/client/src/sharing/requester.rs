//! A requester asks a provider, takes the answer and signs for it (SHR-06).
//!
//! ```text
//! terms -> signed access -> provider -> sealed answer, receipts -> checked -> countersigned
//! ```
//!
//! What was not checked is not countersigned, and what came is kept: a receipt with the provider's signature
//! is a half that proves a use even where the provider keeps it back. Rules I-8, I-9, I-13, I-17.

use std::time::Duration;

use fengni_core::record::{KeyPurpose, Member};
use fengni_core::sharing::{
    ACCESS_SECS, Access, AccessError, AccessTerms, Answer, MemberSignature, Receipt, ResultCode, SidedReceipt,
    SignedAccess,
};
use fengni_core::verify::SKEW_SECS;
use fengni_core::{Domain, Height, Millis};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::provider::Provider;
use super::reader::Reader;
use super::sealed::{ReplyKey, SealError};
use super::wire::{Answered, Countersignature, Countersignatures};
use crate::gateway::Trouble;
use crate::keys::{HeldKey, SignError};
use crate::ledger::{Ledger, LedgerError};
use crate::random::{RandomError, random};

/// How often the same access is asked where no answer came.
const ATTEMPTS: u32 = 3;
/// How long is waited before it is asked again.
const PAUSE: Duration = Duration::from_millis(300);

/// What came of an access.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// What was asked, signed: with it a receipt's access digest is somebody's.
    pub access: SignedAccess,
    /// An answer for each question.
    pub answers: Vec<Answer>,
    /// A receipt for each question, with both signatures as far as they are there.
    pub receipts: Vec<SidedReceipt>,
    /// Whether the provider took the requester's signatures; they are in the receipts all the same.
    pub countersigned: bool,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// It is no access.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The key is none of an application's.
    #[error("an access is signed with an application key; next: name one with --key")]
    Key,
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The provider does not answer, or answers with a problem.
    #[error("{name}: {trouble}")]
    Provider {
        /// Its name.
        name: String,
        /// What is wrong.
        trouble: Trouble,
    },
    /// The answer does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What came is not what a provider answers.
    #[error("the provider's answer {0}; next: keep it, and ask the provider's operator")]
    Answer(&'static str),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Asks for data, and signs for what came.
///
/// `terms`: key, reply key, nonce and time are filled in here.
///
/// # Errors
/// [`AskError`]; nothing is countersigned then, and the same access may have been answered and counted.
pub fn ask(ledger: &mut Ledger, provider: &Provider, key: &HeldKey, mut terms: AccessTerms) -> Result<Taken, AskError> {
    let domain = ledger.domain();
    if key.purpose != KeyPurpose::Application || key.member != terms.requester {
        return Err(AskError::Key);
    }
    let reply = ReplyKey::from_seed(&random()?);
    (terms.key, terms.reply_key, terms.nonce, terms.time) = (key.number, reply.public(), random()?, ledger.now());
    let access = Access::new(terms)?;
    let signature = key.sign(&access.message(&domain))?;
    let signed = SignedAccess { access, signature };
    let answered = send(provider, &signed)?;
    let mut reader = Reader::new(ledger)?;
    let record = reader.member(signed.access.terms().provider)?;
    let record = record.ok_or(AskError::Answer("is of a provider that is no member"))?;
    check_receipts(&domain, &signed.access, &answered.receipts, &record, reader.header().height)?;
    check_times(&signed.access, &answered.receipts)?;
    for sided in &answered.receipts {
        if reader.book(&sided.receipt)?.is_none() {
            return Err(AskError::Answer("has a receipt of a book that is not the provider's"));
        }
    }
    let answers = open(&domain, &signed.access, &answered, &reply)?;
    let mut receipts = answered.receipts;
    let mut signatures = Vec::new();
    for sided in &mut receipts {
        let signature = key.sign(&sided.receipt.taken_message(&domain))?;
        let signature = MemberSignature { key: key.number, signature };
        sided.requester = Some(signature);
        signatures.push(Countersignature { number: sided.receipt.number, signature });
    }
    let countersigned = provider.countersign(&Countersignatures { signatures }).is_ok();
    Ok(Taken { access: signed, answers, receipts, countersigned })
}

/// Asks until there is an answer: the same access counts once, however often it is asked.
fn send(provider: &Provider, signed: &SignedAccess) -> Result<Answered, AskError> {
    let mut attempt = 1;
    loop {
        match provider.access(signed) {
            Ok(answered) => return Ok(answered),
            Err(trouble) => {
                let is_passing = match &trouble {
                    Trouble::Unreachable(_) => true,
                    Trouble::Refused(problem) => problem.is_passing(),
                    _ => false,
                };
                if attempt == ATTEMPTS || !is_passing {
                    return Err(AskError::Provider { name: provider.name().to_owned(), trouble });
                }
            }
        }
        attempt += 1;
        std::thread::sleep(PAUSE);
    }
}

fn check_receipts(
    domain: &Domain,
    access: &Access,
    receipts: &[SidedReceipt],
    provider: &Member,
    at: Height,
) -> Result<(), AskError> {
    if receipts.len() != access.terms().questions.len() {
        return Err(AskError::Answer("has not one receipt for each question"));
    }
    for (sided, question) in receipts.iter().zip(0usize..) {
        let Receipt { question: place, .. } = &sided.receipt;
        if usize::from(*place) != question || !sided.receipt.is_for(domain, access) {
            return Err(AskError::Answer("has a receipt that does not repeat what was asked"));
        }
        let message = sided.receipt.message(domain);
        if !sided.provider.is_some_and(|signature| signature.is_of(provider, at, &message)) {
            return Err(AskError::Answer("has a receipt that the provider did not sign"));
        }
    }
    Ok(())
}

/// A receipt of another time could wait for its batch for ever.
fn check_times(access: &Access, receipts: &[SidedReceipt]) -> Result<(), AskError> {
    let (skew, longest) = (Millis::from_secs(SKEW_SECS).0, Millis::from_secs(ACCESS_SECS).0);
    let asked = access.terms().time.0;
    let allowed = asked.saturating_sub(skew)..=asked.saturating_add(longest).saturating_add(skew);
    match receipts.iter().all(|sided| allowed.contains(&sided.receipt.time.0)) {
        true => Ok(()),
        false => Err(AskError::Answer("has a receipt of another time")),
    }
}

fn open(domain: &Domain, access: &Access, answered: &Answered, reply: &ReplyKey) -> Result<Vec<Answer>, AskError> {
    let refused = |sided: &SidedReceipt| match sided.receipt.result {
        ResultCode::Refused(refusal) => Some(Answer { result: ResultCode::Refused(refusal), values: Vec::new() }),
        _ => None,
    };
    let answers = match &answered.answer {
        Some(sealed) => {
            let opened = reply.open(domain, &access.digest(domain), sealed)?;
            let read: Option<Vec<Answer>> = serde_json::from_slice(&opened).ok();
            read.ok_or(AskError::Answer("cannot be read"))?
        }
        None => {
            let all: Option<Vec<Answer>> = answered.receipts.iter().map(refused).collect();
            all.ok_or(AskError::Answer("is not there"))?
        }
    };
    let questions = &access.terms().questions;
    let receipted = answers.len() == questions.len()
        && answers
            .iter()
            .zip(&answered.receipts)
            .zip(questions)
            .all(|((answer, sided), question)| answer.is_receipted(domain, &sided.receipt, &question.subject));
    if receipted { Ok(answers) } else { Err(AskError::Answer("says something else than its receipts")) }
}
