//! `fengni verify`: from what a clerk scanned or typed to a verdict.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fengni_client::clock;
use fengni_client::gateway::Trouble;
use fengni_client::picture;
use fengni_client::trust::Held;
use fengni_client::verify::{Checked, Policy, Verifier};
use fengni_core::assurance::Assurance;
use fengni_core::certificate::{CertificateFile, Grade};
use fengni_core::challenge::Challenge;
use fengni_core::code::{AnyCode, Code, StaticCode};
use fengni_core::id::CertificateId;
use fengni_core::light::{Checkpoint, FinalHeader};
use fengni_core::verdict::{Answer, Check, Detail, Verdict, VerdictCode};
use fengni_core::{Millis, PurposeCode};
use serde::Serialize;

use crate::assurance::AssuranceArg;
use crate::challenge;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::kept::{Asked, Kept};
use crate::moment;
use crate::names::Names;
use crate::output::Output;
use crate::seen;
use crate::sharing::grant::read_presented as read_grant;
use crate::trust::Desk;

/// Bytes of what is read from standard input or a file, at most: a photograph.
const INPUT_BYTES: u64 = 64 * 1024 * 1024;
/// Codes that were accepted, in a member's folder.
pub(crate) const SEEN_FILE: &str = "codes.seen";

/// The lowest trust grade that will do.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum GradeArg {
    /// Issued by the authority
    A,
    /// A copy a window has checked
    B,
    /// Uploaded by the holder
    C,
    /// Declared by the holder
    D,
}

impl From<GradeArg> for Grade {
    fn from(grade: GradeArg) -> Self {
        match grade {
            GradeArg::A => Self::A,
            GradeArg::B => Self::B,
            GradeArg::C => Self::C,
            GradeArg::D => Self::D,
        }
    }
}

/// `fengni verify`.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 valid, 1 refused, 2 undecided, 3 could not run.

Examples:
  fengni verify code.png --as YHD --purpose 交通执法 --network net
  fengni verify - --as YHD --purpose 101 < code.txt
  fengni verify --identifier 1.2.156.3005.2.1110...001.N --as YHD
  fengni verify answer.png --as YHD --challenge question.txt
  fengni verify code.png --as YHD --purpose 101 --proof lin.verdict
  fengni verify code.png --as YHD --purpose 交通执法 --trust desk.trust
  fengni verify c1.certificate --as YHD --gateway https://gateway.example --genesis genesis.bin")]
