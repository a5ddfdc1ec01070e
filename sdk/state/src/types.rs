//! Certificate types that make sense, whether founded so or voted for. Rule G-10.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use fengni_core::code::{BudgetError, check_budget};
use fengni_core::limits;
use fengni_core::record::{CertificateType, ClaimSpec, CodeSet, Derived, DerivedRule, Schema};
use fengni_core::standing::{ActKind, ActKinds};
use fengni_core::{MemberNumber, PurposeCode};

use crate::fault::{Fault, Found};

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

/// What a type is judged against.
#[derive(Clone, Copy, Debug)]
pub struct TypeSetting<'a> {
    /// The trusting period of the parameters.
    pub trusting_period_secs: u64,
    /// How many members there are.
    pub members: usize,
    /// The reference codes of purposes.
    pub purposes: Option<&'a CodeSet>,
}

impl TypeSetting<'_> {
    fn knows_member(&self, member: MemberNumber) -> bool {
        usize::try_from(member.0).is_ok_and(|number| number < self.members)
    }

    fn knows_purpose(&self, purpose: PurposeCode) -> bool {
        self.purposes.is_some_and(|set| set.name_of(&purpose.to_string()).is_some())
    }
}

/// Whether a type is as its registration leaves it: version 1 of the record, one schema, and no act
/// that is none.
pub fn is_fresh_type(kind: &CertificateType) -> bool {
    let acts: ActKinds = ActKind::of_certificates().filter(|act| kind.acts.has(*act)).collect();
    kind.version == 1 && kind.schemas.len() == 1 && kind.acts == acts
}

/// Everything that is wrong with a certificate type; nothing where certificates can be issued and
/// shown by it.
pub fn type_faults(kind: &CertificateType, setting: &TypeSetting<'_>) -> Vec<Fault> {
    let mut found = Found::by("G-10");
    found.name("name", &kind.name);
    found.times(kind, setting);
    found.members(kind, setting);
    found.purposes(kind, setting);
    for (version, schema) in (1u16..).zip(&kind.schemas) {
        found.claims(schema);
        found.profiles(schema);
        found.sizes(kind, version, schema);
    }
    found.faults()
}

impl Found {
    fn times(&mut self, kind: &CertificateType, setting: &TypeSetting<'_>) {
        if !CODE_LIFETIME_SECS.contains(&kind.code_lifetime_secs) {
            let fault = format!("{} is outside 60 to 300 seconds", kind.code_lifetime_secs);
            self.add("code_lifetime_secs", fault, "choose a value inside, such as 120");
        }
        let trusting = setting.trusting_period_secs;
        if u64::from(kind.offline_age_secs) > trusting {
            let fault = format!("{} is above the trusting period of {trusting} seconds", kind.offline_age_secs);
            self.add("offline_age_secs", fault, "lower it, such as to 86400");
        }
    }

    fn members(&mut self, kind: &CertificateType, setting: &TypeSetting<'_>) {
        let lists = [
            ("suspenders", ActKind::Suspend, &kind.suspenders),
            ("revokers", ActKind::Revoke, &kind.revokers),
            ("consumers", ActKind::Consume, &kind.consumers),
        ];
        for (name, _, members) in lists {
            self.rising(name, members);
            self.count(name, members.len());
            for member in members.iter().filter(|member| !setting.knows_member(**member)) {
                self.add(name, format!("there is no member {member}"), "name a member of the network");
            }
        }
        for (name, act, members) in lists {
            if !members.is_empty() && !kind.acts.has(act) {
                self.add(name, "the type does not allow their act", "add it to acts");
            }
        }
    }

    fn purposes(&mut self, kind: &CertificateType, setting: &TypeSetting<'_>) {
        for (name, purposes) in [("purposes", &kind.purposes), ("grant_purposes", &kind.grant_purposes)] {
            self.rising(name, purposes);
            self.count(name, purposes.len());
            for purpose in purposes.iter().filter(|purpose| !setting.knows_purpose(**purpose)) {
                let fault = format!("{purpose} is not among the purposes");
                self.add(name, fault, "add it to the reference codes, under [codes.purposes] of a founding");
            }
        }
        let outside = |purpose: &&PurposeCode| !kind.purposes.is_empty() && !kind.purposes.contains(purpose);
        for purpose in kind.grant_purposes.iter().filter(outside) {
            let fault = format!("{purpose} is not among the type's purposes, so that no grant would help");
            self.add("grant_purposes", fault, "add it to purposes, or remove it here");
        }
    }

