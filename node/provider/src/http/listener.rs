//! Listeners: sockets and TLS, with the rules of a node's (N-1).

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{Config, ListenerConfig};

const HEAD_BYTES: usize = 64 * 1024;
const HEAD_FIELDS: usize = 64;
/// How long a request's head may take, and a connection lie idle.
const QUIET: Duration = Duration::from_secs(30);

/// A listener that holds its port.
pub(crate) struct Bound {
    name: &'static str,
    socket: TcpListener,
    tls: Option<RustlsConfig>,
}

impl Bound {
    /// Takes the port and reads the key.
    ///
    /// # Errors
    /// What is wrong, with the next step.
    pub(crate) fn new(name: &'static str, listener: &ListenerConfig, config: &Config) -> Result<Self> {
        let address = listener.listen;
        let files = match (&listener.tls_certificate, &listener.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("[{name}] names a TLS certificate or a key alone; next: name both"),
        };
        if !address.ip().to_canonical().is_loopback() && files.is_none() && !listener.plaintext_behind_proxy {
            bail!(
                "[{name}] {address} leaves the host without TLS; \
                 next: set tls_certificate and tls_key, or plaintext_behind_proxy = true"
            );
        }
        let tls = files.map(|(certificate, key)| tls(&config.seen_from_home(certificate), &config.seen_from_home(key)));
        let socket = TcpListener::bind(address).with_context(|| format!("[{name}] cannot listen on {address}"))?;
        socket.set_nonblocking(true)?;
        Ok(Self { name, socket, tls: tls.transpose()? })
    }

    /// Where it listens.
    pub(crate) fn says(&self) -> Result<String> {
        Ok(format!("{} on {}", self.name, self.socket.local_addr()?))
    }

    /// Answers until it is told to close.
    pub(crate) async fn serve(self, router: Router, handle: Handle<std::net::SocketAddr>) -> Result<()> {
        let mut server = axum_server::from_tcp(self.socket)?.handle(handle).http1_only();
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(QUIET)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEAD_FIELDS);
        let service = router.into_make_service();
        match self.tls {
            None => server.serve(service).await?,
            Some(tls) => server.acceptor(axum_server::tls_rustls::RustlsAcceptor::new(tls)).serve(service).await?,
        }
        Ok(())
    }
}

fn tls(certificate: &Path, key: &Path) -> Result<RustlsConfig> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("{}: no chain of certificates in PEM", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("{}: no key in PEM", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
