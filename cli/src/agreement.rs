//! `fengni agreement`: recognition agreements (互认协议).

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use fengni_client::agreement;
use fengni_core::AgreementNumber;
use fengni_core::certificate::Grade;
use fengni_core::operation::Operation;
use fengni_core::outcome::Effect;
use fengni_core::record::{Agreement, AgreementStatus, AgreementTerms, Term};
use serde::{Deserialize, Serialize};

use crate::admin::{ActingArgs, Asked};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names};
use crate::output::{Output, table};
use crate::standing::GroundArgs;

/// What happens to an agreement.
#[derive(Subcommand, Debug)]
pub(crate) enum AgreementCommand {
    /// Put terms up for signature, and sign them
    #[command(after_help = "The file of terms, in TOML:
  label = \"RA-2026-001\"
  parties = [\"GOV\", \"YGOV\"]
  min_grade = \"A\"
  from = \"2026-01-01\"
  until = \"2027-12-31\"
  divisions = []              # all of the parties' where empty
  [terms]
  T-DL = [\"交通执法\"]

Examples:
  fengni agreement propose terms.toml --home net/members/gov")]
    Propose {
        /// File of terms, or `sample` for the agreement of the sample network
        terms: PathBuf,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Sign an agreement after reading its terms
    #[command(after_help = "Examples:\n  fengni agreement sign RA-2026-001 --home net/members/ygov")]
    Sign {
        /// Label or number
        agreement: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Withhold an agreement for now
    #[command(after_help = "Examples:
  fengni agreement suspend RA-2026-001 --reason 601 --decision order.pdf --home net/members/ygov")]
    Suspend {
        /// Label or number
        agreement: String,
        #[command(flatten)]
        ground: GroundArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Put a suspended agreement back in force
    Resume {
        /// Label or number
        agreement: String,
        #[command(flatten)]
        ground: GroundArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// List agreements with their parties and terms
    #[command(after_help = "Examples:\n  fengni agreement list --network net")]
    List(ConnectArgs),
}

/// Terms as people write them: names instead of numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    label: String,
    parties: Vec<String>,
    terms: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    divisions: Vec<String>,
    min_grade: Grade,
    from: String,
    until: String,
}

pub(crate) fn run(command: &AgreementCommand, output: Output) -> Result<Ending> {
    let (acting, what) = match command {
        AgreementCommand::List(connect) => return list(connect, output),
        AgreementCommand::Propose { acting, .. } => (acting, "proposed and signed"),
        AgreementCommand::Sign { acting, .. } => (acting, "signed"),
        AgreementCommand::Suspend { acting, .. } => (acting, "suspended"),
        AgreementCommand::Resume { acting, .. } => (acting, "resumed"),
    };
    let done = |effect: &Effect| match effect {
        Effect::Agreement { agreement, in_force } => {
            let force = if *in_force { "in force" } else { "not in force" };
            format!("agreement {agreement} {what}, {force}")
        }
        _ => what.to_owned(),
    };
    acting.carry_out(output, |connection, names| asked(command, connection, names), done)
}

fn asked(command: &AgreementCommand, connection: &mut Connection, names: &mut Names) -> Result<Asked> {
    match command {
        AgreementCommand::List(_) => bail!("a list asks for nothing"),
        AgreementCommand::Propose { terms, .. } => Ok(agreement::propose(read_terms(terms, connection, names)?).into()),
        AgreementCommand::Sign { agreement: text, .. } => Ok(sign(connection, text)?.into()),
        AgreementCommand::Suspend { agreement: text, ground, .. } => {
            let number = names::agreement(connection, text)?;
            ground.asked(connection, names, |ground| agreement::suspend(number, ground))
        }
        AgreementCommand::Resume { agreement: text, ground, .. } => {
            let number = names::agreement(connection, text)?;
            ground.asked(connection, names, |ground| agreement::resume(number, ground))
        }
    }
}

fn sign(connection: &mut Connection, text: &str) -> Result<Operation> {
    let number = names::agreement(connection, text)?;
    let read: Agreement = connection.ledger.record(number.0)?;
    Ok(agreement::sign(&connection.ledger.domain(), number, &read))
}

fn read_terms(path: &PathBuf, connection: &mut Connection, names: &mut Names) -> Result<AgreementTerms> {
    if path.as_os_str() == "sample" {
        return Ok(fengni_genesis::sample::agreement_terms());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let file: TermsFile = toml::from_str(&text).with_context(|| format!("{} is no file of terms", path.display()))?;
    let mut parties = file.parties.iter().map(|name| names.member(connection, name)).collect::<Result<Vec<_>>>()?;
    parties.sort_unstable();
    let mut terms = Vec::new();
    for (kind, purposes) in &file.terms {
        let certificate_type = names.certificate_type(connection, kind)?;
        let mut purposes = purposes.iter().map(|name| names.purpose(connection, name)).collect::<Result<Vec<_>>>()?;
        purposes.sort_unstable();
        terms.push(Term { certificate_type, purposes });
    }
    terms.sort_by_key(|term| term.certificate_type);
    let mut divisions = file.divisions.iter().map(|code| names::division(code)).collect::<Result<Vec<_>>>()?;
    divisions.sort_unstable();
    Ok(AgreementTerms {
        label: file.label,
        parties,
        terms,
        divisions,
        min_grade: file.min_grade,
        from: names::day(&file.from)?,
        until: names::day(&file.until)?,
    })
}

#[derive(Serialize)]
struct Listed {
    agreement: AgreementNumber,
    #[serde(flatten)]
    record: Agreement,
}

fn list(connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let mut names = Names::default();
    let records: Vec<Agreement> = connection.ledger.shelf()?;
    let listed: Vec<Listed> =
        (0..).map(AgreementNumber).zip(records).map(|(agreement, record)| Listed { agreement, record }).collect();
    let members = names.called(&mut connection)?;
    let types = names.types(&mut connection)?.to_vec();
    output.answer(&serde_json::json!({ "agreements": listed }), || {
        let rows = listed.iter().map(|it| {
            let terms = &it.record.terms;
            let parties = it.record.parties.iter().map(|party| {
                format!("{}{}", members.of(party.member), if party.signed.is_some() { "" } else { " (unsigned)" })
            });
            let kinds = terms.terms.iter().map(|term| {
                types.get(term.certificate_type.0 as usize).map_or_else(String::new, |kind| kind.name.clone())
            });
            let status = match it.record.status {
                AgreementStatus::Proposed => "proposed".to_owned(),
                AgreementStatus::InForce => "in force".to_owned(),
                AgreementStatus::Suspended { by, since } => format!("suspended by {} at {since}", members.of(by)),
            };
            [
                it.agreement.to_string(),
                terms.label.clone(),
                status,
                format!("{} to {}", terms.from, terms.until),
                parties.collect::<Vec<_>>().join(", "),
                kinds.collect::<Vec<_>>().join(", "),
            ]
        });
        table(["number", "label", "status", "days", "parties", "types"], rows)
    });
    Ok(Ending::Holds)
}
