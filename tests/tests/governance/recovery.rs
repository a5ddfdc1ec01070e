//! Validators that are lost for good: recovery keys name others, and nobody is left to think that
//! nothing happened. GOV-06, OPS-04; rules F-9 to F-11.

use std::path::{Path, PathBuf};

use fengni_client::gateway::Gateway;
use fengni_client::ledger::Ledger;
use fengni_client::transport::HttpOptions;
use fengni_client::verify::Verifier;
use fengni_core::certificate::CertificateFile;
use fengni_core::verdict::VerdictCode;
use fengni_core::{BookNumber, Height, KeyAlgorithm};
use fengni_genesis::sample;
use fengni_tests::{Answer, Deadline, Load, Network, Paper, copy_folder, fengni, fengni_node, holder_key, until};

/// Long enough to be waited for, short enough for a test.
const DELAY: &str = "5";
const TRAFFIC: &str = "交通执法";

/// A network whose validators are to be lost.
struct Disaster {
    network: Network,
    handover: String,
}

/// New keys of a validator: its node votes with them, whether its machine is new or not.
struct NewKeys {
    name: &'static str,
    consensus: String,
    peer: Option<String>,
}

impl Disaster {
    fn new(network: Network) -> Self {
        let handover = network.scratch().join("recovery.json").display().to_string();
        Self { network, handover }
    }

    fn path(&self, name: &str) -> String {
        self.network.scratch().join(name).display().to_string()
    }

    fn key_file(&self, name: &str, purpose: &str) -> PathBuf {
        self.network.node(name).home.join("keys").join(format!("{purpose}-new.json"))
    }

    /// Makes a key as its holder does; the public half.
    fn new_key(&self, name: &str, purpose: &str) -> String {
        let file = self.key_file(name, purpose).display().to_string();
        let made = fengni(&["--json", "key", "new", &file, "--purpose", purpose, "--plain"], b"").expect(0).json();
        made["public"].as_str().expect("a public half").to_owned()
    }

    /// New keys for a node; with a new machine, an empty folder and a new peer key as well.
    fn new_keys(&self, name: &'static str, machine: bool) -> NewKeys {
        let home = &self.network.node(name).home;
        let consensus = self.new_key(name, "consensus");
        let mut config = std::fs::read_to_string(home.join("node.toml")).expect("the sample wrote it");
        config = config.replace("keys/consensus.json", "keys/consensus-new.json");
        let peer = machine.then(|| {
            std::fs::remove_dir_all(home.join("data")).expect("the test's own folder");
            config = config.replace("keys/peer.json", "keys/peer-new.json");
            self.new_key(name, "peer")
        });
        std::fs::write(home.join("node.toml"), config).expect("the test's own file");
        if let Some(peer) = &peer {
            self.name_peer(&self.network.node(name).peer_key(), peer);
        }
        NewKeys { name, consensus, peer }
    }

    /// Every node's configuration names a peer by its new key.
    fn name_peer(&self, old: &str, new: &str) {
        for node in self.network.nodes() {
            let path = node.home.join("node.toml");
            let config = std::fs::read_to_string(&path).expect("the sample wrote it");
            std::fs::write(&path, config.replace(old, new)).expect("the test's own file");
        }
    }

    /// Drafts a handover to these seats by whoever still answers.
    fn draft(&self, file: &str, seats: &[NewKeys], more: &[&str]) -> Answer {
        let decision = self.path("decision.txt");
        std::fs::write(&decision, "three data centres burnt").expect("the folder is writable");
        let seats: Vec<String> = seats
            .iter()
            .map(|keys| {
                let member = sample::member(&keys.name.to_uppercase()).expect("a sample member");
                let peer = keys.peer.iter().map(|peer| format!(",{peer}")).collect::<String>();
                format!("{member},1,{}{peer}", keys.consensus)
            })
            .collect();
        let seats: Vec<&str> = seats.iter().flat_map(|seat| ["--seat", seat]).collect();
        let command = ["recovery", "draft", file, "--reason", "901", "--decision", &decision];
        self.network.view(&[&command[..], &seats, more].concat())
    }

