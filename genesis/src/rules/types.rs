//! Rule G-10: certificate types.

use std::collections::BTreeMap;

use fengni_core::standing::{ActKind, ActKinds};
use fengni_state::{TypeSetting, is_fresh_type, type_faults};

use super::check_fresh;
use crate::contents::Contents;
use crate::problem::Findings;

/// The acts in a set.
pub(crate) fn acts(set: ActKinds) -> Vec<ActKind> {
    ActKind::of_certificates().filter(|act| set.has(*act)).collect()
}

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let setting = TypeSetting {
        trusting_period_secs: founding.parameters.trusting_period_secs,
        members: founding.members.len(),
        purposes: founding.codes.iter().find(|set| set.name == "purposes"),
    };
    let mut codes = BTreeMap::new();
    for (place, kind) in founding.types.iter().enumerate() {
        let path = format!("types[{place}]");
        check_fresh(findings, path.clone(), is_fresh_type(kind));
        if let Some(other) = codes.insert(kind.code, place) {
            let fault = format!("{} is the code of types[{other}] as well", kind.code);
            findings.add("G-10", format!("{path}.code"), fault, "name each type once");
        }
        findings.add_faults(&path, type_faults(kind, &setting));
    }
}
