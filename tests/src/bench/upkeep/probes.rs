//! What is read of processes and disks, and of how long an answer takes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use fengni_core::BookNumber;
use fengni_core::id::CertificateId;
use fengni_core::verdict::VerdictCode;

use super::PATIENCE;
use crate::bench::feed::{WAIT, done, relay, seals};
use crate::bench::table::percentile;
use crate::network::Network;
use crate::wait::until;

/// A folder rests whose size has not changed by more than this for so long: an idle network makes a
/// block now and then.
const RESTING: u64 = 1_000_000;
const REST: Duration = Duration::from_secs(3);

/// The most memory that a process has held so far, in bytes.
///
/// # Panics
/// When it does not run.
pub(super) fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells");
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("a count")
}

/// Bytes of the files below a folder, without room that the database has set aside for its log; files
/// of several names count once.
pub(super) fn disk_used(folder: &Path) -> u64 {
    fn add(folder: &Path, seen: &mut BTreeSet<(u64, u64)>) -> u64 {
        // A database deletes its files while one looks.
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        let used = entries.flatten().map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => add(&entry.path(), seen),
            Ok(about) if seen.insert((about.dev(), about.ino())) => about.len(),
            _ => 0,
        });
        used.sum()
    }
    add(folder, &mut BTreeSet::new())
}

/// As [`disk_used`], once the database is done with moving things about: while it does, they are there
/// twice.
///
/// # Panics
/// When it is never done.
pub(super) fn disk_at_rest(folder: &Path) -> u64 {
    let mut last = (disk_used(folder), Instant::now());
    until("the database rests", PATIENCE, || {
        let used = disk_used(folder);
        if used.abs_diff(last.0) > RESTING {
            last = (used, Instant::now());
        }
        (last.1.elapsed() >= REST).then_some(used)
    })
}

/// Bytes as megabytes.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// A duration as seconds.
pub(super) fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// Whether a node proves what is recorded of a certificate, as of a height or later.
pub(super) fn is_proven(network: &Network, node: &str, certificate: &CertificateId, height: u64) -> bool {
    let verdict = network.verifier("HRS", "交通执法", &[node]).verify_identifier(certificate).verdict;
    // Nobody was checked to be the holder: of an identifier this is the best answer there is.
    verdict.code == VerdictCode::DocumentStatusOnly && verdict.as_of.is_some_and(|as_of| as_of.height.0 >= height)
}

/// Asks a node for all these certificates by one verifier, and returns the rate.
///
/// # Panics
/// When one is not proven.
pub(super) fn prove_all(network: &Network, node: &str, certificates: &[CertificateId]) -> f64 {
    let begun = Instant::now();
    let mut verifier = network.verifier("HRS", "交通执法", &[node]);
    for certificate in certificates {
        let verdict = verifier.verify_identifier(certificate).verdict;
        assert_eq!(verdict.code, VerdictCode::DocumentStatusOnly, "{node}: {}", verdict.reason.en);
    }
    crate::bench::table::rate(certificates.len(), begun.elapsed())
}

/// Submits one small seal after the other by a node until told to stop, and says how long each took
/// until it was final, as percentiles.
pub(super) fn latency(network: &Network, node: &str, book: BookNumber, mut stop: impl FnMut(usize) -> bool) -> String {
    let mut issuer = network.actor("psb", "issuing", 1, node);
    let node = relay(network, node);
    let mut took: Vec<Duration> = Vec::new();
    while !stop(took.len()) {
        let [prepared] = &seals(&mut issuer, book, 1, 1)[..] else { continue };
        let begun = Instant::now();
        let proof = node.submit(&prepared.bytes.0, WAIT).expect("the relay answers").expect("it is final in time");
        took.push(begun.elapsed());
        done(&proof.outcome.decision);
    }
    took.sort();
    let [half, most, all] = [0.5, 0.95, 1.0].map(|share| percentile(&took, share));
    format!("{half:.0} / {most:.0} / {all:.0} ms")
}
