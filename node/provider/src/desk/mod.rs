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
mod judged;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use fengni_client::keys::random::{RandomError, random};
use fengni_client::sharing::sealed::seal;
use fengni_core::record::{Member, Request, Resource, ServiceItem};
use fengni_core::sharing::{
    AccessRefusal, AccessTerms, Answer, CitedRequest, Known, Question, Receipt, ResultCode, SignedAccess, Warrant,
    record_digest, warrant_digest,
};
use fengni_core::{BookNumber, Digest, Domain, Millis, ResourceNumber};
use futures::future::try_join_all;
use thiserror::Error;
use tokio::task::block_in_place;

use crate::data::{Data, DataTrouble};
use crate::journal::{self, Draft, Entry, Hold, Journal, JournalError, UseKey, Writer, Written};
use crate::register::{Register, RegisterTrouble};
pub(crate) use identities::Identities;

use found::{Outcome, Unclear, check_tests, outcome};
use judged::{Evidence, Judged, SaysWho, judge_all, warrant_of};

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
    looked_up: Vec<LookedUp>,
}

/// A question after it was looked up: what it uses and what came of it, or why it is refused.
type LookedUp = Result<(Option<UseKey>, Outcome), AccessRefusal>;

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
        let judged = if access.questions.len() > 1 { block_in_place(judge)? } else { judge()? };
        let resource = cited.as_ref().map_or(ResourceNumber(0), |cited| cited.request.terms.resource);
        let looked_up = self.look_up(access, resource, judged, &mut hold).await?;
        let found = Found { digest, resource, looked_up };
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
        mut judged: Vec<Judged>,
        hold: &mut Hold,
    ) -> Result<Vec<LookedUp>, DeskError> {
        let fields = &access.fields;
        // What is refused needs nothing of the database.
        let columns = match judged.iter().any(Result::is_ok) {
            true => self.data.columns(resource, fields)?,
            false => Vec::new(),
        };
        let mut subjects = Vec::new();
        for (question, judged) in access.questions.iter().zip(&mut judged) {
            let Ok(key) = *judged else { continue };
            match check_tests(&question.tests, fields, &columns) {
                Ok(()) => subjects.push(question.subject.as_str().to_owned()),
                Err(why) => *judged = Err(unanswered(key, hold, &why.into())),
            }
        }
        let found = match subjects.is_empty() {
            true => Vec::new(),
            false => self.data.look_up(resource, fields, &subjects).await?,
        };
        let mut found = found.into_iter();
        let looked_up = access.questions.iter().zip(judged).map(|(question, judged)| {
            let key = judged?;
            let found = found.next().expect("an entry for each subject: Data::look_up");
            let came = outcome(access.mode, &question.tests, fields, &columns, found);
            came.map(|came| (key, came)).map_err(|why| unanswered(key, hold, &why))
        });
        Ok(looked_up.collect())
    }

    /// Seals the answer, and writes everything down before it leaves.
    async fn write(&self, access: &AccessTerms, found: Found, hold: Hold) -> Result<Written, DeskError> {
        let domain = self.domain();
        let Found { digest, resource, looked_up } = found;
        let (mut drafts, mut answers) = (Vec::new(), Vec::new());
        for (place, (question, looked_up)) in (0..).zip(access.questions.iter().zip(looked_up)) {
            let warrant = warrant_of(question, &domain, looked_up.is_ok());
            let (uses, Outcome { result, values, looked_at }) = looked_up.unwrap_or_else(|refusal| {
                (None, Outcome { result: ResultCode::Refused(refusal), values: Vec::new(), looked_at: None })
            });
            let salt = random()?;
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
                record: record_digest(&domain, &salt, &question.subject, looked_at.as_deref()),
                access: digest,
                question: place,
                result,
                time: Millis(0),
                book: BookNumber(0),
                number: 0,
                salt,
            };
            let holder = warrant.and_then(|(_, holder)| holder);
            let subject = question.subject.as_str().to_owned();
            drafts.push(Draft { receipt, uses, holder, subject });
            answers.push(Answer { result, values });
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

/// The data gives no answer: nothing is used, and the requester gets that in writing.
fn unanswered(key: Option<UseKey>, hold: &mut Hold, why: &Unclear) -> AccessRefusal {
    tracing::warn!(%why, "a question gets no answer");
    if let Some(key) = key {
        hold.release(&key);
    }
    AccessRefusal::NoAnswer
}
