//! Events as they happen, read as a subscriber would: rule N-31.

use std::sync::atomic::Ordering;
use std::time::Duration;

use fengni_core::event::{Directory, Event, Position, block_events};
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::outcome::Outcome;
use fengni_core::{Block, BookNumber, Height, LineNumber, LinePlace, codec};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::timeout;

use super::client::{Node, request};
use super::double::Double;
use crate::api::{Limits, Source as _};

const LINE: LinePlace = LinePlace { book: BookNumber(0), line: LineNumber(0) };
/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that is open.
struct Subscriber {
    lines: Lines<BufReader<OwnedReadHalf>>,
    _write: tokio::net::tcp::OwnedWriteHalf,
}

impl Subscriber {
    async fn open(node: &Node, query: &str, last: Option<&str>) -> Self {
        let (read, mut write) = TcpStream::connect(node.gateway).await.expect("it listens").into_split();
        let headers: Vec<_> = last.iter().map(|last| ("last-event-id", *last)).collect();
        let asked = request("GET", &format!("/v1/events{query}"), &headers, &[]);
        write.write_all(&asked).await.expect("it takes a request");
        let mut lines = BufReader::new(read).lines();
        let status = lines.next_line().await.expect("an answer").expect("a status");
        assert!(status.contains(" 200 "), "{status}");
        Self { lines, _write: write }
    }

    /// The value of the next field of that name; `None` at the end of the stream.
    async fn field(&mut self, name: &str) -> Option<String> {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time").ok()??;
            if let Some(value) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")) {
                return Some(value.to_owned());
            }
        }
    }

    /// The next event, with its id.
    async fn next(&mut self) -> Option<(String, Event)> {
        let data = self.field("data").await?;
        let event: Event = serde_json::from_str(&data).expect("an event");
        Some((event.position.to_string(), event))
    }
}

/// What the double's blocks did, by their own bytes.
fn all(node: &Node) -> Vec<Event> {
    let (domain, mut directory) = (node.double.domain(), Directory::default());
    let newest = node.double.state().height().0;
    (1..=newest)
        .flat_map(|height| {
            let (block, _) = node.double.block(Height(height)).expect("it is kept");
            let block = Block::decode(&block).expect("a block");
            let outcomes = node.double.outcomes(Height(height)).expect("they are kept");
            block_events(&domain, &block, &outcomes, &mut directory).expect("its own block")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n31_events_come_in_order_from_any_position_without_loss_or_repetition() {
    let node = Node::start(Double::with_a_book()).await;
    let wanted = all(&node);
    assert_eq!(wanted.iter().map(|event| event.kind.word()).collect::<Vec<_>>(), ["open-book", "seal", "dispute"]);
    let mut whole = Subscriber::open(&node, "?since=0.0.0", None).await;
    for event in &wanted {
        assert_eq!(whole.next().await, Some((event.position.to_string(), event.clone())));
    }
    // Those that come later come by themselves; who comes again begins after what it has.
    let second = wanted[1].position.to_string();
    let mut again = Subscriber::open(&node, "?since=0.0.0", Some(&second)).await;
    assert_eq!(again.next().await.map(|(_, event)| event), Some(wanted[2].clone()));
    let mut new = Subscriber::open(&node, "", None).await;
    node.double.mine();
    let id = node.double.transaction(node.double.dispute(LinePlace { line: LineNumber(1), ..LINE }), 90);
    crate::api::Submit::submit(&*node.double, id).expect("in order");
    node.double.mine();
    let last = all(&node).pop().expect("it was done");
    for stream in [&mut whole, &mut again, &mut new] {
        assert_eq!(stream.next().await, Some((last.position.to_string(), last.clone())));
    }
    // One that begins now says where that is, so that nothing is lost before its first event.
    let mut now = Subscriber::open(&node, "", None).await;
    let newest = node.double.state().height();
    assert_eq!(now.field("id").await, Some(Position::after(newest).to_string()));
    // A stream ends when the node stops.
    node.stopping.send_replace(true);
    assert_eq!(whole.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn n31_a_filter_lets_its_events_through_alone_and_wrong_ones_are_named() {
    let node = Node::start(Double::with_a_book()).await;
    for (query, kinds) in [
        ("?since=0.0.0&kinds=dispute", "dispute"),
        ("?since=0.0.0&lines=0/1", "seal"),
        ("?since=0.0.0&members=1&kinds=seal,dispute", "seal dispute"),
    ] {
        let mut stream = Subscriber::open(&node, query, None).await;
        for kind in kinds.split(' ') {
            assert_eq!(stream.next().await.map(|(_, event)| event.kind.word()), Some(kind), "{query}");
        }
    }
    for (query, status) in
        [("?kinds=seals", 400), ("?books=x", 400), ("?cases=1", 400), ("?since=1", 400), ("?since=9.0.0", 404)]
    {
        assert_eq!(node.get(&format!("/v1/events{query}")).await.status, status, "{query}");
    }
    node.double.kept_from.store(3, Ordering::Relaxed);
    let gone = node.get("/v1/events?since=0.0.0").await;
    assert_eq!(gone.json()["type"], "urn:fengni:problem:block-not-kept");
    let kept = Position::after(Height(2)).to_string();
    let mut stream = Subscriber::open(&node, &format!("?since={kept}"), None).await;
    assert_eq!(stream.next().await.map(|(_, event)| event.position.height), Some(Height(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn n31_a_stream_says_how_far_it_is_and_seats_are_counted() {
    let node = Node::start_within(Double::with_a_book(), Limits { subscribers: 1, ..Limits::default() }).await;
    let mut stream = Subscriber::open(&node, "?since=0.0.0&kinds=recover", None).await;
    let full = node.get("/v1/events?since=0.0.0").await;
    assert_eq!((full.status, full.rule().as_str()), (503, "N-16"));
    // Blocks without a wanted event, as many as make it speak.
    for _ in 0..260 {
        node.double.mine();
    }
    // At once, with where it begins.
    assert_eq!(stream.field("id").await, Some(Position::after(Height(0)).to_string()));
    // It may speak before that, where these take longer than it is ever silent.
    let mut reached = Height(0);
    while reached < Height(256) {
        let id: Position = stream.field("id").await.expect("it speaks").parse().expect("a position");
        assert!(id == Position::after(id.height) && id.height >= reached, "{id} after {reached}");
        reached = id.height;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_all_outcomes_of_a_block_are_bound_by_its_header() {
    let node = Node::start(Double::with_a_book()).await;
    let answer = node.get("/v1/blocks/2/outcomes").await;
    let outcomes: Vec<Outcome> = codec::decode(&answer.body, BLOCK_BYTES).expect("a list");
    let (header, _) = node.double.final_header(Height(2)).expect("it is there");
    assert_eq!(fengni_core::block::outcomes_digest(&node.double.domain(), &outcomes), header.outcomes);
    assert_eq!(node.get("/v1/blocks/9/outcomes").await.status, 404);
}
