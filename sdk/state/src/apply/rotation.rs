//! Rotation (密钥轮换): a member gives itself a key, and sets the end of another. Rule O-22.

use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Member, MemberKey, NewKey};
use fengni_core::{Height, KeyNumber};

use super::Actor;
use crate::draft::Draft;
use crate::measure::new_key;
use crate::records::Records;

/// Rule O-22: a new key from a height on, and the last height of the one it takes the place of.
pub(super) fn rotate<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    new: &NewKey,
    from: Height,
    ends: Option<(KeyNumber, Height)>,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let mut member = actor.member.as_ref().clone();
    let old = ends.map(|(number, last)| member.key(number).map(|key| (key.clone(), last)).ok_or(Refusal::UnknownKey));
    let old = old.transpose()?;
    actor.two_persons()?;
    let parameters = draft.state.parameters();
    let near = from > draft.height && from.0 - draft.height.0 <= parameters.window;
    let broken = [
        new_key(&draft.state.registries, &draft.state.domain, &member, new),
        old.as_ref().and_then(|(key, last)| ended(key, *last)),
        (!near || old.is_some_and(|(key, last)| !follows(&key, last, new, from, parameters.window)))
            .then_some(Refusal::BadEffect),
    ];
    if let Some(refusal) = broken.into_iter().flatten().min() {
        return Err(refusal);
    }
    if let Some((number, last)) = ends {
        member.keys[usize::from(number.0)].until = Some(last);
    }
    let key = add(&mut member, new, from);
    member.version += 1;
    draft.replace(actor.number.0, member);
    Ok(Effect::KeyAdded { member: actor.number, key, from })
}

/// Refuses an end that is there already: rotation ends a key once, and revocation moves ends back.
fn ended(key: &MemberKey, last: Height) -> Option<Refusal> {
    key.until.is_some_and(|until| until <= last).then_some(Refusal::KeyEnded)
}

/// Whether the old key reaches the new one's first height, and not much further.
fn follows(key: &MemberKey, last: Height, new: &NewKey, from: Height, window: u64) -> bool {
    key.purpose == new.purpose && last.next() >= from && last.0 <= from.0.saturating_add(window)
}

fn add(member: &mut Member, new: &NewKey, from: Height) -> KeyNumber {
    let number = KeyNumber(u16::try_from(member.keys.len()).expect("a member has at most 1,024 keys"));
    member.keys.push(MemberKey { purpose: new.purpose, key: new.key, from, until: None });
    number
}
