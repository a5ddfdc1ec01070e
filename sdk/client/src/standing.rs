//! Operations on standings: what an operator asks for, as the ledger takes it.
//!
//! The builders add nothing to [`Operation`] but names that say who asks for what. Whether the act
//! is the member's to do, the ledger decides.

use fengni_core::book::Line;
use fengni_core::operation::{Cause, Ground, Operation, StandingChange};
use fengni_core::{BookNumber, LinePlace, MemberNumber, Millis};

/// Changes one line's standing.
pub fn change(place: LinePlace, change: StandingChange, ground: Ground) -> Operation {
    Operation::Change { place, change, ground }
}

/// 暂扣, until a moment or until it is returned.
pub fn suspend(place: LinePlace, until: Option<Millis>, ground: Ground) -> Operation {
    change(place, StandingChange::Suspend { until }, ground)
}

/// 暂扣发还: lifts the hold of a body, the acting one or one below it.
pub fn give_back(place: LinePlace, hold: MemberNumber, ground: Ground) -> Operation {
    change(place, StandingChange::Return { hold }, ground)
}

/// 延续, 变更, 更正: a new line takes the place of an old one, both or neither.
pub fn supersede(old: LinePlace, into: BookNumber, new: Line, cause: Cause, ground: Ground) -> Operation {
    Operation::Supersede { old, into, new, cause, ground }
}

/// 补绑: the same certificate with a new holder key, after a phone was lost.
pub fn rekey(old: LinePlace, new: Line, ground: Ground) -> Operation {
    Operation::Rekey { old, new, ground }
}

/// 转入: takes over a certificate that another issuer gave up.
pub fn transfer_in(old: LinePlace, into: BookNumber, new: Line, ground: Ground) -> Operation {
    Operation::TransferIn { old, into, new, ground }
}

/// 核销: uses up a one-time document.
pub fn consume(place: LinePlace, ground: Ground) -> Operation {
    Operation::Consume { place, ground }
}
