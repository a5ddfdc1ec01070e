//! `fengni sample`: a complete network on loopback, with fresh keys and fictitious members.
//!
//! ```text
//! DIR/network.json                     the map
//! DIR/genesis.toml, genesis.bin        the founding document, as people read it and as bytes
//! DIR/nodes/psb/node.toml, keys/       one folder a node
//! DIR/members/psb/keys/issuing-a.json  one folder a member, one key a person and purpose
//! DIR/members/psb/rows.csv             rows to issue
//! DIR/recovery/0-gov.json              keys that name other validators, once a quorum is lost
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, bail};
use fengni_client::clock;
use fengni_client::keys::{self, KeyFile, KeyUse};
use fengni_core::record::{KeyPurpose, Role};
use fengni_core::{KeyAlgorithm, KeyNumber, MemberNumber, Millis, PublicKey, SecretKey, TypeNumber};
use fengni_genesis::{Document, Genesis, KeyEntry, RecoveryEntry, ValidatorEntry, sample};
use serde::Serialize;

use super::layout::{NodePlan, create_folder, write};
use super::map::{MemberEntry, NetworkMap, NodeEntry, NodeRole, TypeEntry};
use super::ports::Ports;
use crate::args::SampleArgs;
use crate::ending::Ending;
use crate::output::Output;

/// Licences of the sample's file of rows, two of the journeys among them.
const ROWS: u64 = 1_000;
/// Validators that an observer follows: one may fail.
const SOURCES: usize = 2;
/// The fewest validators that outlast one that fails; smaller networks are for trying out.
const VALIDATORS_MIN: u32 = 4;
/// Who keeps the recovery keys, of both provinces; any two recover.
const RECOVERERS: [&str; 3] = ["gov", "hrs", "ygov"];
const RECOVERY_THRESHOLD: u16 = 2;

#[derive(Serialize)]
struct Made {
    home: PathBuf,
    network: String,
    nodes: Vec<String>,
    gateways: Vec<String>,
}

pub(crate) fn run(args: &SampleArgs, output: Output) -> Result<Ending> {
    let map = make(args)?;
    let made = Made {
        home: map.folder.clone(),
        network: map.network.to_string(),
        nodes: map.nodes.iter().map(|node| node.name.clone()).collect(),
        gateways: map.nodes.iter().filter_map(|node| node.gateway.clone()).collect(),
    };
    output.answer(&made, || {
        format!(
            "network {} of {} nodes in {}\nnext: fengni up --home {}",
            made.network,
            made.nodes.len(),
            args.home.display(),
            args.home.display()
        )
    });
    Ok(Ending::Holds)
}

/// Makes the network's files and returns its map.
pub(crate) fn make(args: &SampleArgs) -> Result<NetworkMap> {
    let home = prepare(args)?;
    let recovery = RECOVERERS.map(|_| keys::generate(KeyAlgorithm::Ed25519));
    let recovery = recovery.into_iter().collect::<Result<Vec<_>, _>>()?;
    // A block is later than the founding, and the first may come at once.
    let (genesis, document, keys) = found(args, &recovery, Millis(clock::now().0.saturating_sub(1_000)))?;
    write(&home.join("genesis.toml"), document.to_toml())?;
    write(&home.join("genesis.bin"), genesis.encode())?;

    let mut map = NetworkMap::new(genesis.network(), &genesis.name, "genesis.bin".into(), &home);
    save_members(&mut map, &document, &genesis, &keys)?;
    save_nodes(&mut map, args, &document, &keys)?;
    save_recovery(&map, &recovery)?;
    for (number, entry) in (0..).zip(&document.types) {
        let record = &genesis.types[usize::try_from(number).unwrap_or(usize::MAX)];
        map.types.push(TypeEntry {
            key: entry.key.clone(),
            number: TypeNumber(number),
            code: record.code,
            name: record.name.clone(),
        });
    }
    save_rows(&map)?;
    // Last: a folder with a map is a whole network.
    map.save()?;
    Ok(map)
}

