//! The issuer: whether it might issue this, and whether the keys that sealed it were its own.

use crate::certificate::Facts;
use crate::number::LinePlace;
use crate::proof::Proven;
use crate::record::Authority;
use crate::verdict::{AuthorityFault, Detail, VerdictCode};

use super::{Context, Finding, Mode, Scene};

/// Rule V-10: an authority on the keeper's own list covers type, region and day of issue.
pub(super) fn check_authority(scene: &Scene, facts: &Facts) -> Result<(), Finding> {
    let fault = if scene.book.issuer != scene.keeper.code {
        Some(AuthorityFault::OtherIssuer)
    } else if scene.authorities.iter().any(|authority| miss(scene, authority, facts).is_none()) {
        None
    } else {
        // The nearest miss explains best; of no authority at all, that there is none for the type.
        let misses = scene.authorities.iter().filter_map(|authority| miss(scene, authority, facts));
        Some(misses.max().unwrap_or(AuthorityFault::OtherType))
    };
    fault.map_or(Ok(()), |fault| {
        let issuer = scene.keeper.name.clone();
        Err(Finding::new(VerdictCode::IssuerNotAuthorised, Detail::Authority { issuer, fault }))
    })
}

/// Where an authority fails to cover a certificate, or `None` where it covers it.
fn miss(scene: &Scene, authority: &Authority, facts: &Facts) -> Option<AuthorityFault> {
    let kind = scene.book.certificate_type();
    if authority.covers(scene.book.keeper, kind, &scene.book.division, facts.issued) {
        None
    } else if authority.member != scene.book.keeper || authority.certificate_type != kind {
        Some(AuthorityFault::OtherType)
    } else if !authority.division.covers(&scene.book.division) {
        Some(AuthorityFault::OtherDivision)
    } else if authority.suspended && (authority.from..=authority.until).contains(&facts.issued) {
        Some(AuthorityFault::Suspended)
    } else {
        Some(AuthorityFault::OutsidePeriod)
    }
}

/// Rule V-11: every key of the seal was valid when it sealed.
///
/// Revoking a key ends it at the height from which it is suspected, so that what it sealed since
/// is refused and what it sealed before stays good. Offline there may be no seals at hand: then
/// the suspensions that a revocation brings stand in the page record. Tells whether it was checked.
pub(super) fn check_seal_keys(
    scene: &Scene,
    place: LinePlace,
    proven: &Proven,
    context: &Context,
) -> Result<bool, Finding> {
    let seal = match (proven.seal_of(place), context.mode) {
        (Some(seal), _) => seal,
        (None, Mode::Offline) => return Ok(false),
        (None, Mode::Online) => return Err(Finding::missing("no seal covers the line")),
    };
    let mut revoked = Vec::new();
    for number in &seal.keys {
        let key = scene.keeper.key(*number).ok_or_else(|| Finding::missing("a key of the seal is not the keeper's"))?;
        if !key.is_valid_at(seal.height) {
            revoked.push(*number);
        }
    }
    if revoked.is_empty() {
        Ok(true)
    } else {
        Err(Finding::new(VerdictCode::IssuerKeyRevoked, Detail::SealKeys { keys: revoked, height: seal.height }))
    }
}
