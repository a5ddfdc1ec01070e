//! Standing: whether the state is recent enough, and what it says about the line.

use crate::book::{Book, Tag};
use crate::certificate::Facts;
use crate::day::{Day, Millis};
use crate::id::{CertificateId, Version};
use crate::number::{LineNumber, LinePlace, MemberNumber};
use crate::proof::Proven;
use crate::record::{Member, Parameters};
use crate::standing::{Act, ActKind, Hold, Standing, State};
use crate::verdict::{Body, Detail, Evidence, HolderFault, VerdictCode};

use super::{Context, Finding, Mode, SKEW_SECS, Scene};

/// How many versions are tried to name the certificate that goes on from another.
const VERSIONS_TRIED: usize = 16;

/// Rule V-7: header and checkpoint are recent enough for a statement about now.
pub(super) fn check_freshness(scene: &Scene, proven: &Proven, context: &Context) -> Result<(), Finding> {
    let limit_secs = match context.mode {
        Mode::Online => u64::from(scene.parameters.online_age_secs).saturating_add(SKEW_SECS),
        Mode::Offline => u64::from(scene.certificate_type.offline_age_secs),
    };
    check_ages(proven, context, limit_secs, scene.parameters.trusting_period_secs)
}

/// As [`check_freshness`] where the code names no book, and so no type: by the network's own limits.
pub(super) fn check_ages_alone(proven: &Proven, context: &Context) -> Result<(), Finding> {
    let parameters: Parameters = proven.record(0)?;
    let limit_secs = u64::from(parameters.online_age_secs).saturating_add(SKEW_SECS);
    check_ages(proven, context, limit_secs, parameters.trusting_period_secs)
}

/// The ages of header and checkpoint against their limits, and the clock against the header.
pub(super) fn check_ages(
    proven: &Proven,
    context: &Context,
    limit_secs: u64,
    trusting_period_secs: u64,
) -> Result<(), Finding> {
    let stale = |detail| Err(Finding::new(VerdictCode::StatusStale, detail));
    let time = proven.header().time;
    let age = Millis(context.now.0.saturating_sub(time.0));
    if age > Millis::from_secs(limit_secs) {
        return stale(Detail::Stale { what: Evidence::Standing, age_secs: age.secs(), limit_secs });
    }
    // A clock behind the ledger's would take old codes and ended holds for current ones.
    let behind = Millis(time.0.saturating_sub(context.now.0));
    if behind > Millis::from_secs(SKEW_SECS) {
        return stale(Detail::Clock { behind_secs: behind.secs() });
    }
    let age_secs = context.checkpoint_age_secs;
    if age_secs > trusting_period_secs {
        let limit_secs = trusting_period_secs;
        return stale(Detail::Stale { what: Evidence::Checkpoint, age_secs, limit_secs });
    }
    Ok(())
}

/// Rule V-12: no recorded act bars the certificate.
pub(super) fn check_line(
    book: &Book,
    place: LinePlace,
    identifier: &CertificateId,
    proven: &Proven,
    context: &Context,
) -> Result<Standing, Finding> {
    let page = proven.page(place.book, place.line.page())?;
    let (standing, holds) = page.standing(place.line.place());
    check_state(standing, place, identifier, proven, context)?;
    check_holds(book, place.line, holds, proven, context)?;
    Ok(standing)
}

/// The code of a state that bars a certificate, with the line that goes on from it.
pub(super) fn check_state(
    standing: Standing,
    place: LinePlace,
    old: &CertificateId,
    proven: &Proven,
    context: &Context,
) -> Result<(), Finding> {
    let code = match standing.state {
        State::Active => return Ok(()),
        State::Annulled => VerdictCode::Annulled,
        // Cases and grants are no certificates, and no code of one comes this far.
        State::Cancelled | State::Closed | State::Withdrawn => VerdictCode::Cancelled,
        State::Expired => VerdictCode::Expired,
        State::TransferringOut => VerdictCode::Transferred,
        State::Revoked => VerdictCode::Revoked,
        State::Consumed => VerdictCode::AlreadyConsumed,
        State::Superseded | State::Rekeyed => return Err(replaced(place, old, proven, context)),
    };
    Err(Finding::plain(code))
}

