//! A new observer joins by a snapshot, until a verifier that trusts it with nothing has an answer.

use std::fs;
use std::time::{Duration, Instant};

use super::filling::Register;
use super::{PATIENCE, probes};
use crate::bench::table::Row;
use crate::network::Network;
use crate::wait::until;

/// Certificates that are asked for once the node answers.
const ASKED: usize = 200;

/// Starts the observer, which has never run, and asks it until it answers.
pub(super) fn join(network: &Network, register: &Register) -> Vec<Row> {
    eprintln!("an observer with an empty store joins");
    let name = "observer";
    let home = &network.node(name).home;
    let toml = home.join("node.toml");
    let config = fs::read_to_string(&toml).expect("the sample's file");
    fs::write(&toml, format!("{config}\n[join]\nsnapshot = true\n")).expect("the folder is writable");
    let height = network.height("gov");
    let serving = most_memory(network);

    let begun = Instant::now();
    network.run(name);
    let logged = |words: &str| -> Duration {
        until(words, PATIENCE, || {
            assert!(network.is_running(name), "{}", network.log_end(name));
            network.log(name).contains(words).then(|| begun.elapsed())
        })
    };
    let found = logged("taking a snapshot");
    let holds = logged("the snapshot holds");
    let first = &register.certificates[0];
    until("the observer answers with proof", PATIENCE, || {
        probes::is_proven(network, name, first, height).then_some(())
    });
    let took = begun.elapsed();
    network.wait_ready(name);
    let apart = (register.certificates.len() / ASKED).max(1);
    let asked: Vec<_> = register.certificates.iter().step_by(apart).cloned().collect();
    let rate = probes::prove_all(network, name, &asked);
    let disk = probes::disk_used(&home.join("data").join("store"));
    vec![
        Row::new(
            "a new observer joins by a snapshot",
            probes::seconds(took),
            "60 s",
            format!(
                "from the start of its process to the first answer proven to a verifier, as of height {height} or later; peer \
                 found after {}, snapshot checked after {}; {} certificates proven then, {rate:.0}/s",
                probes::seconds(found),
                probes::seconds(holds),
                asked.len(),
            ),
        ),
        Row::new(
            "  memory of the node that joins",
            probes::megabytes(probes::peak_memory(network.pid(name))),
            "",
            format!(
                "the most it held (VmHWM); its store takes {}; the most of a validator {} before and {} after",
                probes::megabytes(disk),
                probes::megabytes(serving),
                probes::megabytes(most_memory(network)),
            ),
        ),
    ]
}

fn most_memory(network: &Network) -> u64 {
    network.validators().map(|node| probes::peak_memory(network.pid(&node.name))).max().unwrap_or_default()
}
