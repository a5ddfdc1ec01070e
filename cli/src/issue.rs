//! `fengni issue`: a file of rows becomes sealed certificates, once, however often it is run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fengni_client::issue::{
    Archive, Format, IssueError, IssueOptions, IssueReport, Issuer, Progress, RowProblem, RowRules, Rows, SealReport,
    Step, Target, deliver,
};
use fengni_client::submit::Settlement;
use fengni_core::book::Subject;
use fengni_core::id::{CertificateId, Division};
use fengni_core::operation::Operation;
use fengni_core::outcome::Effect;
use fengni_core::record::{KeyPurpose, Member};
use fengni_core::{BookNumber, Day, KeyAlgorithm};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names};
use crate::output::Output;
use crate::signing::{self, ActorArgs};

/// Problems that an answer for people lists; JSON lists all.
const PROBLEMS_SHOWN: usize = 50;

/// Algorithm of holder keys that are made here.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HolderKeys {
    /// As phones have them
    P256,
    /// Shorter signatures
    Ed25519,
}

/// `fengni issue`.
#[derive(Args, Debug)]
#[command(after_help = "Columns: identifier, or serial and version (001 where absent); issued, from, until (empty is
for ever), grade (A where absent), holder_key with holder_proof, file or file_hash, and one column
for each field of the type, under its label; a derived field is computed. A holder makes key and
proof with fengni wallet key. A second run of the same file adds nothing.

Exit codes: 0 every row is on the ledger, 1 some row was refused, 2 it is not known of some row.

Examples:
  fengni issue --home net/members/psb --type T-DL net/members/psb/rows.csv
  fengni issue --home net/members/psb --type 11100000XN0000012G001 --division 319900 rows.jsonl --partial --out certificates")]
pub(crate) struct IssueArgs {
    /// File of rows, .csv or .jsonl, in UTF-8; - reads standard input as JSON lines
    file: PathBuf,
    /// Certificate type: short name, type code, name or number
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// Region of the certificates; else the member's own
    #[arg(long, value_name = "CODE")]
    division: Option<String>,
    /// Issue the rows that hold although others do not
    #[arg(long)]
    partial: bool,
    /// Day on which the certificates were granted, where that was before: it goes to the ledger with
    /// them, and every node reckons whether it was in time
    #[arg(long, value_name = "DATE")]
    acted: Option<String>,
    /// Folder for the holders' certificate files
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One file for all holders' certificates instead
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    bundle: Option<PathBuf>,
    /// Folder of the issuer's archive; else archive/ in --home. Lost salts are lost certificates
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Algorithm of holder keys that are made here because a row names none
    #[arg(long, value_enum, default_value = "p256")]
    holder_keys: HolderKeys,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What is to be issued, from whichever side it was asked.
pub(crate) struct Request<'a> {
    /// Who issues.
    pub(crate) actor: &'a ActorArgs,
    /// Certificate type by any of its names.
    pub(crate) kind: &'a str,
    /// Region, or the member's own.
    pub(crate) division: Option<&'a str>,
    /// The rows.
    pub(crate) bytes: &'a [u8],
    /// How they are written.
    pub(crate) format: Format,
    /// Where attached files are looked for.
    pub(crate) folder: PathBuf,
    /// Whether rows that hold are issued although others do not.
    pub(crate) partial: bool,
    /// The day on which they were granted, where that was before.
    pub(crate) acted: Option<Day>,
    /// Folder of the archive.
    pub(crate) archive: PathBuf,
    /// Where certificate files go.
    pub(crate) target: Option<Target>,
    /// Algorithm of holder keys that are made here.
    pub(crate) holder_keys: KeyAlgorithm,
}

/// What became of the rows.
#[derive(Serialize)]
pub(crate) struct Issued {
    /// The book.
    pub(crate) book: BookNumber,
    /// Certificates that this run sealed.
    pub(crate) sealed: u64,
    /// Certificates that an interrupted run had sent and this one learnt to be sealed.
    pub(crate) resumed: u64,
    /// Certificates that were on the ledger before.
    pub(crate) already_issued: u64,
    /// Rows whose seal is not known to be in a block.
    pub(crate) waiting: u64,
    /// Rows that were refused.
    pub(crate) refused: u64,
    /// Why, a problem a row.
    pub(crate) problems: Vec<Problem>,
    /// Seals of this run.
    pub(crate) seals: Vec<SealReport>,
    /// Certificate files written.
    pub(crate) delivered: u64,
    /// Why it is not known what became of a seal, or why the ledger took none.
    pub(crate) reasons: Vec<String>,
    #[serde(skip)]
    pub(crate) ending: Ending,
}

