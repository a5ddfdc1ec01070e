//! `fengni id check`: which kind of code a text is, and what is wrong with it.

use std::collections::BTreeMap;

use fengni_core::id::{IdError, Kind, classify};
use serde::Serialize;

use crate::ending::Ending;
use crate::output::Output;

/// What a text is. The text itself is not repeated: it may be a person's number.
#[derive(Serialize)]
struct Finding {
    kind: &'static str,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parts: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    rule: &'static str,
    message: String,
}

pub(crate) fn check(code: &str, output: Output) -> Ending {
    let kind = classify(code);
    let error = kind.validity().err();
    let finding = Finding {
        kind: kind.name(),
        valid: error.is_none(),
        reason: error.as_ref().map(|error| Reason {
            code: error.name(),
            rule: error.rule(),
            message: error.to_string(),
        }),
        parts: parts(&kind),
    };
    output.answer(&finding, || text(&finding, error.as_ref()));
    Ending::from(finding.valid)
}

fn text(finding: &Finding, error: Option<&IdError>) -> String {
    let mut text = match error {
        None => format!("valid: {}", finding.kind),
        Some(error) if finding.kind == "unknown" => format!("refused {}: {error}", error.name()),
        Some(error) => format!("refused {}: looks like a {}; {error}", error.name(), finding.kind),
    };
    for (name, value) in &finding.parts {
        text.push_str(&format!("\n{name}: {value}"));
    }
    if let Some(error) = error {
        text.push_str(&format!("\nnext: {}", next(error)));
    }
    text
}

fn next(error: &IdError) -> &'static str {
    match error {
        IdError::Character { .. } => "write digits and capitals in half width, without spaces",
        IdError::CheckCharacter { .. } | IdError::Length { .. } | IdError::Parts { .. } => {
            "compare it with the document character by character"
        }
        IdError::VendorOid | IdError::OtherOid => "ask the issuer for the identifier by GB/T 36904",
        IdError::BirthDate | IdError::BornAfterToday => "compare characters 7 to 14 with the date of birth",
        IdError::NonconformingIssuer { .. } => "ask the issuer for an identifier with its credit code",
        IdError::PersonInSerial { .. } => "ask the issuer for a serial that holds no person's number",
        IdError::VersionRange { .. } | IdError::UnknownShape { .. } => {
            "give a certificate identifier, type code, credit code, organisation code, resident number or division"
        }
    }
}

/// What a valid code is made of; nothing of a person's number.
fn parts(kind: &Kind) -> BTreeMap<&'static str, String> {
    match kind {
        Kind::Certificate(Ok(id)) => BTreeMap::from([
            ("type", id.type_code().to_string()),
            ("issuer", id.issuer().to_string()),
            ("serial", id.serial().to_string()),
            ("version", id.version().to_string()),
        ]),
        Kind::Credit(Ok(code)) => BTreeMap::from([("division", code.division().to_string())]),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_code_is_told_apart_and_judged() {
        let cases = [
            (
                "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.001.N",
                "certificate identifier",
                true,
            ),
            (
                "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000010.001.N",
                "certificate identifier",
                false,
            ),
            ("11100000XN0000012G001", "type code", true),
            ("11319900XN0100021G", "credit code", true),
            ("11319900XN0100021H", "credit code", false),
            ("319901199003070029", "resident number", true),
            ("319901199003070020", "resident number", false),
            ("319900", "division code", true),
            ("M000100Y-4", "organisation code", true),
            ("hello", "unknown", false),
        ];
        for (code, name, valid) in cases {
            let kind = classify(code);
            assert_eq!((kind.name(), kind.validity().is_ok()), (name, valid), "{code}");
            assert_eq!(check(code, Output::new(true)), Ending::from(valid));
        }
    }

    #[test]
    fn a_persons_number_is_not_taken_apart() {
        assert!(parts(&classify("319901199003070029")).is_empty());
    }
}
