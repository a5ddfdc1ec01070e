//! The relay: takes signed transactions, and says what became of them. Rules N-13 and N-14.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes as Body;
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest as _, Request, State};
use axum::http::{StatusCode, header};
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::limits::TRANSACTION_BYTES;
use fengni_core::transaction::{Transaction, TransactionId};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::answer::{Answer, OCTETS};
use super::health;
use super::limits::{BATCH_BYTES, BATCH_TRANSACTIONS, Limits};
use super::metrics::ApiMetrics;
use super::openapi::Problems;
use super::outcomes::{self, Known, Waiting, final_answer, look, pending_answer};
use super::params::{Asked, Nothing};
use super::problem::{ApiError, Problem};
use super::reader::Reader;
use super::source::{Submit, SubmitError};

/// What the relay's handlers have at hand.
#[derive(Clone)]
pub(crate) struct Relay {
    reader: Reader,
    submit: Arc<dyn Submit>,
    batches: Arc<Semaphore>,
    patience: Duration,
    metrics: ApiMetrics,
}

impl Relay {
    /// A relay with places to work of its own, so that readers never crowd out writers.
    pub(crate) fn new(reader: Reader, submit: Arc<dyn Submit>, limits: &Limits, metrics: ApiMetrics) -> Self {
        Self {
            reader,
            submit,
            batches: Arc::new(Semaphore::new(limits.batches)),
            patience: Duration::from_millis(limits.body_millis),
            metrics,
        }
    }
}

impl FromRef<Relay> for Reader {
    fn from_ref(relay: &Relay) -> Self {
        relay.reader.clone()
    }
}

/// The relay's routes.
pub(crate) fn routes() -> OpenApiRouter<Relay> {
    OpenApiRouter::default()
        .routes(routes!(submit).layer(DefaultBodyLimit::max(TRANSACTION_BYTES)))
        .routes(routes!(submit_batch).layer(DefaultBodyLimit::max(BATCH_BYTES)))
        .merge(outcomes::routes())
        .merge(health::routes())
}

/// Hands in one transaction. With `wait_millis`, answers with the outcome once it is final.
#[utoipa::path(post, path = "/v1/transactions", tag = "transactions", params(Waiting),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "an outcome proof"),
        (status = 202, body = outcomes::Pending, description = "accepted; it waits"),
        Problems,
    )
)]
async fn submit(
    State(relay): State<Relay>,
    Asked(waiting): Asked<Waiting>,
    request: Request,
) -> Result<Answer, ApiError> {
    let wait = waiting.time()?;
    let body = relay.body(request).await?;
    let running = relay.clone();
    let id = relay.reader.work.run(move || running.submit_one(body.into())).await??;
    if wait.is_zero() {
        return Ok(pending_answer(id));
    }
    // It is accepted by now: whatever happens while waiting, the caller learns that.
    match look(&relay.reader, id, wait).await {
        Ok(Known::Final(proof)) => Ok(final_answer(&proof)),
        _ => Ok(pending_answer(id)),
    }
}

/// What became of one transaction of a batch: accepted with its id, or refused with a problem.
#[derive(Serialize, ToSchema)]
struct Entry {
    /// The id of an accepted transaction, which waits now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<TransactionId>,
    /// Why it was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

impl From<Result<TransactionId, ApiError>> for Entry {
    fn from(submitted: Result<TransactionId, ApiError>) -> Self {
        match submitted {
            Ok(id) => Self { id: Some(id), error: None },
            Err(error) => Self { id: None, error: Some(error.details()) },
        }
    }
}

/// Hands in several transactions: the canonical encoding of a list of 1 to 256 byte strings.
#[utoipa::path(post, path = "/v1/transactions/batch", tag = "transactions",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Vec<Entry>, description = "one entry a transaction, in order"), Problems)
)]
async fn submit_batch(State(relay): State<Relay>, _: Asked<Nothing>, request: Request) -> Result<Answer, ApiError> {
    // Taken before the body is read: batches are what fills the memory.
    let batches = Arc::clone(&relay.batches);
    let place = batches.try_acquire_owned().map_err(|_| ApiError::Overloaded)?;
    let body = relay.body(request).await?;
    let running = relay.clone();
    let job = move || {
        let _place = place;
        let batch: Vec<Bytes> = codec::decode(&body, BATCH_BYTES).map_err(ApiError::Batch)?;
        if !(1..=BATCH_TRANSACTIONS).contains(&batch.len()) {
            return Err(ApiError::BatchSize { found: batch.len() });
        }
        let entries: Vec<Entry> = batch.into_iter().map(|bytes| running.submit_one(bytes.0).into()).collect();
        Ok(Answer::json(&entries))
    };
    relay.reader.work.run(job).await?
}

impl Relay {
    /// Reads a body: an octet stream, in full, in time.
    async fn body(&self, request: Request) -> Result<Body, ApiError> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let named = media.and_then(|media| media.split(';').next()).unwrap_or_default();
        // Asking for exactly this also keeps forms of foreign web pages out.
        if !named.trim().eq_ignore_ascii_case(OCTETS) {
            return Err(ApiError::MediaType);
        }
        let body = timeout(self.patience, Body::from_request(request, &())).await.map_err(|_| ApiError::BodyTimeout)?;
        body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::BodyTooLong,
            _ => ApiError::BodyBroken,
        })
    }

    /// Checks a transaction and adds it to the pool.
    fn submit_one(&self, bytes: Vec<u8>) -> Result<TransactionId, ApiError> {
        let kept = bytes.clone();
        let submitted = self.submit.submit(bytes);
        self.metrics.submission(match &submitted {
            Ok(_) => "accepted",
            Err(SubmitError::Invalid(_)) => "refused",
            Err(SubmitError::Full) => "full",
            Err(SubmitError::NotAccepting(_)) => "not-accepting",
        });
        submitted.map_err(|error| {
            let domain = self.reader.source.domain();
            let id = Transaction::decode(&kept).ok().map(|transaction| transaction.body.id(&domain));
            ApiError::of_submission(error, id)
        })
    }
}
