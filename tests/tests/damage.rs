//! Damage: a corrupted engine log, a full disk, a torn write. Each ends as `node/docs/operating.md`
//! says, none in a fork or a silent stall. OPS-02, OPS-04; invariants 2 and 3.
//!
//! The full disk is a small one of its own, which takes the right to mount.

#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_tests::{Deadline, Load, Network, binary, fengni, until};
use serde_json::Value;

const ALL: [&str; 5] = ["gov", "psb", "amr", "hrs", "observer"];

/// Runs a program of the stopped node and returns its exit code and what it said.
fn node_program(network: &Network, command: &str, name: &str) -> (Option<i32>, String) {
    let done = Command::new(binary("fengni-node")).args([command, "--home"]).arg(&network.node(name).home).output();
    let done = done.expect("fengni-node starts");
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

/// Everybody has the same state and everything acknowledged, and nobody signed twice.
fn assert_whole(network: &Network, load: Load) {
    load.wait_more(3);
    load.stop().assert_kept(network, &ALL);
    network.wait_agreed(&ALL);
    for name in ALL {
        let log = network.log(name);
        let words = ["exclude each other", "a signature was refused", "panicked"];
        let found = log.lines().find(|line| words.iter().any(|word| line.contains(word)));
        assert!(found.is_none(), "{name} logged: {}", found.unwrap_or_default());
        assert_eq!(network.count(name, "fengni_consensus_evidence_total", ""), 0, "{name}");
    }
}

/// Flips one bit in the middle of a file.
fn flip(path: &Path, place: usize) {
    let mut bytes = std::fs::read(path).expect("the file is there");
    bytes[place] ^= 0x10;
    std::fs::write(path, bytes).expect("the file is writable");
}

/// Files of a node's store whose names say so, the largest last.
fn store_files(network: &Network, name: &str, is_meant: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(network.node(name).home.join("data/store")).expect("the store is there");
    let named = folder.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        named.filter(|path| path.file_name().is_some_and(|name| is_meant(&name.to_string_lossy()))).collect();
    files.sort_by_key(|path| std::fs::metadata(path).map_or(0, |data| data.len()));
    files
}

#[test]
fn ops02_a_damaged_engine_log_is_named_and_set_aside_and_nobody_signs_twice() {
    let network = Network::start();
    let load = Load::start(&network, 2);
    let log = network.node("psb").home.join("data/consensus/wal");
    // Between two heights the log is of the one before, which is never read again.
    until("the log is of the height in progress when psb dies", Deadline::default(), || {
        load.wait_more(1);
        network.kill("psb");
        // After the head of the file (12 bytes) and of its first entry (13 bytes).
        if std::fs::metadata(&log).is_ok_and(|data| data.len() > 40) {
            flip(&log, 30);
        }
        network.run("psb");
        until("psb is ready or has ended", Deadline::default(), || {
            let ready = || network.readiness("psb").is_some_and(|(status, _)| status == 200);
            (!network.is_running("psb") || ready()).then_some(())
        });
        (!network.is_running("psb")).then_some(())
    });
    assert_eq!(network.wait_end("psb"), Some(3));
    let said = network.log_end("psb");
    assert!(said.contains("is damaged") && said.contains("next: fengni-node repair-log"), "{said}");

    // Not while the record of signed votes is away: then nobody knows what the key has signed.
    let folder = log.parent().expect("it is in a folder").to_owned();
    let entries = std::fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let guard = entries
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("signed-")));
    let guard = guard.expect("psb has signed");
    let away = network.scratch().join("signed");
    std::fs::rename(&guard, &away).expect("one disk");
    let (code, said) = node_program(&network, "repair-log", "psb");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("the record of signed votes, is missing"), "{said}");
    std::fs::rename(&away, &guard).expect("one disk");

    let (code, said) = node_program(&network, "repair-log", "psb");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("set aside") && folder.join("wal.aside-1").exists(), "{said}");
    network.wait_votes("psb");
    assert_whole(&network, load);
}

/// A small disk of its own under a node's data folder.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", "size=384m", "tmpfs"]).arg(&folder).output();
        let done = done.expect("mount is there");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            done.status.success(),
            "this test mounts a small disk and needs the right to: {said}; next: run it as root"
        );
        Self { folder }
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.ballast()).expect("a file");
        let block = vec![0; 1 << 16];
        while file.write_all(&block).is_ok() {}
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

