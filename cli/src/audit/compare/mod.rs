//! `fengni audit compare`: the same questions to several nodes, and where their answers part.
//!
//! ```text
//! newest headers -> highest common height -> ids equal? ----no----> bisection -> first difference
//!                                               |yes                             two quorums: a fork
//!                                               v
//!                            shelves under the header -> records -> pages, heads, seals, acts -> lines
//! ```
//!
//! Nobody is believed. A header counts when the validators that the founding leads to have made it
//! final, so that of two nodes the one is named that shows no final block; where both do, the two blocks
//! are evidence of a fork. Under a header there is one state: a node whose proofs do not lead to its own
//! header serves another, and the entries are named that differ from those of the others.

mod entries;
mod peer;
#[cfg(test)]
pub(super) mod tests;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::gateway::{Gateway, Trouble};
use fengni_client::transport::HttpOptions;
use fengni_core::light::{Evidence, FinalHeader};
use fengni_core::{BlockId, Digest, Domain, Height, MemberNumber};
use fengni_genesis::Genesis;
use serde::Serialize;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::local::map::NetworkMap;
use crate::output::Output;
use entries::Entry;
use peer::Peer;

/// `fengni audit compare`.
#[derive(Args, Debug)]
#[command(
    after_help = "A node is a URL, or a name of the network's map. Headers are judged by quorum from the founding, and what
a node serves by its own header, so that the node is named which shows another past or another state.
Two final blocks at one height are a fork: --evidence keeps both.

Nodes keep the states of their newest 1,024 heights: one that has dropped the state of the height is
compared by headers alone, and a note says so.

Exit codes: 0 equal, 1 they differ, 2 undecided because some node could not be asked or did not give a
part of its state, 3 could not run.

Examples:
  fengni audit compare psb amr hrs --network net
  fengni audit compare psb amr --network net --entries
  fengni audit compare https://a.example https://b.example --genesis genesis.bin --to 40000 --json"
)]
pub(crate) struct CompareArgs {
    /// The nodes
    #[arg(value_name = "NODE", num_args = 2.., required = true)]
    nodes: Vec<String>,
    /// Map of the network; else the network.json of this folder or above it
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// Founding document to trust from, as genesis.bin or genesis.toml; else the map's
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// The lowest height to look for a first difference at
    #[arg(long, value_name = "HEIGHT", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// The height to compare at; else the highest that all have
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// Ask every node for every entry, also where their shelves are equal
    #[arg(long)]
    entries: bool,
    /// File for two final blocks at one height, where there are any
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

/// What is asked.
struct Question {
    from: Height,
    to: Option<Height>,
    entries: bool,
}

/// What one node showed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Shown {
    node: String,
    /// `equal`, `differs`, `unproven` where it shows what no quorum signed, `other-state` where its proofs
    /// are not of its header, `withheld` where it does not give its state, `behind` or `silent`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<Height>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_root: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Where two nodes part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Parting {
    nodes: [String; 2],
    /// The first height at which they differ, of those that were looked at.
    height: Height,
    /// Both blocks, where both are final.
    #[serde(skip_serializing_if = "Option::is_none")]
    fork: Option<Evidence>,
    /// Members that signed both.
    signed_both: Vec<MemberNumber>,
}

/// What comes of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Compared {
    /// `equal`, `differ` or `undecided`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<Height>,
    nodes: Vec<Shown>,
    partings: Vec<Parting>,
    differences: Vec<Entry>,
    /// Entries that differ besides.
    unnamed: u64,
    /// What was not looked at, and why.
    notes: Vec<String>,
}

pub(crate) fn run(args: &CompareArgs, output: Output) -> Result<Ending> {
    let connect =
        ConnectArgs { network: args.network.clone(), genesis: args.genesis.clone(), ..ConnectArgs::default() };
    let named = args.nodes.iter().any(|node| !node.contains("://"));
    let (map, genesis) = match (&args.genesis, named) {
        (Some(path), false) => (None, crate::connect::load_genesis(path)?),
        _ => connect.founding(None)?,
    };
    let mut peers = Vec::new();
    for node in &args.nodes {
        let url = url_of(node, map.as_ref())?;
        let gateway = Gateway::http(&[url], &HttpOptions::default())?;
        peers.push(Peer::new(node.clone(), &genesis, gateway));
    }
    let question = Question { from: Height(args.from), to: args.to.map(Height), entries: args.entries };
    let compared = compare(&mut peers, &genesis, &question)?;
    if let (Some(path), Some(fork)) = (&args.evidence, compared.partings.iter().find_map(|it| it.fork.as_ref())) {
        std::fs::write(path, serde_json::to_string_pretty(fork)? + "\n").with_context(|| path.display().to_string())?;
    }
    output.answer(&compared, || text(&compared));
    Ok(match compared.result {
        "equal" => Ending::Holds,
        "differ" => Ending::Refused,
        _ => Ending::Undecided,
    })
}

