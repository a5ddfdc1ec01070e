//! The verifier's pages: static files of one folder, under `/web/`. Rule N-22.
//!
//! Whoever serves a page chooses what it does: a verifier that trusts no gateway installs the
//! pages from its own department.

use std::path::Path;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Redirect, Response};
use axum::routing::get;
use tower_http::services::ServeDir;

/// Scripts, styles and data from this gateway alone, WebAssembly, pictures the page makes itself,
/// and the camera; nothing inline, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// The route of a folder of pages.
pub(crate) fn routes(folder: &Path) -> Router {
    let files = Router::new().fallback_service(ServeDir::new(folder)).layer(axum::middleware::map_response(harden));
    Router::new().route("/web", get(|| async { Redirect::permanent("/web/") })).nest("/web/", files)
}

async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(PERMISSIONS, HeaderValue::from_static("camera=(self), microphone=(), geolocation=()"));
    // A new version is seen at the next visit; the page keeps its own copy for the day without a network.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
