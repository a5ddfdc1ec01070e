//! Doors: listeners, TLS, verbs, lengths, documents, health.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fengni_core::record::{DoubleSigning, KeyPurpose};
use fengni_genesis::sample;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::client::{Node, Reply, call, loopback, request};
use super::double::Double;
use super::{filled, routes};
use crate::api::listener::Bound;
use crate::api::{Limits, ListenError, ListenerConfig, Listeners, Metrics, Source as _, TlsFiles, metrics, serve};

#[test]
fn n1_a_listener_that_leaves_the_host_needs_tls() {
    let open = ListenerConfig { address: ([0, 0, 0, 0], 0).into(), ..loopback() };
    let refused = Bound::new("relay", &open).err().expect("plaintext leaves the host");
    assert!(matches!(refused, ListenError::Plaintext { listener: "relay", .. }));
    assert!(refused.to_string().starts_with("relay.listen: 0.0.0.0:0 leaves the host without TLS"), "{refused}");
    assert!(Bound::new("relay", &ListenerConfig { plaintext_behind_proxy: true, ..open }).is_ok());
}

#[test]
fn n1_an_unusable_key_is_refused_with_the_fields_name() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let files = TlsFiles { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
    let config = ListenerConfig { tls: Some(files.clone()), ..loopback() };
    let refusal = || Bound::new("gateway", &config).err().expect("refused").to_string();
    assert!(refusal().starts_with("gateway.tls_certificate: "), "{}", refusal());
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    std::fs::write(&files.certificate, made.cert.pem()).expect("writable");
    std::fs::write(&files.key, "no key").expect("writable");
    assert!(refusal().starts_with("gateway.tls_key: "), "{}", refusal());
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_a_gateway_answers_over_tls_and_not_beside_it() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let files = TlsFiles { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).expect("writable");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writable");
    let listeners =
        Listeners { gateway: Some(ListenerConfig { tls: Some(files), ..loopback() }), ..Listeners::default() };
    let (_stopping, stopped) = watch::channel(false);
    let double = Double::with_a_book();
    let served = serve(listeners, double.clone(), double.clone(), double, Metrics::default(), stopped)
        .await
        .expect("a free port");
    let (_, address) = served.addresses().next().expect("one listener");

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let answer = tokio::task::spawn_blocking(move || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().expect("a name");
        let session = rustls::ClientConnection::new(Arc::new(config), name).expect("a session");
        let socket = std::net::TcpStream::connect(address).expect("the listener listens");
        let mut stream = rustls::StreamOwned::new(session, socket);
        stream.write_all(&request("GET", "/v1/network", &[], &[])).expect("a handshake");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Reply::parse(&answer)
    });
    let answer = answer.await.expect("the client ends");
    assert_eq!((answer.status, answer.json()["height"].as_u64()), (200, Some(3)));

    let mut plain = TcpStream::connect(address).await.expect("the listener listens");
    plain.write_all(&request("GET", "/v1/network", &[], &[])).await.expect("taken");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "plaintext is not answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_every_verb_that_writes_is_refused_at_every_address_of_the_gateway() {
    let node = Node::start(Double::with_a_book()).await;
    let before = node.double.state().root();
    let [(_, gateway), ..] = routes();
    let other =
        ["/", "/v1/transactions", "/v1/transactions/batch", "/v1/status", "/v1/doctor", "/metrics", "/%00/../etc"];
    let addresses = gateway.iter().map(|(path, _)| filled(path)).chain(other.map(String::from));
    for path in addresses {
        for verb in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let answer = call(node.gateway, verb, &path, &[], &[]).await;
            assert_eq!(answer.status, 405, "{verb} {path}");
            assert_eq!(answer.rule(), "N-2", "{verb} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }
    }
    assert_eq!(node.double.state().root(), before);
    for path in ["/v1/transactions", "/metrics", "/v1/status"] {
        assert_eq!(node.get(path).await.status, 404, "{path} is not on the gateway");
    }
    for verb in ["PUT", "DELETE"] {
        assert_eq!(call(node.relay, verb, "/v1/transactions", &[], &[]).await.rule(), "N-2");
        assert_eq!(call(node.admin, verb, "/v1/status", &[], &[]).await.rule(), "N-2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_the_document_names_every_route_and_every_route_is_served() {
    let node = Node::start(Double::with_a_book()).await;
    let specification = include_str!("../../../../sdk/spec/http.md");
    let addresses = [node.gateway, node.relay, node.admin];
    for ((listener, routes), address) in routes().into_iter().zip(addresses) {
        let document = call(address, "GET", "/openapi.json", &[], &[]).await.json();
        let served = document["paths"].as_object().expect("a document has paths");
        assert_eq!(served.len(), routes.len(), "{listener}");
        assert!(document["components"]["schemas"]["Problem"].is_object(), "{listener}");
        for (path, operations) in routes {
            assert!(served.contains_key(&path), "{listener} {path}");
            let described = specification.contains(&format!("{path}`")) || specification.contains(&format!("{path}?"));
            assert!(described, "{path} stands in the specification");
            for operation in operations {
                let answer = call(address, &operation.to_uppercase(), &filled(&path), &[], &[]).await;
                let problem = answer.headers["content-type"] == "application/problem+json";
                let missing = problem
                    && ["no-such-address", "method-not-allowed"]
                        .iter()
                        .any(|name| answer.json()["type"] == format!("urn:fengni:problem:{name}"));
                assert!(!missing, "{listener} {operation} {path}");
            }
            let queried = path.starts_with("/v1/") && listener == "gateway";
            assert!(!queried || metrics::query_kind(&path).is_some(), "{path} is counted under a kind");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n15_long_addresses_and_heads_that_drip_are_cut_off() {
    let limits = Limits { quiet_millis: 300, ..Limits::default() };
    let node = Node::start_within(Double::with_a_book(), limits).await;
    let long = format!("/v1/proofs?places={}", "members/1,".repeat(6400));
    let answer = node.get(&long).await;
    assert_eq!((answer.status, answer.rule().as_str()), (414, "N-15"));

    let mut stream = TcpStream::connect(node.gateway).await.expect("the listener listens");
    let dripping = async {
        loop {
            if stream.write_all(b"G").await.is_err() {
                break;
            }
            let mut byte = [0];
            let closed = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut byte)).await;
            if matches!(closed, Ok(Ok(0) | Err(_))) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), dripping).await.expect("the listener hangs up");
}

#[tokio::test(flavor = "multi_thread")]
async fn n15_connections_above_the_limit_are_closed_at_once() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let node = Node::start_within(Double::with_a_book(), limits).await;
    let idle = [TcpStream::connect(node.gateway).await, TcpStream::connect(node.gateway).await];
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut third = TcpStream::connect(node.gateway).await.expect("the system accepts");
    let mut answer = Vec::new();
    let _ = third.write_all(&request("GET", "/healthz", &[], &[])).await;
    let _ = third.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    drop(idle);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(node.get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n19_readiness_says_why_not() {
    let node = Node::start(Double::with_a_book()).await;
    for address in [node.gateway, node.relay, node.admin] {
        assert_eq!(call(address, "GET", "/healthz", &[], &[]).await.status, 200);
        let ready = call(address, "GET", "/readyz", &[], &[]).await;
        assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("ready")));
    }
    node.double.following.store(false, Ordering::Relaxed);
    let not = node.get("/readyz").await;
    assert_eq!((not.status, not.json()["status"].as_str()), (503, Some("not-ready")));
    assert_eq!(not.json()["reason"], "12 heights behind");
    assert_eq!(node.get("/healthz").await.status, 200);
    let status = call(node.admin, "GET", "/v1/status", &[], &[]).await.json();
    assert_eq!((status["mode"].as_str(), status["height"].as_u64()), (Some("observer"), Some(3)));
    let examined = call(node.admin, "GET", "/v1/doctor", &[], &[]).await.json();
    assert_eq!(examined["findings"][0]["check"], "disk");
    assert_eq!(examined["findings"][0]["level"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn n28_from_a_damaged_store_nothing_is_served_but_health() {
    let node = Node::start(Double::with_a_book()).await;
    let json = [("content-type", "application/json")];
    assert_eq!(call(node.admin, "POST", "/v1/check", &json, b"{}").await.status, 202);
    assert_eq!(call(node.admin, "GET", "/v1/check", &[], &[]).await.json()["state"], "never");
    // What a foreign page may send without asking.
    let form = call(node.admin, "POST", "/v1/check", &[("content-type", "text/plain")], b"{}").await;
    assert_eq!((form.status, form.rule().as_str()), (400, "N-3"));
    let relayed = call(node.relay, "POST", "/v1/transactions", &[], b"x").await;
    assert_ne!(relayed.status, 503);
    assert_eq!(node.get("/v1/headers/latest").await.status, 200);

    node.double.damaged.store(true, Ordering::Relaxed);
    for address in [node.gateway, node.relay] {
        let refused = call(address, "GET", &format!("/v1/transactions/{}", "0".repeat(64)), &[], &[]).await;
        assert_eq!((refused.status, refused.rule().as_str()), (503, "N-28"));
        assert_eq!(refused.json()["type"], "urn:fengni:problem:damaged-store");
        assert_eq!(call(address, "GET", "/healthz", &[], &[]).await.status, 200);
    }
    assert_eq!(call(node.relay, "POST", "/v1/transactions", &[], b"x").await.rule(), "N-28");
    assert_eq!(call(node.admin, "GET", "/v1/doctor", &[], &[]).await.status, 200);
    let early = Node::start(Double::founded()).await;
    let refused = call(early.admin, "POST", "/v1/check", &json, b"{}").await;
    assert_eq!((refused.status, refused.rule().as_str()), (409, "N-28"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n25_only_the_operator_has_a_backup_written_and_no_web_page() {
    let node = Node::start(Double::with_a_book()).await;
    let json = [("content-type", "application/json")];
    let wanted = br#"{"folder":"today"}"#;
    let written = call(node.admin, "POST", "/v1/backups", &json, wanted).await;
    assert_eq!((written.status, written.json()["height"].as_u64()), (201, Some(3)));
    let refused = call(node.admin, "POST", "/v1/backups", &json, br#"{"folder":"../today"}"#).await;
    assert_eq!((refused.status, refused.rule().as_str()), (409, "N-25"));
    // What a foreign page may send without asking.
    let form = call(node.admin, "POST", "/v1/backups", &[("content-type", "text/plain")], wanted).await;
    assert_eq!((form.status, form.rule().as_str()), (400, "N-3"));
    let more = call(node.admin, "POST", "/v1/backups", &json, br#"{"folder":"a","to":"/"}"#).await;
    assert_eq!((more.status, more.rule().as_str()), (400, "N-3"));
    for address in [node.gateway, node.relay] {
        assert!([404, 405].contains(&call(address, "POST", "/v1/backups", &json, wanted).await.status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n26_an_operator_gets_evidence_in_the_form_of_the_ledger_and_nobody_else_does() {
    let node = Node::start(Double::with_a_book()).await;
    let answer = call(node.admin, "GET", "/v1/evidence", &[], &[]).await;
    assert_eq!(answer.status, 200);
    let proofs: Vec<DoubleSigning> = serde_json::from_value(answer.json()["evidence"].clone()).expect("proofs");
    let secret = sample::test_secret("PSB", KeyPurpose::Consensus, 0);
    assert!(proofs.len() == 1 && proofs[0].is_proven(&node.double.domain(), &secret.public()));
    for address in [node.gateway, node.relay] {
        assert_eq!(call(address, "GET", "/v1/evidence", &[], &[]).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_a_stopping_node_closes_its_listeners() {
    let node = Node::start(Double::with_a_book()).await;
    assert_eq!(node.get("/healthz").await.status, 200);
    node.stopping.send_replace(true);
    let finished = tokio::time::timeout(Duration::from_secs(10), node.served.finished());
    finished.await.expect("the listeners close");
    assert!(TcpStream::connect(node.gateway).await.is_err());
}
