//! The stories of `sdk/spec/http.md`, over real sockets.

mod client;
mod doors;
mod double;
mod events;
mod overload;
mod packs;
mod reads;
mod trust;
mod writes;

use super::{admin, gateway, relay};

/// A path and the operations it offers.
type Route = (String, Vec<String>);

/// Paths of a listener's document, with its operations.
fn documented(document: &utoipa::openapi::OpenApi) -> Vec<Route> {
    let value = serde_json::to_value(document).expect("plain data");
    let paths = value["paths"].as_object().expect("a document has paths");
    let operations = |item: &serde_json::Value| item.as_object().expect("operations").keys().cloned().collect();
    paths.iter().map(|(path, item)| (path.clone(), operations(item))).collect()
}

/// Every route of the three listeners, as their documents name them.
fn routes() -> [(&'static str, Vec<Route>); 3] {
    let with_document = |mut routes: Vec<Route>| {
        routes.push(("/openapi.json".into(), vec!["get".into()]));
        routes
    };
    [
        ("gateway", with_document(documented(gateway::routes().get_openapi()))),
        ("relay", with_document(documented(relay::routes().get_openapi()))),
        ("admin", with_document(documented(admin::routes().get_openapi()))),
    ]
}

/// A path with its parameters filled in.
fn filled(path: &str) -> String {
    let id = "0".repeat(64);
    path.replace("{height}", "2")
        .replace("{book}", "0")
        .replace("{line}", "0")
        .replace("{page}", "0")
        .replace("{id}", &id)
        .replace("{set}", "reasons")
        .replace("{identifier}", "1.2.156.3005.2")
        // A stream that begins at a height to come is refused; any other would not end.
        .replace("/v1/events", "/v1/events?since=99.0.0")
}
