//! Policy: what the verifier itself must be, ask for and insist on.

use crate::certificate::Facts;
use crate::code::Code;
use crate::record::MemberStatus;
use crate::sharing::{AccessRefusal, HeldGrant};
use crate::verdict::{Detail, VerdictCode};

use super::{Context, Finding, Scene};

/// A grant that was brought with a code: what the ledger shows of it, or why it does not hold.
pub type ShownGrant<'a> = Result<HeldGrant<'a>, AccessRefusal>;

/// Rule V-15: a member that may not act does not verify either.
pub(super) fn check_verifier(scene: &Scene) -> Result<(), Finding> {
    match scene.verifier.status {
        MemberStatus::Active => Ok(()),
        MemberStatus::Suspended | MemberStatus::Removed => Err(Finding::plain(VerdictCode::AppSuspended)),
    }
}

/// Rule V-15: the holder agreed to this purpose, and the type may be shown for it (VER-09).
pub(super) fn check_purpose(scene: &Scene, code: &Code, context: &Context) -> Result<(), Finding> {
    let allowed = &scene.certificate_type.purposes;
    let (shown, asked) = (code.terms.purpose, context.purpose);
    if shown == asked && (allowed.is_empty() || allowed.contains(&asked)) {
        Ok(())
    } else {
        Err(Finding::new(VerdictCode::PurposeNotCovered, Detail::Purpose { shown, asked }))
    }
}

/// Rule V-21: a purpose for which the type asks for the holder's grant. Showing a code is consent
/// to one look, not a grant.
pub(super) fn check_grant(
    scene: &Scene,
    code: &Code,
    grant: Option<&ShownGrant<'_>>,
    context: &Context,
) -> Result<(), Finding> {
    let (shown, asked) = (context.purpose, context.purpose);
    if !scene.certificate_type.grant_purposes.contains(&asked) {
        return Ok(());
    }
    let kind = scene.book.certificate_type();
    let covers = |grant: &HeldGrant<'_>, kind| {
        let key = &code.shown.facts.holder;
        grant.covers(context.verifier, asked, kind, scene.certificate_type.sensitive, key)
    };
    match (grant, kind) {
        (Some(Ok(grant)), Some(kind)) if covers(grant, kind) => Ok(()),
        (Some(Err(AccessRefusal::Stale)), _) => Err(Finding::plain(VerdictCode::StatusStale)),
        _ => Err(Finding::new(VerdictCode::GrantRequired, Detail::Purpose { shown, asked })),
    }
}

/// Rule V-17: the verifier's own lowest trust grade (CRT-10).
pub(super) fn check_grade(facts: &Facts, context: &Context) -> Result<(), Finding> {
    match context.min_grade {
        Some(needed) if !facts.grade.reaches(needed) => {
            Err(Finding::new(VerdictCode::AssuranceTooLow, Detail::Grade { found: facts.grade, needed }))
        }
        _ => Ok(()),
    }
}
