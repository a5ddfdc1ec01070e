//! The list of shared resources (共享目录): put up by providers, published by who is competent. Rule Z-1.

use fengni_core::ResourceNumber;
use fengni_core::limits::{NAME_BYTES, RESOURCE_FIELDS, SHARING_TEXT_BYTES};
use fengni_core::operation::{Ground, ResourceDecision};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{DataSubject, KeyPurpose, Resource, ResourceStatus, ResourceTerms, Role, Sharing};

use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::records::Records;

/// Rule Z-1: a provider puts an edition up for review.
pub(super) fn propose<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    terms: &ResourceTerms,
    replaces: Option<ResourceNumber>,
) -> Result<Effect, Refusal> {
    actor.with_role(Role::Provider)?;
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    if let DataSubject::Certificate { certificate_type } = terms.subject {
        draft.state.certificate_type(certificate_type).ok_or(Refusal::UnknownType)?;
    }
    let before = replaces.map(|number| draft.resource(number)).transpose()?;
    if before.as_ref().is_some_and(|before| before.provider != actor.number) {
        return Err(Refusal::NotEntitled);
    }
    if !is_whole(terms) {
        return Err(Refusal::BadResource);
    }
    if before.is_some_and(|before| !is_published(&before)) {
        return Err(Refusal::ResourceState);
    }
    let (provider, proposed, status) = (actor.number, draft.height, ResourceStatus::Proposed);
    let record = Resource { version: 1, provider, terms: terms.clone(), replaces, proposed, status };
    Ok(Effect::Resource { resource: ResourceNumber(draft.append(record)), status })
}

/// Rule Z-1: the competent authority publishes an edition or turns it down, the provider ends one.
pub(super) fn decide<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: ResourceNumber,
    decision: ResourceDecision,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_reason(draft, &ground)?;
    let resource = draft.resource(number)?;
    let entitled = match decision {
        ResourceDecision::End => resource.provider == actor.number,
        _ => draft.state.is_competent(actor.number, resource.provider),
    };
    if !entitled {
        return Err(Refusal::NotEntitled);
    }
    let (by, height) = (actor.number, draft.height);
    let status = match (resource.status, decision) {
        (ResourceStatus::Proposed, ResourceDecision::Publish) => ResourceStatus::Published { by, height },
        (ResourceStatus::Proposed, ResourceDecision::Refuse) => ResourceStatus::Refused { by, height },
        (ResourceStatus::Proposed | ResourceStatus::Published { .. }, ResourceDecision::End) => {
            ResourceStatus::Ended { height }
        }
        _ => return Err(Refusal::ResourceState),
    };
    if let (ResourceStatus::Published { .. }, Some(old)) = (status, resource.replaces) {
        let before = draft.resource(old)?;
        // Another edition was published in its place meanwhile, or it was ended.
        if !is_published(&before) {
            return Err(Refusal::ResourceState);
        }
        put(draft, old, &before, ResourceStatus::Replaced { by: number, height });
    }
    put(draft, number, &resource, status);
    Ok(Effect::Resource { resource: number, status })
}

fn put<R: Records>(draft: &mut Draft<'_, R>, number: ResourceNumber, before: &Resource, status: ResourceStatus) {
    draft.replace(number.0, Resource { version: before.version + 1, status, ..before.clone() });
}

/// Whether an edition is published and in use.
pub(super) fn is_published(resource: &Resource) -> bool {
    matches!(resource.status, ResourceStatus::Published { .. })
}

/// Whether a text is what it looks like: these texts are shown where people agree to something, and a control
/// character could rewrite the screen.
pub(super) fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Rule Z-1: what an edition says is whole.
fn is_whole(terms: &ResourceTerms) -> bool {
    let ResourceTerms { name, subject: _, fields, sharing, conditions, basis, frequency, modes, level: _ } = terms;
    let named = |name: &str| (1..=NAME_BYTES).contains(&name.len()) && is_plain(name);
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    named(name)
        && (1..=RESOURCE_FIELDS).contains(&fields.len())
        && names.iter().all(|name| named(name))
        && names.windows(2).all(|pair| pair[0] < pair[1])
        && [conditions, basis, frequency].iter().all(|text| text.len() <= SHARING_TEXT_BYTES && is_plain(text))
        // What is not shared names the law that says so as well (SHR-03).
        && !basis.is_empty()
        && (*sharing == Sharing::Conditional) != conditions.is_empty()
        && (*sharing == Sharing::NotShared) == modes.is_empty()
        && modes.windows(2).all(|pair| pair[0] < pair[1])
}
