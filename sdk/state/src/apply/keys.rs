//! Emergency revocation of a key (密钥应急吊销): it ends, and what it sealed is suspended. Rule O-15.

use fengni_core::book::SuspensionCause;
use fengni_core::limits::{REVOCATION_BOOK, REVOCATION_SEALS};
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Member};
use fengni_core::{BookNumber, Height, KeyNumber, MemberNumber, SealNumber};

use super::{Actor, known_reason};
use crate::book::Term;
use crate::draft::Draft;
use crate::records::Records;
use crate::sealed::Search;

/// Rule O-15: a member, or one above it, ends a key from a suspected height on.
pub(super) fn revoke<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    (number, key): (MemberNumber, KeyNumber),
    from: Height,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let mut member = draft.member(number)?.as_ref().clone();
    known_reason(draft, &ground)?;
    let found = member.key(key).ok_or(Refusal::UnknownKey)?;
    let is_own = number == actor.number;
    if !is_own && !draft.state.is_above(actor.number, number) {
        return Err(Refusal::NotEntitled);
    }
    if found.purpose.revocation_takes_two(is_own) {
        actor.two_persons()?;
    }
    if matches!(found.purpose, KeyPurpose::Consensus | KeyPurpose::Peer) {
        return Err(Refusal::NodeKey);
    }
    // A superior may: a member whose only admin key is in strange hands must not keep it.
    if is_own && is_last_admin_key(&member, key, draft.height.next()) {
        return Err(Refusal::LastKey);
    }
    if from > draft.height {
        return Err(Refusal::BadHeight);
    }
    // Whoever suspects a key since ever names any early height. Nothing was signed at height 0.
    let from = from.max(found.from).max(Height(1));
    let until = Height(from.0 - 1);
    if found.until.is_some_and(|ended| ended <= until) {
        return Err(Refusal::KeyEnded);
    }
    let lines = match found.purpose {
        KeyPurpose::Issuing => suspend_sealed(draft, number, key, (from, found.until)),
        _ => 0,
    };
    member.keys[usize::from(key.0)].until = Some(until);
    member.version += 1;
    draft.replace(number.0, member);
    Ok(Effect::KeyRevoked { member: number, key, from, lines })
}

/// Whether a member without this key has nobody to act for it at a height.
fn is_last_admin_key(member: &Member, key: KeyNumber, height: Height) -> bool {
    let is_admin = member.key(key).is_some_and(|found| found.purpose == KeyPurpose::Admin);
    let mut others = (0..).map(KeyNumber).zip(&member.keys).filter(|(number, _)| *number != key);
    is_admin && !others.any(|(_, other)| other.purpose == KeyPurpose::Admin && other.is_valid_at(height))
}

/// Suspends the lines that a key sealed at the heights in question, in every book for as long as its
/// member kept it.
///
/// Returns how many lines that the member sealed are suspended for the key, from now or before.
fn suspend_sealed<R: Records>(
    draft: &mut Draft<'_, R>,
    keeper: MemberNumber,
    key: KeyNumber,
    (from, until): (Height, Option<Height>),
) -> u64 {
    let cause = SuspensionCause::Key { key };
    let kept: Vec<BookNumber> = draft.state.books_of(keeper).collect();
    let mut left = REVOCATION_SEALS;
    let mut suspended = 0;
    for book in kept {
        let terms = draft.state.book(book).map(|book| book.terms_of(keeper)).unwrap_or_default();
        for Term { heights: (begun, ended), lines } in terms {
            let until = until.into_iter().chain(ended).min();
            let mut search = Search { key, from: from.max(begun), until, left, book: REVOCATION_BOOK };
            let runs = search.runs(draft.seals(book), |number| draft.sealed(book, SealNumber(number)));
            left = search.left;
            draft.suspend(book, cause, &runs);
            suspended += draft.suspended_lines(book, cause, &lines);
        }
    }
    suspended
}