#[test]
fn ops02_a_node_whose_disk_is_full_ends_says_so_and_goes_on_once_there_is_room() {
    let network = Network::made();
    let disk = SmallDisk::mount(network.node("hrs").home.join("data"));
    network.start_all();
    let load = Load::start(&network, 2);
    load.wait_more(5);
    disk.fill();
    let code = network.wait_end("hrs");
    assert!(code.is_some_and(|code| code != 0), "a supervisor restarts what failed: {code:?}");
    let said = network.log_end("hrs");
    assert!(said.contains("next: make room"), "{said}");
    // Restarted without room it says so again; the others go on meanwhile.
    network.run("hrs");
    assert_eq!(network.wait_end("hrs"), Some(3));
    assert!(network.log_end("hrs").contains("next: make room there"), "{}", network.log_end("hrs"));
    load.wait_more(5);
    std::fs::remove_file(disk.ballast()).expect("the file is ours");
    network.wait_votes("hrs");
    assert_whole(&network, load);
    network.kill("hrs");
}

#[test]
fn ops02_a_torn_or_damaged_store_is_recovered_or_refused_and_fetched_again() {
    let network = Network::start();
    let load = Load::start(&network, 2);
    load.wait_more(5);
    // A torn write: the newest log of the database ends in the middle of what it had.
    network.kill("psb");
    let torn = store_files(&network, "psb", |name| name.ends_with(".log")).pop().expect("the database has a log");
    let length = std::fs::metadata(&torn).expect("it is there").len();
    let file = OpenOptions::new().write(true).open(&torn).expect("it is ours");
    file.set_len(length - length / 3).expect("it can be cut");
    network.wait_votes("psb");
    network.wait_agreed(&ALL);

    // Damaged tables: nothing is served from them, and the next step is told.
    assert_eq!(network.terminate("psb"), Some(0));
    let (code, said) = node_program(&network, "compact", "psb");
    assert_eq!(code, Some(0), "{said}");
    for table in store_files(&network, "psb", |name| name.ends_with(".sst")) {
        let length = std::fs::metadata(&table).expect("it is there").len();
        flip(&table, usize::try_from(length / 3).expect("a small file"));
    }
    network.run("psb");
    let code = network.wait_end("psb");
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
    let said = network.log_end("psb");
    assert!(said.contains("next: move data/store away"), "{said}");

    // The guard stays: the node fetches the ledger again and votes for no height twice.
    let home = &network.node("psb").home;
    std::fs::rename(home.join("data/store"), network.scratch().join("damaged")).expect("one disk");
    network.wait_votes("psb");
    assert_whole(&network, load);
}

#[test]
fn the_doctor_examines_running_and_stopped_nodes() {
    let network = Network::start();
    let home = network.home().display().to_string();
    let doctor = |code| fengni(&["--json", "doctor", "--home", &home, "--node", "psb"], b"").expect(code).json();
    let graves = |answer: &Value| {
        let findings = answer["nodes"][0]["findings"].as_array().expect("a list").clone();
        let failing = findings.iter().filter(|it| it["level"] == "fail").map(|it| it["check"].to_string());
        (findings.len(), failing.collect::<Vec<_>>())
    };
    let (looks, failing) = graves(&doctor(0));
    assert!(looks >= 8 && failing.is_empty(), "{looks}: {failing:?}");
    // A sample's keys are in the clear, which is for nothing else; and nodes are compared.
    let all = fengni(&["--json", "doctor", "--home", &home], b"").expect(0).json();
    let keys = all["nodes"][1]["findings"].as_array().expect("a list").iter().filter(|it| it["check"] == "keys");
    let warned: Vec<String> = keys.filter(|it| it["level"] == "warn").map(|it| it["says"].to_string()).collect();
    assert!(warned.len() == 1 && warned[0].contains("keys.consensus") && warned[0].contains("in the clear"), "{all}");
    assert_eq!((&all["compared"][0]["check"], &all["compared"][0]["level"]), (&"versions".into(), &"ok".into()));

    // A key file that others may read, and a quorum that is gone.
    let key = network.node("psb").home.join("keys/consensus.json");
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(0o644);
    ["amr", "hrs"].iter().for_each(|name| network.kill(name));
    until("psb misses the others", Deadline::default(), || {
        let (_, failing) = graves(&doctor(1));
        (failing.contains(&"\"keys\"".to_owned()) && failing.contains(&"\"peers\"".to_owned())).then_some(())
    });
    mode(0o600);

    // On its own host, once it does not run.
    let (code, said) = node_program(&network, "doctor", "psb");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("fengni doctor asks a node that runs"), "{said}");
    network.kill("psb");
    let (code, said) = node_program(&network, "doctor", "psb");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("guard: ") && said.contains("log: the engine's log can be read"), "{said}");
    let (looks, failing) = graves(&doctor(1));
    assert_eq!((looks, failing), (1, vec!["\"running\"".to_owned()]));
}
