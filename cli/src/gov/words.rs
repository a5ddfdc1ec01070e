//! A measure and its vote in words.

use fengni_core::record::{Measure, Parameters, Proposal, ProposalStatus};
use fengni_core::{MemberNumber, TypeNumber};
use fengni_state::Registries;

use crate::key_file::purpose_word;
use crate::words;

/// A member's name and number.
pub(super) fn member(now: &Registries, number: MemberNumber) -> String {
    now.members.get(number.0).map_or_else(|| format!("member {number}"), |it| format!("{} ({number})", it.name))
}

/// Members, with commas.
pub(super) fn members(now: &Registries, numbers: &[MemberNumber]) -> String {
    numbers.iter().map(|number| member(now, *number)).collect::<Vec<_>>().join(", ")
}

fn kind(now: &Registries, number: TypeNumber) -> String {
    now.types.get(number.0).map_or_else(|| format!("type {number}"), |it| it.name.clone())
}

/// What a measure changes.
pub(super) fn measure(now: &Registries, measure: &Measure) -> String {
    match measure {
        Measure::Admit { application, power } => {
            let applicant = now.applications.get(application.0).map(|it| &it.applicant);
            let who = applicant
                .map_or_else(String::new, |it| format!("{}, {} as {}: ", it.name, it.code, words::roles(it.roles)));
            format!("admit {who}application {application}, power {power}")
        }
        Measure::Remove { member: number } => format!("remove {}", member(now, *number)),
        Measure::ChangeMember { member: number, superior, roles, power, status } => {
            let above =
                superior.map_or_else(|| "no member above".to_owned(), |it| format!("below {}", member(now, it)));
            let (roles, status) = (words::roles(*roles), words::status(*status));
            format!("change {}: {above}, {roles}, power {power}, {status}", member(now, *number))
        }
        Measure::ReplaceKeys { member: number, ends, keys } => {
            let ends: Vec<String> = ends.iter().map(ToString::to_string).collect();
            let keys: Vec<String> =
                keys.iter().map(|key| format!("{} {}", purpose_word(key.purpose), key.key)).collect();
            let list = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
            format!("replace keys of {}: end {}; begin {}", member(now, *number), list(ends), list(keys))
        }
        Measure::SetParameters { parameters } => {
            let changes = changes(now.parameters(), parameters);
            let listed = changes.iter().map(|change| format!("{} {} to {}", change.name, change.before, change.after));
            format!("set parameters: {}", listed.collect::<Vec<_>>().join(", "))
        }
        Measure::SetAuthority { number, authority } => {
            let which = number.map_or_else(|| "give an authority".to_owned(), |it| format!("change authority {it}"));
            let (who, what) = (member(now, authority.member), kind(now, authority.certificate_type));
            let (from, until, basis) = (authority.from, authority.until, &authority.basis);
            format!("{which}: {who} issues {what} in {} from {from} to {until}, by {basis}", authority.division)
        }
        Measure::EnableType { certificate_type, enabled } => {
            let verb = if *enabled { "takes" } else { "takes no" };
            format!("{} {verb} new certificates", kind(now, *certificate_type))
        }
        Measure::SetCodes { codes } => {
            let before = now.codes.iter().find(|set| set.name == codes.name);
            let had = |code: &fengni_core::record::Code| before.is_some_and(|set| set.codes.contains(code));
            let new = codes.codes.iter().filter(|code| !had(code)).map(|code| format!("{} {}", code.code, code.name));
            let has = |code: &str| codes.name_of(code).is_some();
            let gone = before.into_iter().flat_map(|set| &set.codes).filter(|code| !has(&code.code));
            let gone = gone.map(|code| format!("without {} {}", code.code, code.name));
            format!("set {}, version {}: {}", codes.name, codes.version, new.chain(gone).collect::<Vec<_>>().join(", "))
        }
        Measure::RegisterType { certificate_type: it } => {
            let fields = it.schemas.iter().map(|schema| schema.claims.len()).sum::<usize>();
            let takes = if it.enabled { "takes" } else { "takes no" };
            let acting = [("suspended", &it.suspenders), ("revoked", &it.revokers), ("consumed", &it.consumers)];
            let acting = acting.iter().filter(|(_, members)| !members.is_empty());
            let acting: Vec<String> =
                acting.map(|(act, numbers)| format!("{act} by {}", members(now, numbers))).collect();
            let acting = if acting.is_empty() { String::new() } else { format!("; {}", acting.join(", ")) };
            format!("register type {} {}, {fields} fields: {takes} new certificates{acting}", it.code, it.name)
        }
        Measure::ChangeKeeper { book, keeper } => format!("book {book} is kept by {}", member(now, *keeper)),
        Measure::Upgrade { protocol } => format!("blocks speak protocol {protocol}"),
    }
}

/// A parameter that changes.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(super) struct ParameterChange {
    /// Its name, such as `voting.notice`.
    pub(super) name: String,
    pub(super) before: u64,
    pub(super) after: u64,
}

/// The parameters that differ, but the count of versions.
pub(super) fn changes(before: &Parameters, after: &Parameters) -> Vec<ParameterChange> {
    let flat = |parameters: &Parameters| {
        let mut all = Vec::new();
        flatten("", &serde_json::to_value(parameters).unwrap_or_default(), &mut all);
        all
    };
    let pairs = flat(before).into_iter().zip(flat(after));
    pairs
        .filter(|((name, old), (_, new))| name != "version" && old != new)
        .map(|((name, before), (_, after))| ParameterChange { name, before, after })
        .collect()
}

fn flatten(name: &str, value: &serde_json::Value, all: &mut Vec<(String, u64)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(&name, value, all);
            }
        }
        value => all.extend(value.as_u64().map(|number| (name.to_owned(), number))),
    }
}

/// Where a proposal stands.
pub(super) fn status(status: ProposalStatus) -> String {
    match status {
        ProposalStatus::Open => "open".to_owned(),
        ProposalStatus::Passed { height } => format!("passed at {height}"),
        ProposalStatus::Rejected { height } => format!("rejected at {height}"),
        ProposalStatus::Lapsed { height } => format!("lapsed at {height}"),
        ProposalStatus::Withdrawn { height } => format!("withdrawn at {height}"),
        ProposalStatus::Enacted { height } => format!("in effect from {height} on"),
        ProposalStatus::Failed { height, refusal } => format!("failed at {height}: {} {refusal}", refusal.name()),
    }
}

/// A proposal's ballots of those who vote now: for, against, how many are needed, of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub(super) struct Tally {
    pub(super) approved: usize,
    pub(super) opposed: usize,
    pub(super) needed: usize,
    pub(super) voters: usize,
}

impl Tally {
    /// Rule O-20, as the ledger counts.
    pub(super) fn of(now: &Registries, proposal: &Proposal) -> Self {
        let voters = now.voters(&proposal.measure);
        let of = |approve: bool| {
            let counted = proposal.ballots.iter().filter(|ballot| ballot.approve == approve);
            counted.filter(|ballot| voters.contains(&ballot.member)).count()
        };
        let needed = now.parameters().voting.needed(voters.len());
        Self { approved: of(true), opposed: of(false), needed, voters: voters.len() }
    }
}
