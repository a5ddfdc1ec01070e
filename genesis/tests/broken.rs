//! Broken documents: each with the lines and the words a founder gets to read.

use fengni_core::Millis;
use fengni_core::assurance::Assurance;
use fengni_core::record::{KeyPurpose, Role};
use fengni_genesis::{Document, Format, KeyEntry, MemberEntry, Problems, RecoveryEntry, sample};

const FOUNDING: &str = include_str!("data/founding.toml");
const CASES: &str = include_str!("data/broken.txt");

/// Every problem of a text, of whichever step finds it.
fn problems(text: &str, format: Format) -> Vec<String> {
    let checked = Document::parse(text, format).and_then(|document| document.check());
    let found = checked.map(drop).map_or_else(|Problems(found)| found, |()| Vec::new());
    found.iter().map(|problem| format!("{} {problem}", problem.rule)).collect()
}

fn replaced(text: &str, old: &str, nth: usize, new: &str) -> String {
    let (at, _) = text.match_indices(old).nth(nth).unwrap_or_else(|| panic!("{old} stands there {nth} times"));
    format!("{}{new}{}", &text[..at], &text[at + old.len()..])
}

#[test]
fn every_problem_names_its_line_and_the_way_out() {
    assert_eq!(problems(FOUNDING, Format::Toml), Vec::<String>::new());
    let mut rules = Vec::new();
    for case in CASES.split("\n\n").filter(|case| case.starts_with("replace ")) {
        let lines: Vec<(&str, String)> = case
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(word, text)| (word, text.replace("\\n", "\n")))
            .collect();
        let text = |wanted| lines.iter().find(|(word, _)| *word == wanted).map_or("", |(_, text)| text);
        let (nth, old) = text("replace").split_once(' ').expect("a number and a text");
        let broken = replaced(FOUNDING, old, nth.parse().expect("a number"), text("with"));
        let said: Vec<&String> = lines.iter().filter(|(word, _)| *word == "says").map(|(_, text)| text).collect();
        assert!(!said.is_empty(), "{case}");
        rules.extend(said.iter().filter_map(|text| text.split(' ').next()).map(ToOwned::to_owned));
        assert_eq!(problems(&broken, Format::Toml), said.into_iter().cloned().collect::<Vec<_>>(), "{case}");
    }
    for rule in ["G-1", "G-4", "G-5", "G-6", "G-7", "G-8", "G-9", "G-10", "G-11", "G-12", "G-13"] {
        assert!(rules.iter().any(|found| found == rule), "{rule} has no case");
    }
}

#[test]
fn json_has_lines_too() {
    let document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    let text = serde_json::to_string_pretty(&document).expect("plain data");
    let line_of =
        |text: &str, wanted: &str| text[..text.find(wanted).expect("it stands there")].matches('\n').count() + 1;

    let broken = text.replace("11319900XN0100021G", "11319900XN0100012G");
    let said = format!(
        "G-7 line {}: members[1].code: check character of the credit code, at 17, is G, expected J; next: correct the code",
        line_of(&broken, "11319900XN0100012G")
    );
    assert_eq!(problems(&broken, Format::Json), [said]);

    let broken = text.replacen("\"suite\"", "\"name\": \"again\",\n    \"suite\"", 1);
    let line = line_of(&broken, "\"again\"");
    assert_eq!(
        problems(&broken, Format::Json),
        [format!("G-1 line {line}: network.name: stands there twice; next: correct the text there")]
    );
    assert_eq!(problems("{\n  \"network\": 1,,\n}", Format::Json).len(), 1);
    assert_eq!(problems("[]", Format::Json).len(), 2);
}

#[test]
fn many_problems_are_reported_at_once_in_the_order_of_the_lines() {
    let broken = FOUNDING
        .replace("window = 1000", "window = 0")
        .replace("code = \"11319900XN01000563\"", "code = \"11319900XN01000653\"")
        .replace("code_lifetime_secs = 120", "code_lifetime_secs = 59")
        .replace("member = \"HRS\"", "member = \"HSR\"");
    let found = problems(&broken, Format::Toml);
    let rules: Vec<&str> = found.iter().filter_map(|problem| problem.split(' ').next()).collect();
    assert_eq!(rules, ["G-5", "G-7", "G-9", "G-10", "G-10", "G-10", "G-9"], "{found:#?}");
}

