//! What the listeners answer, and that no problem repeats what was asked.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use fengni_client::sharing::wire::{
    Answered, BatchLeaves, Batches, Countersignature, Countersignatures, HeldReceipts, Withdrawal, Withdrawn,
};
use fengni_core::outcome::Effect;
use fengni_core::sharing::{AccessRefusal, Batch, HolderQuestion, MemberSignature, ResultCode, Secret, SignedAccess};
use fengni_core::standing::{Standing, State};
use fengni_core::transaction::TransactionId;
use fengni_core::{ActNumber, Digest, Height, KeyNumber, LineNumber, LinePlace, Millis};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Arc, Gateway, Operation, Router, Settlement, departments, public};
use crate::desk::tests::Story;
use crate::double::{Clock, Double, until};
use crate::scene::{HRS, SUBJECT, Scene, YHR, application, holder};

struct Listeners {
    departments: Router,
    public: Router,
    story: Arc<Gateway>,
    ledger: Double,
    clock: Clock,
}

async fn listeners(scene: &Scene) -> (Listeners, impl Fn() -> SignedAccess) {
    let story = Story::of(scene).await;
    let clock = story.clock.clone();
    let asked: Vec<SignedAccess> = (0..4).map(|_| story.signed(scene)).collect();
    let Story { desk, folder, ledger, .. } = story;
    let there = ledger.clone();
    let submit = move |operation| {
        let Operation::WithdrawGrant { place, .. } = operation else { panic!("another operation") };
        there.withdraw(place);
        let effect = Effect::Acted { act: ActNumber(0), standing: Standing::ACTIVE.with(State::Withdrawn) };
        Ok(Settlement::Done { id: TransactionId(Digest([1; 32])), effect, height: Height(1301) })
    };
    let gateway = Arc::new(Gateway::new(desk, Box::new(submit)));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let signed = move || {
        let _kept = &folder;
        asked[next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)].clone()
    };
    (Listeners { departments: departments(&gateway), public: public(&gateway), story: gateway, ledger, clock }, signed)
}

async fn exchange(router: &Router, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    let response = router.clone().oneshot(request).await.expect("a router answers");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 24).await.expect("a body");
    (status, body.to_vec())
}

async fn post<T: DeserializeOwned>(router: &Router, path: &str, body: &impl serde::Serialize) -> (StatusCode, T) {
    let body = serde_json::to_vec(body).expect("plain data");
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body));
    let (status, body) = exchange(router, request.expect("a request")).await;
    (status, serde_json::from_slice(&body).expect("JSON"))
}

