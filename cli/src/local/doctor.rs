//! `fengni doctor`: what running nodes find when they examine themselves, and what only shows when
//! they are compared.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

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

/// What a node's status says of its program.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Program {
    version: Option<String>,
}

/// A node and what it found.
#[derive(Debug, Serialize)]
struct Patient {
    node: String,
    /// Version of its software; null where it does not tell.
    software: Option<String>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Visit {
    nodes: Vec<Patient>,
    /// What the nodes differ in; nothing where one alone was asked.
    compared: Vec<Finding>,
}

pub(crate) fn run(args: &DoctorArgs, output: Output) -> Result<Ending> {
    // Each node on a thread: a silent one does not make the others wait.
    let doors = args.doors.doors()?;
    let nodes: Vec<Patient> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            doors.iter().map(|(node, url)| scope.spawn(move || visit(node, url.as_deref()))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let compared: Vec<Finding> = versions(&nodes).into_iter().collect();
    let visit = Visit { nodes, compared };
    let mut findings = visit.nodes.iter().flat_map(|node| &node.findings).chain(&visit.compared);
    let sick = findings.any(|finding| finding.level == Level::Fail);
    output.answer(&visit, || text(&visit));
    Ok(Ending::from(!sick))
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
    let program = url.and_then(|url| probe::ask::<Program>(url, "/v1/status").ok());
    Patient { node: node.to_owned(), software: program.and_then(|(_, program)| program.version), findings }
}

/// Whether all nodes run the same software, where more than one tells.
fn versions(nodes: &[Patient]) -> Option<Finding> {
    let mut by_version: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Patient { node, software, .. } in nodes {
        if let Some(software) = software {
            by_version.entry(software).or_default().push(node);
        }
    }
    let (level, says) = match by_version.values().map(Vec::len).sum::<usize>() {
        0 | 1 => return None,
        told if by_version.len() == 1 => {
            let software = by_version.keys().next().copied().unwrap_or_default();
            (Level::Ok, format!("{told} nodes run software {software}"))
        }
        _ => {
            let each = by_version.iter().map(|(software, nodes)| format!("{software} on {}", nodes.join(", ")));
            let each: Vec<String> = each.collect();
            (Level::Warn, format!("software differs: {}; next: bring all to the newest", each.join("; ")))
        }
    };
    Some(Finding { check: "versions".to_owned(), level, says })
}

fn text(visit: &Visit) -> String {
    let mut text = String::new();
    let nodes = visit.nodes.iter().map(|patient| (patient.node.as_str(), &patient.findings));
    let compared = Some(("compared", &visit.compared)).filter(|(_, findings)| !findings.is_empty());
    for (node, findings) in nodes.chain(compared) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(software: &[Option<&str>]) -> Option<(Level, String)> {
        let patient = |(place, software): (usize, &Option<&str>)| Patient {
            node: format!("node-{place}"),
            software: software.map(ToOwned::to_owned),
            findings: Vec::new(),
        };
        let nodes: Vec<Patient> = software.iter().enumerate().map(patient).collect();
        versions(&nodes).map(|finding| (finding.level, finding.says))
    }

    #[test]
    fn nodes_of_two_versions_are_told_apart() {
        assert_eq!(found(&[Some("0.1.0")]), None);
        assert_eq!(found(&[Some("0.1.0"), None]), None, "a silent node says nothing of versions");
        let same = found(&[Some("0.1.0"), Some("0.1.0"), None]).expect("two tell");
        assert_eq!(same, (Level::Ok, "2 nodes run software 0.1.0".to_owned()));
        let (level, says) = found(&[Some("0.1.0"), Some("0.2.0"), Some("0.1.0")]).expect("three tell");
        assert_eq!(level, Level::Warn);
        assert!(says.contains("0.1.0 on node-0, node-2; 0.2.0 on node-1"), "{says}");
    }
}
