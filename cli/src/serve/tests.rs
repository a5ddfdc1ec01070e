//! The service as a back office meets it, in front of a network that does not run.

use serde_json::{Value, json};

use super::*;
use crate::args::SampleArgs;
use crate::local::sample;
use crate::passphrase::PassphraseArgs;
use crate::signing::Opened;

/// A service of the sample's traffic police, on a port of its own.
struct Served {
    url: String,
    token: String,
    folder: tempfile::TempDir,
    _stop: tokio::sync::oneshot::Sender<()>,
    _runtime: tokio::runtime::Runtime,
}

fn args(folder: &Path) -> ServeArgs {
    ServeArgs {
        listen: "127.0.0.1:0".parse().expect("an address"),
        token: None,
        actor: ActorArgs {
            home: folder.join("net/members/psb"),
            keys: Vec::new(),
            passphrase: PassphraseArgs::default(),
            opened: Opened::default(),
        },
        connect: ConnectArgs { network: Some(folder.join("net")), ..ConnectArgs::default() },
    }
}

fn serve_sample() -> Served {
    let folder = tempfile::tempdir().expect("a folder for the test");
    sample::make(&SampleArgs {
        home: folder.path().join("net"),
        validators: 1,
        observers: Vec::new(),
        no_observer: true,
        base_port: None,
        protocol: None,
        pages: None,
        recovery_delay: 10,
        force: false,
    })
    .expect("a sample network");
    let service = Arc::new(Service::new(args(folder.path())).expect("a service"));
    let token = service.token.clone();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    runtime.spawn(serve(listener, service, async {
        let _ = stopped.await;
    }));
    Served { url, token, folder, _stop: stop, _runtime: runtime }
}

impl Served {
    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let mut response = Self::agent().get(format!("{}{path}", self.url)).call().expect("an answer");
        (response.status().as_u16(), response.body_mut().read_json().expect("JSON"))
    }

    fn post(&self, path: &str, token: Option<&str>, body: &str) -> (u16, String, Value) {
        let mut post = Self::agent().post(format!("{}{path}", self.url)).header("content-type", "application/json");
        if let Some(token) = token {
            post = post.header("authorization", format!("Bearer {token}"));
        }
        let mut response = post.send(body).expect("an answer");
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap_or_default().to_owned());
        let status = response.status().as_u16();
        (status, kind.unwrap_or_default(), response.body_mut().read_json().expect("JSON"))
    }
}

#[test]
fn only_who_knows_the_token_is_served() {
    let served = serve_sample();
    assert_eq!(served.get("/healthz").0, 200);
    let (status, described) = served.get("/openapi.json");
    assert_eq!(status, 200);
    for path in ["/v1/issue", "/v1/standing", "/v1/verify", "/v1/history/{id}"] {
        assert!(described["paths"].get(path).is_some(), "{path}");
    }
    let body = json!({ "text": "FN1:X", "purpose": "101" }).to_string();
    for token in [None, Some("another"), Some("")] {
        let (status, kind, problem) = served.post("/v1/verify", token, &body);
        assert_eq!((status, kind.as_str()), (401, "application/problem+json"));
        assert_eq!(problem["type"], "urn:fengni:problem:unauthorised");
        assert!(problem["next"].as_str().is_some_and(|next| next.contains("serve.token")));
    }
    assert_eq!(served.post("/v1/verify", Some(&served.token), &body).0, 200);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let token = served.folder.path().join("net/members/psb/serve.token");
        assert_eq!(std::fs::metadata(token).expect("the token").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn verdicts_and_problems_come_as_json() {
    let served = serve_sample();
    let token = Some(served.token.as_str());
    // Not a code: refused without asking anybody.
    let (status, _, verdict) =
        served.post("/v1/verify", token, &json!({ "text": "FN1:X", "purpose": "交通执法" }).to_string());
    assert_eq!((status, &verdict["answer"], &verdict["code"]), (200, &json!("refused"), &json!("MALFORMED")));
    assert_eq!(verdict["schema"], 1);
    assert_eq!(verdict["display"], "abnormal");
    // What is described is what is answered.
    let described = served.get("/openapi.json").1;
    let fields = described["components"]["schemas"]["Verdict"]["properties"].as_object().expect("the verdict's form");
    let answered = verdict.as_object().expect("a verdict");
    assert_eq!(fields.keys().collect::<Vec<_>>(), answered.keys().collect::<Vec<_>>());
    // Nobody can be asked: undecided, never refused.
    let id = fengni_genesis::sample::certificates()[0].identifier;
    let (status, _, verdict) = served.post("/v1/verify", token, &json!({ "text": id }).to_string());
    assert_eq!(
        (status, &verdict["answer"], &verdict["code"]),
        (200, &json!("undecided"), &json!("LEDGER_UNREACHABLE"))
    );

    let cases = [
        ("/v1/verify", json!({ "text": "FN1:X" }), 400),
        ("/v1/verify", json!({ "text": "FN1:X", "purpose": "101", "porpoise": 1 }), 400),
        ("/v1/standing", json!({ "target": "0/0", "act": "forgive", "reason": "101", "decision": "" }), 400),
        ("/v1/standing", json!({ "target": "0/0", "act": "suspend", "reason": "101", "decision": "*" }), 400),
        ("/v1/standing", json!({ "target": "0/0", "act": "suspend", "reason": "101", "decision": "eA==" }), 503),
        ("/v1/issue", json!({ "type": "T-DL", "rows": [] }), 503),
        ("/v1/forget", json!({}), 404),
    ];
    for (path, body, expected) in cases {
        let (status, kind, problem) = served.post(path, token, &body.to_string());
        assert_eq!((status, kind.as_str()), (expected, "application/problem+json"), "{path} {body} {problem}");
        assert_eq!(problem["status"], expected);
    }
}

#[test]
fn a_problem_repeats_nothing_of_the_request() {
    let served = serve_sample();
    let body = r#"{"type": "T-DL", "rows": [{"姓名": 林晓禾}]}"#;
    let (status, _, problem) = served.post("/v1/issue", Some(&served.token), body);
    assert_eq!(status, 400);
    assert!(!problem.to_string().contains("林晓禾"), "{problem}");
}

#[test]
fn other_hosts_are_kept_out() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for address in ["0.0.0.0:8700", "192.0.2.1:8700", "[::]:8700"] {
        let args = ServeArgs { listen: address.parse().expect("an address"), ..args(folder.path()) };
        let Err(error) = Service::new(args) else { panic!("{address} was allowed") };
        assert!(error.to_string().contains("next: --listen 127.0.0.1"), "{error}");
    }
}
