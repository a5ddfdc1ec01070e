//! Opening books and sealing lines. Rules O-1, O-2, O-28, Z-6 and Z-9.

use std::collections::HashSet;

use fengni_core::book::{Book, Line, Subject, Tag};
use fengni_core::id::Division;
use fengni_core::limits::{KEPT_BOOKS, SEAL_LINES};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{KeyPurpose, Role};
use fengni_core::sharing::{Batch, grant_line};
use fengni_core::{BookNumber, Day, Domain, LineNumber, LinePlace, SealNumber};

use super::{Actor, Refused};
use crate::book::BookState;
use crate::draft::Draft;
use crate::records::Records;

/// Rule O-1: a member opens one book for each type and region it may issue.
pub(super) fn open<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    subject: Subject,
    division: &Division,
) -> Result<Effect, Refusal> {
    may_write(actor, Some(subject))?;
    if let Some(kind) = subject.certificate_type() {
        draft.state.certificate_type(kind).ok_or(Refusal::UnknownType)?;
    }
    let domain = draft.state.domain;
    let number = BookNumber(u32::try_from(draft.state.books.len()).map_err(|_| Refusal::RecordFull)?);
    let issuer = actor.member.code;
    let mut book = BookState::open(&domain, number, subject, *division, issuer, actor.number, draft.height);
    if let Some(space) = draft.state.tag_space(book.record()) {
        book = BookState::open(&domain, space, subject, *division, issuer, actor.number, draft.height);
    }
    may_issue(draft, actor, &book)?;
    let kept: Vec<BookNumber> = draft.state.books_of(actor.number).collect();
    // One that it took over from another keeper is another issuer's.
    let same = |other: &Book| {
        other.subject == subject
            && match subject.is_opened_once() {
                true => other.opener() == actor.number,
                false => (other.issuer, other.keeper, other.division) == (issuer, actor.number, *division),
            }
    };
    if kept.iter().any(|other| draft.state.book(*other).is_some_and(|other| same(other.record()))) {
        return Err(Refusal::DuplicateBook);
    }
    if kept.len() >= KEPT_BOOKS {
        return Err(Refusal::RecordFull);
    }
    Ok(Effect::BookOpened { book: draft.open_book(book) })
}

/// Rule O-2: the keeper adds lines to its book.
pub(super) fn seal<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: BookNumber,
    lines: &[Line],
) -> Result<Effect, Refused> {
    may_seal(draft, actor, number, lines, None)?;
    let (seal, first, count) = add(draft, actor, number, lines);
    Ok(Effect::Sealed { book: number, seal, first, count })
}

/// Rule O-28: the same for acts of a day before; until when that was in time follows from the
/// calendar of now, so that no later one changes it.
pub(super) fn seal_dated<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: BookNumber,
    acted: Day,
    lines: &[Line],
) -> Result<Effect, Refused> {
    may_seal(draft, actor, number, lines, Some(acted))?;
    let due = draft.book(number)?.record().certificate_type().and_then(|kind| draft.state.sealing_due(kind, acted));
    let (seal, first, count) = add(draft, actor, number, lines);
    Ok(Effect::DatedSealed { book: number, seal, first, count, due })
}

fn add<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: BookNumber,
    lines: &[Line],
) -> (SealNumber, LineNumber, u32) {
    let (seal, first) = draft.seal(number, lines, actor.keys.clone());
    (seal, first, u32::try_from(lines.len()).expect("checked before: at most 1,024 lines"))
}

fn may_seal<R: Records>(
    draft: &Draft<'_, R>,
    actor: &Actor,
    number: BookNumber,
    lines: &[Line],
    acted: Option<Day>,
) -> Result<(), Refused> {
    let book = draft.book(number);
    may_write(actor, book.as_ref().ok().map(|book| book.record().subject))?;
    let book = book?;
    kept_by(&book, actor)?;
    if lines.len() as u64 > u64::from(draft.state.parameters().solo_seal_lines) {
        actor.two_persons()?;
    }
    may_issue(draft, actor, &book)?;
    if !(1..=SEAL_LINES).contains(&lines.len()) {
        return Err(Refusal::LineCount.into());
    }
    free_tags(draft, &book, lines)?;
    match book.record().subject {
        Subject::Receipts => going_on(draft, number, &book, lines)?,
        Subject::Grants => following(&draft.state.domain, lines)?,
        Subject::Certificates { .. } | Subject::Cases => (),
    }
    if acted.is_some_and(|acted| acted > draft.day()) { Err(Refusal::BadDay.into()) } else { Ok(()) }
}

