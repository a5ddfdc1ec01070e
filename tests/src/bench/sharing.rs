//! Data sharing under load: one provider's gateway with PostgreSQL behind it, asked by many at once by duty
//! and by grants; both sides sign every receipt, and the ledger has it within seconds. SHR-06.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use fengni_client::clock;
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::sealed::ReplyKey;
use fengni_client::sharing::wire::{Answered, Countersignature, Countersignatures};
use fengni_client::transport::{Http, HttpOptions, Request, Transport as _};
use fengni_core::Millis;
use fengni_core::limits::GRANT_USES;
use fengni_core::record::AccessBasis;
use fengni_core::sharing::ResultCode;
use fengni_test_postgres::Server;

use super::profile::Spent;
use super::table::{Row, micros, percentile, rate};
use crate::actors::random;
use crate::network::Network;
use crate::provider::ProviderGateway;
use crate::sharing::{Anchored, Holder, Stage, TABLE, anchored};

/// Rows of the department's table.
const INSURED: usize = 100_000;
/// More accesses a second than are answered here: so many are signed before.
const SIGNED_A_SECOND: usize = 2_500;
/// Receipts that a client signs for at once.
const COUNTERSIGNED: usize = 16;
const ANSWER_BYTES: usize = 64 * 1024;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Clients, each of which asks again once it was answered.
    pub clients: usize,
    /// People whom it is about, each with a grant.
    pub people: usize,
    /// How long each load is.
    pub long: Duration,
}

impl Counters {
    /// The figures to quote.
    pub fn full() -> Self {
        Self { clients: 16, people: 500, long: Duration::from_secs(30) }
    }

    /// A tenth of the time.
    pub fn quick() -> Self {
        Self { clients: 16, people: 50, long: Duration::from_secs(3) }
    }
}

/// Measures a gateway, and how soon the ledger has what it answered.
///
/// # Panics
/// When the network or the gateway does not do what it should: then there is no figure.
pub fn measure_sharing(counters: Counters) -> Vec<Row> {
    eprintln!("sharing: four validators, a gateway, PostgreSQL; {:?} each by duty and by grants", counters.long);
    let mut network = Network::made();
    network.validators().for_each(|validator| network.run(&validator.name));
    network.validators().for_each(|validator| network.wait_ready(&validator.name));
    let stage = Stage::set(&network);
    let holders = stage.holders(&network, &vec![GRANT_USES; counters.people]);
    let data = Server::start();
    data.run(&insured(&holders));
    let config = format!("[database]\npostgres = {:?}\n{TABLE}", data.url());
    let mut provider = ProviderGateway::made(&mut network, "hrs", "hrs", stage.receipts, &config);
    provider.run();
    let crowd = Crowd { stage, holders, provider: &provider, clients: counters.clients };

    // What is seen for the first time is asked of the ledger: that is once for each person, and not measured.
    let mut seen = crowd.load(AccessBasis::Authorisation, counters.people, Duration::MAX).receipts;
    let most = SIGNED_A_SECOND * usize::try_from(counters.long.as_secs()).expect("seconds");
    let mut rows = Vec::new();
    for (basis, what) in [(AccessBasis::Function, "by duty"), (AccessBasis::Authorisation, "by grant")] {
        let before = Spent::of(provider.pid());
        let load = crowd.load(basis, most, counters.long);
        rows.extend(load.rows(what, counters, before.until(Spent::of(provider.pid()))));
        seen.extend(load.receipts);
    }
    let batches = anchored(&network, crowd.stage.receipts, &provider);
    rows.extend(anchoring(&batches, &seen));
    rows
}

/// The department's data: those whom it is about, and many others.
fn insured(holders: &[Holder]) -> String {
    let rows: Vec<String> = holders.iter().map(|holder| format!("('{}', 41)", holder.subject.as_str())).collect();
    format!(
        "CREATE TABLE insured (id_number text PRIMARY KEY, months integer);
         INSERT INTO insured SELECT 'nobody ' || number, number % 400 FROM generate_series(1, {INSURED}) AS number;
         INSERT INTO insured VALUES {};
         ANALYZE insured;",
        rows.join(", ")
    )
}

/// Clients of a department, and what they ask about.
struct Crowd<'a> {
    stage: Stage,
    holders: Vec<Holder>,
    provider: &'a ProviderGateway,
    clients: usize,
}

/// What came of a load.
#[derive(Default)]
struct Load {
    took: Vec<Duration>,
    receipts: Vec<(u64, Millis)>,
    span: Duration,
}