/// The sample with its members, and as many more as it takes, each below the one before.
fn chain(links: usize) -> Document {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    let newcomer = sample::joining(&sample::test_key);
    let admin = newcomer.keys[2].clone();
    for body in sample::bodies().iter().skip(document.members.len()).take((links + 1).saturating_sub(8)) {
        let key = sample::test_key(body.key, admin.purpose, 0).to_string();
        document.members.push(MemberEntry {
            key: body.key.into(),
            code: body.code.into(),
            roles: vec![Role::Verifier],
            keys: vec![KeyEntry { key, ..admin.clone() }],
            ..newcomer.clone()
        });
    }
    for place in 1..document.members.len() {
        document.members[place].superior = Some(document.members[place - 1].key.clone());
    }
    document
}

#[test]
fn g7_a_chain_of_superiors_has_at_most_8_links_and_no_circle() {
    assert!(chain(8).check().is_ok());
    let problems = chain(9).check().expect_err("too deep");
    assert_eq!(
        problems.to_string(),
        "members[9].superior: 9 links lead to the top, above the limit of 8; next: leave out a level"
    );
    let mut circle = chain(8);
    circle.members[0].superior = Some("HRS".into());
    let problems = circle.check().expect_err("a circle");
    assert_eq!(
        problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(),
        ["members[0].superior", "members[1].superior", "members[2].superior", "members[3].superior"]
    );
    assert!(problems.iter().all(|problem| problem.fault == "leads back after 4 links"), "{problems}");
}

#[test]
fn cautions_speak_of_what_is_allowed_and_unwise() {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    document.parameters.validators_min = 1;
    document.validators[0].power = 10;
    let issuing = document.members[5].keys.iter().position(|key| key.purpose == KeyPurpose::Issuing);
    document.members[5].keys.remove(issuing.expect("RES issues"));
    document.types[0].claims[0].sensitive = true;
    let key = sample::test_recovery_secret(0).public().to_string();
    document.recovery = Some(RecoveryEntry { keys: vec![key], threshold: 1, delay_secs: 86_400 });
    let genesis = document.check().unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        genesis.cautions(),
        [
            "without 东海省数据局 alone no block becomes final",
            "东海省不动产登记中心 has one issuing key: terminal acts and large seals need two",
            "one recovery key alone can name other validators",
            "one lost recovery key ends recovery: all of them must sign",
            "the everyday code of 机动车驾驶证 discloses 准驾车型, which is sensitive",
        ]
    );
}

type TypeChange = Box<dyn FnOnce(&mut Vec<fengni_genesis::TypeEntry>)>;

/// What one change of the sample's types leads to, each problem as path and fault.
fn type_problems(change: impl FnOnce(&mut Vec<fengni_genesis::TypeEntry>)) -> Vec<String> {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    change(&mut document.types);
    match document.check() {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| format!("{}: {}", problem.path, problem.fault)).collect(),
    }
}

#[test]
fn g10_a_type_whose_everyday_code_would_not_fit_is_told_the_arithmetic() {
    let found = type_problems(|types| types[0].claims[0].max_bytes = Some(60));
    assert_eq!(
        found,
        ["types[0].claims: the everyday code may take 678 bytes, above the limit of 644: 154 for header, terms and \
          signature + 21 for the serial + 38 for the salts of 2 claims + 73 for their longest values + 66 for \
          siblings + 326 for the path = 678"]
    );
    // The name of a firm has no bound that would fit.
    let found = type_problems(|types| types[1].claims[1].everyday = true);
    assert!(found[0].starts_with("types[1].claims: the everyday code may take"), "{found:?}");
    let found = type_problems(|types| types[0].serial_bytes = 32);
    assert!(found[0].starts_with("types[0].claims: the everyday code may take 650 bytes"), "{found:?}");
    let all = |types: &mut Vec<fengni_genesis::TypeEntry>| {
        let labels = types[1].claims.iter().map(|claim| claim.label.clone()).collect();
        types[1].profiles.insert("全部".into(), labels);
    };
    let found = type_problems(all);
    assert!(found[0].starts_with("types[1].claims: the code of profile 全部 may take"), "{found:?}");
    let found = type_problems(|types| types[0].claims.iter_mut().for_each(|claim| claim.everyday = false));
    assert_eq!(found, ["types[0].claims: no field belongs to the everyday code"]);
}

