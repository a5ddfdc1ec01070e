//! Changes of one line's standing. Rules O-3 to O-6; the table of CRT-03.

use fengni_core::book::Book;
use fengni_core::limits::HOLDS;
use fengni_core::operation::{Ground, StandingChange};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{CertificateType, KeyPurpose};
use fengni_core::standing::{Act, ActKind, Hold, Standing, State as LineState};
use fengni_core::{LinePlace, MemberNumber, Millis};

use super::entitlement::may_change;
use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::records::Records;

/// Rules S-4 and Z-5: where nothing has ended a certificate or taken its place, so that flags still matter.
pub(super) const NOT_ENDED: [LineState; 3] = [LineState::Active, LineState::Expired, LineState::TransferringOut];

/// Rules O-3 to O-5: suspend, return, cancel, annul, revoke, transfer out, and the flags.
pub(super) fn change<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    change: StandingChange,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Issuing, KeyPurpose::Enforcement])?;
    let book = draft.book(place.book)?;
    let (standing, holds) = draft.standing(place)?;
    if let StandingChange::TransferOut { target } = change {
        draft.member(target)?;
    }
    known_reason(draft, &ground)?;
    let kind = about(draft, book.record())?;
    may_change(&draft.state, actor, book.record(), kind, &change)?;
    let act = change.kind();
    if act.is_terminal() {
        actor.two_persons()?;
        within_daily_limit(draft, actor)?;
    }
    if !kind.acts.has(act) {
        return Err(Refusal::ActNotAllowed);
    }
    if change == StandingChange::ClearDispute && draft.objection_to(place).is_some() {
        return Err(Refusal::ObjectionOpen);
    }
    let held = draft.is_held(place, &holds);
    let (to, holds) = transition(draft.time, actor.number, change, standing, (held, holds))?;
    if act.is_terminal() {
        count_terminal_act(draft, actor);
    }
    let mut record = recorded(draft, actor, place, act, ground, (standing, to));
    match change {
        StandingChange::Suspend { until } => record.until = until,
        StandingChange::Return { hold } => record.hold = Some(hold),
        StandingChange::TransferOut { target } => record.target = Some(target),
        _ => (),
    }
    Ok(Effect::Acted { act: draft.act_on(place.book, record, holds), standing: to })
}

/// The type of a book's certificates. These acts on a case are nobody's to do.
pub(super) fn about<'a, R: Records>(draft: &'a Draft<'_, R>, book: &Book) -> Result<&'a CertificateType, Refusal> {
    let kind = book.certificate_type().ok_or(Refusal::NotEntitled)?;
    draft.state.certificate_type(kind).map(AsRef::as_ref).ok_or(Refusal::UnknownType)
}

/// Rule O-6: a body that the type names uses up a one-time document, once.
pub(super) fn consume<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Enforcement, KeyPurpose::Application])?;
    let book = draft.book(place.book)?;
    let (standing, holds) = draft.standing(place)?;
    known_reason(draft, &ground)?;
    let kind = about(draft, book.record())?;
    if !kind.consumers.contains(&actor.number) {
        return Err(Refusal::NotEntitled);
    }
    if !kind.acts.has(ActKind::Consume) {
        return Err(Refusal::ActNotAllowed);
    }
    match standing.state {
        LineState::Active if !draft.is_held(place, &holds) => (),
        LineState::Consumed => return Err(Refusal::AlreadyConsumed),
        _ => return Err(Refusal::WrongState),
    }
    let to = standing.with(LineState::Consumed);
    let record = recorded(draft, actor, place, ActKind::Consume, ground, (standing, to));
    Ok(Effect::Acted { act: draft.act_on(place.book, record, holds), standing: to })
}

/// The act as the book records it, without what only some acts carry.
pub(super) fn recorded<R: Records>(
    draft: &Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    kind: ActKind,
    ground: Ground,
    (from, to): (Standing, Standing),
) -> Act {
    // Acts that only set flags repeat the target, so that the latest act names it.
    let stays = from.state == LineState::TransferringOut && to.state == from.state;
    Act {
        line: place.line,
        kind,
        from,
        to,
        reason: ground.reason,
        decision: ground.decision,
        height: draft.height,
        by: actor.number,
        keys: actor.keys.clone(),
        hold: None,
        until: None,
        target: if stays { given_up_to(draft, place) } else { None },
        successor: None,
        previous: draft.head(place),
    }
}

