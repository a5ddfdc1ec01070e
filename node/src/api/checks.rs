//! A look at the node's own store, on demand, and what a damaged one means for readers. Rule N-28.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::Admin;
use super::answer::Answer;
use super::backups::refuse_pages;
use super::openapi::Problems;
use super::params::{Asked, Nothing};
use super::problem::ApiError;
use super::source::Source;
use crate::selfcheck::Checking;

/// What is answered whatever the store is like: it says nothing of the ledger.
const HEALTH: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];

/// The routes of checks.
pub(crate) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::default().routes(routes!(begin, checked))
}

/// Begins to look at every entry of the store, beside the node's work.
#[utoipa::path(post, path = "/v1/check", tag = "operation",
    responses((status = 202, body = Checking, description = "the check is under way"), Problems)
)]
async fn begin(State(admin): State<Admin>, headers: HeaderMap, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    refuse_pages(&headers)?;
    admin.reader.source.begin_check().map_err(|error| ApiError::Check { reason: error.to_string() })?;
    Ok(Answer::json(&admin.reader.source.checked()).with_status(StatusCode::ACCEPTED))
}

/// How far the last check of the store is, and what it found.
#[utoipa::path(get, path = "/v1/check", tag = "operation", responses((status = 200, body = Checking), Problems))]
async fn checked(State(admin): State<Admin>, _: Asked<Nothing>) -> Answer {
    Answer::json(&admin.reader.source.checked())
}

/// Routes that answer only as long as the store is not known to be damaged.
pub(crate) fn sound_only(routes: Router, source: Arc<dyn Source>) -> Router {
    routes.layer(from_fn_with_state(source, pass))
}

async fn pass(State(source): State<Arc<dyn Source>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if source.damage().is_some() && route.is_none_or(|route| !HEALTH.contains(&route)) {
        return ApiError::Damaged.into_response();
    }
    next.run(request).await
}
