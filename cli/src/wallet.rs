//! `fengni show`, `fengni wallet`: the holder's side.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use fengni_client::challenge::who_asks;
use fengni_client::clock;
use fengni_client::picture;
use fengni_client::random::random;
use fengni_client::wallet::{Authenticator, Disclose, Show, Wallet};
use fengni_core::assurance::Assertion;
use fengni_core::certificate::{CertificateFile, proof_text};
use fengni_core::challenge::Challenge;
use fengni_core::code::Code;
use fengni_core::id::{CertificateId, CreditCode};
use fengni_core::{Digest, Domain, KeyAlgorithm, Millis, PurposeCode};
use fengni_genesis::Genesis;
use serde::Serialize;

use crate::assurance;
use crate::challenge;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::local::map::NetworkMap;
use crate::names::{self, Names};
use crate::output::{Output, table};
use crate::private;

/// How long before a code expires a new one is shown.
const OVERLAP_SECS: u64 = 60;

/// `fengni show`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni show c1.certificate --purpose 交通执法
  fengni show c1.certificate --purpose 101 --disclose 准驾车型,姓名 --png code.png
  fengni show c1.certificate --purpose 车辆租赁 --profile 成年
  fengni show --wallet lin.wallet --certificate IDENTIFIER --purpose 101 --watch
  fengni show c1.certificate --challenge question.png
  fengni show c1.certificate --purpose 101 --assurance lin.assertion
  fengni show c1.certificate --static --png paper.png
  fengni show c1.certificate --purpose 101 --text | fengni verify - --as YHD --purpose 101")]
