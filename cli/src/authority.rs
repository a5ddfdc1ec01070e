//! `fengni authority`: issuing authorities (制发权限), withheld for now and given back.

use anyhow::Result;
use clap::{Args, Subcommand};
use fengni_client::authority;
use fengni_core::AuthorityNumber;
use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::Effect;
use fengni_core::record::Authority;
use serde::Serialize;

use crate::admin::ActingArgs;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::names::Names;
use crate::output::{Output, table};
use crate::standing::GroundArgs;

const EXAMPLES: &str = "Examples:
  fengni authority list --network net
  fengni authority suspend 0 --reason 602 --decision order.pdf --home net/members/gov
  fengni authority resume 0 --reason 602 --decision order.pdf --home net/members/gov";

/// What happens to an authority.
#[derive(Subcommand, Debug)]
pub(crate) enum AuthorityCommand {
    /// Withhold an authority: nothing is issued by it, and what was answers ISSUER_NOT_AUTHORISED
    #[command(after_help = EXAMPLES)]
    Suspend(AuthorityArgs),
    /// Give a suspended authority back
    #[command(after_help = EXAMPLES)]
    Resume(AuthorityArgs),
    /// List the authorities: who may issue what, where and when
    #[command(after_help = EXAMPLES)]
    List(ConnectArgs),
}

/// On which authority, why, by whom.
#[derive(Args, Debug)]
pub(crate) struct AuthorityArgs {
    /// Number: see fengni authority list
    number: u32,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

pub(crate) fn run(command: &AuthorityCommand, output: Output) -> Result<Ending> {
    match command {
        AuthorityCommand::List(connect) => list(connect, output),
        AuthorityCommand::Suspend(args) => change(args, authority::suspend, output),
        AuthorityCommand::Resume(args) => change(args, authority::resume, output),
    }
}

fn change(args: &AuthorityArgs, make: fn(AuthorityNumber, Ground) -> Operation, output: Output) -> Result<Ending> {
    args.acting.carry_out(
        output,
        |connection, names| args.ground.asked(connection, names, |ground| make(AuthorityNumber(args.number), ground)),
        |effect| match effect {
            Effect::Authority { authority, suspended: true } => format!("authority {authority} is suspended"),
            Effect::Authority { authority, suspended: false } => format!("authority {authority} is given back"),
            other => format!("{other:?}"),
        },
    )
}

#[derive(Serialize)]
struct Listed {
    authority: AuthorityNumber,
    #[serde(flatten)]
    record: Authority,
}

fn list(connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let mut names = Names::default();
    let records: Vec<Authority> = connection.ledger.shelf()?;
    let listed: Vec<Listed> =
        (0..).map(AuthorityNumber).zip(records).map(|(authority, record)| Listed { authority, record }).collect();
    let members = names.called(&mut connection)?;
    let types = names.types(&mut connection)?.to_vec();
    output.answer(&serde_json::json!({ "authorities": listed }), || {
        let rows = listed.iter().map(|it| {
            let kind = it.record.certificate_type.0 as usize;
            [
                it.authority.to_string(),
                members.of(it.record.member),
                types.get(kind).map_or_else(String::new, |kind| kind.name.clone()),
                it.record.division.to_string(),
                format!("{} to {}", it.record.from, it.record.until),
                it.record.suspended.map_or_else(String::new, |by| format!("suspended by {}", members.of(by))),
            ]
        });
        table(["number", "member", "type", "division", "days", "status"], rows)
    });
    Ok(Ending::Holds)
}
