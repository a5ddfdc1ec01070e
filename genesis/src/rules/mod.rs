//! The rules of a founding, the same for a document and for encoded bytes.
//!
//! Paths are those of a document. What a document cannot say wrong, such as the order of a set,
//! is judged all the same, because bytes can.

mod agreements;
mod authorities;
mod codes;
mod keys;
mod members;
mod parameters;
mod recovery;
mod types;
mod validators;

use fengni_core::record::{Agreement, Authority, CertificateType, KeyPurpose, Member, Record};
use fengni_core::{AgreementNumber, AuthorityNumber, Day, Height, MemberNumber, TypeNumber, Validator, limits};
use fengni_state::{NAME_NEXT, count_fault, name_fault, rises};

pub(crate) use members::roles;
pub(crate) use types::acts;

use crate::contents::Contents;
use crate::problem::Findings;

/// The height of everything that was there before the first block.
pub(crate) const FOUNDING: Height = Height(0);

impl Contents {
    fn member(&self, number: MemberNumber) -> Option<&Member> {
        self.members.get(usize::try_from(number.0).ok()?)
    }

    fn certificate_type(&self, number: TypeNumber) -> Option<&CertificateType> {
        self.types.get(usize::try_from(number.0).ok()?)
    }

    /// Whether a set of reference codes lists a code.
    fn lists(&self, set: &str, code: &str) -> bool {
        self.codes.iter().any(|found| found.name == set && found.name_of(code).is_some())
    }
}

/// Rules G-2 and G-4 to G-13.
pub(crate) fn check(founding: &Contents, findings: &mut Findings) {
    check_name(findings, "G-4", "network.name", &founding.name);
    if founding.founded.0 == 0 || Day::of(founding.founded) > last_day() {
        findings.add(
            "G-4",
            "network.founded",
            "is no time of the years 1970 to 9999",
            "write when the network is founded",
        );
    }
    parameters::check(founding, findings);
    recovery::check(founding, findings);
    codes::check(founding, findings);
    members::check(founding, findings);
    keys::check(founding, findings);
    types::check(founding, findings);
    authorities::check(founding, findings);
    agreements::check(founding, findings);
    validators::check(founding, findings);
    check_size(findings, "parameters", &founding.parameters);
    check_sizes(findings, "members", &founding.members);
    check_sizes(findings, "types", &founding.types);
    check_sizes(findings, "authorities", &founding.authorities);
    check_sizes(findings, "agreements", &founding.agreements);
    check_sizes(findings, "codes", &founding.codes);
}

/// Rule G-9: the members with voting power and their consensus keys, as the first block's state
/// derives them.
pub(crate) fn validators(members: &[Member]) -> Vec<Validator> {
    let validator = |(number, member): (MemberNumber, &Member)| {
        let key = member.key_for(KeyPurpose::Consensus, FOUNDING)?.key;
        (member.power > 0).then_some(Validator { member: number, key, power: member.power })
    };
    (0..).map(MemberNumber).zip(members).filter_map(validator).collect()
}

/// The authorities of a member, as its record lists them.
pub(crate) fn derived_authorities(member: MemberNumber, authorities: &[Authority]) -> Vec<AuthorityNumber> {
    let numbered = (0..).map(AuthorityNumber).zip(authorities);
    numbered.filter(|(_, authority)| authority.member == member).map(|(number, _)| number).collect()
}

/// The agreements a member signed, as its record lists them.
pub(crate) fn derived_agreements(member: MemberNumber, agreements: &[Agreement]) -> Vec<AgreementNumber> {
    let numbered = (0..).map(AgreementNumber).zip(agreements);
    numbered.filter(|(_, agreement)| agreement.terms.parties.contains(&member)).map(|(number, _)| number).collect()
}

/// The last day that has a spelling.
fn last_day() -> Day {
    Day::from_ymd(9999, 12, 31).expect("a real date")
}

/// Rule G-4: a name that people see.
fn check_name(findings: &mut Findings, rule: &'static str, path: impl Into<String>, name: &str) {
    if let Some(fault) = name_fault(name) {
        findings.add(rule, path, fault, NAME_NEXT);
    }
}

/// Rule G-11 and G-12: a period has its last day not before its first.
fn check_period(findings: &mut Findings, rule: &'static str, path: &str, from: Day, until: Day) {
    if until > last_day() {
        findings.add(rule, format!("{path}.until"), "is no date of the years 1970 to 9999", "write an earlier date");
    } else if until < from {
        let fault = format!("{until} is before the first day {from}");
        findings.add(rule, format!("{path}.until"), fault, "correct one of the two dates");
    }
}

/// Rule G-4: a list inside a record.
fn check_count(findings: &mut Findings, rule: &'static str, path: impl Into<String>, count: usize) {
    if let Some(fault) = count_fault(count) {
        findings.add(rule, path, fault, "shorten the list");
    }
}

/// Rule G-2: a set is written in rising order, each entry once.
fn check_rising<T: Ord>(findings: &mut Findings, path: impl Into<String>, values: &[T]) {
    if !rises(values) {
        findings.add("G-2", path, "is not in rising order", "sort it and name each entry once");
    }
}

/// Rule G-2: a record as founding leaves it.
fn check_fresh(findings: &mut Findings, path: impl Into<String>, is_fresh: bool) {
    if !is_fresh {
        let fault = "is not as a founding leaves it: version 1, active, with its derived lists";
        findings.add("G-2", path, fault, "make the founding from its document again");
    }
}

fn check_sizes<R: Record>(findings: &mut Findings, list: &str, records: &[R]) {
    for (place, record) in records.iter().enumerate() {
        check_size(findings, &format!("{list}[{place}]"), record);
    }
}

fn check_size<R: Record>(findings: &mut Findings, path: &str, record: &R) {
    let found = Record::encode(record).len();
    if found > limits::RECORD_BYTES {
        let fault = format!("takes {found} bytes on the ledger, above the limit of {}", limits::RECORD_BYTES);
        findings.add("G-4", path, fault, "shorten it");
    }
}
