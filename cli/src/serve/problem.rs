//! Problems: every answer that is not what was asked for, as RFC 9457 problem details.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Problem details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Names the kind of problem, for life.
    #[serde(rename = "type")]
    #[schema(example = "urn:fengni:problem:unauthorised")]
    kind: String,
    /// The kind of problem in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// This case.
    detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, name: &str, title: &'static str, detail: impl ToString) -> Self {
        // Messages of this program name the next step after a mark of their own.
        let detail = detail.to_string();
        let (detail, next) = match detail.split_once("; next: ") {
            Some((detail, next)) => (detail.to_owned(), Some(next.to_owned())),
            None => (detail, None),
        };
        Self { kind: format!("urn:fengni:problem:{name}"), title, status: status.as_u16(), detail, next }
    }

    /// No token, or another.
    pub(super) fn unauthorised() -> Self {
        let detail =
            "the token is missing or another; next: send Authorization: Bearer with the content of serve.token";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", "not authorised", detail)
    }

    /// The request cannot be read or names something that is not there.
    pub(super) fn bad_request(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "the request does not hold", detail)
    }

    /// Nothing at this address.
    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-address",
            "no such address",
            "there is nothing at this address; next: see /openapi.json",
        )
    }

    /// It could not run.
    pub(super) fn could_not_run(error: &anyhow::Error) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "could-not-run", "it could not run", format!("{error:#}"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
