//! `fengni item`: service items (事项) and what they need (用证清单).

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use fengni_core::certificate::Grade;
use fengni_core::operation::Operation;
use fengni_core::outcome::Effect;
use fengni_core::record::{ItemStatus, ItemTerms, Need, Resource, ServiceItem};
use fengni_core::{ItemNumber, ResourceNumber};
use serde::Deserialize;
use serde_json::json;

use super::{numbered, read_terms};
use crate::admin::ActingArgs;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::Names;
use crate::output::{Output, table};
use crate::standing::GroundArgs;

/// What happens to a service item.
#[derive(Subcommand, Debug)]
pub(crate) enum ItemCommand {
    /// Put up an item, or another edition of one
    #[command(after_help = "The file of terms, in TOML:
  code = \"11339900XN0200022E400011\"
  name = \"住房补贴申领\"
  purpose = \"住房补贴\"
  resources = [0]             # numbers: see fengni resource list
  [certificates]
  T-RE = \"A\"                  # the lowest trust grade that does

Examples:
  fengni item put housing.toml --home net/members/yhd
  fengni item put housing-2.toml --replaces 0 --home net/members/yhd")]
    Put {
        /// File of terms
        terms: PathBuf,
        /// Number of the edition whose place it takes
        #[arg(long, value_name = "NUMBER")]
        replaces: Option<u32>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Handle an item no longer
    #[command(after_help = "Examples:
  fengni item end 0 --reason 603 --decision notice.pdf --home net/members/yhd")]
    End {
        /// Number of the edition
        item: u32,
        #[command(flatten)]
        ground: GroundArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// List items with what they need, or the editions of one code
    #[command(after_help = "Examples:
  fengni item list --network net
  fengni item list --code 11339900XN0200022E400011 --json")]
    List {
        /// Only this item's code
        #[arg(long)]
        code: Option<String>,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// Terms as people write them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    code: String,
    name: String,
    purpose: String,
    #[serde(default)]
    certificates: BTreeMap<String, Grade>,
    #[serde(default)]
    resources: Vec<u32>,
}

pub(crate) fn run(command: &ItemCommand, output: Output) -> Result<Ending> {
    match command {
        ItemCommand::List { code, connect } => list(code.as_deref(), connect, output),
        ItemCommand::Put { terms, replaces, acting } => {
            let asked = |connection: &mut Connection, names: &mut Names| {
                let terms = Box::new(terms_of(read_terms(terms)?, connection, names)?);
                Ok(Operation::PutItem { terms, replaces: replaces.map(ItemNumber) }.into())
            };
            acting.carry_out(output, asked, done)
        }
        ItemCommand::End { item, ground, acting } => {
            let item = ItemNumber(*item);
            let asked = |connection: &mut Connection, names: &mut Names| {
                ground.asked(connection, names, |ground| Operation::EndItem { item, ground })
            };
            acting.carry_out(output, asked, done)
        }
    }
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::Item { item, status } => format!("item {item} is {}", status_words(*status)),
        _ => String::new(),
    }
}

fn terms_of(file: TermsFile, connection: &mut Connection, names: &mut Names) -> Result<ItemTerms> {
    let purpose = names.purpose(connection, &file.purpose)?;
    let mut needs: Vec<Need> =
        file.resources.iter().map(|number| Need::Resource { resource: ResourceNumber(*number) }).collect();
    for (kind, min_grade) in file.certificates {
        needs.push(Need::Certificate { certificate_type: names.certificate_type(connection, &kind)?, min_grade });
    }
    needs.sort_unstable();
    Ok(ItemTerms { code: file.code, name: file.name, purpose, needs })
}

fn status_words(status: ItemStatus) -> String {
    match status {
        ItemStatus::Current => "current".to_owned(),
        ItemStatus::Replaced { by, .. } => format!("replaced by {by}"),
        ItemStatus::Ended { .. } => "ended".to_owned(),
    }
}

fn list(code: Option<&str>, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let mut items: Vec<(u32, ServiceItem)> = numbered(&mut connection)?;
    items.retain(|(_, item)| code.is_none_or(|code| item.terms.code == code));
    let resources: Vec<Resource> = connection.ledger.shelf()?;
    let mut names = Names::default();
    let types = names.types(&mut connection)?.to_vec();
    let members = names.called(&mut connection)?;
    let need = |need: &Need| match need {
        Need::Certificate { certificate_type, min_grade } => {
            let name = types.get(certificate_type.0 as usize).map_or("?", |kind| kind.name.as_str());
            format!("{name} ({min_grade})")
        }
        Need::Resource { resource } => {
            resources.get(resource.0 as usize).map_or_else(String::new, |found| found.terms.name.clone())
        }
    };
    let listed = items.iter().map(|(number, record)| json!({ "item": number, "record": record }));
    output.answer(&json!({ "items": listed.collect::<Vec<_>>() }), || {
        let rows = items.iter().map(|(number, record)| {
            [
                number.to_string(),
                record.terms.code.clone(),
                record.terms.name.clone(),
                members.of(record.department),
                record.terms.needs.iter().map(need).collect::<Vec<_>>().join(", "),
                status_words(record.status),
            ]
        });
        table(["number", "code", "name", "department", "needs", "status"], rows)
    });
    Ok(Ending::Holds)
}
