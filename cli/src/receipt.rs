//! `fengni receipt`: a keeper's signed word that a line is on its page, for programs that speak COSE
//! (RFC 9942). Rule W-7.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use fengni_client::receipt::{self, Receipt};
use fengni_core::LinePlace;
use fengni_core::book::Book;
use fengni_core::record::{KeyPurpose, Member};
use serde_json::json;

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::Target;
use crate::output::Output;
use crate::private;
use crate::signing::ActorArgs;

/// What becomes of a receipt.
#[derive(Subcommand, Debug)]
pub(crate) enum ReceiptCommand {
    /// Sign a receipt for a line, as the keeper of its book
    Make(MakeArgs),
    /// Check a receipt against the line and the key that the ledger has
    Check(ReceiptCheckArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "The page's root is proven by a quorum before anything is signed.

Examples:
  fengni receipt make 0/417 --home net/members/psb --out c1.receipt
  fengni receipt check c1.receipt 0/417 --network net")]
pub(crate) struct MakeArgs {
    /// Identifier, or book/line
    target: String,
    /// File for the receipt; must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "A receipt is the keeper's word; fengni verify and fengni history say what the ledger proves.

Exit codes: 0 signed by the keeper for this line, 1 refused, 3 could not run.

Examples:
  fengni receipt check c1.receipt 0/417 --network net")]
pub(crate) struct ReceiptCheckArgs {
    /// The receipt
    file: PathBuf,
    /// Identifier, or book/line
    target: String,
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(crate) fn run(command: &ReceiptCommand, output: Output) -> Result<Ending> {
    match command {
        ReceiptCommand::Make(args) => make(args, output),
        ReceiptCommand::Check(args) => check(args, output),
    }
}

fn make(args: &MakeArgs, output: Output) -> Result<Ending> {
    private::must_be_new(&args.out)?;
    let mut connection = args.connect.open(Some(&args.actor.home))?;
    let place = Target::parse(&args.target)?.place(&mut connection)?;
    let key = args.actor.key(KeyPurpose::Issuing)?;
    let proven = connection.ledger.line(place, None)?.value;
    let line = proven.line(place).with_context(|| format!("there is no {place}"))?;
    let keeper = proven.record::<Book>(place.book.0)?.keeper;
    if key.member != keeper {
        bail!("book {} is kept by member {keeper}, the key is of member {}", place.book, key.member);
    }
    let path = connection.ledger.path(place)?;
    let made = receipt::make(&connection.ledger.domain(), place.line, &line, &path, &key)?;
    connection.save(output);
    std::fs::write(&args.out, &made).with_context(|| args.out.display().to_string())?;
    let facts = json!({
        "file": args.out,
        "place": place,
        "entry": hex::encode(line.bytes()),
        "lines": path.lines,
        "public_key": key.public(),
    });
    output.answer(&facts, || {
        format!(
            "wrote {} for {place}, one of {} on its page\nentry {}\nnext: hand both over, with the key that the register lists",
            args.out.display(),
            path.lines,
            hex::encode(line.bytes())
        )
    });
    Ok(Ending::Holds)
}

fn check(args: &ReceiptCheckArgs, output: Output) -> Result<Ending> {
    let bytes = std::fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let mut connection = args.connect.open(None)?;
    let place = Target::parse(&args.target)?.place(&mut connection)?;
    let judged = judge(&bytes, place, &mut connection)?;
    connection.save(output);
    let facts = match &judged {
        Ok(name) => json!({ "result": "signed", "by": name, "place": place }),
        Err(reason) => json!({ "result": "refused", "reason": reason, "place": place }),
    };
    output.answer(&facts, || match &judged {
        Ok(name) => {
            let (book, line) = (place.book, place.line);
            format!("signed by {name} for {place}\nnext: fengni history {book}/{line} --prove says how it stands")
        }
        Err(reason) => format!("refused: {reason}"),
    });
    Ok(Ending::from(judged.is_ok()))
}

/// Who signed, or why the receipt is refused.
fn judge(bytes: &[u8], place: LinePlace, connection: &mut Connection) -> Result<std::result::Result<String, String>> {
    let read = match Receipt::decode(bytes) {
        Ok(read) => read,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let proven = connection.ledger.line(place, None)?.value;
    let line = proven.line(place).with_context(|| format!("there is no {place}"))?;
    let book: Book = proven.record(place.book.0)?;
    // Whoever kept the book when the line was sealed, or later.
    let keepers = book.former.iter().filter(|former| place.line.0 < former.lines).map(|former| former.member);
    if !keepers.chain([book.keeper]).any(|keeper| keeper == read.member) {
        return Ok(Err(format!("member {} never kept {place}", read.member)));
    }
    let member: Member = connection.ledger.record(read.member.0)?;
    let key = member.key(read.key).filter(|key| key.purpose == KeyPurpose::Issuing);
    let Some(key) = key else {
        return Ok(Err(format!("key {} is no issuing key of {}", read.key, member.name)));
    };
    if let Some(until) = key.until {
        // A receipt has no time of its own: whoever stole the key may have made it since.
        return Ok(Err(format!(
            "key {} of {} ended at height {until}, and a receipt does not say when it was signed; next: ask for a new one",
            read.key, member.name
        )));
    }
    let verified = read.verify(&connection.ledger.domain(), place.line, &line, &key.key);
    Ok(verified.map(|_| member.name.clone()).map_err(|error| error.to_string()))
}
