//! Rule G-10: certificate types.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use fengni_core::limits;
use fengni_core::record::{CertificateType, Schema};
use fengni_core::standing::{ActKind, ActKinds};

use super::{check_count, check_fresh, check_name, check_rising};
use crate::contents::Contents;
use crate::problem::Findings;

/// How long a code may hold (VER-02).
const CODE_LIFETIME_SECS: RangeInclusive<u32> = 60..=300;

/// The acts in a set.
pub(crate) fn acts(set: ActKinds) -> Vec<ActKind> {
    ActKind::ALL.into_iter().filter(|act| set.has(*act)).collect()
}

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let mut codes = BTreeMap::new();
    for (place, kind) in founding.types.iter().enumerate() {
        let path = format!("types[{place}]");
        let fresh = kind.version == 1 && kind.schemas.len() == 1 && kind.acts == ActKinds::of(&acts(kind.acts));
        check_fresh(findings, path.clone(), fresh);
        if let Some(other) = codes.insert(kind.code, place) {
            let fault = format!("{} is the code of types[{other}] as well", kind.code);
            findings.add("G-10", format!("{path}.code"), fault, "name each type once");
        }
        check_name(findings, "G-10", format!("{path}.name"), &kind.name);
        check_times(founding, kind, &path, findings);
        check_members(founding, kind, &path, findings);
        check_rising(findings, format!("{path}.purposes"), &kind.purposes);
        check_count(findings, "G-10", format!("{path}.purposes"), kind.purposes.len());
        for purpose in kind.purposes.iter().filter(|purpose| !founding.lists("purposes", &purpose.to_string())) {
            let fault = format!("{purpose} is not among the purposes");
            findings.add("G-10", format!("{path}.purposes"), fault, "add it under [codes.purposes]");
        }
        for schema in &kind.schemas {
            check_claims(schema, &path, findings);
        }
    }
}

fn check_times(founding: &Contents, kind: &CertificateType, path: &str, findings: &mut Findings) {
    if !CODE_LIFETIME_SECS.contains(&kind.code_lifetime_secs) {
        let fault = format!("{} is outside 60 to 300 seconds", kind.code_lifetime_secs);
        findings.add("G-10", format!("{path}.code_lifetime_secs"), fault, "choose a value inside, such as 120");
    }
    let trusting = founding.parameters.trusting_period_secs;
    if u64::from(kind.offline_age_secs) > trusting {
        let fault = format!("{} is above the trusting period of {trusting} seconds", kind.offline_age_secs);
        findings.add("G-10", format!("{path}.offline_age_secs"), fault, "lower it, such as to 86400");
    }
}

fn check_members(founding: &Contents, kind: &CertificateType, path: &str, findings: &mut Findings) {
    let lists = [("suspenders", &kind.suspenders), ("revokers", &kind.revokers), ("consumers", &kind.consumers)];
    for (name, members) in lists {
        let path = format!("{path}.{name}");
        check_rising(findings, path.clone(), members);
        check_count(findings, "G-10", path.clone(), members.len());
        for member in members.iter().filter(|member| founding.member(**member).is_none()) {
            findings.add("G-10", path.clone(), format!("there is no member {member}"), "name a founding member");
        }
    }
    let acts = [
        ("suspenders", ActKind::Suspend, &kind.suspenders),
        ("revokers", ActKind::Revoke, &kind.revokers),
        ("consumers", ActKind::Consume, &kind.consumers),
    ];
    for (name, act, members) in acts {
        if !members.is_empty() && !kind.acts.has(act) {
            findings.add("G-10", format!("{path}.{name}"), "the type does not allow their act", "add it to acts");
        }
    }
}

fn check_claims(schema: &Schema, path: &str, findings: &mut Findings) {
    let path = format!("{path}.claims");
    let count = schema.claims.len();
    if !(1..=limits::CLAIMS).contains(&count) {
        let fault = format!("has {count} claims, outside 1 to {}", limits::CLAIMS);
        findings.add("G-10", path.clone(), fault, "list the fields of the certificate");
    }
    let mut labels = BTreeSet::new();
    let mut everyday = true;
    for (place, claim) in schema.claims.iter().enumerate() {
        let path = format!("{path}[{place}]");
        check_name(findings, "G-10", format!("{path}.label"), &claim.label);
        if !labels.insert(&claim.label) {
            let fault = format!("{:?} is the label of an earlier claim", claim.label);
            findings.add("G-10", format!("{path}.label"), fault, "give each claim a label of its own");
        }
        if claim.everyday && !everyday {
            let fault = "stands behind a claim that the everyday code does not disclose";
            findings.add("G-10", format!("{path}.everyday"), fault, "move it before the others");
        }
        everyday &= claim.everyday;
    }
}
