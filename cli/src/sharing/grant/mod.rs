//! `fengni grant`: a department asks, a holder signs and withdraws, or agrees to one use at a counter (SHR-04,
//! SHR-11, HLD-02, HLD-04).

mod code;
mod department;
mod holder;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use fengni_client::sharing::grant::{self, GrantStanding};
use fengni_core::limits::GRANT_FILE_BYTES;
use fengni_core::record::ResourceTerms;
use fengni_core::sharing::{GrantFile, PresentedGrant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::holder::HolderArgs;
use crate::admin::ActingArgs;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::output::Output;
use crate::private;

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
    /// Make a use code (用证码) at a counter, as the holder: one use, now, without a line on the ledger
    Code(code::CodeArgs),
    /// Put a signed grant on the ledger, as the department
    #[command(after_help = "Run again after a break: a grant stands on the ledger once.

Examples:
  fengni grant record g1.signed.json --out g1.grant.json --home net/members/yhd")]
    Record {
        /// What the holder signed
        signed: PathBuf,
        /// File to show to providers
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Keep a grant with its place on the ledger, as the holder
    #[command(after_help = "Its line is found on the ledger: the department hands nothing back.

Exit codes: 0 kept, 2 it is not on the ledger.

Examples:
  fengni grant keep g1.pending.json --out g1.mine.json --network net")]
    Keep {
        /// The private file of signing
        pending: PathBuf,
        /// Private file for oneself
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Show what a grant says and where it stands
    #[command(after_help = "Exit codes: 0 it is in force; 1 it is not; 3 could not run.

Examples:
  fengni grant show g1.mine.json --network net")]
    Show {
        /// A holder's or a department's file of a grant
        grant: PathBuf,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Withdraw a grant, as the holder: through any member, or through a provider's gateway
    #[command(after_help = "Exit codes: 0 it is withdrawn; 2 the ledger does not say so yet; 3 could not run.

Examples:
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

pub(crate) fn run(command: &GrantCommand, output: Output) -> Result<Ending> {
    match command {
        GrantCommand::Ask { terms, out, acting } => department::ask(terms, out, acting, output),
        GrantCommand::Sign { ask, holder, separate_consent, out, keep, yes, connect } => {
            holder::sign((ask, out, keep), holder, (*separate_consent, *yes), connect, output)
        }
        GrantCommand::Code(args) => code::run(args, output),
        GrantCommand::Record { signed, out, acting } => department::record(signed, out, acting, output),
        GrantCommand::Keep { pending, out, connect } => holder::keep(pending, out, connect, output),
        GrantCommand::Show { grant, connect } => show(grant, connect, output),
        GrantCommand::Withdraw { grant, provider: Some(url), connect, .. } => {
            holder::through_provider(grant, url, connect, output)
        }
        GrantCommand::Withdraw { grant, home, connect, .. } => {
            let home = home.as_deref().context("--home or --provider says who brings it to the ledger")?;
            holder::through_member(grant, home, connect, output)
        }
    }
}

/// Writes a file of a grant, without blanks: it is for programs, and the longest fits in what is read.
fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    private::must_be_new(path)?;
    private::write(path, &serde_json::to_vec(value)?)
}

/// Reads a file of a grant. What is wrong with it is not repeated: it may name somebody.
pub(super) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    ensure!(size <= GRANT_FILE_BYTES as u64, "{} is too large for {what}", path.display());
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).map_err(|_| anyhow::anyhow!("{} is not {what}", path.display()))
}

/// Reads a grant that a department recorded.
pub(crate) fn read_presented(path: &Path) -> Result<PresentedGrant> {
    read(path, "a recorded grant")
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

/// What a holder is told of a question for something that is not on the ledger.
const UNKNOWN: &str = "it asks for something that the ledger does not know; next: ask the department again";

/// Items of data by name, as a holder reads them.
fn named(resource: &ResourceTerms, fields: &[u16]) -> Result<String> {
    let named = |number: &u16| {
        let field = resource.field(*number).context(UNKNOWN)?;
        Ok(if field.sensitive { format!("{} (敏感)", field.name) } else { field.name.clone() })
    };
    Ok(fields.iter().map(named).collect::<Result<Vec<_>>>()?.join(", "))
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
