//! Identifiers: the vectors shared with other languages, and what no vector list can show.

use std::fmt::{Debug, Display};

use fengni_core::Day;
use fengni_core::id::{
    CertificateId, CreditCode, Division, IdError, ImportedId, OrganisationCode, ResidentNumber, Serial, TypeCode,
    Version, check, classify, serial_contains_person,
};
use proptest::prelude::*;
use serde_json::Value;

const VECTORS: &str = include_str!("../../spec/vectors/identifiers.json");
const ALPHABET_36: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const ALPHABET_31: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// One list of the vector file; never empty.
fn vectors(list: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(VECTORS).expect("the vector file is JSON");
    let entries = file[list].as_array().expect("the list exists").clone();
    assert!(!entries.is_empty(), "{list}");
    entries
}

fn text(entry: &Value) -> &str {
    entry["text"].as_str().expect("every entry has a text")
}

/// Reads a text as one kind of code. Codes that may be shown come back as their own text.
fn read(kind: &str, text: &str) -> Result<String, IdError> {
    fn shown<T: Display>(code: T) -> String {
        code.to_string()
    }
    match kind {
        "certificate" => text.parse::<CertificateId>().map(shown),
        "type" => text.parse::<TypeCode>().map(shown),
        "credit" => text.parse::<CreditCode>().map(shown),
        "organisation" => text.parse::<OrganisationCode>().map(shown),
        "resident" => text.parse::<ResidentNumber>().map(|code| code.expose().to_owned()),
        "division" => text.parse::<Division>().map(shown),
        other => panic!("no such kind: {other}"),
    }
}

/// The outcome is the error the entry names, at its place, with its expected character.
fn check_outcome<T: Debug>(entry: &Value, outcome: Result<T, IdError>) -> Option<T> {
    let Some(name) = entry["error"].as_str() else {
        return Some(outcome.unwrap_or_else(|error| panic!("{entry}: {error}")));
    };
    let error = outcome.expect_err(&entry.to_string());
    assert_eq!(error.name(), name, "{entry}: {error}");
    let (place, wanted) = match &error {
        IdError::Character { at, .. } | IdError::PersonInSerial { at } => (Some(*at), None),
        IdError::CheckCharacter { at, expected, .. } => (Some(*at), Some(expected.to_string())),
        _ => (None, None),
    };
    if name != "CHARACTER" && !entry["expected"].is_null() {
        assert_eq!(entry["expected"].as_str(), wanted.as_deref(), "{entry}");
    }
    if let Some(at) = entry["at"].as_u64() {
        assert_eq!(place.map(|at| at as u64), Some(at), "{entry}");
    }
    None
}

#[test]
fn sums_give_their_check_characters() {
    for entry in vectors("sums") {
        let sum = match entry["sum"].as_str().expect("a sum") {
            "mod_37_36" => check::mod_37_36,
            "mod_31_3" => check::mod_31_3,
            "mod_11_2" => check::mod_11_2,
            "mod_11_organisation" => check::mod_11_organisation,
            other => panic!("no such sum: {other}"),
        };
        let found = sum(text(&entry)).map(String::from);
        assert_eq!(found.as_deref(), entry["check"].as_str(), "{entry}");
    }
}

#[test]
fn accepted_codes_are_read_and_written_back() {
    for entry in vectors("accepted") {
        let kind = entry["kind"].as_str().expect("a kind");
        assert_eq!(read(kind, text(&entry)).as_deref(), Ok(text(&entry)));
    }
}

#[test]
fn refused_codes_say_what_is_wrong_and_where() {
    for entry in vectors("refused") {
        let kind = entry["kind"].as_str().expect("a kind");
        assert!(entry["error"].is_string(), "{entry}");
        check_outcome(&entry, read(kind, text(&entry)));
    }
}

#[test]
fn the_sample_data_set_is_covered_whole() {
    let keys: Vec<String> =
        vectors("accepted").iter().filter_map(|entry| entry["key"].as_str().map(str::to_owned)).collect();
    for key in [
        "GOV", "PSB", "AMR", "CIQ", "HRS", "RES", "YHR", "YHD", "YGOV", "ENT1", "ENT2", "ENT3", "P1", "P2", "P3", "P4",
        "P5", "T-DL", "T-BL", "T-CL", "T-RE", "C1", "C1v2", "C2", "C3", "C4", "C5",
    ] {
        assert!(keys.iter().any(|found| found == key), "{key}");
    }
}

