//! What YHD's people write when they ask for data, and what they read of what came.

use fengni_client::sharing::requester::Taken;
use serde::Deserialize;
use serde_json::Value;

use super::papers::CASE;

/// What a holder agreed to, on which a use rests.
#[derive(Clone, Copy)]
pub enum Consent<'a> {
    /// Nothing.
    None,
    /// A grant, by its name in the story.
    Grant(&'a str),
    /// A use code.
    Code(&'a UseTexts),
}

/// What a holder hands over at a counter.
#[derive(Deserialize)]
pub struct UseTexts {
    use_code: String,
    identity: String,
}

/// What YHD asks of somebody, as its people write it.
pub fn terms(subject: &str, consent: Consent<'_>, request: u32, case: Option<&str>) -> String {
    let case = case.unwrap_or(CASE);
    let consent = match consent {
        Consent::None => String::new(),
        Consent::Grant(name) => format!("grant = \"{name}.grant.json\"\n"),
        Consent::Code(UseTexts { use_code, identity }) => {
            format!("use_code = {use_code:?}\nidentity = {identity:?}\n")
        }
    };
    format!(
        "request = {request}\ncase = \"{case}\"\nmode = \"verify\"\nfields = [\"参保月数\"]\n\
         [[questions]]\nsubject = \"{subject}\"\n{consent}tests = {{ \"参保月数\" = \">=36\" }}\n"
    )
}

/// What came of a question: one word, a refusal's where it was refused.
///
/// # Panics
/// When it is no result.
pub fn word(result: &Value) -> String {
    let word = result.as_str().or_else(|| result["refused"].as_str());
    word.unwrap_or_else(|| panic!("no result: {result}")).to_owned()
}

/// What a file of receipts holds, with the access that they answer.
///
/// # Panics
/// When it is none.
pub fn taken(path: &str) -> Taken {
    serde_json::from_slice(&std::fs::read(path).expect("it was kept")).expect("what asking kept")
}
