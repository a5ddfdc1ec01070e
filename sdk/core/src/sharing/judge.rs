//! Judging an access: allowed, or refused with the first reason in order. Rule I-10.
//!
//! ```text
//! signature, times -> request -> what it allows -> grant or use code -> holder -> count
//! ```
//!
//! Everything it looks at is proven and handed in; nothing here knows a clock or a network. Counting
//! is the last step and the journal's: judging says what is counted and how far. Source:
//! `sdk/spec/access.md`.

use super::access::{AccessTerms, SignedAccess, Warrant};
use super::grant::{GrantTerms, Granted};
use super::grant_line::GrantLine;
use super::identity::{Identity, Person};
use super::presented::PresentedGrant;
use super::refusal::AccessRefusal;
use super::use_code::{UseCode, UseCodeError, UseTerms};
use crate::certificate::ClaimValue;
use crate::day::{Day, Millis};
use crate::digest::{Digest, Domain};
use crate::keys::PublicKey;
use crate::number::{Height, MemberNumber, PurposeCode, ResourceNumber};
use crate::record::{ItemStatus, Member, Mode, Request, RequestStatus, Resource, ResourceStatus, ServiceItem};
use crate::verify::SKEW_SECS;

/// How long after its time an access is taken, in seconds.
pub const ACCESS_SECS: u64 = 300;

/// What a provider knows of the ledger when it is asked, all of it proven.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The network.
    pub domain: Domain,
    /// The provider that judges.
    pub provider: MemberNumber,
    /// Now.
    pub now: Millis,
    /// Height of the state that proved it.
    pub height: Height,
    /// Whether that state is recent enough to say that a grant was not withdrawn.
    pub is_fresh: bool,
    /// The requester's record, if there is such a member.
    pub requester: Option<&'a Member>,
    /// The request with what it cites, if there is such a request.
    pub request: Option<CitedRequest<'a>>,
}

/// A request and what it cites.
#[derive(Clone, Copy)]
pub struct CitedRequest<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its edition of the resource.
    pub resource: &'a Resource,
    /// Its edition of the service item.
    pub item: &'a ServiceItem,
}

/// What the ledger says of the warrant of one question.
#[derive(Clone, Copy, Default)]
pub struct Holder<'a> {
    /// The line at the grant's place, if it is one of a book of grants.
    pub line: Option<&'a GrantLine>,
    /// Whom the identity was proven to be of; `None` where it says nothing.
    pub person: Option<&'a Person>,
}

/// What is counted, and how far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Counter {
    /// Digest of the grant's content, or of the use code.
    pub warrant: Digest,
    /// Which of the grant's kinds, from 0; 0 for a use code.
    pub kind: u16,
    /// How many uses there are.
    pub uses: u32,
    /// What is said when there are no more.
    refusal: AccessRefusal,
}

impl Counter {
    /// Rule I-10, the last step: the number of this use, from 1.
    ///
    /// - `used`: uses so far, of this warrant and kind.
    ///
    /// # Errors
    /// [`AccessRefusal::GrantUsedUp`] and [`AccessRefusal::CodeUsed`].
    pub fn next(&self, used: u32) -> Result<u32, AccessRefusal> {
        if used < self.uses { Ok(used + 1) } else { Err(self.refusal) }
    }
}

/// Rule I-10: whether a question of an access is answered. Returns what is counted, if anything.
///
/// - `question`: which one, from 0; there are as many as the access says.
/// - `holder`: what is known of its warrant; of no meaning where it has none.
///
/// # Errors
/// [`AccessRefusal`]: the first in the rule's order.
///
/// # Panics
/// When there is no such question: callers go through those that there are.
pub fn judge(
    signed: &SignedAccess,
    question: usize,
    known: &Known<'_>,
    holder: &Holder<'_>,
) -> Result<Option<Counter>, AccessRefusal> {
    let access = signed.access.terms();
    check_asked(signed, access, known)?;
    let cited = known.request.filter(|cited| cited.resource.provider == known.provider);
    let cited = cited.ok_or(AccessRefusal::RequestUnknown)?;
    check_request(access, &cited, known.now)?;
    if !access.basis.needs_grant() {
        return Ok(None);
    }
    let question = &access.questions[question];
    match &question.warrant {
        Warrant::None => Err(AccessRefusal::GrantRequired),
        _ if !known.is_fresh => Err(AccessRefusal::Stale),
        Warrant::Grant(grant) => check_grant(grant, access, &cited, known, holder, &question.subject).map(Some),
        Warrant::UseCode { code, identity } => {
            check_use_code(code, identity, access, &cited, known, holder, &question.subject).map(Some)
        }
    }
}

/// Who asks, whom, and when.
fn check_asked(signed: &SignedAccess, access: &AccessTerms, known: &Known<'_>) -> Result<(), AccessRefusal> {
    let is_signed = |requester: &&Member| signed.is_signed_by(&known.domain, requester, known.height);
    known.requester.filter(is_signed).ok_or(AccessRefusal::NotSigned)?;
    if access.provider != known.provider {
        return Err(AccessRefusal::OtherProvider);
    }
    let earliest = access.time.0.saturating_sub(Millis::from_secs(SKEW_SECS).0);
    let latest = access.time.0.saturating_add(Millis::from_secs(ACCESS_SECS).0);
    if (earliest..=latest).contains(&known.now.0) { Ok(()) } else { Err(AccessRefusal::OtherTime) }
}