#[test]
fn id8_an_identifier_comes_apart_and_together() {
    for entry in vectors("parts") {
        let id = CertificateId::parse(text(&entry)).expect("accepted above");
        assert_eq!(id.type_code().as_str(), entry["type"]);
        assert_eq!(id.issuer().as_str(), entry["issuer"]);
        assert_eq!(id.serial().as_str(), entry["serial"]);
        assert_eq!(u64::from(id.version().number()), entry["version"]);
        assert_eq!(id.check_character().to_string(), entry["check"]);
        let again = CertificateId::new(id.type_code(), id.issuer(), *id.serial(), id.version());
        assert_eq!(again, id);
        assert_eq!(format!("{}{}", id.type_code().definer(), id.type_code().number()), entry["type"]);
    }
}

#[test]
fn id5_a_credit_code_holds_a_division_and_an_organisation_code() {
    let code = CreditCode::parse("91350100M000100Y43").expect("the standard's example");
    assert_eq!((code.authority(), code.category()), ('9', '1'));
    assert_eq!(code.division(), Division::parse("350100").expect("six digits"));
    assert_eq!(code.organisation().as_str(), "M000100Y-4");
    assert_eq!(OrganisationCode::from_nine("M000100Y4"), Ok(code.organisation()));
}

#[test]
fn id6_nobody_is_born_after_today() {
    for entry in vectors("born_by") {
        let today = Day::parse(entry["today"].as_str().expect("a date")).expect("a real date");
        let number = ResidentNumber::parse(text(&entry)).expect("valid apart from today");
        check_outcome(&entry, number.check_born_by(today));
    }
}

#[test]
fn id6_a_resident_number_is_never_printed() {
    let number = ResidentNumber::parse("319901199003070029").expect("P1");
    assert_eq!(format!("{number:?}"), "ResidentNumber(…)");
    assert_eq!(format!("{number:#?}"), "ResidentNumber(…)");
    let kind = format!("{:?}", classify("319901199003070029"));
    assert!(!kind.contains("1990"), "{kind}");
    assert_eq!(number.division().as_str(), "319901");
    let mistyped = "319901199003070028";
    let error = ResidentNumber::parse(mistyped).expect_err("wrong check character");
    assert!(!format!("{error} {error:?}").contains("1990"), "{error}");
}

#[test]
fn id7_a_region_covers_itself_and_what_lies_inside() {
    for entry in vectors("covers") {
        let region = Division::parse(text(&entry)).expect("a division");
        let other = entry["other"].as_str().map(Division::parse);
        let other = other.expect("another").expect("a division");
        assert_eq!(entry["covers"].as_bool(), Some(region.covers(&other)), "{entry}");
    }
}

#[test]
fn id9_versions_follow_one_another_to_999() {
    for entry in vectors("next_version") {
        let id = CertificateId::parse(text(&entry)).expect("valid");
        if let Some(next) = check_outcome(&entry, id.next_version()) {
            assert_eq!(next.to_string(), entry["next"]);
            assert!(id < next);
        }
    }
    assert_eq!(Version::new(1000), Err(IdError::VersionRange { found: 1000 }));
    assert_eq!(Version::new(1), Ok(Version::FIRST));
}

#[test]
fn id10_imports_are_flagged_and_issues_refused() {
    for entry in vectors("imported") {
        let Some(id) = check_outcome(&entry, CertificateId::parse_lenient(text(&entry))) else {
            continue;
        };
        assert_eq!(id.flag(), entry["flag"].as_str());
        assert_eq!(id.to_string(), text(&entry));
        let strict = CertificateId::parse(text(&entry));
        let issuer = match &id {
            ImportedId::Conforming(id) => {
                assert_eq!(strict.as_ref(), Ok(id));
                id.issuer().to_string()
            }
            ImportedId::NonconformingIssuer(id) => {
                let error = strict.expect_err("strict reading refuses it");
                assert_eq!(error.name(), "NONCONFORMING_ISSUER_CODE");
                id.issuer().to_owned()
            }
        };
        assert_eq!(issuer, entry["issuer"]);
    }
}