fn url_of(node: &str, map: Option<&NetworkMap>) -> Result<String> {
    if node.contains("://") {
        return Ok(node.to_owned());
    }
    let map = map.context("nodes are named, and there is no map; next: give --network FILE, or URLs")?;
    let entry = map.nodes.iter().find(|entry| entry.name == node);
    let Some(entry) = entry else {
        let names: Vec<&str> = map.nodes.iter().map(|entry| entry.name.as_str()).collect();
        bail!("the map has no node {node}; next: name one of {}", names.join(", "));
    };
    entry.gateway.clone().with_context(|| format!("{node} has no gateway; next: name another node"))
}

/// Compares what nodes show.
fn compare(peers: &mut [Peer], genesis: &Genesis, question: &Question) -> Result<Compared> {
    let domain = genesis.domain();
    let newest: Vec<Result<FinalHeader, Trouble>> = peers.iter_mut().map(Peer::newest).collect();
    if newest.iter().all(|found| found.as_ref().is_err_and(is_silence)) {
        let said = newest.iter().filter_map(|found| found.as_ref().err().map(Trouble::to_string));
        bail!(
            "no node answers: {}; next: see to the network, or name other nodes",
            said.collect::<Vec<_>>().join("; ")
        );
    }
    let heights = newest.iter().flatten().map(|found| found.header.height);
    let common = match question.to {
        Some(to) => heights.clone().any(|height| height >= to).then_some(to),
        None => heights.min(),
    };
    let mut compared = Compared {
        result: "equal",
        height: common,
        nodes: Vec::new(),
        partings: Vec::new(),
        differences: Vec::new(),
        unnamed: 0,
        notes: Vec::new(),
    };
    let found: Vec<Option<FinalHeader>> = peers
        .iter_mut()
        .zip(newest)
        .map(|(peer, newest)| {
            let (shown, found) = look(peer, newest, common, &domain);
            compared.nodes.push(shown);
            found
        })
        .collect();
    let Some(reference) = found.iter().position(Option::is_some) else {
        compared.result = verdict(&compared);
        return Ok(compared);
    };
    part(peers, &found, reference, question.from, &domain, &mut compared);
    entries::compare(peers, &found, reference, question.entries, &mut compared);
    compared.result = verdict(&compared);
    Ok(compared)
}

/// What a node shows at the common height, and the header if it is final.
fn look(
    peer: &mut Peer,
    newest: Result<FinalHeader, Trouble>,
    common: Option<Height>,
    domain: &Domain,
) -> (Shown, Option<FinalHeader>) {
    let mut shown = Shown {
        node: peer.name.clone(),
        result: "equal",
        newest: newest.as_ref().ok().map(|found| found.header.height),
        block: None,
        state_root: None,
        reason: None,
    };
    let at = match (newest, common) {
        (Err(trouble), _) => Err(trouble),
        (Ok(found), Some(common)) if found.header.height < common => {
            shown.result = "behind";
            shown.reason = Some(format!("it has not reached height {common}"));
            return (shown, None);
        }
        (Ok(found), Some(common)) if found.header.height == common => Ok(found),
        (Ok(found), None) => Ok(found),
        (Ok(_), Some(common)) => peer.header(common),
    };
    match at {
        Ok(found) => {
            shown.block = Some(found.header.id(domain));
            shown.state_root = Some(found.header.state_root);
            (shown, Some(found))
        }
        Err(trouble) => {
            shown.result = if is_lie(&trouble) { "unproven" } else { "silent" };
            shown.reason = Some(trouble.to_string());
            (shown, None)
        }
    }
}

/// Finds where nodes part that show other blocks than the first does.
fn part(
    peers: &mut [Peer],
    found: &[Option<FinalHeader>],
    reference: usize,
    from: Height,
    domain: &Domain,
    compared: &mut Compared,
) {
    let Some(right) = &found[reference] else { return };
    for place in 0..peers.len() {
        let differs = match &found[place] {
            Some(header) => header.header.id(domain) != right.header.id(domain),
            // What no quorum signed may have begun long before.
            None => compared.nodes[place].result == "unproven",
        };
        if place == reference || !differs {
            continue;
        }
        if found[place].is_some() {
            compared.nodes[place].result = "differs";
            compared.nodes[reference].result = "differs";
        }
        let nodes = [peers[reference].name.clone(), peers[place].name.clone()];
        let (height, both) = first_difference(peers, (reference, place), (from, right.header.height), domain);
        let fork = both.map(|(first, second)| Evidence { first, second });
        let signed_both = fork.as_ref().map(signed_both).unwrap_or_default();
        compared.partings.push(Parting { nodes, height, fork, signed_both });
    }
}