/// A line that another one took over from. Where the act was not proven, only that much is known.
fn replaced(place: LinePlace, old: &CertificateId, proven: &Proven, context: &Context) -> Finding {
    let act = head_act(place, proven);
    let code = match &act {
        Some(act) if act.kind == ActKind::TransferIn => VerdictCode::Transferred,
        _ => VerdictCode::Superseded,
    };
    match act.and_then(|act| act.successor) {
        Some(place) => {
            let identifier = successor_identifier(place, old, proven, context).map(|found| found.to_string());
            Finding::new(code, Detail::Successor { place, identifier })
        }
        None => Finding::plain(code),
    }
}

/// The latest act on a line, where it was proven.
fn head_act(place: LinePlace, proven: &Proven) -> Option<Act> {
    let heads = proven.heads(place.book, place.line.page()).ok()?;
    proven.act(place.book, heads.of(place.line.place())?).ok()
}

/// The line that goes on from this one, where the act that says so was proven.
pub(super) fn successor(place: LinePlace, proven: &Proven) -> Option<LinePlace> {
    head_act(place, proven)?.successor
}

/// A tag does not give its identifier away, but the same serial with a later version can be tried.
fn successor_identifier(
    place: LinePlace,
    old: &CertificateId,
    proven: &Proven,
    context: &Context,
) -> Option<CertificateId> {
    let tag = proven.line(place).ok()?.tag;
    let issuer = proven.record::<Book>(place.book.0).ok()?.issuer;
    let versions = std::iter::successors(Some(old.version()), |version: &Version| version.next().ok());
    versions
        .take(VERSIONS_TRIED)
        .map(|version| CertificateId::new(old.type_code(), issuer, *old.serial(), version))
        .find(|identifier| Tag::of(&context.domain, identifier) == tag)
}

/// Suspensions that hold now: each by the body that must lift it, or by orders about many lines.
pub(super) fn check_holds(
    book: &Book,
    line: LineNumber,
    holds: &[Hold],
    proven: &Proven,
    context: &Context,
) -> Result<(), Finding> {
    let name = |member: MemberNumber| proven.record::<Member>(member.0).ok().map(|record| record.name);
    let live = holds.iter().filter(|hold| hold.is_live(context.now));
    let by: Vec<Body> = live.map(|hold| Body { member: hold.by, name: name(hold.by) }).collect();
    let detail = if !by.is_empty() {
        Detail::Holds { by }
    } else if let Some(order) = book.orders(line).next() {
        Detail::Order { order }
    } else {
        return Ok(());
    };
    Err(Finding::new(VerdictCode::Suspended, detail))
}

/// Rule V-13: today, in China, is within the certificate's own dates (CRT-05).
pub(super) fn check_validity(facts: &Facts, context: &Context) -> Result<(), Finding> {
    let today = Day::of(context.now);
    let code = if today < facts.from {
        VerdictCode::CodeNotYetValid
    } else if facts.until.is_some_and(|until| today > until) {
        VerdictCode::Expired
    } else {
        return Ok(());
    };
    let until = facts.until.map(|day| day.to_string());
    Err(Finding::new(code, Detail::Validity { from: facts.from.to_string(), until }))
}

/// Rule V-14: a lost phone shows nothing, while the certificate stands.
pub(super) fn check_holder_key(standing: Standing) -> Result<(), Finding> {
    if standing.key_blocked {
        Err(Finding::new(VerdictCode::HolderProofInvalid, Detail::Holder { fault: HolderFault::KeyLost }))
    } else {
        Ok(())
    }
}
