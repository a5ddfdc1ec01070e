//! Judging: a question against what the ledger proves of its warrant. Rule I-10.

use std::sync::Arc;

use fengni_core::proof::Proven;
use fengni_core::record::CodeSet;
use fengni_core::sharing::{AccessRefusal, GrantLine, Holder, Known, Person, Question, SignedAccess, Warrant, judge};
use fengni_core::{Digest, Domain, PublicKey};

use super::{DeskError, Identities};
use crate::journal::{Hold, UseKey};
use crate::register::{RegisterTrouble, stands};

/// A question after it was judged: what it may use, or why it may not.
pub(super) type Judged = Result<Option<UseKey>, AccessRefusal>;

/// Proven states with what a question's warrant is about.
#[derive(Clone, Default)]
pub(super) struct Evidence {
    pub(super) line: Option<Arc<Proven>>,
    pub(super) person: Option<Arc<Proven>>,
}

/// Judges every question, and takes room for those that may be answered.
pub(super) fn judge_all(
    signed: &SignedAccess,
    known: &Known<'_>,
    evidence: &[Evidence],
    says_who: SaysWho<'_>,
    hold: &mut Hold,
) -> Result<Vec<Judged>, DeskError> {
    let mut all = Vec::with_capacity(evidence.len());
    for (place, (question, evidence)) in signed.access.terms().questions.iter().zip(evidence).enumerate() {
        let opened = Opened::of(question, evidence, says_who, known)?;
        let holder = Holder { line: opened.line.as_ref(), person: opened.person.as_ref() };
        let known = Known { is_fresh: known.is_fresh && opened.is_there, ..*known };
        let judged = match judge(signed, place, &known, &holder) {
            // Nobody's word to this provider: nobody is to fill its journal with such.
            Err(early @ (AccessRefusal::NotSigned | AccessRefusal::OtherProvider)) => {
                return Err(DeskError::Refused(early));
            }
            // Asking again later may be answered: nothing of it is written down.
            Err(refusal) if refusal.is_undecided() => return Err(DeskError::Refused(refusal)),
            Err(refusal) => Err(refusal),
            Ok(None) => Ok(None),
            Ok(Some(counter)) => {
                let key = UseKey { warrant: counter.warrant, kind: counter.kind };
                match hold.take(key, counter.uses)? {
                    true => Ok(Some(key)),
                    false => Err(counter.next(counter.uses).err().unwrap_or(AccessRefusal::GrantUsedUp)),
                }
            }
        };
        all.push(judged);
    }
    Ok(all)
}

/// What makes a certificate somebody's identity.
#[derive(Clone, Copy)]
pub(super) struct SaysWho<'a> {
    pub(super) naming: Option<&'a CodeSet>,
    pub(super) identities: &'a Identities,
}

/// What a question's warrant comes to, as proven.
struct Opened {
    line: Option<GrantLine>,
    person: Option<Person>,
    /// Whether there are lines at the places that it names; there may be later.
    is_there: bool,
}

impl Opened {
    fn of(
        question: &Question,
        evidence: &Evidence,
        says_who: SaysWho<'_>,
        known: &Known<'_>,
    ) -> Result<Self, RegisterTrouble> {
        let (place, identity) = match &question.warrant {
            Warrant::None => return Ok(Self { line: None, person: None, is_there: true }),
            Warrant::Grant(grant) => (Some(grant.place), &grant.identity),
            Warrant::UseCode { identity, .. } => (None, &**identity),
        };
        let mut opened = Self { line: None, person: None, is_there: true };
        if let Some((place, proven)) = place.zip(evidence.line.as_ref()) {
            opened.is_there &= stands(proven, place)?;
            opened.line = GrantLine::load(proven, place, known.now)?;
        }
        if let Some(proven) = &evidence.person {
            opened.is_there &= stands(proven, identity.place())?;
            if opened.is_there && says_who.identities.take(identity, proven)? {
                opened.person = identity.open(&known.domain, proven, says_who.naming, known.now).ok();
            }
        }
        Ok(opened)
    }
}

/// What a question rests on, by its digest, and whose key says so, where that key has signed it.
pub(super) fn warrant_of(
    question: &Question,
    domain: &Domain,
    is_allowed: bool,
) -> Option<(Digest, Option<PublicKey>)> {
    // What was allowed was looked at: a signature is a quarter of an access.
    let (digest, is_signed, holder) = match &question.warrant {
        Warrant::None => return None,
        Warrant::Grant(grant) => {
            (grant.content.digest(domain), is_allowed || grant.check(domain).is_ok(), grant.content.terms().holder)
        }
        Warrant::UseCode { code, .. } => {
            (code.terms().digest(domain), is_allowed || code.check_signature(domain).is_ok(), code.terms().holder)
        }
    };
    Some((digest, is_signed.then_some(holder)))
}
