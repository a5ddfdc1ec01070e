//! Rule G-9: validators of the first block.

use fengni_core::record::Role;
use fengni_core::{MemberNumber, ValidatorSet};

use crate::contents::Contents;
use crate::problem::Findings;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    for (number, member) in (0..).map(MemberNumber).zip(&founding.members) {
        let path = format!("members[{number}].roles");
        match (member.roles.has(Role::Validator), member.power > 0) {
            (true, false) => {
                let fault = "has the role validator and no power under [[validators]]";
                findings.add("G-9", path, fault, "list it there with its power, or remove the role");
            }
            (false, true) => {
                let fault = "has power under [[validators]] without the role validator";
                findings.add("G-9", path, fault, "add the role, or remove the entry there");
            }
            _ => (),
        }
    }
    let powers = founding.members.iter().filter(|member| member.power > 0).count();
    let needed = usize::try_from(founding.parameters.validators_min).unwrap_or(usize::MAX);
    if powers < needed {
        let fault = format!("{powers} validators are below validators_min, {needed}");
        findings.add("G-9", "validators", fault, "add validators, or lower parameters.validators_min");
    }
    // One without a consensus key is told so with the member's keys.
    let set = super::validators(&founding.members);
    if set.len() == powers && (needed..).contains(&powers) && ValidatorSet::new(set).is_err() {
        let fault = "their number is above 256, or their power adds up to 2^62 or more";
        findings.add("G-9", "validators", fault, "list fewer, with less power");
    }
}
