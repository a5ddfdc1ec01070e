//! The desk: from a signed access to receipts and a sealed answer. Rule I-25.
//!
//! ```text
//! signature -> journal: known? -> ledger: request, grants, holders -> judged -> room for uses
//!   -> the database -> receipts, sealed answer -> journal -> answer
//! ```
//!
//! Whoever has not signed gets nothing, not even a receipt. Where the database or the ledger fails,
//! nothing was used, and the same access may be asked again.

mod found;
mod identities;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use fengni_client::keys::random::{RandomError, random};
use fengni_client::sharing::sealed::seal;
use fengni_core::proof::Proven;
use fengni_core::record::{CodeSet, Member, Request, Resource, ServiceItem};
use fengni_core::sharing::{
    AccessRefusal, AccessTerms, Answer, CitedRequest, GrantLine, Holder, Known, Person, Question, Receipt, ResultCode,
    SignedAccess, Warrant, judge, record_digest, warrant_digest,
};
use fengni_core::{BookNumber, Digest, Domain, Millis, PublicKey, ResourceNumber};
use futures::future::try_join_all;
use thiserror::Error;
use tokio::task::block_in_place;

use crate::data::{Data, DataTrouble};
use crate::journal::{self, Draft, Entry, Hold, Journal, JournalError, UseKey, Writer, Written};
use crate::register::{Register, RegisterTrouble, stands};
pub(crate) use identities::Identities;

use found::{Outcome, Unclear, check_tests, outcome};

