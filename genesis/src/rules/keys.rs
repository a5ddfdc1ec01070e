//! Rule G-8: keys, one purpose each and nobody's twice.

use std::collections::{BTreeMap, BTreeSet};

use fengni_core::record::{KeyPurpose, Member, Role};
use fengni_core::{KeyAlgorithm, MemberNumber, PublicKey};

use super::check_count;
use crate::contents::Contents;
use crate::problem::Findings;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let enforcers: BTreeSet<MemberNumber> =
        founding.types.iter().flat_map(|kind| kind.suspenders.iter().chain(&kind.revokers)).copied().collect();
    let mut owners: BTreeMap<PublicKey, String> = BTreeMap::new();
    for (number, member) in (0..).map(MemberNumber).zip(&founding.members) {
        let path = format!("members[{number}].keys");
        check_count(findings, "G-8", path.clone(), member.keys.len());
        for (place, key) in member.keys.iter().enumerate() {
            let path = format!("{path}[{place}]");
            let algorithm = key.key.algorithm();
            let usable = match key.purpose {
                KeyPurpose::Peer => algorithm == KeyAlgorithm::Ed25519,
                KeyPurpose::Consensus => algorithm != KeyAlgorithm::P256,
                _ => true,
            };
            if !usable {
                findings.add(
                    "G-8",
                    path.clone(),
                    "nodes sign with ed25519 alone",
                    "make an ed25519 key, written 1:...",
                );
            }
            if let Some(other) = owners.insert(key.key, path.clone()) {
                let fault = format!("is the key of {other} as well");
                findings.add("G-8", format!("{path}.key"), fault, "make a key for each purpose and person");
            }
        }
        check_needed(member, enforcers.contains(&number), &path, findings);
        let consumes = founding.types.iter().any(|kind| kind.consumers.contains(&number));
        let signs = [KeyPurpose::Enforcement, KeyPurpose::Application];
        if consumes && !member.keys.iter().any(|key| signs.contains(&key.purpose)) {
            let next = "list one with purpose = \"enforcement\" or \"application\"";
            findings.add("G-8", path, "may consume and has no key for it", next);
        }
    }
}

fn check_needed(member: &Member, enforces: bool, path: &str, findings: &mut Findings) {
    let count = |purpose| member.keys.iter().filter(|key| key.purpose == purpose).count();
    let mut need = |missing: bool, fault: &str, next: &str| {
        if missing {
            findings.add("G-8", path, fault, next);
        }
    };
    let is = |role| member.roles.has(role);
    let consensus = count(KeyPurpose::Consensus);
    need(count(KeyPurpose::Admin) == 0, "has no admin key", "add one, better two, for two persons");
    need(
        is(Role::Validator) && consensus != 1,
        "a validator has exactly one consensus key",
        "list one key with purpose = \"consensus\"",
    );
    need(
        !is(Role::Validator) && consensus != 0,
        "has a consensus key without the role validator",
        "remove the key, or add the role",
    );
    need(
        (is(Role::Validator) || is(Role::Observer)) && count(KeyPurpose::Peer) == 0,
        "runs a node and has no peer key",
        "list a key with purpose = \"peer\"",
    );
    need(
        is(Role::Issuer) && count(KeyPurpose::Issuing) == 0,
        "is an issuer and has no issuing key",
        "list one, better two, with purpose = \"issuing\"",
    );
    need(
        is(Role::Identity) && count(KeyPurpose::Application) == 0,
        "is an identity service and has no application key",
        "list one with purpose = \"application\"",
    );
    need(
        enforces && count(KeyPurpose::Enforcement) == 0,
        "may suspend or revoke and has no enforcement key",
        "list one, better two, with purpose = \"enforcement\"",
    );
}
