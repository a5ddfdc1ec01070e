//! Packs and pages: what a device takes home, and what a browser is given.

use fengni_core::light::Checkpoint;
use fengni_core::pack::{Pack, Subscription, TrustPack};

use super::client::{Node, call};
use super::double::Double;

#[tokio::test(flavor = "multi_thread")]
async fn n20_a_pack_opens_and_a_delta_opens_on_top_of_it() {
    let node = Node::start(Double::with_a_book()).await;
    let domain = *node.double.state().domain();
    let answer = node.get("/v1/packs?height=2").await;
    assert_eq!((answer.status, answer.header("fengni-height")), (200, "2"));
    let pack = Pack::decode(&answer.body).expect("a pack");
    assert_eq!(pack.subscription, Subscription::default());
    let held = TrustPack::open(pack, None, &domain).expect("it adds up");
    let basis = held.basis();
    let delta = node.get(&format!("/v1/packs?since={}&shelves={}", basis.height, basis.shelves_hex())).await;
    let delta = Pack::decode(&delta.body).expect("a pack");
    let whole = Pack::decode(&node.get("/v1/packs").await.body).expect("a pack");
    let [delta, whole] = [(delta, Some(&held)), (whole, None)]
        .map(|(pack, held)| TrustPack::open(pack, held, &domain).expect("it adds up"));
    assert_eq!(delta, whole);
    let narrow = Pack::decode(&node.get("/v1/packs?types=0&regions=37,33").await.body).expect("a pack");
    assert_eq!((narrow.subscription.types.len(), narrow.subscription.regions.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn n20_a_download_goes_on_where_it_broke_off() {
    let node = Node::start(Double::with_a_book()).await;
    let path = "/v1/packs?height=3";
    let whole = node.get(path).await;
    let tag = whole.header("etag");
    let rest = call(node.gateway, "GET", path, &[("range", "bytes=100-"), ("if-range", tag)], &[]).await;
    assert_eq!(rest.status, 206);
    assert_eq!(rest.body, whole.body[100..]);
    assert_eq!(rest.header("content-range"), format!("bytes 100-{}/{}", whole.body.len() - 1, whole.body.len()));
    let other = call(node.gateway, "GET", path, &[("range", "bytes=100-"), ("if-range", "\"other\"")], &[]).await;
    assert_eq!((other.status, other.body), (200, whole.body.clone()));
    let beyond = call(node.gateway, "GET", path, &[("range", "bytes=99999999-")], &[]).await;
    assert_eq!((beyond.status, beyond.body), (200, whole.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn n20_a_question_that_cannot_be_read_is_refused() {
    let node = Node::start(Double::with_a_book()).await;
    for question in ["types=x", "regions=3", "since=1", "shelves=00", "since=1&shelves=zz", "tpyes=1"] {
        let answer = node.get(&format!("/v1/packs?{question}")).await;
        assert_eq!((answer.status, answer.rule().as_str()), (400, "N-3"), "{question}");
    }
    let shelves = "00".repeat(24);
    let ahead = node.get(&format!("/v1/packs?since=9&shelves={shelves}")).await;
    assert_eq!((ahead.status, ahead.rule().as_str()), (404, "N-4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n21_the_index_names_what_there_is() {
    let node = Node::start(Double::with_a_book()).await;
    let index = node.get("/v1/packs/index").await.json();
    assert_eq!(index["height"], 3);
    assert_eq!((index["books"][0]["books"].as_u64(), index["books"][0]["lines"].as_u64()), (Some(1), Some(3)));
    assert_eq!(index["books"][0]["exceptions"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n22_pages_are_served_from_their_folder_alone_and_under_a_strict_policy() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let web = folder.path().join("web");
    std::fs::create_dir(&web).expect("writable");
    std::fs::write(web.join("index.html"), "<!doctype html>").expect("writable");
    std::fs::write(web.join("mine.html"), "<!doctype html>").expect("writable");
    std::fs::write(web.join("core.wasm"), [0, 97, 115, 109]).expect("writable");
    std::fs::write(folder.path().join("secret"), "not for anybody").expect("writable");
    let node = Node::start_with_pages(Double::with_a_book(), &web).await;
    let page = node.get("/web/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
    assert!(page.header("content-security-policy").ends_with("connect-src 'self'"));
    // The holder's page asks providers, by TLS or on this host.
    let asks = node.get("/web/mine.html").await;
    let policy = asks.header("content-security-policy");
    assert!(policy.ends_with("connect-src 'self' https: http://127.0.0.1:* http://localhost:*"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(node.get("/web/core.wasm").await.header("content-type"), "application/wasm");
    assert_eq!(node.get("/web").await.header("location"), "/web/");
    let checkpoint: Checkpoint = serde_json::from_slice(&node.get("/web/checkpoint.json").await.body).expect("JSON");
    assert_eq!(checkpoint.validators, node.double.state().next_validators());
    for outside in ["/web/../secret", "/web/%2e%2e/secret", "/web/..%2fsecret", "/web//secret", "/web/missing"] {
        assert_eq!(node.get(outside).await.status, 404, "{outside}");
    }
    assert_eq!(call(node.gateway, "POST", "/web/", &[], &[]).await.status, 405);
    let plain = Node::start(Double::with_a_book()).await;
    assert_eq!(plain.get("/web/").await.status, 404);
}
