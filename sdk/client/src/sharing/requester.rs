//! A requester asks a provider, takes the answer and signs for it (SHR-06).
//!
//! ```text
//! terms -> signed access -> provider -> sealed answer, receipts -> checked -> countersigned
//!       prepare          send                                  take       countersign
//! ```
//!
//! Whoever calls keeps what each step gives before the next one. An access that was kept before it was sent is
//! sent again after a break, and counts once; a receipt with the provider's signature is a half that proves a use
//! even where the provider keeps it back. What was not checked is not countersigned. Rules I-8, I-9, I-13, I-17.

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
use super::sealed::{ReplySeed, SealError, Sealed};
use super::wire::{Answered, Countersignature, Countersignatures};
use crate::gateway::Trouble;
use crate::keys::{HeldKey, SignError};
use crate::ledger::{Ledger, LedgerError};
use crate::random::{RandomError, random};

/// How often the same access is asked where no answer came.
const ATTEMPTS: u32 = 3;
/// How long is waited before it is asked again.
const PAUSE: Duration = Duration::from_millis(300);

/// An access and what came of it so far. It has the key that opens its answer: for a private file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// What is asked, signed: with it a receipt's access digest is somebody's.
    pub access: SignedAccess,
    /// What opens the answer; none once it is open.
    reply: Option<ReplySeed>,
    /// The answer as it came, until it is open.
    sealed: Option<Sealed>,
    /// An answer for each question; none before they were checked.
    pub answers: Vec<Answer>,
    /// A receipt for each question as the provider gave it, and once they were checked with both signatures; none
    /// before anything came.
    pub receipts: Vec<SidedReceipt>,
    /// Whether the provider took the requester's signatures; they are in the receipts all the same.
    pub countersigned: bool,
}

impl Taken {
    /// Whether the answers were checked and are open.
    pub fn is_open(&self) -> bool {
        !self.answers.is_empty()
    }
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

/// Signs what is to be asked.
///
/// `terms`: key, reply key, nonce and time are filled in here.
///
/// # Errors
/// [`AskError`]; nothing was asked.
pub fn prepare(ledger: &Ledger, key: &HeldKey, mut terms: AccessTerms) -> Result<Taken, AskError> {
    if key.purpose != KeyPurpose::Application || key.member != terms.requester {
        return Err(AskError::Key);
    }
    let seed = ReplySeed(random()?);
    (terms.key, terms.reply_key, terms.nonce, terms.time) = (key.number, seed.key().public(), random()?, ledger.now());
    let access = Access::new(terms)?;
    let signature = key.sign(&access.message(&ledger.domain()))?;
    let access = SignedAccess { access, signature };
    Ok(Taken { access, reply: Some(seed), sealed: None, answers: vec![], receipts: vec![], countersigned: false })
}

/// Sends what was prepared, as often as it takes, and takes in what comes as it comes.
///
/// # Errors
/// [`AskError::Provider`]; the access may have been answered and counted.
pub fn send(provider: &Provider, taken: &mut Taken) -> Result<(), AskError> {
    let Answered { receipts, answer } = answered(provider, &taken.access)?;
    (taken.receipts, taken.sealed) = (receipts, answer);
    Ok(())
}

/// Checks what came, opens it and signs for it.
///
/// # Errors
/// [`AskError`]; nothing is signed then.
pub fn take(ledger: &mut Ledger, key: &HeldKey, taken: &mut Taken) -> Result<(), AskError> {
    let domain = ledger.domain();
    let access = &taken.access.access;
    let mut reader = Reader::new(ledger)?;
    let record = reader.member(access.terms().provider)?;
    let record = record.ok_or(AskError::Answer("is of a provider that is no member"))?;
    check_receipts(&domain, access, &taken.receipts, &record, reader.header().height)?;
    check_times(access, &taken.receipts)?;
    for sided in &taken.receipts {
        if reader.book(&sided.receipt)?.is_none() {
            return Err(AskError::Answer("has a receipt of a book that is not the provider's"));
        }
    }
    let answers = open(&domain, taken)?;
    for sided in &mut taken.receipts {
        let signature = key.sign(&sided.receipt.taken_message(&domain))?;
        sided.requester = Some(MemberSignature { key: key.number, signature });
    }
    (taken.answers, taken.reply, taken.sealed) = (answers, None, None);
    Ok(())
}

/// Hands over the requester's signatures of what was taken; the provider may be asked again where it does not
/// take them.
pub fn countersign(provider: &Provider, taken: &mut Taken) {
    let signatures = taken.receipts.iter().filter_map(|sided| {
        let number = sided.receipt.number;
        sided.requester.map(|signature| Countersignature { number, signature })
    });
    let signatures = Countersignatures { signatures: signatures.collect() };
    taken.countersigned = provider.countersign(&signatures).is_ok();
}

/// Asks until there is an answer: the same access counts once, however often it is asked.
fn answered(provider: &Provider, signed: &SignedAccess) -> Result<Answered, AskError> {
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

fn open(domain: &Domain, taken: &Taken) -> Result<Vec<Answer>, AskError> {
    let access = &taken.access.access;
    let refused = |sided: &SidedReceipt| match sided.receipt.result {
        ResultCode::Refused(refusal) => Some(Answer { result: ResultCode::Refused(refusal), values: Vec::new() }),
        _ => None,
    };
    let answers = match taken.sealed.as_ref().zip(taken.reply.as_ref()) {
        Some((sealed, seed)) => {
            let opened = seed.key().open(domain, &access.digest(domain), sealed)?;
            let read: Option<Vec<Answer>> = serde_json::from_slice(&opened).ok();
            read.ok_or(AskError::Answer("cannot be read"))?
        }
        None => {
            let all: Option<Vec<Answer>> = taken.receipts.iter().map(refused).collect();
            all.ok_or(AskError::Answer("is not there"))?
        }
    };
    let questions = &access.terms().questions;
    let receipted = answers.len() == questions.len()
        && answers
            .iter()
            .zip(&taken.receipts)
            .zip(questions)
            .all(|((answer, sided), question)| answer.is_receipted(domain, &sided.receipt, &question.subject));
    if receipted { Ok(answers) } else { Err(AskError::Answer("says something else than its receipts")) }
}