/// The first height at which two nodes differ, by bisection, with both headers where both are final.
fn first_difference(
    peers: &mut [Peer],
    (one, other): (usize, usize),
    (from, to): (Height, Height),
    domain: &Domain,
) -> (Height, Option<(FinalHeader, FinalHeader)>) {
    // Below `equal` they agree, as far as they were asked; at `differ` they do not.
    let (mut equal, mut differ) = (from.0.saturating_sub(1), to.0);
    let mut both = None;
    while equal + 1 < differ || both.is_none() {
        let height = Height(if equal + 1 < differ { equal + (differ - equal) / 2 } else { differ });
        let shown = (peers[one].header(height), peers[other].header(height));
        match shown {
            (Ok(first), Ok(second)) if first.header.id(domain) == second.header.id(domain) => {
                if height.0 == differ {
                    break;
                }
                equal = height.0;
            }
            (Ok(first), Ok(second)) => {
                differ = height.0;
                both = Some((first, second));
            }
            // What a node does not have says nothing: the search goes on above.
            (first, second) if height.0 < differ && ![&first, &second].into_iter().any(lies) => {
                equal = height.0;
            }
            _ => {
                both = None;
                if height.0 == differ {
                    break;
                }
                differ = height.0;
            }
        }
    }
    (Height(differ), both.filter(|(first, _)| first.header.height.0 == differ))
}

fn signed_both(fork: &Evidence) -> Vec<MemberNumber> {
    let signers = |header: &FinalHeader| header.certificate.signatures.iter().map(|it| it.member).collect::<Vec<_>>();
    let second = signers(&fork.second);
    signers(&fork.first).into_iter().filter(|member| second.contains(member)).collect()
}

/// Whether a node gave something that does not hold.
fn is_lie(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Lied(_) | Trouble::Malformed(_))
}

fn lies(shown: &Result<FinalHeader, Trouble>) -> bool {
    shown.as_ref().is_err_and(is_lie)
}

fn is_silence(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Unreachable(_))
}

fn verdict(compared: &Compared) -> &'static str {
    let any = |results: &[&str]| compared.nodes.iter().any(|shown| results.contains(&shown.result));
    let differ = any(&["differs", "unproven", "other-state"]) || !compared.differences.is_empty();
    match (differ, any(&["silent", "withheld", "behind"])) {
        (true, _) => "differ",
        (false, true) => "undecided",
        (false, false) => "equal",
    }
}

fn text(compared: &Compared) -> String {
    let mut lines = Vec::new();
    for shown in &compared.nodes {
        let newest = shown.newest.map_or_else(String::new, |newest| format!(", newest height {newest}"));
        let root = shown.state_root.map_or_else(String::new, |root| format!(", state root {root}"));
        let reason = shown.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        lines.push(format!("{}: {}{newest}{root}{reason}", shown.node, words(shown.result)));
    }
    for parting in &compared.partings {
        let [one, other] = &parting.nodes;
        let height = parting.height;
        lines.push(match &parting.fork {
            Some(_) => {
                let members: Vec<String> = parting.signed_both.iter().map(MemberNumber::to_string).collect();
                format!(
                    "fork: {one} and {other} show two final blocks at height {height}; members {} signed both",
                    members.join(", ")
                )
            }
            None => format!("{one} and {other} differ from height {height} on, and {other} shows no final block there"),
        });
    }
    lines.extend(compared.differences.iter().map(|entry| format!("differs: {}: {}", entry.entry, entry.says)));
    if compared.unnamed > 0 {
        lines.push(format!("and {} entries more", compared.unnamed));
    }
    lines.extend(compared.notes.iter().map(|note| format!("note: {note}")));
    let height = compared.height.map_or_else(|| "no height".to_owned(), |height| format!("height {height}"));
    lines.push(match compared.result {
        "equal" => format!("equal at {height}, {} nodes", compared.nodes.len()),
        "differ" if compared.partings.iter().any(|parting| parting.fork.is_some()) => {
            "they differ\nnext: stop issuing by this network until people have looked; keep both blocks (--evidence)"
                .to_owned()
        }
        "differ" => {
            "they differ\nnext: have the operator of the node that is named check its store (fengni-node check --store)"
                .to_owned()
        }
        _ => format!("undecided: not every node could be compared at {height}\nnext: ask again, or name other nodes"),
    });
    lines.join("\n")
}

fn words(result: &str) -> &'static str {
    match result {
        "equal" => "equal",
        "differs" => "shows a final block that is not the others'",
        "unproven" => "shows what no quorum signed",
        "other-state" => "serves a state that is not its header's",
        "withheld" => "does not give the whole of its state",
        "behind" => "is behind",
        _ => "could not be asked",
    }
}
