//! One line takes the place of another, both or neither. Rules O-7 to O-9; CRT-04, CRT-07.

use fengni_core::book::{Book, Line};
use fengni_core::operation::{Cause, Ground};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Role};
use fengni_core::standing::{ActKind, Hold, Standing, State as LineState};
use fengni_core::{BookNumber, LinePlace};

use super::books::{free_tags, kept_by, may_issue};
use super::standing::{about, given_up_to, recorded};
use super::{Actor, Refused, known_reason, objections};
use crate::draft::Draft;
use crate::records::Records;

/// Rule O-7: renewal, change or correction within one issuer's books.
pub(super) fn supersede<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    old: LinePlace,
    into: BookNumber,
    new: Line,
    cause: Cause,
    ground: Ground,
) -> Result<Effect, Refused> {
    actor.with_role(Role::Issuer)?;
    actor.with_keys_for(&[KeyPurpose::Issuing])?;
    let (from, to) = (draft.book(old.book)?, draft.book(into)?);
    let (standing, mut holds) = draft.standing(old)?;
    known_reason(draft, &ground)?;
    kept_by(&from, actor)?;
    kept_by(&to, actor)?;
    about(draft, from.record())?;
    about(draft, to.record())?;
    may_issue(draft, actor, &to)?;
    free_tags(draft, &to, &[new])?;
    allowed(draft, to.record(), cause.kind())?;
    let renewable =
        standing.state == LineState::Active || cause == Cause::Renew && standing.state == LineState::Expired;
    if !renewable || from.record().subject != to.record().subject {
        return Err(Refusal::WrongState.into());
    }
    // The keeper ends its own suspension by replacing; what other bodies withhold goes along.
    holds.retain(|hold| hold.by != actor.number);
    let begins = Standing { disputed: standing.disputed && cause != Cause::Correct, ..Standing::ACTIVE };
    Ok(take_over(
        draft,
        actor,
        Step { old, into, new, kind: cause.kind(), ground },
        (standing, LineState::Superseded),
        (begins, holds),
    ))
}

/// Rule O-8: the same certificate under a new holder key.
pub(super) fn rekey<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    old: LinePlace,
    new: Line,
    ground: Ground,
) -> Result<Effect, Refused> {
    actor.with_role(Role::Issuer)?;
    actor.with_keys_for(&[KeyPurpose::Issuing])?;
    let book = draft.book(old.book)?;
    let (standing, holds) = draft.standing(old)?;
    let line = draft.line(old)?;
    known_reason(draft, &ground)?;
    kept_by(&book, actor)?;
    about(draft, book.record())?;
    if line.tag != new.tag {
        return Err(Refusal::OtherTag.into());
    }
    allowed(draft, book.record(), ActKind::Rekey)?;
    if !matches!(standing.state, LineState::Active | LineState::Expired) {
        return Err(Refusal::WrongState.into());
    }
    let begins = Standing { key_blocked: false, ..standing };
    let step = Step { old, into: old.book, new, kind: ActKind::Rekey, ground };
    Ok(take_over(draft, actor, step, (standing, LineState::Rekeyed), (begins, holds)))
}

/// Rule O-9: the receiving issuer takes over what another gave up to it.
pub(super) fn transfer_in<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    old: LinePlace,
    into: BookNumber,
    new: Line,
    ground: Ground,
) -> Result<Effect, Refused> {
    actor.with_role(Role::Issuer)?;
    actor.with_keys_for(&[KeyPurpose::Issuing])?;
    let (from, to) = (draft.book(old.book)?, draft.book(into)?);
    let (standing, holds) = draft.standing(old)?;
    known_reason(draft, &ground)?;
    kept_by(&to, actor)?;
    about(draft, from.record())?;
    about(draft, to.record())?;
    may_issue(draft, actor, &to)?;
    free_tags(draft, &to, &[new])?;
    allowed(draft, to.record(), ActKind::TransferIn)?;
    let movable = standing.state == LineState::TransferringOut && !from.is_suspended(old.line);
    if !movable || from.record().subject != to.record().subject {
        return Err(Refusal::WrongState.into());
    }
    if given_up_to(draft, old) != Some(actor.number) {
        return Err(Refusal::OtherTarget.into());
    }
    let begins = Standing { state: LineState::Active, ..standing };
    let begins = Standing { key_blocked: false, ..begins };
    let step = Step { old, into, new, kind: ActKind::TransferIn, ground };
    Ok(take_over(draft, actor, step, (standing, LineState::Superseded), (begins, holds)))
}

fn allowed<R: Records>(draft: &Draft<'_, R>, book: &Book, act: ActKind) -> Result<(), Refusal> {
    if about(draft, book)?.acts.has(act) { Ok(()) } else { Err(Refusal::ActNotAllowed) }
}

/// What takes the place of what, and why.
struct Step {
    old: LinePlace,
    into: BookNumber,
    new: Line,
    kind: ActKind,
    ground: Ground,
}

fn take_over<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    step: Step,
    (standing, closed): (Standing, LineState),
    (begins, holds): (Standing, Vec<Hold>),
) -> Effect {
    let (_, line) = draft.seal(step.into, &[step.new], actor.keys.clone());
    let place = LinePlace { book: step.into, line };
    let to = standing.with(closed);
    let mut record = recorded(draft, actor, step.old, step.kind, step.ground, (standing, to));
    record.successor = Some(place);
    let act = draft.act_on(step.old.book, record, Vec::new());
    draft.begin_with(place, begins, holds);
    if begins.disputed {
        objections::follow(draft, step.old, place);
    }
    Effect::Replaced { act, book: place.book, line }
}