/// The empty folder for the network.
fn prepare(args: &SampleArgs) -> Result<PathBuf> {
    let home = &args.home;
    let is_empty = match std::fs::read_dir(home) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error).with_context(|| home.display().to_string()),
    };
    if !is_empty {
        // Force clears what we made and nothing else, and no network that runs.
        if !args.force {
            bail!("{} is not empty; next: name a new folder, or --force to replace the network in it", home.display());
        }
        let map = NetworkMap::load(home).with_context(|| format!("{} holds no network to replace", home.display()))?;
        if let Some(node) = map.nodes.iter().find(|node| super::process::running(&map, node).is_some()) {
            bail!("node {} runs; next: fengni down --home {}", node.name, home.display());
        }
        for name in ["nodes", "members", "recovery"] {
            let folder = home.join(name);
            if folder.exists() {
                std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
            }
        }
    }
    std::fs::create_dir_all(home).with_context(|| home.display().to_string())?;
    home.canonicalize().with_context(|| home.display().to_string())
}

/// Secret keys by member and key number.
type Keys = BTreeMap<(String, KeyNumber), SecretKey>;

/// The founding document of a sample network with this many validators, and its keys.
fn found(args: &SampleArgs, recovery: &[SecretKey], founded: Millis) -> Result<(Genesis, Document, Keys)> {
    let mut document = sample::network(founded, &sample::test_key);
    let validators = usize::from(args.validators);
    let members = document.members.len();
    if !(1..=members).contains(&validators) {
        bail!("{validators} validators; next: give 1 to {members}, one for each member of the sample");
    }
    for (place, member) in document.members.iter_mut().enumerate() {
        set_validator(member, place < validators);
    }
    let names = document.members[..validators].iter();
    document.validators = names.map(|member| ValidatorEntry { member: member.key.clone(), power: 1 }).collect();
    document.recovery = Some(RecoveryEntry {
        keys: recovery.iter().map(|key| key.public().to_string()).collect(),
        threshold: RECOVERY_THRESHOLD,
        delay_secs: args.recovery_delay,
    });
    document.parameters.validators_min = u32::from(args.validators).min(VALIDATORS_MIN);
    document.parameters.protocol = args.protocol.unwrap_or(document.parameters.protocol);

    let mut secret_keys = Keys::new();
    for member in &mut document.members {
        for (number, entry) in (0..).zip(&mut member.keys) {
            let secret = keys::generate(KeyAlgorithm::Ed25519)?;
            entry.key = secret.public().to_string();
            secret_keys.insert((member.key.clone(), KeyNumber(number)), secret);
        }
    }
    let genesis = document.check().map_err(|problems| anyhow!("the sample does not hold:\n{problems}"))?;
    Ok((genesis, document, secret_keys))
}

/// Gives a member the role of a validator or takes it, with the key that goes with it.
fn set_validator(member: &mut fengni_genesis::MemberEntry, votes: bool) {
    let had = member.roles.contains(&Role::Validator);
    if votes && !had {
        member.roles.retain(|role| *role != Role::Observer);
        member.roles.insert(0, Role::Validator);
        member.keys.insert(0, KeyEntry { purpose: KeyPurpose::Consensus, key: String::new() });
    }
    if !votes && had {
        member.roles.retain(|role| *role != Role::Validator);
        member.roles.insert(0, Role::Observer);
        member.keys.retain(|key| key.purpose != KeyPurpose::Consensus);
    }
}

/// Which of a member's keys for its purpose a key is: `a`, `b` and so on, or nothing for a node's.
fn key_file_name(keys: &[KeyEntry], place: usize) -> String {
    let purpose = keys[place].purpose;
    let index = keys[..place].iter().filter(|key| key.purpose == purpose).count();
    let letter = char::from(b'a' + u8::try_from(index).unwrap_or(25).min(25));
    match purpose {
        KeyPurpose::Consensus => "consensus.json".to_owned(),
        KeyPurpose::Peer => "peer.json".to_owned(),
        KeyPurpose::Admin => format!("admin-{letter}.json"),
        KeyPurpose::Issuing => format!("issuing-{letter}.json"),
        KeyPurpose::Enforcement => format!("enforcement-{letter}.json"),
        KeyPurpose::Application => format!("application-{letter}.json"),
    }
}

