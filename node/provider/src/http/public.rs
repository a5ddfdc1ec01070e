//! Where holders and everybody else ask: batches, and receipts about a key. Rule I-27.

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use fengni_client::sharing::wire::{BatchLeaves, BatchView, Batches, HeldReceipt, HeldReceipts, Withdrawal, Withdrawn};
use fengni_client::submit::{Settlement, SubmitError, Unsettled};
use fengni_core::certificate::ClaimValue;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::record::Resource;
use fengni_core::sharing::{
    AccessRefusal, GrantLine, HolderQuestion, Person, ResultCode, SignedHolderQuestion, grant_commitment,
};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::body::Json;
use super::openapi::Problems;
use super::problem::Problem;
use crate::journal::{BatchRow, Journal, JournalError, Shown};
use crate::register::{RegisterTrouble, stands};

/// Batches in one list.
const BATCHES: usize = 64;
/// Receipts in one answer to a holder.
const RECEIPTS: usize = 256;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(batches))
        .routes(routes!(batch))
        .routes(routes!(mine))
        .routes(routes!(withdraw))
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
    let found = read(&gateway, move |journal| journal.batch_of(number)).await?;
    let (row, leaves) = found.ok_or(Problem::Unknown("batch"))?;
    Ok(Json(BatchLeaves { batch: view(&row), leaves }))
}

/// Reads the journal beside the threads that answer: a batch can be thousands of leaves and hashes.
async fn read<T: Send + 'static>(
    gateway: &Arc<Gateway>,
    what: impl FnOnce(&Journal) -> Result<T, JournalError> + Send + 'static,
) -> Result<T, Problem> {
    let gateway = Arc::clone(gateway);
    let read = spawn_blocking(move || what(&gateway.desk.journal)).await;
    Ok(read.map_err(|_| Problem::Fault)??)
}

fn view(row: &BatchRow) -> BatchView {
    BatchView { first: row.first, count: row.count, receipts: row.receipts, place: row.place }
}

/// Gives a holder the receipts about what a key of theirs signed, and with an identity those about
/// themselves, each with its way to the ledger.
#[utoipa::path(post, path = "/v1/mine", tag = "holders",
    request_body(content = Object, description = "a holder's signed question, I-16"),
    responses((status = 200, body = Object, description = "at most 256 receipts, I-27"), Problems)
)]
async fn mine(
    State(gateway): State<Arc<Gateway>>,
    Json(signed): Json<SignedHolderQuestion>,
) -> Result<Json<HeldReceipts>, Problem> {
    let _room = gateway.holders.try_acquire().map_err(|_| Problem::Overloaded)?;
    let owner = gateway.desk.journal.owner();
    signed.check(&owner.domain, owner.member, (gateway.desk.clock)())?;
    let question = &signed.question;
    let person = person(&gateway, question).await?;
    let subjects = person.as_ref().map(names).unwrap_or_default();
    let mut receipts: Vec<HeldReceipt> = Vec::new();
    let mut from = question.from;
    // One more than fits says that there are more; what is not this person's is no reason to say so.
    while receipts.len() <= RECEIPTS {
        let wanted = RECEIPTS + 1 - receipts.len();
        let (holder, names) = (question.holder, subjects.clone());
        let found = read(&gateway, move |journal| journal.receipts_of(&holder, &names, from, wanted)).await?;
        let is_last = found.len() < wanted;
        for shown in found {
            from = shown.receipt.receipt.number + 1;
            if is_about(&gateway, &shown, person.as_ref()).await? {
                let (path, place) = shown.anchor.unzip();
                receipts.push(HeldReceipt { receipt: shown.receipt, path, place });
            }
        }
        if is_last {
            break;
        }
    }
    let more = receipts.len() > RECEIPTS;
    receipts.truncate(RECEIPTS);
    Ok(Json(HeldReceipts { receipts, more }))
}

/// Whether a receipt that was found is the asker's: where a name alone led to it, whether its resource means
/// by that name whom the identity is of.
async fn is_about(gateway: &Gateway, shown: &Shown, person: Option<&Person>) -> Result<bool, Problem> {
    let Some((subject, person)) = shown.subject.as_ref().zip(person) else { return Ok(true) };
    // It is of no resource, which could mean somebody else by the name.
    if shown.receipt.receipt.result == ResultCode::Refused(AccessRefusal::RequestUnknown) {
        return Ok(true);
    }
    let resource = gateway.desk.register.record::<Resource>(shown.receipt.receipt.resource.0).await?;
    let subject = ClaimValue::new(subject).ok();
    Ok(resource.zip(subject).is_some_and(|(resource, subject)| person.is(resource.terms.subject, &subject)))
}

