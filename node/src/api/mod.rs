//! The HTTP side: three listeners, each of which can be off.
//!
//! ```text
//! public   -> gateway  reads only: no route, no method, no handle that writes (SEC-03)
//! members  -> relay    takes signed transactions
//! operator -> admin    health, metrics, status, backups; internal (SEC-04)
//! ```
//!
//! The HTTP side holds no key and decides nothing: what it hands out carries its own proof, or
//! says that it proves nothing. More than it can do at a time is refused with 503, never answered
//! with a guess (SEC-13). Rules N-1 to N-32: `sdk/spec/http.md`.

mod admin;
mod answer;
mod backups;
mod checks;
mod connection;
mod counted;
mod events;
mod gateway;
mod guard;
mod health;
pub mod limits;
mod listener;
mod metrics;
mod openapi;
mod outcomes;
mod packs;
mod pages;
mod params;
mod problem;
mod proofs;
mod reader;
mod relay;
mod source;
mod trust;
mod views;
mod work;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;

pub use backups::BackUp;
pub use limits::Limits;
pub use listener::{ListenError, ListenerConfig, TlsFiles};
pub use metrics::Metrics;
pub use source::{FinalState, NodeMode, NodeStatus, Readiness, Ready, Source, Submit, SubmitError};

use admin::Admin;
use checks::sound_only;
use connection::Door;
use guard::{Verbs, guarded};
use listener::{Bound, Serving};
use metrics::Shown;
use openapi::documented;
use reader::Reader;
use relay::Relay;

/// Which listeners there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listeners {
    /// Reads, for everybody.
    pub gateway: Option<ListenerConfig>,
    /// Takes transactions.
    pub relay: Option<ListenerConfig>,
    /// For the operator.
    pub admin: Option<ListenerConfig>,
    /// Folder of the verifier's pages, which the gateway serves under `/web/`.
    pub pages: Option<PathBuf>,
}

/// Listeners that answer.
pub struct Served {
    listeners: Vec<Serving>,
}

impl Served {
    /// Name and actual address of each listener.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> + '_ {
        self.listeners.iter().map(Serving::address)
    }

    /// Until every listener is closed, which begins when `stopped` turns true.
    pub async fn finished(self) {
        for listener in self.listeners {
            listener.closed().await;
        }
    }
}

/// Opens the listeners and answers until `stopped` turns true.
///
/// All ports are taken and all keys read before anything is answered.
///
/// # Errors
/// [`ListenError`], with the field's name and the next step.
pub async fn serve(
    listeners: Listeners,
    source: Arc<dyn Source>,
    submit: Arc<dyn Submit>,
    backups: Arc<dyn BackUp>,
    metrics: Metrics,
    stopped: watch::Receiver<bool>,
) -> Result<Served, ListenError> {
    serve_within(&Limits::default(), listeners, source, submit, backups, metrics, stopped).await
}

/// As [`serve`], with limits of the caller's own, which hold for each listener by itself.
///
/// # Errors
/// As [`serve`].
pub async fn serve_within(
    limits: &Limits,
    listeners: Listeners,
    source: Arc<dyn Source>,
    submit: Arc<dyn Submit>,
    backups: Arc<dyn BackUp>,
    metrics: Metrics,
    mut stopped: watch::Receiver<bool>,
) -> Result<Served, ListenError> {
    let (shown, counted) = Shown::new(metrics);
    let bind = |name, config: &Option<ListenerConfig>| config.as_ref().map(|c| Bound::new(name, c)).transpose();
    let gateway = bind("gateway", &listeners.gateway)?;
    let relay = bind("relay", &listeners.relay)?;
    let admin = bind("admin", &listeners.admin)?;

    let mut served = Vec::new();
    let mut open = |bound: Option<Bound>, name, verbs, router: Router| {
        let Some(bound) = bound else { return Ok(()) };
        let router = guarded(router, name, verbs, limits, counted.clone());
        served.push(bound.serve(router, Door::new(name, limits, counted.clone()))?);
        Ok(())
    };
    let reader = Reader::new(source.clone(), limits, stopped.clone());
    let mut routes = documented(gateway::routes(), reader.clone()).0;
    if let Some(folder) = &listeners.pages {
        routes = routes.merge(pages::routes(folder, reader, counted.clone()));
    }
    open(gateway, "gateway", Verbs::ReadOnly, sound_only(routes, source.clone()))?;
    let state = Relay::new(Reader::new(source.clone(), limits, stopped.clone()), submit, limits, counted.clone());
    let routes = sound_only(documented(relay::routes(), state).0, source.clone());
    open(relay, "relay", Verbs::AsRouted, routes)?;
    let state = Admin { reader: Reader::new(source, limits, stopped.clone()), backups, metrics: shown };
    open(admin, "admin", Verbs::AsRouted, documented(admin::routes(), state).0)?;

    let grace = Duration::from_millis(limits.closing_millis);
    let handles: Vec<_> = served.iter().map(Serving::handle).collect();
    tokio::spawn(async move {
        // A sender that is gone means that the node stops as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        for handle in handles {
            handle.graceful_shutdown(Some(grace));
        }
    });
    Ok(Served { listeners: served })
}
