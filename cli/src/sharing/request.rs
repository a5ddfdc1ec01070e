//! `fengni request`: requests for data (共享申请), their answers and what is overdue.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use fengni_core::operation::{Operation, RequestDecision};
use fengni_core::outcome::Effect;
use fengni_core::record::{AccessBasis, Mode, Overdue, Request, RequestStatus, RequestTerms, Resource};
use fengni_core::{ItemNumber, RequestNumber, ResourceNumber};
use serde::Deserialize;
use serde_json::json;

use super::{clock, field, numbered, read_terms, today};
use crate::admin::ActingArgs;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names};
use crate::output::{Output, table};
use crate::standing::GroundArgs;

/// What happens to a request.
#[derive(Subcommand, Debug)]
pub(crate) enum RequestCommand {
    /// File a request; what is filed never changes
    #[command(after_help = "The file of terms, in TOML:
  resource = 0                # see fengni resource list
  item = 0                    # see fengni item list; it names the purpose
  basis = \"authorisation\"     # function 依职能, authorisation 授权, entrustment 委托
  law = \"住房补贴办法\"
  fields = [\"参保月数\"]
  modes = [\"verify\"]
  population = \"申请人\"
  frequency = \"一件一次\"
  measures = \"用后即删\"
  from = \"2026-03-06\"
  until = \"2026-12-31\"

Examples:
  fengni request file q7.toml --home net/members/yhd
  fengni request file q7-again.toml --amends 0 --home net/members/yhd")]
    File {
        /// File of terms
        terms: PathBuf,
        /// Number of the returned request whose place it takes
        #[arg(long, value_name = "NUMBER")]
        amends: Option<u32>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// 补正: send a request back, as the provider
    #[command(after_help = "Examples:
  fengni request return 0 --reason 604 --decision answer.pdf --home net/members/hrs")]
    Return(DecideArgs),
    /// Agree to a request, as the provider
    #[command(after_help = "Examples:
  fengni request agree 0 --reason 604 --decision answer.pdf --home net/members/hrs")]
    Agree(DecideArgs),
    /// Refuse a request, as the provider, with the law that says so
    #[command(after_help = "Examples:
  fengni request refuse 0 --law \"社会保险法第九十二条\" --reason 604 --decision answer.pdf \\
      --home net/members/hrs")]
    Refuse {
        /// The law that the refusal rests on
        #[arg(long, value_name = "TEXT")]
        law: String,
        #[command(flatten)]
        args: DecideArgs,
    },
    /// 延期: ask for more time to answer, as the provider
    #[command(after_help = "Examples:
  fengni request ask-time 0 --days 5 --reason 604 --decision letter.pdf --home net/members/hrs")]
    AskTime {
        /// Working days
        #[arg(long)]
        days: u32,
        #[command(flatten)]
        args: DecideArgs,
    },
    /// Give the time that a provider asked for, as the competent authority
    #[command(after_help = "Examples:
  fengni request give-time 0 --reason 603 --decision review.pdf --home net/members/gov
  fengni request give-time 0 --deny --reason 603 --decision review.pdf --home net/members/gov")]
    GiveTime {
        /// Do not give it
        #[arg(long)]
        deny: bool,
        #[command(flatten)]
        args: DecideArgs,
    },
    /// Serve a request from now on, as the provider
    #[command(after_help = "Examples:
  fengni request provision 0 --reason 604 --decision answer.pdf --home net/members/hrs")]
    Provision(DecideArgs),
    /// Withhold a request for now
    #[command(after_help = "Examples:
  fengni request suspend 0 --reason 604 --decision notice.pdf --home net/members/hrs")]
    Suspend(DecideArgs),
    /// Give back a request that one withheld
    #[command(after_help = "Examples:
  fengni request resume 0 --reason 604 --decision notice.pdf --home net/members/hrs")]
    Resume(DecideArgs),
    /// End a request, as the provider or the requester
    #[command(after_help = "Examples:
  fengni request end 0 --reason 604 --decision notice.pdf --home net/members/yhd")]
    End(DecideArgs),
    /// List requests, or those that are overdue
    #[command(after_help = "What is overdue follows from the records and the day of the newest block, so that every
node says the same.

Examples:
  fengni request list --network net
  fengni request list --overdue --json --network net")]
    List {
        /// Only those that are overdue
        #[arg(long)]
        overdue: bool,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// Which request, why, by whom.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct DecideArgs {
    /// Number of the request: see fengni request list
    request: u32,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Terms as people write them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    resource: u32,
    item: u32,
    basis: AccessBasis,
    law: String,
    fields: Vec<String>,
    modes: Vec<Mode>,
    population: String,
    frequency: String,
    measures: String,
    from: String,
    until: String,
}

pub(crate) fn run(command: &RequestCommand, output: Output) -> Result<Ending> {
    let (args, decision) = match command {
        RequestCommand::List { overdue, connect } => return list(*overdue, connect, output),
        RequestCommand::File { terms, amends, acting } => {
            let asked = |connection: &mut Connection, _: &mut Names| {
                let terms = Box::new(terms_of(read_terms(terms)?, connection)?);
                Ok(Operation::FileRequest { terms, amends: amends.map(RequestNumber) }.into())
            };
            return acting.carry_out(output, asked, done);
        }
        RequestCommand::Return(args) => (args, RequestDecision::Return),
        RequestCommand::Agree(args) => (args, RequestDecision::Agree),
        RequestCommand::Refuse { law, args } => (args, RequestDecision::Refuse { law: law.clone() }),
        RequestCommand::AskTime { days, args } => (args, RequestDecision::AskTime { days: *days }),
        RequestCommand::GiveTime { deny, args } => (args, RequestDecision::GiveTime { approve: !deny }),
        RequestCommand::Provision(args) => (args, RequestDecision::Provision),
        RequestCommand::Suspend(args) => (args, RequestDecision::Suspend),
        RequestCommand::Resume(args) => (args, RequestDecision::Resume),
        RequestCommand::End(args) => (args, RequestDecision::End),
    };
    let request = RequestNumber(args.request);
    let asked = |connection: &mut Connection, names: &mut Names| {
        args.ground.asked(connection, names, |ground| Operation::DecideRequest { request, decision, ground })
    };
    args.acting.carry_out(output, asked, done)
}

fn done(effect: &Effect) -> String {
    let Effect::Request { request, status, due } = effect else { return String::new() };
    let due = due.map_or_else(String::new, |due| format!(", due {due}"));
    format!("request {request} is {}{due}", status_words(*status))
}

fn terms_of(file: TermsFile, connection: &mut Connection) -> Result<RequestTerms> {
    let resource: Resource = connection.ledger.record(file.resource)?;
    let mut fields = file.fields.iter().map(|name| field(&resource.terms, name)).collect::<Result<Vec<_>>>()?;
    fields.sort_unstable();
    let mut modes = file.modes;
    modes.sort_unstable();
    Ok(RequestTerms {
        resource: ResourceNumber(file.resource),
        item: ItemNumber(file.item),
        basis: file.basis,
        law: file.law,
        fields,
        modes,
        population: file.population,
        frequency: file.frequency,
        measures: file.measures,
        from: names::day(&file.from)?,
        until: names::day(&file.until)?,
    })
}

fn status_words(status: RequestStatus) -> &'static str {
    match status {
        RequestStatus::Filed => "filed",
        RequestStatus::Returned => "returned 补正",
        RequestStatus::Agreed => "agreed 同意",
        RequestStatus::Refused => "refused 拒绝",
        RequestStatus::Provisioned => "provisioned 提供",
        RequestStatus::Suspended { .. } => "suspended 暂停",
        RequestStatus::Ended { .. } => "ended 终止",
    }
}

fn list(overdue: bool, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let today = today(&mut connection)?;
    let mut requests: Vec<(u32, Request)> = numbered(&mut connection)?;
    requests.retain(|(_, request)| !overdue || request.overdue(today).is_some());
    let resources: Vec<Resource> = connection.ledger.shelf()?;
    let members = Names::default().called(&mut connection)?;
    let listed = requests
        .iter()
        .map(|(number, record)| json!({ "request": number, "overdue": record.overdue(today), "record": record }));
    output.answer(&json!({ "today": today.to_string(), "requests": listed.collect::<Vec<_>>() }), || {
        let rows = requests.iter().map(|(number, record)| {
            let resource = resources.get(record.terms.resource.0 as usize);
            [
                number.to_string(),
                members.of(record.requester),
                resource.map_or_else(String::new, |it| it.terms.name.clone()),
                record.terms.basis.word().to_owned(),
                status_words(record.status).to_owned(),
                match record.overdue(today) {
                    Some(Overdue::Answer) => "answer overdue".to_owned(),
                    Some(Overdue::Provision) => "data overdue".to_owned(),
                    None => String::new(),
                },
                clock(record.answer, today),
                clock(record.provision, today),
            ]
        });
        table(["number", "requester", "resource", "basis", "status", "overdue", "answer", "provision"], rows)
    });
    Ok(Ending::Holds)
}