/// Whom a question's identity is proven to be of; none where it has none.
async fn person(gateway: &Gateway, question: &HolderQuestion) -> Result<Option<Person>, Problem> {
    let Some(identity) = &question.identity else { return Ok(None) };
    let desk = &gateway.desk;
    let proven = desk.register.glance(identity.place()).await?;
    let is_there = stands(&proven, identity.place()).map_err(RegisterTrouble::from)?;
    if !is_there || !desk.identities.take(identity, &proven).map_err(RegisterTrouble::from)? {
        return Err(Problem::Identity);
    }
    if !desk.register.freshness()?.is_fresh {
        return Err(RegisterTrouble::Stale.into());
    }
    let naming = desk.register.naming().await?;
    let person = identity.open(&desk.domain(), &proven, naming.as_deref(), (desk.clock)());
    let person = person.map_err(|_| Problem::Identity)?;
    Ok(Some(person))
}

/// What a resource may call somebody.
fn names(person: &Person) -> Vec<String> {
    let named = person.named.iter().map(|claim| claim.as_str().to_owned());
    named.chain([person.identifier.to_string()]).collect()
}

/// Brings a holder's withdrawal to the ledger, under this member's quota: the secret is the authority.
#[utoipa::path(post, path = "/v1/withdraw", tag = "holders",
    request_body(content = Object, description = "place, digest of the content and secret of a grant, Z-7"),
    responses((status = 200, body = Object, description = "the transaction, and the block that has it, I-27"), Problems)
)]
async fn withdraw(
    State(gateway): State<Arc<Gateway>>,
    Json(given): Json<Withdrawal>,
) -> Result<Json<Withdrawn>, Problem> {
    let Withdrawal { place, content, secret } = given;
    let desk = &gateway.desk;
    // Looked at first: what withdraws nothing is not to use up this member's quota.
    let room = gateway.holders.try_acquire().map_err(|_| Problem::Overloaded)?;
    let proven = desk.register.glance(place).await?;
    drop(room);
    let line = GrantLine::load(&proven, place, (desk.clock)()).map_err(RegisterTrouble::from)?;
    let commitment = grant_commitment(&desk.domain(), &content, &secret.0);
    let line = line.filter(|line| line.line.commitment == commitment).ok_or(Problem::OtherGrant)?;
    if line.is_withdrawn {
        return Err(Problem::Withdrawn);
    }
    let room = Arc::clone(&gateway.withdrawals).try_acquire_owned().map_err(|_| Problem::Overloaded)?;
    let (running, operation) = (Arc::clone(&gateway), Operation::WithdrawGrant { place, content, secret: secret.0 });
    let submitted = spawn_blocking(move || {
        let _room = room;
        (running.submit)(operation)
    });
    let submitted = submitted.await.map_err(|_| Problem::Fault)?;
    let settled = submitted.map_err(|error| not_withdrawn(trouble(&error)))?;
    match settled {
        Settlement::Done { id, height, .. } => Ok(Json(Withdrawn { transaction: id, height: Some(height) })),
        Settlement::Refused { refusal: Refusal::WrongState, .. } => Err(Problem::Withdrawn),
        Settlement::Refused { refusal, .. } => Err(not_withdrawn(refusal)),
        Settlement::Undecided { reason: Unsettled::Waiting, id } => {
            Ok(Json(Withdrawn { transaction: id, height: None }))
        }
        Settlement::Undecided { reason, .. } => Err(not_withdrawn(unsettled(&reason))),
    }
}

/// The reason is for the operator alone.
fn not_withdrawn(reason: impl Display) -> Problem {
    tracing::warn!(%reason, "a withdrawal was not brought to the ledger");
    Problem::NotWithdrawn
}

/// What kind of trouble: what nodes and relays say in words may repeat what was asked.
fn trouble(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref() {
        Some(SubmitError::Ledger(_)) => "the ledger gives no answer",
        Some(SubmitError::Sign(_)) => "the key does not sign",
        Some(SubmitError::Random(_)) => "there is no randomness",
        None => "the ledger cannot be asked",
    }
}

fn unsettled(reason: &Unsettled) -> &'static str {
    match reason {
        Unsettled::NotTaken(_) => "no relay took it",
        Unsettled::Waiting => "no block has it yet",
        Unsettled::Busy(_) => "the relay is busy",
        Unsettled::Declined(_) => "the relay does not take it",
        Unsettled::Late(_) => "no block takes it any more",
    }
}
