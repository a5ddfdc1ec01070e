//! Rule G-13: who may recover the network where its validators are lost for good.

use fengni_state::recovery_faults;

use crate::contents::Contents;
use crate::problem::Findings;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let members = founding.members.iter().flat_map(|member| &member.keys).map(|key| key.key);
    for fault in recovery_faults(&founding.parameters, members) {
        findings.add(fault.rule, format!("recovery.{}", fault.field), fault.fault, fault.next);
    }
}
