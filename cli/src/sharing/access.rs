//! `fengni access`: a requester asks a provider, and holds its receipts against the ledger (SHR-05 to SHR-08).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Subcommand;
use fengni_client::keys::HeldKey;
use fengni_client::random::random;
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::receipts::{self, ReceiptsError};
use fengni_client::sharing::requester::{self, Taken};
use fengni_client::transport::HttpOptions;
use fengni_core::certificate::ClaimValue;
use fengni_core::record::{KeyPurpose, Mode, Request, Resource, ResourceTerms, ServiceItem};
use fengni_core::sharing::{
    AccessTerms, Answer, Comparison, HalfStanding, Identity, Question, ResultCode, Test, UseCode, Warrant,
};
use fengni_core::{KeyNumber, Millis, RequestNumber};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::grant::read_presented;
use super::{field, read_terms};
use crate::admin::ActingArgs;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::output::{Output, table};
use crate::private;

/// What a requester does.
#[derive(Subcommand, Debug)]
pub(crate) enum AccessCommand {
    /// Ask a provider's gateway, take the answer and sign for it
    #[command(after_help = "The file of what is asked, in TOML; it names people and is read by its owner alone:
  request = 0                 # see fengni request list
  case = \"YS20260309000317\"
  mode = \"verify\"
  fields = [\"参保月数\"]
  [[questions]]
  subject = \"319901199003070029\"
  grant = \"g1.grant.json\"     # or use_code = \"FU1:...\" and identity = \"FI1:...\"
  tests = { \"参保月数\" = \">=36\" } # in the mode verify: =, >= or <=

Exit codes: 0 answered; 1 refused, or a test does not hold; 3 could not run.

Examples:
  fengni access ask months.toml --provider https://data.hrs.example --keep months.taken.json \\
      --home net/members/yhd")]
    Ask {
        /// File of what is asked
        terms: PathBuf,
        /// URL of the provider's gateway
        #[arg(long, value_name = "URL")]
        provider: String,
        /// Private file for what is asked, before it is asked, and for the receipts: halves that prove a use even
        /// where the provider keeps it back
        #[arg(long, value_name = "FILE")]
        keep: PathBuf,
        /// Number of whoever asks at the department, as 32 hexadecimal digits; else a fresh one
        #[arg(long, value_name = "HEX")]
        operator: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Go on after a break: the same access once more, which counts once
    #[command(after_help = "Exit codes: as of fengni access ask.

Examples:
  fengni access resume months.taken.json --provider https://data.hrs.example --home net/members/yhd")]
    Resume {
        /// File that asking kept
        taken: PathBuf,
        /// URL of the provider's gateway
        #[arg(long, value_name = "URL")]
        provider: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Hold kept receipts against the ledger: anchored, or kept back by the provider
    #[command(
        after_help = "Exit codes: 0 every receipt is anchored; 1 the provider keeps one back or is late; 2 it is too early to say.

Examples:
  fengni access check months.taken.json --provider https://data.hrs.example --network net"
    )]
    Check {
        /// File that asking kept
        taken: PathBuf,
        /// URL of the provider's gateway
        #[arg(long, value_name = "URL")]
        provider: String,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// What is asked, as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    request: u32,
    case: String,
    mode: Mode,
    fields: Vec<String>,
    questions: Vec<QuestionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionEntry {
    subject: ClaimValue,
    grant: Option<PathBuf>,
    use_code: Option<String>,
    identity: Option<String>,
    #[serde(default)]
    tests: BTreeMap<String, String>,
}

pub(crate) fn run(command: &AccessCommand, output: Output) -> Result<Ending> {
    match command {
        AccessCommand::Ask { terms, provider, keep, operator, acting } => {
            ask((terms, keep), provider, operator.as_deref(), acting, output)
        }
        AccessCommand::Resume { taken, provider, acting } => resume(taken, provider, acting, output),
        AccessCommand::Check { taken, provider, connect } => check(taken, provider, connect, output),
    }
}

/// An answer to one question, as it is shown.
#[derive(Serialize)]
struct Shown {
    result: ResultCode,
    values: BTreeMap<String, Option<String>>,
    receipt: u64,
}

fn ask(
    (path, keep): (&Path, &Path),
    url: &str,
    operator: Option<&str>,
    acting: &ActingArgs,
    output: Output,
) -> Result<Ending> {
    private::must_be_new(keep)?;
    let operator = match operator {
        Some(text) => {
            let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.context("an operator's number has 32 hexadecimal digits")?
        }
        None => random()?,
    };
    let file: TermsFile = read_terms(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut connection = acting.open()?;
    let request: Request = connection.ledger.record(file.request)?;
    let resource: Resource = connection.ledger.record(request.terms.resource.0)?;
    let item: ServiceItem = connection.ledger.record(request.terms.item.0)?;
    let mut fields = file.fields.iter().map(|name| field(&resource.terms, name)).collect::<Result<Vec<_>>>()?;
    fields.sort_unstable();
    let questions = file.questions.iter().map(|entry| question(entry, folder, &resource.terms));
    let terms = AccessTerms {
        provider: resource.provider,
        requester: acting.member()?,
        key: KeyNumber(0),
        request: RequestNumber(file.request),
        basis: request.terms.basis,
        item: item.terms.code,
        case: file.case,
        purpose: item.terms.purpose,
        mode: file.mode,
        fields,
        questions: questions.collect::<Result<_>>()?,
        operator,
        reply_key: [0; 32],
        nonce: [0; 16],
        time: Millis(0),
    };
    let key = acting.actor().key(KeyPurpose::Application)?;
    let mut taken = requester::prepare(&connection.ledger, &key, terms)?;
    save(keep, &taken)?;
    let provider = Provider::http(url, &HttpOptions::default())?;
    carry_on((&mut taken, keep), &provider, &key, &mut connection)
        .with_context(|| format!("next: fengni access resume {}", keep.display()))?;
    connection.save(output);
    Ok(show((&taken, keep), &resource.terms, output))
}

fn resume(path: &Path, url: &str, acting: &ActingArgs, output: Output) -> Result<Ending> {
    let mut taken = read(path)?;
    let mut connection = acting.open()?;
    let asked = taken.access.access.terms();
    let request: Request = connection.ledger.record(asked.request.0)?;
    let resource: Resource = connection.ledger.record(request.terms.resource.0)?;
    let key = acting.actor().key(KeyPurpose::Application)?;
    let provider = Provider::http(url, &HttpOptions::default())?;
    carry_on((&mut taken, path), &provider, &key, &mut connection)?;
    connection.save(output);
    Ok(show((&taken, path), &resource.terms, output))
}

/// Sends, checks, signs and hands over what is not done yet, and keeps each step.
fn carry_on(
    (taken, keep): (&mut Taken, &Path),
    provider: &Provider,
    key: &HeldKey,
    connection: &mut Connection,
) -> Result<()> {
    if !taken.is_open() {
        // What came is not asked for again: by now it may be forgotten, and this the only half.
        if taken.receipts.is_empty() {
            requester::send(provider, taken)?;
            save(keep, taken)?;
        }
        requester::take(&mut connection.ledger, key, taken)?;
        save(keep, taken)?;
    }
    if !taken.countersigned {
        requester::countersign(provider, taken);
        save(keep, taken)?;
    }
    Ok(())
}

fn save(path: &Path, taken: &Taken) -> Result<()> {
    private::write(path, serde_json::to_string(taken)?.as_bytes())
}

/// Reads what asking kept.
fn read(path: &Path) -> Result<Taken> {
    let wrong = |_| anyhow::anyhow!("{} is not what fengni access ask kept", path.display());
    serde_json::from_slice(&private::read(path)?).map_err(wrong)
}

fn show((taken, keep): (&Taken, &Path), resource: &ResourceTerms, output: Output) -> Ending {
    let named = |(number, value): &(u16, Option<String>)| {
        let name = resource.field(*number).map_or_else(|| number.to_string(), |field| field.name.clone());
        (name, value.clone())
    };
    let shown = taken.answers.iter().zip(&taken.receipts).map(|(answer, sided)| Shown {
        result: answer.result,
        values: answer.values.iter().map(named).collect(),
        receipt: sided.receipt.number,
    });
    let shown: Vec<Shown> = shown.collect();
    let said = json!({ "answers": shown, "kept": keep, "countersigned": taken.countersigned });
    output.answer(&said, || {
        let rows = shown.iter().map(|it| {
            let values = it.values.iter().map(|(name, value)| format!("{name}: {}", value.as_deref().unwrap_or("-")));
            [it.receipt.to_string(), result_words(it.result), values.collect::<Vec<_>>().join(", ")]
        });
        table(["receipt", "result", "values"], rows)
    });
    let holds = |answer: &Answer| matches!(answer.result, ResultCode::Yes | ResultCode::Answered);
    if taken.answers.iter().all(holds) { Ending::Holds } else { Ending::Refused }
}

fn question(entry: &QuestionEntry, folder: &Path, resource: &ResourceTerms) -> Result<Question> {
    let test = |(name, text): (&String, &String)| {
        let signs = [(">=", Comparison::AtLeast), ("<=", Comparison::AtMost), ("=", Comparison::Equal)];
        let found = signs.into_iter().find_map(|(sign, is)| text.strip_prefix(sign).map(|value| (is, value.trim())));
        let (is, value) = found.with_context(|| format!("a test of {name} begins with =, >= or <="))?;
        Ok(Test { field: field(resource, name)?, is, value: ClaimValue::new(value)? })
    };
    let warrant = match (&entry.grant, &entry.use_code, &entry.identity) {
        (None, None, None) => Warrant::None,
        (Some(path), None, None) => Warrant::Grant(Box::new(read_presented(&folder.join(path))?)),
        (None, Some(code), Some(identity)) => {
            Warrant::UseCode { code: Box::new(UseCode::parse(code)?), identity: Box::new(Identity::parse(identity)?) }
        }
        _ => bail!("a question rests on a grant, on a use code with its identity, or on nothing"),
    };
    let tests = entry.tests.iter().map(test).collect::<Result<_>>()?;
    Ok(Question { subject: entry.subject.clone(), tests, warrant })
}

/// What came of a question, in words.
pub(super) fn result_words(result: ResultCode) -> String {
    match result {
        ResultCode::Yes => "yes 一致".to_owned(),
        ResultCode::No => "no 不一致".to_owned(),
        ResultCode::Answered => "answered 已提供".to_owned(),
        ResultCode::NotFound => "not found 无记录".to_owned(),
        ResultCode::Refused(refusal) => format!("refused: {refusal}"),
    }
}

fn check(path: &Path, url: &str, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let taken = read(path)?;
    ensure!(!taken.receipts.is_empty(), "{} holds no receipt yet; next: fengni access resume", path.display());
    let mut connection = connect.open(None)?;
    let provider = Provider::http(url, &HttpOptions::default())?;
    let mut rows = Vec::new();
    let mut ending = Ending::Holds;
    for sided in &taken.receipts {
        let receipt = &sided.receipt;
        let said = match receipts::half(&mut connection.ledger, &provider, receipt) {
            Ok(HalfStanding::Anchored) => "anchored 已上链".to_owned(),
            Ok(HalfStanding::Waiting) => {
                ending = if ending == Ending::Refused { ending } else { Ending::Undecided };
                "not anchored yet".to_owned()
            }
            Ok(HalfStanding::Late) => "LATE: not anchored in time".to_owned(),
            Ok(HalfStanding::Withheld) => "WITHHELD: another receipt stands at its number".to_owned(),
            Err(error @ (ReceiptsError::Leaves(_) | ReceiptsError::NoLeaves | ReceiptsError::OtherBook)) => {
                format!("WITHHELD: {error}")
            }
            Err(error @ ReceiptsError::NotNow) => format!("UNFIT: {error}"),
            Err(error) => return Err(error.into()),
        };
        if ["LATE", "WITHHELD", "UNFIT"].iter().any(|word| said.starts_with(word)) {
            ending = Ending::Refused;
        }
        rows.push((receipt.number, said));
    }
    let said = rows.iter().map(|(number, said)| json!({ "receipt": number, "standing": said }));
    output.answer(&json!({ "receipts": said.collect::<Vec<_>>() }), || {
        table(["receipt", "standing"], rows.iter().map(|(number, said)| [number.to_string(), said.clone()]))
    });
    Ok(ending)
}