/// Whether the request allows what is asked for.
fn check_request(access: &AccessTerms, cited: &CitedRequest<'_>, now: Millis) -> Result<(), AccessRefusal> {
    let CitedRequest { request, resource, item } = cited;
    let terms = &request.terms;
    // Another edition takes nothing from a request that cites this one; an end does.
    let is_shared = matches!(resource.status, ResourceStatus::Published { .. } | ResourceStatus::Replaced { .. });
    let is_handled = !matches!(item.status, ItemStatus::Ended { .. });
    AccessRefusal::first_of(&[
        (request.requester == access.requester, AccessRefusal::NotTheRequester),
        (request.status == RequestStatus::Provisioned && is_shared && is_handled, AccessRefusal::RequestNotOpen),
        ((terms.from..=terms.until).contains(&Day::of(now)), AccessRefusal::OutsidePeriod),
        (terms.basis == access.basis, AccessRefusal::OtherBasis),
        (item.terms.code == access.item, AccessRefusal::OtherItem),
        (item.terms.purpose == access.purpose, AccessRefusal::OtherPurpose),
        (terms.modes.contains(&access.mode), AccessRefusal::OtherMode),
        (are_among(&access.fields, &terms.fields), AccessRefusal::OtherFields),
    ])
}

fn check_grant(
    grant: &PresentedGrant,
    access: &AccessTerms,
    cited: &CitedRequest<'_>,
    known: &Known<'_>,
    holder: &Holder<'_>,
    subject: &ClaimValue,
) -> Result<Counter, AccessRefusal> {
    let terms = grant.check_line(&known.domain, holder.line, access.requester, known.now)?;
    check_matter(access, &terms.item, terms.purpose, terms.case.as_deref())?;
    let (kind, uses) = kind_of(terms, cited.request.terms.resource, access)?;
    let field = |number: &u16| cited.resource.terms.field(*number);
    let is_sensitive = access.fields.iter().filter_map(field).any(|field| field.sensitive);
    if is_sensitive && !terms.separate_consent {
        return Err(AccessRefusal::ConsentRequired);
    }
    check_holder(holder, &terms.holder, cited, subject)?;
    let warrant = grant.content.digest(&known.domain);
    Ok(Counter { warrant, kind, uses, refusal: AccessRefusal::GrantUsedUp })
}

fn check_use_code(
    code: &UseCode,
    identity: &Identity,
    access: &AccessTerms,
    cited: &CitedRequest<'_>,
    known: &Known<'_>,
    holder: &Holder<'_>,
    subject: &ClaimValue,
) -> Result<Counter, AccessRefusal> {
    let UseTerms { grantee, resource, fields, mode, item, case, purpose, certificate, .. } = code.terms();
    let is_whole = *certificate == identity.place() && code.check_signature(&known.domain).is_ok();
    let time = code.check_time(known.now);
    AccessRefusal::first_of(&[
        (is_whole, AccessRefusal::CodeInvalid),
        (*grantee == access.requester, AccessRefusal::OtherGrantee),
        (time != Err(UseCodeError::Early), AccessRefusal::CodeNotYetValid),
        (time.is_ok(), AccessRefusal::CodeExpired),
    ])?;
    check_matter(access, item, *purpose, Some(case))?;
    AccessRefusal::first_of(&[
        (*resource == cited.request.terms.resource, AccessRefusal::OtherResource),
        (*mode == access.mode, AccessRefusal::OtherMode),
        (are_among(&access.fields, fields), AccessRefusal::OtherFields),
    ])?;
    // The holder named these items for this one use: that is consent to them by itself.
    check_holder(holder, &code.terms().holder, cited, subject)?;
    let warrant = code.terms().digest(&known.domain);
    Ok(Counter { warrant, kind: 0, uses: 1, refusal: AccessRefusal::CodeUsed })
}

/// For what the holder agreed.
fn check_matter(
    access: &AccessTerms,
    item: &str,
    purpose: PurposeCode,
    case: Option<&str>,
) -> Result<(), AccessRefusal> {
    AccessRefusal::first_of(&[
        (item == access.item, AccessRefusal::OtherItem),
        (purpose == access.purpose, AccessRefusal::OtherPurpose),
        (case.is_none_or(|case| case == access.case), AccessRefusal::OtherCase),
    ])
}

/// The grant's kind that an access falls under, and its uses: there is one for a resource and a mode.
fn kind_of(terms: &GrantTerms, wanted: ResourceNumber, access: &AccessTerms) -> Result<(u16, u32), AccessRefusal> {
    let granted = |of: Option<Mode>| {
        (0..).zip(&terms.kinds).find_map(|(number, kind)| match &kind.what {
            Granted::Resource { resource, fields, mode } if *resource == wanted && of.is_none_or(|of| of == *mode) => {
                Some((number, kind.uses, fields))
            }
            _ => None,
        })
    };
    granted(None).ok_or(AccessRefusal::OtherResource)?;
    let (number, uses, fields) = granted(Some(access.mode)).ok_or(AccessRefusal::OtherMode)?;
    if are_among(&access.fields, fields) { Ok((number, uses)) } else { Err(AccessRefusal::OtherFields) }
}

/// Whether whoever agreed is whom the question is about.
fn check_holder(
    holder: &Holder<'_>,
    key: &PublicKey,
    cited: &CitedRequest<'_>,
    subject: &ClaimValue,
) -> Result<(), AccessRefusal> {
    let person = holder.person.filter(|person| person.key == *key).ok_or(AccessRefusal::IdentityInvalid)?;
    if person.is(cited.resource.terms.subject, subject) { Ok(()) } else { Err(AccessRefusal::OtherSubject) }
}

fn are_among(fields: &[u16], all: &[u16]) -> bool {
    fields.iter().all(|field| all.contains(field))
}
