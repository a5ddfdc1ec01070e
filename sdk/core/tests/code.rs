//! Codes: their one text, their size, and what the holder signs.

#[path = "verify/sample.rs"]
mod sample;

use fengni_core::assurance::{Assertion, Assurance, Statement, VALID_SECS_MAX};
use fengni_core::certificate::{Certificate, CertificateFile, ClaimValue, Facts};
use fengni_core::code::{AnyCode, BudgetError, Code, CodeBudget, CodeError, StaticCode, Terms, check_budget, everyday};
use fengni_core::id::{Serial, TypeCode, Version};
use fengni_core::keys::Signature;
use fengni_core::limits::{CODE_BYTES, EVERYDAY_CODE_BYTES};
use fengni_core::record::{CertificateType, ClaimSpec, HolderKind, Profile, Schema};
use fengni_core::standing::ActKinds;
use fengni_core::{
    BookNumber, Digest, KeyAlgorithm, KeyNumber, LineNumber, LinePlace, MemberNumber, PurposeCode, SecretKey,
};
use proptest::prelude::*;
use sample::*;
use serde_json::json;

const SHOWN_SECS: u64 = 1_772_670_670;

const TYPES: [(&str, &str, &Fields); 3] =
    [("机动车驾驶证", C1, &LICENCE), ("营业执照", C2, &BUSINESS), ("不动产权证书", C4, &ESTATE)];

fn show(
    fields: &[(&str, &str)],
    identifier: &str,
    algorithm: KeyAlgorithm,
    disclose: &[u16],
) -> Result<Code, CodeError> {
    let holder = key(algorithm, 5);
    Code::show(&domain(), &file(&domain(), identifier, fields, &holder), &holder, disclose, true, terms(SHOWN_SECS))
}

#[test]
fn y7_the_everyday_code_of_every_sample_type_fits() {
    for (name, identifier, fields) in TYPES {
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
            let code = show(fields, identifier, algorithm, &everyday(&schema(fields))).expect("it fits");
            let (bytes, text) = (code.encode().len(), code.to_text());
            eprintln!("{name} {algorithm:?}: {bytes} bytes, {} characters", text.len());
            assert!(bytes <= EVERYDAY_CODE_BYTES, "{name}: {bytes}");
            // QR version 20 at level M holds 970 characters of its alphanumeric mode.
            assert!(text.len() <= 970, "{name}: {}", text.len());
        }
    }
}

/// The largest certificate there can be of a type, with everything at its limit.
fn largest(kind: &CertificateType, holder: &SecretKey) -> CertificateFile {
    let schema = &kind.schemas[0];
    let values: Vec<_> =
        schema.claims.iter().map(|spec| ClaimValue::new("9".repeat(usize::from(spec.max_bytes))).ok()).collect();
    let facts = Facts {
        serial: Serial::parse(&"A".repeat(usize::from(schema.serial_bytes))).expect("a serial"),
        version: Version::new(999).expect("a version"),
        until: Some(day("9999-12-31")),
        ..facts("1", holder)
    };
    let content = Certificate::new(&domain(), schema, facts, values, &salts(schema.claims.len(), 9));
    CertificateFile {
        certificate: content.expect("a certificate"),
        place: LinePlace { book: BookNumber(0xffff), line: LineNumber(0xffff_ffff) },
        ..file(&domain(), C1, &LICENCE, holder)
    }
}

/// The largest assertion that is reckoned with.
fn largest_assertion(level: Assurance, holder: &SecretKey) -> Assertion {
    let statement = Statement {
        service: MemberNumber(0xffff),
        key: KeyNumber(0xff),
        time_secs: 0xffff_ffff,
        valid_secs: VALID_SECS_MAX,
        ..statement(holder, level, SHOWN_SECS)
    };
    statement.sign(&domain(), &key(KeyAlgorithm::P256, SERVICE_SEED)).expect("an allowed validity")
}

fn largest_code(kind: &CertificateType, disclose: &[u16], with_path: bool) -> Result<Code, CodeError> {
    let holder = key(KeyAlgorithm::P256, 5);
    let terms = Terms {
        issued_secs: 0xffff_ffff,
        lifetime_secs: kind.code_lifetime_secs,
        purpose: PurposeCode(0xffff),
        assertion: kind.assurance.map(|level| largest_assertion(level, &holder)),
        ..terms(SHOWN_SECS)
    };
    Code::show(&domain(), &largest(kind, &holder), &holder, disclose, with_path, terms)
}

