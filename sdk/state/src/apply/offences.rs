//! Offences: proof of a validator that signed twice, put on record. Rule O-25.

use fengni_core::OffenceNumber;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{DoubleSigning, KeyPurpose, Offence};

use super::Actor;
use crate::draft::Draft;
use crate::records::Records;

/// Rule O-25: any member puts on record that a validator signed two statements that exclude each other.
pub(super) fn accuse<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    proof: &DoubleSigning,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let member = draft.member(proof.member)?;
    let keys = member.keys.iter().filter(|key| key.purpose == KeyPurpose::Consensus && key.is_valid_at(proof.height));
    if !keys.into_iter().any(|key| proof.is_proven(&draft.state.domain, &key.key)) {
        return Err(Refusal::NotProven);
    }
    let place = |proof: &DoubleSigning| (proof.member, proof.height, proof.round, proof.kind);
    if draft.state.registries.offences.iter().any(|known| place(&known.proof) == place(proof)) {
        return Err(Refusal::KnownOffence);
    }
    let (reported_by, reported) = (actor.number, draft.height);
    let number = draft.append(Offence { version: 1, proof: proof.clone(), reported_by, reported });
    Ok(Effect::Offence { offence: OffenceNumber(number) })
}
