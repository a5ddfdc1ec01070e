//! `fengni trust`: what a device takes along to verify where there is no network.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use fengni_client::checkpoints::{self, Supplied, Voucher, Word};
use fengni_client::clock;
use fengni_client::trust::{self, Held, UpdateError};
use fengni_core::assurance::Assurance;
use fengni_core::certificate::Grade;
use fengni_core::challenge::Challenge;
use fengni_core::light::{Checkpoint, LightError};
use fengni_core::limits::SUBSCRIPTION_ENTRIES;
use fengni_core::pack::{Subscription, TrustPack};
use fengni_core::record::{CertificateType, CodeSet, Member, Parameters, Record};
use fengni_core::trust::{Question, TrustStore};
use fengni_core::verify::SKEW_SECS;
use fengni_core::{MemberNumber, Millis, PurposeCode, TypeNumber};
use fengni_genesis::Genesis;
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::local::map::NetworkMap;
use crate::moment;
use crate::names::division;
use crate::output::{Output, table};
use crate::private;

/// `fengni trust`.
#[derive(Subcommand, Debug)]
pub(crate) enum TrustCommand {
    /// Begin a trust store: whom to believe, and which types and regions to take along
    #[command(after_help = "Examples:
  fengni trust init desk.trust --network net --types T-DL,T-BL --regions 37
  fengni trust init desk.trust --genesis genesis.bin
  fengni trust init desk.trust --checkpoint checkpoint.json --gateway https://gateway.example
  fengni trust update desk.trust --gateway https://gateway.example")]
    Init(InitArgs),
    /// Bring a trust store up to date: by what has changed, where a node can tell
    #[command(after_help = "Examples:\n  fengni trust update desk.trust --network net")]
    Update(UpdateArgs),
    /// Pin a newer checkpoint, where the one at hand has grown too old
    #[command(after_help = "The file comes from somebody who is trusted and reached the network lately, such as the
department itself, and by another way than the gateways' answers: whoever chooses a checkpoint
chooses whom this device believes. It is what fengni network --checkpoint writes, or a gateway's
/v1/checkpoint with its member's word. A word by a member or a key that the store does not know
cannot be checked here: the file is pinned all the same, with a warning.

Exit codes: 0 pinned, 1 refused, 2 contradicted by what was seen, 3 could not run.

Examples:
  fengni trust pin desk.trust checkpoint.json")]
    Pin(PinArgs),
    /// Show what a trust store holds, and how old it is
    #[command(after_help = "Examples:\n  fengni trust show desk.trust\n  fengni --json trust show desk.trust")]
    Show(ShowArgs),
    /// Take note of a recovery of the network, so that verdicts no longer show it
    #[command(after_help = "Examples:\n  fengni trust acknowledge desk.trust")]
    Acknowledge(ShowArgs),
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
    /// Begin at a checkpoint from a trusted source instead of the founding document
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
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
pub(crate) struct PinArgs {
    /// The store's file
    store: PathBuf,
    /// The checkpoint, as JSON
    file: PathBuf,
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
        TrustCommand::Pin(args) => pin(args, output),
        TrustCommand::Show(args) => show(&args.store, output),
        TrustCommand::Acknowledge(args) => acknowledge(&args.store, output),
    }
}

