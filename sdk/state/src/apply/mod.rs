//! Applying a block: one operation after the other, each done or refused by number.
//!
//! Checks follow the order of [`Refusal`]'s numbers, so that the lowest broken rule answers.

mod agreements;
mod applications;
mod authorities;
mod books;
mod cases;
mod entitlement;
mod grants;
mod items;
mod keys;
mod objections;
mod offences;
mod orders;
mod proposals;
mod recovery;
mod replace;
mod requests;
mod resources;
mod rotation;
mod standing;

use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::{Decision, Effect, Outcome, Refusal};
use fengni_core::record::{KeyPurpose, Member, MemberStatus, Role};
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Height, KeyNumber, MemberNumber, Millis};

use crate::draft::Draft;
use crate::records::{Records, Write};
use crate::state::State;

pub use recovery::AdoptError;

/// What a block does: the state after it, what to store, and what became of each transaction.
#[derive(Clone)]
pub struct Applied {
    /// The state after the block. Its `last` id is put by the caller who knows the header.
    pub state: State,
    /// What to store, in one durable batch.
    pub writes: Vec<Write>,
    /// One outcome a transaction, in order.
    pub outcomes: Vec<Outcome>,
}

/// Who acts: the member and the keys that signed.
pub(crate) struct Actor {
    pub(crate) number: MemberNumber,
    pub(crate) member: std::sync::Arc<Member>,
    pub(crate) keys: Vec<KeyNumber>,
    /// What the keys are for; `None` where they serve different purposes, which suits no operation.
    pub(crate) purpose: Option<KeyPurpose>,
    /// Whether an earlier transaction of the block has revoked one of the keys.
    pub(crate) revoked: bool,
}

impl Actor {
    /// Refuses keys of other purposes than the operation asks for, and revoked ones.
    fn with_keys_for(&self, purposes: &[KeyPurpose]) -> Result<(), Refusal> {
        if !self.purpose.is_some_and(|purpose| purposes.contains(&purpose)) {
            return Err(Refusal::KeyPurpose);
        }
        if self.revoked { Err(Refusal::KeyRevoked) } else { Ok(()) }
    }

    /// Refuses a member without the role.
    fn with_role(&self, role: Role) -> Result<(), Refusal> {
        if self.member.roles.has(role) { Ok(()) } else { Err(Refusal::RoleMissing) }
    }

    /// Refuses a member with none of these roles.
    fn with_any_role(&self, roles: &[Role]) -> Result<(), Refusal> {
        if roles.iter().any(|role| self.member.roles.has(*role)) { Ok(()) } else { Err(Refusal::RoleMissing) }
    }

    /// Refuses a member that takes no part in decisions about the network, and other keys than
    /// administrators'.
    fn decides(&self) -> Result<(), Refusal> {
        self.with_any_role(&[Role::Validator, Role::Regulator])?;
        self.with_keys_for(&[KeyPurpose::Admin])
    }

    /// Refuses a single signature.
    fn two_persons(&self) -> Result<(), Refusal> {
        if self.keys.len() >= 2 { Ok(()) } else { Err(Refusal::SecondPersonMissing) }
    }
}

/// A refusal and its detail.
pub(crate) struct Refused {
    refusal: Refusal,
    detail: u64,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, detail: 0 }
    }
}

/// Applies checked transactions to a state.
pub fn apply<R: Records>(
    state: &State,
    records: &R,
    height: Height,
    time: Millis,
    transactions: &[(TransactionId, Transaction)],
) -> Applied {
    let mut draft = Draft::new(state, records, height, time);
    let mut outcomes = Vec::with_capacity(transactions.len());
    for (id, transaction) in transactions {
        let decision = match run(&mut draft, transaction) {
            Ok(effect) => Decision::Done(effect),
            Err(Refused { refusal, detail }) => Decision::Refused { refusal, detail },
        };
        outcomes.push(Outcome { transaction: *id, decision });
    }
    proposals::close_block(&mut draft);
    let (mut state, writes) = draft.finish();
    state.height = height;
    state.time = time;
    // It held for this block; the members' records say who decides from here on.
    state.recovery = None;
    Applied { state, writes, outcomes }
}

