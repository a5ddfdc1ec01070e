//! What the gateway counts: by route, status, mode, basis and result, never by what was asked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fengni_core::sharing::{ResultCode, SidedReceipt};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

const BUCKETS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0];

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    listener: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ProblemLabels {
    problem: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct BasisLabels {
    basis: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct UseLabels {
    mode: &'static str,
    basis: &'static str,
    result: &'static str,
}

/// The counters.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<RequestLabels, Counter>,
    problems: Family<ProblemLabels, Counter>,
    latency: Histogram,
    accesses: Family<BasisLabels, Counter>,
    receipts: Family<UseLabels, Counter>,
    countersigned: Counter,
    anchored: Counter,
    waiting: Gauge,
    polled: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("fengni_provider");
        let requests = Family::default();
        registry.register("requests", "Requests by route and status", requests.clone());
        let problems = Family::default();
        registry.register("problems", "Requests that were not answered, by kind of problem", problems.clone());
        let latency = Histogram::new(BUCKETS);
        registry.register("access_seconds", "Time from an access to its answer", latency.clone());
        let accesses = Family::default();
        registry.register("accesses", "Accesses that were answered, by basis", accesses.clone());
        let receipts = Family::default();
        registry.register("receipts", "Receipts by mode, basis and result", receipts.clone());
        let countersigned = Counter::default();
        registry.register("receipts_countersigned", "Signatures of requesters taken", countersigned.clone());
        let anchored = Counter::default();
        registry.register("batches_anchored", "Batches that stand on the ledger", anchored.clone());
        let waiting = Gauge::default();
        registry.register("receipts_waiting", "Receipts in no anchored batch", waiting.clone());
        let polled = Gauge::default();
        registry.register("ledger_poll_age_millis", "Age of the last poll of the ledger", polled.clone());
        let registry = Arc::new(Mutex::new(registry));
        Self { registry, requests, problems, latency, accesses, receipts, countersigned, anchored, waiting, polled }
    }
}

impl Metrics {
    pub(super) fn request(&self, listener: &'static str, route: &str, status: u16) {
        self.requests.get_or_create(&RequestLabels { listener, route: route.to_owned(), status }).inc();
    }

    pub(super) fn problem(&self, problem: &'static str) {
        self.problems.get_or_create(&ProblemLabels { problem }).inc();
    }

    /// An access that was answered.
    pub(super) fn answered(&self, receipts: &[SidedReceipt], taken: Duration) {
        self.latency.observe(taken.as_secs_f64());
        if let Some(SidedReceipt { receipt, .. }) = receipts.first() {
            self.accesses.get_or_create(&BasisLabels { basis: receipt.basis.word() }).inc();
        }
        for SidedReceipt { receipt, .. } in receipts {
            let result = match receipt.result {
                ResultCode::Yes => "yes",
                ResultCode::No => "no",
                ResultCode::Answered => "answered",
                ResultCode::NotFound => "not-found",
                ResultCode::Refused(refusal) => refusal.word(),
            };
            let labels = UseLabels { mode: receipt.mode.word(), basis: receipt.basis.word(), result };
            self.receipts.get_or_create(&labels).inc();
        }
    }

    pub(super) fn countersigned(&self, count: usize) {
        self.countersigned.inc_by(count as u64);
    }

    pub(crate) fn anchored(&self) {
        self.anchored.inc();
    }

    /// What holds at the moment of a scrape.
    pub(super) fn now(&self, waiting: u64, polled_millis: u64) {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.polled.set(i64::try_from(polled_millis).unwrap_or(i64::MAX));
    }

    /// As OpenMetrics.
    pub(super) fn text(&self) -> String {
        let mut all = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = text::encode(&mut all, &registry) {
            tracing::warn!(%error, "metrics could not be encoded");
        }
        all
    }
}
