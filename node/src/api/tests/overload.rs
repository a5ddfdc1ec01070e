//! Overload: more than fits is refused clearly, what is admitted is right (SEC-13).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fengni_core::proof::StateProof;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::{Node, call, request};
use super::double::Double;
use crate::api::Limits;

#[tokio::test(flavor = "multi_thread")]
async fn n16_more_than_fits_is_refused_and_the_rest_is_right() {
    let limits = Limits { workers: 2, queue: 2, queue_millis: 300, ..Limits::default() };
    let node = Arc::new(Node::start_within(Double::with_a_book(), limits).await);
    node.double.slowness_millis.store(500, Ordering::Relaxed);
    let asking = (0..40).map(|_| {
        let node = node.clone();
        tokio::spawn(async move { node.get("/v1/proofs/line?book=0&line=0").await })
    });
    let asking: Vec<_> = asking.collect();
    // Whoever looks after the node is answered meanwhile.
    let started = Instant::now();
    assert_eq!(node.get("/healthz").await.status, 200);
    assert_eq!(call(node.admin, "GET", "/metrics", &[], &[]).await.status, 200);
    assert!(started.elapsed() < Duration::from_secs(2));

    let state = node.double.state();
    let (mut right, mut refused) = (0, 0);
    for answer in asking {
        let answer = answer.await.expect("asked");
        if answer.status == 200 {
            let proof = StateProof::decode(&answer.body).expect("a proof");
            proof.verify(state.domain(), &state.next_validators()).expect("never a false answer");
            right += 1;
        } else {
            assert_eq!((answer.status, answer.rule().as_str()), (503, "N-16"));
            assert_eq!(answer.header("retry-after"), "1");
            refused += 1;
        }
    }
    assert!(right >= 1 && refused >= 10, "{right} right, {refused} refused");
    let counted = call(node.admin, "GET", "/metrics", &[], &[]).await;
    let counted = String::from_utf8(counted.body).expect("text");
    let line = format!("fengni_http_refused_total{{listener=\"gateway\",cause=\"overloaded\"}} {refused}");
    assert!(counted.contains(&line), "{line} in {counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n16_an_answer_that_takes_too_long_is_given_up() {
    let node = Node::start_within(Double::with_a_book(), Limits { request_millis: 100, ..Limits::default() }).await;
    node.double.slowness_millis.store(400, Ordering::Relaxed);
    let late = node.get("/v1/proofs?places=members/0").await;
    assert_eq!((late.status, late.json()["type"].as_str()), (503, Some("urn:fengni:problem:late")));
}

#[tokio::test(flavor = "multi_thread")]
async fn n16_answers_nobody_reads_fill_bounded_memory() {
    const PAGE: usize = 32 * 1024 * 1024;
    let limits = Limits { outgoing_kib: 40 * 1024, quiet_millis: 1000, ..Limits::default() };
    let node = Node::start_within(Double::with_a_book(), limits).await;
    node.double.page_bytes.store(PAGE, Ordering::Relaxed);
    let read = node.get("/v1/pages/0/0").await;
    assert_eq!((read.status, read.body.len()), (200, PAGE));
    assert_eq!(read.header("content-length"), PAGE.to_string());

    // A caller who asks and never reads holds the room until it is hung up on.
    let mut mute = TcpStream::connect(node.gateway).await.expect("the listener listens");
    mute.write_all(&request("GET", "/v1/pages/0/0", &[], &[])).await.expect("taken");
    tokio::time::sleep(Duration::from_millis(400)).await;
    let refused = node.get("/v1/pages/0/0").await;
    assert_eq!((refused.status, refused.rule().as_str()), (503, "N-16"));
    assert_eq!(node.get("/v1/proofs?places=members/0").await.status, 200, "small answers go on");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(node.get("/v1/pages/0/0").await.status, 200);
    let mut rest = Vec::new();
    let _ = mute.read_to_end(&mut rest).await;
    assert!(rest.len() < PAGE, "the mute caller was hung up on");
}