/// What is wrong with a row. The value is never repeated.
#[derive(Serialize)]
pub(crate) struct Problem {
    /// Line of the file, from 1.
    pub(crate) line: u64,
    /// Column, where one cell is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    /// What is wrong.
    pub(crate) message: String,
}

pub(crate) fn run(args: &IssueArgs, output: Output) -> Result<Ending> {
    let (bytes, format) = read_file(&args.file)?;
    let mut connection = args.connect.open(Some(&args.actor.home))?;
    let target = args.out.clone().map(Target::Folder).or_else(|| args.bundle.clone().map(Target::Bundle));
    let request = Request {
        actor: &args.actor,
        kind: &args.kind,
        division: args.division.as_deref(),
        bytes: &bytes,
        format,
        folder: args.file.parent().unwrap_or(Path::new(".")).to_owned(),
        partial: args.partial,
        acted: args.acted.as_deref().map(names::day).transpose()?,
        archive: args.archive.clone().unwrap_or_else(|| args.actor.home.join("archive")),
        target,
        holder_keys: match args.holder_keys {
            HolderKeys::P256 => KeyAlgorithm::P256,
            HolderKeys::Ed25519 => KeyAlgorithm::Ed25519,
        },
    };
    let mut bars = Bars { output, bar: None };
    let issued = request.carry_out(&mut connection, &mut bars)?;
    bars.finish();
    connection.save(output);
    output.answer(&issued, || text(&issued, args));
    Ok(issued.ending)
}

fn read_file(path: &Path) -> Result<(Vec<u8>, Format)> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
        return Ok((bytes, Format::JsonLines));
    }
    let format = Format::of_name(&path.to_string_lossy()).context("a file of rows ends in .csv or .jsonl")?;
    Ok((std::fs::read(path).with_context(|| path.display().to_string())?, format))
}

impl Request<'_> {
    /// Issues the rows: opens the book if need be, seals, and writes the holders' files.
    pub(crate) fn carry_out(&self, connection: &mut Connection, progress: &mut dyn Progress) -> Result<Issued> {
        let kind = Names::default().certificate_type(connection, self.kind)?;
        let subject = Subject::Certificates { certificate_type: kind };
        let book = match own_book(connection, self.actor, subject, self.division)? {
            Ok(book) => book,
            Err(reason) => return Ok(refused(reason)),
        };
        let rules = RowRules::load(&mut connection.ledger, book, self.folder.clone())?;
        let rows = Rows::read(self.bytes, self.format, &rules);
        let identifiers: Vec<CertificateId> = rows.rows.iter().map(|row| row.identifier.clone()).collect();
        let solo = connection.ledger.parameters()?.solo_seal_lines as usize;
        let signers = self.actor.signers(KeyPurpose::Issuing, rows.rows.len() > solo)?;
        let mut archive = Archive::open(&self.archive, &connection.ledger.domain(), book)?;
        let submitter = connection.submitter()?;
        let options = IssueOptions {
            partial: self.partial,
            holder_keys: self.holder_keys,
            acted: self.acted,
            ..IssueOptions::default()
        };
        let issuer = Issuer { submitter: &submitter, signers: &signers, rules: &rules, options };
        let report = match issuer.issue(&mut connection.ledger, &mut archive, rows, progress) {
            Ok(report) => report,
            Err(IssueError::Rows(problems)) => return Ok(all_or_none(book, problems)),
            Err(error @ (IssueError::Refused { .. } | IssueError::OtherKeeper { .. })) => {
                return Ok(Issued { book, ..refused(error.to_string()) });
            }
            Err(error) => return Err(error.into()),
        };
        let mut issued = Issued::of(book, report);
        if let Some(target) = &self.target {
            // What could not be delivered stands on the ledger all the same.
            match deliver(&mut connection.ledger, &archive, &identifiers, target, progress) {
                Ok(delivered) => issued.delivered = delivered.files,
                Err(error) => {
                    issued.reasons.push(format!("certificate files were not written: {error}; run the command again"));
                    issued.ending = issued.ending.and(Ending::Undecided);
                }
            }
        }
        Ok(issued)
    }
}

/// The book of a subject and a region that the member opened and keeps; opens one if there is none. The inner
/// error says why the ledger would not.
///
/// - `division`: the region by its code; else the member's own.
pub(crate) fn own_book(
    connection: &mut Connection,
    actor: &ActorArgs,
    subject: Subject,
    division: Option<&str>,
) -> Result<Result<BookNumber, String>> {
    let member = actor.member()?;
    let division = match division {
        Some(code) => names::division(code)?,
        None => connection.ledger.record::<Member>(member.0)?.division,
    };
    match Names::default().book(connection, member, subject, division)? {
        Some(book) => Ok(Ok(book)),
        None => open_book(connection, actor, subject, division),
    }
}

