//! Exports: the same ledger from a gateway, from a stopped node and in a node that had none; a replay
//! that is killed goes on. AUD-05, OPS-03.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use fengni_core::KeyAlgorithm;
use fengni_core::event::Event;
use fengni_core::operation::Operation;
use fengni_tests::bench::{Length, write_chain};
use fengni_tests::{Network, Paper, binary, fengni, fengni_node, holder_key};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test's own")
}

/// Opens a book, seals into it, and asks for what is refused; how many transactions that is.
fn story(network: &Network) -> u64 {
    let genesis = network.genesis();
    let mut psb = network.actor("psb", "issuing", 1, "psb");
    let book = psb.open_book("T-DL", &genesis);
    let paper = |serial| Paper::licence(serial).certify(&genesis, &genesis.domain(), &holder_key(KeyAlgorithm::P256));
    for serial in 1..=5 {
        psb.seal(book, &mut [paper(serial), paper(serial + 100)]);
    }
    let _ = psb.submit(Operation::Seal { book, lines: Vec::new() });
    1 + 5 + 1
}

#[test]
fn aud05_a_ledger_leaves_and_enters_by_a_stream() {
    let network = Network::start();
    let transactions = story(&network);
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    let last = network.height("psb").to_string();
    let founding = network.home().join("genesis.bin");
    let genesis = text(&founding).to_owned();
    let file = |name: &str| network.scratch().join(name);

    // From a gateway and from the store of the same node: the same bytes.
    let (served, stored) = (file("served.blocks"), file("stored.blocks"));
    let gateway = network.node("psb").gateway.clone();
    let arguments = ["export", "blocks", "--gateway", &gateway, "--genesis", &genesis, "--to", &last, "--out"];
    let export = |out: &Path| fengni(&[&arguments[..], &[text(out)]].concat(), b"");
    let _ = export(&served).expect(0);
    assert!(export(&served).expect(3).err.contains("not there yet"), "nothing is overwritten");
    let home = network.node("psb").home.clone();
    let running = fengni_node(&["export", "--home", text(&home), "--out", text(&stored)]);
    assert!(running.err.contains("stop the node first"), "{running:?}");
    assert_eq!(network.terminate("psb"), Some(0));
    let _ = fengni_node(&["export", "--home", text(&home), "--to", &last, "--out", text(&stored)]).expect(0);
    let stream = std::fs::read(&stored).expect("it was written");
    assert!(stream == std::fs::read(&served).expect("it was written"), "one node has one stream");
    network.run("psb");

    // Replayed from a file, from standard input and from another node: the same root, at every level.
    let replay = |more: &[&str], input: &[u8]| {
        let arguments = ["audit", "replay", "--genesis", &genesis, "--to", &last, "--json"];
        fengni(&[&arguments[..], more].concat(), input)
    };
    let replayed = replay(&["--blocks", text(&stored)], b"").expect(0).json();
    let root = replayed["state_root"].as_str().expect("a root").to_owned();
    assert_eq!(root, network.state_root("amr", last.parse().expect("a height")));
    assert_eq!((&replayed["transactions"], &replayed["refused_transactions"]), (&transactions.into(), &1.into()));
    let other = network.node("amr").gateway.clone();
    assert_eq!(replay(&["--gateway", &other], b"").expect(0).json()["state_root"], root);
    for level in ["headers", "trees", "full"] {
        let piped = replay(&["--blocks", "-", "--level", level], &stream).expect(0).json();
        assert_eq!(piped["state_root"], root, "{level}");
    }
    for (place, byte) in stream.iter().enumerate().skip(60).step_by(stream.len() / 5) {
        let mut flipped = stream.clone();
        flipped[place] = byte ^ 4;
        let refused = replay(&["--blocks", "-", "--level", "offsets"], &flipped).expect(1).json();
        assert!(refused["failed_height"].as_u64().is_some(), "byte {place}: {refused}");
    }
    let cut = replay(&["--blocks", "-"], &stream[..stream.len() - 3]).expect(0).json();
    assert_eq!(cut["state_root"], root, "--to ends before the end mark is asked for");

    // In two steps.
    let work = file("work");
    let half = ["--blocks", text(&stored), "--work", text(&work)];
    let _ = fengni(&["audit", "replay", "--genesis", &genesis, "--to", "3", half[0], half[1], half[2], half[3]], b"")
        .expect(0);
    let rest = replay(&half, b"").expect(0).json();
    assert_eq!((&rest["resumed_from"], &rest["state_root"]), (&3.into(), &root.clone().into()));

    // Events: one for each transaction, in both forms.
    let events = |format: &str| {
        let arguments = ["export", "events", "--blocks", text(&stored), "--genesis", &genesis, "--out", "-"];
        fengni(&[&arguments[..], &["--format", format]].concat(), b"").expect(0).out
    };
    let lines = events("jsonl");
    let told: Vec<Event> = lines.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(told.len() as u64, transactions);
    assert_eq!(told.iter().map(|event| event.kind.word()).collect::<BTreeSet<_>>(), ["open-book", "seal"].into());
    assert_eq!(told.iter().filter(|event| !event.done).count(), 1);
    assert!(told.iter().all(|event| event.certificate_type == told[0].certificate_type));
    assert_eq!(events("csv").lines().count() as u64, 1 + transactions);

    // Into an observer that has nothing, and into a validator that has lost all: the same root, and
    // the validator is quiet until the network has gone on.
    for name in ["observer", "hrs"] {
        let home = network.node(name).home.clone();
        network.kill(name);
        std::fs::remove_dir_all(home.join("data")).expect("the test's own folder");
        let damaged = file("damaged.blocks");
        let mut bytes = stream.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&damaged, &bytes).expect("the test's own folder");
        let refused = fengni_node(&["import", "--home", text(&home), "--blocks", text(&damaged)]);
        assert_eq!((refused.code, refused.err.contains("damaged")), (3, true), "{refused:?}");
        let imported = fengni_node(&["import", "--home", text(&home), "--blocks", text(&stored)]);
        assert!(imported.code == 0 && imported.err.contains(&root), "{imported:?}");
        assert_eq!(home.join("data/consensus/quiet").exists(), name == "hrs");
        network.run(name);
    }
    network.wait_votes("hrs");
    let _ = network
        .actor("psb", "issuing", 1, "psb")
        .submit(Operation::Seal { book: fengni_core::BookNumber(0), lines: Vec::new() });
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    for counter in ["evidence_total", "guard_refusals_total"] {
        assert_eq!(network.count("gov", &format!("fengni_consensus_{counter}"), ""), 0, "{counter}");
    }
}

