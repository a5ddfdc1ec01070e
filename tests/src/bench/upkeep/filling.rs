//! A register of some size: full seals with a real certificate in each, and small transactions.

use std::time::Instant;

use fengni_core::book::{Book, Line, Tag};
use fengni_core::id::CertificateId;
use fengni_core::limits::SEAL_LINES;
use fengni_core::operation::{Ground, Operation, StandingChange};
use fengni_core::{BookNumber, Digest, KeyAlgorithm, LineNumber, LinePlace, ReasonCode};

use super::{Extent, PATIENCE, probes};
use crate::actors::{Actor, Paper, holder_key, random};
use crate::bench::feed::{relay, send, sign, wait_final};
use crate::bench::table::Row;
use crate::network::Network;
use crate::wait::until;

/// Full seals that are in flight at once.
const SEALS: usize = 100;
/// Small transactions that are in flight at once.
const SMALL: usize = 2_000;
/// A sample reason for a suspension.
const REASON: ReasonCode = ReasonCode(101);

/// What was filled in.
pub(super) struct Register {
    /// The book.
    pub(super) book: BookNumber,
    /// Certificates that are really there, one of each full seal.
    pub(super) certificates: Vec<CertificateId>,
}

/// Fills a network whose validators run.
pub(super) fn fill(network: &Network, extent: Extent) -> (Register, Vec<Row>) {
    let begun = Instant::now();
    let mut issuer = network.actor("psb", "issuing", 2, "psb");
    let book = issuer.open_book("T-DL", &network.genesis());
    let certificates = certificates(network, &mut issuer, book, extent.certificates);
    let sealed = begun.elapsed();
    let count = transactions(network, &mut issuer, book, extent);
    let record: Book = until("everything is final", PATIENCE, || {
        let record = issuer.ledger.record::<Book>(book.0).ok()?;
        let lines = extent.certificates + count.div_ceil(2);
        (record.lines == lines as u64 && record.acts.size == (count / 2) as u64).then_some(record)
    });
    let height = network.wait_agreed(&["gov", "psb", "amr", "hrs"]);
    let rows = vec![Row::new(
        format!("register of {} certificates and {count} small transactions", extent.certificates),
        format!("{:.0} s", begun.elapsed().as_secs_f64()),
        "",
        format!(
            "{:.0} s of it for certificates; {} seals, {} acts; height {height}; {} on disk, peak memory {}",
            sealed.as_secs_f64(),
            record.seals.size,
            record.acts.size,
            probes::megabytes(probes::disk_used(&network.node("psb").home.join("data"))),
            probes::megabytes(probes::peak_memory(network.pid("psb"))),
        ),
    )];
    (Register { book, certificates }, rows)
}

fn certificates(network: &Network, issuer: &mut Actor, book: BookNumber, count: usize) -> Vec<CertificateId> {
    let (genesis, domain) = (network.genesis(), issuer.ledger.domain());
    let holder = holder_key(KeyAlgorithm::Ed25519);
    let mut identifiers = Vec::new();
    let mut left = count;
    while left > 0 {
        let some = left.min(SEALS * SEAL_LINES);
        let mut lines: Vec<Line> = (0..some).map(|_| made_up()).collect();
        for seal in lines.chunks_mut(SEAL_LINES) {
            let paper = Paper::licence(identifiers.len() as u64);
            // Somewhere in the seal, so that pages are looked into at every place.
            let place = identifiers.len() * 7 % seal.len();
            seal[place] = paper.certify(&genesis, &domain, &holder).line(&domain);
            identifiers.push(paper.identifier(&genesis));
        }
        let seals = lines.chunks(SEAL_LINES).map(|lines| Operation::Seal { book, lines: lines.to_vec() });
        let prepared = sign(issuer, seals);
        send(&relay(network, "psb"), &prepared);
        wait_final(network, &prepared);
        left -= some;
        eprintln!("  {} of {count} certificates", count - left);
    }
    identifiers
}

/// Suspensions all over the book, and seals of one line.
fn transactions(network: &Network, issuer: &mut Actor, book: BookNumber, extent: Extent) -> usize {
    let pairs = extent.transactions / 2;
    let apart = (extent.certificates / pairs.max(1)).max(1);
    assert!(pairs <= extent.certificates, "each suspension wants a certificate of its own");
    let pair = |number: usize| {
        let place = LinePlace { book, line: LineNumber((number * apart) as u64) };
        let ground = Ground { reason: REASON, decision: Digest(random()) };
        let change = StandingChange::Suspend { until: None };
        [Operation::Change { place, change, ground }, Operation::Seal { book, lines: vec![made_up()] }]
    };
    let mut done = 0;
    while done < pairs {
        let some = (pairs - done).min(SMALL / 2);
        let prepared = sign(issuer, (done..done + some).flat_map(pair));
        send(&relay(network, "psb"), &prepared);
        wait_final(network, &prepared[prepared.len() - 1..]);
        done += some;
        eprintln!("  {} of {} small transactions", 2 * done, extent.transactions);
    }
    2 * pairs
}

/// A line that no certificate is behind: for the ledger they are all alike.
fn made_up() -> Line {
    Line { tag: Tag(random()), commitment: Digest(random()) }
}
