//! The ledger under load: four validators and an observer on loopback, as processes.

use std::path::Path;
use std::time::{Duration, Instant};

use fengni_client::gateway::Gateway;
use fengni_client::node::{Node, Relayed};
use fengni_client::submit::Prepared;
use fengni_client::transport::HttpOptions;
use fengni_core::book::{Line, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::limits::SEAL_LINES;
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect};
use fengni_core::{BookNumber, Digest, Height, KeyAlgorithm, LineNumber, LinePlace};

use super::profile::{self, Spent};
use super::table::{Row, percentile, rate};
use crate::actors::{Actor, Paper, holder_key, random};
use crate::network::Network;
use crate::wait::{Deadline, until};

const WAIT: Duration = Duration::from_secs(10);
/// Bytes of one batch of transactions to a relay.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Transactions of one batch.
const BATCH: usize = 200;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Certificates sealed for the load figure.
    pub load: usize,
    /// Certificates on disk for the size figure.
    pub stored: usize,
    /// Transactions of one line each.
    pub singles: usize,
    /// Transactions on an idle ledger.
    pub idle: usize,
}

impl Sizes {
    /// The figures to quote.
    pub fn full() -> Self {
        Self { load: 100_000, stored: 1_000_000, singles: 10_000, idle: 100 }
    }

    /// A tenth of the work.
    pub fn quick() -> Self {
        Self { load: 10_000, stored: 100_000, singles: 2_000, idle: 20 }
    }
}

/// Starts a network and measures it.
///
/// # Panics
/// When the network does not do what it should: then there is no figure.
pub fn measure_ledger(sizes: Sizes) -> Vec<Row> {
    eprintln!("network: four validators and an observer");
    let network = Network::start();
    let mut issuer = network.actor("psb", "issuing", 2, "psb");
    let genesis = network.genesis();
    let book = issuer.open_book("T-DL", &genesis);
    let mut rows = vec![idle(&network, &mut issuer, book, sizes.idle)];
    rows.extend(load(&network, &mut issuer, book, sizes.load));
    rows.extend(singles(&network, &mut issuer, book, sizes.singles));
    rows.push(stored(&network, &mut issuer, book, sizes.stored));
    rows
}

fn relay(network: &Network, node: &str) -> Node {
    let url = network.node(node).relay.clone().expect("a validator has a relay");
    Gateway::http(&[url], &HttpOptions::default()).expect("the map names URLs").nodes()[0].clone()
}

fn gateway(network: &Network, node: &str) -> Node {
    let url = network.node(node).gateway.clone();
    Gateway::http(&[url], &HttpOptions::default()).expect("the map names URLs").nodes()[0].clone()
}

/// One transaction after the other, each when the ledger rests.
fn idle(network: &Network, issuer: &mut Actor, book: BookNumber, count: usize) -> Row {
    eprintln!("idle: {count} transactions, one by one");
    let node = relay(network, "psb");
    let mut took: Vec<Duration> = Vec::new();
    for prepared in seals(issuer, book, count, 1) {
        // The answer is there when the block is final; the others finish theirs meanwhile.
        std::thread::sleep(Duration::from_millis(100));
        let begun = Instant::now();
        let proof = node.submit(&prepared.bytes.0, WAIT).expect("the relay answers").expect("it is final in time");
        took.push(begun.elapsed());
        done(&proof.outcome.decision);
    }
    took.sort();
    Row::new(
        "submit to final, idle, p50 / p95",
        format!("{:.0} / {:.0} ms", percentile(&took, 0.5), percentile(&took, 0.95)),
        "60 ms p50",
        "one seal of one line at a time: HTTP, pool, four validators, fsync, proof of the outcome",
    )
}

/// Full seals, as a stock of certificates is loaded.
fn load(network: &Network, issuer: &mut Actor, book: BookNumber, count: usize) -> Vec<Row> {
    eprintln!("load: {count} certificates");
    let (lines, sample) = real_lines(network, issuer, count);
    let operations = lines.chunks(SEAL_LINES).map(|lines| Operation::Seal { book, lines: lines.to_vec() });
    let prepared: Vec<Prepared> = sign(issuer, operations);
    let begun = Instant::now();
    send(&relay(network, "psb"), &prepared);
    let firsts = wait_final(network, &prepared);
    let took = begun.elapsed();
    // Individually provable: certificates picked over the whole load, proven and checked.
    let checked = Instant::now();
    for (place, line) in &sample {
        let seal = place / SEAL_LINES;
        let number = firsts[seal].0 + (place % SEAL_LINES) as u64;
        let at = LinePlace { book, line: LineNumber(number) };
        let answer = issuer.ledger.line(at, None).expect("the gateway proves it");
        assert_eq!(answer.value.line(at).expect("it is in the proof"), *line, "the line of this certificate");
    }
    let proofs = rate(sample.len(), checked.elapsed());
    #[expect(clippy::cast_precision_loss)]
    let share = 100_000.0 / count as f64;
    vec![
        Row::new(
            format!("{count} certificates sealed and final"),
            format!("{:.2} s", took.as_secs_f64()),
            if share > 1.0 { "" } else { "5 s" },
            format!("from the first byte sent to the last outcome on all four validators; {} seals", prepared.len()),
        ),
        Row::new("proofs fetched and checked", format!("{proofs:.0}/s"), "", "one client, one gateway, one at a time"),
    ]
}

