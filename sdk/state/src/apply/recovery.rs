//! A recovery: whether its members can take over, and what it does to their records. Rule O-26.

use std::collections::BTreeSet;
use std::sync::Arc;

use fengni_core::limits::RECORD_ENTRIES;
use fengni_core::outcome::Effect;
use fengni_core::record::{KeyPurpose, Member, MemberKey, MemberStatus, Role};
use fengni_core::recovery::{LastFinal, RecoveryError, RecoveryHandover, RecoveryPlan, Seat};
use fengni_core::{Height, KeyAlgorithm, MemberNumber, PublicKey};
use thiserror::Error;

use super::known_reason_in;
use crate::draft::Draft;
use crate::records::Records;
use crate::state::State;

/// Why a state does not go on by a recovery.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AdoptError {
    /// F-9: the handover itself does not hold.
    #[error(transparent)]
    Handover(#[from] RecoveryError),
    /// O-26: a seat of nobody, or of a member that may not act.
    #[error("member {0} is not there or may not act; next: name active members in the plan")]
    Member(MemberNumber),
    /// O-26: a key that somebody has used before, or one that does not suit.
    #[error(
        "key {0} stands on the ledger or twice in the plan, or is not ed25519; next: make a new key for each validator, survivors too"
    )]
    Key(Box<PublicKey>),
    /// O-26: the reason is not among the reference codes.
    #[error("the reason of the plan is not among the reference codes")]
    Reason,
}

impl State {
    /// Rules F-9 and O-26: the same state, whose next block is decided by a recovery's validators and
    /// records it. It has the same root.
    ///
    /// # Errors
    /// [`AdoptError`].
    pub fn adopt(&self, handover: &RecoveryHandover) -> Result<Self, AdoptError> {
        let last = LastFinal { height: self.height, block: self.last, time: self.time };
        handover.verify(&self.domain, self.parameters().recovery.as_ref(), &last)?;
        self.check_seats(&handover.plan)?;
        Ok(Self { recovery: Some(Arc::new(handover.clone())), ..self.clone() })
    }

    /// The recovery that the next block records, if one was adopted.
    pub fn recovery(&self) -> Option<&RecoveryHandover> {
        self.recovery.as_deref()
    }

    /// Whether a block's validators were adopted, as far as the two plans tell: who signed them may
    /// differ.
    pub(crate) fn has_adopted(&self, handover: &RecoveryHandover) -> bool {
        let last = LastFinal { height: self.height, block: self.last, time: self.time };
        let holds = || handover.verify(&self.domain, self.parameters().recovery.as_ref(), &last).is_ok();
        self.recovery().is_some_and(|adopted| adopted.plan == handover.plan) && holds()
    }

    fn check_seats(&self, plan: &RecoveryPlan) -> Result<(), AdoptError> {
        if !known_reason_in(self, &plan.ground) {
            return Err(AdoptError::Reason);
        }
        let mut used: BTreeSet<Vec<u8>> =
            self.members().iter().flat_map(|member| &member.keys).map(|key| key.key.wire()).collect();
        for seat in &plan.seats {
            let member = self.member(seat.member).filter(|member| member.status == MemberStatus::Active);
            let room = |member: &&Arc<Member>| member.keys.len().saturating_add(2) <= RECORD_ENTRIES;
            member.filter(room).ok_or(AdoptError::Member(seat.member))?;
            for key in std::iter::once(&seat.consensus).chain(&seat.peer) {
                // Nodes sign with ed25519 alone (G-8).
                if key.algorithm() == KeyAlgorithm::P256 || !used.insert(key.wire()) {
                    return Err(AdoptError::Key(Box::new(*key)));
                }
            }
        }
        Ok(())
    }
}

/// Rule O-26: the members of the plan are the validators, with its keys, and no others are.
pub(super) fn recover<R: Records>(draft: &mut Draft<'_, R>, plan: &RecoveryPlan) -> Effect {
    for number in (0..).map(MemberNumber) {
        let Some(found) = draft.state.member(number) else { break };
        let seat = plan.seats.iter().find(|seat| seat.member == number);
        let before = found.as_ref();
        let mut member = match seat {
            Some(seat) => seated(before, seat, draft.height),
            None => unseated(before, plan.height),
        };
        if member != *before {
            member.version += 1;
            draft.replace(number.0, member);
        }
    }
    Effect::Recovered { validators: u32::try_from(plan.seats.len()).expect("a set has at most 256") }
}

/// A member with its seat: earlier keys of the same purposes end with the block before.
fn seated(member: &Member, seat: &Seat, height: Height) -> Member {
    let mut member = member.clone();
    member.roles = member.roles.with(Role::Validator);
    member.power = seat.power;
    let consensus = (KeyPurpose::Consensus, seat.consensus);
    for (purpose, key) in std::iter::once(consensus).chain(seat.peer.map(|key| (KeyPurpose::Peer, key))) {
        end_keys(&mut member, purpose, Height(height.0 - 1));
        member.keys.push(MemberKey { purpose, key, from: height, until: None });
    }
    member
}

/// A member without a seat that was a validator goes on as an observer.
fn unseated(member: &Member, last: Height) -> Member {
    let mut member = member.clone();
    if member.roles.has(Role::Validator) {
        member.roles = member.roles.without(Role::Validator).with(Role::Observer);
    }
    member.power = 0;
    end_keys(&mut member, KeyPurpose::Consensus, last);
    member
}

fn end_keys(member: &mut Member, purpose: KeyPurpose, last: Height) {
    let ends_later = |key: &&mut MemberKey| key.purpose == purpose && key.until.is_none_or(|until| until > last);
    member.keys.iter_mut().filter(ends_later).for_each(|key| key.until = Some(last));
}