/// Rules O-1, Z-6 and Z-9: the role and the keys that a book of this kind is written with. What a program
/// writes all day, nobody's issuing key has to be at hand for.
fn may_write(actor: &Actor, subject: Option<Subject>) -> Result<(), Refusal> {
    let (roles, purpose): (&[Role], _) = match subject {
        // Of a book that is not there as of one of certificates.
        None | Some(Subject::Certificates { .. } | Subject::Cases) => (&[Role::Issuer], KeyPurpose::Issuing),
        Some(Subject::Grants) => (&[Role::Provider, Role::Requester, Role::Verifier], KeyPurpose::Application),
        Some(Subject::Receipts) => (&[Role::Provider], KeyPurpose::Application),
    };
    actor.with_any_role(roles)?;
    actor.with_keys_for(&[purpose])
}

/// Rule Z-9: batches of receipts go on where the book ends, none left out and none twice.
fn going_on<R: Records>(
    draft: &Draft<'_, R>,
    number: BookNumber,
    book: &BookState,
    lines: &[Line],
) -> Result<(), Refused> {
    let last = book.record().lines.checked_sub(1).map(|line| LinePlace { book: number, line: LineNumber(line) });
    let last = last.map(|place| draft.line(place)).transpose()?;
    let mut next = last.map_or(Some(0), |line| Batch::from_line(&line).end());
    for (line, detail) in lines.iter().zip(0..) {
        let batch = Batch::from_line(line);
        if next != Some(batch.first) || batch.end().is_none() {
            return Err(Refused { refusal: Refusal::BadBatch, detail });
        }
        next = batch.end();
    }
    Ok(())
}

/// Rule Z-6: the tag of a grant follows from its commitment, so that no grant is sealed again.
fn following(domain: &Domain, lines: &[Line]) -> Result<(), Refused> {
    match lines.iter().zip(0..).find(|(line, _)| **line != grant_line(domain, line.commitment)) {
        Some((_, detail)) => Err(Refused { refusal: Refusal::BadTag, detail }),
        None => Ok(()),
    }
}

/// Refuses anybody but the book's keeper.
pub(super) fn kept_by(book: &BookState, actor: &Actor) -> Result<(), Refusal> {
    if book.record().keeper == actor.number { Ok(()) } else { Err(Refusal::NotEntitled) }
}

/// Refuses issuing under another member's code, without authority today, and into a disabled type
/// (GOV-06, CAT-01).
pub(super) fn may_issue<R: Records>(draft: &Draft<'_, R>, actor: &Actor, book: &BookState) -> Result<(), Refusal> {
    let is_own = book.record().issuer == actor.member.code;
    if !is_own || !draft.state.is_authorised(actor.number, book.record(), draft.day()) {
        return Err(Refusal::IssuerNotAuthorised);
    }
    let Some(kind) = book.record().certificate_type() else { return Ok(()) };
    let enabled = draft.state.certificate_type(kind).is_some_and(|kind| kind.enabled);
    if enabled { Ok(()) } else { Err(Refusal::TypeDisabled) }
}

/// Refuses a tag that stands in the register or twice among the lines (CRT-01).
pub(super) fn free_tags<R: Records>(draft: &Draft<'_, R>, book: &BookState, lines: &[Line]) -> Result<(), Refused> {
    let tags: Vec<Tag> = lines.iter().map(|line| line.tag).collect();
    let found = draft.find_tags(book.space(), &tags);
    let mut seen = HashSet::new();
    for ((tag, taken), detail) in tags.iter().zip(found).zip(0..) {
        if taken.is_some() || !seen.insert(tag) {
            return Err(Refused { refusal: Refusal::DuplicateTag, detail });
        }
    }
    Ok(())
}
