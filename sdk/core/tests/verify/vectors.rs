//! Vectors of verdicts, shared with other languages: a code, a proof and a context give a verdict.

use std::collections::BTreeMap;

use fengni_core::Millis;
use fengni_core::code::Code;
use fengni_core::standing::Standing;
use fengni_core::verdict::{Verdict, VerdictCode};
use fengni_core::verify::{Context, Mode, ReplayCache, verify_identifier};
use serde_json::{Value, json};

use crate::sample::check_vectors;
use crate::scan::Scan;
use crate::story::{Change, STORIES};

/// Stories whose ledger differs from the first one's and that are worth their kilobytes.
const LEDGERS: [&str; 26] = [
    "a frozen gateway that replays an old proof",
    "a suspended authority",
    "a key that was revoked from before the seal",
    "among lines that are suspended with a key",
    "suspended by its keeper",
    "annulled",
    "cancelled",
    "revoked",
    "its end recorded",
    "leaving for another province",
    "renewed",
    "consumed",
    "the day after its last",
    "a lost phone",
    "an agreement that is suspended",
    "an uploaded copy where the agreement asks for grade A",
    "a purpose for which the type asks for the holder's grant",
    "a grant needed for another purpose",
    "a verifier that was suspended",
    "a gateway that withholds the page",
    "a gateway that withholds the agreement",
    "a line beyond the book",
    "a type that demands 实人, and a code with 实名 alone",
    "an identity service whose key was revoked",
    "an assertion of a body that is no identity service",
    "a gateway that withholds the identity service",
];

/// Stories that are also judged by a state the device keeps.
const OFFLINE: [&str; 8] = [
    "nothing is wrong",
    "one claim changed",
    "among lines that are suspended with a key",
    "suspended by its keeper",
    "a photograph, shown three minutes later",
    "a gateway that withholds the page",
    "an item that demands 实人, and a code with it",
    "an item that demands 实人, and a code with 实名 alone",
];

/// Proofs by what they hold: many cases share one.
#[derive(Default)]
struct Proofs(BTreeMap<String, String>);

impl Proofs {
    fn name(&mut self, scan: &Scan, code: &Code) -> String {
        let place = self.0.len();
        let proof = hex::encode(scan.proof(code.shown.place).encode());
        self.0.entry(proof).or_insert_with(|| format!("ledger {place}")).clone()
    }
}

fn context(context: &Context) -> Value {
    json!({
        "verifier": context.verifier,
        "purpose": context.purpose,
        "now_millis": context.now,
        "checkpoint_age_secs": context.checkpoint_age_secs,
        "min_grade": context.min_grade,
        "min_assurance": context.min_assurance,
        "challenge": context.challenge,
    })
}

fn verdict(verdict: Verdict) -> Value {
    json!({
        "answer": verdict.answer,
        "code": verdict.code,
        "plain_text": verdict.plain_text,
        "display": verdict.display,
        "detail": verdict.detail,
        "warnings": verdict.warnings,
        "checked": verdict.checked,
        "assurance": verdict.assurance,
        "claims": verdict.document.map(|document| document.claims).unwrap_or_default(),
    })
}

fn case(story: &str, scan: &Scan, proofs: &mut Proofs, found: Verdict) -> Value {
    let code = scan.code();
    json!({
        "story": story,
        "code": code.to_text(),
        "proof": proofs.name(scan, &code),
        "context": context(&scan.context),
        "verdict": verdict(found),
    })
}

fn scan(change: Change) -> Scan {
    let mut scan = Scan::standard();
    change(&mut scan);
    scan
}

/// Codes judged by a fresh proof.
fn online(proofs: &mut Proofs) -> Vec<Value> {
    let ordinary = hex::encode(Scan::standard().proof(Scan::standard().file.place).encode());
    let mut cases = Vec::new();
    for (story, change, _) in STORIES {
        let scan = scan(*change);
        let proof = hex::encode(scan.proof(scan.code().shown.place).encode());
        if proof == ordinary || LEDGERS.contains(story) {
            cases.push(case(story, &scan, proofs, scan.verdict()));
        }
    }
    let mut scan = Scan::standard();
    scan.world.set(scan.file.place, Standing { disputed: true, ..Standing::ACTIVE }, vec![]);
    cases.push(case("an open objection", &scan, proofs, scan.verdict()));
    cases
}

/// Codes judged by the same proofs an hour later, as a device without a network does.
fn offline(proofs: &mut Proofs) -> Vec<Value> {
    let stories = STORIES.iter().filter(|(story, ..)| OFFLINE.contains(story));
    let mut cases: Vec<Value> = stories
        .map(|(story, change, _)| {
            let mut scan = scan(*change);
            scan.context.mode = Mode::Offline;
            case(story, &scan, proofs, scan.verdict())
        })
        .collect();
    let mut scan = Scan::standard();
    scan.context.mode = Mode::Offline;
    scan.terms.issued_secs += 25 * 3600;
    scan.context.now = Millis::from_secs(scan.terms.issued_secs + 5);
    cases.push(case("a state of yesterday", &scan, proofs, scan.verdict()));
    cases
}

/// A code that this verifier has accepted before.
fn replayed(proofs: &mut Proofs) -> Vec<Value> {
    let scan = Scan::standard();
    let mut cache = ReplayCache::new(8);
    let first = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(first.code, VerdictCode::Valid);
    let second = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    vec![case("shown twice to one verifier", &scan, proofs, second)]
}

/// Identifiers typed by hand; `found` is the line a gateway names.
fn typed(proofs: &mut Proofs) -> Vec<Value> {
    let mut cases = Vec::new();
    for (story, change, _) in STORIES {
        let wanted =
            ["nothing is wrong", "among lines that are suspended with a key", "revoked", "renewed", "a lost phone"];
        if !wanted.contains(story) {
            continue;
        }
        let scan = scan(*change);
        let proven = scan.proven(scan.file.place);
        let found = verify_identifier(&scan.identifier(), Some((scan.file.place, &proven)), &scan.context);
        cases.push(json!({
            "story": story,
            "identifier": scan.identifier().to_string(),
            "found": scan.file.place,
            "proof": proofs.name(&scan, &scan.code()),
            "context": context(&scan.context),
            "verdict": verdict(found),
        }));
    }
    let scan = Scan::standard();
    let nothing = verify_identifier(&scan.identifier(), None, &scan.context);
    cases.push(json!({
        "story": "no gateway finds it",
        "identifier": scan.identifier().to_string(),
        "found": null,
        "proof": null,
        "context": context(&scan.context),
        "verdict": verdict(nothing),
    }));
    cases
}

#[test]
fn the_verdict_vectors_hold() {
    let mut proofs = Proofs::default();
    let lists = [online(&mut proofs), offline(&mut proofs), replayed(&mut proofs), typed(&mut proofs)];
    // A stranger's verifier meets every code before it meets a clerk.
    for code in VerdictCode::ALL {
        let says = |case: &Value| {
            case["verdict"]["code"] == code.name()
                || case["verdict"]["warnings"].as_array().is_some_and(|all| all.contains(&json!(code)))
        };
        assert!(lists.iter().flatten().any(says), "no vector gives {code}");
    }
    let [cases, offline, replayed, typed] = lists;
    let scan = Scan::standard();
    let proofs: BTreeMap<String, String> = proofs.0.into_iter().map(|(proof, name)| (name, proof)).collect();
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
            "offline": offline,
            "replayed": replayed,
            "typed": typed,
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
