//! A client that speaks just enough HTTP to be rude.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::double::Double;
use crate::api::{Limits, ListenerConfig, Listeners, Metrics, Served, serve_within};

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.parse().expect("a status is a number"),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// The rule a problem names; the answer has to be one.
    pub(super) fn rule(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        for member in ["type", "title", "detail", "next"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem["rule"].as_str().expect("a problem names its rule").to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// A request as bytes.
pub(super) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// Asks, and reads the answer to its end.
pub(super) async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut stream = TcpStream::connect(address).await.expect("the listener listens");
    // A listener that refuses a body answers before it is sent in full.
    let _ = stream.write_all(&request(method, path, headers, body)).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Reply::parse(&answer)
}

/// A node with its listeners on free ports.
pub(super) struct Node {
    pub(super) double: Arc<Double>,
    pub(super) gateway: SocketAddr,
    pub(super) relay: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) stopping: watch::Sender<bool>,
    pub(super) served: Served,
}

/// A plain listener on a free port of this host.
pub(super) fn loopback() -> ListenerConfig {
    ListenerConfig { address: ([127, 0, 0, 1], 0).into(), tls: None, plaintext_behind_proxy: false }
}

impl Node {
    pub(super) async fn start(double: Arc<Double>) -> Self {
        Self::start_within(double, Limits::default()).await
    }

    pub(super) async fn start_within(double: Arc<Double>, limits: Limits) -> Self {
        Self::start_as(double, limits, None).await
    }

    pub(super) async fn start_with_pages(double: Arc<Double>, folder: &Path) -> Self {
        Self::start_as(double, Limits::default(), Some(folder.to_owned())).await
    }

    async fn start_as(double: Arc<Double>, limits: Limits, pages: Option<PathBuf>) -> Self {
        let listeners =
            Listeners { gateway: Some(loopback()), relay: Some(loopback()), admin: Some(loopback()), pages };
        let (stopping, stopped) = watch::channel(false);
        let served = serve_within(
            &limits,
            listeners,
            double.clone(),
            double.clone(),
            double.clone(),
            Metrics::default(),
            stopped,
        )
        .await;
        let served = served.expect("free ports of this host");
        let at: HashMap<_, _> = served.addresses().collect();
        let (gateway, relay, admin) = (at["gateway"], at["relay"], at["admin"]);
        Self { double, gateway, relay, admin, stopping, served }
    }

    /// Reads from the gateway.
    pub(super) async fn get(&self, path: &str) -> Reply {
        call(self.gateway, "GET", path, &[], &[]).await
    }

    /// Hands octets in at the relay.
    pub(super) async fn post(&self, path: &str, body: &[u8]) -> Reply {
        call(self.relay, "POST", path, &[("content-type", "application/octet-stream")], body).await
    }
}
