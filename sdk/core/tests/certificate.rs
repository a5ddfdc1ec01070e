//! Certificates: what makes one, and the one spelling it has.

#[path = "verify/sample.rs"]
mod sample;

use fengni_core::certificate::{
    Certificate, CertificateError, CertificateFile, ClaimValue, Grade, Salt, fill_derived, is_possessed,
    possession_message, proof_from_text, proof_text, prove_possession,
};
use fengni_core::codec::DecodeError;
use fengni_core::id::{CreditCode, Serial};
use fengni_core::record::{Derived, DerivedRule};
use fengni_core::{Digest, Domain, KeyAlgorithm, NetworkId, PublicKey};
use proptest::prelude::*;
use sample::*;
use serde_json::json;

fn values(fields: &[(&str, &str)]) -> Vec<Option<ClaimValue>> {
    fields.iter().map(|(_, value)| Some(ClaimValue::new(*value).expect("short text"))).collect()
}

fn licence() -> CertificateFile {
    file(&domain(), C1, &LICENCE, &key(KeyAlgorithm::P256, 5))
}

/// A licence with something changed before it is made.
fn make(
    change: impl FnOnce(&mut fengni_core::certificate::Facts, &mut Vec<Option<ClaimValue>>, &mut Vec<Salt>),
) -> Result<Certificate, CertificateError> {
    let mut facts = facts("20260302000000000001", &key(KeyAlgorithm::P256, 5));
    let (mut values, mut salts) = (values(&LICENCE), salts(8, 1));
    change(&mut facts, &mut values, &mut salts);
    Certificate::new(&domain(), &schema(&LICENCE), facts, values, &salts)
}

#[test]
fn each_rule_of_issue_refuses_its_case() {
    assert!(make(|_, _, _| ()).is_ok());
    assert!(make(|_, values, _| values[7] = None).is_ok(), "the last field is optional");
    let missing = CertificateError::Missing { label: "姓名".into() };
    assert_eq!(make(|_, values, _| values[2] = None), Err(missing));
    let fields = CertificateError::Fields { values: 7, salts: 8, fields: 8 };
    assert_eq!(make(|_, values, _| drop(values.pop())), Err(fields));
    assert_eq!(make(|_, _, salts| salts[7] = salts[0]), Err(CertificateError::SaltTwice));
    assert_eq!(make(|facts, _, _| facts.until = Some(day("2026-03-01"))), Err(CertificateError::Days));
    assert!(make(|facts, _, _| facts.until = Some(facts.from)).is_ok());
    let person = |facts: &mut fengni_core::certificate::Facts| {
        facts.serial = Serial::parse("A319901199003070029").expect("a serial");
    };
    assert_eq!(make(|facts, _, _| person(facts)), Err(CertificateError::PersonInSerial));
}

/// A licence of a type that knows ages and lengths.
fn make_derived(born: Option<&str>, over: Option<&str>, serial: &str) -> Result<Certificate, CertificateError> {
    let mut schema = schema(&LICENCE);
    schema.serial_bytes = 20;
    schema.claims[0].max_bytes = 6;
    schema.claims[6].required = false;
    schema.claims[5].required = false;
    schema.claims[6].derived = Some(Derived { from: 5, rule: DerivedRule::AgeAtIssue { years: 18 } });
    let mut values = values(&LICENCE);
    values[5] = born.map(|text| ClaimValue::new(text).expect("short text"));
    values[6] = over.map(|text| ClaimValue::new(text).expect("short text"));
    let facts = facts(serial, &key(KeyAlgorithm::P256, 5));
    fill_derived(&schema, facts.issued, &mut values)?;
    Certificate::new(&domain(), &schema, facts, values, &salts(8, 1))
}