    fn sign(&self, file: &str, number: &str, holder: &str) -> Answer {
        let key = self.network.home().join("recovery").join(format!("{number}-{holder}.json"));
        fengni(&["--json", "recovery", "sign", file, "--key", &key.display().to_string(), "--number", number], b"")
    }

    fn check(&self) -> Answer {
        self.network.view(&["recovery", "check", &self.handover])
    }

    /// Gives the handover to a node that does not run.
    fn give(&self, name: &str, file: &str) -> Answer {
        let home = self.network.node(name).home.display().to_string();
        fengni_node(&["recover", "--handover", file, "--home", &home])
    }

    fn give_and_run(&self, name: &str) {
        let _ = self.give(name, &self.handover).expect(0);
        self.network.run(name);
    }
}

/// The records of what a node's keys have signed.
fn signed(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = std::fs::read_dir(home.join("data/consensus")).expect("the node has run");
    let records = folder.map(|entry| entry.expect("an entry").path());
    let is_record = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("signed-"));
    let mut records: Vec<_> =
        records.filter(is_record).map(|path| (path.clone(), std::fs::read(path).expect("ours"))).collect();
    records.sort();
    records
}

/// A licence that the network seals now.
fn licence(network: &Network, book: BookNumber) -> CertificateFile {
    let (genesis, key) = (network.genesis(), holder_key(KeyAlgorithm::P256));
    let mut files = [Paper::licence(1).certify(&genesis, &genesis.domain(), &key)];
    network.actor("psb", "issuing", 1, "gov").seal(book, &mut files);
    let [file] = files;
    file
}

