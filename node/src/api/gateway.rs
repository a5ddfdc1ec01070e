//! The gateway: reads for everybody, and nothing else. Rules N-2 and N-4 to N-12.

use axum::extract::State;
use axum::http::HeaderMap;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Block, CommitCertificate, Header, Height, Suite};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, JSON, OCTETS};
use super::openapi::Problems;
use super::params::{Asked, Named, Nothing, accepts};
use super::problem::ApiError;
use super::reader::{Reader, absent};
use super::source::Source;
use super::{events, health, outcomes, packs, proofs, trust, views};

/// The gateway's routes.
pub(crate) fn routes() -> OpenApiRouter<Reader> {
    OpenApiRouter::default()
        .routes(routes!(network))
        .routes(routes!(genesis))
        .routes(routes!(latest_header))
        .routes(routes!(header))
        .routes(routes!(block))
        .routes(routes!(block_outcomes))
        .merge(events::routes())
        .merge(proofs::routes())
        .merge(outcomes::routes())
        .merge(packs::routes())
        .merge(trust::routes())
        .merge(views::routes())
        .merge(health::routes())
}

/// Which network this is, and where it stands.
#[derive(Serialize, ToSchema)]
struct NetworkView {
    /// Identity of the network: the digest of its founding document.
    network: String,
    /// Its name.
    name: String,
    /// Number of the suite of algorithms.
    suite: u8,
    /// Newest final height; 0 before the first block.
    height: u64,
    /// Its time, in milliseconds since 1970.
    time: Option<u64>,
    /// State root after it.
    state_root: Option<String>,
    /// The oldest height whose block and outcomes are kept here; 1 on an archive.
    kept_from: u64,
}

/// Which network this is, and where it stands.
#[utoipa::path(get, path = "/v1/network", tag = "network", responses((status = 200, body = NetworkView), Problems))]
async fn network(State(reader): State<Reader>, _: Asked<Nothing>) -> Answer {
    let domain = reader.source.domain();
    let latest = reader.source.latest();
    let header = latest.as_ref().map(|at| &at.header);
    let view = NetworkView {
        network: domain.network.to_string(),
        name: reader.source.network_name().to_owned(),
        suite: Suite::number(domain.suite),
        height: header.map_or(0, |header| header.height.0),
        time: header.map(|header| header.time.0),
        state_root: header.map(|header| header.state_root.to_string()),
        kept_from: reader.source.kept_from().0,
    };
    Answer::json(&view).of(Height(view.height)).current()
}

/// The founding document, whose digest names the network.
#[utoipa::path(get, path = "/v1/genesis", tag = "network", responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "canonical bytes"),
    Problems,
))]
async fn genesis(State(reader): State<Reader>, _: Asked<Nothing>) -> Result<Answer, ApiError> {
    let source = reader.source.clone();
    reader.work.answer(move || Ok(Answer::octets(source.genesis().to_vec()).lasting())).await
}

/// A header and what makes it final.
#[derive(Serialize, ToSchema)]
struct FinalHeader<'a> {
    /// The header.
    #[schema(value_type = Object)]
    header: &'a Header,
    /// Its commit certificate. Certificates differ between nodes.
    #[schema(value_type = Object)]
    certificate: &'a CommitCertificate,
}

fn header_answer(headers: &HeaderMap, header: &Header, certificate: &CommitCertificate) -> Answer {
    let answer = if accepts(headers, OCTETS) {
        Answer::octets(codec::encode(&(header, certificate)))
    } else {
        Answer::json(&FinalHeader { header, certificate })
    };
    answer.of(header.height).varies()
}

/// The newest final header, as JSON, or as the encoding of (header, certificate).
#[utoipa::path(get, path = "/v1/headers/latest", tag = "blocks", responses(
    (status = 200, content((FinalHeader = "application/json"), (Vec<u8> = "application/octet-stream"))),
    Problems,
))]
async fn latest_header(
    State(reader): State<Reader>,
    headers: HeaderMap,
    _: Asked<Nothing>,
) -> Result<Answer, ApiError> {
    let at = reader.state_at(None)?;
    Ok(header_answer(&headers, &at.header, &at.certificate).current())
}