fn run<R: Records>(draft: &mut Draft<'_, R>, transaction: &Transaction) -> Result<Effect, Refused> {
    // Nobody acts: the block was checked to follow from this handover.
    if let Some(handover) = transaction.recovery() {
        return Ok(recovery::recover(draft, &handover.plan));
    }
    let actor = actor(draft, transaction)?;
    match &transaction.body.operation {
        Operation::OpenBook { subject, division } => Ok(books::open(draft, &actor, *subject, division)?),
        Operation::Seal { book, lines } => books::seal(draft, &actor, *book, lines),
        Operation::DatedSeal { book, acted, lines } => books::seal_dated(draft, &actor, *book, *acted, lines),
        Operation::Step { place, ground, closes } => Ok(cases::step(draft, &actor, *place, *ground, *closes)?),
        Operation::Change { place, change, ground } => Ok(standing::change(draft, &actor, *place, *change, *ground)?),
        Operation::Consume { place, ground } => Ok(standing::consume(draft, &actor, *place, *ground)?),
        Operation::Supersede { old, into, new, cause, ground } => {
            Ok(replace::supersede(draft, &actor, *old, *into, *new, *cause, *ground)?)
        }
        Operation::Rekey { old, new, ground } => Ok(replace::rekey(draft, &actor, *old, *new, *ground)?),
        Operation::TransferIn { old, into, new, ground } => {
            Ok(replace::transfer_in(draft, &actor, *old, *into, *new, *ground)?)
        }
        Operation::ProposeAgreement { terms } => Ok(agreements::propose(draft, &actor, terms)?),
        Operation::SignAgreement { agreement, digest } => Ok(agreements::sign(draft, &actor, *agreement, digest)?),
        Operation::SuspendAgreement { agreement, ground } => {
            Ok(agreements::suspend(draft, &actor, *agreement, *ground)?)
        }
        Operation::ResumeAgreement { agreement, ground } => Ok(agreements::resume(draft, &actor, *agreement, *ground)?),
        Operation::RevokeKey { member, key, from, ground } => {
            Ok(keys::revoke(draft, &actor, (*member, *key), *from, *ground)?)
        }
        Operation::SuspendAuthority { authority, ground } => {
            Ok(authorities::suspend(draft, &actor, *authority, *ground)?)
        }
        Operation::ResumeAuthority { authority, ground } => {
            Ok(authorities::resume(draft, &actor, *authority, *ground)?)
        }
        Operation::FileApplication { applicant } => Ok(applications::file(draft, &actor, applicant)?),
        Operation::ReviewApplication { application, confirm, ground } => {
            Ok(applications::review(draft, &actor, *application, *confirm, *ground)?)
        }
        Operation::Propose { measure, effective, ground } => {
            Ok(proposals::propose(draft, &actor, measure, *effective, *ground)?)
        }
        Operation::Vote { proposal, digest, approve } => {
            Ok(proposals::vote(draft, &actor, *proposal, digest, *approve)?)
        }
        Operation::Withdraw { proposal } => Ok(proposals::withdraw(draft, &actor, *proposal)?),
        Operation::RotateKey { key, from, ends } => Ok(rotation::rotate(draft, &actor, key, *from, *ends)?),
        Operation::Order { scope, ground } => Ok(orders::order(draft, &actor, *scope, *ground)?),
        Operation::LiftOrder { order, ground } => Ok(orders::lift(draft, &actor, *order, *ground)?),
        Operation::Confirm { book, first, last, ground } => {
            Ok(orders::confirm(draft, &actor, *book, (*first, *last), *ground)?)
        }
        Operation::Accuse { proof } => Ok(offences::accuse(draft, &actor, proof)?),
        Operation::ProposeResource { terms, replaces } => Ok(resources::propose(draft, &actor, terms, *replaces)?),
        Operation::DecideResource { resource, decision, ground } => {
            Ok(resources::decide(draft, &actor, *resource, *decision, *ground)?)
        }
        Operation::PutItem { terms, replaces } => Ok(items::put(draft, &actor, terms, *replaces)?),
        Operation::EndItem { item, ground } => Ok(items::end(draft, &actor, *item, *ground)?),
        Operation::FileRequest { terms, amends } => Ok(requests::file(draft, &actor, terms, *amends)?),
        Operation::DecideRequest { request, decision, ground } => {
            Ok(requests::decide(draft, &actor, *request, decision, *ground)?)
        }
        Operation::WithdrawGrant { place, content, secret } => {
            Ok(grants::withdraw(draft, &actor, *place, content, secret)?)
        }
        Operation::FileObjection { place, ground } => Ok(objections::file(draft, &actor, *place, *ground)?),
        Operation::AnswerObjection { objection, place, answer, ground } => {
            Ok(objections::answer(draft, &actor, (*objection, *place), *answer, *ground)?)
        }
        // Done above: no member asks it.
        Operation::Recover { .. } => Err(Refusal::NotEntitled.into()),
    }
}

/// The acting member; its keys were checked with the block, their purpose is judged here, and
/// whether they are good still.
fn actor<R: Records>(draft: &Draft<'_, R>, transaction: &Transaction) -> Result<Actor, Refusal> {
    let number = transaction.body.member;
    let member = draft.member(number)?;
    if member.status != MemberStatus::Active {
        return Err(Refusal::MemberInactive);
    }
    let keys = transaction.keys();
    let mut purposes = keys.iter().filter_map(|key| member.key(*key)).map(|key| key.purpose);
    // Judged by each operation, because a missing role answers before it.
    let first = purposes.next();
    let purpose = first.filter(|first| purposes.all(|other| other == *first));
    let is_good = |key: &KeyNumber| member.key(*key).is_some_and(|key| key.is_valid_at(draft.height));
    let revoked = !keys.iter().all(is_good);
    Ok(Actor { number, member, keys, purpose, revoked })
}

/// Refuses a reason that is not among the reference codes.
fn known_reason<R: Records>(draft: &Draft<'_, R>, ground: &Ground) -> Result<(), Refusal> {
    if known_reason_in(&draft.state, ground) { Ok(()) } else { Err(Refusal::UnknownReason) }
}

/// Whether a reason is among the reference codes.
fn known_reason_in(state: &State, ground: &Ground) -> bool {
    state.registries.knows_code("reasons", &ground.reason.to_string())
}
