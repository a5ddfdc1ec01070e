//! Rule G-10: certificate types.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use fengni_core::PurposeCode;
use fengni_core::code::{BudgetError, check_budget};
use fengni_core::limits;
use fengni_core::record::{CertificateType, ClaimSpec, Derived, DerivedRule, Schema};
use fengni_core::standing::{ActKind, ActKinds};

use super::{check_count, check_fresh, check_name, check_rising};
use crate::contents::Contents;
use crate::problem::Findings;

/// How long a code may hold (VER-02).
const CODE_LIFETIME_SECS: RangeInclusive<u32> = 60..=300;

/// Ages that a derived claim may be about.
const AGES: RangeInclusive<u8> = 1..=150;
/// Bytes of a derived value.
const DERIVED_BYTES: u16 = 3;
/// Bytes of any serial, at most.
const SERIAL_BYTES_MAX: u8 = 32;
/// What holders and programs call the profile that needs no name.
const EVERYDAY: &str = "everyday";

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
        check_purposes(founding, kind, &path, findings);
        for (version, schema) in (1u16..).zip(&kind.schemas) {
            check_claims(schema, &path, findings);
            check_profiles(schema, &path, findings);
            check_sizes(kind, version, schema, &path, findings);
        }
    }
}

fn check_purposes(founding: &Contents, kind: &CertificateType, path: &str, findings: &mut Findings) {
    for (name, purposes) in [("purposes", &kind.purposes), ("grant_purposes", &kind.grant_purposes)] {
        let path = format!("{path}.{name}");
        check_rising(findings, path.clone(), purposes);
        check_count(findings, "G-10", path.clone(), purposes.len());
        for purpose in purposes.iter().filter(|purpose| !founding.lists("purposes", &purpose.to_string())) {
            let fault = format!("{purpose} is not among the purposes");
            findings.add("G-10", path.clone(), fault, "add it under [codes.purposes]");
        }
    }
    let outside = |purpose: &&PurposeCode| !kind.purposes.is_empty() && !kind.purposes.contains(purpose);
    for purpose in kind.grant_purposes.iter().filter(outside) {
        let fault = format!("{purpose} is not among the type's purposes, so that no grant would help");
        findings.add("G-10", format!("{path}.grant_purposes"), fault, "add it to purposes, or remove it here");
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
        if !(1..=limits::CLAIM_BYTES).contains(&usize::from(claim.max_bytes)) {
            let fault = format!("{} is outside 1 to {} bytes", claim.max_bytes, limits::CLAIM_BYTES);
            findings.add("G-10", format!("{path}.max_bytes"), fault, "say how long its longest value is");
        }
        if let Some(derived) = &claim.derived {
            check_derived(schema, claim, derived, &path, findings);
        }
    }
}

fn check_derived(schema: &Schema, claim: &ClaimSpec, derived: &Derived, path: &str, findings: &mut Findings) {
    let source = schema.claims.get(usize::from(derived.from));
    let path = format!("{path}.derived");
    if source.is_none_or(|source| source.derived.is_some()) {
        let fault = "follows from no claim that is entered";
        findings.add("G-10", format!("{path}.from"), fault, "name a claim with a date of birth");
    }
    if claim.required && source.is_some_and(|source| !source.required) {
        let fault = "is required, and follows from a claim that may be absent";
        findings.add("G-10", path.clone(), fault, "require the other claim as well, or neither");
    }
    let DerivedRule::AgeAtIssue { years } = derived.rule;
    if !AGES.contains(&years) {
        let fault = format!("{years} is outside 1 to 150 years");
        findings.add("G-10", format!("{path}.age"), fault, "say which age, such as 18");
    }
    if claim.max_bytes < DERIVED_BYTES {
        let fault = format!("{} bytes hold neither 是 nor 否", claim.max_bytes);
        findings.add("G-10", path, fault, "allow 3 bytes");
    }
}

fn check_profiles(schema: &Schema, path: &str, findings: &mut Findings) {
    let names: Vec<&str> = schema.profiles.iter().map(|profile| profile.name.as_str()).collect();
    check_rising(findings, format!("{path}.profiles"), &names);
    if schema.profiles.len() > limits::CLAIMS {
        let fault = format!("{} profiles are above the limit of {}", schema.profiles.len(), limits::CLAIMS);
        findings.add("G-10", format!("{path}.profiles"), fault, "shorten the list");
    }
    for profile in &schema.profiles {
        let path = format!("{path}.profiles.{}", profile.name);
        check_name(findings, "G-10", path.clone(), &profile.name);
        if profile.name == EVERYDAY {
            findings.add("G-10", path.clone(), "is the name of the everyday code", "choose another name");
        }
        check_rising(findings, path.clone(), &profile.claims);
        let outside = profile.claims.iter().any(|place| usize::from(*place) >= schema.claims.len());
        if profile.claims.is_empty() || outside {
            findings.add("G-10", path, "does not name claims of the type", "name the labels to show together");
        }
    }
}

/// Rule Y-7, where the claims make sense at all.
fn check_sizes(kind: &CertificateType, version: u16, schema: &Schema, path: &str, findings: &mut Findings) {
    if !(1..=SERIAL_BYTES_MAX).contains(&schema.serial_bytes) {
        let fault = format!("{} is outside 1 to {SERIAL_BYTES_MAX}", schema.serial_bytes);
        findings.add("G-10", format!("{path}.serial_bytes"), fault, "say how long the longest serial is");
    }
    if (1..=limits::CLAIMS).contains(&schema.claims.len())
        && let Err(error) = check_budget(kind, version, schema)
    {
        let next = match &error {
            BudgetError::NoEveryday => "mark the claims that are shown every day",
            BudgetError::Everyday { .. } => {
                "lower max_bytes of everyday claims, mark fewer of them, or list fewer claims"
            }
            BudgetError::Profile { .. } => "lower max_bytes of the profile's claims, or name fewer of them",
        };
        findings.add("G-10", format!("{path}.claims"), error.to_string(), next);
    }
}
