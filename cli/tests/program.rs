//! The program as a user runs it, without any node.

use std::path::Path;
use std::process::Command;

use fengni_core::record::Role;
use fengni_genesis::{Document, Format, Genesis};
use serde_json::Value;

/// Exit code, answer and progress of a command.
fn fengni(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fengni")).args(arguments).output().expect("fengni starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn sample(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let home = folder.join("net").display().to_string();
    fengni(&[&["sample", "--home", &home], more].concat())
}

#[test]
fn the_exit_code_says_it_all() {
    let cases: [(&[&str], i32); 10] = [
        (&["id", "check", "11319900XN0100021G"], 0),
        (&["id", "check", "11319900XN0100021H"], 1),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["verify", "--help"], 0),
        (&["no-such-command"], 3),
        (&["status", "--home", "/nowhere"], 3),
        (&["up", "--home", "/nowhere"], 3),
        (&["verify", "--identifier", "1.2.3", "--as", "PSB"], 3),
        (&["audit", "replay", "--gateway", "http://127.0.0.1:1", "--genesis", "/nowhere"], 3),
    ];
    for (arguments, code) in cases {
        let (found, out, err) = fengni(arguments);
        assert_eq!(found, code, "{arguments:?}: {out}{err}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let (_, help, _) = fengni(&["--help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    // Those with commands of their own show examples there.
    let groups = [
        "id",
        "standing",
        "agreement",
        "authority",
        "key",
        "wallet",
        "audit",
        "challenge",
        "trust",
        "member",
        "gov",
        "order",
        "offence",
        "genesis",
        "recovery",
        "evidence",
        "receipt",
        "export",
        "case",
        "resource",
        "item",
        "request",
        "objection",
        "grant",
        "access",
    ];
    for command in commands.iter().filter(|command| !groups.contains(command)) {
        let (code, help, _) = fengni(&[command, "--help"]);
        assert!(code == 0 && help.contains("Examples:"), "{command}: {help}");
    }
}

#[test]
fn json_answers_carry_a_schema_and_repeat_no_persons_number() {
    let (code, out, _) = fengni(&["--json", "id", "check", "319901199003070020"]);
    let answer = json(&out);
    assert_eq!((code, &answer["schema"], &answer["valid"]), (1, &1.into(), &false.into()));
    assert_eq!(answer["reason"]["code"], "CHECK_CHARACTER");
    assert!(!out.contains("319901199003070"), "{out}");
    let (code, out, err) = fengni(&["status", "--home", "/nowhere", "--json"]);
    assert_eq!((code, &json(&out)["schema"]), (3, &1.into()));
    assert!(err.contains("next: "), "{err}");
}

#[test]
fn a_sample_is_a_whole_network_and_no_folder_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (code, out, err) = sample(folder.path(), &["--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(json(&out)["nodes"].as_array().map(Vec::len), Some(5));
    let home = folder.path().join("net");
    let read = |name: &str| std::fs::read(home.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));

    let genesis = Genesis::decode(&read("genesis.bin")).expect("the bytes are a founding");
    let text = String::from_utf8(read("genesis.toml")).expect("UTF-8");
    let again =
        Document::parse(&text, Format::Toml).and_then(|document| document.check()).expect("the text is one as well");
    assert_eq!(again.network(), genesis.network());
    let map = json(&String::from_utf8(read("network.json")).expect("UTF-8"));
    assert_eq!(map["network"], genesis.network().to_string());

    let mut ports = Vec::new();
    for node in map["nodes"].as_array().expect("a list") {
        let folder = node["home"].as_str().expect("a path");
        let config: toml::Table =
            toml::from_str(&String::from_utf8(read(&format!("{folder}/node.toml"))).expect("UTF-8")).expect("TOML");
        let member = config["member"].as_str().expect("a code");
        let record = genesis.members.iter().find(|record| record.code.as_str() == member).expect("a founding member");
        assert_eq!(node["role"] == "validator", record.roles.has(Role::Validator));
        assert_eq!(config["mode"].as_str(), node["role"].as_str());
        // The key in the file is the one the founding document names.
        let key = json(&String::from_utf8(read(&format!("{folder}/keys/peer.json"))).expect("UTF-8"));
        assert!(record.keys.iter().any(|known| known.key.to_string() == key["public"].as_str().expect("a key")));
        assert_eq!((&key["algorithm"], key["seed"].as_str().map(str::len)), (&"ed25519".into(), Some(64)));
        for section in ["gateway", "relay", "admin"] {
            ports.extend(config.get(section).map(|section| section["listen"].as_str().expect("an address").to_owned()));
        }
        let listens = ["consensus", "transactions"].into_iter().filter_map(|name| config["network"].get(name));
        ports.extend(listens.map(|address| address.as_str().expect("an address").to_owned()));
    }
    // Four validators with five listeners each, and an observer with two.
    let count = ports.len();
    ports.sort();
    ports.dedup();
    assert_eq!((count, ports.len()), (22, 22));

    let before = read("genesis.bin");
    let (code, _, err) = sample(folder.path(), &[]);
    assert!(code == 3 && err.contains("--force"), "{err}");
    assert_eq!(read("genesis.bin"), before);
    assert_eq!(sample(folder.path(), &["--force", "--validators", "7"]).0, 0);
    assert_ne!(read("genesis.bin"), before);
    let seven = Genesis::decode(&read("genesis.bin")).expect("the bytes are a founding");
    assert_eq!(seven.members.iter().filter(|member| member.power > 0).count(), 7);
}

#[cfg(unix)]
#[test]
fn secrets_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder for the test");
    assert_eq!(sample(folder.path(), &[]).0, 0);
    for path in ["nodes/psb/keys/consensus.json", "nodes/observer/keys/peer.json", "members/psb/keys/issuing-a.json"] {
        let mode = std::fs::metadata(folder.path().join("net").join(path)).expect("a key file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
    assert!(!folder.path().join("net/nodes/observer/keys/consensus.json").exists(), "an observer does not vote");
}

#[cfg(unix)]
#[test]
fn nodes_are_started_found_and_stopped_as_processes() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder for the test");
    assert_eq!(sample(folder.path(), &["--validators", "1", "--no-observer"]).0, 0);
    let home = folder.path().join("net").display().to_string();
    let program = folder.path().join("node");
    let script = |text: &str| {
        std::fs::write(&program, text).expect("a writable folder");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("our own file");
    };
    let program_path = program.display().to_string();
    let up = |more: &[&str]| fengni(&[&["up", "--home", &home, "--node-binary", &program_path], more].concat());

    // One that ends at once is named with the end of its log.
    script("#!/bin/sh\necho no such genesis\nexit 3\n");
    let (code, _, err) = up(&[]);
    assert!(code == 3 && err.contains("no such genesis"), "{err}");

    script("#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 0.1; done\n");
    assert_eq!(up(&["--no-wait"]).0, 0);
    let (code, _, err) = up(&["--no-wait"]);
    assert!(code == 3 && err.contains("runs already"), "{err}");
    assert_eq!(fengni(&["status", "--home", &home]).0, 2, "it runs and answers nothing");
    let (code, out, _) = fengni(&["down", "--home", &home, "--json"]);
    assert_eq!((code, json(&out)["nodes"][0]["result"].as_str()), (0, Some("stopped")));
    let (_, out, _) = fengni(&["down", "--home", &home, "--json"]);
    assert_eq!(json(&out)["nodes"][0]["result"], "not-running");
}

/// What needs no network: asking, a key with its proof, and saying that the holder is there.
#[test]
fn a_verifier_asks_and_a_holder_proves_a_key_without_any_node() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let net = folder.path().join("net").display().to_string();
    assert_eq!(fengni(&["sample", "--home", &net]).0, 0);
    let yhd = format!("{net}/members/yhd");
    let make = ["challenge", "make", "--home", &yhd, "--purpose", "交通执法", "--json"];
    let (code, out, err) = fengni(&make);
    assert_eq!(code, 0, "{err}");
    let made = json(&out);
    let challenge = fengni_core::challenge::Challenge::parse(made["text"].as_str().expect("a text")).expect("its own");
    assert_eq!((challenge.question.verifier.0, challenge.question.purpose.0), (7, 101));
    let (code, _, err) = fengni(&[&make[..], &["--lifetime-secs", "301"]].concat());
    assert!(code == 3 && err.contains("1 to 300"), "{err}");

    let wallet = format!("{net}/lin.wallet");
    let key = ["wallet", "key", "--wallet", &wallet, "--network", &net, "--json", "--prove"];
    for issuer in ["PSB", "东海省公安厅交通管理局", "11319900XN0100021G"] {
        let (code, out, err) = fengni(&[&key[..], &[issuer]].concat());
        assert_eq!(code, 0, "{err}");
        let made = json(&out);
        assert_eq!(made["issuer"], "11319900XN0100021G");
        let holder = fengni_core::PublicKey::from_text(made["holder_key"].as_str().expect("a key")).expect("a key");
        let proof = fengni_core::certificate::proof_from_text(made["holder_proof"].as_str().expect("a proof"));
        assert_eq!(proof.expect("a proof").algorithm(), holder.algorithm());
    }
    let (code, _, err) = fengni(&[&key[..], &["nobody"]].concat());
    assert!(code == 3 && err.contains("next: give its credit code"), "{err}");
    // Nobody vouches for a phone without a proof that it has the key.
    let [first, second] = ["GOV", "YGOV"].map(|service| {
        let (_, out, _) = fengni(&[&key[..], &[service]].concat());
        let made = json(&out);
        ["holder_key", "holder_proof"].map(|field| made[field].as_str().expect("a text").to_owned())
    });
    let home = format!("{net}/members/gov");
    let assure = |holder: &str, proof: &str, valid: &str| {
        let who = ["assure", "--home", &home, "--network", &net, "--holder-key", holder, "--holder-proof", proof];
        fengni(&[&who[..], &["--level", "real-person", "--valid", valid, "--json"]].concat())
    };
    let (code, out, err) = assure(&first[0], &first[1], "30m");
    assert_eq!(code, 0, "{err}");
    let made = json(&out);
    assert_eq!((made["service"].as_u64(), made["level"].as_str()), (Some(0), Some("real-person")));
    assert_eq!(made["expires_secs"].as_u64(), made["time_secs"].as_u64().map(|time| time + 1800));
    let assertion = fengni_core::assurance::Assertion::parse(made["text"].as_str().expect("a text"));
    assert_eq!(assertion.expect("an assertion").statement.holder.to_string(), first[0]);
    // A proof for another service, a span that is none, and one above a day.
    for (holder, proof, valid) in
        [(&second[0], &second[1], "30m"), (&first[0], &first[1], "30"), (&first[0], &first[1], "25h")]
    {
        let (code, out, err) = assure(holder, proof, valid);
        assert!(code != 0 && !out.contains("FA1:"), "{valid}: {err}");
    }
    // Nobody sits at this terminal, so that nobody said yes.
    let confirm = ["wallet", "confirm", "--wallet", &wallet, "--network", &net];
    let (code, _, err) = fengni(&confirm);
    assert!(code == 3 && err.contains("next: fengni wallet confirm"), "{err}");
    assert_eq!(fengni(&[&confirm[..], &["--yes"]].concat()).0, 0);
}