/// Transactions of one line each, as many as the network takes, and where their time goes.
fn singles(network: &Network, issuer: &mut Actor, book: BookNumber, count: usize) -> Vec<Row> {
    eprintln!("singles: {count} transactions of one line");
    let prepared = seals(issuer, book, count, 1);
    let before = Spent::by(network);
    let begun = Instant::now();
    let node = relay(network, "psb");
    send(&node, &prepared);
    wait_final(network, &prepared[count - 1..]);
    let mut rows = vec![Row::new(
        "single signed transactions",
        format!("{:.0}/s", rate(count, begun.elapsed())),
        "",
        "seals of one line with two signatures, batches to one relay, final on all four validators",
    )];
    rows.extend(profile::rows(network, before, count));
    rows
}

/// Bytes on disk of one node, when everything is packed.
fn stored(network: &Network, issuer: &mut Actor, book: BookNumber, count: usize) -> Row {
    let there = issuer.ledger.record::<fengni_core::book::Book>(book.0).expect("the gateway proves it").lines;
    let rest = count.saturating_sub(usize::try_from(there).expect("as many as were sealed here"));
    eprintln!("stored: {rest} more certificates");
    let mut left = rest;
    while left > 0 {
        let some = left.min(100_000);
        let prepared = seals(issuer, book, some.div_ceil(SEAL_LINES), SEAL_LINES);
        send(&relay(network, "psb"), &prepared);
        wait_final(network, &prepared);
        left -= some;
    }
    let total = issuer.ledger.record::<fengni_core::book::Book>(book.0).expect("the gateway proves it").lines;
    let home = network.node("psb").home.clone();
    assert_eq!(network.terminate("psb"), Some(0), "a clean shutdown");
    compact(&home);
    let bytes = size(&home.join("data").join("store"));
    network.run("psb");
    #[expect(clippy::cast_precision_loss)]
    let each = bytes as f64 / total as f64;
    Row::new(
        format!("disk, one node, {total} certificates"),
        format!("{each:.0} bytes each"),
        "150 bytes",
        "store compacted, logs excluded: blocks, lines, tags, pages, all indexes",
    )
}

fn compact(home: &Path) {
    let status = std::process::Command::new(crate::binaries::binary("fengni-node"))
        .args(["compact", "--home"])
        .arg(home)
        .status()
        .expect("fengni-node starts");
    assert!(status.success(), "the store is packed");
}

/// Bytes of the files in a folder, but for logs.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the store is there");
    let files = entries.map(|entry| entry.expect("a readable folder"));
    let kept = files.filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        !name.ends_with(".log") && !name.starts_with("LOG")
    });
    kept.map(|file| file.metadata().expect("a readable file").len()).sum()
}

/// Lines of real certificates, and some of them with their places in the load.
fn real_lines(network: &Network, issuer: &Actor, count: usize) -> (Vec<Line>, Vec<(usize, Line)>) {
    let genesis = network.genesis();
    let domain = issuer.ledger.domain();
    let holder = holder_key(KeyAlgorithm::Ed25519);
    let line = |number: usize| Paper::licence(number as u64).certify(&genesis, &domain, &holder).line(&domain);
    let lines: Vec<Line> = (0..count).map(line).collect();
    let sample = (0..count).step_by((count / 1000).max(1)).map(|place| (place, lines[place])).collect();
    (lines, sample)
}

/// Signed seals of lines that no certificate is behind: for the ledger they are all alike.
fn seals(issuer: &mut Actor, book: BookNumber, count: usize, lines: usize) -> Vec<Prepared> {
    let line = || Line { tag: Tag(random()), commitment: Digest(random()) };
    let operations = (0..count).map(|_| Operation::Seal { book, lines: (0..lines).map(|_| line()).collect() });
    sign(issuer, operations)
}

fn sign(issuer: &mut Actor, operations: impl Iterator<Item = Operation>) -> Vec<Prepared> {
    let valid_until: Height = issuer.submitter.valid_until(&mut issuer.ledger).expect("the gateway answers");
    let domain = issuer.ledger.domain();
    operations
        .map(|operation| {
            Prepared::sign(&domain, &issuer.signers, operation, valid_until, random()).expect("keys in memory sign")
        })
        .collect()
}

/// Hands transactions to a relay in batches.
fn send(node: &Node, prepared: &[Prepared]) {
    let mut batch: Vec<Bytes> = Vec::new();
    let mut size = 0;
    let flush = |batch: &mut Vec<Bytes>| {
        if batch.is_empty() {
            return;
        }
        let answers = node.submit_batch(batch).expect("the relay answers");
        for answer in answers {
            assert!(matches!(answer, Relayed::Accepted(_)), "{answer:?}");
        }
        batch.clear();
    };
    for transaction in prepared {
        if batch.len() == BATCH || size + transaction.bytes.0.len() > BATCH_BYTES {
            flush(&mut batch);
            size = 0;
        }
        size += transaction.bytes.0.len() + 8;
        batch.push(transaction.bytes.clone());
    }
    flush(&mut batch);
}

/// Waits until all are final on all validators, and returns the first line of each seal.
fn wait_final(network: &Network, prepared: &[Prepared]) -> Vec<LineNumber> {
    let mut firsts = Vec::new();
    for validator in network.validators() {
        let node = gateway(network, &validator.name);
        firsts = prepared
            .iter()
            .map(|transaction| {
                let proof = until("a transaction is final", Deadline(Duration::from_secs(300)), || {
                    node.transaction(transaction.id, WAIT).expect("the gateway answers")
                });
                done(&proof.outcome.decision)
            })
            .collect();
    }
    firsts
}

/// The first line of an accepted seal.
fn done(decision: &Decision) -> LineNumber {
    match decision {
        Decision::Done(Effect::Sealed { first, .. }) => *first,
        other => panic!("the ledger refused the load: {other:?}"),
    }
}