/// A type with these fields: bytes of the longest value each, of which the first few are everyday.
fn kind(max_bytes: &[u16], everyday: usize, serial_bytes: u8, code_lifetime_secs: u32) -> CertificateType {
    let spec = |(place, max_bytes): (usize, &u16)| ClaimSpec {
        label: format!("字段{place}"),
        required: true,
        everyday: place < everyday,
        sensitive: false,
        max_bytes: *max_bytes,
        derived: None,
    };
    let claims = max_bytes.iter().enumerate().map(spec).collect();
    CertificateType {
        version: 1,
        code: TypeCode::parse("11100000XN0000012G001").expect("a type code"),
        name: "示例".into(),
        holder: HolderKind::Person,
        enabled: true,
        sensitive: false,
        schemas: vec![Schema { claims, profiles: vec![], serial_bytes }],
        acts: ActKinds::all(),
        code_lifetime_secs,
        offline_age_secs: 86_400,
        suspenders: vec![],
        revokers: vec![],
        consumers: vec![],
        purposes: vec![],
        grant_purposes: vec![],
        assurance: None,
    }
}

#[test]
fn y7_the_arithmetic_of_the_specification() {
    // Eight claims of which two are shown, a serial of 20 characters, two minutes.
    let kind = kind(&[20, 10, 60, 30, 300, 10, 3, 64], 2, 20, 120);
    let budget = check_budget(&kind, 1, &kind.schemas[0]).expect("it fits");
    assert_eq!(
        budget.to_string(),
        "154 for header, terms and signature + 21 for the serial + 38 for the salts of 2 claims + 32 for their \
         longest values + 66 for siblings + 326 for the path = 637"
    );
    let code = largest_code(&kind, &[0, 1], true).expect("a code");
    assert_eq!(code.encode().len(), 637);
}

#[test]
fn y7_a_type_that_would_outgrow_a_code_is_told_why() {
    let mut large = kind(&[60, 60, 300], 2, 20, 120);
    let error = check_budget(&large, 1, &large.schemas[0]).expect_err("too large");
    assert!(error.to_string().starts_with("the everyday code may take 697 bytes, above the limit of 644: "), "{error}");
    large.schemas[0].claims[0].everyday = false;
    large.schemas[0].claims[1].everyday = false;
    assert_eq!(check_budget(&large, 1, &large.schemas[0]), Err(BudgetError::NoEveryday));
    let mut long = kind(&[20, 300, 300], 1, 20, 120);
    long.schemas[0].profiles = vec![Profile { name: "全部".into(), claims: vec![0, 1, 2] }];
    let error = check_budget(&long, 1, &long.schemas[0]).expect_err("too large");
    assert!(error.to_string().starts_with("the code of profile 全部 may take "), "{error}");
}

/// Rule Y-7: a type that asks for an assertion has it in its everyday code, and pays for it.
#[test]
fn y7_an_assertion_that_the_type_asks_for_is_reckoned_with() {
    let mut asking = kind(&[20, 10, 60, 30, 300, 10, 3, 64], 2, 20, 120);
    asking.assurance = Some(Assurance::RealPerson);
    let error = check_budget(&asking, 1, &asking.schemas[0]).expect_err("too large");
    assert_eq!(
        error.to_string(),
        "the everyday code may take 738 bytes, above the limit of 644: 154 for header, terms and signature + 21 for \
         the serial + 38 for the salts of 2 claims + 32 for their longest values + 66 for siblings + 101 for the \
         assertion the type asks for + 326 for the path = 738"
    );
    // The largest code of this type is still made, by a wallet that is asked for an assertion.
    assert_eq!(largest_code(&asking, &[0, 1], true).expect("a code").encode().len(), 738);
    // One short field and a short serial leave room for it.
    let mut small = kind(&[10], 1, 9, 120);
    small.assurance = Some(Assurance::RealName);
    let budget = check_budget(&small, 1, &small.schemas[0]).expect("it fits");
    assert_eq!(largest_code(&small, &[0], true).expect("a code").encode().len(), budget.total());
}

