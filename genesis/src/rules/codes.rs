//! Rule G-6: reference codes.

use std::collections::BTreeMap;

use fengni_core::record::CodeSet;
use fengni_state::{code_fault, is_set_name};

use super::{check_fresh, check_name, check_rising};
use crate::contents::Contents;
use crate::problem::Findings;

/// Sets that every network needs.
const NEEDED: [&str; 3] = ["divisions", "purposes", "reasons"];

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    for needed in NEEDED {
        if !founding.codes.iter().any(|set| set.name == needed && !set.codes.is_empty()) {
            findings.add("G-6", format!("codes.{needed}"), "is missing", format!("list codes under [codes.{needed}]"));
        }
    }
    let names: Vec<&String> = founding.codes.iter().map(|set| &set.name).collect();
    check_rising(findings, "codes", &names);
    for set in &founding.codes {
        check_set(set, findings);
    }
}

fn check_set(set: &CodeSet, findings: &mut Findings) {
    let path = format!("codes.{}", set.name);
    if !is_set_name(&set.name) {
        findings.add("G-6", path.clone(), "is no name of a set", "use 1 to 32 small letters and hyphens");
    }
    check_fresh(findings, path.clone(), set.version == 1);
    let codes: Vec<&String> = set.codes.iter().map(|entry| &entry.code).collect();
    check_rising(findings, path.clone(), &codes);
    for entry in &set.codes {
        let path = format!("{path}.{}", entry.code);
        check_name(findings, "G-6", path.clone(), &entry.name);
        if let Some((fault, next)) = code_fault(&set.name, &entry.code, &entry.name) {
            findings.add("G-6", path, fault, next);
        }
    }
    // Documents and agreements name a purpose by its meaning.
    if set.name == "purposes" {
        let mut meanings = BTreeMap::new();
        for entry in &set.codes {
            if let Some(other) = meanings.insert(&entry.name, &entry.code) {
                let fault = format!("{:?} is the meaning of {other} as well", entry.name);
                findings.add("G-6", format!("{path}.{}", entry.code), fault, "give each purpose a name of its own");
            }
        }
    }
}
