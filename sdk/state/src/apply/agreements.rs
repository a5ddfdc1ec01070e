//! Recognition agreements: in force once every party signed the same terms. Rules O-10 to O-12.

use fengni_core::limits::{NAME_BYTES, RECORD_ENTRIES};
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Agreement, AgreementStatus, AgreementTerms, KeyPurpose, Party, Role};
use fengni_core::{AgreementNumber, Digest, MemberNumber};

use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::records::Records;

/// Rule O-10: a party puts terms up for signature, and signs them.
pub(super) fn propose<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    terms: &AgreementTerms,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    known_names(draft, terms)?;
    if !terms.parties.contains(&actor.number) {
        return Err(Refusal::NotEntitled);
    }
    let labelled = draft.state.registries.agreements.iter().any(|other| other.terms.label == terms.label);
    if labelled || !is_well_formed(terms) {
        return Err(Refusal::BadTerms);
    }
    let parties = terms.parties.iter().map(|member| Party { member: *member, signed: None }).collect();
    let record = Agreement { version: 1, terms: terms.clone(), parties, status: AgreementStatus::Proposed };
    room(actor)?;
    let number = AgreementNumber(draft.append(record));
    Ok(put_signature(draft, actor, number))
}

/// Rule O-11: a party signs the digest of the terms.
pub(super) fn sign<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: AgreementNumber,
    digest: &Digest,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let agreement = draft.agreement(number)?;
    let party = agreement.parties.iter().find(|party| party.member == actor.number).ok_or(Refusal::NotEntitled)?;
    if agreement.terms.digest(&draft.state.domain) != *digest {
        return Err(Refusal::OtherTerms);
    }
    if party.signed.is_some() {
        return Err(Refusal::AlreadySigned);
    }
    room(actor)?;
    Ok(put_signature(draft, actor, number))
}

/// Rule O-12: a party, or a regulator above one, withholds the agreement.
pub(super) fn suspend<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: AgreementNumber,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let agreement = draft.agreement(number)?;
    known_reason(draft, &ground)?;
    let concerned = agreement.terms.parties.iter().any(|party| {
        *party == actor.number || actor.member.roles.has(Role::Regulator) && draft.state.is_above(actor.number, *party)
    });
    if !concerned {
        return Err(Refusal::NotEntitled);
    }
    if agreement.status != AgreementStatus::InForce {
        return Err(Refusal::AgreementState);
    }
    let status = AgreementStatus::Suspended { by: actor.number, since: draft.height };
    Ok(put_status(draft, number, &agreement, status))
}

/// Rule O-12: who suspended it puts it back in force.
pub(super) fn resume<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: AgreementNumber,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let agreement = draft.agreement(number)?;
    known_reason(draft, &ground)?;
    match agreement.status {
        AgreementStatus::Suspended { by, .. } if by == actor.number => {
            Ok(put_status(draft, number, &agreement, AgreementStatus::InForce))
        }
        AgreementStatus::Suspended { .. } => Err(Refusal::NotEntitled),
        _ => Err(Refusal::AgreementState),
    }
}

fn known_names<R: Records>(draft: &Draft<'_, R>, terms: &AgreementTerms) -> Result<(), Refusal> {
    for party in &terms.parties {
        draft.member(*party)?;
    }
    for term in &terms.terms {
        draft.state.certificate_type(term.certificate_type).ok_or(Refusal::UnknownType)?;
    }
    let registries = &draft.state.registries;
    let purposes = terms
        .terms
        .iter()
        .flat_map(|term| &term.purposes)
        .all(|code| registries.knows_code("purposes", &code.to_string()));
    let divisions = terms.divisions.iter().all(|division| registries.knows_code("divisions", division.as_str()));
    if purposes && divisions { Ok(()) } else { Err(Refusal::UnknownCode) }
}

fn is_well_formed(terms: &AgreementTerms) -> bool {
    fn rising<T: Ord>(items: &[T]) -> bool {
        items.windows(2).all(|pair| pair[0] < pair[1])
    }
    let types: Vec<_> = terms.terms.iter().map(|term| term.certificate_type).collect();
    terms.parties.len() >= 2
        && [terms.parties.len(), terms.terms.len(), terms.divisions.len()].iter().all(|&len| len <= RECORD_ENTRIES)
        && rising(&terms.parties)
        && !types.is_empty()
        && rising(&types)
        && terms.terms.iter().all(|term| !term.purposes.is_empty() && rising(&term.purposes))
        && rising(&terms.divisions)
        && (1..=NAME_BYTES).contains(&terms.label.len())
        && terms.from <= terms.until
}

/// Refuses a party whose record has no room for another agreement.
fn room(actor: &Actor) -> Result<(), Refusal> {
    if actor.member.agreements.len() < RECORD_ENTRIES { Ok(()) } else { Err(Refusal::RecordFull) }
}

/// Notes a party's signature in the agreement and in the party's own list.
fn put_signature<R: Records>(draft: &mut Draft<'_, R>, actor: &Actor, number: AgreementNumber) -> Effect {
    let mut agreement = draft.agreement(number).expect("the caller found or added it").as_ref().clone();
    let height = draft.height;
    sign_as(&mut agreement, actor.number, height);
    let in_force = agreement.parties.iter().all(|party| party.signed.is_some());
    if in_force {
        agreement.status = AgreementStatus::InForce;
    }
    agreement.version += 1;
    draft.replace(number.0, agreement);
    let mut member = actor.member.as_ref().clone();
    let gap = member.agreements.partition_point(|other| *other < number);
    member.agreements.insert(gap, number);
    member.version += 1;
    draft.replace(actor.number.0, member);
    Effect::Agreement { agreement: number, in_force }
}

fn sign_as(agreement: &mut Agreement, member: MemberNumber, height: fengni_core::Height) {
    for party in agreement.parties.iter_mut().filter(|party| party.member == member) {
        party.signed = Some(height);
    }
}

fn put_status<R: Records>(
    draft: &mut Draft<'_, R>,
    number: AgreementNumber,
    agreement: &Agreement,
    status: AgreementStatus,
) -> Effect {
    let record = Agreement { version: agreement.version + 1, status, ..agreement.clone() };
    draft.replace(number.0, record);
    Effect::Agreement { agreement: number, in_force: status == AgreementStatus::InForce }
}
