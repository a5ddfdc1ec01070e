//! The verifier's pages: static files of one folder, under `/web/`. Rule N-22.
//!
//! Whoever serves a page chooses what it does, and whom it believes to begin with: a department
//! that trusts no gateway serves the pages itself.

use std::path::Path;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Redirect, Response};
use axum::routing::get;
use fengni_core::Height;
use tower_http::services::ServeDir;

use super::answer::Answer;
use super::metrics::ApiMetrics;
use super::problem::ApiError;
use super::reader::Reader;

/// Scripts, styles and data from this gateway alone, WebAssembly, pictures the page makes itself,
/// and the camera; nothing inline, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'";
/// The page that asks providers' gateways, wherever these are; without TLS on this host alone.
const ASKS_OTHERS: &str = "/mine.html";
/// What it may connect to besides.
const OTHERS: &str = " https: http://127.0.0.1:* http://localhost:*";

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
/// What a browser wants an answer for.
const FETCH_FOR: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Heights back from the newest at which the pages' checkpoint stands, so that proofs of other nodes,
/// which may be a little behind, can be judged by it as well.
const HEIGHTS_BACK: u64 = 16;

/// The routes of a folder of pages.
pub(crate) fn routes(folder: &Path, reader: Reader, metrics: ApiMetrics) -> Router {
    let files = Router::new().fallback_service(ServeDir::new(folder)).layer(from_fn(police));
    let files = files.layer(from_fn_with_state(metrics, visit));
    Router::new()
        .route("/web", get(|| async { Redirect::permanent("/web/") }))
        .route("/web/checkpoint.json", get(checkpoint).layer(from_fn(police)))
        .with_state(reader)
        .nest("/web/", files)
}

/// Where the pages' trust begins: the validators of a moment ago.
async fn checkpoint(State(reader): State<Reader>) -> Result<Answer, ApiError> {
    let newest = reader.state_at(None)?;
    let back = Height(newest.header.height.0.saturating_sub(HEIGHTS_BACK).max(1));
    Ok(Answer::json(&reader.source.at(back).unwrap_or(newest).checkpoint()))
}

/// Rule N-32: counts a page that somebody opened. What a page fetches to keep for later says that it is for
/// no document.
async fn visit(State(metrics): State<ApiMetrics>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let page = path.ends_with('/') || path.ends_with(".html");
    let opened = request.headers().get(FETCH_FOR).is_none_or(|wanted| wanted == "document");
    let counts = request.method() == Method::GET && page && opened;
    let response = next.run(request).await;
    if counts && [StatusCode::OK, StatusCode::NOT_MODIFIED].contains(&response.status()) {
        metrics.visit();
    }
    response
}

async fn police(request: Request, next: Next) -> Response {
    let others = if request.uri().path().ends_with(ASKS_OTHERS) { OTHERS } else { "" };
    let policy = HeaderValue::from_str(&format!("{CONTENT_SECURITY_POLICY}{others}"));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.expect("a policy is ASCII"));
    headers.insert(PERMISSIONS, HeaderValue::from_static("camera=(self), microphone=(), geolocation=()"));
    // A new version is seen at the next visit; the page keeps its own copy for the day without a network.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
