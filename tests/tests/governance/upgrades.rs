//! OPS-06: members vote for the next version of the protocol, and nodes of two versions run together
//! until its height.

use std::time::Duration;

use fengni_client::governance;
use fengni_client::submit::{Settlement, Unsettled};
use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::record::{CertificateType, Measure, Proposal, ProposalStatus};
use fengni_core::{Height, Millis, ProposalNumber};
use fengni_genesis::{TypeEntry, sample};
use fengni_tests::{Deadline, Load, Network, fengni, until};
use serde_json::Value;

const CODE: &str = "11100000000013338W999";
const NAME: &str = "渔业船舶证";
const ALL: [&str; 5] = ["gov", "psb", "amr", "hrs", "observer"];

/// Runs a node as a program of before, or as itself again.
fn set_version(network: &Network, name: &str, version: Option<u16>) {
    let path = network.node(name).home.join("node.toml");
    let text = std::fs::read_to_string(&path).expect("sample wrote it");
    let lines = text.lines().filter(|line| !line.starts_with("as_version"));
    let first = version.map(|version| format!("as_version = {version}"));
    let lines: Vec<&str> = first.as_deref().into_iter().chain(lines).collect();
    std::fs::write(&path, lines.join("\n") + "\n").expect("the folder is writable");
}

/// What a node's doctor says of versions, with its gravity.
fn versions(network: &Network, node: &str) -> Vec<(String, String)> {
    let home = network.home().display().to_string();
    let answer = fengni(&["--json", "doctor", "--home", &home, "--node", node], b"").expect(0).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = answer["nodes"][0]["findings"].as_array().cloned().unwrap_or_default();
    let found = findings.iter().filter(|finding| finding["check"] == "version");
    found.map(|finding| (text(&finding["level"]), text(&finding["says"]))).collect()
}

/// A file with a certificate type that the sample does not have.
fn new_type(network: &Network) -> String {
    let document = sample::network(Millis(1_800_000_000_000), &sample::test_key);
    let known = document.types.first().expect("the sample has types").clone();
    let entry = TypeEntry { key: "T-NEW".to_owned(), code: CODE.to_owned(), name: NAME.to_owned(), ..known };
    let path = network.scratch().join("type.json");
    std::fs::write(&path, serde_json::json!({ "types": [entry] }).to_string()).expect("the folder is writable");
    path.display().to_string()
}

#[test]
fn ops06_nodes_of_two_versions_run_together_until_the_height_that_members_voted_for() {
    let network = Network::made_with(&["--protocol", "1"]);
    set_version(&network, "hrs", Some(1));
    network.start_all();
    let load = Load::start(&network, 1);
    load.wait_more(3);
    network.wait_signs(sample::member("HRS").expect("a sample member"), "gov");

    // What the next version brings is in no block of this one.
    let file = new_type(&network);
    let keeper = ["gov", "simulate", "keeper", &load.book().to_string(), "AMR"];
    let mut gov = network.actor("gov", "admin", 1, "gov");
    let wait = Duration::from_millis(100);
    gov.submitter = network.submitter(&["gov"]).with_wait(wait, wait);
    let change = Measure::ChangeKeeper { book: load.book(), keeper: sample::member("AMR").expect("a sample member") };
    let early = gov.submit(governance::propose(change, Height(network.height("gov") + 60), gov.ground(101)));
    let Settlement::Undecided { reason: Unsettled::Declined(said), .. } = &early else { panic!("taken: {early:?}") };
    assert!(format!("{said:?}").contains("protocol version 2"), "{said:?}");
    assert_eq!(network.view(&keeper).expect(1).json()["result"], "refused");

    // Before the height, everybody sees who would stay behind.
    assert_eq!(versions(&network, "hrs").iter().map(|(level, _)| level.as_str()).collect::<Vec<_>>(), ["ok"]);
    let speaks = |name: &str| network.status(name).map(|status| status.speaks);
    assert_eq!((speaks("hrs"), speaks("gov")), (Some(1), Some(PROTOCOL_VERSION)));
    let effective = network.decide(Measure::Upgrade { protocol: 2 }, &["psb", "amr", "hrs"], 300);
    network.wait_agreed(&["gov", "hrs"]);
    let own = versions(&network, "hrs");
    assert!(own.iter().any(|(level, says)| level == "warn" && says.contains("this node ends before")), "{own:?}");
    let hrs = format!("nodes of members {} (1)", sample::member("HRS").expect("a sample member"));
    // Nodes tell each other every few seconds what they speak.
    until("gov names who would end", Deadline::default(), || {
        let others = versions(&network, "gov");
        others.iter().any(|(level, says)| level == "warn" && says.contains(&hrs)).then_some(())
    });
    assert!(network.height("gov") < effective.0, "the test was too slow to see it");

    // The old program signs up to the height and ends; the others go on.
    assert_eq!(network.wait_end("hrs"), Some(3));
    let said = format!("block {effective} speaks version 2 of the protocol, as members voted, and this program 1");
    assert!(network.log("hrs").contains(&said), "{}", network.log_end("hrs"));
    network.wait_height("gov", effective.0 + 5);
    let version =
        |height: u64| network.ledger(&["gov"]).header(Height(height)).expect("the node answers").value.header.version;
    assert_eq!((version(effective.0 - 1), version(effective.0)), (1, 2));
    load.wait_more(3);

    // Started as it was, it says so again; the newer program catches up and votes.
    network.run("hrs");
    assert_eq!(network.wait_end("hrs"), Some(3));
    set_version(&network, "hrs", None);
    network.run("hrs");
    network.wait_votes("hrs");
    let refused = network.view(&keeper).expect(1).json();
    assert_eq!(refused["refusal"]["name"], "ISSUER_NOT_AUTHORISED", "the book's keeper wants an authority");
    let command = ["gov", "propose", "new-type", &file, "--effective", "+60"];
    let effect = network.decree("gov", &command, "101").expect(0).json()["effect"]["proposal"].clone();
    let number = ProposalNumber(u32::try_from(effect["proposal"].as_u64().expect("a number")).expect("few"));
    let status = network.approve(number, &["psb", "amr", "hrs"]);
    assert!(matches!(status, ProposalStatus::Passed { .. }), "{status:?}");
    let read: Proposal = network.ledger(&["gov"]).record(number.0).expect("the node answers");
    network.wait_height("gov", read.effective.0);
    let types: Vec<CertificateType> = network.ledger(&["gov"]).shelf().expect("the node answers");
    assert_eq!(types.last().map(|kind| (kind.code.to_string(), kind.name.as_str())), Some((CODE.to_owned(), NAME)));

    load.stop().assert_kept(&network, &ALL);
    network.wait_agreed(&ALL);
    // Whoever replays both versions from the founding gets the same state.
    assert_eq!(network.replayed("observer")["result"], "equal");
}
