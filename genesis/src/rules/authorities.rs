//! Rule G-11: issuing authorities.

use fengni_core::record::Role;

use super::{check_fresh, check_name, check_period};
use crate::contents::Contents;
use crate::problem::Findings;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    for (place, authority) in founding.authorities.iter().enumerate() {
        let path = format!("authorities[{place}]");
        check_fresh(findings, path.clone(), authority.version == 1 && authority.suspended.is_none());
        match founding.member(authority.member) {
            None => {
                let fault = format!("there is no member {}", authority.member);
                findings.add("G-11", format!("{path}.member"), fault, "name a founding member");
            }
            Some(member) if !member.roles.has(Role::Issuer) => {
                let fault = format!("{} does not have the role issuer", member.name);
                findings.add("G-11", format!("{path}.member"), fault, "add the role, or name an issuer");
            }
            Some(_) => (),
        }
        if founding.certificate_type(authority.certificate_type).is_none() {
            let fault = format!("there is no certificate type {}", authority.certificate_type);
            findings.add("G-11", format!("{path}.type"), fault, "name a type of this document");
        }
        if !founding.lists("divisions", authority.division.as_str()) {
            let fault = format!("{} is not among the divisions", authority.division);
            findings.add("G-11", format!("{path}.division"), fault, "add it under [codes.divisions], or correct it");
        }
        check_period(findings, "G-11", &path, authority.from, authority.until);
        check_name(findings, "G-11", format!("{path}.basis"), &authority.basis);
        let twin = founding.authorities[..place].iter().position(|other| {
            other.member == authority.member
                && other.certificate_type == authority.certificate_type
                && other.division == authority.division
                && other.from <= authority.until
                && authority.from <= other.until
        });
        if let Some(other) = twin {
            let fault = format!("says for some days what authorities[{other}] says");
            findings.add("G-11", path, fault, "remove one, or let the second begin after the first ends");
        }
    }
}
