//! Rows: every mistake is named by line and column, and no value is repeated.

use fengni_client::issue::{Format, RowRules, Rows};
use fengni_client::wallet::Wallet;
use fengni_core::certificate::proof_text;
use fengni_core::id::CreditCode;
use fengni_core::{BookNumber, KeyAlgorithm};

use crate::ledger::Network;

pub(crate) fn rules(network: &Network) -> RowRules {
    RowRules::load(&mut network.ledger(0), BookNumber(0), ".".into()).expect("the fake ledger answers")
}

const HEADER: &str = "serial,issued,from,until,准驾车型,有效期止,姓名,证件号码,住址,出生日期";
const REST: &str = "C1,2032-03-01,林晓禾,319901199003070029,听潮路9901号,1990-03-07";

fn problems(text: &str, format: Format) -> Vec<String> {
    let network = Network::new();
    let rows = Rows::read(text.as_bytes(), format, &rules(&network));
    let problems: Vec<String> = rows.problems.iter().map(ToString::to_string).collect();
    for value in ["林晓禾", "319901199003070029", "听潮路"] {
        assert!(!format!("{problems:?} {rows:?}").contains(value), "a value is repeated: {problems:?}");
    }
    problems
}

#[test]
fn each_mistake_of_a_row_is_named_at_its_line_and_column() {
    let cases = [
        ("A1,2026-03-02,2026-03-02,2032-03-01", ""),
        ("A1,2026-03-02,2026-03-02,", ""),
        (",2026-03-02,2026-03-02,", "line 2, serial: needs a value"),
        ("a1,2026-03-02,2026-03-02,", "line 2, serial: character 0 is 'a', expected a digit or a capital"),
        ("319901199003070029,2026-03-02,2026-03-02,", "line 2, serial: serial contains a resident number"),
        ("A1,2026-02-30,2026-03-02,", "line 2, issued: is not a date"),
        ("A1,2026-03-02,,", "line 2, from: needs a value"),
        ("A1,2026-03-02,2026-03-02,2026-03-01", "line 2, until: the last day is before the first"),
        ("A1,2026-03-02,2026-03-02", "line 2: 9 cells where there are 10 columns"),
    ];
    for (row, expected) in cases {
        let found = problems(&format!("{HEADER}\n{row},{REST}\n"), Format::Csv).join("; ");
        let holds = if expected.is_empty() { found.is_empty() } else { found.starts_with(expected) };
        assert!(holds, "{row}: {found}");
    }
}

#[test]
fn columns_claims_and_codes_are_checked() {
    let row = format!("A1,2026-03-02,2026-03-02,,{REST}");
    let cases = [
        (
            HEADER.replace("姓名", "名字"),
            row.clone(),
            "line 1, 名字: is neither a standard column nor a field of the type",
        ),
        (HEADER.replace("until", "from"), row.clone(), "line 1, from: stands there twice"),
        (HEADER.into(), row.replace("林晓禾", ""), "line 2, 姓名: needs a value"),
        (HEADER.into(), row.replace("林晓禾", "林\u{7}晓禾"), "line 2, 姓名: is not 1 to 512 bytes"),
        (HEADER.into(), row.replace("319901199003070029", "319901199003070092"), "line 2, 证件号码: check character"),
        (HEADER.into(), format!("{row}\n{row}"), "line 3: the same certificate stands on line 2"),
        (format!("{HEADER},file_hash"), format!("{row},12"), "line 2, file_hash: is not a hash"),
        (
            format!("{HEADER},file"),
            format!("{row},no-such.ofd"),
            "line 2, file: the attached file cannot be read: entity not found",
        ),
        (format!("{HEADER},grade"), format!("{row},E"), "line 2, grade: is none of the trust grades"),
        (format!("{HEADER},holder_key"), format!("{row},1:00"), "line 2, holder_key: is not a public key"),
        (
            HEADER.into(),
            row.replace("C1,", "C1C1C1C1C1C1C1C1C1C1C1,"),
            "line 2, 准驾车型: has 22 bytes, above the type's limit of 20",
        ),
        (HEADER.into(), row.replace("A1,", "A23456789012345678901,"), "line 2, serial: has 21 bytes"),
        (format!("{HEADER},年满18周岁"), format!("{row},是"), ""),
        (format!("{HEADER},年满18周岁"), format!("{row},否"), "line 2, 年满18周岁: follows from 出生日期"),
        (HEADER.into(), row.replace("1990-03-07", "1990年3月"), "line 2, 出生日期: has 11 bytes"),
        (HEADER.into(), row.replace("1990-03-07", "1990-03"), "line 2, 年满18周岁: follows from 出生日期"),
        (String::new(), String::new(), "line 1: there is no line of column names"),
    ];
    for (header, row, expected) in cases {
        let found = problems(&format!("{header}\n{row}\n"), Format::Csv).join("; ");
        let holds = if expected.is_empty() { found.is_empty() } else { found.starts_with(expected) };
        assert!(holds, "{expected}: {found}");
    }
}

