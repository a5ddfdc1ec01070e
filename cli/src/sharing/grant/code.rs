//! `fengni grant code`: a holder at a counter agrees to one use, now (SHR-11).

use anyhow::{Result, anyhow};
use clap::Args;
use fengni_client::picture;
use fengni_client::sharing::use_code::{Notice, Wanted};
use fengni_core::code::LIFETIME_SECS_MAX;
use fengni_core::record::Mode;
use fengni_core::{Millis, ResourceNumber};
use serde_json::json;

use super::super::holder::HolderArgs;
use super::super::needs::asked;
use super::named;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::names::Names;
use crate::output::Output;
use crate::wallet::confirmed;

/// `fengni grant code`.
#[derive(Args, Debug)]
#[command(
    after_help = "The department puts both texts into what it asks: fengni access ask. A provider takes a code once, for
one case. Nothing of it goes to the ledger, and nothing withdraws it: it ends by itself.

Exit codes: 0 the code is there, 1 the holder did not agree, 3 could not run.

Examples:
  fengni grant code --certificate c4.certificate --disclose 证件号码 --grantee YHD --resource 0 \\
      --field 参保月数 --item 11339900XN0200022E400011 --case YS20260309000317 --network net
  fengni grant code --certificate c4.certificate --disclose 证件号码 --grantee YHD --resource 0 \\
      --field 参保月数 --item 0 --case YS20260309000317 --lifetime-secs 60 --yes --json --network net"
)]
pub(crate) struct CodeArgs {
    #[command(flatten)]
    holder: HolderArgs,
    /// Member that may use it: short name, credit code or number
    #[arg(long, value_name = "MEMBER")]
    grantee: String,
    /// Number of the resource: see fengni resource list
    #[arg(long, value_name = "NUMBER")]
    resource: u32,
    /// Item of its data, by name; may be given several times
    #[arg(long = "field", value_name = "NAME", required = true)]
    fields: Vec<String>,
    /// How it is used: verify, query or batch
    #[arg(long, value_name = "MODE", default_value = "verify", value_parser = mode)]
    mode: Mode,
    /// Code (实施编码) or number of the service item, which says what for: see fengni item list
    #[arg(long, value_name = "CODE|NUMBER")]
    item: String,
    /// Number of the case (办件编号)
    #[arg(long, value_name = "NUMBER")]
    case: String,
    /// Seconds the code holds, 1 to 300
    #[arg(long, value_name = "SECS", default_value_t = 120, value_parser = lifetime())]
    lifetime_secs: u32,
    /// Agree without being asked
    #[arg(long)]
    yes: bool,
    /// Print the two texts alone, without pictures
    #[arg(long)]
    text: bool,
    /// Draw for dark letters on a light ground
    #[arg(long)]
    light: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

fn mode(text: &str) -> Result<Mode> {
    let found = Mode::ALL.into_iter().find(|mode| mode.word() == text);
    found.ok_or_else(|| anyhow!("a mode is verify, query or batch"))
}

fn lifetime() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(LIFETIME_SECS_MAX))
}

pub(super) fn run(args: &CodeArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let (file, key) = args.holder.read(&connection)?;
    let identity = args.holder.identity(&mut connection, &file)?;
    let wanted = Wanted {
        grantee: Names::default().member(&mut connection, &args.grantee)?,
        resource: ResourceNumber(args.resource),
        fields: args.fields.clone(),
        mode: args.mode,
        item: asked(&args.item),
        case: args.case.clone(),
        lifetime_secs: args.lifetime_secs,
    };
    let notice = Notice::read(&mut connection.ledger, wanted, identity, key.public())?;
    let words = words(&notice)?;
    if !args.yes && !confirmed(&format!("{words}\nDo you agree 同意吗?"), output)? {
        output.answer(&json!({ "result": "refused" }), || "not agreed: nothing was signed".to_owned());
        return Ok(Ending::Refused);
    }
    let now = connection.ledger.now();
    let (code, identity) = notice.sign(&connection.ledger.domain(), &key, now)?;
    let expires_secs = code.terms().issued_secs.saturating_add(args.lifetime_secs.into());
    let (code, identity) = (code.to_text(), identity.to_text());
    output.answer(&json!({ "use_code": code, "identity": identity, "expires_secs": expires_secs }), || {
        [&code, &identity].map(|text| drawn(args, text)).join("\n")
    });
    output.progress(&format!("{words}\nsigned; it may be used once, until {}", Millis::from_secs(expires_secs).show()));
    Ok(Ending::Holds)
}

/// The notice as the holder reads it (HLD-04).
fn words(notice: &Notice) -> Result<String> {
    let (terms, resource, item) = (notice.terms(), &notice.resource.terms, &notice.item.terms);
    Ok(format!(
        "recipient 接收方: {}\nkinds 种类: {}: {}; {}, once\nitem 事项: {} {}, purpose {}, case {}\nfor 时限: {} seconds",
        notice.grantee.name,
        resource.name,
        named(resource, &terms.fields)?,
        terms.mode.word(),
        item.code,
        item.name,
        terms.purpose,
        terms.case,
        terms.lifetime_secs,
    ))
}

/// A text, below its picture where pictures are wanted.
fn drawn(args: &CodeArgs, text: &str) -> String {
    // An identity that discloses much is too large for a picture: its text is all there is.
    let picture = if args.text { None } else { picture::terminal(text, !args.light).ok() };
    format!("{}{text}", picture.unwrap_or_default())
}