#[test]
fn x9_and_x10_lengths_and_derived_values_are_those_of_the_schema() {
    let over = |certificate: Certificate| certificate.claims()[6].value.as_ref().map(|value| value.as_str().to_owned());
    let made = |born, given| make_derived(born, given, "20260302000000000001").map(over);
    assert_eq!(made(Some("1990-03-07"), None), Ok(Some("是".into())));
    assert_eq!(made(Some("1990-03-07"), Some("是")), Ok(Some("是".into())));
    assert_eq!(made(Some("2010-03-07"), None), Ok(Some("否".into())));
    assert_eq!(made(None, None), Ok(None));
    let derived = CertificateError::Derived { label: "照片摘要".into(), source_label: "初次领证日期".into() };
    // What an issuer's system claims is not believed.
    assert_eq!(made(Some("2010-03-07"), Some("是")), Err(derived.clone()));
    assert_eq!(made(None, Some("是")), Err(derived.clone()));
    assert_eq!(made(Some("七日"), None), Err(derived));
    let long = make_derived(None, None, "202603020000000000001");
    assert_eq!(long, Err(CertificateError::TooLong { label: "serial".into(), bytes: 21, limit: 20 }));
    let mut short = schema(&LICENCE);
    short.claims[0].max_bytes = 1;
    let holder = key(KeyAlgorithm::P256, 5);
    let made = Certificate::new(&domain(), &short, facts("1", &holder), values(&LICENCE), &salts(8, 1));
    assert_eq!(made, Err(CertificateError::TooLong { label: "准驾车型".into(), bytes: 2, limit: 1 }));
}

#[test]
fn x11_a_proof_of_possession_is_for_one_key_one_issuer_and_one_network() {
    let issuer = |code| CreditCode::parse(code).expect("a credit code");
    let (psb, amr) = (issuer("11319900XN0100021G"), issuer("11319900XN010003X8"));
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
        let (holder, other) = (key(algorithm, 5), key(algorithm, 6));
        let proof = prove_possession(&domain(), &psb, &holder);
        let holds = |domain: &Domain, issuer, key: PublicKey| is_possessed(domain, issuer, &key, &proof);
        assert!(holds(&domain(), &psb, holder.public()));
        assert!(!holds(&domain(), &amr, holder.public()));
        assert!(!holds(&domain(), &psb, other.public()));
        let elsewhere = Domain { network: NetworkId(Digest([8; 32])), ..domain() };
        assert!(!holds(&elsewhere, &psb, holder.public()));
        let text = proof_text(&proof);
        assert_eq!(proof_from_text(&text), Some(proof));
        for wrong in [text.to_uppercase() + " ", text[1..].to_owned(), format!("0{text}"), String::new()] {
            assert_eq!(proof_from_text(&wrong), None, "{wrong}");
        }
    }
}

#[test]
fn x3_a_value_is_short_text_that_a_screen_can_show() {
    assert!(ClaimValue::new("a".repeat(512)).is_ok());
    assert!(ClaimValue::new("章".repeat(170)).is_ok());
    for wrong in [String::new(), "a".repeat(513), "one\ntwo".into(), "\u{1b}[2J".into(), "\u{85}".into()] {
        assert!(ClaimValue::new(wrong.as_str()).is_err(), "{wrong:?}");
    }
}

#[test]
fn everything_is_under_the_commitment() {
    let original = make(|_, _, _| ()).expect("a licence");
    let commitment = |certificate: &Certificate| certificate.header().commitment(&domain());
    let changed = [
        make(|facts, _, _| facts.schema = 2),
        make(|facts, _, _| facts.serial = Serial::parse("X").expect("a serial")),
        make(|facts, _, _| facts.issued = day("2026-03-01")),
        make(|facts, _, _| facts.from = day("2026-03-01")),
        make(|facts, _, _| facts.until = None),
        make(|facts, _, _| facts.grade = Grade::B),
        make(|facts, _, _| facts.holder = key(KeyAlgorithm::P256, 6).public()),
        make(|_, values, _| values[7] = None),
        make(|_, values, _| values.swap(0, 1)),
        make(|_, _, salts| salts[4].0[15] ^= 1),
    ];
    for certificate in changed {
        assert_ne!(commitment(&certificate.expect("a licence")), commitment(&original));
    }
    let elsewhere = Domain { network: NetworkId(Digest([8; 32])), ..domain() };
    assert_ne!(original.header().commitment(&elsewhere), commitment(&original));
}

#[test]
fn a_file_survives_its_encoding_and_names_its_certificate() {
    let file = licence();
    let bytes = file.encode();
    assert_eq!(CertificateFile::decode(&domain(), &bytes).as_ref(), Ok(&file));
    assert_eq!(file.identifier().to_string(), C1);
    let archived = file.certificate.encode();
    assert_eq!(Certificate::decode(&domain(), &archived), Ok(file.certificate));
}

#[test]
fn x8_a_file_of_another_network_or_with_other_claims_is_refused() {
    let mut file = licence();
    let elsewhere = Domain { network: NetworkId(Digest([8; 32])), ..domain() };
    assert!(matches!(CertificateFile::decode(&elsewhere, &file.encode()), Err(DecodeError::Malformed { .. })));
    file.network = elsewhere.network;
    // Made for one network, relabelled for another: the claims digest no longer fits.
    assert!(matches!(CertificateFile::decode(&elsewhere, &file.encode()), Err(DecodeError::Malformed { .. })));
}

