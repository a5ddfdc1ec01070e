//! `fengni resource`: the list of shared resources (共享目录).

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use fengni_core::ResourceNumber;
use fengni_core::operation::{Operation, ResourceDecision};
use fengni_core::outcome::Effect;
use fengni_core::record::{DataLevel, DataSubject, Field, Mode, Resource, ResourceStatus, ResourceTerms, Sharing};
use serde::Deserialize;
use serde_json::json;

use super::{modes, numbered, read_terms};
use crate::admin::{ActingArgs, Asked};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::Names;
use crate::output::{Output, table};
use crate::standing::GroundArgs;

/// What happens to a resource.
#[derive(Subcommand, Debug)]
pub(crate) enum ResourceCommand {
    /// Put a resource, or another edition of one, up for review
    #[command(after_help = "The file of terms, in TOML:
  name = \"参保月数核验\"
  subject = \"person\"            # person, body, or a certificate type such as T-RE
  fields = [\"参保月数\", \"!参保地\"] # ! marks what is sensitive
  sharing = \"conditional\"       # unconditional, conditional, not-shared
  conditions = \"仅用于住房补贴\"
  basis = \"社会保险法\"
  frequency = \"每日\"
  modes = [\"verify\"]            # verify, query, batch
  level = \"general\"             # general, important

Examples:
  fengni resource propose months.toml --home net/members/hrs
  fengni resource propose months-2.toml --replaces 0 --home net/members/hrs")]
    Propose {
        /// File of terms
        terms: PathBuf,
        /// Number of the edition whose place it is to take
        #[arg(long, value_name = "NUMBER")]
        replaces: Option<u32>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let an edition be published, as the competent authority
    #[command(after_help = "Examples:
  fengni resource publish 0 --reason 603 --decision review.pdf --home net/members/gov")]
    Publish(DecideArgs),
    /// Turn an edition down, as the competent authority
    #[command(after_help = "Examples:
  fengni resource refuse 0 --reason 603 --decision review.pdf --home net/members/gov")]
    Refuse(DecideArgs),
    /// Share a resource no longer
    #[command(after_help = "Examples:
  fengni resource end 0 --reason 603 --decision notice.pdf --home net/members/hrs")]
    End(DecideArgs),
    /// List resources and their editions
    #[command(after_help = "Examples:\n  fengni resource list --network net\n  fengni resource list --json")]
    List(ConnectArgs),
    /// Show what two editions say differently
    #[command(after_help = "Examples:\n  fengni resource diff 0 3 --network net")]
    Diff {
        /// Number of one edition
        old: u32,
        /// Number of the other
        new: u32,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// Which edition, why, by whom.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct DecideArgs {
    /// Number of the edition: see fengni resource list
    resource: u32,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Terms as people write them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    name: String,
    subject: String,
    fields: Vec<String>,
    sharing: Sharing,
    #[serde(default)]
    conditions: String,
    basis: String,
    frequency: String,
    #[serde(default)]
    modes: Vec<Mode>,
    level: DataLevel,
}

pub(crate) fn run(command: &ResourceCommand, output: Output) -> Result<Ending> {
    let (args, decision) = match command {
        ResourceCommand::List(connect) => return list(connect, output),
        ResourceCommand::Diff { old, new, connect } => return diff((*old, *new), connect, output),
        ResourceCommand::Propose { terms, replaces, acting } => {
            let asked = |connection: &mut Connection, names: &mut Names| {
                let terms = Box::new(terms_of(read_terms(terms)?, connection, names)?);
                Ok(Operation::ProposeResource { terms, replaces: replaces.map(ResourceNumber) }.into())
            };
            return acting.carry_out(output, asked, done);
        }
        ResourceCommand::Publish(args) => (args, ResourceDecision::Publish),
        ResourceCommand::Refuse(args) => (args, ResourceDecision::Refuse),
        ResourceCommand::End(args) => (args, ResourceDecision::End),
    };
    let resource = ResourceNumber(args.resource);
    let asked = |connection: &mut Connection, names: &mut Names| -> Result<Asked> {
        args.ground.asked(connection, names, |ground| Operation::DecideResource { resource, decision, ground })
    };
    args.acting.carry_out(output, asked, done)
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::Resource { resource, status } => format!("resource {resource} is {}", status_words(*status)),
        _ => String::new(),
    }
}

fn terms_of(file: TermsFile, connection: &mut Connection, names: &mut Names) -> Result<ResourceTerms> {
    let subject = match file.subject.as_str() {
        "person" => DataSubject::Person,
        "body" => DataSubject::Body,
        kind => DataSubject::Certificate { certificate_type: names.certificate_type(connection, kind)? },
    };
    let field = |text: &String| match text.strip_prefix('!') {
        Some(name) => Field { name: name.to_owned(), sensitive: true },
        None => Field { name: text.clone(), sensitive: false },
    };
    let mut modes = file.modes;
    modes.sort_unstable();
    Ok(ResourceTerms {
        name: file.name,
        subject,
        fields: file.fields.iter().map(field).collect(),
        sharing: file.sharing,
        conditions: file.conditions,
        basis: file.basis,
        frequency: file.frequency,
        modes,
        level: file.level,
    })
}

fn status_words(status: ResourceStatus) -> String {
    match status {
        ResourceStatus::Proposed => "proposed, waiting for review".to_owned(),
        ResourceStatus::Published { .. } => "published".to_owned(),
        ResourceStatus::Refused { .. } => "turned down".to_owned(),
        ResourceStatus::Replaced { by, .. } => format!("replaced by {by}"),
        ResourceStatus::Ended { .. } => "shared no longer".to_owned(),
    }
}

fn sharing_words(sharing: Sharing) -> &'static str {
    match sharing {
        Sharing::Unconditional => "unconditional 无条件",
        Sharing::Conditional => "conditional 有条件",
        Sharing::NotShared => "not shared 不予共享",
    }
}

fn list(connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let resources: Vec<(u32, Resource)> = numbered(&mut connection)?;
    let members = Names::default().called(&mut connection)?;
    let listed = resources.iter().map(|(number, record)| json!({ "resource": number, "record": record }));
    output.answer(&json!({ "resources": listed.collect::<Vec<_>>() }), || {
        let rows = resources.iter().map(|(number, record)| {
            [
                number.to_string(),
                record.terms.name.clone(),
                members.of(record.provider),
                sharing_words(record.terms.sharing).to_owned(),
                modes(&record.terms.modes),
                fields(&record.terms),
                status_words(record.status),
            ]
        });
        table(["number", "name", "provider", "sharing", "modes", "fields", "status"], rows)
    });
    Ok(Ending::Holds)
}

fn fields(terms: &ResourceTerms) -> String {
    terms.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn diff((old, new): (u32, u32), connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let [before, after]: [Resource; 2] = [connection.ledger.record(old)?, connection.ledger.record(new)?];
    if before.provider != after.provider {
        bail!("these two are of different providers, and no editions of one resource");
    }
    let (before, after) = (json!(before.terms), json!(after.terms));
    let differs = before.as_object().into_iter().flatten().filter(|(key, value)| after[key.as_str()] != **value);
    let differs: Vec<_> =
        differs.map(|(key, value)| json!({ "what": key, "before": value, "after": after[key.as_str()] })).collect();
    let ending = if differs.is_empty() { "the two editions say the same" } else { "" };
    output.answer(&json!({ "old": old, "new": new, "differences": differs }), || {
        let row = |it: &serde_json::Value| [&it["what"], &it["before"], &it["after"]].map(ToString::to_string);
        if differs.is_empty() { ending.to_owned() } else { table(["what", "before", "after"], differs.iter().map(row)) }
    });
    Ok(Ending::Holds)
}
