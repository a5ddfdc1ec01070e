//! Cases: what a line commits to, and which numbers are none. Rule A-2: `sdk/spec/cases.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::{cases, domain, hex_of, vectors};
use fengni_core::case::{Case, Slip};
use fengni_core::{BookNumber, LineNumber, LinePlace};
use serde_json::{Value, json};

fn made() -> Value {
    let accepted = [
        ("YS20260309000317", "11319900XN010003XA4000", 1u8),
        ("YS20260309000317", "11319900XN010003XA4000", 2),
        ("东海检〔2026〕第317号", "", 3),
        ("9", "1", 4),
    ];
    let accepted = accepted.map(|(number, item, salt)| {
        let case = Case::new(number, item, [salt; 32]).expect("as the standard has it");
        let commitment = case.commitment(&domain());
        json!({ "number": number, "item": item, "salt": hex::encode([salt; 32]), "commitment": commitment })
    });
    let (long, code) = ("9".repeat(51), "1".repeat(25));
    let refused = [("", ""), (" ", ""), ("YS 1", ""), ("YS\u{3000}1", ""), ("YS\n1", ""), (&long, ""), ("1", &code)];
    let refused = refused.into_iter().chain([("1", "A-1"), ("1", "Ａ")]);
    let refused: Vec<_> = refused
        .map(|(number, item)| {
            assert!(Case::new(number, item, [0; 32]).is_err(), "{number:?} {item:?}");
            json!({ "number": number, "item": item, "rule": "A-2" })
        })
        .collect();
    json!({ "network": domain().network, "accepted": accepted, "refused": refused })
}

#[test]
fn a2_the_vectors_are_what_this_code_makes() {
    let vectors = vectors("cases", &made());
    for case in cases(&vectors, "accepted") {
        let mut salt = [0; 32];
        salt.copy_from_slice(&hex_of(case, "salt"));
        let text = |field: &str| case[field].as_str().expect("a text");
        let case_of = Case::new(text("number"), text("item"), salt).expect("right");
        assert_eq!(case_of.commitment(&domain()).to_string(), text("commitment"));
    }
}

#[test]
fn a5_a_slip_is_read_from_what_it_writes_and_holds_nothing_else() {
    let case = Case::new("YS1", "", [7; 32]).expect("a number");
    let place = LinePlace { book: BookNumber(4), line: LineNumber(17) };
    let slip = Slip { network: domain().network, place, case };
    let text = serde_json::to_string(&slip).expect("plain data");
    assert_eq!(serde_json::from_str::<Slip>(&text).expect("what was written"), slip);
    let more = text.replacen('{', "{\"name\":\"A\",", 1);
    assert!(serde_json::from_str::<Slip>(&more).is_err());
}
