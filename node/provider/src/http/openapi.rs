//! The OpenAPI document: made from the routes themselves, one for each listener.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::problem::{Details, PROBLEM_JSON};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fengni provider gateway",
        version = "1",
        description = "A department's data, asked for with signed accesses and answered with receipts. Bodies are the \
                       JSON forms of sdk/spec/access.md."
    ),
    components(schemas(Details))
)]
struct Document;

/// Every answer that is not what was asked for.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let schema = utoipa::openapi::Ref::from_schema_name("Details");
        let content = utoipa::openapi::ContentBuilder::new().schema(Some(schema)).build();
        let response = utoipa::openapi::ResponseBuilder::new()
            .description("problem details, RFC 9457")
            .content(PROBLEM_JSON, content)
            .build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

/// A listener's routes, and the document of them.
pub(super) fn documented<S: Clone + Send + Sync + 'static>(routes: OpenApiRouter<S>, state: S) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi()).merge(routes).split_for_parts();
    let text = Bytes::from(serde_json::to_vec(&document).expect("the document is plain data"));
    let shown = move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() }
    };
    router.with_state(state).route("/openapi.json", get(shown))
}
