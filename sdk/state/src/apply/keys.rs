//! Emergency revocation of a key (密钥应急吊销): it ends, and what it sealed is suspended. Rule O-15.

use fengni_core::book::{Seal, SuspensionCause};
use fengni_core::limits::REVOCATION_SEALS;
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Member};
use fengni_core::{BookNumber, Height, KeyNumber, LineNumber, MemberNumber, SealNumber};

use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::records::{Records, partition};

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
    if found.purpose == KeyPurpose::Issuing {
        suspend_sealed(draft, number, key, from);
    }
    member.keys[usize::from(key.0)].until = Some(until);
    member.version += 1;
    draft.replace_member(number, member);
    Ok(Effect::KeyRevoked { member: number, key, from, lines: suspended_lines(draft, number, key) })
}

/// Whether a member without this key has nobody to act for it at a height.
fn is_last_admin_key(member: &Member, key: KeyNumber, height: Height) -> bool {
    let is_admin = member.key(key).is_some_and(|found| found.purpose == KeyPurpose::Admin);
    let mut others = (0..).map(KeyNumber).zip(&member.keys).filter(|(number, _)| *number != key);
    is_admin && !others.any(|(_, other)| other.purpose == KeyPurpose::Admin && other.is_valid_at(height))
}

/// Suspends the lines that a key sealed at a height or after, in every book its member keeps.
fn suspend_sealed<R: Records>(draft: &mut Draft<'_, R>, keeper: MemberNumber, key: KeyNumber, from: Height) {
    let kept = draft.state.books().filter(|(_, book)| book.record().keeper == keeper);
    let kept: Vec<BookNumber> = kept.map(|(number, _)| number).collect();
    let mut unread = REVOCATION_SEALS;
    for book in kept {
        let runs = runs_sealed(draft, book, key, from, &mut unread);
        draft.suspend(book, SuspensionCause::Key { key }, &runs);
    }
}

/// Runs of a book's lines that a key sealed at a height or after, from first to last.
///
/// - `unread`: how many seals may still be read. Where a book has more since the height, all its
///   lines since count as the key's, so that no revocation holds a block up.
fn runs_sealed<R: Records>(
    draft: &Draft<'_, R>,
    book: BookNumber,
    key: KeyNumber,
    from: Height,
    unread: &mut u64,
) -> Vec<(LineNumber, LineNumber)> {
    let seal = |number: u64| draft.sealed(book, SealNumber(number));
    let count = draft.seals(book);
    let first = partition(count, |number| seal(number).height >= from);
    if first == count {
        return Vec::new();
    }
    match unread.checked_sub(count - first) {
        Some(left) => {
            *unread = left;
            let by_key = (first..count).map(seal).filter(|seal| seal.keys.contains(&key));
            by_key.map(|seal| (seal.first, last_line(&seal))).collect()
        }
        None => vec![(seal(first).first, last_line(&seal(count - 1)))],
    }
}

fn last_line(seal: &Seal) -> LineNumber {
    LineNumber(seal.first.0 + u64::from(seal.count) - 1)
}

/// Lines that are suspended for a key, in all books its member keeps.
fn suspended_lines<R: Records>(draft: &Draft<'_, R>, keeper: MemberNumber, key: KeyNumber) -> u64 {
    let cause = SuspensionCause::Key { key };
    let kept = draft.state.books().map(|(_, book)| book.record()).filter(|book| book.keeper == keeper);
    let runs = kept.flat_map(|book| &book.suspended).filter(|run| run.cause == cause);
    runs.map(|run| run.last.0 - run.first.0 + 1).sum()
}