/// Writes the keys of people, a folder a member.
fn save_members(map: &mut NetworkMap, document: &Document, genesis: &Genesis, keys: &Keys) -> Result<()> {
    for (number, member) in (0..).map(MemberNumber).zip(&document.members) {
        let home = PathBuf::from("members").join(member.key.to_lowercase());
        for (place, entry) in member.keys.iter().enumerate() {
            if matches!(entry.purpose, KeyPurpose::Consensus | KeyPurpose::Peer) {
                continue;
            }
            let path = map.path(&home).join("keys").join(key_file_name(&member.keys, place));
            let (number_of_key, secret) = secret_of(member, place, keys)?;
            create_folder(&path)?;
            KeyFile::plain(entry.purpose, secret.clone()).at(Some(number), Some(number_of_key)).save(&path)?;
        }
        let record = &genesis.members[usize::try_from(number.0).unwrap_or(usize::MAX)];
        map.members.push(MemberEntry {
            key: member.key.clone(),
            number,
            code: record.code,
            name: record.name.clone(),
            home,
        });
    }
    Ok(())
}

/// Writes the recovery keys, in a folder that a real network does not have anywhere.
fn save_recovery(map: &NetworkMap, keys: &[SecretKey]) -> Result<()> {
    for (number, (holder, key)) in RECOVERERS.iter().zip(keys).enumerate() {
        let path = map.path("recovery".as_ref()).join(format!("{number}-{holder}.json"));
        create_folder(&path)?;
        KeyFile::plain(KeyUse::Recovery, key.clone()).save(&path)?;
    }
    Ok(())
}

fn secret_of<'a>(
    member: &fengni_genesis::MemberEntry,
    place: usize,
    keys: &'a Keys,
) -> Result<(KeyNumber, &'a SecretKey)> {
    let number = KeyNumber(u16::try_from(place).context("a member has few keys")?);
    let secret = keys.get(&(member.key.clone(), number)).context("every key of the document was generated")?;
    Ok((number, secret))
}

/// Writes a folder for each node.
fn save_nodes(map: &mut NetworkMap, args: &SampleArgs, document: &Document, keys: &Keys) -> Result<()> {
    let mut ports = Ports::new(args.base_port);
    let mut plans = Vec::new();
    for member in &document.members[..usize::from(args.validators)] {
        plans.push(plan(member, member.key.to_lowercase(), NodeRole::Validator, &mut ports)?);
    }
    let wanted: &[String] = if args.no_observer { &[] } else { &args.observers };
    for (place, key) in wanted.iter().enumerate() {
        let member = document.members.iter().find(|member| member.key.eq_ignore_ascii_case(key));
        let Some(member) = member.filter(|member| !member.roles.contains(&Role::Validator)) else {
            bail!("{key} is no member that can run an observer; next: name one of CIQ, RES, YGOV, YHD");
        };
        let name = if place == 0 { "observer".to_owned() } else { format!("observer-{}", key.to_lowercase()) };
        plans.push(plan(member, name, NodeRole::Observer, &mut ports)?);
    }
    let sources: Vec<&NodePlan> = plans.iter().filter(|plan| plan.role == NodeRole::Validator).take(SOURCES).collect();
    let pages = args.pages.as_ref().map(|folder| folder.canonicalize().with_context(|| folder.display().to_string()));
    let pages = pages.transpose()?;
    for own in &plans {
        let peers: Vec<&NodePlan> = match own.role {
            NodeRole::Observer => sources.clone(),
            NodeRole::Validator => plans
                .iter()
                .filter(|other| other.name != own.name)
                .filter(|other| other.role == NodeRole::Validator || sources.iter().any(|it| it.name == own.name))
                .collect(),
        };
        let home = PathBuf::from("nodes").join(&own.name);
        let folder = map.path(&home);
        write(&folder.join("node.toml"), own.config(&peers, pages.as_deref()))?;
        let member = document.members.iter().find(|member| member.key == own.member).context("a plan has a member")?;
        for (place, entry) in member.keys.iter().enumerate() {
            let is_nodes = entry.purpose == KeyPurpose::Peer
                || (entry.purpose == KeyPurpose::Consensus && own.role == NodeRole::Validator);
            if is_nodes {
                let (number, secret) = secret_of(member, place, keys)?;
                let path = folder.join("keys").join(key_file_name(&member.keys, place));
                create_folder(&path)?;
                let of = map.member(&member.key).map(|member| member.number);
                KeyFile::plain(entry.purpose, secret.clone()).at(of, Some(number)).save(&path)?;
            }
        }
        map.nodes.push(entry(own, home));
    }
    Ok(())
}

