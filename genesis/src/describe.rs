//! Describing a founding: from numbers back to names, for people who have only the bytes.

use fengni_core::record::{
    Agreement, Authority, CertificateType, ClaimSpec, CodeSet, Derived, DerivedRule, Member, Schema,
};
use fengni_core::recovery::RecoveryTerms;
use fengni_core::standing::ActKinds;
use fengni_core::{MemberNumber, PurposeCode, TypeNumber};

use crate::contents::Genesis;
use crate::document::{
    ActsEntry, AgreementEntry, AuthorityEntry, ClaimEntry, DerivedEntry, Document, KeyEntry, MemberEntry, NetworkEntry,
    ParametersEntry, RecoveryEntry, SERIAL_BYTES, TypeEntry, ValidatorEntry, VotingEntry, WeightsEntry, default_bytes,
};
use crate::founded;
use crate::resolve::SUITES;
use crate::rules;

impl Genesis {
    /// A document that describes this founding, with numbers for short names: `M0`, `T0`.
    pub fn to_document(&self) -> Document {
        let suite = SUITES.into_iter().find(|(_, number)| *number == self.suite.number());
        let power = |(number, member): (MemberNumber, &Member)| {
            (member.power > 0).then(|| ValidatorEntry { member: member_key(number), power: member.power })
        };
        Document {
            parameters: self.parameters_entry(),
            recovery: self.parameters.recovery.as_ref().map(recovery_entry),
            codes: self.codes.iter().map(codes_entry).collect(),
            members: (0..).map(MemberNumber).zip(&self.members).map(member_entry).collect(),
            types: (0..).map(TypeNumber).zip(&self.types).map(|(number, kind)| self.type_entry(number, kind)).collect(),
            authorities: self.authorities.iter().map(authority_entry).collect(),
            agreements: self.agreements.iter().map(|agreement| self.agreement_entry(agreement)).collect(),
            validators: (0..).map(MemberNumber).zip(&self.members).filter_map(power).collect(),
            ..Document::new(NetworkEntry {
                name: self.name.clone(),
                suite: suite.map(|(name, _)| name.to_owned()).expect("every suite has a name"),
                founded: founded::write(self.founded),
            })
        }
    }

    /// [`Genesis::to_document`] as commented TOML. Reading it gives the same network.
    pub fn to_toml(&self) -> String {
        self.to_document().to_toml()
    }

    fn parameters_entry(&self) -> ParametersEntry {
        let parameters = &self.parameters;
        let weights = &parameters.weights;
        ParametersEntry {
            window: parameters.window,
            clock_ahead_millis: parameters.clock_ahead_millis,
            online_age_secs: parameters.online_age_secs,
            trusting_period_secs: parameters.trusting_period_secs,
            block_weight: parameters.block_weight,
            member_weight: parameters.member_weight,
            solo_seal_lines: parameters.solo_seal_lines,
            terminal_acts_per_day: parameters.terminal_acts_per_day,
            validators_min: parameters.validators_min,
            protocol: parameters.protocol,
            voting: VotingEntry {
                numerator: parameters.voting.numerator,
                denominator: parameters.voting.denominator,
                notice: parameters.voting.notice,
                horizon: parameters.voting.horizon,
            },
            weights: WeightsEntry {
                transaction: weights.transaction,
                line: weights.line,
                act: weights.act,
                record: weights.record,
            },
        }
    }

    fn type_entry(&self, number: TypeNumber, kind: &CertificateType) -> TypeEntry {
        let members = |members: &[MemberNumber]| members.iter().copied().map(member_key).collect();
        TypeEntry {
            key: type_key(number),
            code: kind.code.to_string(),
            name: kind.name.clone(),
            holder: kind.holder,
            enabled: kind.enabled,
            sensitive: kind.sensitive,
            code_lifetime_secs: kind.code_lifetime_secs,
            offline_age_secs: kind.offline_age_secs,
            acts: if kind.acts == ActKinds::all() { ActsEntry::All } else { ActsEntry::These(rules::acts(kind.acts)) },
            suspenders: members(&kind.suspenders),
            revokers: members(&kind.revokers),
            consumers: members(&kind.consumers),
            purposes: self.purpose_names(&kind.purposes),
            grant_purposes: self.purpose_names(&kind.grant_purposes),
            assurance: kind.assurance,
            claims: kind.schemas.iter().flat_map(claim_entries).collect(),
            profiles: kind.schemas.iter().flat_map(profile_entries).collect(),
            serial_bytes: kind.schemas.iter().map(|schema| schema.serial_bytes).next().unwrap_or(SERIAL_BYTES),
        }
    }

