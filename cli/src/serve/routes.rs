//! Routes: each reads a request, does what the command line does, and answers in JSON.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use fengni_client::history::whole;
use fengni_client::issue::{Format, Target};
use fengni_client::verify::{Policy, Verifier};
use fengni_core::KeyAlgorithm;
use fengni_core::assurance::Assurance;
use fengni_core::certificate::Grade;
use fengni_core::challenge::Challenge;
use fengni_core::code::StaticCode;
use fengni_core::id::CertificateId;
use fengni_core::operation::StandingChange;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::{BODY_BYTES, Service};
use crate::ending::Ending;
use crate::history::file::events;
use crate::names::{self, Names};
use crate::output::{Output, SCHEMA};
use crate::standing::{Order, Reasoned, Wanted};
use crate::{issue, verify};

/// The document that describes the routes.
#[derive(OpenApi)]
#[openapi(info(
    title = "Fengni back office service",
    description = "Issue, act and verify on this host. Every route of /v1 asks for the token of serve.token as Authorization: Bearer."
))]
struct Described;

/// All routes.
pub(super) fn router(service: Arc<Service>) -> Router {
    let (asked, description) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(issue))
        .routes(routes!(standing))
        .routes(routes!(verify))
        .routes(routes!(history))
        .split_for_parts();
    let guarded = asked
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn_with_state(service.clone(), authorise));
    let description = description.to_json().unwrap_or_default();
    Router::new()
        .merge(guarded)
        .route("/openapi.json", get(move || async move { json_text(StatusCode::OK, description) }))
        .route("/healthz", get(|| async { json_text(StatusCode::OK, r#"{"status":"alive"}"#.to_owned()) }))
        .fallback(|| async { Problem::not_found() })
        .with_state(service)
}

async fn authorise(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match sent.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) if service.knows(token.trim()) => next.run(request).await,
        _ => Problem::unauthorised().into_response(),
    }
}

fn json_text(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer with its schema version.
fn answer(status: StatusCode, facts: &impl Serialize) -> Response {
    let mut object = Map::new();
    object.insert("schema".to_owned(), SCHEMA.into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(facts) {
        object.extend(fields);
    }
    json_text(status, Value::Object(object).to_string())
}

/// 200 done, 422 refused, 202 not known yet.
fn status_of(ending: Ending) -> StatusCode {
    match ending {
        Ending::Holds => StatusCode::OK,
        Ending::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Ending::Undecided => StatusCode::ACCEPTED,
        Ending::CouldNotRun => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Reads the request and runs the work on a thread that may wait.
async fn work<T, F>(service: Arc<Service>, body: Bytes, job: F) -> Response
where
    T: DeserializeOwned + Send + 'static,
    F: FnOnce(&Service, T) -> anyhow::Result<Response> + Send + 'static,
{
    let asked: T = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        // The parser says where it stopped; what stood there may be a person's.
        Err(error) => {
            let place = format!(
                "not the JSON of this route, at line {} column {}; next: see /openapi.json",
                error.line(),
                error.column()
            );
            return Problem::bad_request(place).into_response();
        }
    };
    run(service, move |service| job(service, asked)).await
}

async fn run<F>(service: Arc<Service>, job: F) -> Response
where
    F: FnOnce(&Service) -> anyhow::Result<Response> + Send + 'static,
{
    match tokio::task::spawn_blocking(move || job(&service)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => Problem::could_not_run(&error).into_response(),
        Err(error) => Problem::could_not_run(&anyhow::anyhow!("the work broke off: {error}")).into_response(),
    }
}

/// Rows to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IssueRequest {
    /// Certificate type: short name, type code, name or number.
    #[serde(rename = "type")]
    kind: String,
    /// Region; the member's own where left out.
    division: Option<String>,
    /// One object a certificate, with the columns of `fengni issue`.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// Issue the rows that hold although others do not.
    #[serde(default)]
    partial: bool,
    /// Day on which the certificates were granted, where that was before.
    acted: Option<String>,
    /// Folder for the holders' certificate files; none are written where left out.
    #[schema(value_type = Option<String>)]
    out: Option<PathBuf>,
}

/// Issues certificates. Rows are numbered from 1 in problems.
#[utoipa::path(post, path = "/v1/issue", request_body = IssueRequest, responses(
    (status = 200, description = "every row is on the ledger"),
    (status = 422, description = "some row was refused; see problems"),
    (status = 202, description = "it is not known of some row: send the same again"),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 503, body = Problem),
))]
async fn issue(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    work(service, body, |service, asked: IssueRequest| {
        let _one = service.act();
        let lines: Vec<String> = asked.rows.iter().map(|row| Value::Object(row.clone()).to_string()).collect();
        let lines = lines.join("\n");
        let mut connection = service.connect()?;
        let request = issue::Request {
            actor: &service.args.actor,
            kind: &asked.kind,
            division: asked.division.as_deref(),
            bytes: lines.as_bytes(),
            format: Format::JsonLines,
            folder: service.args.actor.home.clone(),
            partial: asked.partial,
            acted: asked.acted.as_deref().map(names::day).transpose()?,
            archive: service.args.actor.home.join("archive"),
            target: asked.out.map(Target::Folder),
            holder_keys: KeyAlgorithm::P256,
        };
        let issued = request.carry_out(&mut connection, &mut ())?;
        connection.save(Output::new(true));
        Ok(answer(status_of(issued.ending), &issued))
    })
    .await
}

