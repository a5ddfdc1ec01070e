//! What the listeners count: by listener, route template and status class, never by what was
//! asked for. Rule N-18: no personal data in a metric.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fengni_core::Day;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::clock;
use crate::counters::{Count, Counted, Counters};

/// The node's metrics, as `/metrics` shows them.
#[derive(Default)]
pub struct Metrics {
    /// Our own.
    pub registry: Registry,
    /// Further OpenMetrics texts, such as the consensus engine's.
    pub others: Vec<fn() -> String>,
    /// What is counted by day as well.
    pub counters: Arc<Counters>,
}

/// Metrics that can be shown.
pub(crate) struct Shown {
    // The registry is read by one scrape at a time.
    registry: Mutex<Registry>,
    others: Vec<fn() -> String>,
    counters: Arc<Counters>,
}

const END: &str = "# EOF\n";
/// The operator's listener.
const ADMIN: &str = "admin";

impl Shown {
    /// Registers the HTTP side's own counters and makes everything ready to be shown.
    pub(crate) fn new(mut metrics: Metrics) -> (Arc<Self>, ApiMetrics) {
        let Metrics { others, counters, .. } = metrics;
        let own = ApiMetrics::register(&mut metrics.registry, Arc::clone(&counters));
        (Arc::new(Self { registry: Mutex::new(metrics.registry), others, counters }), own)
    }

    /// What was counted by day.
    pub(crate) fn counted(&self, from: Day, to: Day) -> Counted {
        self.counters.counted(from, to)
    }

    /// One OpenMetrics text of all sources.
    pub(crate) fn text(&self) -> String {
        let mut all = String::new();
        {
            let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = text::encode(&mut all, &registry) {
                tracing::warn!(%error, "metrics could not be encoded");
            }
        }
        for other in &self.others {
            // Each source ends its own text; only the last end stays.
            all.truncate(all.trim_end_matches(END).len());
            all.push_str(&other());
        }
        if !all.ends_with(END) {
            all.push_str(END);
        }
        all
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    listener: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RouteLabels {
    listener: &'static str,
    route: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CauseLabels {
    listener: &'static str,
    cause: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ProblemLabels {
    listener: &'static str,
    problem: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct AnswerLabels {
    answer: &'static str,
}

/// Counters of the HTTP side.
#[derive(Clone)]
pub(crate) struct ApiMetrics {
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    refused: Family<CauseLabels, Counter>,
    visits: Counter,
    queries: Family<KindLabels, Counter>,
    problems: Family<ProblemLabels, Counter>,
    submissions: Family<AnswerLabels, Counter>,
    connections: Family<ListenerLabels, Gauge>,
    days: Arc<Counters>,
}

impl ApiMetrics {
    fn register(registry: &mut Registry, days: Arc<Counters>) -> Self {
        let metrics = Self {
            requests: Family::default(),
            latency: Family::new_with_constructor(|| {
                Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
            }),
            refused: Family::default(),
            visits: Counter::default(),
            queries: Family::default(),
            problems: Family::default(),
            submissions: Family::default(),
            connections: Family::default(),
            days,
        };
        let registry = registry.sub_registry_with_prefix("fengni_http");
        registry.register("requests", "Requests by route and class of status", metrics.requests.clone());
        registry.register("seconds", "Seconds from head to answer, waits included", metrics.latency.clone());
        registry.register("refused", "Requests and connections turned away for lack of room", metrics.refused.clone());
        registry.register("visits", "Pages opened", metrics.visits.clone());
        registry.register("problems", "Requests answered with a problem, by its name", metrics.problems.clone());
        registry.register("queries", "Queries answered, by kind", metrics.queries.clone());
        registry.register("submissions", "Transactions handed in, by answer", metrics.submissions.clone());
        registry.register("connections", "Connections open now", metrics.connections.clone());
        metrics
    }

    /// Counts an answered request.
    pub(crate) fn request(&self, listener: &'static str, route: &str, status: u16, taken: Duration) {
        let class = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        let labels = RequestLabels { listener, route: route.to_owned(), status: class };
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { listener, route: route.to_owned() };
        self.latency.get_or_create(&labels).observe(taken.as_secs_f64());
        if let Some(kind) = query_kind(route).filter(|_| status < 400) {
            self.queries.get_or_create(&KindLabels { kind }).inc();
            self.days.count(clock::now(), Count::Query(kind));
        }
    }

    /// Counts a page that was opened.
    pub(crate) fn visit(&self) {
        self.visits.inc();
        self.days.count(clock::now(), Count::Visit);
    }

    /// Counts a request that was answered with a problem. Those of the operator are not statistics.
    pub(crate) fn problem(&self, listener: &'static str, problem: &'static str) {
        self.problems.get_or_create(&ProblemLabels { listener, problem }).inc();
        if listener != ADMIN {
            self.days.count(clock::now(), Count::Problem(problem));
        }
    }

    /// Counts what was turned away for lack of room.
    pub(crate) fn refused(&self, listener: &'static str, cause: &'static str) {
        self.refused.get_or_create(&CauseLabels { listener, cause }).inc();
    }

    /// Counts a transaction that was handed in.
    pub(crate) fn submission(&self, answer: &'static str) {
        self.submissions.get_or_create(&AnswerLabels { answer }).inc();
        self.days.count(clock::now(), Count::Submission(answer));
    }

    /// The listener's open connections.
    pub(crate) fn connections(&self, listener: &'static str) -> Gauge {
        self.connections.get_or_create(&ListenerLabels { listener }).clone()
    }
}

/// The category a route's queries are counted under (SVC-06); `None` for what is no query.
pub(crate) fn query_kind(route: &str) -> Option<&'static str> {
    Some(match route {
        "/v1/network" | "/v1/genesis" => "network",
        "/v1/headers/latest" | "/v1/headers/{height}" => "header",
        "/v1/handovers" | "/v1/recoveries" => "handover",
        "/v1/checkpoint" => "checkpoint",
        "/v1/blocks/{height}" => "block",
        "/v1/blocks/{height}/outcomes" => "outcome",
        "/v1/events" => "subscription",
        "/v1/proofs" => "entries",
        "/v1/proofs/line" => "line",
        "/v1/proofs/identifier/{identifier}" => "identifier",
        "/v1/history/{book}/{line}" => "history",
        "/v1/pages/{book}/{page}" => "page",
        "/v1/packs" | "/v1/packs/index" => "pack",
        "/v1/transactions/{id}" => "outcome",
        "/v1/codes" | "/v1/codes/{set}" => "reference-code",
        "/v1/members" | "/v1/types" | "/v1/authorities" | "/v1/agreements" | "/v1/books" => "registry",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_several_sources_have_one_end() {
        let other = || "# HELP engine_up Up.\n# TYPE engine_up gauge\nengine_up 1\n# EOF\n".to_owned();
        let metrics = Metrics { others: vec![other, other], ..Metrics::default() };
        let (shown, own) = Shown::new(metrics);
        own.request("gateway", "/v1/codes/{set}", 200, Duration::from_millis(2));
        own.request("gateway", "/v1/codes/{set}", 404, Duration::from_millis(2));
        let text = shown.text();
        assert_eq!(text.matches("# EOF").count(), 1);
        assert!(text.ends_with("engine_up 1\n# EOF\n"));
        assert!(text.contains("fengni_http_queries_total{kind=\"reference-code\"} 1"), "{text}");
        assert!(text.contains("status=\"4xx\"} 1"), "{text}");
    }
}
