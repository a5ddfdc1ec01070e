//! `fengni book`: the books that a department's programs write in (Z-6, Z-9).

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use fengni_core::book::Subject;
use serde_json::json;

use crate::admin::ActingArgs;
use crate::ending::Ending;
use crate::issue::own_book;
use crate::output::Output;

/// What happens to a book.
#[derive(Subcommand, Debug)]
pub(crate) enum BookCommand {
    /// Open a book of grants or of receipts, with the member's application key
    #[command(
        after_help = "A member opens one of each in all: where it has, that one is named. Books of certificates and of
cases are opened by fengni issue and fengni case open.

Examples:
  fengni book open receipts --home net/members/hrs"
    )]
    Open {
        /// What it is of
        #[arg(value_enum)]
        subject: SubjectArg,
        /// Region; else the member's own
        #[arg(long, value_name = "CODE")]
        division: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

/// What a book is of.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum SubjectArg {
    /// 授权.
    Grants,
    /// 用证记录.
    Receipts,
}

pub(crate) fn run(command: &BookCommand, output: Output) -> Result<Ending> {
    let BookCommand::Open { subject, division, acting } = command;
    let subject = match subject {
        SubjectArg::Grants => Subject::Grants,
        SubjectArg::Receipts => Subject::Receipts,
    };
    let mut connection = acting.open()?;
    let opened = own_book(&mut connection, acting.actor(), subject, division.as_deref())?;
    connection.save(output);
    match opened {
        Ok(book) => {
            output.answer(&json!({ "result": "done", "book": book }), || format!("book {book} is open"));
            Ok(Ending::Holds)
        }
        Err(reason) => {
            output.answer(&json!({ "result": "refused", "reason": reason }), || format!("refused: {reason}"));
            Ok(Ending::Refused)
        }
    }
}
