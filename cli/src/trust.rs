//! `fengni trust`: what a device takes along to verify where there is no network.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use fengni_client::clock;
use fengni_client::trust::{self, Held};
use fengni_core::assurance::Assurance;
use fengni_core::certificate::Grade;
use fengni_core::challenge::Challenge;
use fengni_core::limits::SUBSCRIPTION_ENTRIES;
use fengni_core::pack::{Subscription, TrustPack};
use fengni_core::record::{CertificateType, CodeSet, Member, Record};
use fengni_core::trust::{Question, TrustStore};
use fengni_core::verify::SKEW_SECS;
use fengni_core::{MemberNumber, PurposeCode, TypeNumber};
use fengni_genesis::Genesis;
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::local::map::NetworkMap;
use crate::moment;
use crate::names::division;
use crate::output::{Output, table};

/// `fengni trust`.
#[derive(Subcommand, Debug)]
pub(crate) enum TrustCommand {
    /// Begin a trust store: whom to believe, and which types and regions to take along
    #[command(after_help = "Examples:
  fengni trust init desk.trust --network net --types T-DL,T-BL --regions 37
  fengni trust init desk.trust --genesis genesis.bin
  fengni trust update desk.trust --gateway https://gateway.example")]
    Init(InitArgs),
    /// Bring a trust store up to date: by what has changed, where a node can tell
    #[command(after_help = "Examples:\n  fengni trust update desk.trust --network net")]
    Update(UpdateArgs),
    /// Show what a trust store holds, and how old it is
    #[command(after_help = "Examples:\n  fengni trust show desk.trust\n  fengni --json trust show desk.trust")]
    Show(ShowArgs),
}

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The store's file; a new one
    store: PathBuf,
    /// Certificate types: short names, type codes or numbers, separated by commas; else all
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// Regions, such as 37 or 3301, separated by commas; else everywhere
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    regions: Vec<String>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Args, Debug)]
pub(crate) struct UpdateArgs {
    /// The store's file
    store: PathBuf,
    /// Take other certificate types along from now on
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// Take other regions along from now on
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    regions: Vec<String>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The store's file
    store: PathBuf,
}

pub(crate) fn run(command: &TrustCommand, output: Output) -> Result<Ending> {
    match command {
        TrustCommand::Init(args) => init(args, output),
        TrustCommand::Update(args) => update(args, output),
        TrustCommand::Show(args) => show(&args.store, output),
    }
}

fn init(args: &InitArgs, output: Output) -> Result<Ending> {
    if args.store.exists() {
        bail!("{} is there already; next: fengni trust update, or name another file", args.store.display());
    }
    let (map, genesis) = args.connect.founding(None)?;
    let wanted = subscription(map.as_ref(), &genesis, &args.types, &args.regions)?;
    let store = TrustStore::new(genesis.checkpoint(), wanted);
    trust::save(&store, &args.store)?;
    let facts = json!({ "store": args.store, "network": genesis.network(), "subscription": store.subscription() });
    output.answer(&facts, || {
        format!(
            "{} believes the validators of network {}\nnext: fengni trust update {}",
            args.store.display(),
            genesis.network(),
            args.store.display()
        )
    });
    Ok(Ending::Holds)
}

fn subscription(
    map: Option<&NetworkMap>,
    genesis: &Genesis,
    types: &[String],
    regions: &[String],
) -> Result<Subscription> {
    if types.len().max(regions.len()) > SUBSCRIPTION_ENTRIES {
        bail!("at most {SUBSCRIPTION_ENTRIES} types and regions; next: name wider regions");
    }
    let types = types.iter().map(|text| founding_type(map, genesis, text)).collect::<Result<_>>()?;
    let regions = regions.iter().map(|text| division(text)).collect::<Result<_>>()?;
    Ok(Subscription::new(types, regions))
}

/// A type of the founding document, by short name, type code, name or number.
fn founding_type(map: Option<&NetworkMap>, genesis: &Genesis, text: &str) -> Result<TypeNumber> {
    if let Some(entry) = map.and_then(|map| map.types.iter().find(|entry| entry.key.eq_ignore_ascii_case(text))) {
        return Ok(entry.number);
    }
    let found = genesis.types.iter().position(|kind| kind.code.as_str() == text || kind.name == text);
    let found = found.map(u32::try_from).transpose()?.or_else(|| text.parse().ok());
    found.map(TypeNumber).with_context(|| format!("there is no certificate type {text}; next: fengni types"))
}

fn update(args: &UpdateArgs, output: Output) -> Result<Ending> {
    // Others verify by the old pack meanwhile, and nobody puts it back afterwards.
    let mut held = Held::wait(&args.store)?;
    let store = &mut held.store;
    let map = args.connect.map(None)?;
    if !args.types.is_empty() || !args.regions.is_empty() {
        let (_, genesis) = args.connect.founding(None).context("types are named by the founding document")?;
        store.subscribe(subscription(map.as_ref(), &genesis, &args.types, &args.regions)?);
    }
    if let Some(map) = map.as_ref().filter(|map| map.network != store.domain().network) {
        bail!("the store is of network {}, the map of {}", store.domain().network, map.network);
    }
    let gateway = args.connect.gateway(map.as_ref(), None)?;
    let bar = output.bar("bytes", 0);
    let progress = &mut |bytes: usize, total: Option<usize>| {
        bar.set_length(total.unwrap_or(bytes) as u64);
        bar.set_position(bytes as u64);
    };
    let updated = trust::update(store, &gateway, clock::now(), progress);
    bar.finish_and_clear();
    // What the light client has learnt stays, whether or not there was a pack.
    held.save()?;
    let updated = updated?;
    let troubles: Vec<String> = updated.troubles.iter().map(ToString::to_string).collect();
    let facts = json!({
        "node": updated.node,
        "bytes": updated.bytes,
        "since": updated.since,
        "height": updated.height,
        "time": updated.time,
        "troubles": troubles,
    });
    output.answer(&facts, || {
        let kind = updated.since.map_or_else(|| "full".to_owned(), |since| format!("since height {since}"));
        let mut lines = vec![format!(
            "as of height {}, {}: {} bytes, {kind}, from {}",
            updated.height,
            moment::show(updated.time),
            updated.bytes,
            updated.node
        )];
        lines.extend(troubles.iter().map(|trouble| format!("note: {trouble}")));
        lines.join("\n")
    });
    Ok(Ending::Holds)
}

