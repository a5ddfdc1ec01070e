//! The HTTP side: one listener for departments, one for holders and everybody else. Rules I-25 to I-28.

mod body;
mod departments;
mod guard;
mod listener;
mod metrics;
mod openapi;
mod problem;
mod public;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use fengni_client::submit::Settlement;
use fengni_core::operation::Operation;
use tokio::sync::{Mutex, Semaphore};
use tower_http::cors::{Any, CorsLayer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::Desk;
use crate::upkeep::Anchoring;
pub(crate) use listener::Bound;
pub(crate) use metrics::Metrics;

/// Questions of holders that are looked up at once: departments come first.
const HOLDERS: usize = 16;
/// Withdrawals that are brought to the ledger at once.
const WITHDRAWALS: usize = 16;

/// How long the database's last answer to whether it is there counts: anybody may ask, and each question takes one of
/// its connections.
const PING: Duration = Duration::from_secs(1);

/// Signs an operation with the member's key and brings it to the ledger.
pub(crate) type Submit = Box<dyn Fn(Operation) -> anyhow::Result<Settlement> + Send + Sync>;

/// What the handlers have at hand.
pub(crate) struct Gateway {
    pub(crate) desk: Desk,
    pub(crate) metrics: Metrics,
    pub(crate) anchoring: Anchoring,
    submit: Submit,
    holders: Semaphore,
    withdrawals: Arc<Semaphore>,
    /// When the database was asked last whether it is there, and whether it was.
    pinged: Mutex<Option<(Instant, bool)>>,
}

impl Gateway {
    pub(crate) fn new(desk: Desk, submit: Submit) -> Self {
        let (metrics, anchoring) = Default::default();
        let (holders, withdrawals) = (Semaphore::new(HOLDERS), Arc::new(Semaphore::new(WITHDRAWALS)));
        Self { desk, metrics, anchoring, submit, holders, withdrawals, pinged: Mutex::default() }
    }

    /// Whether the database answers; asked once a second at most, for all who want to know.
    async fn has_data(&self) -> bool {
        let mut pinged = self.pinged.lock().await;
        if let Some((_, answers)) = pinged.filter(|(at, _)| at.elapsed() < PING) {
            return answers;
        }
        let answers = self.desk.data.ping().await.is_ok();
        *pinged = Some((Instant::now(), answers));
        answers
    }
}

/// What departments are offered.
pub(crate) fn departments(gateway: &Arc<Gateway>) -> Router {
    let routes = departments::routes().merge(watched()).routes(routes!(metrics));
    let router = openapi::documented(routes, Arc::clone(gateway));
    guard::guarded(router, "departments", gateway.metrics.clone())
}

/// What holders and everybody else are offered, to pages from anywhere as well: nobody is known by a cookie here,
/// and what is asked is signed.
pub(crate) fn public(gateway: &Arc<Gateway>) -> Router {
    let router = openapi::documented(public::routes().merge(watched()), Arc::clone(gateway));
    let pages = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER]);
    guard::guarded(router, "public", gateway.metrics.clone()).layer(pages)
}

fn watched() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default().routes(routes!(healthz)).routes(routes!(readyz))
}

/// Says that the program runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = String)))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether accesses can be answered: the ledger was proven lately, receipts go there, and the database answers.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = String, description = "ready"),
    (status = 503, body = String, description = "why not")
))]
async fn readyz(State(gateway): State<Arc<Gateway>>) -> (StatusCode, &'static str) {
    let known = gateway.desk.register.freshness();
    if !known.is_ok_and(|known| known.is_fresh) {
        return (StatusCode::SERVICE_UNAVAILABLE, "nothing recent is known of the ledger\n");
    }
    if gateway.anchoring.is_late((gateway.desk.clock)()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "receipts cannot be anchored\n");
    }
    match gateway.has_data().await {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

/// Counters, as OpenMetrics.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String)))]
async fn metrics(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    let desk = &gateway.desk;
    let waiting = desk.journal.waiting().unwrap_or_default();
    let polled = desk.register.freshness().map_or(u64::MAX, |known| (desk.clock)().0.saturating_sub(known.polled.0));
    gateway.metrics.now(waiting, polled);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], gateway.metrics.text())
}