impl Crowd<'_> {
    /// So many accesses, as fast as they are answered, or for so long: whichever ends first.
    fn load(&self, basis: AccessBasis, most: usize, long: Duration) -> Load {
        let all_signed = Barrier::new(self.clients);
        let each = most.div_ceil(self.clients);
        let client = |place: usize| {
            let bodies: Vec<Vec<u8>> =
                (0..each).map(|number| self.body(basis, number * self.clients + place)).collect();
            all_signed.wait();
            self.client(&bodies, long)
        };
        let loads: Vec<Load> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients).map(|place| scope.spawn(move || client(place))).collect();
            clients.into_iter().map(|client| client.join().expect("a client was refused: see above")).collect()
        });
        let mut all = Load::default();
        for load in loads {
            all.took.extend(load.took);
            all.receipts.extend(load.receipts);
            all.span = all.span.max(load.span);
        }
        all
    }

    /// A signed access, as it is posted.
    fn body(&self, basis: AccessBasis, number: usize) -> Vec<u8> {
        let reply = ReplyKey::from_seed(&random()).public();
        let holder = &self.holders[number % self.holders.len()];
        let terms = self.stage.access(holder, basis, reply, clock::now());
        serde_json::to_vec(&self.stage.sign(terms)).expect("an access is plain data")
    }

    /// Asks one after the other over a connection that stays open, and signs for what came.
    fn client(&self, bodies: &[Vec<u8>], long: Duration) -> Load {
        let departments = self.provider.departments();
        let http = Http::new(departments.name(), &HttpOptions::default()).expect("a URL");
        let (mut load, mut signatures) = (Load::default(), Vec::new());
        let begun = Instant::now();
        for body in bodies {
            let asked = Instant::now();
            if asked - begun >= long {
                break;
            }
            let request =
                Request { path: "/v1/access".into(), body: Some(body), limit: ANSWER_BYTES, patience: Duration::ZERO };
            let response = http.exchange(&request).expect("the gateway answers");
            load.took.push(asked.elapsed());
            assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
            let answered: Answered = serde_json::from_slice(&response.body).expect("what a gateway answers");
            let receipt = &answered.receipts[0].receipt;
            assert_eq!(receipt.result, ResultCode::Yes);
            load.receipts.push((receipt.number, receipt.time));
            let signature = self.stage.countersign(receipt);
            signatures.push(Countersignature { number: receipt.number, signature });
            if signatures.len() == COUNTERSIGNED {
                countersign(&departments, &mut signatures);
            }
        }
        if !signatures.is_empty() {
            countersign(&departments, &mut signatures);
        }
        load.span = begun.elapsed();
        load
    }
}

fn countersign(departments: &Provider, signatures: &mut Vec<Countersignature>) {
    let signatures = std::mem::take(signatures);
    departments.countersign(&Countersignatures { signatures }).expect("the gateway takes them");
}

impl Load {
    fn rows(&self, what: &str, counters: Counters, spent: Duration) -> Vec<Row> {
        let mut took = self.took.clone();
        took.sort();
        let count = u32::try_from(took.len()).expect("some thousands").max(1);
        vec![
            Row::new(
                format!("accesses {what}"),
                format!("{:.0}/s", rate(took.len(), self.span)),
                "1000/s",
                format!(
                    "核验 by HTTP, {} clients one after the other for {:.0} s; {} people, {INSURED} rows in PostgreSQL; each answer \
                     sealed, each receipt signed by both sides, {COUNTERSIGNED} countersignatures at once",
                    counters.clients,
                    self.span.as_secs_f64(),
                    counters.people,
                ),
            ),
            Row::new(
                format!("  answer, p50 / p95, {what}"),
                format!("{:.0} / {:.0} ms", percentile(&took, 0.5), percentile(&took, 0.95)),
                "",
                format!("{} accesses, from the request to the answer at the client", took.len()),
            ),
            Row::new(
                format!("  processor time of the gateway, {what}"),
                micros(spent / count),
                "",
                "of one access with its countersignature, beside clients, database and validators",
            ),
        ]
    }
}

/// How soon the ledger has receipts, and by how many transactions.
fn anchoring(batches: &[Anchored], receipts: &[(u64, Millis)]) -> Vec<Row> {
    let waited = receipts.iter().map(|(number, time)| {
        let place = batches.partition_point(|batch| batch.end() <= *number);
        batches[place].time.0.saturating_sub(time.0)
    });
    let longest = Duration::from_millis(waited.max().unwrap_or_default());
    let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
    for batch in batches {
        *seconds.entry(batch.time.0 / 1_000).or_default() += 1;
    }
    vec![
        Row::new(
            "receipt to ledger, longest",
            format!("{:.1} s", longest.as_secs_f64()),
            "10 s",
            format!("from a receipt's time to that of the block with its batch; all {} receipts", receipts.len()),
        ),
        Row::new(
            "anchoring transactions, most in a second",
            seconds.values().max().copied().unwrap_or_default().to_string(),
            "10",
            format!("{} transactions in all, each a batch of receipts", batches.len()),
        ),
    ]
}
