//! `fengni bulk`: many codes at once, by a trust pack, on all cores.

use std::io::{BufRead, BufReader, Read as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, Result};
use clap::Args;
use fengni_client::clock;
use fengni_client::trust::Held;
use fengni_core::Millis;
use fengni_core::assurance::Assurance;
use fengni_core::certificate::{CertificateFile, Grade};
use fengni_core::code::AnyCode;
use fengni_core::limits::CERTIFICATE_FILE_BYTES;
use fengni_core::trust::{Question, TrustStore};
use fengni_core::verdict::{Answer, Check, Verdict};
use serde::Serialize;

use crate::assurance::AssuranceArg;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::output::Output;
use crate::trust::Desk;
use crate::verify::GradeArg;

/// Codes remembered within one call: as many as are judged in three minutes.
const CODES_REMEMBERED: usize = 4_000_000;
/// Lines judged between two looks at the clock.
const BATCH: usize = 4096;
/// Characters of a line, at most: a code or a path.
const LINE_BYTES: u64 = 8192;

/// `fengni bulk`.
#[derive(Args, Debug)]
#[command(
    after_help = "Each line is the text of a code, or the path of a certificate file. One line of JSON a verdict, in
the same order, on stdout; a certificate without a code gives its recorded standing only. The
exit code is that of the gravest verdict.

Examples:
  fengni bulk codes.txt --trust desk.trust --as YHD --purpose 交通执法 > verdicts.jsonl
  ls certificates/*.certificate | fengni bulk - --trust desk.trust --as YHD --purpose 101"
)]
pub(crate) struct BulkArgs {
    /// File of lines, or - for standard input
    lines: PathBuf,
    /// Trust store to judge by: see fengni trust
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Member that verifies: short name, credit code or number
    #[arg(long = "as", value_name = "MEMBER")]
    verifier: String,
    /// What for, by name or code
    #[arg(long, value_name = "PURPOSE")]
    purpose: String,
    /// Lowest trust grade that will do
    #[arg(long, value_enum, value_name = "GRADE", ignore_case = true)]
    min_grade: Option<GradeArg>,
    /// How an identity service must at least have checked the holder
    #[arg(long, value_enum, value_name = "LEVEL")]
    min_assurance: Option<AssuranceArg>,
    /// Threads; else one a core
    #[arg(long, value_name = "COUNT")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// One verdict of many.
#[derive(Serialize)]
struct Judged {
    /// The line it is of, from 1.
    line: u64,
    #[serde(flatten)]
    verdict: Verdict,
}

pub(crate) fn run(args: &BulkArgs, output: Output) -> Result<Ending> {
    let mut store = fengni_client::trust::load(&args.trust)?;
    store.remember(CODES_REMEMBERED);
    let desk = Desk::new(&store, args.connect.map(None)?.as_ref(), &args.verifier, &args.purpose)?;
    let question =
        desk.question(&store, args.min_grade.map(Grade::from), args.min_assurance.map(Assurance::from), None)?;
    let threads = args.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let (mut input, bytes) = open(&args.lines)?;
    let bar = output.bar("bytes", bytes);
    let (mut number, mut ending) = (0, Ending::Holds);
    let mut counts = [0u64; 3];
    loop {
        let batch = read(&mut *input)?;
        if batch.is_empty() {
            break;
        }
        let now = clock::now();
        let judged = judge(&store, &question, &batch, now, threads);
        for (text, (code, verdict)) in batch.iter().zip(judged) {
            number += 1;
            // In their order, so that the second showing of a code is the one refused.
            let mut verdict = match code {
                Some(AnyCode::Dynamic(code)) => store.admit(verdict, &code, &question, now),
                _ => verdict,
            };
            // Nobody remembers these codes after this call: what was not checked is not claimed.
            verdict.checked.retain(|check| *check != Check::SingleUse);
            ending = ending.and(crate::verify::ending(&verdict));
            counts[match verdict.answer {
                Answer::Valid => 0,
                Answer::Refused => 1,
                Answer::Undecided => 2,
            }] += 1;
            output.text(&serde_json::to_string(&Judged { line: number, verdict })?);
            bar.inc(text.len() as u64 + 1);
        }
    }
    bar.finish_and_clear();
    // What others have put into the store meanwhile stays; only the hour is noted.
    let mut held = Held::wait(&args.trust)?;
    held.store.saw(clock::now());
    held.save()?;
    let [valid, refused, undecided] = counts;
    output.progress(&format!("{number} judged: {valid} valid, {refused} refused, {undecided} undecided"));
    Ok(ending)
}

fn open(path: &Path) -> Result<(Box<dyn BufRead>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin())), 0));
    }
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let bytes = file.metadata().map_or(0, |found| found.len());
    Ok((Box::new(BufReader::new(file)), bytes))
}

/// The next lines; a longer one than any code is cut off, and so malformed.
fn read(input: &mut dyn BufRead) -> Result<Vec<String>> {
    let mut batch = Vec::new();
    while batch.len() < BATCH {
        let mut line = Vec::new();
        if (&mut *input).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == LINE_BYTES && !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
        }
        batch.push(String::from_utf8_lossy(&line).trim().to_owned());
    }
    Ok(batch)
}

type One = (Option<AnyCode>, Verdict);

fn judge(store: &TrustStore, question: &Question, lines: &[String], now: Millis, threads: usize) -> Vec<One> {
    let share = lines.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let work = |part: &'_ [String]| part.iter().map(|line| one(store, question, line, now)).collect::<Vec<_>>();
        let handles: Vec<_> = lines.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("judging does not panic")).collect()
    })
}

fn one(store: &TrustStore, question: &Question, line: &str, now: Millis) -> One {
    if line.ends_with(".certificate") {
        return (None, certificate(store, question, Path::new(line), now));
    }
    match AnyCode::parse(line) {
        Ok(AnyCode::Dynamic(code)) => {
            let verdict = store.judge(&code, question, now);
            (Some(AnyCode::Dynamic(code)), verdict)
        }
        Ok(AnyCode::Static(code)) => {
            let verdict = store.judge_static(&code, question, now);
            (Some(AnyCode::Static(code)), verdict)
        }
        Err(error) => (None, Verdict::malformed(&error)),
    }
}

fn certificate(store: &TrustStore, question: &Question, path: &Path, now: Millis) -> Verdict {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(CERTIFICATE_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read().map_err(|error| error.to_string()).map(|bytes| CertificateFile::decode(store.domain(), &bytes)) {
        Ok(Ok(file)) => store.judge_file(&file, question, now),
        Ok(Err(error)) => Verdict::malformed(&error),
        Err(error) => Verdict::unreachable(format!("the certificate's file cannot be read: {error}")),
    }
}
