//! Requests for data (共享申请), their answers and their clocks. Rules Z-3 and Z-4.

use fengni_core::limits::SHARING_TEXT_BYTES;
use fengni_core::operation::{Ground, RequestDecision};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{
    Clock, Extension, ItemStatus, KeyPurpose, Request, RequestStatus, RequestTerms, ResourceTerms, Role, Sharing,
};
use fengni_core::{MemberNumber, RequestNumber};

use super::resources::{is_plain, is_published};
use super::{Actor, known_reason};
use crate::calendar::SharingClock;
use crate::draft::Draft;
use crate::records::Records;

/// Rule Z-3: a requester files what it asks for; the clock of the answer starts.
pub(super) fn file<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    terms: &RequestTerms,
    amends: Option<RequestNumber>,
) -> Result<Effect, Refusal> {
    actor.with_role(Role::Requester)?;
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let (resource, item) = (draft.resource(terms.resource)?, draft.item(terms.item)?);
    let before = amends.map(|number| draft.request(number)).transpose()?;
    let amends_own = before.as_ref().is_none_or(|before| before.requester == actor.number);
    if item.department != actor.number || !amends_own {
        return Err(Refusal::NotEntitled);
    }
    if !is_published(&resource) {
        return Err(Refusal::ResourceState);
    }
    if item.status != ItemStatus::Current {
        return Err(Refusal::ItemState);
    }
    if resource.provider == actor.number || !is_whole(terms, &resource.terms) {
        return Err(Refusal::BadRequest);
    }
    if before.is_some_and(|before| before.status != RequestStatus::Returned) {
        return Err(Refusal::RequestState);
    }
    let clock = match resource.terms.sharing {
        Sharing::Unconditional => SharingClock::Unconditional,
        Sharing::Conditional | Sharing::NotShared => SharingClock::Conditional,
    };
    let (filed, filed_on, status) = (draft.height, draft.day(), RequestStatus::Filed);
    let answer = draft.state.start(clock, filed_on);
    let record = Request {
        version: 1,
        requester: actor.number,
        terms: terms.clone(),
        amends,
        filed,
        filed_on,
        answer,
        extension: None,
        provision: Clock::default(),
        ground: None,
        refused_by: String::new(),
        status,
    };
    Ok(Effect::Request { request: RequestNumber(draft.append(record)), status, due: answer.due })
}

/// Rules Z-3 and Z-4: what becomes of a request.
pub(super) fn decide<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: RequestNumber,
    decision: &RequestDecision,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_reason(draft, &ground)?;
    let before = draft.request(number)?;
    let provider = draft.resource(before.terms.resource)?.provider;
    if !is_entitled(draft, actor.number, decision, &before, provider) {
        return Err(Refusal::NotEntitled);
    }
    let (after, due) = decided(draft, actor.number, decision, ground, before.as_ref().clone())?;
    let status = after.status;
    draft.replace(number.0, Request { version: before.version + 1, ..after });
    Ok(Effect::Request { request: number, status, due })
}

/// Who may decide what.
fn is_entitled<R: Records>(
    draft: &Draft<'_, R>,
    actor: MemberNumber,
    decision: &RequestDecision,
    request: &Request,
    provider: MemberNumber,
) -> bool {
    let is_competent = |over| draft.state.is_competent(actor, over);
    match decision {
        RequestDecision::GiveTime { .. } => is_competent(provider),
        RequestDecision::Suspend => actor == provider || is_competent(provider) || is_competent(request.requester),
        RequestDecision::Resume => !matches!(request.status, RequestStatus::Suspended { by } if by != actor),
        // A provider that ended what it has not answered or provided would refuse without a law.
        RequestDecision::End => actor == request.requester || actor == provider && is_served(request),
        RequestDecision::Return
        | RequestDecision::Agree
        | RequestDecision::Refuse { .. }
        | RequestDecision::AskTime { .. }
        | RequestDecision::Provision => actor == provider,
    }
}

/// Whether the provider has begun to serve it.
fn is_served(request: &Request) -> bool {
    matches!(request.status, RequestStatus::Provisioned | RequestStatus::Suspended { .. })
}

/// The request after a decision, and the day until which something is due now.
fn decided<R: Records>(
    draft: &Draft<'_, R>,
    actor: MemberNumber,
    decision: &RequestDecision,
    ground: Ground,
    mut request: Request,
) -> Result<(Request, Option<fengni_core::Day>), Refusal> {
    use RequestStatus::{Agreed, Ended, Filed, Provisioned, Refused, Returned, Suspended};
    let today = draft.day();
    let status = match (request.status, decision) {
        (Filed, RequestDecision::Return) => Returned,
        (Filed, RequestDecision::Agree) => {
            request.provision = draft.state.start(SharingClock::Provision, today);
            Agreed
        }
        (Filed, RequestDecision::Refuse { law }) => {
            if !(1..=SHARING_TEXT_BYTES).contains(&law.len()) || !is_plain(law) {
                return Err(Refusal::LawMissing);
            }
            request.refused_by.clone_from(law);
            Refused
        }
        (Filed, RequestDecision::AskTime { days }) if request.extension.is_none() => {
            let most = draft.state.sharing_days(SharingClock::Extension).unwrap_or(0);
            if !(1..=most).contains(days) || request.answer.due.is_none() {
                return Err(Refusal::BadExtension);
            }
            request.extension = Some(Extension::Asked { days: *days });
            Filed
        }
        (Filed, RequestDecision::GiveTime { approve }) => {
            let Some(Extension::Asked { days }) = request.extension else { return Err(Refusal::RequestState) };
            request.extension = Some(if *approve {
                let due = request.answer.due.and_then(|due| draft.state.working_days_after(due, days));
                request.answer.due = due;
                Extension::Given { days, by: actor }
            } else {
                Extension::Denied { by: actor }
            });
            Filed
        }
        (Agreed, RequestDecision::Provision) => {
            request.provision.done = Some(today);
            Provisioned
        }
        (Provisioned, RequestDecision::Suspend) => Suspended { by: actor },
        (Suspended { .. }, RequestDecision::Resume) => Provisioned,
        (Filed | Agreed | Provisioned | Suspended { .. }, RequestDecision::End) => Ended { by: actor },
        _ => return Err(Refusal::RequestState),
    };
    if matches!(status, Returned | Agreed | Refused) {
        (request.answer.done, request.ground) = (Some(today), Some(ground));
    }
    request.status = status;
    let due = match status {
        Filed => request.answer.due,
        Agreed => request.provision.due,
        _ => None,
    };
    Ok((request, due))
}

/// Rule Z-3: purpose, law and what is asked for are there, and the resource offers it.
fn is_whole(terms: &RequestTerms, resource: &ResourceTerms) -> bool {
    let RequestTerms { law, fields, modes, population, frequency, measures, from, until, .. } = terms;
    let said = |text: &String| (1..=SHARING_TEXT_BYTES).contains(&text.len()) && is_plain(text);
    resource.sharing != Sharing::NotShared
        && [law, population, frequency, measures].into_iter().all(said)
        && !fields.is_empty()
        && fields.windows(2).all(|pair| pair[0] < pair[1])
        && fields.iter().all(|field| resource.field(*field).is_some())
        && !modes.is_empty()
        && modes.windows(2).all(|pair| pair[0] < pair[1])
        && modes.iter().all(|mode| resource.modes.contains(mode))
        && from <= until
}
