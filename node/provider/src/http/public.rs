//! Where holders and everybody else ask: batches, and receipts about a key. Rule I-27.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use fengni_client::sharing::wire::{BatchLeaves, BatchView, Batches, HeldReceipt, HeldReceipts};
use fengni_core::sharing::SignedHolderQuestion;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::body::Json;
use super::openapi::Problems;
use super::problem::Problem;
use crate::journal::{BatchRow, Shown};

/// Batches in one list.
const BATCHES: usize = 64;
/// Receipts in one answer to a holder.
const RECEIPTS: usize = 256;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default().routes(routes!(batches)).routes(routes!(batch)).routes(routes!(mine))
}

/// Which batches.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Before {
    /// Those that begin before this number of a receipt.
    before: Option<u64>,
}

/// Lists batches, newest first.
#[utoipa::path(get, path = "/v1/batches", tag = "batches", params(Before),
    responses((status = 200, body = Object, description = "at most 64 batches, I-27"), Problems)
)]
async fn batches(
    State(gateway): State<Arc<Gateway>>,
    before: Result<Query<Before>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Batches>, Problem> {
    let Query(Before { before }) = before.map_err(|_| Problem::Parameter)?;
    let rows = gateway.desk.journal.batches(before, BATCHES)?;
    Ok(Json(Batches { batches: rows.iter().map(view).collect() }))
}

/// Gives the batch in which a receipt is, by the receipt's number, with all its blinded leaves.
#[utoipa::path(get, path = "/v1/batches/{receipt}", tag = "batches",
    params(("receipt" = u64, Path, description = "number of any receipt of the batch")),
    responses((status = 200, body = Object, description = "the batch and its leaves, I-27"), Problems)
)]
async fn batch(
    State(gateway): State<Arc<Gateway>>,
    number: Result<Path<u64>, axum::extract::rejection::PathRejection>,
) -> Result<Json<BatchLeaves>, Problem> {
    let Path(number) = number.map_err(|_| Problem::Parameter)?;
    let (row, leaves) = gateway.desk.journal.batch_of(number)?.ok_or(Problem::Unknown("batch"))?;
    Ok(Json(BatchLeaves { batch: view(&row), leaves }))
}

fn view(row: &BatchRow) -> BatchView {
    BatchView { first: row.first, count: row.count, receipts: row.receipts, place: row.place }
}

/// Gives a holder the receipts about what a key of theirs signed, each with its way to the ledger.
#[utoipa::path(post, path = "/v1/mine", tag = "holders",
    request_body(content = Object, description = "a holder's signed question, I-16"),
    responses((status = 200, body = Object, description = "at most 256 receipts, I-27"), Problems)
)]
async fn mine(
    State(gateway): State<Arc<Gateway>>,
    Json(signed): Json<SignedHolderQuestion>,
) -> Result<Json<HeldReceipts>, Problem> {
    let journal = &gateway.desk.journal;
    let owner = journal.owner();
    signed.check(&owner.domain, owner.member, (gateway.desk.clock)())?;
    let question = &signed.question;
    let mut shown = journal.receipts_of(&question.holder, question.since, RECEIPTS + 1)?;
    let more = shown.len() > RECEIPTS;
    shown.truncate(RECEIPTS);
    let held = |Shown { receipt, anchor }| {
        let (path, place) = anchor.unzip();
        HeldReceipt { receipt, path, place }
    };
    Ok(Json(HeldReceipts { receipts: shown.into_iter().map(held).collect(), more }))
}
