//! The guard at each listener's door: how many at a time, how long, what is counted.
//!
//! Counters and log name the route's template, never the address.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use fengni_core::limits::ACCESS_BYTES;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

use super::metrics::Metrics;
use super::problem::{Problem, ProblemName};
use crate::REQUESTS;

/// How long one may take: the ledger may have to be asked first.
const PATIENCE: Duration = Duration::from_secs(20);

struct Guard {
    listener: &'static str,
    requests: Semaphore,
    metrics: Metrics,
}

/// Puts the guard before a listener's routes.
pub(super) fn guarded(router: Router, listener: &'static str, metrics: Metrics) -> Router {
    let guard = Guard { listener, requests: Semaphore::new(REQUESTS), metrics };
    router
        .fallback(|| async { Problem::Route })
        .method_not_allowed_fallback(|| async { Problem::Method })
        // Nothing that is sent here is longer than an access (I-1).
        .layer(DefaultBodyLimit::max(ACCESS_BYTES))
        .layer(CatchPanicLayer::custom(fault))
        .layer(from_fn_with_state(Arc::new(guard), pass))
}

fn fault(_: Box<dyn Any + Send>) -> Response {
    // The message of a panic may hold what was asked for.
    Problem::Fault.into_response()
}

async fn pass(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    // Whoever looks after the gateway is answered even when everybody else is turned away.
    let watch = ["/healthz", "/readyz", "/metrics"].contains(&route);
    let room = if watch { None } else { Some(guard.requests.try_acquire()) };
    let mut response = match room {
        Some(Err(_)) => Problem::Overloaded.into_response(),
        _ => timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| Problem::Timeout.into_response()),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    guard.metrics.request(guard.listener, route, response.status().as_u16());
    let problem = response.extensions().get::<ProblemName>().copied();
    if let Some(ProblemName(problem)) = problem {
        guard.metrics.problem(problem);
    }
    tracing::debug!(listener = guard.listener, route, status = response.status().as_u16(), "answered");
    response
}