pub(crate) struct VerifyArgs {
    /// Picture of a code, its text, a file of either, a certificate file, or - for standard input
    #[arg(required_unless_present = "identifier", conflicts_with = "identifier")]
    code: Option<String>,
    /// Identifier typed from paper: gives what is recorded about the document
    #[arg(long, value_name = "IDENTIFIER")]
    identifier: Option<String>,
    /// Member that verifies: short name, credit code or number
    #[arg(long = "as", value_name = "MEMBER")]
    verifier: String,
    /// What for, by name or code: see fengni codes purposes; not needed for an identifier
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// Judge by this trust store and ask no network: see fengni trust
    #[arg(long, value_name = "FILE", conflicts_with_all = ["identifier", "proof"])]
    trust: Option<PathBuf>,
    /// The question that was asked, as text or a file of it: only an answer to it will do. A live
    /// relay remains possible
    #[arg(long, value_name = "TEXT|FILE", conflicts_with = "identifier")]
    challenge: Option<String>,
    /// Write what decided to a file, for fengni check: the code with what it discloses, and the ledger's proof
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Grant that the holder gave, for a purpose that asks for one: see fengni grant record
    #[arg(long, value_name = "FILE", conflicts_with_all = ["identifier", "trust"])]
    grant: Option<PathBuf>,
    /// Lowest trust grade that will do
    #[arg(long, value_enum, value_name = "GRADE", ignore_case = true)]
    min_grade: Option<GradeArg>,
    /// How an identity service must at least have checked the holder
    #[arg(long, value_enum, value_name = "LEVEL")]
    min_assurance: Option<AssuranceArg>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What is to be judged.
enum Input {
    Text(String),
    File(Vec<u8>),
}

impl Input {
    /// Whether it is a holder's code, which is shown for a purpose.
    fn is_code(&self) -> bool {
        matches!(self, Self::Text(text) if CertificateId::parse(text).is_err() && StaticCode::parse(text).is_err())
    }
}

/// A verdict with how the nodes behaved, in JSON.
#[derive(Serialize)]
pub(crate) struct Judged {
    /// The verdict, with its own schema version.
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    /// The node whose proof decided.
    pub(crate) node: Option<String>,
    /// Nodes that gave nothing of use, and why.
    pub(crate) troubles: Vec<String>,
}

pub(crate) fn run(args: &VerifyArgs, output: Output) -> Result<Ending> {
    // Before any network: what is given wrong stays wrong.
    let input = input(args)?;
    let challenge = args.challenge.as_deref().map(challenge::read).transpose()?;
    if args.purpose.is_none() && challenge.is_none() && input.is_code() {
        bail!("a code is verified for a purpose; next: give --purpose, see fengni codes purposes");
    }
    if let Some(path) = &args.trust {
        let judged = offline(args, path, input, challenge.as_ref())?;
        output.answer(&judged, || text(&judged));
        return Ok(ending(&judged.verdict));
    }
    let mut connection = args.connect.open(None)?;
    let home = member_home(&connection, &args.verifier);
    // The member's own memory of the ledger: no answer goes back behind it.
    if args.connect.state.is_none() && home.is_some() {
        connection = args.connect.open(home.as_deref())?;
    }
    let seen = seen_path(&args.connect, home.as_deref());
    let judged = judge(connection, args, input, challenge.as_ref(), seen.as_deref(), output)?;
    output.answer(&judged, || text(&judged));
    Ok(ending(&judged.verdict))
}

/// Judges a code or a certificate file by a trust store, which remembers the code's use and the hour.
fn offline(args: &VerifyArgs, path: &Path, input: Input, challenge: Option<&Challenge>) -> Result<Judged> {
    let asked = challenge.map(|challenge| challenge.question.purpose.to_string());
    let purpose = args.purpose.as_deref().or(asked.as_deref());
    let purpose = purpose.context("a code is verified for a purpose; next: give --purpose, see fengni trust show")?;
    // While an update holds the store, it is read without remembering the hour.
    let mut held = Held::try_now(path)?;
    let mut read = None;
    let store = match &mut held {
        Some(held) => &mut held.store,
        None => read.insert(fengni_client::trust::load(path)?),
    };
    let desk = Desk::new(store, args.connect.map(None)?.as_ref(), &args.verifier, purpose)?;
    let question =
        desk.question(store, args.min_grade.map(Grade::from), args.min_assurance.map(Assurance::from), challenge)?;
    let now = clock::now();
    let verdict = match input {
        Input::File(bytes) => match CertificateFile::decode(store.domain(), &bytes) {
            Ok(file) => store.judge_file(&file, &question, now),
            Err(error) => Verdict::malformed(&error),
        },
        Input::Text(text) => match AnyCode::parse(text.trim()) {
            Ok(AnyCode::Static(code)) => store.judge_static(&code, &question, now),
            Ok(AnyCode::Dynamic(code)) => {
                let verdict = store.verify(&code, &question, now);
                seen::admit(&path.with_extension("seen"), store.domain(), verdict, &code, now)?
            }
            Err(error) => Verdict::malformed(&error),
        },
    };
    // The hour is kept, so that a clock turned back is noticed the next time.
    store.saw(now);
    held.map(|held| held.save()).transpose()?;
    Ok(Judged { verdict, node: None, troubles: Vec::new() })
}

/// The exit code says what the verdict answers.
pub(crate) fn ending(verdict: &Verdict) -> Ending {
    match verdict.answer {
        Answer::Valid => Ending::Holds,
        Answer::Refused => Ending::Refused,
        Answer::Undecided => Ending::Undecided,
    }
}

/// The member's folder, where the map has one.
pub(crate) fn member_home(connection: &Connection, name: &str) -> Option<PathBuf> {
    let map = connection.map.as_ref()?;
    let home = map.path(&map.member(name)?.home);
    home.is_dir().then_some(home)
}

/// Where codes that were accepted are remembered.
pub(crate) fn seen_path(connect: &ConnectArgs, home: Option<&Path>) -> Option<PathBuf> {
    match &connect.state {
        Some(state) => Some(state.with_extension("seen")),
        None => home.map(|home| home.join(SEEN_FILE)),
    }
}

fn input(args: &VerifyArgs) -> Result<Input> {
    if let Some(identifier) = &args.identifier {
        // A slip of the pen is told at once, without any network.
        CertificateId::parse(identifier)
            .map_err(|error| anyhow::anyhow!("not a certificate identifier: {error}; next: fengni id check"))?;
        return Ok(Input::Text(identifier.clone()));
    }
    read_input(args.code.as_deref().context("name a code or an identifier")?)
}

/// Reads a picture of a code, its text, a file of either, a certificate file, or standard input.
fn read_input(text: &str) -> Result<Input> {
    let path = Path::new(text);
    let bytes = if text == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().take(INPUT_BYTES).read_to_end(&mut bytes)?;
        bytes
    } else if !text.starts_with(fengni_core::code::PREFIX) && path.is_file() {
        if std::fs::metadata(path)?.len() > INPUT_BYTES {
            bail!("{text} is too large for a picture of a code");
        }
        std::fs::read(path).with_context(|| text.to_owned())?
    } else {
        return Ok(Input::Text(text.to_owned()));
    };
    let is_picture = bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"\xff\xd8\xff");
    if is_picture {
        return Ok(Input::Text(picture::read(&bytes)?));
    }
    if path.extension().is_some_and(|ending| ending == "certificate") {
        return Ok(Input::File(bytes));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Input::Text(text.trim().to_owned())),
        Err(error) => Ok(Input::File(error.into_bytes())),
    }
}

