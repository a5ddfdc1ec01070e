//! Identifiers as people type them: which kind of code, and which character is wrong (VER-15).

use fengni_core::id::{IdError, Kind, classify};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::json;

/// What a text is. The text itself is not repeated: it may be a person's number.
#[derive(Serialize)]
struct Finding {
    kind: &'static str,
    valid: bool,
    problem: Option<Problem>,
    parts: Option<Parts>,
}

#[derive(Serialize)]
struct Problem {
    name: &'static str,
    rule: &'static str,
    message: String,
    /// Place of the wrong character, from 0.
    at: Option<usize>,
    /// What stands there.
    found: Option<char>,
    /// The check character that the others call for.
    expected: Option<char>,
}

/// What a certificate's identifier is made of.
#[derive(Serialize)]
struct Parts {
    type_code: String,
    issuer: String,
    serial: String,
    version: String,
    check: char,
}

/// Tells which kind of code a text looks like, and what is wrong with it.
#[wasm_bindgen(js_name = checkIdentifier)]
pub fn check_identifier(text: &str) -> String {
    let kind = classify(text);
    let error = kind.validity().err();
    let parts = match &kind {
        Kind::Certificate(Ok(id)) => Some(Parts {
            type_code: id.type_code().to_string(),
            issuer: id.issuer().to_string(),
            serial: id.serial().to_string(),
            version: id.version().to_string(),
            check: id.check_character(),
        }),
        _ => None,
    };
    json(&Finding { kind: kind.name(), valid: error.is_none(), problem: error.as_ref().map(problem), parts })
}

fn problem(error: &IdError) -> Problem {
    let (at, found, expected) = place(error);
    Problem { name: error.name(), rule: error.rule(), message: error.to_string(), at, found, expected }
}

/// Where the wrong character stands, and what should stand there.
fn place(error: &IdError) -> (Option<usize>, Option<char>, Option<char>) {
    match error {
        IdError::Character { at, found, .. } => (Some(*at), Some(*found), None),
        IdError::CheckCharacter { at, found, expected, .. } => (Some(*at), Some(*found), Some(*expected)),
        IdError::NonconformingIssuer { reason } => place(reason),
        IdError::PersonInSerial { at } => (Some(*at), None, None),
        _ => (None, None, None),
    }
}
