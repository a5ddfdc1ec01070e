//! Objections to certificates (校核). Rule Z-5.

use fengni_core::operation::{Ground, ObjectionAnswer};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Objection, ObjectionStatus, Role};
use fengni_core::standing::{ActKind, Standing};
use fengni_core::{ActNumber, LinePlace, ObjectionNumber};

use super::books::kept_by;
use super::standing::{NOT_ENDED, about, recorded};
use super::{Actor, known_reason};
use crate::calendar::SharingClock;
use crate::draft::Draft;
use crate::records::Records;

/// Rule Z-5: a member objects, for itself or for the holder; the flag is set and the clock starts.
pub(super) fn file<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_any_role(&[Role::Issuer, Role::Requester, Role::Verifier])?;
    actor.with_keys_for(&[KeyPurpose::Admin, KeyPurpose::Application])?;
    let book = draft.book(place.book)?;
    let (standing, _) = draft.standing(place)?;
    known_reason(draft, &ground)?;
    about(draft, book.record())?;
    if !NOT_ENDED.contains(&standing.state) {
        return Err(Refusal::WrongState);
    }
    if draft.objection_to(place).is_some() {
        return Err(Refusal::ObjectionOpen);
    }
    let act = flag(draft, actor, place, ground, true)?;
    let (filed, filed_on, status) = (draft.height, draft.day(), ObjectionStatus::Open);
    let answer = draft.state.start(SharingClock::Objection, filed_on);
    let filer = actor.number;
    let record = Objection { version: 1, place, filer, ground, filed, filed_on, answer, answered: None, status };
    Ok(Effect::Objection { objection: draft.open_objection(record), act, status, due: answer.due })
}

/// Rule Z-5: the keeper answers; the flag is lifted.
pub(super) fn answer<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    (number, place): (ObjectionNumber, LinePlace),
    answer: ObjectionAnswer,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Issuing])?;
    let book = draft.book(place.book)?;
    let (standing, _) = draft.standing(place)?;
    known_reason(draft, &ground)?;
    let objection = draft.state.registries.objections.get(number.0).cloned().ok_or(Refusal::UnknownObjection)?;
    if objection.place != place {
        return Err(Refusal::UnknownObjection);
    }
    kept_by(&book, actor)?;
    let (status, suits) = match answer {
        ObjectionAnswer::Correct => (ObjectionStatus::Corrected, !NOT_ENDED.contains(&standing.state)),
        ObjectionAnswer::Maintain => (ObjectionStatus::Maintained, true),
    };
    if objection.status != ObjectionStatus::Open || !suits {
        return Err(Refusal::ObjectionState);
    }
    let act = flag(draft, actor, place, ground, false)?;
    let mut after = *objection;
    (after.version, after.status, after.answered) = (objection.version + 1, status, Some(ground));
    after.answer.done = Some(draft.day());
    draft.put_objection(number, place, after);
    Ok(Effect::Objection { objection: number, act, status, due: None })
}

/// An open objection goes along to the line that takes a disputed one's place.
pub(super) fn follow<R: Records>(draft: &mut Draft<'_, R>, old: LinePlace, new: LinePlace) {
    let Some(number) = draft.objection_to(old) else { return };
    let found = draft.state.registries.objections.get(number.0).cloned();
    let objection = found.expect("open objections are indexed by their place");
    let after = Objection { version: objection.version + 1, place: new, ..*objection };
    draft.put_objection(number, old, after);
}

/// Sets or lifts the flag of a line, by an act where that changes anything.
fn flag<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    ground: Ground,
    disputed: bool,
) -> Result<Option<ActNumber>, Refusal> {
    let (standing, holds) = draft.standing(place)?;
    if standing.disputed == disputed {
        return Ok(None);
    }
    let to = Standing { disputed, ..standing };
    let kind = if disputed { ActKind::Dispute } else { ActKind::ClearDispute };
    let record = recorded(draft, actor, place, kind, ground, (standing, to));
    Ok(Some(draft.act_on(place.book, record, holds)))
}