#[test]
fn three_of_four_validators_are_lost_and_the_register_goes_on_for_all_to_see() {
    let network = Network::made_with(&["--recovery-delay", DELAY]);
    network.start_all();
    let mut reader = network.verifier("HRS", TRAFFIC, &["gov"]);
    reader.ledger_mut().sync().expect("an honest node");
    assert_eq!(reader.ledger().light().unacknowledged(), None);
    let store = network.scratch().join("desk.trust").display().to_string();
    let _ = network.view(&["trust", "init", &store]).expect(0);
    let _ = network.view(&["trust", "update", &store]).expect(0);

    // Two are gone, and nothing is decided any more; the third takes nothing along that others lack.
    let load = Load::start(&network, 1);
    load.wait_more(2);
    network.kill("psb");
    network.kill("amr");
    let book = load.book();
    let sealed = load.stop();
    let height = network.wait_agreed(&["gov", "hrs", "observer"]);
    network.kill("hrs");
    // Their data centres are not quite as lost as everybody believes.
    let ghosts = ["psb", "amr", "hrs"];
    for name in ghosts {
        let home = &network.node(name).home;
        copy_folder(home, &network.scratch().join("ghosts").join(name));
    }

    let disaster = Disaster::new(network);
    let network = &disaster.network;
    assert_eq!(network.terminate("gov"), Some(0));
    let seats = [disaster.new_keys("gov", false), disaster.new_keys("psb", true), disaster.new_keys("amr", true)];
    // Whoever still has the last block serves it.
    let later = disaster.path("later.json");
    let _ = disaster.draft(&later, &seats, &["--later", "3600"]).expect(0);
    let drafted = disaster.draft(&disaster.handover, &seats, &[]).expect(0).json();
    assert_eq!(drafted["plan"]["height"], height);
    for file in [&later, &disaster.handover] {
        let _ = disaster.sign(file, "0", "gov").expect(0);
    }
    assert_eq!(disaster.check().expect(1).json()["result"], "refused", "one of two signatures");
    let own = network.home().join("members/gov/keys/admin-a.json").display().to_string();
    let stranger = ["recovery", "sign", &disaster.handover, "--key", &own, "--number", "2"];
    let refused = fengni(&stranger, b"").expect(3);
    assert!(refused.err.contains("recovery key"), "{}", refused.err);
    for file in [&later, &disaster.handover] {
        let _ = disaster.sign(file, "2", "ygov").expect(0);
    }
    assert_eq!(network.view(&["recovery", "check", &later]).expect(2).json()["result"], "too-early");
    let early = disaster.give("gov", &later);
    assert!(early.code == 3 && early.err.contains("next: run this again then"), "{early:?}");
    until("the delay is over", Deadline::default(), || (disaster.check().code == 0).then_some(()));

    // The survivor has its last block, the new machines have nothing and get it from there.
    for name in ["gov", "psb", "amr"] {
        disaster.give_and_run(name);
    }
    for name in ["gov", "psb", "amr"] {
        network.wait_ready(name);
    }
    network.wait_height("gov", height + 3);
    // The observer has not been told by a person, and takes nobody else's word.
    assert_eq!(network.height("observer"), height);
    assert_eq!(network.terminate("observer"), Some(0));
    disaster.give_and_run("observer");
    network.wait_ready("observer");
    sealed.assert_kept(network, &["gov", "psb", "amr", "observer"]);
    let file = licence(network, book);
    network.wait_agreed(&["gov", "psb", "amr", "observer"]);

    // A reader with the founding alone, one that saw the old validators, and a desk that was offline.
    for reader in [&mut network.verifier("HRS", TRAFFIC, &["gov"]), &mut reader] {
        for _ in 0..2 {
            let verdict = reader.verify_file(&file).verdict;
            let recovered = verdict.recovered.map(|height| height.0);
            assert_eq!(
                (verdict.code, recovered),
                (VerdictCode::DocumentStatusOnly, Some(height)),
                "{}",
                verdict.reason.en
            );
        }
        assert_eq!(reader.ledger_mut().light_mut().acknowledge(), 1);
        assert_eq!(reader.verify_file(&file).verdict.recovered, None);
    }
    let _ = network.view(&["trust", "update", &store]).expect(0);
    let shown = fengni(&["--json", "trust", "show", &store], b"").json();
    assert_eq!(shown["recovered"], height);
    assert_eq!(fengni(&["--json", "trust", "acknowledge", &store], b"").expect(0).json()["noted"], 1);
    assert!(fengni(&["--json", "trust", "show", &store], b"").json()["recovered"].is_null());
    assert_eq!(network.replayed("psb")["recoveries"], serde_json::json!([height]), "it is named for ever");

    // A node that begins anew needs a person's word as well, and runs through the recovery with it.
    assert_eq!(network.terminate("observer"), Some(0));
    std::fs::remove_dir_all(network.node("observer").home.join("data")).expect("the test's own folder");
    disaster.give_and_run("observer");
    network.wait_agreed(&["gov", "observer"]);

    // So does one that takes the blocks from a file; a replay of the file names the recovery.
    let (home, blocks) = (network.node("observer").home.clone(), disaster.path("ledger.blocks"));
    assert_eq!(network.terminate("observer"), Some(0));
    let home = home.to_str().expect("a path of the test's own");
    let _ = fengni_node(&["export", "--home", home, "--out", &blocks]).expect(0);
    std::fs::remove_dir_all(network.node("observer").home.join("data")).expect("the test's own folder");
    let import = || fengni_node(&["import", "--home", home, "--blocks", &blocks]);
    let refused = import();
    assert!(refused.code == 3 && refused.err.contains("fengni-node recover"), "{refused:?}");
    let _ = disaster.give("observer", &disaster.handover).expect(0);
    let _ = import().expect(0);
    network.run("observer");
    network.wait_agreed(&["gov", "observer"]);
    let genesis = network.home().join("genesis.bin").display().to_string();
    for level in ["headers", "full"] {
        let arguments = ["--json", "audit", "replay", "--blocks", &blocks, "--genesis", &genesis, "--level", level];
        assert_eq!(fengni(&arguments, b"").expect(0).json()["recoveries"], serde_json::json!([height]), "{level}");
    }

    // What was lost comes back and decides another block after the last one: nobody is believed.
    for name in ["gov", "psb", "amr", "observer"] {
        assert_eq!(network.terminate(name), Some(0));
    }
    for name in ghosts {
        let home = &network.node(name).home;
        std::fs::remove_dir_all(home).expect("the test's own folder");
        copy_folder(&network.scratch().join("ghosts").join(name), home);
        network.run(name);
    }
    network.wait_height("hrs", height + 1);
    let gateway = Gateway::http(&[network.node("hrs").gateway.clone()], &HttpOptions::default());
    let ledger = Ledger::new(reader.ledger().light().clone(), gateway.expect("a URL of this test"));
    let mut reader = Verifier::new(ledger, *reader.policy());
    let verdict = reader.verify_file(&file).verdict;
    assert_eq!(verdict.code, VerdictCode::LedgerUnreachable, "{}", verdict.reason.en);
    assert_eq!(reader.ledger().light().evidence().len(), 1, "both blocks are kept");
}

