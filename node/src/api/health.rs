//! Health: whether the process answers, and whether its answers are worth asking for. Rule N-19.

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::params::{Asked, Nothing};
use super::problem::ApiError;
use super::reader::Reader;
use super::source::{Readiness, Ready};

/// The health routes.
pub(crate) fn routes<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Reader: FromRef<S>,
{
    OpenApiRouter::default().routes(routes!(alive)).routes(routes!(ready))
}

/// The process answers.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// Always `alive`.
    status: &'static str,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Alive)))]
async fn alive(_: Asked<Nothing>) -> Answer {
    Answer::json(&Alive { status: "alive" })
}

/// Whether the node follows the network.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = Readiness, description = "the node follows the network"),
    (status = 503, body = Readiness, description = "it does not, and says why"),
))]
async fn ready(State(reader): State<Reader>, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    let readiness = reader.source.readiness();
    let status = match readiness.verdict {
        Ready::Ready => StatusCode::OK,
        Ready::NotReady { .. } => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok(Answer::json(&readiness).with_status(status).of(readiness.height))
}
