//! Writes: what the relay takes and refuses, and what becomes of it.

use std::time::Duration;

use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::limits::TRANSACTION_BYTES;
use fengni_core::outcome::Decision;
use fengni_core::proof::OutcomeProof;
use fengni_core::{BookNumber, Height, LineNumber, LinePlace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::{Node, Reply, call};
use super::double::Double;
use crate::api::{Limits, Submit as _};

const LINE: LinePlace = LinePlace { book: BookNumber(0), line: LineNumber(1) };

fn verify(answer: &Reply, node: &Node) -> OutcomeProof {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/octet-stream"), "{answer:?}");
    let state = node.double.state();
    let proof = OutcomeProof::decode(&answer.body).expect("an outcome proof");
    proof.verify(state.domain(), &state.next_validators()).expect("it verifies");
    proof
}

#[tokio::test(flavor = "multi_thread")]
async fn n13_a_transaction_is_handed_in_and_its_outcome_proven() {
    let node = Node::start(Double::with_a_book()).await;
    let bytes = node.double.transaction(node.double.dispute(LINE), 1);
    let accepted = node.post("/v1/transactions", &bytes).await;
    assert_eq!((accepted.status, accepted.json()["status"].as_str()), (202, Some("pending")));
    let location = accepted.header("location").to_owned();
    assert_eq!(node.get(&location).await.status, 202, "it waits");
    assert_eq!(node.post("/v1/transactions", &bytes).await.status, 202, "a repeated call changes nothing");
    node.double.mine();
    let proof = verify(&node.get(&location).await, &node);
    assert!(matches!(proof.outcome.decision, Decision::Done(_)));
    verify(&call(node.relay, "GET", &location, &[], &[]).await, &node);

    let replay = node.post("/v1/transactions", &bytes).await;
    assert_eq!((replay.status, replay.rule().as_str()), (409, "T-6"));
    assert_eq!(format!("/v1/transactions/{}", replay.json()["transaction"].as_str().expect("its id")), location);
}

#[tokio::test(flavor = "multi_thread")]
async fn n11_a_caller_waits_for_the_block() {
    let node = Node::start(Double::with_a_book()).await;
    let bytes = node.double.transaction(node.double.dispute(LINE), 1);
    let mining = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        node.double.mine();
    };
    let (answer, ()) = tokio::join!(node.post("/v1/transactions?wait_millis=8000", &bytes), mining);
    let id = verify(&answer, &node).outcome.transaction;

    // One that another node takes in is waited for as well.
    let bytes = node.double.transaction(node.double.dispute(LINE), 2);
    let elsewhere = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let other = node.double.submit(bytes.clone()).expect("in order");
        node.double.mine();
        other
    };
    let other = fengni_core::transaction::Transaction::decode(&bytes).expect("a transaction");
    let path = format!("/v1/transactions/{}?wait_millis=8000", other.body.id(node.double.state().domain()));
    let (answer, other) = tokio::join!(node.get(&path), elsewhere);
    assert_eq!(verify(&answer, &node).outcome.transaction, other);
    assert_ne!(other, id);

    let unknown = node.get(&format!("/v1/transactions/{}?wait_millis=50", "0".repeat(64))).await;
    assert_eq!((unknown.status, unknown.rule().as_str()), (404, "N-11"));
    let long = node.get(&format!("/v1/transactions/{}?wait_millis=10001", "0".repeat(64))).await;
    assert_eq!((long.status, long.rule().as_str()), (400, "N-3"));
    assert_eq!(node.get("/v1/transactions/xyz").await.rule(), "N-3");
}

