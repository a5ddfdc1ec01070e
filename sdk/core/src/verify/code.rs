//! The code itself: whether it shows what was sealed, and whether its holder made it, now.

use crate::book::{Line, Tag};
use crate::certificate::CertificateHeader;
use crate::code::Code;
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::id::CertificateId;
use crate::proof::Proven;
use crate::verdict::{Detail, HolderFault, LineFault, ShownClaim, VerdictCode};

use super::{Context, Finding, SKEW_SECS, Scene};

/// What the ledger says about a line.
#[derive(Clone, Debug)]
pub(super) enum Sealed {
    /// The line is that of the certificate with this identifier.
    Here(CertificateId),
    /// The book has fewer lines: as of a state that may be too old to say so.
    BeyondCount,
}

/// Rule V-1: the siblings must fit before there is a header at all.
pub(super) fn header(code: &Code, domain: &Domain) -> Result<CertificateHeader, Finding> {
    code.header(domain).map_err(|error| malformed(&error.to_string()))
}

fn malformed(error: &str) -> Finding {
    Finding::new(VerdictCode::Malformed, Detail::Malformed { error: error.to_owned() })
}

/// Rule V-3: whether the line is this certificate's.
///
/// The tag there says which certificate it is, the commitment what the issuer sealed of it.
pub(super) fn sealed(
    scene: &Scene,
    code: &Code,
    commitment: &Digest,
    proven: &Proven,
    context: &Context,
) -> Result<Sealed, Finding> {
    if proven.header().domain() != context.domain {
        return Err(Finding::missing("the proof is of another network"));
    }
    let place = code.shown.place;
    if place.line.0 >= scene.book.lines {
        return Ok(Sealed::BeyondCount);
    }
    let identifier = code.shown.facts.identifier(scene.certificate_type.code, &scene.book);
    let shown = Line { tag: Tag::of(&context.domain, &identifier), commitment: *commitment };
    let Ok(found) = proven.line(place) else {
        by_path(code, &shown, proven, context)?;
        return Ok(Sealed::Here(identifier));
    };
    if found == shown {
        Ok(Sealed::Here(identifier))
    } else if found.tag == shown.tag || found.commitment == shown.commitment {
        Err(line_fault(code, VerdictCode::ContentMismatch, LineFault::OtherContent))
    } else {
        Err(line_fault(code, VerdictCode::UnknownCert, LineFault::OtherCertificate))
    }
}

/// What there is to do where a code's path is older than what is known of the page.
const PATH_TOO_OLD: &str =
    "the code's path does not lead to the page as it is now; next: let the holder's wallet refresh the certificate";

/// Without the line itself, the code's own path may lead to the page's root, or to a part of the
/// page that was complete when the path was made. One that does not shows nothing: the page may
/// have grown since.
fn by_path(code: &Code, shown: &Line, proven: &Proven, context: &Context) -> Result<(), Finding> {
    let place = code.shown.place;
    let page = proven.page(place.book, place.line.page())?;
    let path = &code.shown.path;
    let leads = if path.lines == page.lines {
        path.root(&context.domain, place.line, shown).is_ok_and(|root| root == page.root)
    } else {
        let peaks = proven.peaks(place.book, place.line.page());
        let found = path.peak(&context.domain, place.line, shown, page.lines);
        found.is_some_and(|(peak, digest)| peaks.get(peak) == Some(&digest))
    };
    if leads { Ok(()) } else { Err(Finding::missing(PATH_TOO_OLD)) }
}

fn line_fault(code: &Code, verdict: VerdictCode, fault: LineFault) -> Finding {
    Finding::new(verdict, Detail::Line { place: code.shown.place, fault })
}

/// Rule V-8: a line beyond the proven count is no certificate.
pub(super) fn beyond_count(code: &Code) -> Finding {
    line_fault(code, VerdictCode::UnknownCert, LineFault::BeyondCount)
}

/// Rule V-4: the holder's key signed exactly this.
pub(super) fn check_signature(code: &Code, commitment: &Digest, domain: &Domain) -> Result<(), Finding> {
    let message = code.message(domain, commitment);
    if code.shown.facts.holder.verify(&message, &code.signature) {
        Ok(())
    } else {
        Err(Finding::new(VerdictCode::HolderProofInvalid, Detail::Holder { fault: HolderFault::Signature }))
    }
}

/// Rule V-5: a code made for another verifier's challenge is as wrong as one made for none.
pub(super) fn check_challenge(code: &Code, context: &Context) -> Result<(), Finding> {
    if code.terms.challenge == context.challenge {
        Ok(())
    } else {
        Err(Finding::new(VerdictCode::HolderProofInvalid, Detail::Holder { fault: HolderFault::Challenge }))
    }
}

/// Rule V-6: from issued − 30 s to expires + 30 s, both included.
pub(super) fn check_time(code: &Code, now: Millis) -> Result<(), Finding> {
    let issued_secs = code.terms.issued_secs;
    let expires_secs = code.expires_secs();
    let finding = |verdict| Err(Finding::new(verdict, Detail::CodeTime { issued_secs, expires_secs }));
    if now < Millis::from_secs(issued_secs.saturating_sub(SKEW_SECS)) {
        finding(VerdictCode::CodeNotYetValid)
    } else if now > Millis::from_secs(expires_secs.saturating_add(SKEW_SECS)) {
        finding(VerdictCode::CodeExpired)
    } else {
        Ok(())
    }
}

/// Rule V-9: no wallet that knows the type makes a code that holds longer.
pub(super) fn check_lifetime(scene: &Scene, code: &Code) -> Result<(), Finding> {
    let (claimed_secs, allowed_secs) = (code.terms.lifetime_secs, scene.certificate_type.code_lifetime_secs);
    if claimed_secs <= allowed_secs {
        Ok(())
    } else {
        Err(Finding::new(VerdictCode::Malformed, Detail::Lifetime { claimed_secs, allowed_secs }))
    }
}

/// Rule V-9: the claims with their labels, where the content fits the type's schema.
pub(super) fn claims(scene: &Scene, code: &Code) -> Result<Vec<ShownClaim>, Finding> {
    let outside = || line_fault(code, VerdictCode::ContentMismatch, LineFault::OutsideSchema);
    let schema = scene.certificate_type.schema(code.shown.facts.schema).ok_or_else(outside)?;
    if schema.claims.len() != usize::from(code.shown.claims_size) {
        return Err(outside());
    }
    let shown = code.shown.disclosed.iter().map(|claim| {
        let spec = schema.claims.get(usize::from(claim.index)).ok_or_else(outside)?;
        let value = claim.value.as_ref().map(|value| value.as_str().to_owned());
        let as_of = spec.derived.map(|_| code.shown.facts.issued.to_string());
        Ok(ShownClaim { label: spec.label.clone(), value, as_of })
    });
    shown.collect()
}
