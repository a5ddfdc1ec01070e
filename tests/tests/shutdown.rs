//! Shutdown and start: SIGTERM ends in order and loses nothing, and wrong files are refused with
//! the field's name before anything runs. OPS-02; invariant 3.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_tests::{Load, Network, binary};

const ALL: [&str; 5] = ["gov", "psb", "amr", "hrs", "observer"];

#[test]
fn sigterm_under_load_ends_with_0_and_keeps_what_was_acknowledged() {
    let network = Network::start();
    let load = Load::start(&network, 2);
    for name in ["psb", "observer", "gov"] {
        load.wait_more(3);
        assert_eq!(network.terminate(name), Some(0), "{name}: {}", network.log_end(name));
        load.wait_more(1);
        network.run(name);
        network.wait_ready(name);
        network.wait_agreed(&ALL);
    }
    load.wait_more(3);
    // All, one after the other, while clerks still try.
    for name in ALL {
        assert_eq!(network.terminate(name), Some(0), "{name}: {}", network.log_end(name));
    }
    ALL.iter().for_each(|name| network.run(name));
    ALL.iter().for_each(|name| network.wait_ready(name));
    load.wait_more(3);
    load.stop().assert_kept(&network, &ALL);
    for name in ALL {
        let log = network.log(name);
        let panicked: Vec<&str> = log.lines().skip_while(|line| !line.contains("panicked")).take(12).collect();
        assert!(panicked.is_empty(), "{name}: {}", panicked.join("\n"));
    }
}

/// Exit code and what was said.
fn node(verb: &str, home: &Path) -> (Option<i32>, String) {
    let ended = Command::new(binary("fengni-node")).args([verb, "--home"]).arg(home).output().expect("it starts");
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A copy of a node's folder with a changed configuration, as deep as the original: the path to
/// the founding is relative.
fn copy(network: &Network, name: &str, number: usize, from: &str, to: &str) -> PathBuf {
    let (original, copy) = (&network.node(name).home, network.home().join("nodes").join(format!("copy-{number}")));
    std::fs::create_dir_all(copy.join("keys")).expect("the folder is writable");
    for key in std::fs::read_dir(original.join("keys")).expect("the folder is there") {
        let key = key.expect("the folder can be read");
        std::fs::copy(key.path(), copy.join("keys").join(key.file_name())).expect("a key can be copied");
    }
    let text = std::fs::read_to_string(original.join("node.toml")).expect("sample wrote it");
    assert!(text.contains(from), "{name} has no {from}");
    std::fs::write(copy.join("node.toml"), text.replacen(from, to, 1)).expect("the folder is writable");
    copy
}

#[test]
fn a_wrong_file_is_refused_with_the_fields_name_and_the_next_step() {
    let network = Network::made();
    let home = |name: &str| network.node(name).home.clone();
    for name in ALL {
        let (code, said) = node("check", &home(name));
        assert_eq!(code, Some(0), "{said}");
        assert!(!home(name).join("data").exists(), "a check leaves nothing behind");
    }

    // Which node, what is written instead of what, and the field that must be named. Whether a member
    // and its keys are right is for the register to say, which changes: closed.rs, governance.
    let cases: [(&str, &str, &str, &str); 9] = [
        ("psb", "mode = \"validator\"", "mode = \"voter\"", "mode"),
        ("psb", "mode = \"validator\"", "mode = \"observer\"", "keys.consensus"),
        ("observer", "mode = \"observer\"", "mode = \"validator\"", "keys.consensus"),
        ("psb", "member = \"11319900XN0100021G\"", "member = \"11319900XN0100021H\"", "member"),
        ("psb", "genesis = \"../../genesis.bin\"", "genesis = \"../../nowhere.bin\"", "genesis"),
        ("psb", "genesis = \"../../genesis.bin\"", "genesis = \"node.toml\"", "genesis"),
        ("psb", "keys/peer.json", "node.toml", "keys.peer"),
        ("psb", "data = \"data\"", "data = \"data\"\nfolder = \"data\"", "folder"),
        ("psb", "[log]", "[log]\ncolour = true", "colour"),
    ];
    for (number, (name, from, to, field)) in cases.into_iter().enumerate() {
        let copy = copy(&network, name, number, from, to);
        for verb in ["check", "run"] {
            let (code, said) = node(verb, &copy);
            assert_eq!(code, Some(3), "{verb} with {to}: {said}");
            assert!(said.contains(field), "{verb} with {to} does not name {field}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
        assert!(!copy.join("data").exists(), "{to}: something was begun");
    }
    let nowhere = network.scratch().join("nowhere");
    let (code, said) = node("check", &nowhere);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("home") && said.contains("next:"), "{said}");
}

#[test]
fn a_port_that_is_taken_and_a_store_in_use_are_refused() {
    let network = Network::start();
    // The same folder a second time.
    let (code, said) = node("run", &network.node("psb").home);
    assert_eq!(code, Some(3), "{said}");
    // Its own folder, the ports of another.
    let copy = copy(&network, "psb", 0, "data = \"data\"", "data = \"own\"");
    let (code, said) = node("run", &copy);
    assert_eq!(code, Some(3), "{said}");
    network.wait_agreed(&ALL);
}
