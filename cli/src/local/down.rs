//! `fengni down`: stops the nodes that `up` started.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::map::NetworkMap;
use super::process::{self, Stopped};
use crate::args::DownArgs;
use crate::ending::Ending;
use crate::output::Output;

/// How long a node may take to close what it has open.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct StoppedNode {
    node: String,
    /// `stopped`, `killed`, `not-running` or `still-runs`.
    result: &'static str,
}

pub(crate) fn run(args: &DownArgs, output: Output) -> Result<Ending> {
    let map = NetworkMap::load(&args.home)?;
    let nodes = map.chosen(args.node.as_deref())?;
    // All are asked first, so that they close at the same time.
    let asked = nodes.iter().map(|node| process::signal(&map, node, args.kill)).collect::<Result<Vec<bool>>>()?;
    let mut stopped = Vec::new();
    for (node, asked) in nodes.iter().zip(asked) {
        let result = match process::wait_for_end(&map, node, asked, PATIENCE) {
            Stopped::NotRunning => "not-running",
            Stopped::Ended(_) if args.kill => "killed",
            Stopped::Ended(time) => {
                output.progress(&format!("{} ended after {} ms", node.name, time.as_millis()));
                "stopped"
            }
            Stopped::StillRuns => "still-runs",
        };
        stopped.push(StoppedNode { node: node.name.clone(), result });
    }
    let stuck = stopped.iter().any(|node| node.result == "still-runs");
    output.answer(&serde_json::json!({ "nodes": stopped }), || {
        let rows = stopped.iter().map(|node| [node.node.clone(), node.result.to_owned()]);
        let table = crate::output::table(["node", "result"], rows);
        if stuck { format!("{table}\nnext: fengni down --kill --home {}", args.home.display()) } else { table }
    });
    Ok(if stuck { Ending::CouldNotRun } else { Ending::Holds })
}