/// An act on a certificate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StandingRequest {
    /// Identifier, or book/line.
    target: String,
    /// `suspend`, `return`, `cancel`, `annul`, `revoke`, `transfer-out`, `cancel-transfer`, `expire`, `dispute`,
    /// `clear-dispute` or `block-key`.
    act: String,
    /// Reason, by code or name.
    reason: String,
    /// The decision document in base64; only its salted hash goes to the ledger.
    decision: String,
    /// Last day of a suspension.
    until: Option<String>,
    /// Member whose suspension is returned; one's own where left out.
    hold: Option<String>,
    /// Member that may take the certificate over.
    to: Option<String>,
    /// Act as a body that the type names, though the book is one's own.
    #[serde(default)]
    as_body: bool,
}

/// Changes where a certificate stands.
#[utoipa::path(post, path = "/v1/standing", request_body = StandingRequest, responses(
    (status = 200, description = "done"),
    (status = 422, description = "the ledger refused; see refusal"),
    (status = 202, description = "it is not known: look at the history before doing it again"),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 503, body = Problem),
))]
async fn standing(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    work(service, body, |service, asked: StandingRequest| {
        let wanted = match wanted(&asked) {
            Ok(wanted) => wanted,
            Err(problem) => return Ok(problem.into_response()),
        };
        let Ok(document) = base64::engine::general_purpose::STANDARD.decode(&asked.decision) else {
            return Ok(Problem::bad_request("decision is not base64").into_response());
        };
        let _one = service.act();
        let mut connection = service.connect()?;
        let mut names = Names::default();
        let file = PathBuf::from("POST /v1/standing");
        let reason = names.reason(&mut connection, &asked.reason)?;
        let reasoned = Reasoned::new(&connection, reason, &document, &file)?;
        let actor = &service.args.actor;
        let order = Order { actor, target: &asked.target, wanted, reasoned, as_body: asked.as_body };
        let acted = order.carry_out(&mut connection, &mut names)?;
        connection.save(Output::new(true));
        Ok(answer(status_of(acted.settled.ending), &acted))
    })
    .await
}

fn wanted(asked: &StandingRequest) -> Result<Wanted<'_>, Problem> {
    Ok(match asked.act.as_str() {
        "suspend" => Wanted::Suspend(asked.until.as_deref()),
        "return" => Wanted::Return(asked.hold.as_deref()),
        "transfer-out" => match &asked.to {
            Some(to) => Wanted::TransferOut(to),
            None => return Err(Problem::bad_request("a transfer names in \"to\" the member that may take it over")),
        },
        "cancel" => Wanted::Plain(StandingChange::Cancel),
        "annul" => Wanted::Plain(StandingChange::Annul),
        "revoke" => Wanted::Plain(StandingChange::Revoke),
        "cancel-transfer" => Wanted::Plain(StandingChange::CancelTransfer),
        "expire" => Wanted::Plain(StandingChange::Expire),
        "dispute" => Wanted::Plain(StandingChange::Dispute),
        "clear-dispute" => Wanted::Plain(StandingChange::ClearDispute),
        "block-key" => Wanted::Plain(StandingChange::BlockKey),
        _ => return Err(Problem::bad_request("no such act; next: see /openapi.json")),
    })
}

/// What was scanned or typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    /// Text of a code, or a typed identifier.
    text: String,
    /// What for, by name or code; not needed for an identifier or a static code.
    #[serde(default)]
    purpose: Option<String>,
    /// The question that was asked, `FC1:...`: only an answer to it will do.
    #[serde(default)]
    challenge: Option<String>,
    /// Lowest trust grade that will do: A, B, C or D.
    #[schema(value_type = Option<String>)]
    min_grade: Option<Grade>,
    /// How an identity service must at least have checked the holder: real-name or real-person.
    #[schema(value_type = Option<String>)]
    min_assurance: Option<Assurance>,
}

