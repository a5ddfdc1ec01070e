//! J14: two of five down, and a validator that lies.

use fengni_client::keys::{KeyFile, Passphrases};
use fengni_core::record::{DoubleSigning, SignedKind, SignedStatement};
use fengni_core::{BlockId, Digest, Height, KeyAlgorithm, MemberNumber, SecretKey, VoteStep, vote_bytes};
use fengni_genesis::sample;
use fengni_tests::{Deadline, Load, Network, fengni, holder_key, until};
use serde_json::Value;

const FIVE: [&str; 5] = ["gov", "psb", "amr", "hrs", "ciq"];

/// Two first votes for one round, by a key of a member.
fn twice(network: &Network, member: MemberNumber, key: &SecretKey, height: u64) -> DoubleSigning {
    let domain = network.genesis().domain();
    let statement = |block: Option<BlockId>| SignedStatement {
        block,
        valid_round: None,
        signature: key.sign(&vote_bytes(&domain, VoteStep::Prevote, Height(height), 0, block, member)),
    };
    let (first, second) = (statement(None), statement(Some(BlockId(Digest([7; 32])))));
    DoubleSigning { member, height: Height(height), round: 0, kind: SignedKind::Prevote, first, second }
}

/// Reports a proof from a file, as an operator does, and returns the exit code's answer.
fn report(network: &Network, proof: &DoubleSigning, code: i32) -> Value {
    let path = network.scratch().join("proof.json");
    let text = serde_json::json!({ "evidence": [proof] }).to_string();
    std::fs::write(&path, text).expect("the folder is writable");
    let path = path.display().to_string();
    network.member_command("gov", &["offence", "report", "--file", &path]).expect(code).json()
}

#[test]
fn j14_two_of_five_down_halt_the_chain_and_reads_go_on() {
    let network = Network::made_with(&["--validators", "5"]);
    network.start_all();
    let load = Load::start(&network, 1);
    load.wait_more(3);
    network.kill("amr");
    network.kill("ciq");
    until("gov is not ready", Deadline::default(), || network.readiness("gov").filter(|(status, _)| *status == 503));
    let (height, settled) = (network.height("gov"), load.settled());
    let age = || {
        let said = network.view(&["network"]).expect(0).json();
        assert_eq!(said["height"].as_u64(), Some(network.height("gov")));
        said["age_secs"].as_u64().expect("an age")
    };
    let first = age();
    until("the answer grows older", Deadline::default(), || (age() > first).then_some(()));
    assert_eq!((network.height("gov"), network.height("hrs")), (height, height), "no quorum, no block");
    assert_eq!(load.settled(), settled);
    network.run("amr");
    network.run("ciq");
    load.wait_more(3);
    load.stop().assert_kept(&network, &FIVE);
    network.wait_agreed(&FIVE);
}

#[test]
fn j14_a_validator_that_signs_twice_is_put_on_record_and_removed_by_vote() {
    let network = Network::made_with(&["--validators", "5"]);
    network.start_all();
    let load = Load::start(&network, 1);
    load.wait_more(2);
    let hrs = sample::member("HRS").expect("a sample member");
    let file = KeyFile::load(&network.node("hrs").home.join("keys/consensus.json")).expect("sample wrote it");
    let key = file.secret(&Passphrases::asked()).expect("not encrypted");
    let proof = twice(&network, hrs, &key, 3);

    // Nobody is accused of what his key did not sign.
    let forged = twice(&network, hrs, &holder_key(KeyAlgorithm::Ed25519), 3);
    assert_eq!(report(&network, &forged, 1)["reported"][0]["refusal"]["name"], "NOT_PROVEN");
    assert_eq!(report(&network, &proof, 0)["reported"][0]["effect"]["offence"]["offence"], 0);
    assert_eq!(report(&network, &proof, 0)["reported"], serde_json::json!([]));
    // The nodes themselves saw nobody sign twice.
    let none = network.member_command("psb", &["offence", "report"]).expect(0).json();
    assert_eq!(none["reported"], serde_json::json!([]));
    let listed = network.view(&["offence", "list"]).expect(0).json();
    assert_eq!(listed["offences"][0]["proof"]["member"], hrs.0);
    let home = network.home().display().to_string();
    // Whatever it says of processes that it did not start.
    let status = fengni(&["--json", "status", "--home", &home], b"");
    assert_eq!(status.json()["offences"].as_array().map(Vec::len), Some(1));

    // Removal leaves the fewest validators there may be: people are told before they sign.
    let simulated = network.view(&["gov", "simulate", "remove", "HRS"]).expect(2).json();
    assert_eq!(simulated["warnings"][0]["warning"], "at-minimum");
    let propose = ["gov", "propose", "remove", "HRS", "--effective", "+120"];
    assert_eq!(network.decree("gov", &propose, "901").expect(2).json()["result"], "warns");
    let asked = network.decree("gov", &[&propose[..], &["--anyway"]].concat(), "901").expect(0).json();
    assert_eq!(asked["effect"]["proposal"]["proposal"], 0);
    let own = network.member_command("hrs", &["gov", "vote", "0", "--oppose"]).expect(1).json();
    assert_eq!(own["refusal"]["name"], "NOT_ENTITLED");
    for member in ["gov", "psb", "amr"] {
        let _ = network.member_command(member, &["gov", "vote", "0", "--approve"]).expect(0);
    }
    let shown = network.view(&["gov", "show", "0"]).expect(0).json();
    assert_eq!((&shown["approved"], &shown["needed"], &shown["voters"]), (&3.into(), &3.into(), &4.into()));
    assert!(shown["status"]["passed"].is_object(), "{shown}");
    let effective = shown["effective"].as_u64().expect("a height");
    network.wait_height("gov", effective + 2);
    assert_eq!(network.set_of(Height(effective - 1)), [0, 1, 2, 3, 4]);
    assert_eq!(network.set_of(Height(effective)), [0, 1, 2, 4]);
    let said = until("hrs says that it is removed", Deadline::default(), || {
        let (status, said) = network.readiness("hrs")?;
        Some(said.to_string()).filter(|said| status == 503 && said.contains("is removed"))
    });
    assert!(said.contains("; next: "), "{said}");
    load.wait_more(2);
    load.stop().assert_kept(&network, &["gov", "psb", "amr", "ciq"]);
    assert_eq!(network.replayed("psb")["offences"].as_array().map(Vec::len), Some(1));
}