#[test]
fn id11_a_serial_with_a_person_in_it_is_read_but_not_issued() {
    for entry in vectors("issue") {
        let id = CertificateId::parse(text(&entry)).expect("readable on any register");
        assert_eq!(serial_contains_person(id.serial().as_str()), entry["error"].is_string());
        check_outcome(&entry, id.check_for_issue());
    }
}

#[test]
fn id12_a_text_is_told_by_its_shape() {
    for entry in vectors("shapes") {
        let kind = classify(text(&entry));
        assert_eq!(kind.name(), entry["kind"], "{entry}");
        check_outcome(&entry, kind.validity());
    }
}

#[test]
fn messages_are_plain_facts() {
    let message = |text: &str| classify(text).validity().expect_err("refused").to_string();
    let swapped = "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000010.001.N";
    let expected = check::mod_37_36(&swapped[15..swapped.len() - 1].replace('.', ""));
    assert_eq!(
        message(swapped),
        format!(
            "check character of the certificate identifier, at 81, is N, expected {}",
            expected.expect("digits and capitals")
        )
    );
    assert_eq!(message("11319900xN0100013M"), "character 8 is 'x', expected a digit or a capital except I, O, S, V, Z");
    assert_eq!(
        message("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"),
        "issuer is not a unified social credit code: credit code has 6 characters, expected 18"
    );
}

#[test]
fn serde_goes_through_the_same_door() {
    fn check<T>(good: &str, bad: &str)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug,
    {
        let json = format!("\"{good}\"");
        let code: T = serde_json::from_str(&json).expect(good);
        assert_eq!(serde_json::to_string(&code).expect("serialises"), json);
        assert!(serde_json::from_str::<T>(&format!("\"{bad}\"")).is_err(), "{bad}");
    }
    let id = "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.1.001";
    let digits = "11100000XN0000012G00111319900XN0100021G1001";
    let last = check::mod_37_36(digits).expect("digits and capitals");
    let wrong = if last == '0' { '1' } else { '0' };
    check::<CertificateId>(&format!("{id}.{last}"), &format!("{id}.{wrong}"));
    check::<ImportedId>(&format!("{id}.{last}"), &format!("{id}.{wrong}"));
    check::<CreditCode>("91350100M000100Y43", "91350100M000100Y44");
    check::<OrganisationCode>("M000100Y-4", "M000100Y-5");
    check::<TypeCode>("11100000XN0000012G001", "11100000XN0000012H001");
    check::<Division>("340100", "3401000");
    check::<Serial>("1", "a");
    assert!(serde_json::from_str::<ResidentNumber>("\"319901199003070029\"").is_ok());
    assert!(serde_json::from_str::<ResidentNumber>("\"319901199003070028\"").is_err());
}

/// Every text that differs from `code` in exactly one place is refused.
fn check_substitutions(code: &str, alphabet: &str, refused: impl Fn(&str) -> bool) {
    for (at, old) in code.char_indices() {
        for new in alphabet.chars().filter(|new| *new != old) {
            let mut changed = code.to_owned();
            changed.replace_range(at..=at, &new.to_string());
            assert!(refused(&changed), "{code} -> {changed}");
        }
    }
}

#[test]
fn the_organisation_sum_alone_misses_what_its_doc_says() {
    let sum = |text| check::mod_11_organisation(text);
    assert_eq!(sum("00001333"), sum("B0001333"));
    // Inside a credit code the outer check character catches it.
    check_substitutions("11100000000013338W", ALPHABET_31, |text| CreditCode::parse(text).is_err());
}

prop_compose! {
    fn arb_credit()(head in "[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}", body in "[0-9A-HJ-NP-RTUWXY]{8}")
        -> String {
        let inner = check::mod_11_organisation(&body).expect("eight digits and capitals");
        let rest = format!("{head}{body}{inner}");
        let outer = check::mod_31_3(&rest).expect("seventeen characters");
        format!("{rest}{outer}")
    }
}

prop_compose! {
    fn arb_certificate()(
        definer in arb_credit(),
        number in "[0-9]{3}",
        issuer in arb_credit(),
        serial in "[0-9A-Z]{1,32}",
        version in 0_u16..=999,
    ) -> CertificateId {
        CertificateId::new(
            TypeCode::parse(&format!("{definer}{number}")).expect("a type code"),
            CreditCode::parse(&issuer).expect("a credit code"),
            Serial::parse(&serial).expect("a serial"),
            Version::new(version).expect("a version"),
        )
    }
}

