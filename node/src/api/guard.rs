//! The guard at each listener's door: methods, lengths, room, time, faults, counters and the log.
//!
//! The log and the counters name the route's template, never the address: it may hold an
//! identifier (rule N-18).

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

use super::limits::{Limits, URL_BYTES};
use super::metrics::ApiMetrics;
use super::problem::{ApiError, ProblemName};

/// What a listener lets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verbs {
    /// GET and HEAD, at any address.
    ReadOnly,
    /// Whatever the routes offer.
    AsRouted,
}

struct Guard {
    listener: &'static str,
    verbs: Verbs,
    requests: Semaphore,
    patience: Duration,
    metrics: ApiMetrics,
}

/// Puts the guard before a listener's routes.
pub(crate) fn guarded(
    router: Router,
    listener: &'static str,
    verbs: Verbs,
    limits: &Limits,
    metrics: ApiMetrics,
) -> Router {
    let guard = Guard {
        listener,
        verbs,
        requests: Semaphore::new(limits.requests),
        patience: Duration::from_millis(limits.request_millis),
        metrics,
    };
    let allow = if verbs == Verbs::ReadOnly { READ_ONLY } else { "GET, HEAD, POST" };
    router
        .fallback(|| async { ApiError::Route })
        .method_not_allowed_fallback(move || async move { ApiError::Method { allow } })
        .layer(CatchPanicLayer::custom(fault))
        .layer(from_fn_with_state(Arc::new(guard), pass))
}

const READ_ONLY: &str = "GET, HEAD";

fn fault(_: Box<dyn Any + Send>) -> Response<Body> {
    // The message of a panic may hold what was asked for: the panic hook decides what is shown.
    tracing::error!("a handler of the HTTP side panicked");
    ApiError::Fault.into_response()
}

async fn pass(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let known: Option<HeaderValue> = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = guard.admit(route, request, next).await.unwrap_or_else(IntoResponse::into_response);
    let mut response = unchanged(response, known.as_ref());
    harden(response.headers_mut(), guard.verbs);
    let (status, taken) = (response.status(), started.elapsed());
    guard.metrics.request(guard.listener, route, status.as_u16(), taken);
    let problem = response.extensions().get::<ProblemName>().map(|name| name.0);
    if let Some(problem) = problem {
        guard.metrics.problem(guard.listener, problem);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        guard.metrics.refused(guard.listener, problem.unwrap_or("not-ready"));
    }
    tracing::debug!(
        listener = guard.listener,
        %method,
        route,
        status = status.as_u16(),
        problem,
        micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

impl Guard {
    async fn admit(&self, route: &str, request: Request, next: Next) -> Result<Response, ApiError> {
        if self.verbs == Verbs::ReadOnly && ![Method::GET, Method::HEAD].contains(request.method()) {
            return Err(ApiError::Method { allow: READ_ONLY });
        }
        if request.uri().path_and_query().is_some_and(|asked| asked.as_str().len() > URL_BYTES) {
            return Err(ApiError::UrlTooLong);
        }
        // Whoever looks after the node is answered even when everybody else is turned away.
        let watch = ["/healthz", "/readyz", "/metrics", "/v1/status"].contains(&route);
        let _room = if watch { None } else { Some(self.requests.try_acquire().map_err(|_| ApiError::Overloaded)?) };
        timeout(self.patience, next.run(request)).await.map_err(|_| ApiError::Timeout)
    }
}

/// Rule N-17: 304 when the caller has the same answer already.
fn unchanged(mut response: Response, known: Option<&HeaderValue>) -> Response {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let known = known.and_then(|known| known.to_str().ok()).unwrap_or_default();
    let same = response.status() == StatusCode::OK
        && tag.is_some_and(|tag| known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

fn harden(headers: &mut HeaderMap, verbs: Verbs) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if verbs == Verbs::ReadOnly {
        // Public bytes, no cookies: a verifier's web page may come from anywhere.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let shown = HeaderValue::from_static("fengni-height, etag, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
    }
}
