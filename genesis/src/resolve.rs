//! From names to numbers: what a document says, as records of the ledger.
//!
//! Where a text cannot be read, a stand-in takes its place and the problem is noted: the rules
//! then judge the rest, and whatever they say about the stand-in is left out as a consequence.

use std::collections::BTreeMap;

use fengni_core::id::{CreditCode, Division, TypeCode};
use fengni_core::record::{
    Agreement, AgreementStatus, AgreementTerms, Authority, CertificateType, ClaimSpec, Code, CodeSet, Derived,
    DerivedRule, Member, MemberKey, MemberStatus, Parameters, Party, Profile, Roles, Schema, Term, Voting, Weights,
};
use fengni_core::recovery::{RecoveryClause, RecoveryTerms};
use fengni_core::standing::ActKinds;
use fengni_core::{Day, MemberNumber, Millis, PublicKey, PurposeCode, Suite, TypeNumber};

use crate::contents::{Contents, Genesis};
use crate::document::{
    ActsEntry, AgreementEntry, AuthorityEntry, ClaimEntry, Document, KeyEntry, MemberEntry, ParametersEntry,
    RecoveryEntry, TypeEntry,
};
use crate::founded;
use crate::problem::{Findings, Problems};
use crate::rules::{self, FOUNDING, derived_agreements, derived_authorities};

/// Most characters of a short name.
const KEY_CHARACTERS: usize = 32;

/// Suites by the names people write. Those this build does not know are refused.
pub(crate) const SUITES: [(&str, u8); 2] = [("standard", 1), ("trial", 0x7f)];

impl Document {
    /// Rules G-2 to G-13: checks the document and turns it into the founding it describes.
    ///
    /// # Errors
    /// Every problem, in the order of the lines, each with its place and what to do.
    ///
    /// # Source
    /// `sdk/spec/genesis.md`.
    pub fn check(&self) -> Result<Genesis, Problems> {
        let mut findings = Findings::default();
        let draft = Resolver::new(self, &mut findings).draft(self);
        let mut consequences = Findings::default();
        rules::check(&draft, &mut consequences);
        findings.add_consequences(consequences);
        findings.finish(&self.lines)?;
        Genesis::new(draft)
    }
}

pub(crate) struct Resolver<'a> {
    findings: &'a mut Findings,
    members: BTreeMap<&'a str, MemberNumber>,
    types: BTreeMap<&'a str, TypeNumber>,
    purposes: BTreeMap<&'a str, PurposeCode>,
}

impl<'a> Resolver<'a> {
    fn new(document: &'a Document, findings: &'a mut Findings) -> Self {
        let member_keys = document.members.iter().map(|entry| entry.key.as_str());
        let members = short_names("members", member_keys, findings, MemberNumber);
        let type_keys = document.types.iter().map(|entry| entry.key.as_str());
        let types = short_names("types", type_keys, findings, TypeNumber);
        let purposes = document.codes.get("purposes").into_iter().flatten();
        let purposes = purposes.filter_map(|(code, name)| Some((name.as_str(), PurposeCode(code.parse().ok()?))));
        Self { members, types, purposes: purposes.collect(), findings }
    }

    /// For a type of a network that runs.
    pub(crate) fn of_network(
        members: &'a BTreeMap<String, MemberNumber>,
        purposes: Option<&'a CodeSet>,
        findings: &'a mut Findings,
    ) -> Self {
        let members = members.iter().map(|(key, number)| (key.as_str(), *number)).collect();
        let codes = purposes.into_iter().flat_map(|set| &set.codes);
        let purposes = codes.filter_map(|code| Some((code.name.as_str(), PurposeCode(code.code.parse().ok()?))));
        Self { members, types: BTreeMap::new(), purposes: purposes.collect(), findings }
    }

    fn draft(mut self, document: &'a Document) -> Contents {
        let suite = self.suite(&document.network.suite);
        let founded = founded::parse(&document.network.founded).unwrap_or_else(|| {
            let fault = "is neither a time in RFC 3339 nor milliseconds since 1970";
            self.findings.add("G-4", "network.founded", fault, "write a time such as 2026-01-01T00:00:00+08:00");
            Millis::default()
        });
        let authorities = self.each("authorities", &document.authorities, Self::authority);
        let agreements = self.each("agreements", &document.agreements, Self::agreement);
        let mut members = self.each("members", &document.members, Self::member);
        for (number, member) in (0..).map(MemberNumber).zip(&mut members) {
            member.authorities = derived_authorities(number, &authorities);
            member.agreements = derived_agreements(number, &agreements);
        }
        self.validators(document, &mut members);
        Contents {
            suite,
            name: document.network.name.clone(),
            founded,
            parameters: Parameters {
                recovery: self.recovery(document.recovery.as_ref()).into(),
                ..parameters(&document.parameters)
            },
            types: self.each("types", &document.types, Self::certificate_type),
            codes: codes(document),
            members,
            authorities,
            agreements,
        }
    }

