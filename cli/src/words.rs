//! Words for what the registries say in numbers, and back.

use fengni_core::record::{MemberStatus, Role, Roles};

const ROLES: [(Role, &str); 9] = [
    (Role::Validator, "validator"),
    (Role::Observer, "observer"),
    (Role::Issuer, "issuer"),
    (Role::Provider, "provider"),
    (Role::Requester, "requester"),
    (Role::Verifier, "verifier"),
    (Role::Regulator, "regulator"),
    (Role::Auditor, "auditor"),
    (Role::Identity, "identity"),
];

/// Roles in words, with commas.
pub(crate) fn roles(roles: Roles) -> String {
    let named = ROLES.iter().filter(|(role, _)| roles.has(*role)).map(|(_, name)| *name);
    named.collect::<Vec<_>>().join(", ")
}

/// A role by its word.
pub(crate) fn role_named(word: &str) -> Result<Role, String> {
    let found = ROLES.iter().find(|(_, name)| *name == word).map(|(role, _)| *role);
    found.ok_or_else(|| format!("there are {}", ROLES.map(|(_, name)| name).join(", ")))
}

/// Whether a member may act, in a word.
pub(crate) fn status(status: MemberStatus) -> &'static str {
    match status {
        MemberStatus::Active => "active",
        MemberStatus::Suspended => "suspended",
        MemberStatus::Removed => "removed",
    }
}
