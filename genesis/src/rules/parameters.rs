//! Rule G-5: parameters with which a network can run.

use fengni_core::block::PROTOCOL_VERSION;
use fengni_state::parameter_faults;

use super::check_fresh;
use crate::contents::Contents;
use crate::problem::Findings;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let parameters = &founding.parameters;
    check_fresh(findings, "parameters", parameters.version == 1);
    findings.add_faults("parameters", parameter_faults(parameters));
    if !(1..=PROTOCOL_VERSION).contains(&parameters.protocol) {
        let fault = format!("{} is no version that this program speaks", parameters.protocol);
        findings.add("G-5", "parameters.protocol", fault, format!("write 1 to {PROTOCOL_VERSION}"));
    }
}
