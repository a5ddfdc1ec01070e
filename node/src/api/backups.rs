//! Backups: the one thing that the operator's listener does. Rule N-25.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::admin::Admin;
use super::answer::{Answer, JSON};
use super::openapi::Problems;
use super::params::{Asked, Nothing};
use super::problem::ApiError;
use crate::backup::{BackupError, Backups, Manifest};

/// Bytes of a question.
const QUESTION_BYTES: usize = 1024;

/// Where the admin listener has backups written.
pub trait BackUp: Send + Sync + 'static {
    /// Writes a backup under a plain name, below the node's folder of backups.
    ///
    /// # Errors
    /// [`BackupError`].
    fn back_up(&self, name: &str) -> Result<Manifest, BackupError>;
}

impl BackUp for Backups {
    fn back_up(&self, name: &str) -> Result<Manifest, BackupError> {
        self.write(name)
    }
}

/// The route of backups.
pub(crate) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::default().routes(routes!(back_up).layer(DefaultBodyLimit::max(QUESTION_BYTES)))
}

/// Which backup.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Name of the folder below `data/backups`: letters, digits, `-`, `_`, and `.` between them.
    #[schema(example = "2026-11-22")]
    folder: String,
}

/// Refuses what a foreign web page could send without being asked first, and refused: it cannot send this
/// media type.
///
/// # Errors
/// [`ApiError::Parameter`].
pub(crate) fn refuse_pages(headers: &HeaderMap) -> Result<(), ApiError> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    if media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(JSON) {
        return Ok(());
    }
    Err(ApiError::Parameter { reason: "the body is sent as application/json".into() })
}

/// Writes a backup of the running node into a folder below its `data/backups`.
#[utoipa::path(post, path = "/v1/backups", tag = "operation",
    request_body(content = Wanted, content_type = "application/json"),
    responses((status = 201, body = Manifest, description = "the backup is whole"), Problems)
)]
async fn back_up(
    State(admin): State<Admin>,
    headers: HeaderMap,
    _: Asked<Nothing>,
    body: axum::body::Bytes,
) -> Result<Answer, ApiError> {
    refuse_pages(&headers)?;
    let wanted: Wanted =
        serde_json::from_slice(&body).map_err(|error| ApiError::Parameter { reason: error.to_string() })?;
    let backups = Arc::clone(&admin.backups);
    let written = admin.reader.work.run(move || backups.back_up(&wanted.folder)).await?;
    let manifest = written.map_err(|error| match error {
        BackupError::Name | BackupError::Exists(_) | BackupError::Busy | BackupError::Empty => {
            // Folders of this machine are the operator's to know, and nobody else's.
            ApiError::Backup { reason: error.to_string() }
        }
        broken => {
            tracing::error!(error = %broken, "a backup was not written");
            ApiError::Fault
        }
    })?;
    Ok(Answer::json(&manifest).with_status(StatusCode::CREATED).of(manifest.height))
}