fn init(args: &InitArgs, output: Output) -> Result<Ending> {
    if args.store.exists() {
        bail!("{} is there already; next: fengni trust update, or name another file", args.store.display());
    }
    let map = args.connect.map(None)?;
    let needs_founding = args.checkpoint.is_none() || map.is_some() || args.connect.genesis.is_some();
    let genesis = needs_founding.then(|| args.connect.founding(None)).transpose()?.map(|(_, genesis)| genesis);
    let checkpoint = beginning(args.checkpoint.as_deref(), genesis.as_ref())?;
    let wanted = subscription(map.as_ref(), genesis.as_ref(), &args.types, &args.regions)?;
    let mut store = TrustStore::new(checkpoint, wanted);
    let mut words = Vec::new();
    // Only who names gateways wants to hear them: a store is begun without any network as well.
    if !args.connect.gateways.is_empty() {
        let heard = match trust::hear(&mut store, &args.connect.gateway(None, None)?, clock::now()) {
            Ok(heard) => heard,
            Err(error) => {
                if matches!(error, UpdateError::Contradiction(_)) {
                    // The store holds the evidence.
                    trust::save(&store, &args.store)?;
                }
                return undecided(error, &args.store, output);
            }
        };
        for trouble in &heard.troubles {
            output.progress(&format!("note: {trouble}"));
        }
        if heard.newest().is_none() {
            bail!(
                "no gateway shows a block that follows from there; next: wait for one more block, or compare the checkpoint with another source's"
            );
        }
        words = heard.words;
    }
    trust::save(&store, &args.store)?;
    let network = store.domain().network;
    let facts = json!({
        "store": args.store,
        "network": network,
        "subscription": store.subscription(),
        "checkpoint_height": store.light().checkpoint().0,
        "words": facts_of(&words),
    });
    output.answer(&facts, || {
        let store = args.store.display();
        let mut lines = vec![format!("{store} believes the validators of network {network}")];
        lines.extend(vouched(&words));
        lines.push(format!("next: fengni trust update {store}"));
        lines.join("\n")
    });
    Ok(Ending::Holds)
}

/// Where trust begins: at a checkpoint from a file, else at the founding.
fn beginning(file: Option<&Path>, genesis: Option<&Genesis>) -> Result<Checkpoint> {
    let founding = genesis.map(Genesis::checkpoint);
    let Some(path) = file else { return founding.context("no network is named; next: give --network FILE") };
    let supplied = Supplied::load(path)?;
    let checkpoint = supplied.checkpoint();
    if let Some(founding) = founding.filter(|founding| founding.network != checkpoint.network) {
        bail!("{} is of network {}, the founding of {}", path.display(), checkpoint.network, founding.network);
    }
    Ok(checkpoint.clone())
}

/// Who vouches for what was heard.
fn facts_of(words: &[Word]) -> Vec<serde_json::Value> {
    let fact = |Word { node, signed }: &Word| {
        let checkpoint = &signed.checkpoint;
        json!({ "node": node, "member": signed.member, "height": checkpoint.height, "block": checkpoint.block })
    };
    words.iter().map(fact).collect()
}

/// The same for people.
fn vouched(words: &[Word]) -> Option<String> {
    let lowest = words.iter().map(|word| word.signed.checkpoint.height).min()?;
    let members = checkpoints::members(words);
    Some(format!(
        "members that vouch for the same blocks, up to height {lowest}: {members}, by {} gateways",
        words.len()
    ))
}

/// What nobody can decide until people have looked: the store holds quorums that contradict one
/// another, a file beside it the word of a member that does not fit.
fn undecided(error: UpdateError, path: &Path, output: Output) -> Result<Ending> {
    let evidence = match &error {
        UpdateError::Disagreement(found) => {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(".disagreement.json");
            let beside = path.with_file_name(name);
            private::write(&beside, (serde_json::to_string_pretty(found)? + "\n").as_bytes())?;
            beside
        }
        UpdateError::Contradiction(_) => path.to_owned(),
        UpdateError::NoNode(_) => return Err(error.into()),
    };
    let facts = json!({ "result": "undecided", "reason": error.to_string(), "evidence": evidence });
    output.answer(&facts, || format!("undecided: {error}\nthe evidence is in {}", evidence.display()));
    Ok(Ending::Undecided)
}

