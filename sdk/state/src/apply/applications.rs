//! Applications: filed by a member for a department that is none yet, and confirmed. Rules O-17 and O-18.

use fengni_core::ApplicationNumber;
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Applicant, Application, ApplicationStatus, MemberStatus};

use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::measure::is_whole;
use crate::records::Records;

/// Rule O-17: a member files what a department says about itself.
pub(super) fn file<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    applicant: &Applicant,
) -> Result<Effect, Refusal> {
    actor.decides()?;
    let registries = &draft.state.registries;
    let domain = &draft.state.domain;
    let known = registries.member_with(&applicant.code).and_then(|number| registries.members.get(number.0));
    let is_member = known.is_some_and(|member| member.status != MemberStatus::Removed);
    let broken = [
        applicant.keys.iter().any(|key| !key.is_proven(domain, &applicant.code)).then_some(Refusal::BadProof),
        applicant.keys.iter().any(|key| registries.is_known_key(&key.key)).then_some(Refusal::KeyInUse),
        (!is_whole(registries, applicant)).then_some(Refusal::BadApplicant),
        is_member.then_some(Refusal::MemberExists),
    ];
    if let Some(refusal) = broken.into_iter().flatten().next() {
        return Err(refusal);
    }
    let status = ApplicationStatus::Applied;
    let (filed_by, filed) = (actor.number, draft.height);
    let application = Application { version: 1, applicant: applicant.clone(), filed_by, filed, status };
    Ok(Effect::Application { application: ApplicationNumber(draft.append(application)), status })
}

/// Rule O-18: a member confirms what an application says, or turns it down.
pub(super) fn review<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: ApplicationNumber,
    confirm: bool,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.decides()?;
    known_reason(draft, &ground)?;
    let application = draft.state.registries.applications.get(number.0).cloned().ok_or(Refusal::UnknownApplication)?;
    let (by, height) = (actor.number, draft.height);
    let status = match (application.status, confirm) {
        (ApplicationStatus::Applied, true) => ApplicationStatus::Confirmed { by, height },
        (ApplicationStatus::Applied | ApplicationStatus::Confirmed { .. }, false) => {
            ApplicationStatus::Rejected { by, height }
        }
        _ => return Err(Refusal::ApplicationState),
    };
    let version = application.version + 1;
    draft.replace(number.0, Application { version, status, ..application.as_ref().clone() });
    Ok(Effect::Application { application: number, status })
}