#[tokio::test(flavor = "multi_thread")]
async fn n11_without_a_block_the_caller_learns_that_it_waits() {
    let node = Node::start_within(Double::with_a_book(), Limits { waiters: 0, ..Limits::default() }).await;
    let bytes = node.double.transaction(node.double.dispute(LINE), 1);
    // No seat is free, so the answer of the moment is given at once.
    let answer = node.post("/v1/transactions?wait_millis=9000", &bytes).await;
    assert_eq!(answer.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn n13_each_broken_rule_is_named() {
    let node = Node::start(Double::with_a_book()).await;
    let good = node.double.transaction(node.double.dispute(LINE), 1);
    let mut forged = good.clone();
    *forged.last_mut().expect("bytes") ^= 1;
    let late = node.double.transaction_until(node.double.dispute(LINE), 1, Height(3));
    for (bytes, status, rule) in [
        (&good[..good.len() - 1], 400, "T-1"),
        (&forged, 422, "T-4"),
        (&late, 422, "T-5"),
        (&vec![0; TRANSACTION_BYTES + 1], 413, "N-15"),
    ] {
        let answer = node.post("/v1/transactions", bytes).await;
        assert_eq!((answer.status, answer.rule().as_str()), (status, rule));
    }
    let plain = call(node.relay, "POST", "/v1/transactions", &[("content-type", "text/plain")], &good).await;
    assert_eq!((plain.status, plain.rule().as_str()), (415, "N-13"));
    let none = call(node.relay, "POST", "/v1/transactions", &[], &good).await;
    assert_eq!(none.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn n14_a_batch_answers_for_each_of_its_transactions() {
    let node = Node::start(Double::with_a_book()).await;
    let good = |salt| Bytes(node.double.transaction(node.double.dispute(LINE), salt));
    let batch = codec::encode(&vec![good(1), Bytes(vec![1, 2, 3]), good(2)]);
    let answer = node.post("/v1/transactions/batch", &batch).await;
    assert_eq!(answer.status, 200);
    let entries = answer.json();
    assert!(entries[0]["id"].is_string() && entries[2]["id"].is_string() && entries[0]["error"].is_null());
    assert_eq!(entries[1]["error"]["rule"], "T-1");

    let none = codec::encode(&Vec::<Bytes>::new());
    let many = codec::encode(&vec![Bytes(vec![0]); 257]);
    for body in [none, many, vec![255; 8], batch[..20].to_vec()] {
        let answer = node.post("/v1/transactions/batch", &body).await;
        assert_eq!((answer.status, answer.rule().as_str()), (400, "N-14"));
    }
    let counted = call(node.admin, "GET", "/metrics", &[], &[]).await;
    let counted = String::from_utf8(counted.body).expect("text");
    assert!(counted.contains("fengni_http_submissions_total{answer=\"accepted\"} 2"), "{counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n13_a_full_pool_is_told() {
    let node = Node::start(Double::with_a_book()).await;
    let transaction = |salt| Bytes(node.double.transaction(node.double.dispute(LINE), salt));
    let until = |salt, until| Bytes(node.double.transaction_until(node.double.dispute(LINE), salt, Height(until)));
    let first: Vec<Bytes> = (0..=255).map(transaction).collect();
    let second: Vec<Bytes> = (0..45).map(|salt| until(salt, 12)).collect();
    node.post("/v1/transactions/batch", &codec::encode(&first)).await;
    let entries = node.post("/v1/transactions/batch", &codec::encode(&second)).await.json();
    assert_eq!(entries[44]["error"]["type"], "urn:fengni:problem:pool-full");
    let full = node.post("/v1/transactions", &until(99, 12).0).await;
    assert_eq!((full.status, full.rule().as_str(), full.header("retry-after")), (503, "N-13", "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n15_a_body_that_drips_is_cut_off() {
    let node = Node::start_within(Double::with_a_book(), Limits { body_millis: 200, ..Limits::default() }).await;
    let mut stream = TcpStream::connect(node.relay).await.expect("the listener listens");
    let head = "POST /v1/transactions HTTP/1.1\r\nhost: test\r\n\
                content-type: application/octet-stream\r\ncontent-length: 100\r\n\r\nfirst bytes";
    stream.write_all(head.as_bytes()).await.expect("taken");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
    let _ = read.await.expect("the listener hangs up");
    let answer = Reply::parse(&answer);
    assert_eq!((answer.status, answer.rule().as_str()), (408, "N-15"));
}
