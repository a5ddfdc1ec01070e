//! Who may do what to a line. The key's purpose says in which capacity a member acts.

use fengni_core::MemberNumber;
use fengni_core::book::Book;
use fengni_core::operation::StandingChange;
use fengni_core::outcome::Refusal;
use fengni_core::record::{CertificateType, KeyPurpose};

use super::Actor;
use crate::state::State;

/// Rule O-3: with issuing keys a member acts as keeper; with enforcement keys as a body the type
/// names, or as a superior.
pub(super) fn may_change(
    state: &State,
    actor: &Actor,
    book: &Book,
    kind: &CertificateType,
    change: &StandingChange,
) -> Result<(), Refusal> {
    let entitled = match actor.purpose {
        Some(KeyPurpose::Issuing) => book.keeper == actor.number && as_keeper(book, kind, change),
        _ => as_body(state, actor.number, book, kind, change),
    };
    if entitled { Ok(()) } else { Err(Refusal::NotEntitled) }
}

fn as_keeper(book: &Book, kind: &CertificateType, change: &StandingChange) -> bool {
    match change {
        // What a keeper before it withheld is its to give back: nobody else may be left to do so. A hold
        // does not say in what role it was laid, so one of a body that may suspend the type stays.
        StandingChange::Return { hold } => {
            *hold == book.keeper || book.was_kept_by(*hold) && !kind.suspenders.contains(hold)
        }
        StandingChange::Revoke => false,
        _ => true,
    }
}

fn as_body(state: &State, actor: MemberNumber, book: &Book, kind: &CertificateType, change: &StandingChange) -> bool {
    match change {
        StandingChange::Suspend { .. } => kind.suspenders.contains(&actor),
        StandingChange::Return { hold } => *hold == actor || state.is_above(actor, *hold),
        StandingChange::Annul => state.is_above(actor, book.keeper),
        StandingChange::Revoke => kind.revokers.contains(&actor),
        _ => false,
    }
}
