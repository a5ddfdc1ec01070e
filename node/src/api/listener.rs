//! Listeners: sockets, TLS, and how they close. Rule N-1.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::task::JoinHandle;

use super::connection::Door;

/// Bytes of a request's head.
const HEAD_BYTES: usize = 128 * 1024;
/// Fields of a request's head.
const HEAD_FIELDS: usize = 64;

/// Where one listener listens, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenerConfig {
    /// Address and port; port 0 takes any free one.
    pub address: SocketAddr,
    /// Certificate and key; needed where the address is not of this host alone.
    pub tls: Option<TlsFiles>,
    /// Says that a proxy ends TLS in front of the listener.
    pub plaintext_behind_proxy: bool,
}

/// PEM files of a listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The chain, the listener's own certificate first.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl From<&crate::config::Listener> for ListenerConfig {
    fn from(listener: &crate::config::Listener) -> Self {
        let files = listener.tls_certificate.clone().zip(listener.tls_key.clone());
        Self {
            address: listener.listen,
            tls: files.map(|(certificate, key)| TlsFiles { certificate, key }),
            plaintext_behind_proxy: listener.plaintext_behind_proxy,
        }
    }
}

/// Why a listener does not listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// N-1: it would leave the host without TLS.
    #[error(
        "{listener}.listen: {address} leaves the host without TLS; \
         next: set tls_certificate and tls_key, or plaintext_behind_proxy = true"
    )]
    Plaintext {
        /// Which listener.
        listener: &'static str,
        /// Its address.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error("{listener}.listen: cannot listen on {address}: {error}")]
    Bind {
        /// Which listener.
        listener: &'static str,
        /// Its address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// A PEM file cannot be used.
    #[error("{listener}.{field}: {}: {reason}", path.display())]
    Tls {
        /// Which listener.
        listener: &'static str,
        /// Which field names the file.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A listener that holds its port and does not answer yet.
pub(crate) struct Bound {
    name: &'static str,
    address: SocketAddr,
    socket: TcpListener,
    tls: Option<RustlsConfig>,
}

impl Bound {
    /// Takes the port and reads the key.
    ///
    /// # Errors
    /// [`ListenError`], with the field's name.
    pub(crate) fn new(name: &'static str, config: &ListenerConfig) -> Result<Self, ListenError> {
        let address = config.address;
        let stays = address.ip().to_canonical().is_loopback();
        if !stays && config.tls.is_none() && !config.plaintext_behind_proxy {
            return Err(ListenError::Plaintext { listener: name, address });
        }
        let tls = config.tls.as_ref().map(|files| tls(name, files)).transpose()?;
        let bind = |error| ListenError::Bind { listener: name, address, error };
        let socket = TcpListener::bind(address).map_err(bind)?;
        socket.set_nonblocking(true).map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Self { name, address, socket, tls })
    }

    /// Answers until it is told to close.
    ///
    /// # Errors
    /// [`ListenError::Bind`] when the socket cannot be used.
    pub(crate) fn serve(self, router: Router, door: Door) -> Result<Serving, ListenError> {
        let Self { name, address, socket, tls } = self;
        let handle = Handle::new();
        let bind = |error| ListenError::Bind { listener: name, address, error };
        let server = axum_server::from_tcp(socket).map_err(bind)?.handle(handle.clone());
        // One protocol, little to attack: answers are few and large.
        let mut server = server.http1_only();
        server.http_builder().http1().max_buf_size(HEAD_BYTES).max_headers(HEAD_FIELDS);
        let service = router.into_make_service();
        let task = match tls {
            None => tokio::spawn(server.acceptor(door).serve(service)),
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls).acceptor(door);
                tokio::spawn(server.acceptor(acceptor).serve(service))
            }
        };
        Ok(Serving { name, address, handle, task })
    }
}

fn tls(listener: &'static str, files: &TlsFiles) -> Result<RustlsConfig, ListenError> {
    let wrong = |field: &'static str, path: &Path, reason: String| ListenError::Tls {
        listener,
        field,
        path: path.to_owned(),
        reason,
    };
    let in_certificate = |reason: String| wrong("tls_certificate", &files.certificate, reason);
    let in_key = |reason: String| wrong("tls_key", &files.key, reason);
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| in_certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(in_certificate("holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| in_key(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| in_key(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key);
    let mut config = config.map_err(|error| in_key(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// A listener that answers.
pub(crate) struct Serving {
    name: &'static str,
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Serving {
    /// Its name and where it listens.
    pub(crate) fn address(&self) -> (&'static str, SocketAddr) {
        (self.name, self.address)
    }

    /// Tells it to close.
    pub(crate) fn handle(&self) -> Handle<SocketAddr> {
        self.handle.clone()
    }

    /// Until it is closed.
    pub(crate) async fn closed(self) {
        match self.task.await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => tracing::warn!(listener = self.name, %error, "listener ended"),
            Err(error) => tracing::error!(listener = self.name, panicked = error.is_panic(), "listener broke off"),
        }
    }
}
