//! Trust packs: what a device needs to judge codes offline. Rules N-20 and N-21.
//!
//! A pack is computed anew for each question, from the state in memory and, for a delta, the seals
//! and acts since: at a named height it has the same bytes each time, so that a download that broke off goes on where it was.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use fengni_core::id::Division;
use fengni_core::limits::{PACK_BYTES, SUBSCRIPTION_ENTRIES};
use fengni_core::pack::{Basis, Subscription};
use fengni_core::{Height, TypeNumber};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Range};
use super::openapi::Problems;
use super::params::{Asked, AtHeight};
use super::problem::ApiError;
use super::reader::Reader;

/// The routes of packs.
pub(crate) fn routes() -> OpenApiRouter<Reader> {
    OpenApiRouter::default().routes(routes!(index)).routes(routes!(pack))
}

/// What there is to subscribe to.
#[derive(Serialize, ToSchema)]
struct IndexView {
    /// The height.
    height: u64,
    /// Each type and region that has a book.
    books: Vec<IndexRow>,
}

/// Books of one type and region.
#[derive(Serialize, ToSchema)]
struct IndexRow {
    /// Number of the type.
    certificate_type: u32,
    /// Name of the type.
    name: String,
    /// The region.
    division: String,
    /// How many books.
    books: u64,
    /// Lines in them.
    lines: u64,
    /// Lines that are not simply in force.
    exceptions: u64,
    /// About how many bytes their pages add to a full pack.
    bytes: u64,
}

/// What there is to subscribe to: each type and region with a book, and about how large it is.
#[utoipa::path(get, path = "/v1/packs/index", tag = "packs", params(AtHeight),
    responses((status = 200, body = IndexView), Problems))]
async fn index(State(reader): State<Reader>, Asked(asked): Asked<AtHeight>) -> Result<Answer, ApiError> {
    let named = asked.height.is_some();
    let job = move |_: &dyn super::Source, at: &super::FinalState| {
        let mut rows: BTreeMap<(TypeNumber, Division), IndexRow> = BTreeMap::new();
        for (_, book) in at.state.books() {
            let record = book.record();
            let Some(kind) = record.certificate_type() else { continue };
            let row = rows.entry((kind, record.division)).or_insert_with(|| IndexRow {
                certificate_type: kind.0,
                name: at.state.certificate_type(kind).map(|found| found.name.clone()).unwrap_or_default(),
                division: record.division.to_string(),
                books: 0,
                lines: 0,
                exceptions: 0,
                bytes: 0,
            });
            let exceptions: u64 = book.pages().map(|page| page.exceptions.len() as u64).sum();
            row.books += 1;
            row.lines += record.lines;
            row.exceptions += exceptions;
            row.bytes += record.pages.size * PAGE_BYTES + exceptions * EXCEPTION_BYTES + BOOK_BYTES;
        }
        let view = IndexView { height: at.header.height.0, books: rows.into_values().collect() };
        Ok(Answer::json(&view).lasting_if(named))
    };
    reader.answer(asked.height, job).await
}

/// A page in a pack: its root and an empty list of groups.
const PAGE_BYTES: u64 = 33;
/// An exception in a pack, with its share of the group's head.
const EXCEPTION_BYTES: u64 = 2;
/// A book in a pack: its record, number and the peaks of an open page.
const BOOK_BYTES: u64 = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Numbers of types, separated by commas; every type when left out.
    #[param(example = "0,2")]
    types: Option<String>,
    /// Regions, separated by commas; everywhere when left out.
    #[param(example = "37,3301")]
    regions: Option<String>,
    /// The height of the state that the reader has: for a delta.
    since: Option<u64>,
    /// With `since`: first four bytes of the digests of six registries, in hexadecimal.
    shelves: Option<String>,
    /// One of the newest 1,024 heights; the newest when left out. Needed to go on with a download.
    height: Option<u64>,
}

/// A trust pack, full or since a height. Answers part of it to a `range` of the form `bytes=N-`.
#[utoipa::path(get, path = "/v1/packs", tag = "packs", params(Wanted), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a trust pack"),
    (status = 206, body = Vec<u8>, content_type = "application/octet-stream", description = "the rest of one"),
    Problems,
))]
async fn pack(
    State(reader): State<Reader>,
    headers: HeaderMap,
    Asked(asked): Asked<Wanted>,
) -> Result<Answer, ApiError> {
    let subscription = Subscription::new(
        list(asked.types.as_deref(), "types", |text| text.parse().ok().map(TypeNumber))?,
        list(asked.regions.as_deref(), "regions", |text| Division::parse(text).ok())?,
    );
    let basis = match (asked.since, asked.shelves.as_deref()) {
        (None, None) => None,
        (Some(since), Some(shelves)) => Some(Basis::parse(Height(since), shelves).ok_or_else(|| bad("shelves"))?),
        _ => return Err(ApiError::Parameter { reason: "since and shelves go together".into() }),
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let range = Range::parse(text(header::RANGE), text(header::IF_RANGE));
    let named = asked.height.is_some();
    let job = move |source: &dyn super::Source, at: &super::FinalState| {
        if let Some(ahead) = basis.as_ref().map(|basis| basis.height).filter(|since| *since > at.header.height) {
            return Err(ApiError::HeightAhead { height: ahead, newest: at.header.height });
        }
        let bytes = source.pack(at, subscription, basis.as_ref()).encode();
        if bytes.len() > PACK_BYTES {
            return Err(ApiError::PackTooLarge { found: bytes.len() });
        }
        Ok(Answer::octets(bytes).lasting_if(named).part(range))
    };
    reader.answer(asked.height, job).await
}

fn bad(name: &str) -> ApiError {
    ApiError::Parameter { reason: format!("{name} cannot be read") }
}

fn list<T>(text: Option<&str>, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, ApiError> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    let list: Vec<T> = parts.map(|part| read(part).ok_or_else(|| bad(name))).collect::<Result<_, _>>()?;
    if list.len() > SUBSCRIPTION_ENTRIES {
        return Err(ApiError::Parameter { reason: format!("{name} holds more than {SUBSCRIPTION_ENTRIES}") });
    }
    Ok(list)
}
