//! Rule G-12: recognition agreements that are in force from the beginning.
//!
//! A founding is signed by every founding member, so their agreements need no other signature.

use std::collections::BTreeMap;

use fengni_core::record::{Agreement, AgreementStatus, Party};

use super::{FOUNDING, check_count, check_fresh, check_name, check_period, check_rising};
use crate::contents::Contents;
use crate::problem::Findings;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let mut labels = BTreeMap::new();
    for (place, agreement) in founding.agreements.iter().enumerate() {
        let path = format!("agreements[{place}]");
        check_fresh(findings, path.clone(), is_fresh(agreement));
        let terms = &agreement.terms;
        check_name(findings, "G-12", format!("{path}.label"), &terms.label);
        if let Some(other) = labels.insert(&terms.label, place) {
            let fault = format!("{:?} is the label of agreements[{other}] as well", terms.label);
            findings.add("G-12", format!("{path}.label"), fault, "give each agreement a label of its own");
        }
        check_period(findings, "G-12", &path, terms.from, terms.until);
        check_parties(founding, agreement, &format!("{path}.parties"), findings);
        check_terms(founding, agreement, &format!("{path}.terms"), findings);
        let divisions = format!("{path}.divisions");
        check_rising(findings, divisions.clone(), &terms.divisions);
        check_count(findings, "G-12", divisions.clone(), terms.divisions.len());
        for division in terms.divisions.iter().filter(|division| !founding.lists("divisions", division.as_str())) {
            let fault = format!("{division} is not among the divisions");
            findings.add("G-12", divisions.clone(), fault, "add it under [codes.divisions], or correct it");
        }
    }
}

fn is_fresh(agreement: &Agreement) -> bool {
    let signed = agreement.terms.parties.iter().map(|member| Party { member: *member, signed: Some(FOUNDING) });
    agreement.version == 1
        && agreement.status == AgreementStatus::InForce
        && signed.eq(agreement.parties.iter().cloned())
}

fn check_parties(founding: &Contents, agreement: &Agreement, path: &str, findings: &mut Findings) {
    let parties = &agreement.terms.parties;
    check_rising(findings, path, parties);
    check_count(findings, "G-12", path, parties.len());
    if parties.len() < 2 {
        findings.add("G-12", path, "an agreement has at least two parties", "name who agrees");
    }
    for number in parties.iter().filter(|number| founding.member(**number).is_none()) {
        findings.add("G-12", path, format!("there is no member {number}"), "name a founding member");
    }
}

fn check_terms(founding: &Contents, agreement: &Agreement, path: &str, findings: &mut Findings) {
    let terms = &agreement.terms.terms;
    let types: Vec<_> = terms.iter().map(|term| term.certificate_type).collect();
    check_rising(findings, path, &types);
    check_count(findings, "G-12", path, terms.len());
    if terms.is_empty() {
        findings.add("G-12", path, "is empty", "say which types are recognised, and for what");
    }
    for term in terms {
        let Some(kind) = founding.certificate_type(term.certificate_type) else {
            let fault = format!("there is no certificate type {}", term.certificate_type);
            findings.add("G-12", path, fault, "name a type of this document");
            continue;
        };
        check_rising(findings, path, &term.purposes);
        check_count(findings, "G-12", path, term.purposes.len());
        if term.purposes.is_empty() {
            findings.add("G-12", path, format!("names no purpose for {}", kind.name), "name at least one");
        }
        for purpose in &term.purposes {
            if !founding.lists("purposes", &purpose.to_string()) {
                let fault = format!("{purpose} is not among the purposes");
                findings.add("G-12", path, fault, "add it under [codes.purposes]");
            } else if !kind.purposes.is_empty() && !kind.purposes.contains(purpose) {
                let fault = format!("{} may not be shown for purpose {purpose}", kind.name);
                findings.add("G-12", path, fault, "remove the purpose here, or add it to the type");
            }
        }
    }
}
