//! `fengni needs`: what a service item needs, and what of it a holder has (免证办, SHR-10).

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fengni_client::sharing::needs::{AskedItem, Met, NeedAnswer, NeedsList, Office, check_by};
use fengni_client::verify::{Policy, Verifier};
use fengni_core::code::Code;
use fengni_core::{ItemNumber, PurposeCode};

use super::grant::read_presented;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::names::Names;
use crate::output::{Output, table};
use crate::verify::{judge_text, member_home, read_code, seen_path};

/// Digits of an item's number, at most: its code (实施编码) is longer.
const NUMBER_DIGITS: usize = 9;

/// `fengni needs`.
#[derive(Args, Debug)]
#[command(after_help = "Holders show their certificates for the item's purpose: fengni show. A code counts once.

Exit codes: 0 every need is met, 1 some need is not, 2 undecided, 3 could not run.

Examples:
  fengni needs 11339900XN0200022E400011 --code licence.png --code estate.txt --as YHD --network net
  fengni needs 0 --as YHD --network net --json")]
pub(crate) struct NeedsArgs {
    /// Code (实施编码) or number of the item: see fengni item list
    item: String,
    /// A certificate's code, as text, picture or file; may be given several times
    #[arg(long = "code", value_name = "TEXT|FILE")]
    codes: Vec<String>,
    /// Grant that the holder gave, for a type that asks for one; may be given several times
    #[arg(long = "grant", value_name = "FILE")]
    grants: Vec<PathBuf>,
    /// Member that handles the item: short name, credit code or number
    #[arg(long = "as", value_name = "MEMBER")]
    verifier: String,
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(crate) fn run(args: &NeedsArgs, output: Output) -> Result<Ending> {
    // Before any network: what is given wrong stays wrong.
    let codes: Vec<Code> = args.codes.iter().map(|code| read_code(code)).collect::<Result<_>>()?;
    let mut connection = args.connect.open(None)?;
    let home = member_home(&connection, &args.verifier);
    if args.connect.state.is_none() && home.is_some() {
        connection = args.connect.open(home.as_deref())?;
    }
    let seen = seen_path(&args.connect, home.as_deref());
    let verifier = Names::default().member(&mut connection, &args.verifier)?;
    let (ledger, memory) = connection.into_parts();
    // The item says what for, and each need which grade.
    let policy = Policy { verifier, purpose: PurposeCode::default(), min_grade: None, min_assurance: None };
    let mut verifier = Verifier::new(ledger, policy);
    for path in &args.grants {
        verifier.add_grant(read_presented(path)?);
    }
    let judge = |verifier: &mut Verifier, code: &Code| -> Result<_> {
        Ok(judge_text(verifier, &code.to_text(), None, seen.as_deref(), output)?.verdict)
    };
    let list = check_by(&mut verifier, &asked(&args.item), &codes, judge)?;
    memory.save(verifier.ledger(), output);
    output.answer(&list, || text(&list));
    Ok(match list.met() {
        Met::Yes => Ending::Holds,
        Met::No | Met::Missing => Ending::Refused,
        Met::Undecided => Ending::Undecided,
    })
}

/// An item by its number or its code.
pub(super) fn asked(text: &str) -> AskedItem {
    match text.parse() {
        Ok(number) if text.len() <= NUMBER_DIGITS => AskedItem::Number(ItemNumber(number)),
        _ => AskedItem::Code(text.to_owned()),
    }
}

fn text(list: &NeedsList) -> String {
    let mut lines = vec![format!("{} {} (number {})", list.code, list.name, list.item)];
    if let Some(older) = list.replaced {
        lines.push(format!("note: edition {older} was replaced; {} is used", list.item));
    }
    if list.needs.is_empty() {
        lines.push("it needs nothing".to_owned());
    } else {
        lines.push(table(["need", "state", "why", "where"], list.needs.iter().map(row)));
    }
    lines.join("\n")
}

fn row(need: &NeedAnswer) -> [String; 4] {
    match need {
        NeedAnswer::Certificate { name, min_grade, met, verdict, renew, .. } => {
            let why = verdict.as_ref().filter(|_| *met != Met::Yes);
            let why = why.map_or_else(String::new, |found| format!("{}: {}", found.code, found.reason.en));
            [format!("{name} ({min_grade})"), words(*met).to_owned(), why, offices(renew)]
        }
        NeedAnswer::Resource { name, provider, met, request, grant_needed, .. } => {
            let why = match (request, grant_needed) {
                (Some(request), true) => format!("request {request}; the holder has to grant it"),
                (Some(request), false) => format!("request {request}; no grant is needed"),
                (None, _) => "no request of yours is provisioned today".to_owned(),
            };
            [name.clone(), words(*met).to_owned(), why, offices(provider.as_slice())]
        }
    }
}

fn words(met: Met) -> &'static str {
    match met {
        Met::Yes => "usable",
        Met::No => "not usable",
        Met::Missing => "missing",
        Met::Undecided => "undecided",
    }
}

fn offices(offices: &[Office]) -> String {
    offices.iter().map(|office| office.name.as_str()).collect::<Vec<_>>().join(", ")
}
