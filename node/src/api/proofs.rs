//! Proofs: exactly the entries somebody asks for, at one height. Rules N-6 to N-9.
//!
//! ```text
//! places -> Source::prove -> StateProof -> canonical bytes, that a stranger verifies alone
//! ```

use axum::extract::State;
use fengni_core::id::CertificateId;
use fengni_core::limits::PROOF_BYTES;
use fengni_core::proof::Place;
use fengni_core::shelf::Shelf;
use fengni_core::{BookNumber, LineNumber, LinePlace, MemberNumber, PageNumber};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::limits::{LINE_WEIGHT, PLACES};
use super::openapi::Problems;
use super::params::{Asked, AtHeight, Named};
use super::problem::ApiError;
use super::reader::Reader;
use super::source::Source;
use crate::ledger::FinalState;

/// The routes that prove.
pub(crate) fn routes() -> OpenApiRouter<Reader> {
    OpenApiRouter::default()
        .routes(routes!(entries))
        .routes(routes!(line))
        .routes(routes!(identifier))
        .routes(routes!(history))
        .routes(routes!(page))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Entries {
    /// Places, separated by commas: `parameters/0`, `members/3`, `page/BOOK/PAGE`,
    /// `seal/BOOK/SEAL`, `act/BOOK/ACT`, `heads/BOOK/PAGE`, `line/BOOK/LINE`.
    #[param(example = "members/0,line/0/417")]
    places: String,
    /// One of the newest 1,024 heights; the newest when left out.
    height: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfLine {
    /// The book.
    book: u32,
    /// The line in it.
    line: u64,
    /// The member that verifies, so that recognition between it and the keeper is proven.
    verifier: Option<u32>,
    /// The identity service that the code names, so that its keys are proven.
    service: Option<u32>,
    /// One of the newest 1,024 heights; the newest when left out.
    height: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfIdentifier {
    /// The member that verifies, so that recognition between it and the keeper is proven.
    verifier: Option<u32>,
    /// One of the newest 1,024 heights; the newest when left out.
    height: Option<u64>,
}

/// Proves the entries at the places asked for.
#[utoipa::path(get, path = "/v1/proofs", tag = "proofs", params(Entries), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a state proof"),
    Problems,
))]
async fn entries(State(reader): State<Reader>, Asked(asked): Asked<Entries>) -> Result<Answer, ApiError> {
    let places = parse_places(&asked.places)?;
    let named = asked.height.is_some();
    reader.answer(asked.height, move |source, at| Ok(proof(source, at, places)?.lasting_if(named))).await
}

/// Rule N-6: the places of a question.
fn parse_places(text: &str) -> Result<Vec<Place>, ApiError> {
    let mut places = Vec::new();
    let mut weight = 0;
    for (text, number) in text.split(',').zip(1usize..) {
        let unreadable = || ApiError::Parameter { reason: format!("place {number} cannot be read") };
        let place = Place::parse(text).ok_or_else(unreadable)?;
        weight += if matches!(place, Place::Line(..)) { LINE_WEIGHT } else { 1 };
        if weight > PLACES {
            // Counting on costs little, and says by how much to split.
            continue;
        }
        places.push(place);
    }
    if weight > PLACES { Err(ApiError::TooManyPlaces { found: weight }) } else { Ok(places) }
}

/// Proves what a verifier needs to judge one line. A line beyond the book's count is proven absent.
#[utoipa::path(get, path = "/v1/proofs/line", tag = "proofs", params(OfLine), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a state proof"),
    Problems,
))]
async fn line(State(reader): State<Reader>, Asked(asked): Asked<OfLine>) -> Result<Answer, ApiError> {
    let place = LinePlace { book: BookNumber(asked.book), line: LineNumber(asked.line) };
    let verifier = asked.verifier.map(MemberNumber);
    let service = asked.service.map(MemberNumber);
    let named = asked.height.is_some();
    let job = move |source: &dyn Source, at: &FinalState| {
        let mut places = source.line_places(at, place, verifier);
        // A number that is nobody's is proven to be so by the size of the shelf.
        let service = service.filter(|member| at.state.member(*member).is_some());
        places.extend(service.map(|member| Place::Record(Shelf::Members, member.0)));
        let places = places.into_iter().collect();
        Ok(proof(source, at, places)?.lasting_if(named))
    };
    reader.answer(asked.height, job).await
}

