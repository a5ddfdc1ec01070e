//! Recognition: whether the issuer's certificates count on the verifier's side (REC-01).
//!
//! At home, under one superior, they do. Elsewhere an agreement must say so, and it must be on the
//! list of a member of the verifier's own chain: that list is part of the member's record, so that
//! *not recognised* is proven as well.

use crate::certificate::Facts;
use crate::day::Day;
use crate::record::{Agreement, AgreementStatus};
use crate::verdict::{AgreementFault, Detail, VerdictCode};

use super::{Context, Finding, Scene};

/// Rule V-16.
pub(super) fn check(scene: &Scene, facts: &Facts, context: &Context) -> Result<(), Finding> {
    if scene.issuer_chain.iter().any(|member| scene.verifier_chain.contains(member)) {
        return Ok(());
    }
    let mut nearest: Option<(AgreementFault, &Agreement)> = None;
    for agreement in scene.agreements.iter().filter(|agreement| speaks_of(scene, agreement)) {
        match miss(scene, agreement, facts, context) {
            None => return Ok(()),
            Some(fault) if nearest.is_none_or(|(before, _)| before < fault) => nearest = Some((fault, agreement)),
            Some(_) => (),
        }
    }
    let Some((fault, agreement)) = nearest else {
        return Err(Finding::plain(VerdictCode::NotRecognised));
    };
    let code = match fault {
        AgreementFault::OtherPurpose => VerdictCode::PurposeNotCovered,
        AgreementFault::Grade => VerdictCode::AssuranceTooLow,
        _ => VerdictCode::NotRecognised,
    };
    Err(Finding::new(code, Detail::Agreement { label: agreement.terms.label.clone(), fault }))
}

/// Whether an agreement is between the two sides and names the type.
fn speaks_of(scene: &Scene, agreement: &Agreement) -> bool {
    let parties = &agreement.terms.parties;
    let on = |side: &[_]| parties.iter().any(|party| side.contains(party));
    on(&scene.verifier_chain) && on(&scene.issuer_chain) && agreement.terms.purposes(scene.kind).is_some()
}

/// What keeps an agreement from carrying the certificate, or `None` where it carries it.
fn miss(scene: &Scene, agreement: &Agreement, facts: &Facts, context: &Context) -> Option<AgreementFault> {
    let terms = &agreement.terms;
    let division = &scene.book.division;
    let today = Day::of(context.now);
    let purposes = terms.purposes(scene.kind).unwrap_or_default();
    if !terms.divisions.is_empty() && !terms.divisions.iter().any(|region| region.covers(division)) {
        return Some(AgreementFault::OtherDivision);
    }
    if agreement.status == AgreementStatus::Proposed {
        Some(AgreementFault::NotSigned)
    } else if !(terms.from..=terms.until).contains(&today) {
        Some(AgreementFault::OutsidePeriod)
    } else if agreement.status != AgreementStatus::InForce {
        Some(AgreementFault::Suspended)
    } else if !purposes.contains(&context.purpose) {
        Some(AgreementFault::OtherPurpose)
    } else if !facts.grade.reaches(terms.min_grade) {
        Some(AgreementFault::Grade)
    } else {
        None
    }
}
