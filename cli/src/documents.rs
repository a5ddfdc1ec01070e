//! `fengni documents`: a holder's or an enterprise's own documents, by number or all of them, each with
//! where it stands and how it came there (SVC-01, SVC-02).
//!
//! Nobody keeps a list of whose documents are whose: the ledger cannot, and a gateway must not. The list
//! is what the holder has, certificate files, wallets and slips of cases, and each of them finds its own
//! line and no other.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::clock;
use fengni_client::wallet::Wallet;
use fengni_core::LinePlace;
use fengni_core::case::Slip;
use fengni_core::certificate::CertificateFile;
use serde::Serialize;
use serde_json::Value;

use crate::case::{self, ENDING};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::history::{self, ToldHistory};
use crate::moment;
use crate::names::Names;
use crate::output::{Output, table};
use crate::unproven;

/// Documents of one run, at most.
const DOCUMENTS: usize = 4096;

/// `fengni documents`.
#[derive(Args, Debug)]
#[command(
    after_help = "Of a folder, files that end in .certificate, .wallet or .slip.json are read. Nobody but the holder
has the list: the ledger does not know whose documents are whose.

Exit codes: 0 every document is on the ledger as it says, its history complete; 1 some is not;
2 undecided, such as where no gateway shows a young block; 3 could not run.

Examples:
  fengni documents my-documents --network net
  fengni documents my-documents --number YS20260309000317 --json --network net
  fengni documents c3.certificate slips/YS20260309000317.slip.json --out proofs --network net"
)]
pub(crate) struct DocumentsArgs {
    /// Certificate files, wallets, slips of cases, or folders of these
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only those whose identifier or case number contains this
    #[arg(long, value_name = "TEXT")]
    number: Option<String>,
    /// Folder for each one's history with its proof, for fengni check
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How old the newest block may be, such as 90s, 30m or 2h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = moment::parse_span)]
    max_age: u32,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What a holder has.
enum Paper {
    Certificate(Box<CertificateFile>),
    Case(Slip),
}

impl Paper {
    fn number(&self) -> String {
        match self {
            Self::Certificate(file) => file.identifier().to_string(),
            Self::Case(slip) => slip.case.number.clone(),
        }
    }

    fn place(&self) -> LinePlace {
        match self {
            Self::Certificate(file) => file.place,
            Self::Case(slip) => slip.place,
        }
    }

    /// What it is, if the ledger has it where it says.
    fn named(&self, connection: &mut Connection) -> Result<Option<String>> {
        let place = self.place();
        match self {
            Self::Case(slip) => Ok(case::stands(slip, connection)?.then(|| "case 办件".to_owned())),
            Self::Certificate(file) => {
                let own = file.certificate.header().line(&connection.ledger.domain(), &file.identifier());
                match history::line(place, connection)? {
                    Some((book, line)) if line == own => Ok(Some(connection.ledger.type_of(&book)?.name)),
                    _ => Ok(None),
                }
            }
        }
    }
}

/// One document, as a quorum proves it.
#[derive(Serialize)]
struct Document {
    /// Its identifier or case number.
    number: String,
    /// The certificate type's name, or that it is a case.
    kind: String,
    place: LinePlace,
    /// Where it stands now, in words.
    standing: String,
    /// When the latest happened, and what.
    since: String,
    last: String,
    /// Everything that happened, in order.
    events: Vec<Value>,
    /// What does not hold, or is missing; empty where it is complete.
    defects: Vec<String>,
}

pub(crate) fn run(args: &DocumentsArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let papers = papers(args, &connection)?;
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    match told(args, &papers, &mut connection, output) {
        Ok(ending) => Ok(ending),
        Err(error) => unproven::undecided(error, output),
    }
}