/// Rule S-4: what a change makes of a standing and its live holds. `held`: by these, or together
/// with other lines of its book.
fn transition(
    now: Millis,
    actor: MemberNumber,
    change: StandingChange,
    from: Standing,
    (held, mut holds): (bool, Vec<Hold>),
) -> Result<(Standing, Vec<Hold>), Refusal> {
    use LineState::{Active, Annulled, Cancelled, Expired, Revoked, TransferringOut};
    let only_from = |states: &[LineState], to: Standing| {
        if states.contains(&from.state) { Ok(to) } else { Err(Refusal::WrongState) }
    };
    let to = match change {
        StandingChange::Suspend { until } => {
            only_from(&[Active], from)?;
            let gap = match holds.binary_search_by_key(&actor, |hold| hold.by) {
                Ok(_) => return Err(Refusal::AlreadyHeld),
                Err(gap) => gap,
            };
            if until.is_some_and(|until| until <= now) {
                return Err(Refusal::BadEnd);
            }
            if holds.len() == HOLDS {
                return Err(Refusal::TooManyHolds);
            }
            holds.insert(gap, Hold { by: actor, until });
            from
        }
        StandingChange::Return { hold } => {
            only_from(&[Active], from)?;
            let place = holds.binary_search_by_key(&hold, |held| held.by).map_err(|_| Refusal::NotHeld)?;
            holds.remove(place);
            from
        }
        StandingChange::Cancel => only_from(&[Active], from.with(Cancelled))?,
        StandingChange::Annul => only_from(&[Active], from.with(Annulled))?,
        StandingChange::Revoke => only_from(&[Active], from.with(Revoked))?,
        StandingChange::TransferOut { .. } | StandingChange::Expire if held => return Err(Refusal::WrongState),
        StandingChange::TransferOut { .. } => only_from(&[Active], from.with(TransferringOut))?,
        StandingChange::Expire => only_from(&[Active], from.with(Expired))?,
        StandingChange::CancelTransfer => only_from(&[TransferringOut], from.with(Active))?,
        StandingChange::Dispute if from.disputed => return Err(Refusal::WrongState),
        StandingChange::Dispute => only_from(&NOT_ENDED, Standing { disputed: true, ..from })?,
        StandingChange::ClearDispute if !from.disputed => return Err(Refusal::WrongState),
        StandingChange::ClearDispute => Standing { disputed: false, ..from },
        StandingChange::BlockKey if from.key_blocked => return Err(Refusal::WrongState),
        StandingChange::BlockKey => only_from(&NOT_ENDED, Standing { key_blocked: true, ..from })?,
    };
    Ok((to, holds))
}

/// Who a line in transfer was given up to. Rule O-5.
///
/// One read, however many flags were set and cleared meanwhile: a walk back to the transfer would
/// let a keeper make every attempt to take the line over cost as much as it likes.
pub(super) fn given_up_to<R: Records>(draft: &Draft<'_, R>, place: LinePlace) -> Option<MemberNumber> {
    draft.act(place.book, draft.head(place)?)?.target
}

fn within_daily_limit<R: Records>(draft: &Draft<'_, R>, actor: &Actor) -> Result<(), Refusal> {
    let (day, count) = actor.member.terminal_acts;
    let limit = draft.state.parameters().terminal_acts_per_day;
    if day == draft.day() && count >= limit { Err(Refusal::DailyLimit) } else { Ok(()) }
}

fn count_terminal_act<R: Records>(draft: &mut Draft<'_, R>, actor: &Actor) {
    let mut member = actor.member.as_ref().clone();
    let today = draft.day();
    let before = if member.terminal_acts.0 == today { member.terminal_acts.1 } else { 0 };
    member.terminal_acts = (today, before + 1);
    member.version += 1;
    draft.replace(actor.number.0, member);
}
