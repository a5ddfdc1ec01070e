//! A typed identifier (VER-15) or a static code (CRT-13): what is recorded about a document,
//! without a phone.
//!
//! The answer is never valid: nobody was checked to be the holder, and the ledger holds the dates
//! only as a commitment.

use crate::book::{Book, Line, Tag};
use crate::code::StaticCode;
use crate::id::CertificateId;
use crate::number::LinePlace;
use crate::proof::Proven;
use crate::record::{Member, Parameters};
use crate::standing::Standing;
use crate::verdict::{Answer, Check, Detail, Document, LineFault, Verdict, VerdictCode};

use super::finding::Finding;
use super::path::check_path;
use super::{Context, Mode, SKEW_SECS, ages, as_of, authority, standing};

/// What is recorded about the document with this identifier.
///
/// - `found`: the line a gateway found for it, with the proof; `None` where it found none, which
///   proves nothing.
///
/// Codes: [`VerdictCode::DocumentStatusOnly`], or undecided.
///
/// # Source
/// `sdk/spec/verdicts.md`, rule V-19.
pub fn verify_identifier(
    identifier: &CertificateId,
    found: Option<(LinePlace, &Proven)>,
    context: &Context,
) -> Verdict {
    let Some((place, proven)) = found else {
        return not_found(None);
    };
    finish(judge(identifier, place, None, proven, context), proven, context)
}

/// What is recorded about the document that a static code names (CRT-13).
///
/// - `found`: as for [`verify_identifier`]: the line that a gateway found, or the code's own place.
///
/// Codes: [`VerdictCode::DocumentStatusOnly`], or undecided; never valid, online or offline. Where
/// no line was proven, as offline, the code's own path may lead to the page at its own place.
///
/// # Source
/// `sdk/spec/verdicts.md`, rule V-22.
pub fn verify_static(code: &StaticCode, found: Option<(LinePlace, &Proven)>, context: &Context) -> Verdict {
    let Some((place, proven)) = found else {
        return not_found(None);
    };
    finish(judge(&code.identifier, place, Some(code), proven, context), proven, context)
}

fn finish(judged: Result<Verdict, Finding>, proven: &Proven, context: &Context) -> Verdict {
    let mut verdict = judged.unwrap_or_else(Finding::verdict);
    verdict.ages = ages(Some(proven), context);
    verdict.as_of = Some(as_of(proven));
    verdict
}

/// The line that a static code speaks of, where its path leads to the page.
fn line_by_path(code: &StaticCode, place: LinePlace, proven: &Proven, context: &Context) -> Result<Line, Finding> {
    let line = code.line(&context.domain);
    if place != code.place {
        return Err(Finding::missing("the proof is of another line"));
    }
    check_path(&code.path, place, &line, proven, context)?;
    Ok(line)
}

/// Undecided: the absence of a typed identifier is never proven.
fn not_found(place: Option<LinePlace>) -> Verdict {
    let detail = place.map(|place| Detail::Line { place, fault: LineFault::NotFound });
    let mut verdict = Verdict::new(VerdictCode::UnknownCert, detail);
    verdict.answer = Answer::Undecided;
    verdict.presented()
}

fn judge(
    identifier: &CertificateId,
    place: LinePlace,
    printed: Option<&StaticCode>,
    proven: &Proven,
    context: &Context,
) -> Result<Verdict, Finding> {
    if proven.header().domain() != context.domain {
        return Err(Finding::missing("the proof is of another network"));
    }
    let book: Book = proven.record(place.book.0)?;
    let certificate_type = proven.type_of(&book)?;
    let line = match (proven.line(place), printed) {
        (Err(_), Some(code)) => line_by_path(code, place, proven, context)?,
        (found, _) => found?,
    };
    let is_it = line.tag == Tag::of(&context.domain, identifier)
        && book.issuer == identifier.issuer()
        && certificate_type.code == identifier.type_code();
    if !is_it {
        return Ok(not_found(Some(place)));
    }
    let parameters: Parameters = proven.record(0)?;
    let limit_secs = match context.mode {
        Mode::Online => u64::from(parameters.online_age_secs).saturating_add(SKEW_SECS),
        Mode::Offline => u64::from(certificate_type.offline_age_secs),
    };
    standing::check_ages(proven, context, limit_secs, parameters.trusting_period_secs)?;
    let page = proven.page(place.book, place.line.page())?;
    let (standing, holds) = page.standing(place.line.place());
    let sealed = proven.seal_of(place).map(|seal| seal.height);
    let recorded = authority::check_suspensions(&book, place.line, sealed)
        .and_then(|()| standing::check_state(standing, place, identifier, proven, context))
        .and_then(|()| standing::check_holds(&book, place.line, holds, proven, context))
        .err()
        .map(Finding::verdict);
    let issuer: Member = proven.record(book.opener().0)?;
    let detail = Detail::Recorded {
        standing: recorded.as_ref().map(|verdict| verdict.code),
        successor: standing::successor(place, proven),
    };
    let mut verdict = Verdict::new(VerdictCode::DocumentStatusOnly, Some(detail));
    verdict.checked = vec![Check::Finality, Check::Freshness];
    verdict.warnings = warnings(standing);
    verdict.document = Some(Document {
        certificate_type: certificate_type.name,
        issuer: issuer.name,
        identifier: identifier.to_string(),
        place,
        grade: None,
        validity: None,
        claims: Vec::new(),
    });
    Ok(verdict.presented())
}

fn warnings(standing: Standing) -> Vec<VerdictCode> {
    if standing.disputed { vec![VerdictCode::Disputed] } else { Vec::new() }
}