/// Rule Y-16: no byte where there is none, and every everyday code has room for one.
#[test]
fn y16_a_code_with_an_assertion_fits_the_hard_limit() {
    let holder = key(KeyAlgorithm::P256, 5);
    let licence = file(&domain(), C1, &LICENCE, &holder);
    let said = |level| statement(&holder, level, SHOWN_SECS).sign(&domain(), &key(KeyAlgorithm::Ed25519, SERVICE_SEED));
    let assertion = said(Assurance::RealPerson).expect("an allowed validity");
    let show = |assertion| {
        let terms = Terms { assertion, ..terms(SHOWN_SECS) };
        Code::show(&domain(), &licence, &holder, &[0, 1], true, terms).expect("it fits")
    };
    let (plain, vouched) = (show(None), show(Some(assertion)));
    assert_eq!(vouched.encode().len() - plain.encode().len(), 96);
    assert_eq!((plain.encode()[0], vouched.encode()[0]), (0x89, 0x8a));
    assert!(largest_assertion(Assurance::RealPerson, &holder).to_text().len() < 256);
    const { assert!(EVERYDAY_CODE_BYTES + 101 <= CODE_BYTES) };
    assert_eq!(Code::parse(&vouched.to_text()), Ok(vouched.clone()));
    assert_eq!((plain.service(), vouched.service()), (None, Some(MemberNumber(6))));
    // What is vouched for another key is not put before a verifier.
    let other = statement(&key(KeyAlgorithm::P256, 6), Assurance::RealPerson, SHOWN_SECS);
    let other = other.sign(&domain(), &key(KeyAlgorithm::Ed25519, SERVICE_SEED)).expect("an allowed validity");
    let terms = Terms { assertion: Some(other), ..terms(SHOWN_SECS) };
    assert_eq!(Code::show(&domain(), &licence, &holder, &[0], true, terms), Err(CodeError::OtherAssertion));
}

#[test]
fn y7_a_code_that_discloses_too_much_is_not_made() {
    // With a challenge and a path, an everyday code still stays below the hard limit.
    let holder = key(KeyAlgorithm::P256, 5);
    let licence = file(&domain(), C1, &LICENCE, &holder);
    let mut terms = terms(SHOWN_SECS);
    terms.challenge = Some(Digest([8; 32]));
    let answer = Code::show(&domain(), &licence, &holder, &[0, 1], true, terms).expect("it fits");
    assert!(answer.encode().len() <= CODE_BYTES);
    let all: Vec<u16> = (0..8).collect();
    assert!(matches!(show(&LICENCE, C1, KeyAlgorithm::P256, &all), Err(CodeError::TooLarge { .. })));
    // Where there is a network the path can be left out, and all of it is shown.
    assert!(Code::show(&domain(), &licence, &holder, &all, false, terms).is_ok());
}

#[test]
fn a_code_survives_its_text() {
    for (_, identifier, fields) in TYPES {
        let code = show(fields, identifier, KeyAlgorithm::P256, &[0, 1]).expect("a code");
        assert_eq!(Code::parse(&code.to_text()), Ok(code));
    }
}

#[test]
fn the_holder_signs_what_is_shown() {
    for disclose in [&[0][..], &[1], &[0, 7], &[2, 3, 5]] {
        let code = show(&LICENCE, C1, KeyAlgorithm::Ed25519, disclose).expect("a code");
        let header = code.header(&domain()).expect("the siblings fit");
        assert_eq!(header, *file(&domain(), C1, &LICENCE, &key(KeyAlgorithm::Ed25519, 5)).certificate.header());
        let message = code.message(&domain(), &header.commitment(&domain()));
        assert!(header.facts.holder.verify(&message, &code.signature));
    }
}

#[test]
fn each_rule_of_showing_refuses_its_case() {
    for disclose in [&[][..], &[8], &[1, 0], &[1, 1]] {
        assert_eq!(show(&LICENCE, C1, KeyAlgorithm::P256, disclose), Err(CodeError::Disclose { fields: 8 }));
    }
    let holder = key(KeyAlgorithm::P256, 5);
    let licence = file(&domain(), C1, &LICENCE, &holder);
    let thief = key(KeyAlgorithm::P256, 6);
    assert_eq!(Code::show(&domain(), &licence, &thief, &[0], true, terms(1)), Err(CodeError::OtherKey));
    for secs in [0, 301] {
        let mut terms = terms(SHOWN_SECS);
        terms.lifetime_secs = secs;
        assert_eq!(Code::show(&domain(), &licence, &holder, &[0], true, terms), Err(CodeError::Terms { secs }));
    }
}