fn told(args: &DocumentsArgs, papers: &[Paper], connection: &mut Connection, output: Output) -> Result<Ending> {
    let bar = output.bar("documents", papers.len() as u64);
    let mut names = Names::default();
    let mut documents = Vec::with_capacity(papers.len());
    for paper in papers {
        documents.push(document(args, paper, connection, &mut names)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    connection.save(output);
    let newest = connection.ledger.highest()?.0;
    let age_secs = clock::now().0.saturating_sub(newest.time.0) / 1000;
    let (result, ending) = match () {
        () if documents.iter().any(|document| !document.defects.is_empty()) => ("refused", Ending::Refused),
        () if age_secs > u64::from(args.max_age) => ("undecided", Ending::Undecided),
        () => ("complete", Ending::Holds),
    };
    let facts = serde_json::json!({
        "result": result, "documents": documents, "as_of_height": newest.height, "as_of_time": newest.time,
    });
    output.answer(&facts, || {
        let rows = documents.iter().map(|document| {
            let standing = document.defects.first().map_or(document.standing.clone(), |defect| format!("? {defect}"));
            let [book, line] = [document.place.book.to_string(), document.place.line.to_string()];
            let place = format!("{book}/{line}");
            [
                document.number.clone(),
                document.kind.clone(),
                place,
                standing,
                document.last.clone(),
                document.since.clone(),
            ]
        });
        let rows = table(["number", "document", "line", "standing now", "last", "since"], rows);
        let age = moment::age(age_secs);
        let after = match ending {
            Ending::Undecided => format!("undecided: the newest block is {age} old\nnext: ask another gateway as well"),
            Ending::Refused => "refused: some is not on the ledger as it says, or its history has a gap".to_owned(),
            _ => format!("{} in all, every history complete at height {}", documents.len(), newest.height),
        };
        format!("{rows}\n{after}")
    });
    Ok(ending)
}

fn document(args: &DocumentsArgs, paper: &Paper, connection: &mut Connection, names: &mut Names) -> Result<Document> {
    let (number, place) = (paper.number(), paper.place());
    let Some(kind) = paper.named(connection)? else {
        let defects =
            vec![format!("the ledger has something else at {place}; next: ask whoever gave it for the file again")];
        let [kind, standing, since, last] = Default::default();
        return Ok(Document { number, kind, place, standing, since, last, events: Vec::new(), defects });
    };
    let told = history::told(place, connection, names)?;
    if let Some(folder) = &args.out {
        let name = format!("{}-{}.history", place.book, place.line);
        told.save(&folder.join(name), connection)?;
    }
    let ToldHistory { story, newest, .. } = &told;
    let (since, last) = story.last();
    let standing = story.history.chapters.last().map_or_else(String::new, |last| last.standing_words(newest.time));
    let defects = story.history.gaps.iter().map(ToString::to_string).collect();
    Ok(Document { number, kind, place, standing, since, last, events: story.events.clone(), defects })
}

/// Everything that was named and is wanted.
fn papers(args: &DocumentsArgs, connection: &Connection) -> Result<Vec<Paper>> {
    let mut papers = Vec::new();
    for path in &args.files {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
            let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
            paths.sort();
            for path in paths.iter().filter(|path| is_paper(path)) {
                read(path, connection, &mut papers)?;
            }
        } else {
            read(path, connection, &mut papers)?;
        }
    }
    if let Some(number) = &args.number {
        papers.retain(|paper| paper.number().contains(number));
    }
    match papers.len() {
        0 => bail!("no document of that kind; next: name certificate files, wallets or slips of cases"),
        1..=DOCUMENTS => Ok(papers),
        found => bail!("{found} documents are too many for one run; next: name fewer, or --number"),
    }
}

fn is_paper(path: &Path) -> bool {
    let ends = |ending| path.extension().is_some_and(|found| found == ending);
    ends("certificate") || ends("wallet") || is_slip(path)
}

fn is_slip(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
}

fn read(path: &Path, connection: &Connection, papers: &mut Vec<Paper>) -> Result<()> {
    let domain = connection.ledger.domain();
    if is_slip(path) {
        papers.push(Paper::Case(case::read_slip(path, domain.network)?));
    } else if path.extension().is_some_and(|ending| ending == "wallet") {
        let wallet = Wallet::load(path, &domain)?;
        papers.extend(wallet.certificates().cloned().map(|file| Paper::Certificate(Box::new(file))));
    } else {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let file = CertificateFile::decode(&domain, &bytes)
            .with_context(|| format!("{} is no certificate file of this network", path.display()))?;
        papers.push(Paper::Certificate(Box::new(file)));
    }
    Ok(())
}
