//! `fengni grant`: a department asks, a holder signs and withdraws (SHR-04, HLD-02, HLD-04).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Subcommand;
use fengni_client::clock;
use fengni_client::random::random;
use fengni_client::sharing::grant::{self, Ask, GrantStanding, PendingGrant, SignedGrant};
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::wire::Withdrawal;
use fengni_client::transport::HttpOptions;
use fengni_core::book::Subject;
use fengni_core::record::{KeyPurpose, Member, Mode, Resource, ServiceItem};
use fengni_core::sharing::{GrantFile, Granted, GrantedKind, PresentedGrant};
use fengni_core::{BookNumber, Millis, ResourceNumber};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::holder::HolderArgs;
use super::{field, numbered, read_terms};
use crate::admin::{ActingArgs, Asked};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::issue::open_book;
use crate::names::Names;
use crate::output::Output;
use crate::private;
use crate::wallet::confirmed;

/// Bytes of a file of a grant, at most.
const FILE_BYTES: u64 = 64 * 1024;

/// What happens to a grant.
#[derive(Subcommand, Debug)]
pub(crate) enum GrantCommand {
    /// Write down what a holder is asked for, as a department
    #[command(after_help = "The file of terms, in TOML:
  contact = \"12345, housing desk\"
  item = 0                    # number of the service item: see fengni item list
  case = \"YS20260309000317\"   # leave out for any case
  method = \"自动核验,不留存\"
  days = 31
  [[kinds]]
  resource = 0
  fields = [\"参保月数\"]
  mode = \"verify\"
  uses = 3
  [[kinds]]
  showing = \"T-RE\"            # certificates of a type that asks for a grant
  uses = 3

Examples:
  fengni grant ask g1.toml --out g1.ask.json --home net/members/yhd")]
    Ask {
        /// File of terms
        terms: PathBuf,
        /// File for the holder
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Read what a department asks for, and agree to it, as the holder
    #[command(after_help = "Examples:
  fengni grant sign g1.ask.json --certificate c4.certificate --disclose 证件号码 \\
      --out g1.signed.json --keep g1.pending.json --network net")]
    Sign {
        /// What the department asks for
        ask: PathBuf,
        #[command(flatten)]
        holder: HolderArgs,
        /// Agree to the sensitive items by themselves (单独同意)
        #[arg(long)]
        separate_consent: bool,
        /// File for the department
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Private file for oneself, with the secret that withdraws
        #[arg(long, value_name = "FILE")]
        keep: PathBuf,
        /// Agree without being asked
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Put a signed grant on the ledger, as the department
    #[command(after_help = "Run again after a break: a grant stands on the ledger once.

Examples:
  fengni grant record g1.signed.json --out g1.grant.json --home net/members/yhd")]
    Record {
        /// What the holder signed
        signed: PathBuf,
        /// File to show to providers, and to hand back to the holder
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Keep a grant with its place on the ledger, as the holder
    #[command(after_help = "Examples:
  fengni grant keep g1.pending.json --recorded g1.grant.json --out g1.mine.json --network net")]
    Keep {
        /// The private file of signing
        pending: PathBuf,
        /// What the department recorded
        #[arg(long, value_name = "FILE")]
        recorded: PathBuf,
        /// Private file for oneself
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Show what a grant says and where it stands
    #[command(after_help = "Exit codes: 0 it is in force, 1 it is not, 2 undecided.

Examples:
  fengni grant show g1.mine.json --network net")]
    Show {
        /// A holder's or a department's file of a grant
        grant: PathBuf,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Withdraw a grant, as the holder: through any member, or through a provider's gateway
    #[command(after_help = "Examples:
  fengni grant withdraw g1.mine.json --provider https://data.hrs.example --network net
  fengni grant withdraw g1.mine.json --home net/members/gov")]
    Withdraw {
        /// The holder's file of the grant
        grant: PathBuf,
        /// URL of a provider's gateway that brings it to the ledger
        #[arg(long, value_name = "URL", conflicts_with = "home")]
        provider: Option<String>,
        /// Folder of a member that brings it to the ledger
        #[arg(long, value_name = "DIR", required_unless_present = "provider")]
        home: Option<PathBuf>,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// Terms as people write them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    contact: String,
    item: u32,
    case: Option<String>,
    method: String,
    days: u32,
    kinds: Vec<KindEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindEntry {
    resource: Option<u32>,
    #[serde(default)]
    fields: Vec<String>,
    mode: Option<Mode>,
    showing: Option<String>,
    uses: u32,
}

pub(crate) fn run(command: &GrantCommand, output: Output) -> Result<Ending> {
    match command {
        GrantCommand::Ask { terms, out, acting } => ask(terms, out, acting, output),
        GrantCommand::Sign { ask, holder, separate_consent, out, keep, yes, connect } => {
            sign((ask, out, keep), holder, (*separate_consent, *yes), connect, output)
        }
        GrantCommand::Record { signed, out, acting } => record(signed, out, acting, output),
        GrantCommand::Keep { pending, recorded, out, connect } => keep((pending, recorded, out), connect, output),
        GrantCommand::Show { grant, connect } => show(grant, connect, output),
        GrantCommand::Withdraw { grant, provider: Some(url), connect, .. } => {
            through_provider(grant, url, connect, output)
        }
        GrantCommand::Withdraw { grant, home, connect, .. } => {
            let home = home.as_deref().context("--home or --provider says who brings it to the ledger")?;
            through_member(grant, home, connect, output)
        }
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    private::must_be_new(path)?;
    private::write(path, (serde_json::to_string_pretty(value)? + "\n").as_bytes())
}

/// Reads a file of a grant. What is wrong with it is not repeated: it may name somebody.
pub(super) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    ensure!(size <= FILE_BYTES, "{} is too large for {what}", path.display());
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).map_err(|_| anyhow::anyhow!("{} is not {what}", path.display()))
}

/// Reads a grant that a department recorded.
pub(crate) fn read_presented(path: &Path) -> Result<PresentedGrant> {
    read(path, "a recorded grant")
}

fn ask(path: &Path, out: &Path, acting: &ActingArgs, output: Output) -> Result<Ending> {
    let file: TermsFile = read_terms(path)?;
    let mut connection = acting.open()?;
    let mut names = Names::default();
    let item: ServiceItem = connection.ledger.record(file.item)?;
    let resources: Vec<(u32, Resource)> = numbered(&mut connection)?;
    let mut kinds = Vec::new();
    for entry in &file.kinds {
        kinds.push(GrantedKind { what: granted(entry, &resources, &mut connection, &mut names)?, uses: entry.uses });
    }
    let from = clock::now();
    let until = Millis(from.0.saturating_add(u64::from(file.days).saturating_mul(86_400_000)));
    let ask = Ask {
        network: connection.ledger.domain().network,
        grantee: acting.member()?,
        contact: file.contact,
        purpose: item.terms.purpose,
        item: item.terms.code,
        case: file.case,
        method: file.method,
        kinds,
        from,
        until,
    };
    write(out, &ask)?;
    connection.save(output);
    output.answer(&json!({ "ask": out }), || {
        format!("wrote {}; next: the holder reads it and signs: fengni grant sign", out.display())
    });
    Ok(Ending::Holds)
}

fn granted(
    entry: &KindEntry,
    resources: &[(u32, Resource)],
    connection: &mut Connection,
    names: &mut Names,
) -> Result<Granted> {
    match (entry.resource, &entry.showing) {
        (Some(number), None) => {
            let found = resources.get(usize::try_from(number)?);
            let (_, resource) = found.context("there is no such resource; next: fengni resource list")?;
            let fields = entry.fields.iter().map(|name| field(&resource.terms, name)).collect::<Result<Vec<_>>>();
            let mut fields = fields?;
            fields.sort_unstable();
            let mode = entry.mode.context("a kind of a resource names its mode")?;
            Ok(Granted::Resource { resource: ResourceNumber(number), fields, mode })
        }
        (None, Some(kind)) => Ok(Granted::Showing { certificate_type: names.certificate_type(connection, kind)? }),
        _ => bail!("a kind names a resource or a type of certificates to be shown, one of them"),
    }
}

/// The notice as the holder reads it (HLD-04).
fn notice(ask: &Ask, connection: &mut Connection) -> Result<String> {
    let mut names = Names::default();
    let member: Member = connection.ledger.record(ask.grantee.0)?;
    let types = names.types(connection)?.to_vec();
    let resources: Vec<(u32, Resource)> = numbered(connection)?;
    let kind = |kind: &GrantedKind| match &kind.what {
        Granted::Resource { resource, fields, mode } => {
            let terms = resources.get(resource.0 as usize).map(|(_, found)| &found.terms);
            let fields = fields.iter().filter_map(|field| {
                let field = terms?.field(*field)?;
                Some(if field.sensitive { format!("{} (敏感)", field.name) } else { field.name.clone() })
            });
            let fields = fields.collect::<Vec<_>>().join(", ");
            let name = terms.map_or("?", |terms| terms.name.as_str());
            format!("  {name}: {fields}; {}, {} times", mode.word(), kind.uses)
        }
        Granted::Showing { certificate_type } => {
            let name = types.get(certificate_type.0 as usize).map_or("?", |found| found.name.as_str());
            format!("  {name}: shown, {} times", kind.uses)
        }
    };
    let case = ask.case.as_deref().map_or_else(|| "any case".to_owned(), |case| format!("case {case}"));
    Ok(format!(
        "recipient 接收方: {}\ncontact 联系方式: {}\npurpose 目的: {}, item {}, {case}\nmethod 方式: {}\nkinds 种类:\n{}\nuntil: {}",
        member.name,
        ask.contact,
        ask.purpose,
        ask.item,
        ask.method,
        ask.kinds.iter().map(kind).collect::<Vec<_>>().join("\n"),
        ask.until.show(),
    ))
}

fn sign(
    (ask, out, keep): (&Path, &Path, &Path),
    holder: &HolderArgs,
    (separate_consent, yes): (bool, bool),
    connect: &ConnectArgs,
    output: Output,
) -> Result<Ending> {
    let ask: Ask = read(ask, "what a department asks for")?;
    [out, keep].into_iter().try_for_each(private::must_be_new)?;
    let mut connection = connect.open(None)?;
    let (file, key) = holder.read(&connection)?;
    ask.check(key.public())?;
    let notice = notice(&ask, &mut connection)?;
    let disclosed = holder.disclosed(&mut connection, &file)?;
    if !yes && !confirmed(&format!("{notice}\nDo you agree 同意吗?"), output)? {
        output.answer(&json!({ "result": "refused" }), || "not agreed: nothing was signed".to_owned());
        return Ok(Ending::Refused);
    }
    let domain = connection.ledger.domain();
    let pending = grant::sign(&domain, &ask, separate_consent, (&file, &key), &disclosed)?;
    write(keep, &pending)?;
    write(out, &pending.signed)?;
    output.answer(&json!({ "signed": out, "kept": keep }), || {
        format!("{notice}\nsigned; next: hand {} to the department, and keep {}", out.display(), keep.display())
    });
    Ok(Ending::Holds)
}

fn record(signed: &Path, out: &Path, acting: &ActingArgs, output: Output) -> Result<Ending> {
    let grant: SignedGrant = read(signed, "a signed grant")?;
    if out.exists() {
        bail!("{} exists; next: name a new file", out.display());
    }
    // The tag is kept before anything is sent: the same command finds the line that it made before.
    let kept = signed.with_extension("tag");
    let tag: [u8; 16] = if kept.exists() {
        let text = String::from_utf8(private::read(&kept)?).unwrap_or_default();
        let tag = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        tag.with_context(|| format!("{} is not what an earlier run kept", kept.display()))?
    } else {
        let tag: [u8; 16] = random()?;
        private::write(&kept, hex::encode(tag).as_bytes())?;
        tag
    };
    let mut connection = acting.open()?;
    let book = match book(&mut connection, acting)? {
        Ok(book) => book,
        Err(reason) => {
            output.answer(&json!({ "result": "refused", "reason": reason }), || format!("refused: {reason}"));
            return Ok(Ending::Refused);
        }
    };
    let signers = acting.actor().signers(KeyPurpose::Application, false)?;
    let submitter = connection.submitter()?;
    let presented = grant::record(&mut connection.ledger, &submitter, &signers, book, (&grant, tag))?;
    write(out, &presented)?;
    connection.save(output);
    output.answer(&json!({ "result": "done", "place": presented.place, "grant": out }), || {
        format!("the grant is {}; next: hand {} to the holder as well", presented.place, out.display())
    });
    Ok(Ending::Holds)
}

/// The member's book of grants; opens one if there is none. The inner error is a refusal.
fn book(connection: &mut Connection, acting: &ActingArgs) -> Result<Result<BookNumber, String>> {
    let member = acting.member()?;
    let division = connection.ledger.record::<Member>(member.0)?.division;
    match Names::default().book(connection, member, Subject::Grants, division)? {
        Some(book) => Ok(Ok(book)),
        None => open_book(connection, acting.actor(), Subject::Grants, division),
    }
}

fn keep((pending, recorded, out): (&Path, &Path, &Path), connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let pending: PendingGrant = read(pending, "what signing a grant kept")?;
    let recorded: PresentedGrant = read(recorded, "a recorded grant")?;
    let mut connection = connect.open(None)?;
    let file = pending.keep(&mut connection.ledger, recorded.place)?;
    write(out, &file)?;
    output
        .answer(&json!({ "kept": out, "place": file.place }), || format!("kept: {} is {}", out.display(), file.place));
    Ok(Ending::Holds)
}

/// A grant from a holder's or a department's file.
fn any(path: &Path, connection: &Connection) -> Result<PresentedGrant> {
    match read::<GrantFile>(path, "a grant") {
        Ok(file) => Ok(file.present(&connection.ledger.domain())),
        Err(_) => read(path, "a grant"),
    }
}

fn show(path: &Path, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let grant = any(path, &connection)?;
    let standing = grant::standing(&mut connection.ledger, &grant)?;
    let terms = grant.content.terms();
    let said = json!({
        "place": grant.place, "standing": standing, "grantee": terms.grantee, "purpose": terms.purpose,
        "item": terms.item, "kinds": terms.kinds, "from": terms.from.show(), "until": terms.until.show(),
    });
    output.answer(&said, || {
        format!(
            "grant {}: {}\nmember {}, purpose {}, item {}\nfrom {} until {}",
            grant.place,
            standing_words(standing),
            terms.grantee,
            terms.purpose,
            terms.item,
            terms.from.show(),
            terms.until.show(),
        )
    });
    Ok(if standing == GrantStanding::Active { Ending::Holds } else { Ending::Refused })
}

/// Where a grant stands, in both languages.
pub(super) fn standing_words(standing: GrantStanding) -> &'static str {
    match standing {
        GrantStanding::Active => "in force 有效",
        GrantStanding::Withdrawn => "withdrawn 撤回",
        GrantStanding::OutsidePeriod => "not in its period 不在有效期内",
        GrantStanding::Suspended => "suspended 被暂停",
    }
}

fn through_member(path: &Path, home: &Path, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let file: GrantFile = read(path, "a holder's grant")?;
    let acting = ActingArgs::of(home, connect);
    let asked = |connection: &mut Connection, _: &mut Names| {
        let operation = grant::withdraw(&connection.ledger.domain(), &file);
        Ok(Asked { purpose: KeyPurpose::Application, ..operation.into() })
    };
    acting.carry_out(output, asked, |_| format!("the grant {} is withdrawn", file.place))
}

fn through_provider(path: &Path, url: &str, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let file: GrantFile = read(path, "a holder's grant")?;
    let mut connection = connect.open(None)?;
    let domain = connection.ledger.domain();
    let provider = Provider::http(url, &HttpOptions::default())?;
    let content = file.content.digest(&domain);
    let withdrawal = Withdrawal { place: file.place, content, secret: file.secret.clone() };
    let said = provider.withdraw(&withdrawal).map_err(|trouble| anyhow::anyhow!("{url}: {trouble}"))?;
    // The provider's word is not enough: the ledger says whether it is withdrawn.
    let standing = grant::standing(&mut connection.ledger, &file.present(&domain))?;
    let is_withdrawn = standing == GrantStanding::Withdrawn;
    output.answer(&json!({ "withdrawn": is_withdrawn, "transaction": said.transaction }), || {
        let next = if is_withdrawn { "" } else { "; next: fengni grant show, or withdraw through another member" };
        format!("grant {}: {}{next}", file.place, standing_words(standing))
    });
    Ok(if is_withdrawn { Ending::Holds } else { Ending::Undecided })
}
