//! What a reader's trust grows by: handovers of validators, and a checkpoint in the word of the
//! node's member. Rules N-23, N-24 and N-27.

use axum::extract::State;
use axum::http::HeaderMap;
use fengni_core::light::{Checkpoint, SignedCheckpoint};
use fengni_core::{Height, KeyNumber, MemberNumber, Signature, codec};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, OCTETS};
use super::openapi::Problems;
use super::params::{Asked, Nothing, accepts};
use super::problem::ApiError;
use super::reader::Reader;
use super::source::Source;
use crate::ledger::FinalState;

/// The routes of handovers and checkpoints.
pub(crate) fn routes() -> OpenApiRouter<Reader> {
    OpenApiRouter::default().routes(routes!(handovers)).routes(routes!(recoveries)).routes(routes!(checkpoint))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Above {
    /// Height of the last handover, or first block after a recovery, that the reader knows; 0 for none
    /// since the founding.
    since: u64,
}

/// Handovers of validators above a height, rising: the encoding of a list of them. None are left
/// where the list is empty; else there may be more above the last.
#[utoipa::path(get, path = "/v1/handovers", tag = "trust", params(Above), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a list of handovers"),
    Problems,
))]
async fn handovers(State(reader): State<Reader>, Asked(asked): Asked<Above>) -> Result<Answer, ApiError> {
    let since = Height(asked.since);
    let job = move |source: &dyn Source, at: &FinalState| {
        let newest = at.header.height;
        if since > newest {
            return Err(ApiError::HeightAhead { height: since, newest });
        }
        Ok(Answer::octets(codec::encode(&source.handovers(since))).current())
    };
    reader.answer(None, job).await
}

/// Recoveries whose first block is above a height, rising: the encoding of a list of them.
#[utoipa::path(get, path = "/v1/recoveries", tag = "trust", params(Above), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a list of recoveries"),
    Problems,
))]
async fn recoveries(State(reader): State<Reader>, Asked(asked): Asked<Above>) -> Result<Answer, ApiError> {
    let since = Height(asked.since);
    let job = move |source: &dyn Source, _: &FinalState| {
        Ok(Answer::octets(codec::encode(&source.recoveries(since))).current())
    };
    reader.answer(None, job).await
}

/// A checkpoint and the word of a member for it.
#[derive(Serialize, ToSchema)]
struct Vouched<'a> {
    /// Network, suite, height, time, block, validators that decide next, trusting period.
    #[schema(value_type = Object)]
    checkpoint: &'a Checkpoint,
    /// The member.
    #[schema(value_type = u32)]
    member: MemberNumber,
    /// Number of its key.
    #[schema(value_type = u16)]
    key: KeyNumber,
    /// Its signature.
    #[schema(value_type = String)]
    signature: Signature,
}

/// The checkpoint of the newest height, signed with the key that names this node on the network: as
/// JSON, or as its encoding.
#[utoipa::path(get, path = "/v1/checkpoint", tag = "trust", responses(
    (status = 200, content((Vouched = "application/json"), (Vec<u8> = "application/octet-stream"))),
    Problems,
))]
async fn checkpoint(State(reader): State<Reader>, headers: HeaderMap, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    let octets = accepts(&headers, OCTETS);
    let job = move |source: &dyn Source, at: &FinalState| {
        let signed = source.checkpoint(at).ok_or(ApiError::NoCheckpoint)?;
        let answer = if octets {
            Answer::octets(codec::encode(&signed))
        } else {
            let SignedCheckpoint { checkpoint, member, key, signature } = &signed;
            Answer::json(&Vouched { checkpoint, member: *member, key: *key, signature: *signature })
        };
        Ok(answer.varies().current())
    };
    reader.answer(None, job).await
}