#[test]
fn g10_lengths_derived_claims_profiles_and_grants_are_checked() {
    let derived = |from: &str, age| Some(fengni_genesis::DerivedEntry { from: from.into(), age });
    let cases: [(TypeChange, &str); 11] = [
        (
            Box::new(|types| types[0].claims[2].max_bytes = Some(0)),
            "types[0].claims[2].max_bytes: 0 is outside 1 to 512",
        ),
        (Box::new(|types| types[0].claims[2].max_bytes = Some(513)), "types[0].claims[2].max_bytes: 513 is outside"),
        (Box::new(|types| types[0].serial_bytes = 0), "types[0].serial_bytes: 0 is outside 1 to 32"),
        (
            Box::new(move |types| types[0].claims[6].derived = derived("生日", 18)),
            "types[0].claims[6].derived.from: there is no claim \"生日\"",
        ),
        (
            Box::new(move |types| types[0].claims[6].derived = derived("年满18周岁", 18)),
            "types[0].claims[6].derived.from: follows from no claim that is entered",
        ),
        (
            Box::new(move |types| types[0].claims[6].derived = derived("出生日期", 0)),
            "types[0].claims[6].derived.age: 0 is outside 1 to 150",
        ),
        (
            Box::new(|types| types[0].claims[5].required = false),
            "types[0].claims[6].derived: is required, and follows from a claim that may be absent",
        ),
        (
            Box::new(|types| drop(types[0].profiles.insert("everyday".into(), vec!["姓名".into()]))),
            "types[0].profiles.everyday: is the name of the everyday code",
        ),
        (
            Box::new(|types| drop(types[0].profiles.insert("照片".into(), vec!["照片".into()]))),
            "types[0].profiles.照片[0]: there is no claim \"照片\"",
        ),
        (
            Box::new(|types| types[2].grant_purposes = vec!["交通执法".into()]),
            "types[2].grant_purposes: 101 is not among the type's purposes",
        ),
        (
            Box::new(|types| types[0].assurance = Some(Assurance::RealPerson)),
            "types[0].claims: the everyday code may take 738 bytes, above the limit of 644: 154 for header",
        ),
    ];
    for (change, expected) in cases {
        let found = type_problems(change);
        assert!(found.first().is_some_and(|first| first.starts_with(expected)), "{expected}: {found:?}");
    }
    let granted = |types: &mut Vec<fengni_genesis::TypeEntry>| types[0].grant_purposes = vec!["车辆租赁".into()];
    assert_eq!(type_problems(granted), Vec::<String>::new());
}

/// VER-10: a type may ask how its holder was checked, where its codes have room for the answer.
#[test]
fn g10_a_small_type_may_ask_for_an_assertion_and_its_document_reads_back() {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    let kind = &mut document.types[0];
    (kind.assurance, kind.serial_bytes) = (Some(Assurance::RealPerson), 9);
    kind.claims.truncate(1);
    kind.claims[0].max_bytes = Some(10);
    kind.profiles.clear();
    let genesis = document.check().expect("it fits");
    assert_eq!(genesis.types[0].assurance, Some(Assurance::RealPerson));
    let text = genesis.to_toml();
    assert!(text.contains("assurance = \"real-person\""), "{text}");
    let again = Document::parse(&text, Format::Toml).and_then(|document| document.check()).expect("the same network");
    assert_eq!(again.network(), genesis.network());
}

#[test]
fn g8_an_identity_service_has_a_key_to_vouch_with() {
    let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
    document.members[6].keys.retain(|key| key.purpose != KeyPurpose::Application);
    let found = document.check().expect_err("nobody could check what it vouches for").to_string();
    assert!(found.contains("members[6].keys: is an identity service and has no application key"), "{found}");
}
