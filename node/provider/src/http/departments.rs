//! Where departments ask: accesses and countersignatures. Rules I-25 and I-26.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use fengni_client::sharing::wire::{Answered, Countersignature, Countersignatures};
use fengni_core::record::Member;
use fengni_core::sharing::{MemberSignature, Receipt, SignedAccess};
use serde::Serialize;
use tokio::task::block_in_place;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::body::Json;
use super::openapi::Problems;
use super::problem::Problem;
use crate::desk::DeskError;

/// Countersignatures at a time.
const SIGNATURES: usize = 256;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default().routes(routes!(access)).routes(routes!(countersign))
}

/// Answers a signed access: a receipt for each question, refused ones as well, and the sealed answers.
#[utoipa::path(post, path = "/v1/access", tag = "access",
    request_body(content = Object, description = "a signed access, I-8 and I-9"),
    responses((status = 200, body = Object, description = "receipts and the sealed answer, I-25"), Problems)
)]
async fn access(
    State(gateway): State<Arc<Gateway>>,
    Json(signed): Json<SignedAccess>,
) -> Result<Json<Answered>, Problem> {
    let begun = Instant::now();
    let written = gateway.desk.answer(&signed).await?;
    gateway.metrics.answered(&written.receipts, begun.elapsed());
    Ok(Json(Answered { receipts: written.receipts, answer: written.answer }))
}

/// How many signatures were taken.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// Of those that were sent; one of before stays.
    taken: usize,
}

/// A receipt, its requester as the ledger has it, and what is to be the requester's signature.
type Found = (Receipt, Option<Arc<Member>>, MemberSignature);

/// Takes requesters' signatures over receipts.
#[utoipa::path(post, path = "/v1/receipts/countersign", tag = "access",
    request_body(content = Object, description = "1 to 256 signatures with their receipts' numbers, I-26"),
    responses((status = 200, body = Taken, description = "all of them hold and are kept"), Problems)
)]
async fn countersign(
    State(gateway): State<Arc<Gateway>>,
    Json(given): Json<Countersignatures>,
) -> Result<Json<Taken>, Problem> {
    if given.signatures.is_empty() {
        return Err(Problem::TooFew);
    }
    if given.signatures.len() > SIGNATURES {
        return Err(Problem::TooMany(SIGNATURES));
    }
    let desk = &gateway.desk;
    let height = desk.register.freshness()?.height;
    let mut found: Vec<Found> = Vec::new();
    for Countersignature { number, signature } in given.signatures {
        let receipt = desk.journal.receipt(number)?.ok_or(Problem::Unknown("receipt"))?.receipt;
        let requester = desk.register.record::<Member>(receipt.requester.0).await?;
        found.push((receipt, requester, signature));
    }
    let domain = desk.domain();
    let is_countersigned = |(receipt, requester, signature): &Found| {
        let message = receipt.taken_message(&domain);
        requester.as_ref().is_some_and(|requester| signature.is_of(requester, height, &message))
    };
    // Hundreds of signatures: others are answered meanwhile.
    if let Some((receipt, ..)) = block_in_place(|| found.iter().find(|found| !is_countersigned(found))) {
        return Err(Problem::Countersignature(receipt.number));
    }
    let taken: Vec<_> = found.into_iter().map(|(receipt, _, signature)| (receipt.number, signature)).collect();
    let count = taken.len();
    desk.writer.countersign(taken).await.map_err(DeskError::from)?;
    gateway.metrics.countersigned(count);
    Ok(Json(Taken { taken: count }))
}