/// A holder's code, from its text, a picture of it or a file of either.
pub(crate) fn read_code(text: &str) -> Result<Code> {
    match read_input(text)? {
        Input::Text(read) => Code::parse(read.trim()).with_context(|| format!("{text} is no holder's code")),
        Input::File(_) => bail!("{text} is no holder's code; next: fengni show"),
    }
}

fn judge(
    mut connection: Connection,
    args: &VerifyArgs,
    input: Input,
    challenge: Option<&Challenge>,
    seen: Option<&Path>,
    output: Output,
) -> Result<Judged> {
    let mut names = Names::default();
    let verifier = names.member(&mut connection, &args.verifier)?;
    let purpose = match (&args.purpose, challenge) {
        (Some(purpose), _) => names.purpose(&mut connection, purpose)?,
        (None, Some(challenge)) => challenge.question.purpose,
        (None, None) => PurposeCode::default(),
    };
    let policy = Policy {
        verifier,
        purpose,
        min_grade: args.min_grade.map(Grade::from),
        min_assurance: args.min_assurance.map(Assurance::from),
    };
    let domain = connection.ledger.domain();
    let founding = connection.genesis.checkpoint();
    let (ledger, rest) = connection.into_parts();
    let mut verifier = Verifier::new(ledger, policy);
    if let Some(path) = &args.grant {
        verifier.add_grant(read_grant(path)?);
    }
    let judged = match input {
        Input::Text(text) => {
            let judged = judge_text(&mut verifier, &text, challenge, seen, output)?;
            if let Some(path) = &args.proof {
                keep(&mut verifier, &text, challenge, &founding, path, output)?;
            }
            judged
        }
        Input::File(_) if args.proof.is_some() => {
            bail!("a proof is kept of a code or an identifier; next: name the identifier with --identifier")
        }
        Input::File(bytes) => {
            let file = CertificateFile::decode(&domain, &bytes);
            Judged::of(
                verifier
                    .verify_file(&file.context("neither a picture, a code nor a certificate file of this network")?),
            )
        }
    };
    rest.save(verifier.ledger(), output);
    Ok(judged)
}

