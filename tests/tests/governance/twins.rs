//! The fault that operators do make: one validator's key at work on two machines.

use std::time::Duration;

use fengni_core::Height;
use fengni_genesis::sample;
use fengni_tests::{Deadline, Load, Network, fengni, fengni_node, until};

const EVIDENCE: &str = "fengni_consensus_evidence_total";

/// Puts a copy of a validator to work beside it, which reaches one peer alone, against every warning.
fn start_twin(network: &mut Network, of: &str, twin: &str, peer: &str) {
    network.add_twin(of, twin, &[peer]);
    let backup = network.scratch().join("backup").display().to_string();
    let (home, copy) = (network.node(of).home.display().to_string(), network.node(twin).home.display().to_string());
    let _ = fengni_node(&["backup", "--home", &home, "--to", &backup]).expect(0);
    // The record of signed votes is in no backup: what is restored elsewhere does not vote by itself.
    let restored = fengni_node(&["restore", "--home", &copy, "--from", &backup]).expect(0);
    assert!(restored.err.contains("no record of signed votes is here"), "{restored:?}");
    assert!(network.node(twin).home.join("data/consensus/quiet").exists());
    // The operator gives a word that is wrong.
    let _ = fengni_node(&["never-signed", "--home", &copy]).expect(0);
    network.run(twin);
}

#[test]
fn j14_one_key_on_two_machines_is_proven_put_on_record_and_removed() {
    let mut network = Network::made_with(&["--validators", "5"]);
    network.start_all();
    network.wait_height("hrs", 2);
    start_twin(&mut network, "hrs", "hrs-twin", "ciq");
    // Nobody is in a hurry, so that both are at the same height when it is the member's turn.
    let others = ["gov", "psb", "amr", "ciq"];
    let witness = until("a node sees two statements", Deadline(Duration::from_secs(300)), || {
        others.into_iter().find(|name| network.count(name, EVIDENCE, "") > 0)
    });
    network.kill("hrs-twin");

    let hrs = sample::member("HRS").expect("a sample member");
    let admin = network.node(witness).admin.clone();
    let report = ["offence", "report", "--admin", &admin];
    let reported = network.member_command("gov", &report).expect(0).json();
    assert_eq!(reported["reported"][0]["effect"]["offence"]["offence"], 0, "{reported}");
    let listed = network.view(&["offence", "list"]).expect(0).json();
    assert_eq!(listed["offences"][0]["proof"]["member"], hrs.0);
    let home = network.home().display().to_string();
    let status = fengni(&["--json", "status", "--home", &home], b"").json();
    assert_eq!(status["offences"][0]["proof"]["member"], hrs.0, "{status}");

    // What the ledger has on record is the ground of the removal.
    let load = Load::start(&network, 1);
    let ground = network.scratch().join("offences.json");
    std::fs::write(&ground, listed.to_string()).expect("the folder is writable");
    let ground = ground.display().to_string();
    let propose = ["gov", "propose", "remove", "HRS", "--effective", "+80", "--anyway"];
    let reason = ["--reason", "901", "--decision", &ground];
    let _ = network.member_command("gov", &[&propose[..], &reason].concat()).expect(0);
    for member in ["gov", "psb", "amr"] {
        let _ = network.member_command(member, &["gov", "vote", "0", "--approve"]).expect(0);
    }
    let shown = network.view(&["gov", "show", "0"]).expect(0).json();
    let effective = shown["effective"].as_u64().expect("a height");
    network.wait_height("gov", effective + 2);
    assert_eq!(network.set_of(Height(effective)), [0, 1, 2, 4]);
    load.stop().assert_kept(&network, &others);
    network.wait_agreed(&others);
}