#[test]
fn aud05_a_replay_that_is_killed_goes_on() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    write_chain(folder.path(), Length { blocks: 2000, transactions: 1 }).expect("room for a ledger");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (genesis, blocks, work) = (file("genesis.bin"), file("ledger.blocks"), file("work"));
    let arguments = ["audit", "replay", "--genesis", &genesis, "--work", &work, "--json", "--blocks"];
    let stream = std::fs::read(&blocks).expect("it was written");

    // What the pipe and the program hold of a stream is a few hundred blocks: once it has taken nine
    // tenths, it has run more than half.
    let mut child = Command::new(binary("fengni"))
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("standard input was asked for");
    pipe.write_all(&stream[..stream.len() / 10 * 9]).expect("it reads");
    child.kill().expect("it runs");
    let _ = child.wait().expect("it ends");

    let again = fengni(&[&arguments[..], &[&blocks]].concat(), b"").expect(0).json();
    let resumed = again["resumed_from"].as_u64().expect("a height");
    assert!((1000..2001).contains(&resumed), "{again}");
    assert_eq!((&again["height"], &again["transactions"]), (&2001.into(), &2001.into()));
    let arguments = ["audit", "replay", "--genesis", &genesis, "--json", "--blocks", &blocks];
    let whole = fengni(&arguments, b"").expect(0).json();
    assert_eq!(again["state_root"], whole["state_root"]);
}
