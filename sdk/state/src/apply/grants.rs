//! Withdrawing a grant (撤回授权). Rule Z-7.

use fengni_core::book::Subject;
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::KeyPurpose;
use fengni_core::sharing::grant_commitment;
use fengni_core::standing::{ActKind, State as LineState};
use fengni_core::{Digest, LinePlace, ReasonCode};

use super::Actor;
use super::standing::recorded;
use crate::draft::Draft;
use crate::records::Records;

/// Rule Z-7: whoever knows what the holder's wallet kept withdraws the grant, through any member.
pub(super) fn withdraw<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    place: LinePlace,
    content: &Digest,
    secret: &[u8; 32],
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Application, KeyPurpose::Admin])?;
    let book = draft.book(place.book)?;
    let (standing, holds) = draft.standing(place)?;
    let line = draft.line(place)?;
    if book.record().subject != Subject::Grants {
        return Err(Refusal::NotEntitled);
    }
    if standing.state != LineState::Active {
        return Err(Refusal::WrongState);
    }
    if grant_commitment(&draft.state.domain, content, secret) != line.commitment {
        return Err(Refusal::OtherGrant);
    }
    let to = standing.with(LineState::Withdrawn);
    // Whoever withdraws says no reason, and nobody decides.
    let ground = Ground { reason: ReasonCode(0), decision: Digest::default() };
    let record = recorded(draft, actor, place, ActKind::Withdraw, ground, (standing, to));
    Ok(Effect::Acted { act: draft.act_on(place.book, record, holds), standing: to })
}