fn pin(args: &PinArgs, output: Output) -> Result<Ending> {
    let supplied = Supplied::load(&args.file)?;
    let mut held = Held::wait(&args.store)?;
    let checkpoint = supplied.checkpoint();
    let pinned = check_word(&supplied, &held.store, clock::now()).map_err(NotPinned::refused).and_then(|word| {
        let pinned = held.store.light_mut().pin(checkpoint.clone());
        pinned.map(|()| word).map_err(|error| NotPinned::of(&error, args))
    });
    let word = match pinned {
        Ok(word) => word,
        Err(NotPinned { ending, reason, next }) => {
            let result = if ending == Ending::Undecided { "undecided" } else { "refused" };
            let facts = json!({ "result": result, "reason": reason, "next": next });
            output.answer(&facts, || format!("{result}: {reason}\nnext: {next}"));
            return Ok(ending);
        }
    };
    held.save()?;
    let (member, warning) = match word {
        Voucher::Nobody => (None, None),
        Voucher::Member(member) => (Some(member), None),
        Voucher::Unchecked { member, doubt } => (
            None,
            Some(format!(
                "the word of member {member} was not checked, as {doubt}: the file counts as one without a word"
            )),
        ),
    };
    let facts = json!({
        "result": "pinned",
        "height": checkpoint.height,
        "time": checkpoint.time,
        "block": checkpoint.block,
        "validators": checkpoint.validators.len(),
        "member": member,
        "warning": warning,
    });
    output.answer(&facts, || {
        let block = checkpoint.block.map_or_else(|| "the founding".to_owned(), |block| format!("block {}", block.0));
        let member = member.map(|member| format!("\nin the word of member {member}"));
        let warning = warning.map(|warning| format!("\nwarning: {warning}"));
        let word = member.or(warning).unwrap_or_default();
        format!(
            "pinned height {}, {}: {block}, decided on by {} validators{word}\nnext: fengni trust update {}",
            checkpoint.height,
            checkpoint.time.show(),
            checkpoint.validators.len(),
            args.store.display()
        )
    });
    Ok(Ending::Holds)
}

/// Why a checkpoint is not pinned, and what to do about it.
struct NotPinned {
    ending: Ending,
    reason: String,
    next: String,
}

impl NotPinned {
    fn refused(reason: String) -> Self {
        let next = "ask whoever gave the file, and compare it with another source".to_owned();
        Self { ending: Ending::Refused, reason, next }
    }

    fn of(error: &LightError, args: &PinArgs) -> Self {
        match error {
            LightError::Contradiction(_) => Self { ending: Ending::Undecided, ..Self::refused(error.to_string()) },
            LightError::NotNewer { offered, held } => {
                let (path, file) = (args.store.display(), args.file.display());
                let reason = format!(
                    "{file} is of height {offered}, and {path} believes height {held} by the checkpoint it rests on"
                );
                let next = format!(
                    "bring a newer checkpoint; if this one is right and what the store believes is not, keep {path} as evidence and begin another: fengni trust init NEW --checkpoint {file}"
                );
                Self { next, ..Self::refused(reason) }
            }
            _ => Self::refused(error.to_string()),
        }
    }
}

/// Whose word comes with a checkpoint, where a clock and the keys at hand do not speak against it.
fn check_word(supplied: &Supplied, store: &TrustStore, now: Millis) -> Result<Voucher, String> {
    let now = now.max(store.clock());
    if supplied.checkpoint().time > Millis(now.0.saturating_add(SKEW_SECS * 1000)) {
        return Err("the checkpoint is from later than now: one of the two clocks is wrong".to_owned());
    }
    supplied.voucher(store).map_err(|error| error.to_string())
}