/// Judges the text of a code or an identifier, and lets a code count once.
///
/// - `challenge`: the question it must answer, if one was asked.
pub(crate) fn judge_text(
    verifier: &mut Verifier,
    text: &str,
    challenge: Option<&Challenge>,
    seen: Option<&Path>,
    output: Output,
) -> Result<Judged> {
    let text = text.trim();
    let mut checked = match challenge {
        Some(challenge) => verifier.verify_answer(text, challenge),
        None => verifier.verify_text(text, None),
    };
    if let Ok(code) = Code::parse(text) {
        match seen {
            Some(path) => {
                let (domain, now) = (verifier.ledger().domain(), verifier.ledger().now());
                checked.verdict = seen::admit(path, &domain, checked.verdict, &code, now)?;
            }
            None => {
                // Nobody remembers this code after this call: what was not checked is not claimed.
                checked.verdict.checked.retain(|check| *check != Check::SingleUse);
                if checked.verdict.is_valid() {
                    output.progress(
                        "note: the code is not remembered as used; next: give --state FILE, or --network FILE",
                    );
                }
            }
        }
    }
    Ok(Judged::of(checked))
}

/// Keeps what decided, for the day when nobody can be asked.
///
/// - `founding`: what whoever reads the file is expected to pin.
fn keep(
    verifier: &mut Verifier,
    text: &str,
    challenge: Option<&Challenge>,
    founding: &Checkpoint,
    path: &Path,
    output: Output,
) -> Result<()> {
    let Some(proof) = verifier.decided_by().cloned() else {
        output.progress("note: no proof of a node decided, so that there is nothing to keep");
        return Ok(());
    };
    let policy = *verifier.policy();
    let asked = Asked {
        text: text.trim().to_owned(),
        verifier: policy.verifier,
        purpose: policy.purpose,
        min_grade: policy.min_grade,
        min_assurance: policy.min_assurance,
        challenge: challenge.map(|challenge| challenge.hash(&verifier.ledger().domain())),
        judged: verifier.ledger().now(),
    };
    let found = FinalHeader { header: proof.header.clone(), certificate: proof.certificate.clone() };
    let handovers = verifier.ledger().handovers(founding, &found)?;
    Kept::new(asked, &proof, handovers, verifier.ledger_mut().light_mut())?.save(path)?;
    let path = path.display();
    output.progress(&format!("wrote {path}; next: fengni check {path} --checkpoint genesis.bin"));
    Ok(())
}

impl Judged {
    fn of(checked: Checked) -> Self {
        let troubles = checked.troubles.iter().map(|found| match &found.trouble {
            Trouble::Lied(_) => format!("{found}; report this node to its operator"),
            _ => found.to_string(),
        });
        Self { troubles: troubles.collect(), node: checked.node, verdict: checked.verdict }
    }
}

/// The verdict for people: first what it is, then why, then what to do.
pub(crate) fn text(judged: &Judged) -> String {
    let mut lines = vec![statement(&judged.verdict)];
    lines.extend(judged.troubles.iter().map(|trouble| format!("note: {trouble}")));
    if let Some(next) = next(&judged.verdict) {
        lines.push(format!("next: {next}"));
    }
    lines.join("\n")
}

