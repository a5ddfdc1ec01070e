//! Rule G-7: members and who stands above whom.

use std::collections::BTreeMap;

use fengni_core::record::{Member, MemberStatus, Role, Roles};
use fengni_core::{Day, MemberNumber, limits};

use super::{FOUNDING, check_count, check_fresh, check_name, derived_agreements, derived_authorities};
use crate::contents::Contents;
use crate::problem::Findings;

/// The roles in a set.
pub(crate) fn roles(set: Roles) -> Vec<Role> {
    Role::ALL.into_iter().filter(|role| set.has(*role)).collect()
}

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    if founding.members.is_empty() {
        findings.add("G-7", "members", "is empty", "add the founding members as [[members]]");
    }
    let mut codes = BTreeMap::new();
    for (place, member) in (0..).zip(&founding.members) {
        let path = format!("members[{place}]");
        check_fresh(findings, path.clone(), is_fresh(founding, MemberNumber(place), member));
        check_name(findings, "G-7", format!("{path}.name"), &member.name);
        if let Some(other) = codes.insert(member.code, place) {
            let fault = format!("{} is the code of members[{other}] as well", member.code);
            findings.add("G-7", format!("{path}.code"), fault, "name each body once");
        }
        if !founding.lists("divisions", member.division.as_str()) {
            let fault = format!("{} is not among the divisions", member.division);
            findings.add("G-7", format!("{path}.division"), fault, "add it under [codes.divisions], or correct it");
        }
        if roles(member.roles).is_empty() {
            findings.add("G-7", format!("{path}.roles"), "is empty", "say what the member does");
        }
        check_count(findings, "G-4", path.clone(), member.authorities.len().max(member.agreements.len()));
        check_superiors(founding, MemberNumber(place), &path, findings);
    }
}

fn is_fresh(founding: &Contents, number: MemberNumber, member: &Member) -> bool {
    member.version == 1
        && member.status == MemberStatus::Active
        && member.terminal_acts == (Day::default(), 0)
        && member.roles == Roles::of(&roles(member.roles))
        && member.authorities == derived_authorities(number, &founding.authorities)
        && member.agreements == derived_agreements(number, &founding.agreements)
        && member.keys.iter().all(|key| key.from == FOUNDING && key.until.is_none())
}

/// Rule G-7: whoever climbs from a member arrives at the top, after at most 8 links.
fn check_superiors(founding: &Contents, start: MemberNumber, path: &str, findings: &mut Findings) {
    let superior = |number| founding.member(number).and_then(|member| member.superior);
    let path = format!("{path}.superior");
    let mut links = 0;
    let mut at = start;
    while let Some(above) = superior(at) {
        links += 1;
        if founding.member(above).is_none() {
            // Told once, where the missing member is named.
            if links == 1 {
                findings.add("G-7", path, format!("there is no member {above}"), "name a founding member");
            }
            return;
        }
        if above == start {
            let fault =
                if links == 1 { "is the member itself".into() } else { format!("leads back after {links} links") };
            return findings.add("G-7", path, fault, "let one member of the circle have no superior");
        }
        // Members below a circle climb for ever: the circle itself is told.
        if links > founding.members.len() {
            return;
        }
        at = above;
    }
    if links > limits::SUPERIORS {
        let fault = format!("{links} links lead to the top, above the limit of {}", limits::SUPERIORS);
        findings.add("G-7", path, fault, "leave out a level");
    }
}