fn subscription(
    map: Option<&NetworkMap>,
    genesis: Option<&Genesis>,
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
fn founding_type(map: Option<&NetworkMap>, genesis: Option<&Genesis>, text: &str) -> Result<TypeNumber> {
    if let Some(entry) = map.and_then(|map| map.types.iter().find(|entry| entry.key.eq_ignore_ascii_case(text))) {
        return Ok(entry.number);
    }
    let mut types = genesis.into_iter().flat_map(|genesis| &genesis.types);
    let found = types.position(|kind| kind.code.as_str() == text || kind.name == text);
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
        store.subscribe(subscription(map.as_ref(), Some(&genesis), &args.types, &args.regions)?);
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
    let updated = match updated {
        Ok(updated) => updated,
        Err(error) => return undecided(error, &args.store, output),
    };
    let troubles: Vec<String> = updated.troubles.iter().map(ToString::to_string).collect();
    let facts = json!({
        "node": updated.node,
        "bytes": updated.bytes,
        "since": updated.since,
        "height": updated.height,
        "time": updated.time,
        "words": facts_of(&updated.words),
        "troubles": troubles,
    });
    output.answer(&facts, || {
        let kind = updated.since.map_or_else(|| "full".to_owned(), |since| format!("since height {since}"));
        let mut lines = vec![format!(
            "as of height {}, {}: {} bytes, {kind}, from {}",
            updated.height,
            updated.time.show(),
            updated.bytes,
            updated.node
        )];
        lines.extend(vouched(&updated.words));
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
    let checkpoint_age_secs = store.light().checkpoint_age_secs(now);
    let trusting = pack.record::<Parameters>(0).is_none_or(|it| checkpoint_age_secs <= it.trusting_period_secs);
    let books: Vec<_> = pack.books().collect();
    let facts = json!({
        "network": store.domain().network,
        "subscription": store.subscription(),
        "height": pack.header().height,
        "time": pack.header().time,
        "age_secs": age_secs,
        "checkpoint_age_secs": checkpoint_age_secs,
        "clock_behind_secs": behind_secs,
        "contradictions": store.light().evidence().len(),
        "recovered": store.light().unacknowledged(),
        "books": books.iter().map(|(number, book, held)| json!({
            "number": number, "certificate_type": book.certificate_type(), "division": book.division,
            "lines": book.lines, "held": held,
        })).collect::<Vec<_>>(),
    });
    output.answer(&facts, || {
        let rows = books.iter().filter(|(_, _, held)| *held).map(|(number, book, _)| {
            let kind = book.certificate_type().and_then(|kind| types.get(kind.0 as usize));
            let offline = kind.map_or(0, |kind| u64::from(kind.offline_age_secs));
            let name = kind.map_or_else(String::new, |kind| kind.name.clone());
            let good = if age_secs <= offline { "yes".to_owned() } else { "stale".to_owned() };
            [number.to_string(), name, book.division.to_string(), book.lines.to_string(), moment::age(offline), good]
        });
        let mut text = format!(
            "network {}\nas of height {}, {} ({} ago)\n{}",
            store.domain().network,
            pack.header().height,
            pack.header().time.show(),
            moment::age(age_secs),
            table(["book", "type", "division", "lines", "good for", "now"], rows)
        );
        if behind_secs > SKEW_SECS {
            text.push_str("\nthis device's clock was turned back; next: set it, or fengni trust update");
        }
        if !trusting {
            text.push_str(&format!(
                "\nthe checkpoint is {} old, more than is trusted; next: fengni trust pin {} FILE",
                moment::age(checkpoint_age_secs),
                path.display()
            ));
        }
        if let Some(height) = store.light().unacknowledged() {
            text.push_str(&format!(
                "\nthe network was recovered after height {height}; next: ask the network's operators, then fengni trust acknowledge {}",
                path.display()
            ));
        }
        if !store.light().evidence().is_empty() {
            text.push_str(
                "\ntwo quorums contradict one another: nothing is decided; next: ask the network's operators",
            );
        }
        text
    });
    let sound = trusting && behind_secs <= SKEW_SECS && store.light().evidence().is_empty();
    Ok(if sound { Ending::Holds } else { Ending::Undecided })
}

/// Rule F-11: whoever answers for the device has taken note of the recoveries it follows.
fn acknowledge(path: &Path, output: Output) -> Result<Ending> {
    let mut held = Held::wait(path)?;
    let heights: Vec<_> = held.store.light().recoveries().iter().map(|it| it.plan.height).collect();
    let noted = held.store.light_mut().acknowledge();
    held.save()?;
    output.answer(&json!({ "noted": noted, "heights": heights }), || format!("recoveries noted: {noted}"));
    Ok(Ending::Holds)
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