/// The header of a height, as JSON, or as the encoding of (header, certificate).
#[utoipa::path(get, path = "/v1/headers/{height}", tag = "blocks",
    params(("height" = u64, Path, description = "any final height, from 1")),
    responses(
        (status = 200, content((FinalHeader = "application/json"), (Vec<u8> = "application/octet-stream"))),
        Problems,
    )
)]
async fn header(
    State(reader): State<Reader>,
    Named(height): Named<u64>,
    headers: HeaderMap,
    _: Asked<Nothing>,
) -> Result<Answer, ApiError> {
    if let Some(at) = reader.source.at(Height(height)) {
        return Ok(header_answer(&headers, &at.header, &at.certificate).lasting());
    }
    let source = reader.source.clone();
    let newest = reader.state_at(None)?.header.height;
    let job = move || {
        let found = source.final_header(Height(height));
        let (header, certificate) = found.ok_or_else(|| not_kept(&*source, Height(height), newest))?;
        Ok(header_answer(&headers, &header, &certificate).lasting())
    };
    reader.work.answer(job).await
}

/// A block for people: what it holds is only named.
#[derive(Serialize, ToSchema)]
struct BlockView {
    /// The header.
    #[schema(value_type = Object)]
    header: Header,
    /// Ids of its transactions, in order.
    #[schema(value_type = Vec<String>)]
    transactions: Vec<TransactionId>,
}

/// A block: the encoding of (block bytes, certificate), or a JSON view that proves nothing.
#[utoipa::path(get, path = "/v1/blocks/{height}", tag = "blocks",
    params(("height" = u64, Path, description = "a final height, from the oldest that the node keeps")),
    responses(
        (status = 200, content((Vec<u8> = "application/octet-stream"), (BlockView = "application/json"))),
        Problems,
    )
)]
async fn block(
    State(reader): State<Reader>,
    Named(height): Named<u64>,
    headers: HeaderMap,
    _: Asked<Nothing>,
) -> Result<Answer, ApiError> {
    of_block(&reader, Height(height), Source::block, move |(body, certificate)| {
        let answer = if accepts(&headers, JSON) {
            Answer::json(&block_view(&body)?)
        } else {
            Answer::octets(codec::encode(&(Bytes(body), certificate)))
        };
        Ok(answer.varies())
    })
    .await
}

/// What became of a block's transactions, in order: the encoding of the list of outcomes. The header
/// binds the whole list.
#[utoipa::path(get, path = "/v1/blocks/{height}/outcomes", tag = "blocks",
    params(("height" = u64, Path, description = "a final height, from the oldest that the node keeps")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a list of outcomes"),
        Problems,
    )
)]
async fn block_outcomes(
    State(reader): State<Reader>,
    Named(height): Named<u64>,
    _: Asked<Nothing>,
) -> Result<Answer, ApiError> {
    of_block(&reader, Height(height), Source::outcomes, |outcomes| Ok(Answer::octets(codec::encode(&outcomes)))).await
}

/// Answers with what is kept of a final block, which never changes.
async fn of_block<T>(
    reader: &Reader,
    height: Height,
    find: impl FnOnce(&dyn Source, Height) -> Option<T> + Send + 'static,
    answer: impl FnOnce(T) -> Result<Answer, ApiError> + Send + 'static,
) -> Result<Answer, ApiError> {
    let newest = reader.state_at(None)?.header.height;
    let source = reader.source.clone();
    let job = move || {
        let found = find(&*source, height).ok_or_else(|| not_kept(&*source, height, newest))?;
        Ok(answer(found)?.of(height).lasting())
    };
    reader.work.answer(job).await
}

/// Why there is no block at a height: not yet, or not any more.
pub(super) fn not_kept(source: &dyn Source, height: Height, newest: Height) -> ApiError {
    let kept_from = source.kept_from();
    if (1..kept_from.0).contains(&height.0) {
        return ApiError::BlockGone { height, kept_from };
    }
    absent(height, newest)
}

fn block_view(body: &[u8]) -> Result<BlockView, ApiError> {
    // A final block was checked before it was voted on: what cannot be read here was damaged here.
    let block = Block::decode(body).map_err(|_| ApiError::Fault)?;
    let domain = block.header.domain();
    let ids: Result<_, _> = block
        .transactions
        .iter()
        .map(|bytes| Transaction::decode(&bytes.0).map(|transaction| transaction.body.id(&domain)))
        .collect();
    Ok(BlockView { header: block.header, transactions: ids.map_err(|_| ApiError::Fault)? })
}
