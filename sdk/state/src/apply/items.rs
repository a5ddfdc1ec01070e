//! Service items (事项) and what they need. Rule Z-2.

use fengni_core::ItemNumber;
use fengni_core::limits::{ITEM_CHARACTERS, ITEM_NEEDS, NAME_BYTES};
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{ItemStatus, ItemTerms, KeyPurpose, Need, Role, ServiceItem};

use super::resources::{is_plain, is_published};
use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::records::Records;

/// Rule Z-2: a department puts up an edition of an item; it takes the place of the one before at once.
pub(super) fn put<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    terms: &ItemTerms,
    replaces: Option<ItemNumber>,
) -> Result<Effect, Refusal> {
    actor.with_any_role(&[Role::Issuer, Role::Requester, Role::Verifier])?;
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_names(draft, terms)?;
    let before = replaces.map(|number| Ok((number, draft.item(number)?))).transpose()?;
    let own = |item: &ServiceItem| item.department == actor.number;
    if before.as_ref().is_some_and(|(_, before)| !own(before)) {
        return Err(Refusal::NotEntitled);
    }
    let renamed = before.as_ref().is_some_and(|(_, before)| before.terms.code != terms.code);
    if renamed || !is_whole(terms) || !is_shared(draft, terms) {
        return Err(Refusal::BadItem);
    }
    if before.as_ref().is_some_and(|(_, before)| before.status != ItemStatus::Current) {
        return Err(Refusal::ItemState);
    }
    let (department, put, status) = (actor.number, draft.height, ItemStatus::Current);
    let record = ServiceItem { version: 1, department, terms: terms.clone(), replaces, put, status };
    let by = ItemNumber(draft.append(record));
    if let Some((number, before)) = before {
        let status = ItemStatus::Replaced { by, height: put };
        draft.replace(number.0, ServiceItem { version: before.version + 1, status, ..before.as_ref().clone() });
    }
    Ok(Effect::Item { item: by, status })
}

/// Rule Z-2: the department ends an item.
pub(super) fn end<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: ItemNumber,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_reason(draft, &ground)?;
    let item = draft.item(number)?;
    if item.department != actor.number {
        return Err(Refusal::NotEntitled);
    }
    if item.status != ItemStatus::Current {
        return Err(Refusal::ItemState);
    }
    let status = ItemStatus::Ended { height: draft.height };
    draft.replace(number.0, ServiceItem { version: item.version + 1, status, ..item.as_ref().clone() });
    Ok(Effect::Item { item: number, status })
}

fn known_names<R: Records>(draft: &Draft<'_, R>, terms: &ItemTerms) -> Result<(), Refusal> {
    let types = terms.needs.iter().filter_map(|need| match need {
        Need::Certificate { certificate_type, .. } => Some(*certificate_type),
        Need::Resource { .. } => None,
    });
    for kind in types {
        draft.state.certificate_type(kind).ok_or(Refusal::UnknownType)?;
    }
    if !draft.state.registries.knows_code("purposes", &terms.purpose.to_string()) {
        return Err(Refusal::UnknownCode);
    }
    for resource in resources(terms) {
        draft.resource(resource)?;
    }
    Ok(())
}

fn resources(terms: &ItemTerms) -> impl Iterator<Item = fengni_core::ResourceNumber> {
    terms.needs.iter().filter_map(|need| match need {
        Need::Resource { resource } => Some(*resource),
        Need::Certificate { .. } => None,
    })
}

/// Whether every resource that an item needs is published.
fn is_shared<R: Records>(draft: &Draft<'_, R>, terms: &ItemTerms) -> bool {
    resources(terms).all(|resource| draft.resource(resource).is_ok_and(|resource| is_published(&resource)))
}

fn is_whole(terms: &ItemTerms) -> bool {
    (1..=ITEM_CHARACTERS).contains(&terms.code.len())
        && terms.code.bytes().all(|letter| letter.is_ascii_alphanumeric())
        && (1..=NAME_BYTES).contains(&terms.name.len())
        && is_plain(&terms.name)
        && terms.needs.len() <= ITEM_NEEDS
        && terms.needs.windows(2).all(|pair| pair[0] < pair[1])
}
