//! `fengni up`: starts the nodes and waits until they follow the network.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fengni_core::Height;
use serde::Serialize;

use super::map::{NetworkMap, NodeEntry};
use super::{probe, process};
use crate::args::UpArgs;
use crate::ending::Ending;
use crate::output::Output;

const POLL: Duration = Duration::from_millis(200);

#[derive(Serialize)]
struct Started {
    nodes: Vec<StartedNode>,
    /// Blocks were seen to follow one another.
    advancing: bool,
}

#[derive(Serialize)]
struct StartedNode {
    node: String,
    pid: u32,
    height: Option<Height>,
    gateway: Option<String>,
}

pub(crate) fn run(args: &UpArgs, output: Output) -> Result<Ending> {
    let map = NetworkMap::load(&args.home)?;
    let nodes = map.chosen(args.node.as_deref())?;
    let program = process::program(args.node_binary.as_deref())?;
    for node in &nodes {
        if let Some(pid) = process::running(&map, node) {
            let home = args.home.display();
            bail!(
                "node {} runs already as process {}; next: fengni down --home {home}",
                node.name,
                pid.as_raw_nonzero()
            );
        }
    }
    let mut children: Vec<(&NodeEntry, Child)> = Vec::new();
    for node in &nodes {
        output.progress(&format!("starting {} ({})", node.name, node.role));
        children.push((node, process::start(&program, &map, node)?));
    }
    let advancing = !args.no_wait;
    if advancing {
        wait(&map, &mut children, Duration::from_secs(args.timeout_secs), output)?;
    }
    let started = Started {
        nodes: children
            .iter()
            .map(|(node, child)| StartedNode {
                node: node.name.clone(),
                pid: child.id(),
                height: advancing.then(|| probe::look(&map, node).height).flatten(),
                gateway: node.gateway.clone(),
            })
            .collect(),
        advancing,
    };
    output.answer(&started, || {
        let line = |node: &StartedNode| {
            let height = node.height.map_or_else(|| "-".to_owned(), |height| height.to_string());
            [node.node.clone(), node.pid.to_string(), height, node.gateway.clone().unwrap_or_default()]
        };
        let table = crate::output::table(["node", "process", "height", "gateway"], started.nodes.iter().map(line));
        let home = args.home.display();
        format!("{table}\nnext: fengni status --home {home}, fengni down --home {home}")
    });
    Ok(Ending::Holds)
}

/// Waits until every node is ready and has seen a block more than at first.
fn wait(map: &NetworkMap, children: &mut [(&NodeEntry, Child)], patience: Duration, output: Output) -> Result<()> {
    let start = Instant::now();
    let mut first: Vec<Option<Height>> = vec![None; children.len()];
    let mut waiting: Vec<usize> = (0..children.len()).collect();
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for place in waiting {
            let (node, child) = &mut children[place];
            // Collects the process, so that it does not seem to run.
            if let Some(status) = child.try_wait()? {
                let _ = std::fs::remove_file(map.path(&node.pid_file));
                let (log, tail) = (node.log.display(), process::log_tail(map, node));
                bail!(
                    "node {} ended with {status}, the others run on; next: fengni down; the end of {log}:\n{tail}",
                    node.name
                );
            }
            let look = probe::look(map, node);
            let height = look.height.filter(|height| height.0 > 0);
            let seen = *first[place].get_or_insert(height.unwrap_or_default());
            if look.ready && height.is_some_and(|height| height > seen) {
                output.progress(&format!("{} is ready at height {}", node.name, height.unwrap_or_default()));
                continue;
            }
            if start.elapsed() > patience {
                let reason = look.reason.unwrap_or_else(|| "no new block came".to_owned());
                let (secs, log, tail) = (patience.as_secs(), node.log.display(), process::log_tail(map, node));
                bail!(
                    "node {} is not ready after {secs} seconds, and runs on: {reason}; next: fengni down; the end of {log}:\n{tail}",
                    node.name
                );
            }
            left.push(place);
        }
        waiting = left;
        if !waiting.is_empty() {
            std::thread::sleep(POLL);
        }
    }
    Ok(())
}
