//! The OpenAPI document: made from the routes themselves, one for each listener.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::{Extension, Router};
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::params::{Asked, Nothing};
use super::problem::{PROBLEM_JSON, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fengni",
        version = "1",
        description = "A ledger of electronic certificates. Octet streams are canonical encodings that carry \
                       their own proof; JSON views prove nothing. Rules: sdk/spec/http.md."
    ),
    components(schemas(Problem))
)]
struct Document;

/// Every answer that is not what was asked for.
pub(crate) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let schema = utoipa::openapi::Ref::from_schema_name("Problem");
        let content = utoipa::openapi::ContentBuilder::new().schema(Some(schema)).build();
        let response = utoipa::openapi::ResponseBuilder::new()
            .description("problem details, RFC 9457")
            .content(PROBLEM_JSON, content)
            .build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

#[derive(Clone)]
struct Text(Bytes);

/// The document of this listener.
#[utoipa::path(get, path = "/openapi.json", tag = "health", responses(
    (status = 200, body = Object, description = "this document"),
    Problems,
))]
async fn openapi(Extension(Text(text)): Extension<Text>, _: Asked<Nothing>) -> Answer {
    Answer::text(text).current()
}

/// A listener's routes with their document, and the document itself.
pub(crate) fn documented<S>(routes: OpenApiRouter<S>, state: S) -> (Router, utoipa::openapi::OpenApi)
where
    S: Clone + Send + Sync + 'static,
{
    let documented = OpenApiRouter::with_openapi(Document::openapi()).merge(routes).routes(routes!(openapi));
    let (router, document) = documented.split_for_parts();
    let text = serde_json::to_vec(&document).expect("the document is plain data");
    (router.with_state(state).layer(Extension(Text(text.into()))), document)
}