#[test]
fn two_of_four_validators_are_lost_and_the_survivors_go_on() {
    let network = Network::made_with(&["--recovery-delay", DELAY, "--no-observer"]);
    network.start_all();
    let load = Load::start(&network, 1);
    load.wait_more(2);
    network.kill("amr");
    network.kill("hrs");
    let book = load.book();
    let sealed = load.stop();
    let height = network.wait_agreed(&["gov", "psb"]);
    let disaster = Disaster::new(network);
    let network = &disaster.network;
    let seats = [disaster.new_keys("gov", false), disaster.new_keys("psb", false)];
    let _ = disaster.draft(&disaster.handover, &seats, &[]).expect(0);
    let _ = disaster.sign(&disaster.handover, "1", "hrs").expect(0);
    let _ = disaster.sign(&disaster.handover, "2", "ygov").expect(0);
    until("the delay is over", Deadline::default(), || (disaster.check().code == 0).then_some(()));
    for name in ["gov", "psb"] {
        let running = disaster.give(name, &disaster.handover);
        assert!(running.err.contains("stop the node first"), "{running:?}");
        assert_eq!(network.terminate(name), Some(0));
        disaster.give_and_run(name);
    }
    network.wait_height("gov", height + 3);
    let mut ledger = network.ledger(&["gov"]);
    ledger.sync().expect("the node shows the recovery");
    let validators = ledger.light().validators_at(Height(height + 1)).expect("the light client followed it");
    assert_eq!(validators.iter().map(|it| it.member.0).collect::<Vec<_>>(), [0, 1]);
    sealed.assert_kept(network, &["gov", "psb"]);
    let load = Load::resume(network, book, 1);
    load.wait_more(3);
    let _ = load.stop();

    // A backup of after it can be put back.
    let (home, backup) = (network.node("psb").home.display().to_string(), disaster.path("backup"));
    let _ = fengni_node(&["backup", "--home", &home, "--to", &backup]).expect(0);
    assert_eq!(network.terminate("psb"), Some(0));
    let _ = fengni_node(&["restore", "--home", &home, "--from", &backup, "--force"]).expect(0);

    let guards = || signed(&network.node("psb").home);
    let before = guards();
    assert!(before.len() >= 2, "of the old key and of the new one");
    let _ = disaster.give("psb", &disaster.handover).expect(0);
    assert_eq!(guards(), before, "what a key has signed is not forgotten");

    // A second run of the same changes nothing, and a lost validator finds its way as a follower.
    disaster.give_and_run("psb");
    disaster.give_and_run("amr");
    network.wait_height("amr", height + 3);
    until("amr says that it has no vote", Deadline::default(), || {
        network.log("amr").contains("this node does not vote: member").then_some(())
    });
    network.wait_agreed(&["gov", "psb", "amr"]);
    assert_eq!(network.replayed("psb")["recoveries"], serde_json::json!([height]), "it is named for ever");
}