fn show(path: &Path, output: Output) -> Result<Ending> {
    let store = trust::load(path)?;
    let now = clock::now();
    let Some(pack) = store.pack() else {
        let facts = json!({ "network": store.domain().network, "subscription": store.subscription(), "height": null });
        output.answer(&facts, || format!("no pack yet\nnext: fengni trust update {}", path.display()));
        return Ok(Ending::Undecided);
    };
    let types: Vec<CertificateType> = records(pack);
    let age_secs = now.0.saturating_sub(pack.header().time.0) / 1000;
    let behind_secs = store.clock().0.saturating_sub(now.0) / 1000;
    let books: Vec<_> = pack.books().collect();
    let facts = json!({
        "network": store.domain().network,
        "subscription": store.subscription(),
        "height": pack.header().height,
        "time": pack.header().time,
        "age_secs": age_secs,
        "checkpoint_age_secs": store.light().checkpoint_age_secs(now),
        "clock_behind_secs": behind_secs,
        "contradictions": store.light().evidence().len(),
        "books": books.iter().map(|(number, book, held)| json!({
            "number": number, "certificate_type": book.certificate_type(), "division": book.division,
            "lines": book.lines, "held": held,
        })).collect::<Vec<_>>(),
    });
    output.answer(&facts, || {
        let rows = books.iter().filter(|(_, _, held)| *held).map(|(number, book, _)| {
            let kind = types.get(book.certificate_type().0 as usize);
            let offline = kind.map_or(0, |kind| u64::from(kind.offline_age_secs));
            let name = kind.map_or_else(String::new, |kind| kind.name.clone());
            let good = if age_secs <= offline { "yes".to_owned() } else { "stale".to_owned() };
            [number.to_string(), name, book.division.to_string(), book.lines.to_string(), moment::age(offline), good]
        });
        let mut text = format!(
            "network {}\nas of height {}, {} ({} ago)\n{}",
            store.domain().network,
            pack.header().height,
            moment::show(pack.header().time),
            moment::age(age_secs),
            table(["book", "type", "division", "lines", "good for", "now"], rows)
        );
        if behind_secs > SKEW_SECS {
            text.push_str("\nthis device's clock was turned back; next: set it, or fengni trust update");
        }
        if !store.light().evidence().is_empty() {
            text.push_str(
                "\ntwo quorums contradict one another: nothing is decided; next: ask the network's operators",
            );
        }
        text
    });
    let sound = behind_secs <= SKEW_SECS && store.light().evidence().is_empty();
    Ok(if sound { Ending::Holds } else { Ending::Undecided })
}

fn records<R: Record>(pack: &TrustPack) -> Vec<R> {
    (0..).map_while(|number| pack.record(number)).collect()
}

/// Who verifies at this device, and for what.
pub(crate) struct Desk {
    verifier: MemberNumber,
    purpose: PurposeCode,
}

impl Desk {
    /// Finds member and purpose by the names in a store's own registries.
    pub(crate) fn new(store: &TrustStore, map: Option<&NetworkMap>, member: &str, purpose: &str) -> Result<Self> {
        let pack = store.pack().context("the trust store holds no pack yet; next: fengni trust update")?;
        let of_map = map.filter(|map| map.network == store.domain().network).and_then(|map| map.member(member));
        let verifier = match of_map {
            Some(entry) => entry.number,
            None => {
                let members: Vec<Member> = records(pack);
                let found = members.iter().position(|record| record.code.as_str() == member || record.name == member);
                let found = found.or_else(|| member.parse().ok().filter(|number| *number < members.len()));
                let found = found.with_context(|| format!("there is no member {member} in the trust store"))?;
                MemberNumber(u32::try_from(found)?)
            }
        };
        let sets: Vec<CodeSet> = records(pack);
        let codes = sets.iter().filter(|set| set.name == "purposes").flat_map(|set| &set.codes);
        let named = codes.into_iter().find(|code| code.name == purpose).map(|code| code.code.as_str());
        let code = named.unwrap_or(purpose).parse();
        let purpose = code.with_context(|| format!("there is no purpose {purpose} in the trust store"))?;
        Ok(Self { verifier, purpose: PurposeCode(purpose) })
    }

    /// The question for a code, which must answer the challenge if one was shown.
    pub(crate) fn question(
        &self,
        store: &TrustStore,
        min_grade: Option<Grade>,
        min_assurance: Option<Assurance>,
        challenge: Option<&Challenge>,
    ) -> Result<Question> {
        let Self { verifier, purpose } = *self;
        let hash = |challenge: &Challenge| challenge.expect(store.domain(), verifier, purpose, clock::now());
        let challenge = challenge.map(hash).transpose()?;
        Ok(Question { verifier, purpose, min_grade, min_assurance, challenge })
    }
}
