//! Stores: backed up while the node runs, put back, and joined by a snapshot. OPS-03, OPS-04.

#![forbid(unsafe_code)]

use std::path::Path;

use fengni_tests::{Deadline, Load, Network, fengni_node, until};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test's own")
}

#[test]
fn ops03_a_validator_comes_back_from_a_backup_to_the_same_root_and_signs_nothing_twice() {
    let network = Network::start();
    let load = Load::start(&network, 1);
    load.wait_more(3);
    let home = network.node("hrs").home.clone();
    let backup = network.scratch().join("backup");
    let made = fengni_node(&["backup", "--home", text(&home), "--to", text(&backup)]);
    let manifest = made.expect(0).json();
    let height = manifest["height"].as_u64().expect("a height");
    assert_eq!(manifest["state_root"], network.state_root("psb", height), "the network's own root");
    assert!(!backup.join("consensus").exists() && !backup.join("keys").exists());
    let again = fengni_node(&["backup", "--home", text(&home), "--to", text(&backup)]);
    assert_eq!(again.code, 3, "a backup is never overwritten");

    load.wait_more(5);
    let running = fengni_node(&["restore", "--home", text(&home), "--from", text(&backup), "--force"]);
    assert!(running.err.contains("stop it first"), "{running:?}");
    network.kill("hrs");
    let newer = fengni_node(&["restore", "--home", text(&home), "--from", text(&backup)]);
    assert!(newer.err.contains("--force"), "{newer:?}");

    // The record of signed votes is on the machine: it knows until when to be quiet.
    let restored = fengni_node(&["restore", "--home", text(&home), "--from", text(&backup), "--force"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    network.run("hrs");
    network.wait_votes("hrs");

    // The whole machine is lost: without a record the node waits for the network to go on.
    network.kill("hrs");
    std::fs::remove_dir_all(home.join("data")).expect("the test's own folder");
    let restored = fengni_node(&["restore", "--home", text(&home), "--from", text(&backup)]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(home.join("data/consensus/quiet").exists());
    network.run("hrs");
    network.wait_votes("hrs");
    assert!(!home.join("data/consensus/quiet").exists());
    assert!(network.log("hrs").contains("the record of signed votes may have been lost"));

    load.wait_more(3);
    let sealed = load.stop();
    sealed.assert_kept(&network, &["gov", "psb", "amr", "hrs", "observer"]);
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    for name in ["gov", "psb", "amr", "hrs"] {
        for counter in ["evidence_total", "guard_refusals_total", "safety_failure"] {
            assert_eq!(network.count(name, &format!("fengni_consensus_{counter}"), ""), 0, "{name}: {counter}");
        }
    }
}

#[test]
fn ops04_an_observer_joins_by_a_snapshot_and_serves_the_same_register() {
    let network = Network::start();
    let load = Load::start(&network, 2);
    load.wait_more(10);
    network.kill("observer");
    let home = network.node("observer").home.clone();
    std::fs::remove_dir_all(home.join("data")).expect("the test's own folder");
    let toml = home.join("node.toml");
    let config = std::fs::read_to_string(&toml).expect("the sample's file");
    std::fs::write(&toml, format!("{config}\n[join]\nsnapshot = true\n")).expect("a file");
    load.wait_more(3);
    network.run("observer");
    network.wait_ready("observer");
    until("the snapshot is told of", Deadline::default(), || {
        network.log("observer").contains("the snapshot holds").then_some(())
    });
    load.wait_more(3);
    let sealed = load.stop();
    network.wait_agreed(&["gov", "observer"]);
    sealed.assert_kept(&network, &["observer"]);
}