#[test]
fn an_identifier_carries_its_check_character_and_agrees_with_book_and_serial() {
    let rest = "\"issued\":\"2026-03-02\",\"from\":\"2026-03-02\",\"准驾车型\":\"C1\",\"有效期止\":\"2032-03-01\",\
                \"姓名\":\"林晓禾\",\"证件号码\":\"319901199003070029\",\"住址\":\"听潮路\",\"出生日期\":\"1990-03-07\",\
                \"until\":null";
    let c1 = "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.001";
    let cases = [
        (format!("\"identifier\":\"{c1}.N\""), ""),
        (format!("\"identifier\":\"{c1}.N\",\"version\":\"001\""), ""),
        (format!("\"identifier\":\"{c1}.M\""), "line 1, identifier: check character"),
        (format!("\"identifier\":\"{c1}.N\",\"serial\":\"2\""), "line 1, serial: disagrees with the identifier"),
        (format!("\"identifier\":\"{c1}.N\",\"version\":\"002\""), "line 1, version: disagrees with the identifier"),
        (format!("\"serial\":17,\"serial\":\"2\",\"identifier\":\"{c1}.N\""), "line 1, serial: stands there twice"),
        (
            "\"identifier\":\"1.2.156.3005.2.11100000XN0000020B001.11319900XN010003X8.319900202600004712.001.J\""
                .into(),
            "line 1, identifier: names another type or issuer",
        ),
    ];
    for (front, expected) in cases {
        let found = problems(&format!("{{{front},{rest}}}\n\n"), Format::JsonLines).join("; ");
        let holds = if expected.is_empty() { found.is_empty() } else { found.starts_with(expected) };
        assert!(holds, "{front}: {found}");
    }
    assert_eq!(problems("{\"serial\": \"1\"", Format::JsonLines), ["line 1: cannot be read as a row"]);
}

#[test]
fn another_encoding_than_utf8_is_named() {
    let network = Network::new();
    let mut bytes = format!("\u{feff}{HEADER}\nA1,2026-03-02,2026-03-02,,").into_bytes();
    bytes.extend_from_slice(b"\xc1\xd6,,,,,\n");
    let rows = Rows::read(&bytes, Format::Csv, &rules(&network));
    assert_eq!(rows.problems[0].to_string(), "line 2, 准驾车型: is not UTF-8: save the file in that encoding");
}

/// IDN-02: a key that the holder brings is sealed only with a proof that the holder has it.
#[test]
fn x11_a_key_without_a_proof_for_this_issuer_is_refused() {
    let network = Network::new();
    let rules = rules(&network);
    let mut wallet = Wallet::new(rules.domain);
    let row = |key: &str, proof: &str| {
        format!("{HEADER},holder_key,holder_proof\nA1,2026-03-02,2026-03-02,,{REST},{key},{proof}\n")
    };
    let read = |rules: &RowRules, text: &str| {
        let rows = Rows::read(text.as_bytes(), Format::Csv, rules);
        (rows.rows.first().and_then(|row| row.holder), rows.problems.first().map(ToString::to_string))
    };
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Ed25519] {
        let key = wallet.generate_key(algorithm).expect("randomness");
        let other = wallet.generate_key(algorithm).expect("randomness");
        let elsewhere = CreditCode::parse("11319900XN010003X8").expect("a code");
        let proof = |key, issuer| proof_text(&wallet.prove_possession(key, issuer).expect("its own key"));
        let good = proof(&key, &rules.record.issuer);
        let (found, problem) = read(&rules, &row(&key.to_string(), &good));
        assert_eq!((found, problem), (Some(key), None));
        let wrong = [
            row(&key.to_string(), ""),
            row(&key.to_string(), &proof(&key, &elsewhere)),
            row(&key.to_string(), &proof(&other, &rules.record.issuer)),
            row(&other.to_string(), &good),
            row(&key.to_string(), "2:00"),
            row("", &good),
        ];
        for text in &wrong {
            let (found, problem) = read(&rules, text);
            assert_eq!(found, None, "{text}");
            assert!(problem.is_some_and(|problem| problem.starts_with("line 2, holder_proof: is no proof")), "{text}");
        }
    }
}
