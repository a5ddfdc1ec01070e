//! `fengni mine`: my grants, and who used what of mine, for what and when (HLD-01, HLD-02).

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use fengni_client::sharing::grant::{self, GrantStanding};
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::receipts::{self, ReceiptsError, Use};
use fengni_client::transport::HttpOptions;
use fengni_core::record::Resource;
use fengni_core::sharing::{GrantFile, Miscount, Sides, miscounts};
use fengni_core::{LinePlace, MemberNumber};
use serde::Serialize;
use serde_json::json;

use super::access::result_words;
use super::grant::{read, standing_words};
use super::holder::HolderArgs;
use super::numbered;
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{MembersCalled, Names};
use crate::output::{Output, table};

/// `fengni mine`.
#[derive(Args, Debug)]
#[command(
    after_help = "Each row was signed by the provider; one that is anchored was found in a batch on the ledger. One-sided
rows prove nothing against the department that did not sign. Uses of a grant are counted: where a number is
missing, a provider keeps a receipt back. Withdraw: fengni grant withdraw.

Exit codes: 0 shown; 1 a provider gave receipts that do not hold, or not all; 2 one did not answer, so that
uses may be missing; 3 could not run.

Examples:
  fengni mine --certificate c4.certificate --disclose 证件号码 --grant g1.mine.json \\
      --provider HRS=https://data.hrs.example --network net"
)]
pub(crate) struct MineArgs {
    #[command(flatten)]
    holder: HolderArgs,
    /// A grant of mine; may be given several times
    #[arg(long = "grant", value_name = "FILE")]
    grants: Vec<PathBuf>,
    /// A provider to ask, as MEMBER=URL; may be given several times
    #[arg(long = "provider", value_name = "MEMBER=URL")]
    providers: Vec<String>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// A grant as it is shown.
#[derive(Serialize)]
struct Granted {
    place: LinePlace,
    grantee: MemberNumber,
    standing: GrantStanding,
    until: String,
    /// Numbers of uses that no receipt has, or several.
    miscounted: Vec<Miscount>,
}

pub(crate) fn run(args: &MineArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(None)?;
    let (file, key) = args.holder.read(&connection)?;
    let identity = args.holder.identity(&mut connection, &file)?;
    let mut names = Names::default();
    let (mut uses, mut unfit, mut unanswered) = (Vec::new(), 0, Vec::new());
    for entry in &args.providers {
        let (member, url) = entry.split_once('=').context("a provider is written MEMBER=URL")?;
        let member = names.member(&mut connection, member)?;
        let provider = Provider::http(url, &HttpOptions::default())?;
        let holder = (&key, Some(&identity));
        match receipts::mine(&mut connection.ledger, &provider, member, holder, 0) {
            Ok(found) => {
                unfit += found.unfit;
                ensure!(found.next.is_none(), "{url}: more receipts than are shown at a time");
                uses.extend(found.uses);
            }
            // What the others say is shown all the same.
            Err(error @ ReceiptsError::Provider { .. }) => unanswered.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    let grants = grants(args, &mut connection, &uses)?;
    uses.sort_by_key(|it| it.receipt.receipt.time);
    let members = names.called(&mut connection)?;
    let resources: Vec<(u32, Resource)> = numbered(&mut connection)?;
    output.answer(&json!({ "grants": grants, "uses": uses, "unfit": unfit, "unanswered": unanswered }), || {
        let rows = grants.iter().map(|it| {
            [it.place.to_string(), members.of(it.grantee), standing_words(it.standing).to_owned(), it.until.clone()]
        });
        let granted = table(["grant", "recipient", "standing", "until"], rows);
        let rows = uses.iter().map(|it| row(it, &members, &resources));
        let used = table(["when", "who", "what", "item and case", "mode", "result", "proof"], rows);
        let warning = match unfit {
            0 => String::new(),
            count => {
                format!("\n{count} receipts do not hold; next: fengni access check, and tell the provider's regulator")
            }
        };
        let miscounted = grants.iter().flat_map(|it| it.miscounted.iter().map(|found| miscount_words(it.place, found)));
        let missing = unanswered.iter().map(|why| format!("\n{why}; uses there are not shown; next: ask again"));
        format!("{granted}\n{used}{warning}{}{}", miscounted.collect::<String>(), missing.collect::<String>())
    });
    let is_whole = unfit == 0 && grants.iter().all(|it| it.miscounted.is_empty());
    Ok(match (is_whole, unanswered.is_empty()) {
        (false, _) => Ending::Refused,
        (true, false) => Ending::Undecided,
        (true, true) => Ending::Holds,
    })
}

fn miscount_words(place: LinePlace, found: &Miscount) -> String {
    let Miscount { provider, resource, mode, first, last, is_repeated } = found;
    let what = if *is_repeated {
        "stand on several receipts"
    } else {
        "have no receipt: kept back, or erased at somebody's wish or by age"
    };
    format!(
        "\ngrant {place}: uses {first} to {last} of resource {resource}, {}, {what}; next: ask provider {provider}, or its regulator",
        mode.word()
    )
}

fn grants(args: &MineArgs, connection: &mut Connection, uses: &[Use]) -> Result<Vec<Granted>> {
    let domain = connection.ledger.domain();
    let mut grants = Vec::new();
    for path in &args.grants {
        let file: GrantFile = read(path, "a holder's grant")?;
        let presented = file.present(&domain);
        let standing = grant::standing(&mut connection.ledger, &presented)?;
        let terms = file.content.terms();
        let until = terms.until.show();
        let receipts = uses.iter().map(|it| &it.receipt.receipt);
        let miscounted = miscounts(&domain, &file.content.digest(&domain), receipts);
        grants.push(Granted { place: file.place, grantee: terms.grantee, standing, until, miscounted });
    }
    Ok(grants)
}

fn row(it: &Use, members: &MembersCalled, resources: &[(u32, Resource)]) -> [String; 7] {
    let receipt = &it.receipt.receipt;
    let resource = resources.get(receipt.resource.0 as usize).map(|(_, found)| &found.terms);
    let fields = receipt.fields.iter().filter_map(|field| Some(resource?.field(*field)?.name.as_str()));
    let sides = match it.sides {
        Sides::Both => "both sides",
        _ => "ONE-SIDED",
    };
    let anchored = it.anchored.map_or_else(|| "waits for its batch".to_owned(), |place| place.to_string());
    [
        receipt.time.show(),
        members.of(receipt.requester),
        format!("{}: {}", members.of(receipt.provider), fields.collect::<Vec<_>>().join(", ")),
        format!("{} {}", receipt.item, receipt.case),
        receipt.mode.word().to_owned(),
        result_words(receipt.result),
        format!("{sides}, {anchored}"),
    ]
}
