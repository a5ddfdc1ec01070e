//! A certificate type for a network that runs: written as in a founding, registered by a vote.

use std::collections::BTreeMap;

use fengni_core::MemberNumber;
use fengni_core::record::CertificateType;
use fengni_state::{TypeSetting, type_faults};

use crate::parse::{Format, one_type};
use crate::problem::{Findings, Problems};
use crate::resolve::Resolver;

/// Rules G-1 and G-10: reads a document with one `[[types]]` table and nothing else.
///
/// - `members`: by the names that the document may use.
/// - `setting`: the network as it is.
///
/// # Errors
/// Every problem, in the order of the lines.
///
/// # Source
/// `sdk/spec/genesis.md`, rules G-1 and G-10.
pub fn read_type(
    text: &str,
    format: Format,
    members: &BTreeMap<String, MemberNumber>,
    setting: &TypeSetting<'_>,
) -> Result<CertificateType, Problems> {
    let (entry, lines) = one_type(text, format)?;
    let mut findings = Findings::default();
    let kind = Resolver::of_network(members, setting.purposes, &mut findings).certificate_type("types[0]", &entry);
    let mut consequences = Findings::default();
    consequences.add_faults("types[0]", type_faults(&kind, setting));
    findings.add_consequences(consequences);
    findings.finish(&lines)?;
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_type_is_read_as_in_a_founding_and_judged_by_the_network_as_it_is() {
        let document = sample::network(fengni_core::Millis(1_800_000_000_000), &sample::test_key);
        let genesis = document.check().expect("the sample is right");
        let members = document.members.iter().zip(0..).map(|(entry, number)| (entry.key.clone(), MemberNumber(number)));
        let members: BTreeMap<String, MemberNumber> = members.collect();
        let setting = TypeSetting {
            trusting_period_secs: genesis.parameters.trusting_period_secs,
            members: genesis.members.len(),
            purposes: genesis.codes.iter().find(|set| set.name == "purposes"),
        };
        for (entry, kind) in document.types.iter().zip(&genesis.types) {
            let text = serde_json::json!({ "types": [entry] }).to_string();
            assert_eq!(read_type(&text, Format::Json, &members, &setting).as_ref(), Ok(kind));
        }
        let text = serde_json::json!({ "types": [document.types[0]] }).to_string();
        let read = |text: &str| read_type(text, Format::Json, &members, &setting).expect_err("a mistake").to_string();
        let cases = [
            (text.replace("\"code_lifetime_secs\":", "\"code_lifetime_secs\":1"), "outside 60 to 300"),
            (serde_json::json!({ "types": document.types }).to_string(), "write one [[types]] table"),
            (serde_json::json!({ "members": [], "types": [] }).to_string(), "expected one of types"),
        ];
        for (text, said) in cases {
            assert!(read(&text).contains(said), "{said}: {}", read(&text));
        }
        let nobody = BTreeMap::new();
        let suspenders = text.replace("\"suspenders\":[", "\"suspenders\":[\"NOBODY\"");
        let refused = read_type(&suspenders.replace("\"NOBODY\"\"", "\"NOBODY\",\""), Format::Json, &nobody, &setting);
        assert!(refused.expect_err("a stranger").to_string().contains("there is no member \"NOBODY\""));
    }
}
