//! Vectors of verdicts, shared with other languages: a code, a proof and a context give a verdict.

use std::collections::BTreeMap;

use fengni_core::verdict::{Verdict, VerdictCode};
use serde_json::{Value, json};

use crate::sample::check_vectors;
use crate::scan::Scan;
use crate::story::STORIES;

/// Stories whose ledger differs from the first one's and that are worth their kilobytes.
const LEDGERS: [&str; 12] = [
    "a frozen gateway that replays an old proof",
    "a suspended authority",
    "a key that was revoked from before the seal",
    "suspended by its keeper",
    "revoked",
    "renewed",
    "the day after its last",
    "a lost phone",
    "an agreement that is suspended",
    "a gateway that withholds the page",
    "a gateway that withholds the agreement",
    "a line beyond the book",
];

#[test]
fn the_verdict_vectors_hold() {
    let mut proofs: BTreeMap<String, String> = BTreeMap::new();
    let mut cases = Vec::new();
    let ordinary = hex::encode(Scan::standard().proof(Scan::standard().file.place).encode());
    for (story, change, _) in STORIES {
        let mut scan = Scan::standard();
        change(&mut scan);
        let code = scan.code();
        let proof = hex::encode(scan.proof(code.shown.place).encode());
        if proof != ordinary && !LEDGERS.contains(story) {
            continue;
        }
        let place = proofs.len();
        let name = proofs.entry(proof).or_insert_with(|| format!("ledger {place}")).clone();
        let verdict = scan.verdict();
        let context = &scan.context;
        cases.push(json!({
            "story": story,
            "code": code.to_text(),
            "proof": name,
            "context": {
                "verifier": context.verifier,
                "purpose": context.purpose,
                "now_millis": context.now,
                "checkpoint_age_secs": context.checkpoint_age_secs,
                "min_grade": context.min_grade,
                "challenge": context.challenge,
            },
            "verdict": {
                "answer": verdict.answer,
                "code": verdict.code,
                "plain_text": verdict.plain_text,
                "display": verdict.display,
                "detail": verdict.detail,
                "warnings": verdict.warnings,
                "checked": verdict.checked,
                "claims": verdict.document.map(|document| document.claims).unwrap_or_default(),
            },
        }));
    }
    let scan = Scan::standard();
    let proofs: BTreeMap<String, String> = proofs.into_iter().map(|(proof, name)| (name, proof)).collect();
    let codes: Vec<Value> = VerdictCode::ALL
        .iter()
        .map(|code| {
            let plain_text = Verdict::new(*code, None).plain_text;
            json!({
                "number": code.number(), "name": code.name(), "answer": code.answer(), "reason": code.reason(),
                "plain_text": plain_text,
            })
        })
        .collect();
    check_vectors(
        "verdicts",
        &json!({
            "about": "Verdicts: sdk/spec/verdicts.md. Everybody named is fictitious.",
            "suite": scan.context.domain.suite.number(),
            "network": scan.context.domain.network,
            "validators": scan.world.validators(),
            "codes": codes,
            "proofs": proofs,
            "cases": cases,
        }),
    );
}

#[test]
fn codes_have_their_names_and_numbers_for_life() {
    let names = [
        "VALID",
        "VALID_OFFLINE",
        "DOCUMENT_STATUS_ONLY",
        "CODE_EXPIRED",
        "CODE_REPLAYED",
        "CODE_NOT_YET_VALID",
        "HOLDER_PROOF_INVALID",
        "MALFORMED",
        "UNKNOWN_CERT",
        "CONTENT_MISMATCH",
        "ISSUER_NOT_AUTHORISED",
        "ISSUER_KEY_REVOKED",
        "SUSPENDED",
        "ANNULLED",
        "CANCELLED",
        "REVOKED",
        "EXPIRED",
        "SUPERSEDED",
        "TRANSFERRED",
        "DISPUTED",
        "ALREADY_CONSUMED",
        "NOT_RECOGNISED",
        "PURPOSE_NOT_COVERED",
        "GRANT_REQUIRED",
        "APP_SUSPENDED",
        "ASSURANCE_TOO_LOW",
        "STATUS_STALE",
        "LEDGER_UNREACHABLE",
    ];
    assert_eq!(VerdictCode::ALL.map(VerdictCode::name), names);
    for (number, code) in (1u8..).zip(VerdictCode::ALL) {
        assert_eq!(code.number(), number);
        assert_eq!(json!(code), json!(code.name()));
    }
}