/// Why an access is not answered, and nothing of it is written down.
#[derive(Clone, Debug, Error)]
pub(crate) enum DeskError {
    /// Refused before it is anybody's: nobody is to fill the journal with what nobody signed.
    #[error("refused: {0}")]
    Refused(AccessRefusal),
    /// The same is being answered.
    #[error("the same access is being answered")]
    Busy,
    /// The reply key is none.
    #[error("the access has no reply key that an answer can be sealed to")]
    ReplyKey,
    /// The ledger.
    #[error(transparent)]
    Register(#[from] RegisterTrouble),
    /// The database.
    #[error(transparent)]
    Data(#[from] DataTrouble),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] Arc<JournalError>),
    /// No salt.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<JournalError> for DeskError {
    fn from(error: JournalError) -> Self {
        Self::Journal(Arc::new(error))
    }
}

type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// What answers accesses.
pub(crate) struct Desk {
    pub(crate) register: Register,
    pub(crate) data: Data,
    pub(crate) journal: Arc<Journal>,
    pub(crate) writer: Writer,
    pub(crate) identities: Identities,
    pub(crate) clock: Clock,
}

/// A request with what it cites.
struct Cited {
    request: Arc<Request>,
    resource: Arc<Resource>,
    item: Arc<ServiceItem>,
}

/// All that has come together about an access.
struct Found {
    digest: Digest,
    resource: ResourceNumber,
    judged: Vec<Judged>,
    outcomes: Vec<Option<Outcome>>,
}

/// A question after it was judged: what it may use, or why it may not.
type Judged = Result<Option<UseKey>, AccessRefusal>;

impl Desk {
    /// The network and its rules.
    pub(crate) fn domain(&self) -> Domain {
        self.journal.owner().domain
    }

    /// Answers an access.
    ///
    /// # Errors
    /// [`DeskError`]; a refusal that has a receipt is none.
    pub(crate) async fn answer(&self, signed: &SignedAccess) -> Result<Written, DeskError> {
        let domain = self.domain();
        let now = (self.clock)();
        let access = signed.access.terms();
        let freshness = self.register.freshness()?;
        if !freshness.is_recent {
            return Err(RegisterTrouble::Stale.into());
        }
        let requester = self.register.record::<Member>(access.requester.0).await?;
        // First of all: what is known of the access is for whoever signed it.
        let is_signed = |requester: &&Arc<Member>| signed.is_signed_by(&domain, requester, freshness.height);
        let requester = requester.as_ref().filter(is_signed).ok_or(DeskError::Refused(AccessRefusal::NotSigned))?;
        let digest = signed.access.digest(&domain);
        let mut hold = match self.journal.begin(digest)? {
            journal::Known::New(hold) => hold,
            journal::Known::Written(written) => return Ok(written),
            journal::Known::Busy => return Err(DeskError::Busy),
        };
        let cited = self.cited(access).await?;
        let known = Known {
            domain,
            provider: self.journal.owner().member,
            now,
            height: freshness.height,
            is_fresh: freshness.is_fresh,
            requester: Some(requester),
            request: cited.as_ref().map(Cited::lent),
        };
        let may_rest = cited.as_ref().is_some_and(|cited| cited.request.requester == access.requester);
        let (proven, naming) = match access.basis.needs_grant() && may_rest && freshness.is_fresh {
            true => {
                let proven = access.questions.iter().map(|question| self.proven(question));
                (try_join_all(proven).await?, self.register.naming().await?)
            }
            false => (vec![Evidence::default(); access.questions.len()], None),
        };
        let says_who = SaysWho { naming: naming.as_deref(), identities: &self.identities };
        let mut judge = || judge_all(signed, &known, &proven, says_who, &mut hold);
        // A hundred questions are hundreds of signatures: other accesses are answered meanwhile.
        let mut judged = if access.questions.len() > 1 { block_in_place(judge)? } else { judge()? };
        let resource = cited.as_ref().map_or(ResourceNumber(0), |cited| cited.request.terms.resource);
        let outcomes = self.look_up(access, resource, &mut judged, &mut hold).await?;
        let found = Found { digest, resource, judged, outcomes };
        self.write(access, found, hold).await
    }

    /// The request of an access, with what it cites.
    async fn cited(&self, access: &AccessTerms) -> Result<Option<Cited>, DeskError> {
        let Some(request) = self.register.record::<Request>(access.request.0).await? else { return Ok(None) };
        let resource = self.register.record::<Resource>(request.terms.resource.0).await?;
        let item = self.register.record::<ServiceItem>(request.terms.item.0).await?;
        // The ledger takes no request that cites what is not there.
        let (Some(resource), Some(item)) = (resource, item) else { return Err(RegisterTrouble::Stale.into()) };
        Ok(Some(Cited { request, resource, item }))
    }

    /// What the ledger says of a question's warrant.
    async fn proven(&self, question: &Question) -> Result<Evidence, DeskError> {
        let (grant, identity) = match &question.warrant {
            Warrant::None => return Ok(Evidence::default()),
            Warrant::Grant(grant) => (Some(grant.place), &grant.identity),
            Warrant::UseCode { identity, .. } => (None, &**identity),
        };
        let line = match grant {
            Some(place) => Some(self.register.line(place).await?),
            None => None,
        };
        let person = Some(self.register.line(identity.place()).await?);
        Ok(Evidence { line, person })
    }

    /// Asks the database about every question that may be answered; one that its data does not answer is refused.
    async fn look_up(
        &self,
        access: &AccessTerms,
        resource: ResourceNumber,
        judged: &mut [Judged],
        hold: &mut Hold,
    ) -> Result<Vec<Option<Outcome>>, DeskError> {
        let mut outcomes = vec![None; judged.len()];
        if judged.iter().all(Result::is_err) {
            return Ok(outcomes);
        }
        let fields = &access.fields;
        let columns = self.data.columns(resource, fields)?;
        let mut allowed = Vec::new();
        for (place, judged) in judged.iter_mut().enumerate().filter(|(_, judged)| judged.is_ok()) {
            match check_tests(&access.questions[place].tests, fields, &columns) {
                Ok(()) => allowed.push(place),
                Err(why) => unanswered(judged, hold, &why.into()),
            }
        }
        let subject = |place: &usize| access.questions[*place].subject.as_str().to_owned();
        let subjects: Vec<String> = allowed.iter().map(subject).collect();
        let found = self.data.look_up(resource, fields, &subjects).await?;
        for (place, found) in allowed.into_iter().zip(found) {
            match outcome(access.mode, &access.questions[place].tests, fields, &columns, found) {
                Ok(came) => outcomes[place] = Some(came),
                Err(why) => unanswered(&mut judged[place], hold, &why),
            }
        }
        Ok(outcomes)
    }

    /// Seals the answer, and writes everything down before it leaves.
    async fn write(&self, access: &AccessTerms, found: Found, hold: Hold) -> Result<Written, DeskError> {
        let domain = self.domain();
        let Found { digest, resource, judged, outcomes } = found;
        let (mut drafts, mut answers) = (Vec::new(), Vec::new());
        for (place, (judged, outcome)) in judged.into_iter().zip(outcomes).enumerate() {
            let question = &access.questions[place];
            let result = match (&judged, &outcome) {
                (Err(refusal), _) => ResultCode::Refused(*refusal),
                (Ok(_), Some(outcome)) => outcome.result,
                (Ok(_), None) => ResultCode::NotFound,
            };
            let warrant = warrant_of(question, &domain, judged.is_ok());
            let salt = random()?;
            let record = outcome.as_ref().and_then(|outcome| outcome.looked_at.as_deref());
            let receipt = Receipt {
                provider: self.journal.owner().member,
                requester: access.requester,
                request: access.request,
                resource,
                basis: access.basis,
                purpose: access.purpose,
                item: access.item.clone(),
                case: access.case.clone(),
                mode: access.mode,
                fields: access.fields.clone(),
                warrant: warrant_digest(&domain, &salt, warrant.as_ref().map(|(digest, _)| digest)),
                use_number: 0,
                record: record_digest(&domain, &salt, &question.subject, record),
                access: digest,
                question: u16::try_from(place).unwrap_or(u16::MAX),
                result,
                time: Millis(0),
                book: BookNumber(0),
                number: 0,
                salt,
            };
            let holder = warrant.and_then(|(_, holder)| holder);
            let subject = question.subject.as_str().to_owned();
            drafts.push(Draft { receipt, uses: judged.ok().flatten(), holder, subject });
            answers.push(Answer { result, values: outcome.map(|outcome| outcome.values).unwrap_or_default() });
        }
        let is_answered = answers.iter().any(|answer| !matches!(answer.result, ResultCode::Refused(_)));
        let answer = is_answered.then(|| {
            let content = serde_json::to_vec(&answers).expect("answers are plain data");
            seal(&domain, &digest, &access.reply_key, &content)
        });
        let answer = answer.transpose().map_err(|_| DeskError::ReplyKey)?;
        Ok(self.writer.write(Entry { hold, drafts, answer }).await?)
    }
}

impl Cited {
    fn lent(&self) -> CitedRequest<'_> {
        CitedRequest { request: &self.request, resource: &self.resource, item: &self.item }
    }
}

/// Proven states with what a question's warrant is about.
#[derive(Clone, Default)]
struct Evidence {
    line: Option<Arc<Proven>>,
    person: Option<Arc<Proven>>,
}

/// Judges every question, and takes room for those that may be answered.
fn judge_all(
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

/// The data gives no answer: nothing is used, and the requester gets that in writing.
fn unanswered(judged: &mut Judged, hold: &mut Hold, why: &Unclear) {
    tracing::warn!(%why, "a question gets no answer");
    if let Ok(Some(key)) = judged {
        hold.release(key);
    }
    *judged = Err(AccessRefusal::NoAnswer);
}

/// What makes a certificate somebody's identity.
#[derive(Clone, Copy)]
struct SaysWho<'a> {
    naming: Option<&'a CodeSet>,
    identities: &'a Identities,
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
fn warrant_of(question: &Question, domain: &Domain, is_allowed: bool) -> Option<(Digest, Option<PublicKey>)> {
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
