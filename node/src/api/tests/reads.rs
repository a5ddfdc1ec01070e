//! Reads: what the gateway hands out is verified as a stranger would.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use fengni_core::book::{Book, Line, page_root};
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::proof::{Place, Proven, StateProof};
use fengni_core::record::Member;
use fengni_core::{Block, BookNumber, CommitCertificate, Header, Height, LineNumber, LinePlace, PageNumber};
use fengni_state::State;

use super::client::{Node, Reply, call};
use super::double::Double;
use crate::api::Source as _;

const LINE: LinePlace = LinePlace { book: BookNumber(0), line: LineNumber(0) };

/// Checks a proof as a stranger who knows the validators.
fn verify(answer: &Reply, state: &State) -> Proven {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    let proof = StateProof::decode(&answer.body).expect("a proof");
    let proven = proof.verify(state.domain(), &state.next_validators()).expect("it verifies");
    assert_eq!(answer.header("fengni-height"), proven.header().height.to_string());
    proven
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_a_network_without_a_block_says_so() {
    let node = Node::start(Double::founded()).await;
    let network = node.get("/v1/network").await;
    // A verifier's web page comes from elsewhere; the relay and the admin listener give it nothing.
    assert_eq!(network.header("access-control-allow-origin"), "*");
    for address in [node.relay, node.admin] {
        assert_eq!(call(address, "GET", "/healthz", &[], &[]).await.header("access-control-allow-origin"), "");
    }
    assert_eq!((network.status, network.json()["height"].as_u64()), (200, Some(0)));
    assert_eq!(node.get("/v1/genesis").await.body, node.double.genesis());
    for path in ["/v1/headers/latest", "/v1/proofs?places=members/0", "/v1/members"] {
        let answer = node.get(path).await;
        assert_eq!((answer.status, answer.rule().as_str()), (503, "N-4"), "{path}");
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_heights_ahead_and_gone_are_told_apart() {
    let node = Node::start(Double::with_a_book()).await;
    let ahead = node.get("/v1/proofs?places=members/0&height=4").await;
    assert_eq!((ahead.status, ahead.json()["type"].as_str()), (404, Some("urn:fengni:problem:height-not-reached")));
    let gone = node.get("/v1/proofs?places=members/0&height=1").await;
    assert_eq!((gone.status, gone.json()["type"].as_str()), (404, Some("urn:fengni:problem:height-not-kept")));
    // Blocks and headers are there from the first.
    assert_eq!(node.get("/v1/headers/1").await.json()["header"]["height"], 1);
    assert_eq!(node.get("/v1/blocks/1").await.status, 200);
    assert_eq!(node.get("/v1/blocks/4").await.rule(), "N-4");
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_a_pruned_node_says_from_where_it_keeps_blocks_and_serves_every_header() {
    let node = Node::start(Double::with_a_book()).await;
    assert_eq!(node.get("/v1/network").await.json()["kept_from"], 1);
    node.double.kept_from.store(3, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(node.get("/v1/network").await.json()["kept_from"], 3);
    for height in [1, 2] {
        let gone = node.get(&format!("/v1/blocks/{height}")).await;
        assert_eq!((gone.status, gone.rule().as_str()), (404, "N-5"));
        let problem = gone.json();
        assert_eq!(problem["type"], "urn:fengni:problem:block-not-kept");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("from height 3 on")), "{problem}");
        assert!(problem["next"].as_str().is_some_and(|next| next.contains("archive")), "{problem}");
        assert_eq!(node.get(&format!("/v1/headers/{height}")).await.json()["header"]["height"], height);
    }
    assert_eq!(node.get("/v1/blocks/3").await.status, 200);
    assert_eq!(node.get("/v1/blocks/0").await.rule(), "N-4");
    let unknown = node.get(&format!("/v1/transactions/{}", "0".repeat(64))).await.json();
    assert!(unknown["detail"].as_str().is_some_and(|detail| detail.contains("since height 3")), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_headers_and_blocks_come_as_json_and_as_canonical_bytes() {
    let node = Node::start(Double::with_a_book()).await;
    let octets = [("accept", "application/octet-stream")];
    let answer = call(node.gateway, "GET", "/v1/headers/latest", &octets, &[]).await;
    let (header, certificate): (Header, CommitCertificate) = codec::decode(&answer.body, BLOCK_BYTES).expect("a pair");
    let domain = header.domain();
    let validators = node.double.state().next_validators();
    certificate.verify(&domain, &validators, Height(3), header.id(&domain)).expect("final");
    let view = node.get("/v1/headers/latest").await;
    assert_eq!(view.json()["header"]["state_root"], header.state_root.to_string());
    assert_eq!(view.header("vary"), "accept");

    let answer = node.get("/v1/blocks/2").await;
    let (Bytes(body), _): (Bytes, CommitCertificate) = codec::decode(&answer.body, 2 * BLOCK_BYTES).expect("a pair");
    let block = Block::decode(&body).expect("a block");
    assert_eq!((block.header.height, block.transactions.len()), (Height(2), 1));
    let view = call(node.gateway, "GET", "/v1/blocks/2", &[("accept", "application/json")], &[]).await;
    let id = view.json()["transactions"][0].as_str().expect("an id").to_owned();
    assert_eq!(node.get(&format!("/v1/transactions/{id}")).await.header("fengni-height"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn n6_exactly_the_places_asked_for_are_proven() {
    let node = Node::start(Double::with_a_book()).await;
    let state = node.double.state();
    let proven = verify(&node.get("/v1/proofs?places=members/1,line/0/1,codes/0").await, &state);
    assert!(proven.line(LinePlace { line: LineNumber(1), ..LINE }).is_ok());
    let member: Member = proven.record(1).expect("proven");
    assert_eq!(Some(&member), state.members().get(1).map(|member| &**member));
    let earlier = verify(&node.get("/v1/proofs?places=books/0&height=2").await, &state);
    assert_eq!(earlier.header().height, Height(2));

    for (query, status) in [
        ("places=members/99", 404),
        ("places=members", 400),
        ("places=", 400),
        ("", 400),
        ("places=members/1&hieght=2", 400),
        ("places=members/1&height=x", 400),
    ] {
        let answer = node.get(&format!("/v1/proofs?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(["N-3", "N-6"].contains(&answer.rule().as_str()));
    }
    let many = vec!["line/0/1"; 257].join(",");
    assert_eq!(node.get(&format!("/v1/proofs?places={many}")).await.rule(), "N-6");
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_a_line_is_proven_by_place_and_by_identifier() {
    let node = Node::start(Double::with_a_book()).await;
    let state = node.double.state();
    let by_place = verify(&node.get("/v1/proofs/line?book=0&line=0&verifier=6").await, &state);
    assert!(by_place.line(LINE).is_ok() && by_place.seal_of(LINE).is_some());
    assert!(by_place.record::<Member>(6).is_ok(), "the verifier's record is there");
    assert!(by_place.record::<Member>(4).is_err(), "nobody asked for this one");

    // The identity service that a code names; a number that is nobody's is left out.
    let named = verify(&node.get("/v1/proofs/line?book=0&line=0&verifier=6&service=4").await, &state);
    assert!(named.record::<Member>(4).is_ok() && named.line(LINE).is_ok());
    let nobody = verify(&node.get("/v1/proofs/line?book=0&line=0&verifier=6&service=4000").await, &state);
    assert!(nobody.record::<Member>(4000).is_err() && nobody.line(LINE).is_ok());

    let path = format!("/v1/proofs/identifier/{}", node.double.certificate());
    let typed = node.get(&path).await;
    assert!(verify(&typed, &state).line(LINE).is_ok());
    assert_eq!(typed.header("cache-control"), "no-store");

    // A line beyond the count: the book's record proves its absence.
    let beyond = verify(&node.get("/v1/proofs/line?book=0&line=3").await, &state);
    assert_eq!(beyond.record::<Book>(0).expect("proven").lines, 3);
    assert!(beyond.line(LinePlace { line: LineNumber(3), ..LINE }).is_err());

    let other = node.double.certificate().next_version().and_then(|id| id.next_version()).expect("version 3");
    let unknown = node.get(&format!("/v1/proofs/identifier/{other}")).await;
    assert_eq!((unknown.status, unknown.rule().as_str()), (404, "N-7"));
    assert!(!String::from_utf8_lossy(&unknown.body).contains(&other.to_string()));
    let mistyped = node.get(&format!("{}A", &path[..path.len() - 1])).await;
    assert_eq!((mistyped.status, mistyped.rule().as_str()), (400, "N-7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_a_history_proves_every_act() {
    let node = Node::start(Double::with_a_book()).await;
    let proven = verify(&node.get("/v1/history/0/0").await, &node.double.state());
    let acts = proven.places().filter(|place| matches!(place, Place::Act(..))).count();
    assert_eq!(acts, 1);
    assert!(proven.heads(BookNumber(0), PageNumber(0)).is_ok() && proven.seal_of(LINE).is_some());
    assert_eq!(node.get("/v1/history/0/3").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_a_page_gives_the_root_of_its_record() {
    let node = Node::start(Double::with_a_book()).await;
    let state = node.double.state();
    let answer = node.get("/v1/pages/0/0").await;
    let lines: Vec<Line> =
        answer.body.chunks_exact(48).map(|line| Line::from_bytes(line.try_into().expect("48 bytes"))).collect();
    assert_eq!(lines.len(), 3);
    let page = state.book(BookNumber(0)).and_then(|book| book.page(PageNumber(0)).cloned()).expect("a page");
    assert_eq!(page_root(state.domain(), &lines), page.root);
    let missing = node.get("/v1/pages/0/1").await;
    assert_eq!((missing.status, missing.rule().as_str()), (404, "N-9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_views_name_their_height_and_codes_their_version() {
    let node = Node::start(Double::with_a_book()).await;
    for view in ["members", "types", "authorities", "agreements", "books", "codes"] {
        let answer = node.get(&format!("/v1/{view}")).await;
        assert_eq!((answer.status, answer.json()["height"].as_u64()), (200, Some(3)), "{view}");
        assert_eq!(answer.json()["total"], answer.json()["records"].as_array().expect("a list").len(), "{view}");
    }
    let members = node.get("/v1/members?from=1&count=2").await.json();
    assert_eq!(members["records"][0]["number"], 1);
    assert_eq!(members["records"].as_array().map(Vec::len), Some(2));
    assert!(members["records"][0]["roles"].as_array().expect("roles").contains(&"issuer".into()));
    assert_eq!(node.get("/v1/members?count=1001").await.rule(), "N-3");

    let reasons = node.get("/v1/codes/reasons").await.json();
    assert_eq!(reasons["version"], 1);
    assert!(reasons["codes"].as_array().is_some_and(|codes| !codes.is_empty()));
    assert_eq!(node.get("/v1/codes/nothing").await.status, 404);
    let counted = call(node.admin, "GET", "/metrics", &[], &[]).await;
    let counted = String::from_utf8(counted.body).expect("text");
    assert!(counted.contains("fengni_http_queries_total{kind=\"reference-code\"} 2"), "{counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n17_what_did_not_change_is_not_sent_again() {
    let node = Node::start(Double::with_a_book()).await;
    let newest = node.get("/v1/proofs?places=members/0").await;
    assert_eq!(newest.header("cache-control"), "no-cache");
    let lasting = node.get("/v1/proofs?places=members/0&height=3").await;
    assert!(lasting.header("cache-control").contains("immutable"));
    assert_eq!(newest.header("etag"), lasting.header("etag"));
    let known = [("if-none-match", newest.header("etag"))];
    let same = call(node.gateway, "GET", "/v1/proofs?places=members/0", &known, &[]).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    node.double.mine();
    let other = call(node.gateway, "GET", "/v1/proofs?places=members/0", &known, &[]).await;
    assert_eq!((other.status, other.header("fengni-height")), (200, "4"));
    let head = call(node.gateway, "HEAD", "/v1/proofs?places=members/0", &[], &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), other.body.len().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn cat06_three_nodes_give_the_same_bytes() {
    let double = Double::with_a_book();
    let other = Double::with_a_book();
    let nodes = [Node::start(double.clone()).await, Node::start(other).await, Node::start(double).await];
    let mut answers = Vec::new();
    for node in &nodes {
        answers.push(node.get("/v1/proofs/line?book=0&line=0&height=3").await.body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn n18_no_counter_names_what_was_asked_for() {
    let node = Node::start(Double::with_a_book()).await;
    let identifier = node.double.certificate().to_string();
    node.get(&format!("/v1/proofs/identifier/{identifier}")).await;
    node.get(&format!("/{identifier}")).await;
    node.get(&format!("/v1/codes/{identifier}")).await;
    let counted = call(node.admin, "GET", "/metrics", &[], &[]).await;
    assert!(counted.header("content-type").starts_with("application/openmetrics-text"));
    let counted = String::from_utf8(counted.body).expect("text");
    assert!(counted.contains("route=\"/v1/proofs/identifier/{identifier}\""), "{counted}");
    assert!(counted.contains("route=\"none\",status=\"4xx\""), "{counted}");
    assert!(!counted.contains(&identifier) && counted.ends_with("# EOF\n"));
    let by_day = call(node.admin, "GET", "/v1/counters", &[], &[]).await;
    assert!(!String::from_utf8(by_day.body).expect("text").contains(&identifier));
}

#[tokio::test(flavor = "multi_thread")]
async fn n32_queries_problems_and_submissions_are_counted_by_day() {
    let node = Node::start(Double::with_a_book()).await;
    for path in ["/v1/codes", "/v1/codes/reasons", "/v1/proofs/line?book=0&line=0", "/v1/codes/nothing"] {
        node.get(path).await;
    }
    node.post("/v1/transactions", b"no transaction").await;
    // The operator's own slips are no statistics.
    for bad in ["from=yesterday", "to=2026-02-30", "day=2026-11-23"] {
        assert_eq!(call(node.admin, "GET", &format!("/v1/counters?{bad}"), &[], &[]).await.rule(), "N-3");
    }
    let ask = async |days: &str| call(node.admin, "GET", &format!("/v1/counters{days}"), &[], &[]).await.json();
    let days = ask("").await["days"].as_array().expect("days").clone();
    let sum = |part: &str, name: &str| -> u64 { days.iter().filter_map(|day| day[part][name].as_u64()).sum() };
    assert_eq!((sum("queries", "reference-code"), sum("queries", "line")), (2, 1));
    assert_eq!((sum("problems", "unknown"), sum("problems", "transaction-refused")), (1, 1));
    assert_eq!((sum("problems", "bad-parameter"), sum("submissions", "refused")), (0, 1));
    assert_eq!(ask("?to=2020-01-01").await["days"], serde_json::json!([]));
}

/// Keeps every log line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics while it logs").write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// One thread, so that the listener's lines are this test's.
#[tokio::test]
async fn n18_no_log_line_names_what_was_asked_for() {
    let log = Log::default();
    let kept = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || kept.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());
    let node = Node::start(Double::with_a_book()).await;
    let identifier = node.double.certificate().to_string();
    // Another test may have met the same line first, when nobody listened.
    node.get("/healthz").await;
    tracing::callsite::rebuild_interest_cache();
    for path in ["/v1/proofs/identifier/", "/v1/codes/", "/", "/v1/transactions/", "/v1/proofs?places="] {
        node.get(&format!("{path}{identifier}")).await;
    }
    let log = String::from_utf8(log.0.lock().expect("no test panics while it logs").clone()).expect("text");
    assert!(log.contains("route=\"/v1/proofs/identifier/{identifier}\""), "{log}");
    assert!(!log.contains(&identifier), "{log}");
    let serial = identifier.split('.').nth(7).expect("a serial");
    assert!(!log.contains(serial), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n16_a_fault_answers_and_the_node_goes_on() {
    let node = Node::start(Double::with_a_book()).await;
    node.double.broken.store(true, Ordering::Relaxed);
    let answer = node.get("/v1/proofs?places=members/0").await;
    assert_eq!((answer.status, answer.rule().as_str()), (500, "N-16"));
    node.double.broken.store(false, Ordering::Relaxed);
    assert_eq!(node.get("/v1/proofs?places=members/0").await.status, 200);
}