    fn each<E, R>(&mut self, list: &str, entries: &'a [E], read: fn(&mut Self, &str, &'a E) -> R) -> Vec<R> {
        let entries = entries.iter().enumerate();
        entries.map(|(place, entry)| read(self, &format!("{list}[{place}]"), entry)).collect()
    }

    fn suite(&mut self, name: &str) -> Suite {
        let number = SUITES.into_iter().find(|(known, _)| *known == name).map(|(_, number)| number);
        number.and_then(Suite::from_number).unwrap_or_else(|| {
            self.findings.add(
                "G-4",
                "network.suite",
                format!("{name:?} is no suite this program knows"),
                "write \"standard\"",
            );
            Suite::Standard
        })
    }

    fn member(&mut self, path: &str, entry: &'a MemberEntry) -> Member {
        Member {
            version: 1,
            code: self.code("G-7", format!("{path}.code"), &entry.code, "11100000000013338W", CreditCode::parse),
            name: entry.name.clone(),
            division: self.division("G-7", format!("{path}.division"), &entry.division),
            superior: entry.superior.as_ref().map(|key| self.member_number("G-7", format!("{path}.superior"), key)),
            roles: Roles::of(&entry.roles),
            power: 0,
            status: MemberStatus::Active,
            keys: self.keys(path, &entry.keys),
            authorities: Vec::new(),
            agreements: Vec::new(),
            terminal_acts: (Day::default(), 0),
        }
    }

    fn keys(&mut self, path: &str, entries: &[KeyEntry]) -> Vec<MemberKey> {
        let mut keys = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            if let Some(key) = self.public_key("G-8", format!("{path}.keys[{place}].key"), &entry.key) {
                keys.push(MemberKey { purpose: entry.purpose, key, from: FOUNDING, until: None });
            }
        }
        keys
    }

    fn public_key(&mut self, rule: &'static str, path: String, text: &str) -> Option<PublicKey> {
        match PublicKey::from_text(text) {
            Ok(key) if key.to_string() == text => return Some(key),
            Ok(_) => {
                let next = "write the hexadecimal digits in lower case";
                self.findings.add(rule, path, "is another spelling of a key", next);
            }
            Err(error) => {
                let next = "copy the public key again, such as 1: and 64 hexadecimal digits";
                self.findings.add(rule, path, error.to_string(), next);
            }
        }
        None
    }

    fn recovery(&mut self, entry: Option<&RecoveryEntry>) -> Option<RecoveryTerms> {
        let RecoveryEntry { keys, threshold, delay_secs } = entry?;
        let texts = keys.iter().enumerate();
        let keys = texts.filter_map(|(place, text)| self.public_key("G-13", format!("recovery.keys[{place}]"), text));
        Some(RecoveryTerms { keys: keys.collect(), threshold: *threshold, delay_secs: *delay_secs })
    }

    pub(crate) fn certificate_type(&mut self, path: &str, entry: &'a TypeEntry) -> CertificateType {
        let code = self.code("G-10", format!("{path}.code"), &entry.code, "11100000000013338W000", TypeCode::parse);
        CertificateType {
            version: 1,
            code,
            name: entry.name.clone(),
            holder: entry.holder,
            enabled: entry.enabled,
            sensitive: entry.sensitive,
            schemas: vec![self.schema(path, entry)],
            acts: match &entry.acts {
                ActsEntry::All => ActKinds::all(),
                ActsEntry::These(acts) => ActKinds::of(acts),
            },
            code_lifetime_secs: entry.code_lifetime_secs,
            offline_age_secs: entry.offline_age_secs,
            suspenders: self.member_numbers("G-10", &format!("{path}.suspenders"), &entry.suspenders),
            revokers: self.member_numbers("G-10", &format!("{path}.revokers"), &entry.revokers),
            consumers: self.member_numbers("G-10", &format!("{path}.consumers"), &entry.consumers),
            purposes: self.purpose_codes("G-10", &format!("{path}.purposes"), &entry.purposes),
            grant_purposes: self.purpose_codes("G-10", &format!("{path}.grant_purposes"), &entry.grant_purposes),
            assurance: entry.assurance,
        }
    }

    fn schema(&mut self, path: &str, entry: &TypeEntry) -> Schema {
        let claim = |(place, claim): (usize, &ClaimEntry)| {
            let derived = claim.derived.as_ref().map(|derived| Derived {
                from: self.claim_place(format!("{path}.claims[{place}].derived.from"), entry, &derived.from),
                rule: DerivedRule::AgeAtIssue { years: derived.age },
            });
            let (ClaimEntry { label, required, everyday, sensitive, .. }, max_bytes) =
                (claim.clone(), claim.max_bytes());
            ClaimSpec { label, required, everyday, sensitive, max_bytes, derived }
        };
        let claims = entry.claims.iter().enumerate().map(claim).collect();
        let mut profiles = Vec::new();
        for (name, labels) in &entry.profiles {
            let path = format!("{path}.profiles.{name}");
            let places = labels.iter().enumerate();
            let places = places.map(|(at, label)| self.claim_place(format!("{path}[{at}]"), entry, label)).collect();
            profiles.push(Profile { name: name.clone(), claims: self.rising("G-10", &path, places) });
        }
        Schema { claims, profiles, serial_bytes: entry.serial_bytes }
    }

    /// Place of the claim with a label.
    fn claim_place(&mut self, path: String, entry: &TypeEntry, label: &str) -> u16 {
        let found = (0u16..).zip(&entry.claims).find(|(_, claim)| claim.label == label);
        found.map_or_else(
            || {
                let fault = format!("there is no claim {label:?}");
                self.findings.add("G-10", path, fault, "add it to the claims, or correct the label");
                u16::MAX
            },
            |(place, _)| place,
        )
    }

    fn authority(&mut self, path: &str, entry: &'a AuthorityEntry) -> Authority {
        Authority {
            version: 1,
            member: self.member_number("G-11", format!("{path}.member"), &entry.member),
            certificate_type: self.type_number("G-11", format!("{path}.type"), &entry.certificate_type),
            division: self.division("G-11", format!("{path}.division"), &entry.division),
            from: self.day("G-11", format!("{path}.from"), &entry.from),
            until: self.day("G-11", format!("{path}.until"), &entry.until),
            basis: entry.basis.clone(),
            suspended: None,
        }
    }

    fn agreement(&mut self, path: &str, entry: &'a AgreementEntry) -> Agreement {
        let parties = self.member_numbers("G-12", &format!("{path}.parties"), &entry.parties);
        let mut terms: Vec<Term> = Vec::new();
        for (key, names) in &entry.terms {
            let path = format!("{path}.terms.{key}");
            let certificate_type = self.type_number("G-12", path.clone(), key);
            terms.push(Term { certificate_type, purposes: self.purpose_codes("G-12", &path, names) });
        }
        terms.sort_by_key(|term| term.certificate_type);
        let divisions = entry.divisions.iter().enumerate();
        let divisions: Vec<Division> =
            divisions.map(|(place, text)| self.division("G-12", format!("{path}.divisions[{place}]"), text)).collect();
        Agreement {
            version: 1,
            parties: parties.iter().map(|member| Party { member: *member, signed: Some(FOUNDING) }).collect(),
            terms: AgreementTerms {
                label: entry.label.clone(),
                parties,
                terms,
                divisions: self.rising("G-12", &format!("{path}.divisions"), divisions),
                min_grade: entry.min_grade,
                from: self.day("G-12", format!("{path}.from"), &entry.from),
                until: self.day("G-12", format!("{path}.until"), &entry.until),
            },
            status: AgreementStatus::InForce,
        }
    }

    /// Gives each validator its power. A validator's place is its member's.
    fn validators(&mut self, document: &Document, members: &mut [Member]) {
        for (place, entry) in document.validators.iter().enumerate() {
            let number = self.member_number("G-9", format!("validators[{place}].member"), &entry.member);
            let member = usize::try_from(number.0).ok().and_then(|number| members.get_mut(number));
            let Some(member) = member else { continue };
            if entry.power == 0 {
                self.findings.add("G-9", format!("validators[{place}].power"), "is 0", "give it power, or remove it");
            } else if member.power > 0 {
                self.findings.add("G-9", format!("validators[{place}].member"), "stands there twice", "remove one");
            }
            member.power = entry.power;
        }
    }

    fn code<T>(
        &mut self,
        rule: &'static str,
        path: String,
        text: &str,
        stand_in: &str,
        parse: fn(&str) -> Result<T, fengni_core::id::IdError>,
    ) -> T {
        parse(text).unwrap_or_else(|error| {
            self.findings.add(rule, path, error.to_string(), "correct the code");
            parse(stand_in).expect("the stand-in is a valid code")
        })
    }

    fn division(&mut self, rule: &'static str, path: String, text: &str) -> Division {
        self.code(rule, path, text, "99", Division::parse)
    }

    fn day(&mut self, rule: &'static str, path: String, text: &str) -> Day {
        Day::parse(text).unwrap_or_else(|| {
            let fault = format!("{text:?} is no date of the years 1970 to 9999");
            self.findings.add(rule, path, fault, "write a date such as 2026-01-01");
            Day::default()
        })
    }

    fn member_number(&mut self, rule: &'static str, path: String, key: &str) -> MemberNumber {
        let found = self.members.get(key).copied();
        found.unwrap_or_else(|| {
            let next = format!("add a member with key = {key:?}, or correct the name");
            self.findings.add(rule, path, format!("there is no member {key:?}"), next);
            MemberNumber(u32::MAX)
        })
    }

    fn type_number(&mut self, rule: &'static str, path: String, key: &str) -> TypeNumber {
        let found = self.types.get(key).copied();
        found.unwrap_or_else(|| {
            let next = format!("add a type with key = {key:?}, or correct the name");
            self.findings.add(rule, path, format!("there is no certificate type {key:?}"), next);
            TypeNumber(u32::MAX)
        })
    }

    fn member_numbers(&mut self, rule: &'static str, path: &str, keys: &[String]) -> Vec<MemberNumber> {
        let keys = keys.iter().enumerate();
        let numbers = keys.map(|(place, key)| self.member_number(rule, format!("{path}[{place}]"), key)).collect();
        self.rising(rule, path, numbers)
    }

    fn purpose_codes(&mut self, rule: &'static str, path: &str, names: &[String]) -> Vec<PurposeCode> {
        let mut codes = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let path = format!("{path}[{place}]");
            match self.purposes.get(name.as_str()) {
                Some(code) => codes.push(*code),
                None => {
                    let next = "add it under [codes.purposes], or correct the name";
                    self.findings.add(rule, path, format!("there is no purpose {name:?}"), next);
                }
            }
        }
        self.rising(rule, path, codes)
    }

    /// In rising order, each once: the one spelling of a set.
    fn rising<T: Ord + Copy>(&mut self, rule: &'static str, path: &str, mut values: Vec<T>) -> Vec<T> {
        values.sort_unstable();
        if values.windows(2).any(|pair| pair[0] == pair[1]) && !self.findings.any_under(path) {
            self.findings.add(rule, path, "names one entry twice", "remove one of them");
        }
        values
    }
}