/// What a verdict says.
pub(crate) fn statement(verdict: &Verdict) -> String {
    let mut lines = vec![first_line(verdict)];
    // A valid document's first line says what it is; the sentence follows in both languages.
    if verdict.is_valid() {
        lines.push(verdict.reason.en.clone());
    }
    lines.push(verdict.reason.zh.clone());
    // Short and plain, for whoever the clerk turns the screen to.
    lines.push(format!("{}: {}", verdict.display.as_str(), verdict.plain_text));
    let evidence = evidence(verdict);
    if !evidence.is_empty() {
        lines.push(evidence);
    }
    if let Some(document) = &verdict.document {
        if let Some((from, until)) = &document.validity {
            let grade = document.grade.map_or_else(String::new, |grade| format!(", grade {grade:?}"));
            lines.push(format!("valid from {from} to {}{grade}", until.as_deref().unwrap_or("长期")));
        }
        for claim in &document.claims {
            let as_of = claim.as_of.as_ref().map_or_else(String::new, |day| format!(" (as of {day})"));
            lines.push(format!("  {}: {}{as_of}", claim.label, claim.value.as_deref().unwrap_or("-")));
        }
    }
    if let Some(assured) = &verdict.assurance {
        let (level, when) = (assured.level, Millis::from_secs(assured.time_secs).show());
        lines.push(format!("holder checked by {}: {} ({}), {when}", assured.service, level.as_str(), level.chinese()));
    }
    if let Some(height) = verdict.recovered {
        lines.push(format!(
            "warning: this network lost its validators after height {height} and goes on by a recovery; next: ask its operators, then fengni trust acknowledge, or fengni recovery acknowledge"
        ));
    }
    for warning in &verdict.warnings {
        let reason = warning.reason();
        lines.push(format!("warning {warning}: {} {}", reason.en, reason.zh));
    }
    lines.join("\n")
}

fn first_line(verdict: &Verdict) -> String {
    let document = verdict.document.as_ref().map(|document| {
        let line = document.place;
        format!(
            "{}, sealed by {} in book {} on page {}, line {}",
            document.certificate_type,
            document.issuer,
            line.book,
            line.line.page(),
            line.line
        )
    });
    match (verdict.answer, document) {
        (Answer::Valid, Some(document)) if verdict.code == VerdictCode::Valid => format!("valid: {document}"),
        (Answer::Valid, Some(document)) => format!("valid {}: {document}", verdict.code),
        (Answer::Valid, None) => format!("valid: {}", verdict.reason.en),
        (answer, document) => {
            let word = if answer == Answer::Refused { "refused" } else { "undecided" };
            let document = document.map_or_else(String::new, |document| format!("\n{document}"));
            format!("{word} {}: {}{document}", verdict.code, verdict.reason.en)
        }
    }
}

/// As of which block, and how old everything is.
fn evidence(verdict: &Verdict) -> String {
    let mut parts = Vec::new();
    if let (Some(as_of), Some(age)) = (verdict.as_of, verdict.ages.standing_secs) {
        let standing = if verdict.is_valid() { "standing active" } else { "state" };
        parts.push(format!("{standing} as of block {}, {} ago", as_of.height, moment::age(age)));
    }
    if let Some(age) = verdict.ages.holder_proof_secs {
        parts.push(format!("code signed {} ago", moment::age(age)));
    }
    if let Some(age) = verdict.ages.checkpoint_secs {
        parts.push(format!("checkpoint {} old", moment::age(age)));
    }
    parts.join("; ")
}

/// What a clerk can do.
fn next(verdict: &Verdict) -> Option<&'static str> {
    use VerdictCode::{
        AssuranceTooLow, CodeExpired, CodeNotYetValid, CodeReplayed, ContentMismatch, DocumentStatusOnly,
        HolderProofInvalid, LedgerUnreachable, Malformed, NotRecognised, PurposeNotCovered, StatusStale, Superseded,
        UnknownCert,
    };
    Some(match verdict.code {
        CodeExpired | CodeReplayed => "ask the holder for a new code",
        CodeNotYetValid => "set both clocks, then ask for a new code",
        Malformed => "scan again, nearer and straight on",
        HolderProofInvalid | ContentMismatch => "do not accept it; ask for the document and report the code",
        UnknownCert => "compare the identifier with the document, or ask another gateway",
        StatusStale | LedgerUnreachable => "ask another gateway with --gateway, or type the identifier later",
        PurposeNotCovered => "ask the holder to show it for this purpose: fengni codes purposes",
        NotRecognised => "see fengni agreement list",
        AssuranceTooLow if matches!(verdict.detail, Some(Detail::Assurance { .. })) => {
            "ask the holder to be checked by an identity service, then for a new code: fengni assure"
        }
        AssuranceTooLow => "ask for a certificate of a better grade",
        Superseded => "ask the holder for the certificate that replaced it",
        DocumentStatusOnly => "check the person against the document, or ask for a code",
        _ => return None,
    })
}
