//! Events as they happen: a stream that goes on where it broke off. Rule N-31.
//!
//! Each subscriber pulls: a block is read when its events are wanted, so that one who reads slowly
//! costs a place and nothing else. A stream says what this node says; whoever must know follows
//! blocks and outcomes, which carry their proof.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event as Message, Sse};
use fengni_core::event::{Directory, Event, Filter, Position, block_events};
use fengni_core::{Block, Height};
use futures::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout_at};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::gateway::not_kept;
use super::openapi::Problems;
use super::params::Asked;
use super::problem::ApiError;
use super::reader::Reader;

/// How long a stream says nothing: below the time after which a quiet connection is closed.
const BEAT: Duration = Duration::from_secs(10);
/// Blocks without a wanted event after which a stream says how far it is.
const SILENT_BLOCKS: u64 = 256;
/// How long a stream waits for a place to work.
const BUSY: Duration = Duration::from_millis(100);

/// The routes of events.
pub(crate) fn routes() -> OpenApiRouter<Reader> {
    OpenApiRouter::default().routes(routes!(follow))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Position after which to begin, such as `4711.0.0`; `0.0.0` for all that is kept; from now on when
    /// left out. The header `last-event-id` says the same and goes first.
    since: Option<String>,
    /// Words such as `seal,suspend`.
    #[param(example = "seal,suspend")]
    kinds: Option<String>,
    /// Words such as `certificates,cases`: what readers follow together.
    #[param(example = "cases")]
    topics: Option<String>,
    /// Numbers of certificate types.
    types: Option<String>,
    /// Regions, each with those inside it.
    divisions: Option<String>,
    /// Numbers of books. Events of a wider scope name no book and are left out: orders about a type or a
    /// keeper, `lift-order` and `revoke-key`. Follow `kinds=order,lift-order,revoke-key,confirm` besides,
    /// without `books`, `lines`, `types` and `divisions`.
    books: Option<String>,
    /// Lines, as `BOOK/LINE`. Events of a wider scope name no line and are left out, as with `books`.
    lines: Option<String>,
    /// Numbers of members that acted.
    members: Option<String>,
    /// `true` for events that were refused as well.
    refused: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<Filter, ApiError> {
        let fields = [
            ("kinds", &self.kinds),
            ("topics", &self.topics),
            ("types", &self.types),
            ("divisions", &self.divisions),
            ("books", &self.books),
            ("lines", &self.lines),
            ("members", &self.members),
            ("refused", &self.refused),
        ];
        let named = fields.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        Filter::of(named).map_err(|error| ApiError::Parameter { reason: error.to_string() })
    }

    fn since(&self, headers: &HeaderMap) -> Result<Option<Position>, ApiError> {
        let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
        let text = last.or(self.since.as_deref());
        let read = text.map(str::parse).transpose();
        read.map_err(|error: &str| ApiError::Parameter { reason: error.to_owned() })
    }
}

/// Events as they happen, as server-sent events: `id` is the position, `event` the kind, `data` JSON.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(Wanted), responses(
    (status = 200, body = String, content_type = "text/event-stream", description = "one message an event"),
    Problems,
))]
async fn follow(
    State(reader): State<Reader>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, ApiError> {
    let filter = wanted.filter()?;
    let since = wanted.since(&headers)?;
    let at = reader.state_at(None)?;
    let newest = at.header.height;
    let since = since.unwrap_or(Position::after(newest));
    // The block of the position itself may hold more, unless it is wholly behind.
    let next = if since == Position::after(since.height) { since.height.next() } else { since.height };
    let next = next.max(Height(1));
    if since.height > newest {
        return Err(not_kept(&*reader.source, since.height, newest));
    }
    if next < reader.source.kept_from() {
        return Err(not_kept(&*reader.source, next, newest));
    }
    let seat = reader.work.subscriber().ok_or(ApiError::Overloaded)?;
    let directory = at.state.directory();
    let heights = reader.source.heights();
    let following = Following {
        reader,
        filter,
        since,
        next,
        heights,
        directory,
        ready: VecDeque::new(),
        silent: 0,
        beat: Instant::now(),
        _seat: seat,
    };
    Ok(Sse::new(following.stream()))
}

/// Where one subscriber is.
struct Following {
    reader: Reader,
    filter: Filter,
    /// Nothing up to here is sent.
    since: Position,
    /// The block to read next.
    next: Height,
    heights: watch::Receiver<Height>,
    directory: Directory,
    /// Events of the last block that are still to be sent.
    ready: VecDeque<Event>,
    /// Blocks read since anything was sent.
    silent: u64,
    /// When it is to speak at the latest; at once, so that whoever comes again knows where it began.
    beat: Instant,
    _seat: OwnedSemaphorePermit,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Result<Message, Infallible>> {
        stream::unfold(self, |mut following| async move {
            let message = following.message().await?;
            Some((Ok(message), following))
        })
    }

    /// The next message; `None` where the node stops, has dropped the block or found its store damaged.
    async fn message(&mut self) -> Option<Message> {
        loop {
            if self.reader.source.damage().is_some() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                (self.silent, self.beat) = (0, Instant::now() + BEAT);
                self.since = event.position;
                let message = Message::default().id(event.position.to_string()).event(event.kind.word());
                // An event is plain data: it has a JSON form.
                return message.json_data(&event).ok();
            }
            // Blocks without a wanted event come and go: the stream speaks all the same.
            if self.silent >= SILENT_BLOCKS || Instant::now() >= self.beat {
                return Some(self.progress());
            }
            if self.next > *self.heights.borrow_and_update() {
                let changed = tokio::select! {
                    _ = self.reader.stopped.wait_for(|stopped| *stopped) => return None,
                    changed = timeout_at(self.beat, self.heights.changed()) => changed,
                };
                match changed {
                    Ok(Ok(())) => continue,
                    Ok(Err(_)) => return None,
                    Err(_) => return Some(self.progress()),
                }
            }
            self.read().await?;
        }
    }

    /// Says how far the stream is, so that whoever comes again begins there; no event for a reader.
    fn progress(&mut self) -> Message {
        (self.silent, self.beat) = (0, Instant::now() + BEAT);
        let behind = Height(self.next.0.saturating_sub(1));
        self.since = self.since.max(Position::after(behind));
        Message::default().id(self.since.to_string()).comment(format!("height {behind}"))
    }

    /// Takes the events of the next block that are wanted.
    async fn read(&mut self) -> Option<()> {
        let (source, height) = (Arc::clone(&self.reader.source), self.next);
        let job = move || Some((source.block(height)?.0, source.outcomes(height)?, source.domain()));
        let (block, outcomes, domain) = match self.reader.work.run(job).await {
            Ok(found) => found?,
            Err(ApiError::Overloaded) => {
                sleep(BUSY).await;
                return Some(());
            }
            Err(_) => return None,
        };
        // What this node decided is bound by its header; what is not was damaged here.
        let block = Block::decode(&block).ok()?;
        let events = block_events(&domain, &block, &outcomes, &mut self.directory).ok()?;
        let wanted = |event: &Event| event.position > self.since && self.filter.matches(event);
        self.ready = events.into_iter().filter(wanted).collect();
        self.next = height.next();
        self.silent += 1;
        Some(())
    }
}