    fn claims(&mut self, schema: &Schema) {
        let count = schema.claims.len();
        if !(1..=limits::CLAIMS).contains(&count) {
            let fault = format!("has {count} claims, outside 1 to {}", limits::CLAIMS);
            self.add("claims", fault, "list the fields of the certificate");
        }
        let mut labels = BTreeSet::new();
        let mut everyday = true;
        for (place, claim) in schema.claims.iter().enumerate() {
            let field = format!("claims[{place}]");
            self.name(format!("{field}.label"), &claim.label);
            if !labels.insert(&claim.label) {
                let fault = format!("{:?} is the label of an earlier claim", claim.label);
                self.add(format!("{field}.label"), fault, "give each claim a label of its own");
            }
            if claim.everyday && !everyday {
                let fault = "stands behind a claim that the everyday code does not disclose";
                self.add(format!("{field}.everyday"), fault, "move it before the others");
            }
            everyday &= claim.everyday;
            if !(1..=limits::CLAIM_BYTES).contains(&usize::from(claim.max_bytes)) {
                let fault = format!("{} is outside 1 to {} bytes", claim.max_bytes, limits::CLAIM_BYTES);
                self.add(format!("{field}.max_bytes"), fault, "say how long its longest value is");
            }
            if let Some(derived) = &claim.derived {
                self.derived(schema, claim, derived, &format!("{field}.derived"));
            }
        }
    }

    fn derived(&mut self, schema: &Schema, claim: &ClaimSpec, derived: &Derived, field: &str) {
        let source = schema.claims.get(usize::from(derived.from));
        if source.is_none_or(|source| source.derived.is_some()) {
            let fault = "follows from no claim that is entered";
            self.add(format!("{field}.from"), fault, "name a claim with a date of birth");
        }
        if claim.required && source.is_some_and(|source| !source.required) {
            let fault = "is required, and follows from a claim that may be absent";
            self.add(field, fault, "require the other claim as well, or neither");
        }
        let DerivedRule::AgeAtIssue { years } = derived.rule;
        if !AGES.contains(&years) {
            let fault = format!("{years} is outside 1 to 150 years");
            self.add(format!("{field}.age"), fault, "say which age, such as 18");
        }
        if claim.max_bytes < DERIVED_BYTES {
            let fault = format!("{} bytes hold neither 是 nor 否", claim.max_bytes);
            self.add(field, fault, "allow 3 bytes");
        }
    }

    fn profiles(&mut self, schema: &Schema) {
        let names: Vec<&str> = schema.profiles.iter().map(|profile| profile.name.as_str()).collect();
        self.rising("profiles", &names);
        if schema.profiles.len() > limits::CLAIMS {
            let fault = format!("{} profiles are above the limit of {}", schema.profiles.len(), limits::CLAIMS);
            self.add("profiles", fault, "shorten the list");
        }
        for profile in &schema.profiles {
            let field = format!("profiles.{}", profile.name);
            self.name(field.clone(), &profile.name);
            if profile.name == EVERYDAY {
                self.add(field.clone(), "is the name of the everyday code", "choose another name");
            }
            self.rising(field.clone(), &profile.claims);
            let outside = profile.claims.iter().any(|place| usize::from(*place) >= schema.claims.len());
            if profile.claims.is_empty() || outside {
                self.add(field, "does not name claims of the type", "name the labels to show together");
            }
        }
    }

    /// Rule Y-7, where the claims make sense at all.
    fn sizes(&mut self, kind: &CertificateType, version: u16, schema: &Schema) {
        if !(1..=SERIAL_BYTES_MAX).contains(&schema.serial_bytes) {
            let fault = format!("{} is outside 1 to {SERIAL_BYTES_MAX}", schema.serial_bytes);
            self.add("serial_bytes", fault, "say how long the longest serial is");
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
            self.add("claims", error.to_string(), next);
        }
    }
}
