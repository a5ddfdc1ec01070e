//! `fengni case open`: lines for new cases, and slips for their applicants.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::case::{Journal, OpenError, Opener};
use fengni_core::book::Subject;
use fengni_core::record::KeyPurpose;
use serde::Deserialize;
use serde_json::json;

use super::{JOURNAL, OpenArgs, slip};
use crate::ending::Ending;
use crate::issue::own_book;
use crate::output::Output;
use crate::signing::Refused;

/// A row of a table of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    number: String,
    #[serde(default)]
    item: String,
}

pub(super) fn run(args: &OpenArgs, output: Output) -> Result<Ending> {
    let wanted = match (&args.table, &args.number) {
        (Some(table), _) => rows(table)?,
        (None, Some(number)) => vec![(number.clone(), args.item.clone())],
        (None, None) => bail!("name a case, or a table of them with --table"),
    };
    slip::make_folder(&args.out)?;
    let mut connection = args.connect.open(Some(&args.actor.home))?;
    let book = match own_book(&mut connection, &args.actor, Subject::Cases, args.division.as_deref())? {
        Ok(book) => book,
        Err(reason) => return Ok(refused(&reason, output)),
    };
    let solo = usize::try_from(connection.ledger.parameters()?.solo_seal_lines).unwrap_or(usize::MAX);
    let signers = args.actor.signers(KeyPurpose::Issuing, solo == 0)?;
    let mut journal = Journal::at(&args.actor.home.join(JOURNAL), connection.ledger.domain().network)?;
    let submitter = connection.submitter()?;
    let opener = Opener { submitter: &submitter, signers: &signers, book };
    let slips = match opener.open(&mut connection.ledger, &mut journal, &wanted) {
        Ok(slips) => slips,
        Err(OpenError::Refused { refusal, height }) => {
            let Refused { number, name, message, .. } = Refused::of(refusal, 0);
            return Ok(refused(&format!("{number} {name}: {message} at height {height}"), output));
        }
        Err(error @ (OpenError::Unsettled(_) | OpenError::NotShown(_))) => {
            output.answer(&json!({ "result": "undecided", "reason": error.to_string() }), || {
                format!("undecided: {error}")
            });
            return Ok(Ending::Undecided);
        }
        Err(error) => return Err(error.into()),
    };
    connection.save(output);
    let files = slips.iter().map(|slip| slip::write(&args.out, slip)).collect::<Result<Vec<_>>>()?;
    let cases: Vec<_> = slips
        .iter()
        .zip(&files)
        .map(|(slip, file)| json!({ "number": slip.case.number, "place": slip.place, "slip": file }))
        .collect();
    output.answer(&json!({ "result": "done", "book": book, "cases": cases }), || {
        format!(
            "open in book {book}: {}; slips in {}\nnext: hand each slip to its applicant; fengni case step NUMBER --step ...",
            slips.len(),
            args.out.display()
        )
    });
    Ok(Ending::Holds)
}

fn refused(reason: &str, output: Output) -> Ending {
    output.answer(&json!({ "result": "refused", "reason": reason }), || format!("refused: {reason}"));
    Ending::Refused
}

fn rows(path: &Path) -> Result<Vec<(String, String)>> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).with_context(|| path.display().to_string())?;
    let rows = reader.deserialize().map(|row| row.map(|row: Row| (row.number, row.item)));
    let rows: Vec<_> = rows.collect::<Result<_, _>>().with_context(|| {
        format!("{} is no table of cases; next: give it the columns number and item", path.display())
    })?;
    if rows.is_empty() {
        bail!("{} names no case", path.display());
    }
    Ok(rows)
}