fn short_names<'a, N: Copy>(
    list: &str,
    keys: impl Iterator<Item = &'a str>,
    findings: &mut Findings,
    number: fn(u32) -> N,
) -> BTreeMap<&'a str, N> {
    let mut names = BTreeMap::new();
    for (place, key) in (0..).zip(keys) {
        let path = format!("{list}[{place}].key");
        let plain = key.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
        if !plain || !(1..=KEY_CHARACTERS).contains(&key.len()) {
            let fault = format!("{key:?} is no short name");
            findings.add("G-4", path, fault, "use 1 to 32 letters, digits, hyphens and underscores");
        } else if names.contains_key(key) {
            findings.add("G-4", path, format!("{key:?} is taken by an earlier entry"), "choose another short name");
        } else {
            names.insert(key, number(place));
        }
    }
    names
}

fn codes(document: &Document) -> Vec<CodeSet> {
    let set = |(name, codes): (&String, &BTreeMap<String, String>)| {
        let codes = codes.iter().map(|(code, name)| Code { code: code.clone(), name: name.clone() });
        CodeSet { version: 1, name: name.clone(), codes: codes.collect() }
    };
    document.codes.iter().map(set).collect()
}

fn parameters(entry: &ParametersEntry) -> Parameters {
    let weights = &entry.weights;
    Parameters {
        version: 1,
        window: entry.window,
        clock_ahead_millis: entry.clock_ahead_millis,
        online_age_secs: entry.online_age_secs,
        trusting_period_secs: entry.trusting_period_secs,
        block_weight: entry.block_weight,
        member_weight: entry.member_weight,
        weights: Weights {
            transaction: weights.transaction,
            line: weights.line,
            act: weights.act,
            record: weights.record,
        },
        solo_seal_lines: entry.solo_seal_lines,
        terminal_acts_per_day: entry.terminal_acts_per_day,
        validators_min: entry.validators_min,
        voting: Voting {
            numerator: entry.voting.numerator,
            denominator: entry.voting.denominator,
            notice: entry.voting.notice,
            horizon: entry.voting.horizon,
        },
        protocol: entry.protocol,
        recovery: RecoveryClause::default(),
    }
}