pub(crate) struct ShowArgs {
    /// Certificate file; its key is expected beside it with the ending .key
    #[arg(required_unless_present = "wallet", conflicts_with = "wallet")]
    file: Option<PathBuf>,
    /// The holder's key file
    #[arg(long, value_name = "FILE", conflicts_with = "wallet")]
    key: Option<PathBuf>,
    /// Wallet to show from
    #[arg(long, value_name = "FILE")]
    wallet: Option<PathBuf>,
    /// Which certificate of the wallet; not needed where it holds one
    #[arg(long, value_name = "IDENTIFIER", requires = "wallet")]
    certificate: Option<String>,
    /// What for, by name or code: see fengni codes purposes
    #[arg(long, value_name = "PURPOSE", required_unless_present_any = ["challenge", "printed"])]
    purpose: Option<String>,
    /// A verifier's question, as text or a file of it: says who asks, and answers after a yes
    #[arg(long, value_name = "TEXT|FILE", conflicts_with_all = ["watch", "printed"])]
    challenge: Option<String>,
    /// What an identity service vouches for, as text or a file of it: see fengni assure
    #[arg(long, value_name = "TEXT|FILE", conflicts_with = "printed")]
    assurance: Option<String>,
    /// Answer the question without asking the holder
    #[arg(long, requires = "challenge")]
    yes: bool,
    /// A static code for paper: finds the document's standing, discloses nothing, proves nobody's presence
    #[arg(long = "static", conflicts_with_all = ["watch", "disclose", "profile", "lifetime_secs", "purpose"])]
    printed: bool,
    /// Fields to disclose, by label, with commas; else those of the everyday code
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    disclose: Vec<String>,
    /// Fields that the type's issuer has named together: see fengni types. everyday is the ordinary code
    #[arg(long, value_name = "NAME", conflicts_with = "disclose")]
    profile: Option<String>,
    /// Seconds the code holds; else what the type allows
    #[arg(long, value_name = "SECS")]
    lifetime_secs: Option<u32>,
    /// Write the code as a picture
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write the code as a drawing
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print the code's text alone
    #[arg(long, conflicts_with = "watch")]
    text: bool,
    /// Show a new code whenever the old one grows old, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Draw for dark letters on a light ground
    #[arg(long)]
    light: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// The holder's certificates.
#[derive(Subcommand, Debug)]
pub(crate) enum WalletCommand {
    /// Take in certificate files with their keys, or a whole bundle; begins a wallet where there is none
    #[command(after_help = "Examples:
  fengni wallet add --wallet lin.wallet certificates/*.certificate --network net
  fengni wallet add --wallet demo.wallet --bundle all.bundle --network net")]
    Add {
        /// Certificate files; a key beside one, with the ending .key, comes along
        files: Vec<PathBuf>,
        /// Bundle of many certificates
        #[arg(long, value_name = "FILE")]
        bundle: Option<PathBuf>,
        #[command(flatten)]
        at: WalletAt,
    },
    /// Make a key for a certificate to come, and prove to its issuer that you have it
    #[command(after_help = "The issuer puts both into the row: columns holder_key and holder_proof.

Examples:
  fengni wallet key --wallet lin.wallet --prove 11319900XN0100021G --network net
  fengni wallet key --wallet lin.wallet --prove PSB --ed25519 --json --network net")]
    Key {
        /// Issuer: short name, name or credit code
        #[arg(long, value_name = "ISSUER")]
        prove: String,
        /// An ed25519 key instead of the P-256 that phones have
        #[arg(long)]
        ed25519: bool,
        #[command(flatten)]
        at: WalletAt,
    },
    /// Prove to an identity service that you have a certificate's key, so that it can vouch for it
    #[command(after_help = "Examples:
  fengni wallet prove --wallet lin.wallet --to GOV --network net
  fengni wallet prove --wallet lin.wallet --certificate IDENTIFIER --to 11319900XN0100013M --network net")]
    Prove {
        /// Identity service: short name, name or credit code
        #[arg(long, value_name = "MEMBER")]
        to: String,
        /// Which certificate of the wallet; not needed where it holds one
        #[arg(long, value_name = "IDENTIFIER")]
        certificate: Option<String>,
        #[command(flatten)]
        at: WalletAt,
    },
    /// Say that the holder is here: asked every 30 minutes before anything is shown
    #[command(
        after_help = "The wallet is a file: whoever can read it has its keys, whatever it asks. A phone keeps the
key in hardware, which asks by itself.

Examples:
  fengni wallet confirm --wallet lin.wallet --network net
  fengni wallet confirm --wallet lin.wallet --yes --network net"
    )]
    Confirm {
        /// The program around this one has made sure
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        at: WalletAt,
    },
    /// List the certificates
    List(WalletAt),
    /// Bring the paths up to date, for verifiers without a network
    Refresh(WalletAt),
}

/// Which wallet, on which network.
#[derive(Args, Debug)]
pub(crate) struct WalletAt {
    /// The wallet's file
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// A code that was made. The values it discloses are the holder's to show and are not repeated.
#[derive(Serialize)]
struct Made {
    text: String,
    certificate_type: String,
    purpose: PurposeCode,
    issued_secs: u64,
    expires_secs: u64,
    disclosed: Vec<String>,
    bytes: usize,
    qr_version: u8,
    with_path: bool,
}

pub(crate) fn show(args: &ShowArgs, output: Output) -> Result<Ending> {
    let (_, genesis) = args.connect.founding(args.file.as_deref().and_then(Path::parent))?;
    let mut wallet = open(args, &genesis)?;
    let identifier = chosen(args.certificate.as_deref(), &wallet)?;
    if args.printed {
        return print(args, &wallet, &identifier, output);
    }
    learn(args, &genesis, &mut wallet, &identifier)?;
    let assertion = args.assurance.as_deref().map(assurance::read).transpose()?;
    let (purpose, challenge) = match &args.challenge {
        None => (purpose(args, &genesis)?, None),
        Some(text) => match answer(args, &genesis, &challenge::read(text)?, output)? {
            Some((purpose, hash)) => (purpose, Some(hash)),
            None => return Ok(Ending::Refused),
        },
    };
    loop {
        ensure_holder(args, &mut wallet, output)?;
        let (made, code) = make(args, &wallet, &identifier, purpose, (challenge, assertion))?;
        save_pictures(args, &made.text)?;
        if args.text {
            output.answer(&made, || made.text.clone());
            output.progress(&about(&made));
        } else {
            let picture = picture::terminal(&made.text, !args.light)?;
            let clear = if args.watch && output.is_terminal() { "\u{1b}[2J\u{1b}[H" } else { "" };
            output.answer(&made, || format!("{clear}{picture}{}", about(&made)));
        }
        if !args.watch {
            return Ok(Ending::Holds);
        }
        let lifetime = u64::from(code.terms.lifetime_secs);
        let pause = lifetime.saturating_sub(OVERLAP_SECS).max(lifetime.div_ceil(2)).max(1);
        std::thread::sleep(Duration::from_secs(pause));
    }
}

/// The wallet that is named, or one of a single certificate.
fn open(args: &ShowArgs, genesis: &Genesis) -> Result<Wallet> {
    let domain = genesis.domain();
    if let Some(path) = &args.wallet {
        return Ok(Wallet::load(path, &domain)?);
    }
    let path = args.file.as_deref().context("name a certificate file or --wallet")?;
    let mut wallet = Wallet::new(domain);
    let key = args.key.clone().unwrap_or_else(|| path.with_extension("key"));
    if !key.exists() && !args.printed {
        bail!("the holder's key {} is not there; next: give --key FILE", key.display());
    }
    // Paper needs no key, and none is read for it.
    let key = if args.printed { None } else { Some(private::read_key(&key)?) };
    wallet.add(load_file(path, &domain)?, key)?;
    Ok(wallet)
}

/// Reads a certificate file.
pub(crate) fn load_file(path: &Path, domain: &Domain) -> Result<CertificateFile> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    CertificateFile::decode(domain, &bytes)
        .with_context(|| format!("{} is no certificate file of this network", path.display()))
}

fn chosen(named: Option<&str>, wallet: &Wallet) -> Result<CertificateId> {
    if let Some(text) = named {
        return CertificateId::parse(text).map_err(|error| anyhow::anyhow!("not a certificate identifier: {error}"));
    }
    let mut held = wallet.certificates();
    match (held.next(), held.next()) {
        (Some(file), None) => Ok(file.identifier()),
        (None, _) => bail!("the wallet is empty; next: fengni wallet add"),
        _ => bail!("the wallet holds several certificates; next: name one with --certificate, see fengni wallet list"),
    }
}

/// Learns the type's fields: from the founding document where they are, else from a gateway.
fn learn(args: &ShowArgs, genesis: &Genesis, wallet: &mut Wallet, identifier: &CertificateId) -> Result<()> {
    let file = wallet.find(identifier).context("the wallet holds no such certificate")?;
    let schema = file.certificate.header().facts.schema;
    let knows = |wallet: &Wallet| {
        let kind = wallet.find(identifier).and_then(|file| wallet.type_of(file));
        kind.is_some_and(|kind| kind.schema(schema).is_some())
    };
    if !knows(wallet) {
        let found = genesis.types.iter().find(|kind| kind.code == identifier.type_code());
        found.into_iter().for_each(|kind| wallet.learn(kind.clone()));
    }
    if !knows(wallet) {
        let mut connection = args.connect.open(None)?;
        wallet.refresh(&mut connection.ledger)?;
    }
    Ok(())
}

fn purpose(args: &ShowArgs, genesis: &Genesis) -> Result<PurposeCode> {
    let text = args.purpose.as_deref().context("a code is shown for a purpose; next: give --purpose")?;
    if let Ok(code) = text.parse() {
        return Ok(PurposeCode(code));
    }
    if let Some(code) = names::founding_code(genesis, "purposes", text) {
        return Ok(PurposeCode(code));
    }
    Names::default().purpose(&mut args.connect.open(None)?, text)
}

/// Says who asks and what for, as the ledger proves it. `None` where the holder says no.
fn answer(
    args: &ShowArgs,
    genesis: &Genesis,
    challenge: &Challenge,
    output: Output,
) -> Result<Option<(PurposeCode, Digest)>> {
    let mut connection = args.connect.open(None)?;
    let asker = who_asks(&mut connection.ledger, challenge)?;
    let asked = challenge.question.purpose;
    if args.purpose.is_some() && purpose(args, genesis)? != asked {
        bail!("the verifier asks for purpose {asked}; next: leave --purpose out, or do not answer");
    }
    let code = asked.to_string();
    let purposes = genesis.codes.iter().find(|set| set.name == "purposes");
    let name = purposes.and_then(|set| set.name_of(&code)).unwrap_or(&code);
    output.progress(&format!("{} ({}) asks, for {name}", asker.name, asker.code));
    if !args.yes && !confirmed("show it to them? yes or no", output)? {
        output.progress("not shown");
        return Ok(None);
    }
    Ok(Some((asked, challenge.hash(&connection.ledger.domain()))))
}

/// Asks the holder. Where nobody sits at a terminal, nobody said yes.
pub(crate) fn confirmed(question: &str, output: Output) -> Result<bool> {
    if output.is_json() || !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; next: ask the holder, then say --yes");
    }
    output.progress(question);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "yes" | "是"))
}

/// A static code that was made.
#[derive(Serialize)]
struct Printed {
    text: String,
    identifier: String,
    bytes: usize,
    qr_version: u8,
    with_path: bool,
}

fn print(args: &ShowArgs, wallet: &Wallet, identifier: &CertificateId, output: Output) -> Result<Ending> {
    let code = wallet.print(identifier)?;
    let text = code.to_text();
    let printed = Printed {
        identifier: identifier.to_string(),
        bytes: code.encode().len(),
        qr_version: picture::version(&text)?,
        with_path: code.path.is_known(),
        text,
    };
    save_pictures(args, &printed.text)?;
    let about = format!(
        "static code of {}: tells what is recorded, to whoever scans it, and never who holds it\n{} bytes, QR version {}",
        printed.identifier, printed.bytes, printed.qr_version
    );
    if args.text {
        output.answer(&printed, || printed.text.clone());
        output.progress(&about);
    } else {
        let drawing = picture::terminal(&printed.text, !args.light)?;
        output.answer(&printed, || format!("{drawing}{about}"));
    }
    Ok(Ending::Holds)
}

fn make(
    args: &ShowArgs,
    wallet: &Wallet,
    identifier: &CertificateId,
    purpose: PurposeCode,
    (challenge, assertion): (Option<Digest>, Option<Assertion>),
) -> Result<(Made, Code)> {
    let disclose = match &args.profile {
        Some(name) => Disclose::Profile(name.clone()),
        None if args.disclose.is_empty() => Disclose::Everyday,
        None => Disclose::Labels(args.disclose.clone()),
    };
    let show = Show {
        disclose,
        purpose,
        lifetime_secs: args.lifetime_secs,
        now: clock::now(),
        nonce: random()?,
        challenge,
        assertion,
        with_path: true,
    };
    let code = wallet.show(identifier, &show)?;
    let text = code.to_text();
    let kind = wallet.find(identifier).and_then(|file| wallet.type_of(file));
    let schema = kind.and_then(|kind| kind.schema(code.shown.facts.schema));
    let labels = code.shown.disclosed.iter().map(|claim| {
        let spec = schema.and_then(|schema| schema.claims.get(usize::from(claim.index)));
        spec.map_or_else(|| claim.index.to_string(), |spec| spec.label.clone())
    });
    let made = Made {
        certificate_type: kind.map_or_else(String::new, |kind| kind.name.clone()),
        purpose,
        issued_secs: code.terms.issued_secs,
        expires_secs: code.expires_secs(),
        disclosed: labels.collect(),
        bytes: code.encode().len(),
        qr_version: picture::version(&text)?,
        with_path: code.shown.path.is_known(),
        text,
    };
    Ok((made, code))
}

fn save_pictures(args: &ShowArgs, text: &str) -> Result<()> {
    if let Some(path) = &args.png {
        std::fs::write(path, picture::png(text, 6)?).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &args.svg {
        std::fs::write(path, picture::svg(text)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// What a code is and how long it holds.
fn about(made: &Made) -> String {
    format!(
        "{} for purpose {}, discloses {}\nmade {}, expires {}; {} bytes, QR version {}",
        made.certificate_type,
        made.purpose,
        made.disclosed.join(", "),
        Millis::from_secs(made.issued_secs).show(),
        Millis::from_secs(made.expires_secs).show(),
        made.bytes,
        made.qr_version,
    )
}

pub(crate) fn wallet(command: &WalletCommand, output: Output) -> Result<Ending> {
    match command {
        WalletCommand::Add { files, bundle, at } => add(files, bundle.as_deref(), at, output),
        WalletCommand::Key { prove, ed25519, at } => key(prove, *ed25519, at, output),
        WalletCommand::Prove { to, certificate, at } => prove(to, certificate.as_deref(), at, output),
        WalletCommand::Confirm { yes, at } => confirm(*yes, at, output),
        WalletCommand::List(at) => list(at, output),
        WalletCommand::Refresh(at) => refresh(at, output),
    }
}

fn add(files: &[PathBuf], bundle: Option<&Path>, at: &WalletAt, output: Output) -> Result<Ending> {
    let (_, genesis) = at.connect.founding(None)?;
    let domain = genesis.domain();
    let mut wallet = if at.wallet.exists() { Wallet::load(&at.wallet, &domain)? } else { Wallet::new(domain) };
    let mut added = 0;
    for path in files {
        let key = path.with_extension("key");
        let key = key.exists().then(|| private::read_key(&key)).transpose()?;
        wallet.add(load_file(path, &domain)?, key)?;
        added += 1;
    }
    if let Some(bundle) = bundle {
        added += wallet.import(bundle)?;
    }
    genesis.types.iter().for_each(|kind| wallet.learn(kind.clone()));
    wallet.save(&at.wallet)?;
    let held = wallet.certificates().count();
    output.answer(&serde_json::json!({ "added": added, "certificates": held }), || {
        format!("{added} added; the wallet holds {held} certificates")
    });
    Ok(Ending::Holds)
}

/// Asks whoever sits at the terminal, or believes the program around.
struct AtTerminal {
    said_yes: bool,
    output: Output,
}

impl Authenticator for AtTerminal {
    fn is_holder(&mut self) -> bool {
        self.said_yes || confirmed("are you the holder of this wallet? yes or no", self.output).unwrap_or(false)
    }
}

/// Makes sure of the holder where the wallet asks for it, and remembers the answer in its file.
fn ensure_holder(args: &ShowArgs, wallet: &mut Wallet, output: Output) -> Result<()> {
    let now = clock::now();
    if let (Some(path), true) = (&args.wallet, wallet.asks_for_holder(now)) {
        wallet.authenticate(&mut AtTerminal { said_yes: false, output }, now)?;
        wallet.save(path)?;
    }
    Ok(())
}

fn confirm(yes: bool, at: &WalletAt, output: Output) -> Result<Ending> {
    let (_, genesis) = at.connect.founding(None)?;
    let mut wallet = Wallet::load(&at.wallet, &genesis.domain())?;
    wallet.authenticate(&mut AtTerminal { said_yes: yes, output }, clock::now())?;
    wallet.save(&at.wallet)?;
    output.answer(&serde_json::json!({ "confirmed": true }), || "the wallet shows for the next 30 minutes".to_owned());
    Ok(Ending::Holds)
}

/// A key for an issuer to seal, and the proof that it is at hand.
fn key(issuer: &str, ed25519: bool, at: &WalletAt, output: Output) -> Result<Ending> {
    let (map, genesis) = at.connect.founding(None)?;
    let domain = genesis.domain();
    let code = credit_code(map.as_ref(), &genesis, issuer)?;
    let mut wallet = if at.wallet.exists() { Wallet::load(&at.wallet, &domain)? } else { Wallet::new(domain) };
    let holder = wallet.generate_key(if ed25519 { KeyAlgorithm::Ed25519 } else { KeyAlgorithm::P256 })?;
    let proof = proof_text(&wallet.prove_possession(&holder, &code)?);
    // The key is on disk before anybody seals it.
    wallet.save(&at.wallet)?;
    let facts = serde_json::json!({ "issuer": code, "holder_key": holder.to_string(), "holder_proof": proof });
    output.answer(&facts, || format!("holder_key {holder}\nholder_proof {proof}"));
    Ok(Ending::Holds)
}

/// The credit code of a member that is named.
fn credit_code(map: Option<&NetworkMap>, genesis: &Genesis, name: &str) -> Result<CreditCode> {
    if let Ok(code) = CreditCode::parse(name) {
        return Ok(code);
    }
    let named = map.and_then(|map| map.member(name)).map(|member| member.code);
    let founded = || genesis.members.iter().find(|member| member.name == name).map(|member| member.code);
    named
        .or_else(founded)
        .with_context(|| format!("{name} is no member this network knows; next: give its credit code"))
}

/// The proof that a certificate's key is at hand, for one identity service.
fn prove(to: &str, certificate: Option<&str>, at: &WalletAt, output: Output) -> Result<Ending> {
    let (map, genesis) = at.connect.founding(None)?;
    let service = credit_code(map.as_ref(), &genesis, to)?;
    let wallet = Wallet::load(&at.wallet, &genesis.domain())?;
    let identifier = chosen(certificate, &wallet)?;
    let file = wallet.find(&identifier).context("the wallet holds no such certificate")?;
    let holder = file.certificate.header().facts.holder;
    let proof = proof_text(&wallet.prove_possession(&holder, &service)?);
    let facts = serde_json::json!({ "service": service, "holder_key": holder.to_string(), "holder_proof": proof });
    output.answer(&facts, || format!("holder_key {holder}\nholder_proof {proof}"));
    Ok(Ending::Holds)
}

fn list(at: &WalletAt, output: Output) -> Result<Ending> {
    let (_, genesis) = at.connect.founding(None)?;
    let wallet = Wallet::load(&at.wallet, &genesis.domain())?;
    let rows: Vec<[String; 4]> = wallet
        .certificates()
        .map(|file| {
            let facts = &file.certificate.header().facts;
            let kind = wallet.type_of(file).map_or_else(String::new, |kind| kind.name.clone());
            let until = facts.until.map_or_else(|| "长期".to_owned(), |day| day.to_string());
            [file.identifier().to_string(), kind, until, file.place.to_string()]
        })
        .collect();
    let facts: Vec<_> = rows
        .iter()
        .map(|[identifier, kind, until, place]| {
            serde_json::json!({ "identifier": identifier, "type": kind, "until": until, "place": place })
        })
        .collect();
    output.answer(&serde_json::json!({ "certificates": facts }), || {
        table(["identifier", "type", "until", "line"], rows.iter().cloned())
    });
    Ok(Ending::Holds)
}

fn refresh(at: &WalletAt, output: Output) -> Result<Ending> {
    let mut connection = at.connect.open(None)?;
    let mut wallet = Wallet::load(&at.wallet, &connection.ledger.domain())?;
    let refreshed = wallet.refresh(&mut connection.ledger)?;
    wallet.save(&at.wallet)?;
    let left: Vec<String> = refreshed.left.iter().map(|(_, reason)| reason.clone()).collect();
    output.answer(&serde_json::json!({ "paths": refreshed.paths, "left": left }), || {
        let mut text = format!("{} paths brought up to date", refreshed.paths);
        left.iter().for_each(|reason| text.push_str(&format!("\none certificate was left as it is: {reason}")));
        text
    });
    Ok(if left.is_empty() { Ending::Holds } else { Ending::Undecided })
}