/// A verdict, as `sdk/spec/verdicts.md` describes it: for the description of this service alone.
#[derive(ToSchema)]
#[schema(as = Verdict)]
#[allow(dead_code, reason = "the answer itself is the core's verdict; this tells callers its form")]
struct VerdictForm {
    /// Version of this form.
    schema: u16,
    /// `valid`, `refused` or `undecided`. It alone decides.
    answer: String,
    /// The reason by name, such as `CODE_EXPIRED`.
    code: String,
    /// The reason as a sentence, in `en` and `zh`.
    #[schema(value_type = Object)]
    reason: (),
    /// The reason in plain Chinese, at most 40 characters, to be shown large and read aloud.
    #[schema(max_length = 40)]
    plain_text: String,
    /// What a screen shows at once: `normal` for valid without a warning, else `abnormal`.
    display: String,
    /// The facts behind the reason, by `kind`.
    #[schema(value_type = Option<Object>)]
    detail: (),
    /// Codes of warnings beside a valid answer.
    warnings: Vec<String>,
    /// What was checked and held, in order.
    checked: Vec<String>,
    /// Seconds since the holder signed, since the block used, since the checkpoint.
    #[schema(value_type = Object)]
    ages: (),
    /// Height and time of the block used.
    #[schema(value_type = Option<Object>)]
    as_of: (),
    /// The certificate, with the claims shown where the answer is valid.
    #[schema(value_type = Option<Object>)]
    document: (),
    /// Which identity service vouches for the holder, how it checked, and when.
    #[schema(value_type = Option<Object>)]
    assurance: (),
    /// The node whose proof decided.
    node: Option<String>,
    /// Nodes that gave nothing of use, and why.
    troubles: Vec<String>,
}

/// Verifies a code. The answer is a verdict: `answer` is valid, refused or undecided.
#[utoipa::path(post, path = "/v1/verify", request_body = VerifyRequest, responses(
    (status = 200, description = "a verdict, whatever it says", body = VerdictForm),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 503, body = Problem),
))]
async fn verify(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    work(service, body, |service, asked: VerifyRequest| {
        let text = asked.text.trim();
        let is_paper = CertificateId::parse(text).is_ok() || StaticCode::parse(text).is_ok();
        let challenge = match asked.challenge.as_deref().map(Challenge::parse).transpose() {
            Ok(challenge) => challenge,
            Err(error) => return Ok(Problem::bad_request(format!("not a challenge: {error}")).into_response()),
        };
        let mut connection = service.connect()?;
        let purpose = match &asked.purpose {
            Some(purpose) => Names::default().purpose(&mut connection, purpose)?,
            None if is_paper => Default::default(),
            None => return Ok(Problem::bad_request("a code is verified for a purpose").into_response()),
        };
        let verifier = service.args.actor.member()?;
        let (ledger, memory) = connection.into_parts();
        let mut verifier = Verifier::new(
            ledger,
            Policy { verifier, purpose, min_grade: asked.min_grade, min_assurance: asked.min_assurance },
        );
        let seen = service.args.actor.home.join(verify::SEEN_FILE);
        let judged = verify::judge_text(&mut verifier, text, challenge.as_ref(), Some(&seen), Output::new(true))?;
        memory.save(verifier.ledger(), Output::new(true));
        Ok(answer(StatusCode::OK, &judged))
    })
    .await
}

/// Everything that happened to a certificate.
#[utoipa::path(get, path = "/v1/history/{id}",
    params(("id" = String, Path, description = "identifier, or book-line such as 0-417")),
    responses(
        (status = 200, description = "the events, and whether they are complete"),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 503, body = Problem),
    ))]
async fn history(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Response {
    run(service, move |service| {
        let target = match names::Target::parse(&id.replacen('-', "/", 1)) {
            Ok(target) => target,
            Err(error) => return Ok(Problem::bad_request(error).into_response()),
        };
        let mut connection = service.connect()?;
        let place = target.place(&mut connection)?;
        let newest = connection.ledger.highest()?.0.height;
        let history = whole(&mut connection.ledger, place, newest)?.history;
        connection.save(Output::new(true));
        let facts = serde_json::json!({
            "complete": history.is_complete(),
            "defects": history.gaps.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "as_of_height": history.as_of.0,
            "as_of_time": history.as_of.1,
            "events": events(&history, &Default::default())?,
        });
        Ok(answer(StatusCode::OK, &facts))
    })
    .await
}
