//! Handovers and checkpoints: how a reader's trust goes on.

use std::sync::atomic::Ordering;

use fengni_core::light::{Handover, SignedCheckpoint};
use fengni_core::{Height, codec};

use super::client::{Node, call};
use super::double::Double;
use crate::api::Source as _;

#[tokio::test(flavor = "multi_thread")]
async fn n23_handovers_above_a_height_come_in_rising_order() {
    let node = Node::start(Double::with_a_book()).await;
    let none = node.get("/v1/handovers?since=0").await;
    assert_eq!((none.status, none.header("fengni-height")), (200, "3"));
    assert_eq!(codec::decode::<Vec<Handover>>(&none.body, 100), Ok(vec![]));
    let made = [2, 3].map(|height| {
        let at = node.double.at(Height(height)).expect("it is kept");
        Handover { header: at.header.clone(), certificate: at.certificate.clone(), next: at.checkpoint().validators }
    });
    node.double.handovers.lock().expect("nobody else holds them").extend(made.clone());
    for (since, expected) in [(0, &made[..]), (1, &made[..]), (2, &made[1..]), (3, &[])] {
        let answer = node.get(&format!("/v1/handovers?since={since}")).await;
        assert_eq!(answer.header("cache-control"), "no-cache", "there may be more tomorrow");
        let given: Vec<Handover> = codec::decode(&answer.body, 100_000).expect("a list of handovers");
        assert_eq!(given, expected, "since {since}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n23_a_question_without_a_height_or_from_the_future_is_refused() {
    let node = Node::start(Double::with_a_book()).await;
    for question in ["", "?since=x", "?since=0&height=1"] {
        let answer = node.get(&format!("/v1/handovers{question}")).await;
        assert_eq!((answer.status, answer.rule().as_str()), (400, "N-3"), "{question}");
    }
    let ahead = node.get("/v1/handovers?since=4").await;
    assert_eq!((ahead.status, ahead.rule().as_str()), (404, "N-4"));
    let early = Node::start(Double::founded()).await.get("/v1/handovers?since=0").await;
    assert_eq!((early.status, early.rule().as_str()), (503, "N-4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n24_a_gateway_vouches_for_its_newest_block_with_its_members_peer_key() {
    let node = Node::start(Double::with_a_book()).await;
    let state = node.double.state();
    let octets = call(node.gateway, "GET", "/v1/checkpoint", &[("accept", "application/octet-stream")], &[]).await;
    assert_eq!((octets.status, octets.header("fengni-height"), octets.header("vary")), (200, "3", "accept"));
    let signed: SignedCheckpoint = codec::decode(&octets.body, 100_000).expect("a signed checkpoint");
    let at = node.double.at(Height(3)).expect("the newest");
    assert_eq!(signed.checkpoint, at.checkpoint());
    let member = state.member(signed.member).expect("a member");
    assert_eq!(signed.verify(state.domain(), member, state.height()), Ok(()));
    let json = node.get("/v1/checkpoint").await;
    assert_eq!(serde_json::from_value::<SignedCheckpoint>(json.json()).expect("the same in JSON"), signed);
    node.double.registered.store(false, Ordering::Relaxed);
    let none = node.get("/v1/checkpoint").await;
    assert_eq!((none.status, none.rule().as_str()), (404, "N-24"));
}
