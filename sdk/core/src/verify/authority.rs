//! The issuer: whether it might issue this, and whether the keys that sealed it were its own.

use crate::book::Book;
use crate::certificate::Facts;
use crate::number::{Height, KeyNumber, LineNumber, LinePlace};
use crate::proof::Proven;
use crate::record::Authority;
use crate::verdict::{AuthorityFault, Detail, VerdictCode};

use super::{Context, Finding, Mode, Scene};

/// Rule V-10: an authority on the issuer's own list covers type, region and day of issue.
pub(super) fn check_authority(scene: &Scene, facts: &Facts) -> Result<(), Finding> {
    let fault = if scene.book.issuer != scene.issuer.code {
        Some(AuthorityFault::OtherIssuer)
    } else if scene.authorities.iter().any(|authority| miss(scene, authority, facts).is_none()) {
        None
    } else {
        // The nearest miss explains best; of no authority at all, that there is none for the type.
        let misses = scene.authorities.iter().filter_map(|authority| miss(scene, authority, facts));
        Some(misses.max().unwrap_or(AuthorityFault::OtherType))
    };
    fault.map_or(Ok(()), |fault| {
        let issuer = scene.issuer.name.clone();
        Err(Finding::new(VerdictCode::IssuerNotAuthorised, Detail::Authority { issuer, fault }))
    })
}

/// Where an authority fails to cover a certificate, or `None` where it covers it.
fn miss(scene: &Scene, authority: &Authority, facts: &Facts) -> Option<AuthorityFault> {
    let (kind, issuer) = (scene.kind, scene.book.opener());
    if authority.covers(issuer, kind, &scene.book.division, facts.issued) {
        None
    } else if authority.member != issuer || authority.certificate_type != kind {
        Some(AuthorityFault::OtherType)
    } else if !authority.division.covers(&scene.book.division) {
        Some(AuthorityFault::OtherDivision)
    } else if authority.suspended.is_some() && (authority.from..=authority.until).contains(&facts.issued) {
        Some(AuthorityFault::Suspended)
    } else {
        Some(AuthorityFault::OutsidePeriod)
    }
}

/// Rule V-11: no key's revocation suspends the line.
///
/// Revoking a key ends it at the height from which it is suspected, so that what it sealed since
/// is refused and what it sealed before stays good. The book's record says which lines these are,
/// more where it had to be brief, and fewer once the keeper has looked and confirmed some: it is
/// at hand offline too, where no seals are.
pub(super) fn check_seal_keys(
    scene: &Scene,
    place: LinePlace,
    proven: &Proven,
    context: &Context,
) -> Result<(), Finding> {
    let seal = proven.seal_of(place);
    if seal.is_none() && context.mode == Mode::Online {
        return Err(Finding::missing("no seal covers the line"));
    }
    check_suspensions(&scene.book, place.line, seal.map(|seal| seal.height))
}

/// Rule V-11 by the book's record alone.
///
/// - `sealed`: the height of the line's seal, where it is known.
pub(super) fn check_suspensions(book: &Book, line: LineNumber, sealed: Option<Height>) -> Result<(), Finding> {
    let keys: Vec<KeyNumber> = book.revoked_keys(line).collect();
    if keys.is_empty() {
        Ok(())
    } else {
        Err(Finding::new(VerdictCode::IssuerKeyRevoked, Detail::SealKeys { keys, height: sealed }))
    }
}