fn open_book(
    connection: &mut Connection,
    actor: &ActorArgs,
    subject: Subject,
    division: Division,
) -> Result<Result<BookNumber, String>> {
    let purpose = match subject {
        Subject::Certificates { .. } | Subject::Cases => KeyPurpose::Issuing,
        Subject::Grants | Subject::Receipts => KeyPurpose::Application,
    };
    let signers = actor.signers(purpose, false)?;
    if signers.member() != actor.member()? {
        bail!("the keys belong to another member than --home");
    }
    let operation = Operation::OpenBook { subject, division };
    match signing::submit(connection, &signers, operation)? {
        Settlement::Done { effect: Effect::BookOpened { book }, .. } => Ok(Ok(book)),
        Settlement::Refused { refusal, .. } => Ok(Err(format!("the book could not be opened: {refusal}"))),
        other => {
            bail!("it is not known whether the book was opened: {:?}; next: run the command again", other.id())
        }
    }
}

fn refused(reason: String) -> Issued {
    Issued {
        book: BookNumber::default(),
        sealed: 0,
        resumed: 0,
        already_issued: 0,
        waiting: 0,
        refused: 0,
        problems: Vec::new(),
        seals: Vec::new(),
        delivered: 0,
        reasons: vec![reason],
        ending: Ending::Refused,
    }
}

fn all_or_none(book: BookNumber, problems: Vec<RowProblem>) -> Issued {
    let refusal = refused("some rows do not hold, so that nothing was issued".to_owned());
    Issued { book, refused: problems.len() as u64, problems: problems.iter().map(Problem::of).collect(), ..refusal }
}

impl Issued {
    fn of(book: BookNumber, report: IssueReport) -> Self {
        let ending = match (report.refused.is_empty(), report.waiting) {
            (false, _) => Ending::Refused,
            (true, 0) => Ending::Holds,
            (true, _) => Ending::Undecided,
        };
        Self {
            book,
            sealed: report.new,
            resumed: report.resumed,
            already_issued: report.already,
            waiting: report.waiting,
            refused: report.refused.len() as u64,
            problems: report.refused.iter().map(Problem::of).collect(),
            seals: report.seals,
            delivered: 0,
            reasons: report.unsettled.iter().map(ToString::to_string).collect(),
            ending,
        }
    }
}

impl Problem {
    fn of(problem: &RowProblem) -> Self {
        Self { line: problem.line, column: problem.column.clone(), message: problem.fault.to_string() }
    }
}

fn text(issued: &Issued, args: &IssueArgs) -> String {
    let mut lines = Vec::new();
    for problem in issued.problems.iter().take(PROBLEMS_SHOWN) {
        let column = problem.column.as_ref().map_or_else(String::new, |column| format!(", {column}"));
        lines.push(format!("line {}{column}: {}", problem.line, problem.message));
    }
    let more = issued.problems.len().saturating_sub(PROBLEMS_SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more; next: --json lists all"));
    }
    lines.extend(issued.reasons.iter().cloned());
    if issued.resumed > 0 {
        lines.push(format!("{} resumed from an interrupted run", issued.resumed));
    }
    let waiting = if issued.waiting > 0 { format!(", {} waiting", issued.waiting) } else { String::new() };
    lines.push(format!(
        "{} sealed, {} already issued, {} refused{waiting}",
        issued.sealed, issued.already_issued, issued.refused
    ));
    if issued.ending == Ending::Holds && issued.sealed + issued.resumed == 0 {
        lines.push("nothing new: every row of the file is on the ledger already".to_owned());
    }
    if issued.delivered > 0 {
        lines.push(format!("{} certificate files written", issued.delivered));
    }
    match issued.ending {
        Ending::Refused if !issued.problems.is_empty() && !args.partial => {
            lines.push("next: correct the lines above, or issue the others with --partial".to_owned());
        }
        Ending::Undecided => lines.push("next: run the command again; nothing is sealed twice".to_owned()),
        _ => (),
    }
    lines.join("\n")
}

/// A bar for each step.
struct Bars {
    output: Output,
    bar: Option<(Step, ProgressBar)>,
}

impl Bars {
    fn finish(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn step(&mut self, step: Step, done: u64, total: u64) {
        if self.bar.as_ref().is_none_or(|(current, _)| *current != step) {
            self.finish();
            let what = match step {
                Step::Resuming => "resuming",
                Step::Preparing => "preparing",
                Step::Sealing => "sealing",
                Step::Delivering => "delivering",
            };
            self.bar = Some((step, self.output.bar(what, total)));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
    }
}
