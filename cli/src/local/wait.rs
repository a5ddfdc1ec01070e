//! `fengni wait`: until nodes are ready and level, or have a height.
//!
//! Nodes are a block apart for a moment. Whoever has just done something and asks another node waits
//! until all have what the furthest had at the beginning.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use fengni_core::Height;
use serde::Serialize;

use super::{doors, probe};
use crate::ending::Ending;
use crate::output::{Output, table};

const POLL: Duration = Duration::from_millis(200);

/// `fengni wait`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 it is so, 2 not within the time, with the reason that the node gives, 3 could not run.

Examples:
  fengni wait --admin http://127.0.0.1:27004
  fengni wait --admin http://127.0.0.1:27004 --height 4096 --timeout-secs 600
  fengni wait --home net --node psb"
)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    doors: doors::DoorArgs,
    /// Until this height is final there; else until each is ready, and has what the furthest has now
    #[arg(long, value_name = "HEIGHT")]
    height: Option<u64>,
    /// Seconds to wait at most
    #[arg(long, default_value_t = 60, value_name = "SECS")]
    timeout_secs: u64,
}

/// Where a node is.
#[derive(Serialize)]
struct Waited {
    node: String,
    /// Whether it is there.
    there: bool,
    height: Height,
    /// Why it is not.
    reason: Option<String>,
}

pub(crate) fn run(args: &WaitArgs, output: Output) -> Result<Ending> {
    let doors = args.doors.doors()?;
    let (start, patience) = (Instant::now(), Duration::from_secs(args.timeout_secs));
    let mut level = args.height;
    let nodes = loop {
        let mut nodes: Vec<Waited> = doors.iter().map(|(node, url)| look(node, url.as_deref())).collect();
        let level = *level.get_or_insert_with(|| nodes.iter().map(|node| node.height.0).max().unwrap_or_default());
        for node in &mut nodes {
            // Who waits for a height asks nothing else of the node.
            node.there = node.height.0 >= level && (args.height.is_some() || node.reason.is_none());
            if !node.there && node.reason.is_none() {
                node.reason = Some(format!("not yet at height {level}"));
            }
        }
        if nodes.iter().all(|node| node.there) || start.elapsed() >= patience {
            break nodes;
        }
        std::thread::sleep(POLL);
    };
    let there = nodes.iter().all(|node| node.there);
    output.answer(&serde_json::json!({ "nodes": nodes }), || {
        let rows = nodes.iter().map(|node| {
            let said = node.reason.clone().filter(|_| !node.there).unwrap_or_else(|| "yes".to_owned());
            [node.node.clone(), node.height.to_string(), said]
        });
        table(["node", "height", if args.height.is_some() { "there" } else { "ready" }], rows)
    });
    Ok(if there { Ending::Holds } else { Ending::Undecided })
}

/// A node's height, and why it is not ready.
fn look(node: &str, url: Option<&str>) -> Waited {
    let waited = |height, reason| Waited { node: node.to_owned(), there: false, height, reason };
    match url.map(|url| probe::ask::<probe::Readiness>(url, "/readyz")) {
        None => waited(Height(0), Some("the node has no operator's listener".to_owned())),
        Some(Err(error)) => waited(Height(0), Some(format!("the operator's listener does not answer: {error}"))),
        Some(Ok((200, said))) => waited(said.height.unwrap_or_default(), None),
        Some(Ok((status, said))) => {
            waited(said.height.unwrap_or_default(), Some(said.reason.unwrap_or_else(|| format!("status {status}"))))
        }
    }
}
