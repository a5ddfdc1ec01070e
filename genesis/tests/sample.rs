//! The sample network passes every rule, and its tables hold what the journeys say.

use std::collections::BTreeSet;

use fengni_core::certificate::{Certificate, CertificateFile, ClaimValue, Facts, Grade, PagePath, Salt, fill_derived};
use fengni_core::code::{Code, CodeBudget, Terms, check_budget, everyday};
use fengni_core::id::{ResidentNumber, Serial, serial_contains_person};
use fengni_core::limits::{CODE_BYTES, EVERYDAY_CODE_BYTES};
use fengni_core::record::{KeyPurpose, Role};
use fengni_core::{BookNumber, Day, LineNumber, LinePlace, MemberNumber, Millis, PurposeCode};
use fengni_genesis::{Document, Format, Genesis, sample};

fn genesis() -> Genesis {
    let document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    document.check().unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_sample_is_a_founding_without_cautions() {
    let genesis = genesis();
    assert_eq!(genesis.cautions(), Vec::<String>::new());
    assert_eq!(genesis.validators().len(), 4);
    assert_eq!(genesis.validators().quorum(), 3);
    assert!(genesis.agreements.is_empty());
    assert_eq!(genesis.authorities.len(), 4);
    for place in 0..genesis.members.len() {
        let member = &genesis.members[place];
        let issued: Vec<_> = genesis.authorities.iter().filter(|a| a.member.0 as usize == place).collect();
        assert_eq!(member.authorities.len(), issued.len(), "{}", member.name);
    }
}

#[test]
fn numbers_of_the_sample_are_those_of_its_document() {
    let document = sample::network(Millis(1), &sample::test_key);
    for entry in &document.members {
        assert_eq!(document.member(&entry.key), sample::member(&entry.key));
    }
    for entry in &document.types {
        assert_eq!(document.certificate_type(&entry.key), sample::certificate_type(&entry.key));
    }
    for name in document.codes["purposes"].values() {
        assert_eq!(document.purpose(name), sample::purpose(name));
    }
    assert_eq!(sample::member("PSB"), Some(MemberNumber(1)));
    assert_eq!(sample::member("YHR"), None);
}

#[test]
fn key_slots_name_the_keys_of_the_ledger() {
    let genesis = genesis();
    let slots = sample::key_slots();
    assert_eq!(slots.len(), genesis.members.iter().map(|member| member.keys.len()).sum::<usize>());
    for slot in slots {
        let number = sample::member(slot.member).expect("a founding member");
        let key = genesis.members[number.0 as usize].key(slot.number).expect("a key");
        assert_eq!(key.purpose, slot.purpose);
        assert_eq!(key.key, sample::test_key(slot.member, slot.purpose, slot.index));
    }
    for member in &genesis.members {
        let count = |purpose| member.keys.iter().filter(|key| key.purpose == purpose).count();
        assert_eq!(count(KeyPurpose::Admin), 2);
        assert_eq!(count(KeyPurpose::Issuing), if member.roles.has(Role::Issuer) { 2 } else { 0 });
    }
}

#[test]
fn the_member_that_joins_passes_the_rules_as_well() {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    document.members.push(sample::joining(&sample::test_key));
    document.validators.push(fengni_genesis::ValidatorEntry { member: "YHR".into(), power: 1 });
    let genesis = document.check().unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(genesis.validators().quorum(), 4);
}

#[test]
fn the_agreement_of_the_journeys_would_found_as_well() {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    let text = "[[agreements]]\nlabel = \"RA-2026-001\"\nparties = [\"GOV\", \"YGOV\"]\nmin_grade = \"A\"\n\
        from = 2026-01-01\nuntil = 2027-12-31\n\
        terms = { T-DL = [\"交通执法\"], T-BL = [\"企业开办\"], T-RE = [\"住房补贴\"] }\n";
    let parsed = Document::parse(&(document.to_toml() + text), Format::Toml).unwrap_or_else(|p| panic!("{p}"));
    document.agreements.clone_from(&parsed.agreements);
    let genesis = document.check().unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(genesis.agreements[0].terms, sample::agreement_terms());
    let signed: Vec<usize> = (0..8).filter(|place| !genesis.members[*place].agreements.is_empty()).collect();
    assert_eq!(signed, [0, 6]);
}

#[test]
fn certificates_name_their_type_and_issuer_and_fill_the_schema() {
    let genesis = genesis();
    for certificate in sample::certificates() {
        let id = certificate.id();
        let kind = sample::certificate_type(certificate.certificate_type).expect("a type");
        let kind = &genesis.types[kind.0 as usize];
        assert_eq!(id.type_code(), kind.code, "{}", certificate.key);
        let issuer = sample::member(certificate.issuer).expect("a member");
        assert_eq!(id.issuer(), genesis.members[issuer.0 as usize].code, "{}", certificate.key);
        assert_eq!(id.check_for_issue(), Ok(()));
        certificate.days();
        let labels: Vec<&str> = certificate.claims.iter().map(|(label, _)| *label).collect();
        let entered = kind.schemas[0].claims.iter().filter(|claim| claim.required && claim.derived.is_none());
        let required = entered.map(|claim| claim.label.as_str());
        assert_eq!(labels, required.collect::<Vec<_>>(), "{}", certificate.key);
        let known =
            sample::people().iter().map(|person| person.key).chain(sample::bodies().iter().map(|body| body.key));
        assert!(known.into_iter().any(|key| key == certificate.holder), "{}", certificate.key);
    }
}

/// A type whose everyday code outgrows a QR code of version 20 could not be shown with its path.
#[test]
fn everyday_codes_fit_with_the_longest_path() {
    let genesis = genesis();
    let domain = genesis.domain();
    let holder = sample::test_secret("P1", KeyPurpose::Application, 0);
    for certificate in sample::certificates() {
        let kind = sample::certificate_type(certificate.certificate_type).expect("a type");
        let schema = &genesis.types[kind.0 as usize].schemas[0];
        let value =
            |place: usize| certificate.claims.get(place).map(|(_, value)| ClaimValue::new(*value).expect("a value"));
        let (from, until) = certificate.days();
        let facts = Facts {
            schema: 1,
            serial: *certificate.id().serial(),
            version: certificate.id().version(),
            issued: from,
            from,
            until,
            grade: Grade::A,
            holder: holder.public(),
        };
        let salts: Vec<Salt> = (0..8).map(|place| Salt([place; 16])).collect();
        let mut values: Vec<Option<ClaimValue>> = (0..8).map(value).collect();
        fill_derived(schema, from, &mut values).expect("a date of birth");
        let content = Certificate::new(&domain, schema, facts, values, &salts).expect("content");
        let header = content.header().clone();
        let place = LinePlace { book: BookNumber(3), line: LineNumber(30_000_000) };
        let path = PagePath { lines: 1024, hashes: vec![header.commitment(&domain); 10] };
        let file = CertificateFile {
            network: domain.network,
            certificate_type: certificate.id().type_code(),
            issuer: certificate.id().issuer(),
            certificate: content,
            place,
            path,
        };
        let terms = Terms {
            assertion: None,
            issued_secs: 1_772_670_670,
            lifetime_secs: 120,
            nonce: [9; 8],
            purpose: PurposeCode(101),
            challenge: None,
        };
        let code = Code::show(&domain, &file, &holder, &everyday(schema), true, terms).expect("a code");
        let bytes = code.encode().len();
        eprintln!("{}: {bytes} bytes", certificate.key);
        assert!(bytes <= EVERYDAY_CODE_BYTES, "{}: {bytes} bytes", certificate.key);
    }
}

/// What a type may grow to, not what its samples happen to be.
#[test]
fn y7_no_certificate_of_a_sample_type_outgrows_its_everyday_code() {
    for kind in &genesis().types {
        let schema = &kind.schemas[0];
        let budget = check_budget(kind, 1, schema).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        eprintln!("{}: {budget}", kind.name);
        assert!(budget.total() <= EVERYDAY_CODE_BYTES);
        for profile in &schema.profiles {
            let budget = CodeBudget::of(kind, 1, schema, &profile.claims);
            eprintln!("  {}: {}, online {}", profile.name, budget.total(), budget.total_without_path());
            assert!(budget.total_without_path() <= CODE_BYTES);
        }
    }
}

#[test]
fn generated_licences_are_valid_different_and_nobodys() {
    let mut serials = BTreeSet::new();
    let mut holders = BTreeSet::new();
    let last = 1_247_399_999;
    for index in (0..5_000).chain((0..5_000).map(|step| step * 249_479)).chain(last - 1_000..=last) {
        let licence = sample::licence(index);
        Serial::parse(&licence.serial).expect("a serial");
        assert!(!serial_contains_person(&licence.serial), "{}", licence.serial);
        let (_, number) = &licence.claims[3];
        let resident = ResidentNumber::parse(number).expect("a valid number");
        assert_eq!(&resident.division().as_str()[2..4], "99");
        resident.check_born_by(Day::parse("2008-03-02").expect("a date")).expect("an adult");
        assert_eq!(serials.insert(licence.serial.clone()), holders.insert(number.clone()), "index {index}");
    }
    assert!(serials.len() > 10_000);
    let licence = sample::licence(0);
    assert_eq!(licence.serial, "20260302N00000000001");
    assert_eq!(licence.header()[..6], ["serial", "version", "issued", "from", "until", "准驾车型"]);
    assert_eq!(licence.header().len(), licence.row().len());
    assert_eq!(licence, sample::licence(0));
}
