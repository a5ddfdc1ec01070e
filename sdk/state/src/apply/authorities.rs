//! Issuing authorities (制发权限): withheld for now, and given back. Rule O-16.

use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Authority, KeyPurpose, Role};
use fengni_core::{AuthorityNumber, MemberNumber};

use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::records::Records;

/// Rule O-16: a member above the issuer, or the region's regulator, withholds an authority.
pub(super) fn suspend<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: AuthorityNumber,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_reason(draft, &ground)?;
    let authority = draft.authority(number)?;
    let regulates = actor.member.roles.has(Role::Regulator) && actor.member.division.covers(&authority.division);
    if !regulates && !draft.state.is_above(actor.number, authority.member) {
        return Err(Refusal::NotEntitled);
    }
    match authority.suspended {
        None => Ok(put(draft, number, &authority, Some(actor.number))),
        Some(_) => Err(Refusal::AuthorityState),
    }
}

/// Rule O-16: who withholds it, or a member above that one, gives it back.
pub(super) fn resume<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: AuthorityNumber,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_reason(draft, &ground)?;
    let authority = draft.authority(number)?;
    match authority.suspended {
        Some(by) if by == actor.number || draft.state.is_above(actor.number, by) => {
            Ok(put(draft, number, &authority, None))
        }
        Some(_) => Err(Refusal::NotEntitled),
        None => Err(Refusal::AuthorityState),
    }
}

fn put<R: Records>(
    draft: &mut Draft<'_, R>,
    number: AuthorityNumber,
    authority: &Authority,
    suspended: Option<MemberNumber>,
) -> Effect {
    draft.replace(number.0, Authority { version: authority.version + 1, suspended, ..authority.clone() });
    Effect::Authority { authority: number, suspended: suspended.is_some() }
}