#[test]
fn x2_a_second_spelling_is_refused() {
    let bytes = licence().encode();
    let decode = |bytes: &[u8]| CertificateFile::decode(&domain(), bytes);
    // The format number 1 as two bytes; an array that does not say its length; a byte more.
    assert_eq!(bytes[..2], [0x89, 0x01]);
    let long = [&[0x89, 0x18, 0x01], &bytes[2..]].concat();
    assert_eq!(decode(&long), Err(DecodeError::NotCanonical));
    let open = [&[0x9f], &bytes[1..], &[0xff]].concat();
    assert!(decode(&open).is_err());
    assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing { left: 1 }));
    assert!(matches!(decode(&vec![0; 200_000]), Err(DecodeError::TooLong { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_file_is_refused_or_another_file(at in 0usize..1000, bit in 0u8..8) {
        let file = licence();
        let mut bytes = file.encode();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = CertificateFile::decode(&domain(), &bytes) {
            prop_assert_eq!(altered.encode(), bytes);
            prop_assert_ne!(altered, file);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = CertificateFile::decode(&domain(), &bytes);
        let _ = Certificate::decode(&domain(), &bytes);
    }
}

#[test]
fn the_certificate_vectors_hold() {
    let samples: [(&str, &Fields, KeyAlgorithm); 3] =
        [(C1, &LICENCE, KeyAlgorithm::P256), (C2, &BUSINESS, KeyAlgorithm::Ed25519), (C4, &ESTATE, KeyAlgorithm::P256)];
    let certificates: Vec<serde_json::Value> = samples
        .iter()
        .map(|(identifier, fields, algorithm)| {
            let file = file(&domain(), identifier, fields, &key(*algorithm, 5));
            let header = file.certificate.header();
            let line = file.line(&domain());
            let facts = &header.facts;
            json!({
                "identifier": identifier,
                "schema": facts.schema,
                "issued": facts.issued.to_string(),
                "from": facts.from.to_string(),
                "until": facts.until.map(|day| day.to_string()),
                "grade": facts.grade,
                "holder": facts.holder,
                "claims": file.certificate.claims().iter().map(|claim| json!({
                    "index": claim.index,
                    "salt": hex::encode(claim.salt.0),
                    "value": claim.value,
                    "leaf": claim.leaf(&domain()),
                })).collect::<Vec<_>>(),
                "claims_digest": header.claims_digest,
                "tag": hex::encode(line.tag.0),
                "commitment": line.commitment,
                "certificate": hex::encode(file.certificate.encode()),
                "file": hex::encode(file.encode()),
            })
        })
        .collect();
    let issuer = CreditCode::parse("11319900XN0100021G").expect("a credit code");
    let possession: Vec<serde_json::Value> = [KeyAlgorithm::Ed25519, KeyAlgorithm::P256]
        .into_iter()
        .map(|algorithm| {
            let holder = key(algorithm, 5);
            let proof = prove_possession(&domain(), &issuer, &holder);
            json!({
                "issuer": issuer,
                "holder_key": holder.public().to_string(),
                "message": hex::encode(possession_message(&domain(), &issuer, &holder.public())),
                "holder_proof": proof_text(&proof),
            })
        })
        .collect();
    let bytes = licence().encode();
    let refused = [
        ("a byte more", [&bytes[..], &[0]].concat()),
        ("the format number in two bytes", [&[0x89, 0x18, 0x01], &bytes[2..]].concat()),
        ("an array of unknown length", [&[0x9f], &bytes[1..], &[0xff]].concat()),
        ("another format", [&[0x89, 0x02], &bytes[2..]].concat()),
        ("another network", [&bytes[..4], &[bytes[4] ^ 1], &bytes[5..]].concat()),
    ];
    for (why, bytes) in &refused {
        assert!(CertificateFile::decode(&domain(), bytes).is_err(), "{why}");
    }
    let refused: Vec<_> =
        refused.iter().map(|(why, bytes)| json!({ "why": why, "file": hex::encode(bytes) })).collect();
    check_vectors(
        "certificates",
        &json!({
            "about": "Certificates: sdk/spec/certificates.md. Everybody named is fictitious.",
            "suite": domain().suite.number(),
            "network": domain().network,
            "certificates": certificates,
            "possession": possession,
            "refused": refused,
        }),
    );
}
