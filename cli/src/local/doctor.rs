//! `fengni doctor`: what running nodes find when they examine themselves.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::map::NetworkMap;
use super::probe;
use crate::args::DoctorArgs;
use crate::ending::Ending;
use crate::output::Output;

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// What one look found.
#[derive(Debug, Serialize, Deserialize)]
struct Finding {
    check: String,
    level: Level,
    says: String,
}

/// A node's answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Examined {
    findings: Vec<Finding>,
}

/// A node and what it found.
#[derive(Debug, Serialize)]
struct Patient {
    node: String,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Visit {
    nodes: Vec<Patient>,
}

pub(crate) fn run(args: &DoctorArgs, output: Output) -> Result<Ending> {
    // Each node on a thread: a silent one does not make the others wait.
    let doors = doors(args)?;
    let nodes: Vec<Patient> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            doors.iter().map(|(node, url)| scope.spawn(move || visit(node, url.as_deref()))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let sick = nodes.iter().flat_map(|node| &node.findings).any(|finding| finding.level == Level::Fail);
    let visit = Visit { nodes };
    output.answer(&visit, || text(&visit));
    Ok(Ending::from(!sick))
}

/// Names and operator's listeners of the nodes to ask.
fn doors(args: &DoctorArgs) -> Result<Vec<(String, Option<String>)>> {
    if let Some(url) = &args.admin {
        return Ok(vec![(url.clone(), Some(url.clone()))]);
    }
    let Some(home) = &args.home else {
        bail!("no node is named; next: give --admin URL, or --home DIR with a network's map");
    };
    let map = NetworkMap::load(home)?;
    let meant = map.nodes.iter().filter(|node| args.node.as_ref().is_none_or(|name| *name == node.name));
    let doors: Vec<_> = meant.map(|node| (node.name.clone(), node.admin.clone())).collect();
    if doors.is_empty() {
        bail!("the network has no such node; next: fengni status --home {} names them", home.display());
    }
    Ok(doors)
}

fn visit(node: &str, url: Option<&str>) -> Patient {
    let silent = |why: String| Finding {
        check: "running".to_owned(),
        level: Level::Fail,
        says: format!("{why}; next: start the node, or run fengni-node doctor --home DIR on its host"),
    };
    let findings = match url.map(|url| probe::ask::<Examined>(url, "/v1/doctor")) {
        Some(Ok((200, examined))) if !examined.findings.is_empty() => examined.findings,
        Some(Ok((status, _))) => vec![silent(format!("the operator's listener answers {status}"))],
        Some(Err(error)) => vec![silent(format!("the operator's listener does not answer: {error}"))],
        None => vec![silent("the node has no operator's listener".to_owned())],
    };
    Patient { node: node.to_owned(), findings }
}

fn text(visit: &Visit) -> String {
    let mut text = String::new();
    for Patient { node, findings } in &visit.nodes {
        text.push_str(&format!("{node}\n"));
        for Finding { check, level, says } in findings {
            let level = match level {
                Level::Ok => "ok  ",
                Level::Warn => "warn",
                Level::Fail => "fail",
            };
            text.push_str(&format!("  {level}  {check}: {says}\n"));
        }
    }
    text
}