/// Proves the recorded acts and standing of a typed identifier's line. Not found proves nothing.
#[utoipa::path(get, path = "/v1/proofs/identifier/{identifier}", tag = "proofs",
    params(("identifier" = String, Path, description = "a certificate identifier, GB/T 36904"), OfIdentifier),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a state proof"),
        Problems,
    )
)]
async fn identifier(
    State(reader): State<Reader>,
    Named(text): Named<String>,
    Asked(asked): Asked<OfIdentifier>,
) -> Result<Answer, ApiError> {
    let identifier = CertificateId::parse(&text).map_err(ApiError::Identifier)?;
    let verifier = asked.verifier.map(MemberNumber);
    // No cache keeps what was typed: the address holds the identifier.
    let job = move |source: &dyn Source, at: &FinalState| {
        let place = source.find_line(&identifier).filter(|place| stands(at, *place));
        let place = place.ok_or(ApiError::UnknownIdentifier)?;
        proof(source, at, source.line_places(at, place, verifier).into_iter().collect())
    };
    reader.answer(asked.height, job).await
}

/// Whether a line was there at a height: the index of tags is as of the newest.
fn stands(at: &FinalState, place: LinePlace) -> bool {
    at.state.book(place.book).is_some_and(|book| place.line.0 < book.record().lines)
}

/// Proves a line's whole history, and that of the lines that go on from it.
#[utoipa::path(get, path = "/v1/history/{book}/{line}", tag = "proofs",
    params(("book" = u32, Path, description = "the book"), ("line" = u64, Path, description = "the line"), AtHeight),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "a state proof"),
        Problems,
    )
)]
async fn history(
    State(reader): State<Reader>,
    Named((book, line)): Named<(u32, u64)>,
    Asked(asked): Asked<AtHeight>,
) -> Result<Answer, ApiError> {
    let place = LinePlace { book: BookNumber(book), line: LineNumber(line) };
    let named = asked.height.is_some();
    let job = move |source: &dyn Source, at: &FinalState| {
        if !stands(at, place) {
            return Err(ApiError::Unknown { what: "line" });
        }
        let places = source.history_places(at, place).into_iter().collect();
        Ok(proof(source, at, places)?.lasting_if(named))
    };
    reader.answer(asked.height, job).await
}

/// The lines of a page, 48 bytes each: compare their root with the page record.
#[utoipa::path(get, path = "/v1/pages/{book}/{page}", tag = "proofs",
    params(("book" = u32, Path, description = "the book"), ("page" = u64, Path, description = "the page"), AtHeight),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "48 bytes a line"),
        Problems,
    )
)]
async fn page(
    State(reader): State<Reader>,
    Named((book, page)): Named<(u32, u64)>,
    Asked(asked): Asked<AtHeight>,
) -> Result<Answer, ApiError> {
    let named = asked.height.is_some();
    let job = move |source: &dyn Source, at: &FinalState| {
        let lines = source.page_lines(at, BookNumber(book), PageNumber(page));
        Ok(Answer::octets(lines.ok_or(ApiError::Unknown { what: "page" })?).lasting_if(named))
    };
    reader.answer(asked.height, job).await
}

fn proof(source: &dyn Source, at: &FinalState, places: Vec<Place>) -> Result<Answer, ApiError> {
    let bytes = source.prove(at, places)?.encode();
    if bytes.len() > PROOF_BYTES {
        return Err(ApiError::ProofTooLarge { found: bytes.len() });
    }
    Ok(Answer::octets(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n6_places_weigh_at_most_4096() {
        let lines = |count: usize| vec!["line/0/1"; count].join(",");
        assert_eq!(parse_places(&lines(256)).map(|places| places.len()), Ok(256));
        assert_eq!(parse_places(&lines(257)), Err(ApiError::TooManyPlaces { found: 4112 }));
        let records = vec!["members/1"; 4096].join(",");
        assert_eq!(parse_places(&records).map(|places| places.len()), Ok(4096));
        assert_eq!(parse_places("members/1,,"), Err(ApiError::Parameter { reason: "place 2 cannot be read".into() }));
    }
}
