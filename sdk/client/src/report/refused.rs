//! Refusals, and those among them that say that something was there already. Rules E-5 and E-7.

use std::collections::BTreeMap;

use fengni_core::event::{Event, EventKind};
use fengni_core::outcome::Refusal;
use fengni_core::{MemberNumber, TypeNumber};
use serde::Serialize;

/// Whether a refusal says that the same was asked for before.
pub fn is_repeat(refusal: Refusal) -> bool {
    use Refusal as R;
    matches!(
        refusal,
        R::DuplicateBook
            | R::DuplicateTag
            | R::AlreadyHeld
            | R::AlreadyConsumed
            | R::AlreadySigned
            | R::KeyInUse
            | R::MemberExists
            | R::OrderState
            | R::KnownOffence
    )
}

/// What was refused to a member, and how often.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RefusalRow {
    /// The member.
    pub member: MemberNumber,
    /// Why: the permanent number.
    pub refusal: Refusal,
    /// Its name.
    pub name: String,
    /// What was asked.
    pub kind: EventKind,
    /// Type of certificate, where it was about one.
    pub certificate_type: Option<TypeNumber>,
    /// How often.
    pub count: u64,
}

/// Refusals of a time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Refused(BTreeMap<(MemberNumber, Refusal, EventKind, Option<TypeNumber>), u64>);

impl Refused {
    /// Looks at an event.
    pub fn event(&mut self, event: &Event) {
        if let Some(refusal) = event.refusal {
            self.add((event.member, refusal, event.kind, event.certificate_type), 1);
        }
    }

    fn add(&mut self, place: (MemberNumber, Refusal, EventKind, Option<TypeNumber>), count: u64) {
        let sum = self.0.entry(place).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Adds a time that follows.
    pub fn join(&mut self, later: &Self) {
        later.0.iter().for_each(|(place, count)| self.add(*place, *count));
    }

    /// By member, refusal, kind and type.
    pub fn rows(&self) -> impl Iterator<Item = RefusalRow> + '_ {
        self.0.iter().map(|((member, refusal, kind, certificate_type), count)| RefusalRow {
            member: *member,
            refusal: *refusal,
            name: refusal.name(),
            kind: *kind,
            certificate_type: *certificate_type,
            count: *count,
        })
    }

    /// Those that say that the same was asked for before.
    pub fn repeats(&self) -> impl Iterator<Item = RefusalRow> + '_ {
        self.rows().filter(|row| is_repeat(row.refusal))
    }
}