fn plan(member: &fengni_genesis::MemberEntry, name: String, role: NodeRole, ports: &mut Ports) -> Result<NodePlan> {
    let peer = member.keys.iter().find(|key| key.purpose == KeyPurpose::Peer);
    let peer = peer.with_context(|| format!("{} has no peer key", member.key))?;
    let is_validator = role == NodeRole::Validator;
    let mut when = |listens: bool| if listens { ports.next().map(Some) } else { Ok(None) };
    // An observer dials its sources and takes no transactions: nothing of it listens for nodes.
    let (consensus, transactions) = (when(is_validator)?, when(is_validator)?);
    let gateway = when(true)?.context("a gateway listens")?;
    let relay = when(is_validator)?;
    let admin = when(true)?.context("an operator's listener is there")?;
    Ok(NodePlan {
        name,
        member: member.key.clone(),
        code: member.code.clone(),
        role,
        peer: PublicKey::from_text(&peer.key)?,
        consensus,
        transactions,
        gateway,
        relay,
        admin,
    })
}

fn entry(plan: &NodePlan, home: PathBuf) -> NodeEntry {
    let url = |address: std::net::SocketAddr| format!("http://{address}");
    NodeEntry {
        name: plan.name.clone(),
        role: plan.role,
        member: plan.member.clone(),
        pid_file: home.join("node.pid"),
        log: home.join("node.log"),
        home,
        consensus: plan.consensus.map(|address| address.to_string()),
        transactions: plan.transactions.map(|address| address.to_string()),
        gateway: Some(url(plan.gateway)),
        relay: plan.relay.map(url),
        admin: Some(url(plan.admin)),
    }
}

/// Rows of fictitious certificates for each issuer: those of the journeys, and more licences.
fn save_rows(map: &NetworkMap) -> Result<()> {
    let mut files: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for certificate in sample::certificates() {
        let id = certificate.id();
        // A later version takes the place of the first by supersede, not by a row.
        if id.version().number() != 1 {
            continue;
        }
        let labels = certificate.claims.iter().map(|(label, _)| (*label).to_owned());
        let columns = ["serial", "version", "issued", "from", "until"].map(str::to_owned);
        let rows = files.entry(certificate.issuer).or_insert_with(|| vec![columns.into_iter().chain(labels).collect()]);
        let facts = [
            id.serial().as_str().to_owned(),
            id.version().to_string(),
            certificate.from.to_owned(),
            certificate.from.to_owned(),
            certificate.until.unwrap_or_default().to_owned(),
        ];
        let values = certificate.claims.iter().map(|(_, value)| (*value).to_owned());
        rows.push(facts.into_iter().chain(values).collect());
    }
    let licences = files.entry("PSB").or_default();
    let more = ROWS.saturating_sub(licences.len().saturating_sub(1) as u64);
    licences.extend((0..more).map(|index| sample::licence(index).row().into_iter().map(str::to_owned).collect()));
    for (issuer, rows) in files {
        let Some(member) = map.member(issuer) else { continue };
        let lines: Vec<String> =
            rows.iter().map(|row| row.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",")).collect();
        write(&map.path(&member.home).join("rows.csv"), lines.join("\n") + "\n")?;
    }
    Ok(())
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
