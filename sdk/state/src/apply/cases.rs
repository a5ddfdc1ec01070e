//! How far a case is. Rule O-27.

use fengni_core::LinePlace;
use fengni_core::book::Subject;
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::KeyPurpose;
use fengni_core::standing::{ActKind, State as LineState};

use super::Actor;
use super::books::kept_by;
use super::standing::recorded;
use crate::draft::Draft;
use crate::records::Records;

/// Rule O-27: the keeper records a step of a case, and with the last one its end.
pub(super) fn step<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    ground: Ground,
    closes: bool,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Issuing])?;
    let book = draft.book(place.book)?;
    let (standing, holds) = draft.standing(place)?;
    if !draft.state.registries.knows_code("steps", &ground.reason.to_string()) {
        return Err(Refusal::UnknownReason);
    }
    if book.record().subject != Subject::Cases {
        return Err(Refusal::NotEntitled);
    }
    kept_by(&book, actor)?;
    if standing.state != LineState::Active {
        return Err(Refusal::WrongState);
    }
    let to = if closes { standing.with(LineState::Closed) } else { standing };
    let record = recorded(draft, actor, place, ActKind::Step, ground, (standing, to));
    Ok(Effect::Acted { act: draft.act_on(place.book, record, holds), standing: to })
}