    fn agreement_entry(&self, agreement: &Agreement) -> AgreementEntry {
        let terms = &agreement.terms;
        let named = terms.terms.iter();
        AgreementEntry {
            label: terms.label.clone(),
            parties: terms.parties.iter().copied().map(member_key).collect(),
            terms: named.map(|term| (type_key(term.certificate_type), self.purpose_names(&term.purposes))).collect(),
            divisions: terms.divisions.iter().map(ToString::to_string).collect(),
            min_grade: terms.min_grade,
            from: terms.from.to_string(),
            until: terms.until.to_string(),
        }
    }

    fn purpose_names(&self, codes: &[PurposeCode]) -> Vec<String> {
        let set = self.codes.iter().find(|set| set.name == "purposes");
        let name = |code: &PurposeCode| set.and_then(|set| set.name_of(&code.to_string())).map(ToOwned::to_owned);
        codes.iter().map(|code| name(code).expect("a listed purpose: checked in Genesis::new")).collect()
    }
}

fn recovery_entry(terms: &RecoveryTerms) -> RecoveryEntry {
    RecoveryEntry {
        keys: terms.keys.iter().map(ToString::to_string).collect(),
        threshold: terms.threshold,
        delay_secs: terms.delay_secs,
    }
}

fn member_key(number: MemberNumber) -> String {
    format!("M{number}")
}

fn type_key(number: TypeNumber) -> String {
    format!("T{number}")
}

fn codes_entry(set: &CodeSet) -> (String, std::collections::BTreeMap<String, String>) {
    let codes = set.codes.iter().map(|entry| (entry.code.clone(), entry.name.clone()));
    (set.name.clone(), codes.collect())
}

fn claim_entries(schema: &Schema) -> Vec<ClaimEntry> {
    let entry = |claim: &ClaimSpec| {
        let ClaimSpec { label, required, everyday, sensitive, max_bytes, derived } = claim.clone();
        let max_bytes = (max_bytes != default_bytes(everyday)).then_some(max_bytes);
        let derived = derived.map(|Derived { from, rule: DerivedRule::AgeAtIssue { years } }| DerivedEntry {
            from: label_of(schema, from),
            age: years,
        });
        ClaimEntry { label, required, everyday, sensitive, max_bytes, derived }
    };
    schema.claims.iter().map(entry).collect()
}

fn profile_entries(schema: &Schema) -> Vec<(String, Vec<String>)> {
    let labels = |places: &[u16]| places.iter().map(|place| label_of(schema, *place)).collect();
    schema.profiles.iter().map(|profile| (profile.name.clone(), labels(&profile.claims))).collect()
}

fn label_of(schema: &Schema, place: u16) -> String {
    schema.claims.get(usize::from(place)).map(|claim| claim.label.clone()).expect("a claim: checked in Genesis::new")
}

fn authority_entry(authority: &Authority) -> AuthorityEntry {
    AuthorityEntry {
        member: member_key(authority.member),
        certificate_type: type_key(authority.certificate_type),
        division: authority.division.to_string(),
        from: authority.from.to_string(),
        until: authority.until.to_string(),
        basis: authority.basis.clone(),
    }
}

fn member_entry((number, member): (MemberNumber, &Member)) -> MemberEntry {
    let keys = member.keys.iter().map(|key| KeyEntry { purpose: key.purpose, key: key.key.to_string() });
    MemberEntry {
        key: member_key(number),
        code: member.code.to_string(),
        name: member.name.clone(),
        division: member.division.to_string(),
        superior: member.superior.map(member_key),
        roles: rules::roles(member.roles),
        keys: keys.collect(),
    }
}
