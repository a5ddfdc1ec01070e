//! Outcomes: what became of a transaction, now or as soon as it is known. Rule N-11.

use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use fengni_core::Digest;
use fengni_core::proof::OutcomeProof;
use fengni_core::transaction::TransactionId;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::limits::WAIT_MILLIS;
use super::openapi::Problems;
use super::params::{Asked, Named};
use super::problem::ApiError;
use super::reader::Reader;

/// The route of outcomes, on the gateway and on the relay.
pub(crate) fn routes<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Reader: FromRef<S>,
{
    OpenApiRouter::default().routes(routes!(outcome))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    /// How long to wait for the outcome, in milliseconds, at most 10,000.
    wait_millis: Option<u64>,
}

impl Waiting {
    /// How long to wait.
    ///
    /// # Errors
    /// [`ApiError::Parameter`] above 10,000.
    pub(crate) fn time(&self) -> Result<Duration, ApiError> {
        match self.wait_millis.unwrap_or(0) {
            millis @ 0..=WAIT_MILLIS => Ok(Duration::from_millis(millis)),
            _ => Err(ApiError::Parameter { reason: format!("wait_millis is above {WAIT_MILLIS}") }),
        }
    }
}

/// A transaction that is not final yet.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pending {
    /// Its id.
    #[schema(value_type = String)]
    id: TransactionId,
    /// Always `pending`.
    status: &'static str,
}

/// What is known of a transaction.
pub(crate) enum Known {
    /// It is in a final block.
    Final(Box<OutcomeProof>),
    /// It waits in the pool.
    Pending,
    /// Neither.
    Unknown,
}

/// What became of a transaction.
#[utoipa::path(get, path = "/v1/transactions/{id}", tag = "transactions",
    params(("id" = String, Path, description = "64 hexadecimal digits"), Waiting),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "an outcome proof"),
        (status = 202, body = Pending, description = "it waits"),
        Problems,
    )
)]
async fn outcome(
    State(reader): State<Reader>,
    Named(id): Named<String>,
    Asked(waiting): Asked<Waiting>,
) -> Result<Answer, ApiError> {
    let digest = Digest::from_hex(&id);
    let digest = digest.ok_or_else(|| ApiError::Parameter { reason: "an id has 64 hexadecimal digits".into() })?;
    let id = TransactionId(digest);
    match look(&reader, id, waiting.time()?).await? {
        Known::Final(proof) => Ok(final_answer(&proof)),
        Known::Pending => Ok(pending_answer(id)),
        Known::Unknown => Err(ApiError::UnknownTransaction { kept_from: reader.source.kept_from() }),
    }
}

/// The outcome with its proof, which never changes.
pub(crate) fn final_answer(proof: &OutcomeProof) -> Answer {
    Answer::octets(proof.encode()).of(proof.header.height).lasting()
}

/// The transaction waits: where to ask again.
pub(crate) fn pending_answer(id: TransactionId) -> Answer {
    let pending = Pending { id, status: "pending" };
    Answer::json(&pending).with_status(StatusCode::ACCEPTED).at(format!("/v1/transactions/{id}"))
}

/// Looks for a transaction until it is final or the time is over.
///
/// A transaction nobody here knows may be on its way from another node, so it is waited for too.
///
/// # Errors
/// [`ApiError::Overloaded`] before the first look only: a caller who waits is never turned away.
pub(crate) async fn look(reader: &Reader, id: TransactionId, wait: Duration) -> Result<Known, ApiError> {
    let deadline = Instant::now() + wait;
    // Subscribed before the first look, so that no height slips between looking and waiting.
    let mut heights = reader.source.heights();
    heights.mark_unchanged();
    let mut known = look_once(reader, id).await?;
    let Some(_seat) = (!wait.is_zero()).then(|| reader.work.seat()).flatten() else { return Ok(known) };
    while !matches!(known, Known::Final(_)) {
        // An error says that time is over, or that the node stops: what is known is the answer.
        let Ok(Ok(())) = timeout_at(deadline, heights.changed()).await else { break };
        known = look_once(reader, id).await.unwrap_or(known);
    }
    Ok(known)
}

async fn look_once(reader: &Reader, id: TransactionId) -> Result<Known, ApiError> {
    // The pool first: a transaction leaves it only when its outcome can be read.
    let pending = reader.source.is_pending(&id);
    let source = reader.source.clone();
    let outcome = reader.work.run(move || source.outcome(&id)).await?;
    Ok(match outcome {
        Some(proof) => Known::Final(Box::new(proof)),
        None if pending => Known::Pending,
        None => Known::Unknown,
    })
}
