//! Transport: one request to one node and its answer.
//!
//! [`Http`] is the transport of every day; a test or another network puts its own in its place.
//! Nothing that comes over a transport is believed: see [`crate::ledger`].

use std::io::Read as _;
use std::time::Duration;

use thiserror::Error;
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

const BYTES: &str = "application/octet-stream";
/// Bytes of a download read at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// How long a download may stand still before it is taken up again.
const PIECE_TIME: Duration = Duration::from_secs(60);
const PARTIAL_CONTENT: u16 = 206;

/// What is asked of a node.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Path and query, such as `/v1/headers/latest`.
    pub path: String,
    /// Bytes to post; without them the request is a GET.
    pub body: Option<&'a [u8]>,
    /// The most bytes an answer may have.
    pub limit: usize,
    /// How much longer than usual the node may take, because it was asked to wait.
    pub patience: Duration,
}

/// What a node answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body, within the request's limit.
    pub body: Vec<u8>,
}

/// A large answer as it comes in: what is here stays when the connection breaks.
#[derive(Clone, Debug, Default)]
pub struct Download {
    /// Bytes so far.
    pub bytes: Vec<u8>,
    /// How many there will be, once known.
    pub total: Option<usize>,
    /// The answer's tag: the rest must be of the same answer.
    pub tag: Option<String>,
    /// The height the answer is of.
    pub height: Option<u64>,
    /// HTTP status of the latest try.
    pub status: u16,
}

/// A way to one node.
pub trait Transport: Send + Sync {
    /// The node's name in messages, usually its URL.
    fn name(&self) -> &str;

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// Why there is no answer, as one lower-case line.
    fn exchange(&self, request: &Request<'_>) -> Result<Response, String>;

    /// Goes on with a download, or begins it, telling `progress` of each piece.
    ///
    /// A transport that knows no parts of answers begins anew each time.
    ///
    /// # Errors
    /// Why it broke off, as one lower-case line; what has come stays in `download`.
    fn download(
        &self,
        request: &Request<'_>,
        download: &mut Download,
        progress: &mut dyn FnMut(usize, Option<usize>),
    ) -> Result<(), String> {
        let Response { status, body } = self.exchange(request)?;
        progress(body.len(), Some(body.len()));
        *download = Download { total: Some(body.len()), bytes: body, status, ..Download::default() };
        Ok(())
    }
}

/// How HTTP is spoken.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long a connection may take to stand.
    pub connect: Duration,
    /// How long an answer may take that the node was not asked to wait for.
    pub answer: Duration,
    /// Certificates, in PEM, of those who vouch for the nodes' TLS certificates; empty for the
    /// public ones. Departments of a closed network give their own here.
    pub roots_pem: Vec<u8>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), answer: Duration::from_secs(15), roots_pem: Vec::new() }
    }
}

/// Why a URL leads to no node.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum UrlError {
    /// Neither `http://` nor `https://`, or with a query.
    #[error("{url} is not of the form https://host:port")]
    Form {
        /// The text given.
        url: String,
    },
    /// The certificates of those who vouch are not PEM.
    #[error("the root certificates are not in PEM")]
    Roots,
}

/// HTTP to one node, with connections kept open.
pub struct Http {
    base: String,
    answer: Duration,
    agent: Agent,
}

impl Http {
    /// A transport to the node at `url`, such as `https://gateway.example:8443`.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn new(url: &str, options: &HttpOptions) -> Result<Self, UrlError> {
        let base = url.trim_end_matches('/');
        let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let plain =
            |host: &str| !host.is_empty() && !host.contains(['?', '#', '@']) && !host.contains(char::is_whitespace);
        if !host.is_some_and(plain) {
            return Err(UrlError::Form { url: url.to_owned() });
        }
        let mut tls = TlsConfig::builder();
        if !options.roots_pem.is_empty() {
            tls = tls.root_certs(RootCerts::new_with_certs(&roots(&options.roots_pem)?));
        }
        // Only the node asked for: no proxy from the environment, no redirect elsewhere. Bodies
        // come as they are, so that a small answer cannot unpack into a large one.
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .accept_encoding(AutoHeaderValue::None)
            .user_agent(concat!("fengni-client/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(options.connect))
            .tls_config(tls.build())
            .build()
            .new_agent();
        Ok(Self { base: base.to_owned(), answer: options.answer, agent })
    }
}

fn roots(pem: &[u8]) -> Result<Vec<Certificate<'static>>, UrlError> {
    let mut roots = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => (),
            Err(_) => return Err(UrlError::Roots),
        }
    }
    if roots.is_empty() { Err(UrlError::Roots) } else { Ok(roots) }
}

impl Transport for Http {
    fn name(&self) -> &str {
        &self.base
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Response, String> {
        let url = format!("{}{}", self.base, request.path);
        let timeout = Some(self.answer.saturating_add(request.patience));
        let sent = match request.body {
            None => {
                let get = self.agent.get(&url).header("accept", BYTES);
                get.config().timeout_global(timeout).build().call()
            }
            Some(body) => {
                let post = self.agent.post(&url).header("accept", BYTES).header("content-type", BYTES);
                post.config().timeout_global(timeout).build().send(body)
            }
        };
        let response = sent.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let reader = response.into_body().into_reader();
        let most = u64::try_from(request.limit).unwrap_or(u64::MAX).saturating_add(1);
        reader.take(most).read_to_end(&mut body).map_err(|error| error.to_string())?;
        if body.len() > request.limit {
            return Err(format!("an answer of more than {} bytes", request.limit));
        }
        Ok(Response { status, body })
    }

    fn download(
        &self,
        request: &Request<'_>,
        download: &mut Download,
        progress: &mut dyn FnMut(usize, Option<usize>),
    ) -> Result<(), String> {
        let mut get = self.agent.get(format!("{}{}", self.base, request.path)).header("accept", BYTES);
        if let (Some(tag), false) = (&download.tag, download.bytes.is_empty()) {
            get = get.header("range", format!("bytes={}-", download.bytes.len())).header("if-range", tag);
        }
        // No limit on the whole: a slow line may take its time as long as something comes.
        let config = get.config().timeout_recv_response(Some(self.answer)).timeout_per_read(Some(PIECE_TIME));
        let response = config.build().call().map_err(|error| error.to_string())?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        download.status = response.status().as_u16();
        if download.status != PARTIAL_CONTENT {
            download.bytes.clear();
            download.tag = header("etag").map(str::to_owned);
            download.height = header("fengni-height").and_then(|height| height.parse().ok());
        }
        let length: Option<usize> = header("content-length").and_then(|length| length.parse().ok());
        download.total = length.map(|length| download.bytes.len().saturating_add(length));
        let mut reader = response.into_body().into_reader();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let count = reader.read(&mut piece).map_err(|error| error.to_string())?;
            if count == 0 {
                break;
            }
            download.bytes.extend_from_slice(&piece[..count]);
            if download.bytes.len() > request.limit {
                return Err(format!("an answer of more than {} bytes", request.limit));
            }
            progress(download.bytes.len(), download.total);
        }
        match download.total {
            Some(total) if download.bytes.len() < total => Err("the connection broke off".to_owned()),
            _ => Ok(()),
        }
    }
}
