//! The admin listener: what the operator watches, and backups. Nothing of the ledger can be changed
//! through it. Rules N-19, N-25, N-28 and N-32.

use std::sync::Arc;

use axum::extract::{FromRef, State};
use fengni_core::record::DoubleSigning;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::backups::{self, BackUp};
use super::checks;
use super::counted;
use super::health;
use super::metrics::Shown;
use super::openapi::Problems;
use super::params::{Asked, Nothing};
use super::problem::ApiError;
use super::reader::Reader;
use super::source::NodeStatus;
use crate::doctor::Finding;

/// What the admin handlers have at hand.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) reader: Reader,
    pub(crate) backups: Arc<dyn BackUp>,
    pub(crate) metrics: Arc<Shown>,
}

impl FromRef<Admin> for Reader {
    fn from_ref(admin: &Admin) -> Self {
        admin.reader.clone()
    }
}

/// The admin routes.
pub(crate) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::default()
        .routes(routes!(metrics))
        .routes(routes!(status))
        .routes(routes!(evidence))
        .routes(routes!(doctor))
        .merge(backups::routes())
        .merge(checks::routes())
        .merge(counted::routes())
        .merge(health::routes())
}

/// Every counter of the node, the consensus engine's included.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text", description = "OpenMetrics 1.0"),
    Problems,
))]
async fn metrics(State(admin): State<Admin>, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    let shown = Arc::clone(&admin.metrics);
    admin.reader.work.run(move || Answer::openmetrics(shown.text())).await
}

/// Where the node stands.
#[utoipa::path(get, path = "/v1/status", tag = "operation", responses((status = 200, body = NodeStatus), Problems))]
async fn status(State(admin): State<Admin>, _: Asked<Nothing>) -> Answer {
    let status = admin.reader.source.status();
    Answer::json(&status).of(status.height)
}

/// What this node can prove against validators.
#[derive(Serialize, ToSchema)]
struct Kept {
    /// Pairs of statements that exclude each other, the newest first, at most 64.
    #[schema(value_type = Vec<Object>)]
    evidence: Vec<DoubleSigning>,
}

/// Validators that signed twice, with both statements: for fengni offence report.
#[utoipa::path(get, path = "/v1/evidence", tag = "operation", responses((status = 200, body = Kept), Problems))]
async fn evidence(State(admin): State<Admin>, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    let source = Arc::clone(&admin.reader.source);
    admin.reader.work.run(move || Answer::json(&Kept { evidence: source.evidence() })).await
}

/// What the node found when it examined itself.
#[derive(Serialize, ToSchema)]
struct Examined {
    /// Each look, in the order in which they were taken.
    findings: Vec<Finding>,
}

/// The node examines itself: disk, keys, register, guard, ports, peers, clock, version, store.
#[utoipa::path(get, path = "/v1/doctor", tag = "operation", responses((status = 200, body = Examined), Problems))]
async fn doctor(State(admin): State<Admin>, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    let source = Arc::clone(&admin.reader.source);
    admin.reader.work.run(move || Answer::json(&Examined { findings: source.examine() })).await
}
