//! Bodies: JSON in, JSON out.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

const MEDIA: [&str; 2] = ["application/json", "application/octet-stream"];

/// A body that was read as what the route takes.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let named = media.and_then(|media| media.split(';').next()).unwrap_or_default();
        // Asking for one of these keeps forms of foreign web pages out; the second is what our own
        // transport calls every body.
        if !MEDIA.iter().any(|media| named.trim().eq_ignore_ascii_case(media)) {
            return Err(Problem::MediaType);
        }
        let body = Bytes::from_request(request, state).await.map_err(|_| Problem::BodyLength)?;
        let wrong = |error: serde_json::Error| Problem::Body { line: error.line(), column: error.column() };
        Ok(Self(serde_json::from_slice(&body).map_err(wrong)?))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).expect("answers are plain data");
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
