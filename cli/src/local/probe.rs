//! A look at one node: whether its process runs, and what its listeners say.
//!
//! This is for whoever runs the nodes and believes them; verifiers believe proofs alone.

use std::sync::Arc;
use std::time::Duration;

use fengni_client::node::Node;
use fengni_client::transport::{Http, HttpOptions, Request, Transport as _};
use fengni_core::{Digest, Height, Millis};
use serde::{Deserialize, Serialize};

use super::map::{NetworkMap, NodeEntry, NodeRole};
use super::process;

/// Bytes of an operator's answer, at most.
const ANSWER_BYTES: usize = 1024 * 1024;

/// A node as it is seen from outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Look {
    /// The node's name.
    pub(crate) node: String,
    /// Whether it votes.
    pub(crate) role: NodeRole,
    /// Id of its process.
    pub(crate) pid: Option<i32>,
    /// Whether it says that its answers are current.
    pub(crate) ready: bool,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The newest final height.
    pub(crate) height: Option<Height>,
    /// The round that decided it.
    pub(crate) round: Option<u32>,
    /// Time of that block.
    pub(crate) time: Option<Millis>,
    /// State root after that block.
    pub(crate) state_root: Option<Digest>,
    /// Nodes connected for consensus.
    pub(crate) peers: Option<u64>,
    /// Transactions that wait.
    pub(crate) pool: Option<u64>,
    /// The newest version of the protocol that it speaks.
    pub(crate) speaks: Option<u16>,
}

/// What `/readyz` says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Readiness {
    /// Why it is not ready.
    pub(super) reason: Option<String>,
    /// Its last final height.
    pub(super) height: Option<Height>,
}

/// What the operator's listener says.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    peers: Option<u64>,
    pool_transactions: Option<u64>,
    speaks: Option<u16>,
}

fn options() -> HttpOptions {
    HttpOptions { connect: Duration::from_millis(500), answer: Duration::from_secs(2), ..HttpOptions::default() }
}

/// Looks at a node.
pub(crate) fn look(map: &NetworkMap, node: &NodeEntry) -> Look {
    let pid = process::running(map, node).map(|pid| pid.as_raw_nonzero().get());
    let mut look = Look {
        node: node.name.clone(),
        role: node.role,
        pid,
        ready: false,
        reason: None,
        height: None,
        round: None,
        time: None,
        state_root: None,
        peers: None,
        pool: None,
        speaks: None,
    };
    if pid.is_none() {
        look.reason = Some("not running".to_owned());
        return look;
    }
    match node.admin.as_deref().map(|url| ask::<Readiness>(url, "/readyz")) {
        Some(Ok((status, said))) => {
            look.ready = status == 200;
            look.reason = (!look.ready).then(|| said.reason.unwrap_or_else(|| format!("status {status}")));
            look.height = said.height;
        }
        Some(Err(error)) => look.reason = Some(error),
        None => look.reason = Some("no operator's listener".to_owned()),
    }
    if let Some(Ok((200, status))) = node.admin.as_deref().map(|url| ask::<Status>(url, "/v1/status")) {
        look.peers = status.peers;
        look.pool = status.pool_transactions;
        look.speaks = status.speaks;
    }
    if let Some((header, certificate)) = gateway(node).and_then(|gateway| gateway.latest_header().ok()) {
        look.height = Some(header.height);
        look.time = Some(header.time);
        look.state_root = Some(header.state_root);
        look.round = Some(certificate.round);
    }
    look
}

/// The state root a node has at a height.
pub(crate) fn state_root(node: &NodeEntry, height: Height) -> Option<Digest> {
    gateway(node)?.header(height).ok().map(|(header, _)| header.state_root)
}

/// A node's gateway.
fn gateway(node: &NodeEntry) -> Option<Node> {
    let http = Http::new(node.gateway.as_deref()?, &options()).ok()?;
    Some(Node::new(Arc::new(http)))
}

/// Status and JSON of an answer; what cannot be read is taken as empty.
pub(crate) fn ask<T: for<'de> Deserialize<'de> + Default>(url: &str, path: &str) -> Result<(u16, T), String> {
    let http = Http::new(url, &options()).map_err(|error| error.to_string())?;
    let request = Request { path: path.to_owned(), body: None, limit: ANSWER_BYTES, patience: Duration::ZERO };
    let response = http.exchange(&request)?;
    Ok((response.status, serde_json::from_slice(&response.body).unwrap_or_default()))
}