prop_compose! {
    fn arb_resident()(
        division in "[0-9]{6}",
        year in 1800..=2199,
        month in 1..=12,
        day in 1..=28,
        sequence in "[0-9]{3}",
    ) -> String {
        let rest = format!("{division}{year:04}{month:02}{day:02}{sequence}");
        let last = check::mod_11_2(&rest).expect("seventeen digits");
        format!("{rest}{last}")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_certificate_identifier_survives_and_no_substitution_does(id in arb_certificate()) {
        let text = id.to_string();
        prop_assert_eq!(CertificateId::parse(&text), Ok(id.clone()));
        prop_assert_eq!(CertificateId::parse_lenient(&text), Ok(ImportedId::Conforming(id)));
        check_substitutions(&text, &format!("{ALPHABET_36}._ a"), |text| {
            CertificateId::parse(text).is_err() && CertificateId::parse_lenient(text).is_err()
        });
    }

    #[test]
    fn a_credit_code_survives_and_no_substitution_does(text in arb_credit()) {
        let code = CreditCode::parse(&text);
        prop_assert_eq!(code.map(String::from), Ok(text.clone()));
        check_substitutions(&text, ALPHABET_36, |text| CreditCode::parse(text).is_err());
    }

    #[test]
    fn a_resident_number_survives_and_no_typing_error_does(text in arb_resident()) {
        let number = ResidentNumber::parse(&text);
        prop_assert_eq!(number.map(|number| number.expose().to_owned()), Ok(text.clone()));
        check_substitutions(&text, "0123456789Xx", |text| ResidentNumber::parse(text).is_err());
        for at in 0..17 {
            let mut swapped = text.clone().into_bytes();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).expect("ASCII");
            prop_assert!(swapped == text || ResidentNumber::parse(&swapped).is_err());
        }
    }

    #[test]
    fn a_person_is_found_wherever_the_serial_hides_them(
        before in "[0-9A-Z]{0,7}",
        person in arb_resident(),
        after in "[0-9A-Z]{0,7}",
    ) {
        let serial = format!("{before}{person}{after}");
        prop_assert!(serial_contains_person(&serial));
    }

    #[test]
    fn identifiers_order_as_their_texts_do(a in arb_certificate(), b in arb_certificate()) {
        let with_serial = |serial: &str| CertificateId::new(
            a.type_code(), a.issuer(), Serial::parse(serial).expect("a serial"), a.version());
        for (x, y) in [
            (a.clone(), b.clone()),
            (with_serial("12"), with_serial("123")),
            (with_serial("12Z"), with_serial("13")),
        ] {
            prop_assert_eq!(x.cmp(&y), x.to_string().cmp(&y.to_string()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_text_panics_and_what_is_read_is_written_back(
        text in prop_oneof![
            any::<String>(),
            "[0-9A-Zａ-ｚ０-９Xx._ -]{0,24}",
            "[0-9]{0,20}X?",
            "1\\.2\\.156\\.300[35]\\.2\\.[0-9A-Z.]{0,90}",
            "1\\.2\\.156\\.3005\\.2\\.[0-9A-Z]{18}[0-9]{3}\\.[0-9A-Z]{0,20}\\.[0-9A-Z]{0,34}\\.[0-9]{2,4}\\.[0-9A-Z]{0,2}",
        ],
    ) {
        for kind in ["certificate", "type", "credit", "organisation", "resident", "division"] {
            if let Ok(again) = read(kind, &text) {
                prop_assert_eq!(&again, &text);
            }
        }
        if let Ok(id) = CertificateId::parse_lenient(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        let kind = classify(&text);
        if let Err(error) = kind.validity() {
            prop_assert!(!error.to_string().is_empty() && error.rule().starts_with("ID-"));
        }
        let _ = serial_contains_person(&text);
        let _ = OrganisationCode::from_nine(&text);
        let _ = (Serial::parse(&text), Version::parse(&text));
        let _ = (check::mod_37_36(&text), check::mod_31_3(&text));
        let _ = (check::mod_11_2(&text), check::mod_11_organisation(&text));
    }
}
