//! `fengni status`: the nodes side by side, and whether they have the same state.

use anyhow::Result;
use fengni_client::clock;
use fengni_core::record::Offence;
use fengni_core::{Digest, Height};
use serde::Serialize;

use super::map::NetworkMap;
use super::probe::{self, Look};
use crate::args::StatusArgs;
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::output::{Output, table};
use crate::{moment, offence};

#[derive(Serialize)]
struct Status {
    network: String,
    nodes: Vec<Look>,
    /// The highest block that every answering node has.
    compared_height: Option<Height>,
    /// Whether their state roots there are equal; null where nothing could be compared.
    state_roots_equal: Option<bool>,
    /// Validators that signed twice, as a quorum proves; null where nothing could be asked.
    offences: Option<Vec<Offence>>,
}

pub(crate) fn run(args: &StatusArgs, output: Output) -> Result<Ending> {
    let map = NetworkMap::load(&args.home)?;
    // Each node on a thread: a silent one does not make the others wait.
    let looks: Vec<Look> = std::thread::scope(|scope| {
        let threads: Vec<_> = map.nodes.iter().map(|node| scope.spawn(|| probe::look(&map, node))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let (height, roots) = compare(&map, &looks);
    let equal = height.map(|_| roots.iter().flatten().all(|root| Some(root) == roots.iter().flatten().next()));
    let ending = match equal {
        Some(false) => Ending::Refused,
        _ if looks.iter().all(|look| look.ready) => Ending::Holds,
        _ => Ending::Undecided,
    };
    let offences = offences(&map);
    let status = Status {
        network: map.network.to_string(),
        nodes: looks,
        compared_height: height,
        state_roots_equal: equal,
        offences,
    };
    output.answer(&status, || text(&status, &roots, ending, args));
    Ok(ending)
}

/// The offences on record, if any node proves them.
fn offences(map: &NetworkMap) -> Option<Vec<Offence>> {
    let network = Some(map.folder.clone());
    let mut connection = ConnectArgs { network, ..ConnectArgs::default() }.open(None).ok()?;
    connection.ledger.shelf().ok()
}

/// State roots at the highest height that all answering nodes have.
fn compare(map: &NetworkMap, looks: &[Look]) -> (Option<Height>, Vec<Option<Digest>>) {
    let height = looks.iter().filter_map(|look| look.state_root.and(look.height)).min();
    let roots = map.nodes.iter().zip(looks).map(|(node, look)| {
        let height = height.filter(|_| look.state_root.is_some())?;
        if look.height == Some(height) { look.state_root } else { probe::state_root(node, height) }
    });
    (height, roots.collect())
}

fn text(status: &Status, roots: &[Option<Digest>], ending: Ending, args: &StatusArgs) -> String {
    let now = clock::now();
    let show = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let rows = status.nodes.iter().zip(roots).map(|(look, root)| {
        let age = look.time.map(|time| moment::age(now.0.saturating_sub(time.0) / 1000));
        let same = root.map(|root| format!("{root:?}"));
        [
            look.node.clone(),
            look.role.to_string(),
            show(look.pid.map(|pid| pid.to_string())),
            show(look.height.map(|height| height.to_string())),
            show(look.round.map(|round| round.to_string())),
            show(look.peers.map(|peers| peers.to_string())),
            show(look.pool.map(|pool| pool.to_string())),
            show(look.speaks.map(|speaks| speaks.to_string())),
            if look.ready { "yes".to_owned() } else { format!("no: {}", show(look.reason.clone())) },
            show(age),
            show(same),
        ]
    });
    let header =
        ["node", "role", "process", "height", "round", "peers", "pool", "speaks", "ready", "last block", "state root"];
    let mut text = table(header, rows);
    match (status.state_roots_equal, status.compared_height) {
        (Some(true), Some(height)) => text.push_str(&format!("\nstate roots equal at height {height}")),
        (Some(false), Some(height)) => {
            text.push_str(&format!("\nrefused: state roots differ at height {height}; next: fengni audit replay --gateway URL --genesis FILE, with each node's URL"));
        }
        _ => text.push_str("\nundecided: no node answers"),
    }
    for record in status.offences.iter().flatten() {
        text.push_str(&format!("\noffence: {}; next: fengni gov propose remove", offence::describe(&record.proof)));
    }
    if ending == Ending::Undecided {
        text.push_str(&format!("\nnext: fengni up --home {} [--node NAME]", args.home.display()));
    }
    text
}
