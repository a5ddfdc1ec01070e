//! Assurance: what an identity service vouches for, and whether that is enough here (VER-10).
//!
//! An assertion that is shown has to hold, whether or not anybody asks for one: nothing in a code
//! passes unread.

use crate::assurance::{Assertion, Assurance, AssuranceError};
use crate::code::Code;
use crate::proof::Proven;
use crate::record::Member;
use crate::shelf::Shelf;
use crate::verdict::{AssuranceFault, Assured, Detail, HolderFault, VerdictCode};

use super::{Context, Finding, Scene};

/// An assertion and the record of the member it names; `None` for a number that is nobody's.
pub(super) type Vouched<'a> = Option<(&'a Assertion, Option<Member>)>;

/// Rule V-2: the service's record, where the code carries an assertion.
pub(super) fn vouched<'a>(code: &'a Code, proven: &Proven) -> Result<Vouched<'a>, Finding> {
    let Some(assertion) = &code.terms.assertion else { return Ok(None) };
    let number = assertion.statement.service.0;
    let is_nobody = u64::from(number) >= proven.size(Shelf::Members);
    let service = if is_nobody { None } else { Some(proven.record(number)?) };
    Ok(Some((assertion, service)))
}

/// Rule V-24: the assertion holds, and reaches what the type and the verifier ask for.
pub(super) fn check(
    scene: &Scene,
    vouched: Vouched<'_>,
    proven: &Proven,
    context: &Context,
) -> Result<Option<Assured>, Finding> {
    let needed = scene.certificate_type.assurance.max(context.min_assurance);
    let found = vouched.as_ref().map(|(assertion, _)| assertion.statement.level);
    let too_low = |fault| Err(Finding::new(VerdictCode::AssuranceTooLow, Detail::Assurance { found, needed, fault }));
    let forged = || Finding::new(VerdictCode::HolderProofInvalid, Detail::Holder { fault: HolderFault::Assertion });
    let Some((assertion, service)) = vouched else {
        return if needed.is_some() { too_low(AssuranceFault::Absent) } else { Ok(None) };
    };
    let service = service.ok_or_else(forged)?;
    match assertion.check(&context.domain, &service, proven.header().height, context.now) {
        Ok(()) => (),
        Err(AssuranceError::Early) => return too_low(AssuranceFault::Early),
        Err(AssuranceError::Expired) => return too_low(AssuranceFault::Expired),
        Err(AssuranceError::NotService | AssuranceError::Key { .. }) => return too_low(AssuranceFault::Service),
        Err(AssuranceError::Signature | AssuranceError::Validity { .. }) => return Err(forged()),
    }
    let level: Assurance = assertion.statement.level;
    if Some(level) < needed {
        return too_low(AssuranceFault::Level);
    }
    Ok(Some(Assured { level, service: service.name, time_secs: assertion.statement.time_secs }))
}
