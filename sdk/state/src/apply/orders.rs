//! Orders: many lines suspended by one act, and given back by one. Rule O-23; CRT-12.

use fengni_core::book::SuspensionCause;
use fengni_core::limits::{BOOK_ORDERS, ORDER_BOOKS};
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Order, Role, Scope};
use fengni_core::{BookNumber, LineNumber, OrderNumber};

use super::{Actor, known_reason};
use crate::book::BookState;
use crate::draft::Draft;
use crate::records::Records;

/// A book and the lines of it that an order is about, first and last.
type Run = (BookNumber, (LineNumber, LineNumber));

/// Rule O-23: a keeper, a body above, a region's regulator or a body that the type names suspends
/// many lines together.
pub(super) fn order<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    scope: Scope,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Issuing, KeyPurpose::Enforcement])?;
    let runs = runs(draft, scope)?;
    known_reason(draft, &ground)?;
    let books = || runs.iter().take(ORDER_BOOKS).filter_map(|(book, _)| draft.state.book(*book));
    if !books().all(|book| is_entitled(draft, actor, book)) {
        return Err(Refusal::NotEntitled);
    }
    actor.two_persons()?;
    let orders = |book: &BookState| {
        let causes = book.record().suspended.iter().map(|run| run.cause);
        causes.filter(|cause| matches!(cause, SuspensionCause::Order { .. })).count()
    };
    if books().any(|book| orders(book) >= BOOK_ORDERS) {
        return Err(Refusal::RecordFull);
    }
    if runs.is_empty() || runs.len() > ORDER_BOOKS {
        return Err(Refusal::BadScope);
    }
    let lines = runs.iter().map(|(_, (first, last))| last.0 - first.0 + 1).sum();
    let (by, height) = (actor.number, draft.height);
    let record = Order { version: 1, scope, by, ground, height, lines, lifted: None };
    let order = OrderNumber(draft.append(record));
    for (book, run) in runs {
        draft.suspend(book, SuspensionCause::Order { order }, &[run]);
    }
    Ok(Effect::Order { order, lines, lifted: false })
}

/// Rule O-23: who gave an order, or a member above that one, lifts it.
pub(super) fn lift<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: OrderNumber,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Issuing, KeyPurpose::Enforcement])?;
    known_reason(draft, &ground)?;
    let order = draft.state.registries.orders.get(number.0).cloned().ok_or(Refusal::UnknownOrder)?;
    if order.by != actor.number && !draft.state.is_above(actor.number, order.by) {
        return Err(Refusal::NotEntitled);
    }
    actor.two_persons()?;
    if order.lifted.is_some() {
        return Err(Refusal::OrderState);
    }
    let cause = SuspensionCause::Order { order: number };
    let has_run = |book: &BookState| book.record().suspended.iter().any(|run| run.cause == cause);
    let books: Vec<BookNumber> =
        draft.state.books().filter(|(_, book)| has_run(book)).map(|(number, _)| number).collect();
    for book in books {
        let whole = (LineNumber(0), LineNumber(u64::MAX));
        draft.unsuspend(book, whole, |other| other == cause).expect("fewer runs are left than there were");
    }
    let lifted = Some(draft.height);
    draft.replace(number.0, Order { version: order.version + 1, lifted, ..order.as_ref().clone() });
    Ok(Effect::Order { order: number, lines: order.lines, lifted: true })
}

/// Rule O-24: after people have looked, the keeper confirms lines that a key's revocation suspended.
pub(super) fn confirm<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: BookNumber,
    lines: (LineNumber, LineNumber),
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.with_role(Role::Issuer)?;
    actor.with_keys_for(&[KeyPurpose::Issuing])?;
    let book = draft.book(number)?;
    if lines.0 > lines.1 || lines.1.0 >= book.record().lines {
        return Err(Refusal::UnknownLine);
    }
    known_reason(draft, &ground)?;
    super::books::kept_by(&book, actor)?;
    actor.two_persons()?;
    let of_key = |cause| matches!(cause, SuspensionCause::Key { .. });
    match draft.unsuspend(number, lines, of_key) {
        None => Err(Refusal::RecordFull),
        Some(0) => Err(Refusal::NotSuspended),
        Some(lines) => Ok(Effect::Confirmed { book: number, lines }),
    }
}

/// The books of a scope with lines in them, rising; one more than an order may be about, at most.
fn runs<R: Records>(draft: &Draft<'_, R>, scope: Scope) -> Result<Vec<Run>, Refusal> {
    let whole = |book: &BookState| book.record().lines.checked_sub(1).map(|last| (LineNumber(0), LineNumber(last)));
    // Cases are handled on, whatever is suspended.
    let has_certificates = |book: &BookState| book.record().certificate_type().is_some();
    let books = |of: &dyn Fn(&BookState) -> bool| {
        let chosen = draft.state.books().filter(|(_, book)| has_certificates(book) && of(book));
        chosen.filter_map(|(number, book)| Some((number, whole(book)?))).take(ORDER_BOOKS + 1).collect()
    };
    Ok(match scope {
        Scope::Lines { book, first, last } => {
            if first > last || last.0 >= draft.book(book)?.record().lines {
                return Err(Refusal::UnknownLine);
            }
            vec![(book, (first, last))]
        }
        Scope::Book { book } => whole(draft.book(book)?.as_ref()).map(|run| (book, run)).into_iter().collect(),
        Scope::Type { certificate_type, division } => {
            draft.state.certificate_type(certificate_type).ok_or(Refusal::UnknownType)?;
            books(&|book| {
                book.record().certificate_type() == Some(certificate_type) && division.covers(&book.record().division)
            })
        }
        Scope::Keeper { member } => {
            draft.member(member)?;
            books(&|book| book.record().keeper == member)
        }
    })
}

fn is_entitled<R: Records>(draft: &Draft<'_, R>, actor: &Actor, book: &BookState) -> bool {
    let record = book.record();
    let Some(kind) = record.certificate_type() else { return false };
    if actor.purpose == Some(KeyPurpose::Issuing) {
        return record.keeper == actor.number;
    }
    let kind = draft.state.certificate_type(kind);
    draft.state.is_above(actor.number, record.keeper)
        || actor.member.roles.has(Role::Regulator) && actor.member.division.covers(&record.division)
        || kind.is_some_and(|kind| kind.suspenders.contains(&actor.number))
}
