//! Answers: bytes with their height, their tag and how long they last.
//!
//! Rules N-4 (`fengni-height`) and N-17 (caching).

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fengni_core::{Height, Suite};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

/// The header that names the height an answer is of.
pub(crate) const HEIGHT: HeaderName = HeaderName::from_static("fengni-height");
/// The media type of canonical encodings.
pub(crate) const OCTETS: &str = "application/octet-stream";
/// The media type of views.
pub(crate) const JSON: &str = "application/json";

/// Bytes that leave in one piece; larger answers leave in pieces of this size.
const PIECE_BYTES: usize = 64 * 1024;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    tag: Option<String>,
    caching: &'static str,
    height: Option<Height>,
    varies: bool,
    location: Option<String>,
    room: Option<OwnedSemaphorePermit>,
    /// Where a part of an answer begins, and how large the whole is.
    part: Option<(usize, usize)>,
}

/// The rest of an answer, from a byte on, that a caller asks for after a download broke off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    from: usize,
    /// The tag of the answer that broke off.
    tag: Option<String>,
}

impl Range {
    /// From the `range` and `if-range` headers. Any other form than `bytes=N-` means the whole,
    /// as RFC 9110 section 14.2 allows.
    pub(crate) fn parse(range: Option<&str>, tag: Option<&str>) -> Option<Self> {
        let from = range?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()?;
        Some(Self { from, tag: tag.map(str::to_owned) })
    }
}

impl Answer {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            body: body.into(),
            tag: None,
            caching: "no-store",
            height: None,
            varies: false,
            location: None,
            room: None,
            part: None,
        }
    }

    /// A canonical encoding.
    pub(crate) fn octets(body: Vec<u8>) -> Self {
        Self::new(OCTETS, body)
    }

    /// A view.
    pub(crate) fn json(view: &impl Serialize) -> Self {
        Self::new(JSON, serde_json::to_vec(view).expect("views are plain data"))
    }

    /// A JSON text that is ready.
    pub(crate) fn text(text: Bytes) -> Self {
        Self::new(JSON, text)
    }

    /// An OpenMetrics text.
    pub(crate) fn openmetrics(text: String) -> Self {
        Self::new("application/openmetrics-text; version=1.0.0; charset=utf-8", text)
    }

    /// Another status than 200.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The height the answer is of.
    pub(crate) fn of(self, height: Height) -> Self {
        Self { height: Some(height), ..self }
    }

    /// The answer never changes.
    pub(crate) fn lasting(self) -> Self {
        self.tagged("public, max-age=31536000, immutable")
    }

    /// The answer is of this moment: a cache asks again, and is told when nothing changed.
    pub(crate) fn current(self) -> Self {
        self.tagged("no-cache")
    }

    /// Lasting when the caller named the height, else current.
    pub(crate) fn lasting_if(self, named: bool) -> Self {
        if named { self.lasting() } else { self.current() }
    }

    fn tagged(mut self, caching: &'static str) -> Self {
        let digest = Suite::Standard.hash(&[&self.body]);
        self.tag = Some(format!("\"{}\"", hex::encode(&digest.0[..16])));
        Self { caching, ..self }
    }

    /// The answer depends on the accept header.
    pub(crate) fn varies(self) -> Self {
        Self { varies: true, ..self }
    }

    /// Where to look for the outcome.
    pub(crate) fn at(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }

    /// The part asked for, where it is of this very answer; else the whole.
    pub(crate) fn part(mut self, range: Option<Range>) -> Self {
        let whole = self.body.len();
        let same = |range: &Range| range.tag.is_none() || range.tag == self.tag;
        if let Some(range) = range.filter(|range| same(range) && range.from < whole) {
            // A copy: the rest alone must not keep the whole in memory.
            self.body = Bytes::copy_from_slice(&self.body[range.from..]);
            self.status = StatusCode::PARTIAL_CONTENT;
            self.part = Some((range.from, whole));
        }
        self
    }

    /// Its size.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// Keeps its place in memory until it is sent.
    pub(crate) fn holding(self, room: Option<OwnedSemaphorePermit>) -> Self {
        Self { room, ..self }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let length = self.body.len();
        let body = match self.room {
            None => Body::from(self.body),
            Some(room) => {
                let pieces = futures::stream::unfold((self.body, room), |(mut rest, room)| async move {
                    let piece = rest.split_to(PIECE_BYTES.min(rest.len()));
                    (!piece.is_empty()).then_some((Ok::<_, std::convert::Infallible>(piece), (rest, room)))
                });
                Body::from_stream(pieces)
            }
        };
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.caching));
        if let Some((from, whole)) = self.part {
            let range = format!("bytes {from}-{}/{whole}", whole.saturating_sub(1));
            headers.insert(header::CONTENT_RANGE, HeaderValue::try_from(range).expect("digits"));
        }
        if let Some(height) = self.height {
            headers.insert(HEIGHT, height.0.into());
        }
        let text = |text: Option<String>| text.and_then(|text| HeaderValue::try_from(text).ok());
        if let Some(tag) = text(self.tag) {
            headers.insert(header::ETAG, tag);
        }
        if let Some(location) = text(self.location) {
            headers.insert(header::LOCATION, location);
        }
        if self.varies {
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
        }
        response
    }
}