async fn get<T: DeserializeOwned>(router: &Router, path: &str) -> (StatusCode, T) {
    let (status, body) = exchange(router, Request::get(path).body(Body::empty()).expect("a request")).await;
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn i26_to_i27_from_an_access_to_the_holders_list() {
    let scene = Scene::new();
    let (listeners, signed) = listeners(&scene).await;
    let (status, answered): (_, Answered) = post(&listeners.departments, "/v1/access", &signed()).await;
    assert_eq!((status, answered.receipts.len()), (StatusCode::OK, 1));
    let receipt = &answered.receipts[0].receipt;
    let domain = listeners.story.desk.domain();

    let taken = |by| {
        let signature =
            MemberSignature { key: KeyNumber(1), signature: application(by).sign(&receipt.taken_message(&domain)) };
        Countersignatures { signatures: vec![Countersignature { number: receipt.number, signature }] }
    };
    let countersign = "/v1/receipts/countersign";
    let none = Countersignatures { signatures: vec![] };
    let (status, _): (_, Value) = post(&listeners.departments, countersign, &none).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, problem): (_, Value) = post(&listeners.departments, countersign, &taken(HRS)).await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (StatusCode::FORBIDDEN, Some("urn:fengni:problem:bad-countersignature"))
    );
    let (status, _): (_, Value) = post(&listeners.departments, countersign, &taken(YHR)).await;
    assert_eq!(status, StatusCode::OK);

    // The batch is made and brought to the ledger elsewhere.
    let journal = &listeners.story.desk.journal;
    let due = journal.due(Millis(u64::MAX), std::time::Duration::ZERO).expect("a healthy disk").expect("one waits");
    let batch = Batch::of(&domain, due.first, &due.leaves);
    journal.close_batch(&batch, &crate::journal::tests::prepared(1)).expect("a healthy disk");
    let place = LinePlace { book: receipt.book, line: LineNumber(0) };
    journal.anchored(0, place).expect("a healthy disk");

    let (_, listed): (_, Batches) = get(&listeners.public, "/v1/batches").await;
    assert_eq!((listed.batches.len(), listed.batches[0].place), (1, Some(place)));
    let (_, leaves): (_, BatchLeaves) = get(&listeners.public, "/v1/batches/0").await;
    assert_eq!(leaves.leaves, [receipt.leaf(&domain)]);
    let (status, _): (_, Value) = get(&listeners.public, "/v1/batches/1").await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let question = HolderQuestion {
        provider: HRS,
        holder: holder().public(),
        identity: None,
        from: 0,
        nonce: [1; 16],
        time: crate::scene::NOW,
    };
    let (_, mine): (_, HeldReceipts) =
        post(&listeners.public, "/v1/mine", &question.clone().sign(&domain, &holder())).await;
    let [held] = &mine.receipts[..] else { panic!("another number of receipts") };
    assert!(held.receipt.requester.is_some() && held.place == Some(place) && !mine.more);
    assert_eq!(held.path.as_ref().expect("its way").batch(&domain, &held.receipt.receipt), Ok(batch));
    let forged = question.sign(&domain, &application(YHR));
    let (status, _): (_, Value) = post(&listeners.public, "/v1/mine", &forged).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn i27_whoever_shows_who_they_are_sees_what_was_used_by_duty() {
    let scene = Scene::by_function();
    let (listeners, signed) = listeners(&scene).await;
    let (_, _): (_, Answered) = post(&listeners.departments, "/v1/access", &signed()).await;
    let domain = listeners.story.desk.domain();
    let identity = crate::scene::grant_file(crate::scene::grant_terms()).identity;
    let ask = |identity| {
        let (nonce, time) = ([1; 16], crate::scene::NOW);
        let question = HolderQuestion { provider: HRS, holder: holder().public(), identity, from: 0, nonce, time };
        question.sign(&domain, &holder())
    };
    let (_, mine): (_, HeldReceipts) = post(&listeners.public, "/v1/mine", &ask(None)).await;
    assert!(mine.receipts.is_empty(), "nothing that the key has signed");
    let (_, mine): (_, HeldReceipts) = post(&listeners.public, "/v1/mine", &ask(Some(identity.clone()))).await;
    assert_eq!(mine.receipts.len(), 1);
    // The certificate is in force no longer: it says nothing about anybody.
    listeners.ledger.withdraw(identity.place());
    let asked = listeners.ledger.lock().asked.len();
    until("a poll that was begun after it", || listeners.ledger.lock().asked.len() > asked + 6).await;
    let (status, _): (_, Value) = post(&listeners.public, "/v1/mine", &ask(Some(identity))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn i27_what_was_asked_under_no_request_is_shown_to_whom_it_names() {
    let scene = Scene::by_function();
    let (listeners, signed) = listeners(&scene).await;
    {
        let world = &mut listeners.ledger.lock().world;
        (world.requests, world.resources) = (vec![], vec![]);
    }
    let asked = listeners.ledger.lock().asked.len();
    until("a poll that was begun after it", || listeners.ledger.lock().asked.len() > asked + 6).await;
    let (_, answered): (_, Answered) = post(&listeners.departments, "/v1/access", &signed()).await;
    assert_eq!(answered.receipts[0].receipt.result, ResultCode::Refused(AccessRefusal::RequestUnknown));
    let identity = Some(crate::scene::grant_file(crate::scene::grant_terms()).identity);
    let (nonce, time) = ([1; 16], crate::scene::NOW);
    let question = HolderQuestion { provider: HRS, holder: holder().public(), identity, from: 0, nonce, time };
    let question = question.sign(&listeners.story.desk.domain(), &holder());
    let (_, mine): (_, HeldReceipts) = post(&listeners.public, "/v1/mine", &question).await;
    assert_eq!(mine.receipts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn i27_a_withdrawal_is_brought_to_the_ledger_by_its_secret_alone() {
    let scene = Scene::new();
    let (listeners, signed) = listeners(&scene).await;
    let file = crate::scene::grant_file(crate::scene::grant_terms());
    let content = file.content.digest(&listeners.story.desk.domain());
    let given = Withdrawal { place: file.place, content, secret: file.secret.clone() };
    let wrong = [
        Withdrawal { secret: Secret([1; 32]), ..given.clone() },
        Withdrawal { content: Digest([1; 32]), ..given.clone() },
        Withdrawal { place: LinePlace { line: LineNumber(1), ..file.place }, ..given.clone() },
        Withdrawal { place: LinePlace { line: LineNumber(9), ..file.place }, ..given.clone() },
    ];
    for withdrawal in wrong {
        let (status, _): (_, Value) = post(&listeners.public, "/v1/withdraw", &withdrawal).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    let acts = || listeners.ledger.lock().world.books[file.place.book.0 as usize].acts.len();
    assert_eq!(acts(), 0, "nothing of these went to the ledger");
    let (status, done): (_, Withdrawn) = post(&listeners.public, "/v1/withdraw", &given).await;
    assert_eq!((status, done.height, acts()), (StatusCode::OK, Some(Height(1301)), 1));
    let asked = listeners.ledger.lock().asked.len();
    until("a poll that was begun after it", || listeners.ledger.lock().asked.len() > asked + 6).await;
    let (status, problem): (_, Value) = post(&listeners.public, "/v1/withdraw", &given).await;
    assert_eq!((status, problem["type"].as_str()), (StatusCode::CONFLICT, Some("urn:fengni:problem:withdrawn")));
    let (_, answered): (_, Answered) = post(&listeners.departments, "/v1/access", &signed()).await;
    let result = answered.receipts[0].receipt.result;
    assert_eq!(result, ResultCode::Refused(AccessRefusal::GrantWithdrawn));
}

#[tokio::test(flavor = "multi_thread")]
async fn i28_problems_and_metrics_repeat_nothing_of_what_was_asked() {
    let scene = Scene::new();
    let (listeners, signed) = listeners(&scene).await;
    let mut said = String::new();
    let (_, _): (_, Answered) = post(&listeners.departments, "/v1/access", &signed()).await;
    let mut altered = serde_json::to_value(signed()).expect("plain data");
    altered["access"]["nonce"] = "00".repeat(16).into();
    for (body, expected) in [
        (altered.clone(), StatusCode::FORBIDDEN),
        (serde_json::json!({ "access": SUBJECT }), StatusCode::BAD_REQUEST),
        (
            serde_json::json!({ "access": { "questions": [{ "subject": SUBJECT, "why": SUBJECT }] } }),
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let (status, problem): (_, Value) = post(&listeners.departments, "/v1/access", &body).await;
        assert_eq!(status, expected);
        said.push_str(&problem.to_string());
    }
    let plain = Request::post("/v1/access").body(Body::from(SUBJECT)).expect("a request");
    let (status, body) = exchange(&listeners.departments, plain).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    said.push_str(&String::from_utf8_lossy(&body));
    let (_, body) = exchange(
        &listeners.public,
        Request::get(format!("/v1/batches/{SUBJECT}x")).body(Body::empty()).expect("a request"),
    )
    .await;
    said.push_str(&String::from_utf8_lossy(&body));
    let metrics = Request::get("/metrics").body(Body::empty()).expect("a request");
    let (status, body) = exchange(&listeners.departments, metrics).await;
    assert_eq!(status, StatusCode::OK);
    let text = String::from_utf8_lossy(&body);
    assert!(
        text.contains(r#"fengni_provider_receipts_total{mode="verify",basis="authorisation",result="yes"} 1"#),
        "{text}"
    );
    assert!(text.contains(r#"fengni_provider_accesses_total{basis="authorisation"} 1"#), "{text}");
    said.push_str(&text);
    assert!(!said.contains(SUBJECT) && !said.contains(crate::scene::CASE), "{said}");
    assert!(said.contains("NOT_SIGNED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn i28_a_gateway_that_cannot_anchor_or_knows_nothing_recent_is_not_ready() {
    let scene = Scene::new();
    let (listeners, _signed) = listeners(&scene).await;
    let ready = || async {
        let request = Request::get("/readyz").body(Body::empty()).expect("a request");
        exchange(&listeners.departments, request).await.0
    };
    let polled = || async {
        listeners.clock.pass(1);
        let (now, register) = (listeners.clock.now(), &listeners.story.desk.register);
        until("another poll", || register.freshness().is_ok_and(|known| known.polled >= now)).await;
    };
    let anchoring = &listeners.story.anchoring;
    anchoring.waits(listeners.clock.now(), "no relay answers".to_owned());
    assert_eq!(ready().await, StatusCode::OK);
    listeners.clock.pass(10_000);
    polled().await;
    anchoring.waits(listeners.clock.now(), "no relay answers".to_owned());
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
    anchoring.goes_on();
    assert_eq!(ready().await, StatusCode::OK);
    listeners.ledger.lock().are_away = true;
    listeners.clock.pass(4_001);
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_offers_its_own_and_says_so() {
    let scene = Scene::new();
    let (listeners, _signed) = listeners(&scene).await;
    let (status, document): (_, Value) = get(&listeners.departments, "/openapi.json").await;
    assert!(status == StatusCode::OK && document["paths"]["/v1/access"]["post"].is_object());
    let (_, document): (_, Value) = get(&listeners.public, "/openapi.json").await;
    assert!(document["paths"]["/v1/mine"]["post"].is_object() && document["paths"]["/v1/access"].is_null());
    let ask = |path: &str| Request::get(path).body(Body::empty()).expect("a request");
    assert_eq!(exchange(&listeners.public, ask("/metrics")).await.0, StatusCode::NOT_FOUND);
    for router in [&listeners.departments, &listeners.public] {
        assert_eq!(exchange(router, ask("/healthz")).await.0, StatusCode::OK);
        assert_eq!(exchange(router, ask("/readyz")).await.0, StatusCode::OK);
        assert_eq!(exchange(router, ask("/v1/mine/x")).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(exchange(&listeners.departments, ask("/v1/access")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let long = Request::post("/v1/access").header("content-type", "application/json");
    let long = long.body(Body::from(vec![b' '; 1024 * 1024 + 1])).expect("a request");
    assert_eq!(exchange(&listeners.departments, long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn i28_a_page_of_another_origin_asks_where_holders_do_and_nowhere_else() {
    let scene = Scene::new();
    let (listeners, _signed) = listeners(&scene).await;
    let preflight = |path: &str| {
        let asked = Request::options(path).header("origin", "https://pages.example");
        let asked = asked.header("access-control-request-method", "POST");
        asked.header("access-control-request-headers", "content-type").body(Body::empty()).expect("a request")
    };
    let allowed = |response: &axum::response::Response| response.headers().get("access-control-allow-origin").cloned();
    for (router, path, expected) in
        [(&listeners.public, "/v1/mine", Some("*")), (&listeners.departments, "/v1/access", None)]
    {
        let response = router.clone().oneshot(preflight(path)).await.expect("a router answers");
        assert_eq!(allowed(&response), expected.map(axum::http::HeaderValue::from_static), "{path}");
    }
    let asked = Request::get("/v1/batches").header("origin", "https://pages.example").body(Body::empty());
    let response = listeners.public.clone().oneshot(asked.expect("a request")).await.expect("a router answers");
    assert_eq!((response.status(), allowed(&response).is_some()), (StatusCode::OK, true));
}