/// A key in a phone's hardware signs what it is given, or refuses.
#[test]
fn y13_a_code_is_signed_where_the_key_is() {
    let holder = key(KeyAlgorithm::P256, 5);
    let licence = file(&domain(), C1, &LICENCE, &holder);
    let show = |sign: &dyn Fn(&[u8]) -> Option<Signature>| {
        Code::show_with(&domain(), &licence, sign, &[0, 1], true, terms(SHOWN_SECS))
    };
    let code = show(&|message| Some(holder.sign(message))).expect("a code");
    assert_eq!(Ok(code), Code::show(&domain(), &licence, &holder, &[0, 1], true, terms(SHOWN_SECS)));
    assert_eq!(show(&|_| None), Err(CodeError::OtherKey));
    assert_eq!(show(&|message| Some(key(KeyAlgorithm::P256, 6).sign(message))), Err(CodeError::OtherKey));
    assert_eq!(show(&|_| Some(holder.sign(b"something else"))), Err(CodeError::OtherKey));
}

#[test]
fn y1_a_text_has_one_spelling() {
    let text = show(&LICENCE, C1, KeyAlgorithm::P256, &[0, 1]).expect("a code").to_text();
    for wrong in [text.to_lowercase(), format!("{text} "), format!(" {text}"), text[4..].to_owned(), String::new()] {
        assert!(Code::parse(&wrong).is_err(), "{wrong}");
    }
    assert_eq!(Code::parse("FN2:00"), Err(CodeError::Prefix { prefix: "FN1:" }));
    assert_eq!(Code::parse("FN1:ÅÄÖ"), Err(CodeError::Base45));
    assert!(matches!(Code::parse(&format!("FN1:{}", "0".repeat(5000))), Err(CodeError::Encoding(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No certificate of a type that may be registered has an everyday code above version 20, and
    /// the reckoning is exact for the largest one.
    #[test]
    fn y7_the_reckoning_holds_for_any_type(
        lengths in proptest::collection::vec(1u16..=60, 1..=64),
        everyday in 1usize..5,
        serial_bytes in 1u8..=32,
        lifetime in 60u32..=300,
        vouched: bool,
    ) {
        let everyday = everyday.min(lengths.len());
        let assurance = vouched.then_some(Assurance::RealPerson);
        let kind = CertificateType { assurance, ..kind(&lengths, everyday, serial_bytes, lifetime) };
        let schema = &kind.schemas[0];
        let disclose = schema.everyday();
        let budget = CodeBudget::of(&kind, 1, schema, &disclose);
        match largest_code(&kind, &disclose, true) {
            Ok(code) => prop_assert_eq!(code.encode().len(), budget.total()),
            Err(error) => prop_assert_eq!(error, CodeError::TooLarge { bytes: budget.total() }),
        }
        if let Ok(code) = largest_code(&kind, &disclose, false) {
            prop_assert_eq!(code.encode().len(), budget.total_without_path());
        }
        prop_assert_eq!(check_budget(&kind, 1, schema).is_ok(), budget.total() <= EVERYDAY_CODE_BYTES);
    }

    #[test]
    fn any_values_that_fit_survive(values in proptest::collection::vec("[\\p{Han}A-Z0-9]{1,20}", 6..9), first in 0u16..5) {
        let fields: Vec<(&str, &str)> = values.iter().map(|value| ("字段", value.as_str())).collect();
        match show(&fields, C1, KeyAlgorithm::Ed25519, &[first, first + 1]) {
            Ok(code) => {
                prop_assert!(code.encode().len() <= CODE_BYTES);
                prop_assert_eq!(Code::parse(&code.to_text()), Ok(code));
            }
            Err(error) => {
                let too_large = matches!(error, CodeError::TooLarge { .. });
                prop_assert!(too_large);
            }
        }
    }
}

fn static_code(identifier: &str, fields: &[(&str, &str)]) -> StaticCode {
    StaticCode::of(&domain(), &file(&domain(), identifier, fields, &key(KeyAlgorithm::P256, 5)))
}

#[test]
fn y9_a_static_code_finds_its_line_and_says_nothing_else() {
    for (_, identifier, fields) in TYPES {
        let (code, holder) = (static_code(identifier, fields), key(KeyAlgorithm::P256, 5));
        let text = code.to_text();
        assert_eq!(StaticCode::parse(&text).as_ref(), Ok(&code));
        assert_eq!(AnyCode::parse(&text), Ok(AnyCode::Static(Box::new(code.clone()))));
        // No reader of dynamic codes takes one, and no reader of static codes a dynamic one.
        assert!(Code::parse(&text).is_err());
        let dynamic = show(fields, identifier, KeyAlgorithm::P256, &[0, 1]).expect("a code");
        assert!(StaticCode::parse(&dynamic.to_text()).is_err());
        assert_eq!(AnyCode::parse(&dynamic.to_text()), Ok(AnyCode::Dynamic(Box::new(dynamic))));
        // The line is the certificate's, and no value and no key is in the bytes.
        let file = file(&domain(), identifier, fields, &holder);
        assert_eq!((code.line(&domain()), code.identifier.to_string().as_str()), (file.line(&domain()), identifier));
        let bytes = code.encode();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!fields.iter().any(|(_, value)| value.len() > 3 && holds(value.as_bytes())));
        assert!(!holds(&holder.public().wire()));
        assert!(bytes.len() <= 480, "{} bytes are more than a small picture on paper", bytes.len());
    }
}

/// The text of a code whose assertion, of one-byte service and key numbers, is altered.
fn with_assertion(code: &Code, change: impl FnOnce(&mut [u8])) -> String {
    let mut code = code.clone();
    let statement = statement(&key(KeyAlgorithm::P256, 5), Assurance::RealName, SHOWN_SECS);
    code.terms.assertion = statement.sign(&domain(), &key(KeyAlgorithm::Ed25519, SERVICE_SEED)).ok();
    let mut bytes = code.encode();
    // The holder's signature is the last entry, 67 bytes with its head; an assertion has 96 here.
    let begins = bytes.len() - 67 - 96;
    assert_eq!(bytes[begins..begins + 4], [0x87, 6, 1, 1]);
    change(&mut bytes[begins..]);
    format!("FN1:{}", base45::encode(&bytes))
}

/// The bytes of a code with null in front of the holder's signature.
fn null_assertion(bytes: &[u8]) -> Vec<u8> {
    let (front, signature) = bytes.split_at(bytes.len() - 67);
    [&[0x8a], &front[1..], &[0xf6], signature].concat()
}

#[test]
fn the_code_vectors_hold() {
    let mut accepted = Vec::new();
    for (name, identifier, fields) in TYPES {
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
            let code = show(fields, identifier, algorithm, &[0, 1]).expect("a code");
            let header = code.header(&domain()).expect("the siblings fit");
            let commitment = header.commitment(&domain());
            accepted.push(json!({
                "type": name,
                "holder_seed": hex::encode([5; 32]),
                "text": code.to_text(),
                "cbor": hex::encode(code.encode()),
                "claims_digest": header.claims_digest,
                "commitment": commitment,
                "message": hex::encode(code.message(&domain(), &commitment)),
                "signed_hash": code.signed_hash(&domain()).expect("the siblings fit"),
            }));
        }
    }
    let holder = key(KeyAlgorithm::P256, 5);
    let licence = file(&domain(), C1, &LICENCE, &holder);
    let assured: Vec<_> = [(KeyAlgorithm::Ed25519, Assurance::RealName), (KeyAlgorithm::P256, Assurance::RealPerson)]
        .into_iter()
        .map(|(algorithm, level)| {
            let service = key(algorithm, SERVICE_SEED);
            let assertion =
                statement(&holder, level, SHOWN_SECS).sign(&domain(), &service).expect("an allowed validity");
            let terms = Terms { assertion: Some(assertion), ..terms(SHOWN_SECS) };
            let code = Code::show(&domain(), &licence, &holder, &[0, 1], true, terms).expect("it fits");
            let commitment = licence.certificate.header().commitment(&domain());
            json!({
                "service_key": service.public(),
                "service": assertion.statement.service,
                "key_number": assertion.statement.key,
                "level": level as u8,
                "time_secs": assertion.statement.time_secs,
                "valid_secs": assertion.statement.valid_secs,
                "token": hex::encode(assertion.statement.token),
                "holder_key": holder.public(),
                "statement": hex::encode(assertion.statement.message(&domain())),
                "assertion": assertion.to_text(),
                "text": code.to_text(),
                "commitment": commitment,
                "message": hex::encode(code.message(&domain(), &commitment)),
                "signed_hash": code.signed_hash(&domain()).expect("the siblings fit"),
            })
        })
        .collect();
    let vouched = |change: &dyn Fn(&mut Statement)| {
        let mut statement = statement(&holder, Assurance::RealName, SHOWN_SECS);
        change(&mut statement);
        let signature = key(KeyAlgorithm::Ed25519, SERVICE_SEED).sign(&statement.message(&domain()));
        Assertion { statement, signature }
    };
    let code = show(&LICENCE, C1, KeyAlgorithm::P256, &[0, 1]).expect("a code");
    let altered = |change: &dyn Fn(&mut Code)| {
        let mut code = code.clone();
        change(&mut code);
        code.to_text()
    };
    let bytes = code.encode();
    let text = |bytes: &[u8]| format!("FN1:{}", base45::encode(bytes));
    let refused = [
        ("another prefix", code.to_text().replace("FN1:", "FN2:")),
        ("lower case", code.to_text().to_lowercase()),
        ("a character cut off", code.to_text()[..code.to_text().len() - 1].to_owned()),
        ("a byte more", text(&[&bytes[..], &[0]].concat())),
        ("version 2", text(&[&[0x89, 0x02], &bytes[2..]].concat())),
        ("the version in two bytes", text(&[&[0x89, 0x18, 0x01], &bytes[2..]].concat())),
        ("class 1", text(&[&[0x89, 0x01, 0x01], &bytes[3..]].concat())),
        ("a lifetime of 0", altered(&|code| code.terms.lifetime_secs = 0)),
        ("a lifetime of 301", altered(&|code| code.terms.lifetime_secs = 301)),
        ("a challenge of zeros", altered(&|code| code.terms.challenge = Some(Digest::default()))),
        ("no claim", altered(&|code| code.shown.disclosed.clear())),
        ("claims out of order", altered(&|code| code.shown.disclosed.swap(0, 1))),
        ("a claim beyond the number of claims", altered(&|code| code.shown.claims_size = 1)),
        ("a path without a page", altered(&|code| code.shown.path.lines = 0)),
        ("a page of 1025 lines", altered(&|code| code.shown.path.lines = 1025)),
        (
            "an assertion that holds for 0 seconds",
            altered(&|code| code.terms.assertion = Some(vouched(&|said| said.valid_secs = 0))),
        ),
        (
            "an assertion that holds for more than a day",
            altered(&|code| code.terms.assertion = Some(vouched(&|said| said.valid_secs = 86_401))),
        ),
        ("an assertion of level 3", with_assertion(&code, |bytes| bytes[3] = 3)),
        ("an assertion of level 0", with_assertion(&code, |bytes| bytes[3] = 0)),
        ("an assertion of six entries", with_assertion(&code, |bytes| bytes[0] = 0x86)),
        ("null in the place of an assertion", text(&null_assertion(&bytes))),
        ("a last day before the first", altered(&|code| code.shown.facts.until = Some(day("2026-03-01")))),
    ];
    for (why, text) in &refused {
        assert!(Code::parse(text).is_err(), "{why}");
    }
    let printed: Vec<_> = TYPES
        .iter()
        .map(|(name, identifier, fields)| {
            let code = static_code(identifier, fields);
            json!({
                "type": name,
                "text": code.to_text(),
                "cbor": hex::encode(code.encode()),
                "identifier": code.identifier.to_string(),
                "place": code.place,
                "line": hex::encode(code.line(&domain()).bytes()),
            })
        })
        .collect();
    let printed_code = static_code(C1, &LICENCE);
    let bytes = printed_code.encode();
    let printed_refused = [
        ("a dynamic code", code.to_text()),
        ("a dynamic code relabelled", text(&[&[0x89, 0x01, 0x01], &code.encode()[3..]].concat())),
        ("class 2", text(&[&[0x8b, 0x01, 0x02], &bytes[3..]].concat())),
        ("version 2", text(&[&[0x8b, 0x02], &bytes[2..]].concat())),
        ("a byte more", text(&[&bytes[..], &[0]].concat())),
        ("a type code with a wrong check character", text(&[&bytes[..5], &[bytes[5] ^ 1], &bytes[6..]].concat())),
        ("lower case", printed_code.to_text().to_lowercase()),
    ];
    for (why, text) in &printed_refused {
        assert!(StaticCode::parse(text).is_err(), "{why}");
    }
    let printed_refused: Vec<_> =
        printed_refused.iter().map(|(why, text)| json!({ "why": why, "text": text })).collect();
    let refused: Vec<_> = refused.iter().map(|(why, text)| json!({ "why": why, "text": text })).collect();
    check_vectors(
        "codes",
        &json!({
            "about": "Codes: sdk/spec/codes.md. Everybody named is fictitious.",
            "suite": domain().suite.number(),
            "network": domain().network,
            "accepted": accepted,
            "assured": assured,
            "refused": refused,
            "static": printed,
            "static_refused": printed_refused,
        }),
    );
}
