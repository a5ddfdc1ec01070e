//! J7: what HRS shares, and when its answers are due.

use fengni_core::record::{Code, Measure};
use fengni_tests::Network;
use fengni_tests::sharing::registries::{HOUSING, MONTHS, REQUEST, decide, file, propose, publish, put};
use serde_json::Value;

use super::{day, overdue};

/// Every request's record, as the network has it.
fn records(network: &Network) -> Vec<Value> {
    let list = network.view(&["request", "list"]).expect(0).json();
    list["requests"].as_array().expect("a list").iter().map(|it| it["record"].clone()).collect()
}

#[test]
fn j7_every_node_knows_when_answers_and_data_are_due_and_who_is_late() {
    let network = Network::on("2026-03-02");
    let refused = |member: &str, command: &[&str], why: &str| {
        let answer = network.member_command(member, command).expect(1).json();
        assert_eq!(answer["refusal"]["name"], why, "{answer}");
    };

    // Nothing is published that GOV has not looked at, and nobody can refer to it before.
    let months = propose(&network, MONTHS);
    let housing = network.written("housing.toml", HOUSING);
    refused("yhd", &["item", "put", &housing], "BAD_ITEM");
    for stranger in ["hrs", "ygov"] {
        let published = network.decree(stranger, &["resource", "publish", "0"], "603").expect(1).json();
        assert_eq!(published["refusal"]["name"], "NOT_ENTITLED", "{stranger}");
    }
    publish(&network, months);
    put(&network, HOUSING);

    // Monday 03-02: Q7 and Q8, and two more for what a vote changes later. A request without a law is none.
    let lawless = network.written("lawless.toml", &REQUEST.replace("住房补贴办法(示例)", ""));
    refused("yhd", &["request", "file", &lawless], "BAD_REQUEST");
    for number in 0..4 {
        let filed = file(&network, REQUEST);
        assert_eq!((&filed["request"], &filed["due"]), (&number.into(), &day("2026-03-16")));
    }
    let [q7, q8, before, after] = [0, 1, 2, 3];

    network.go_to("2026-03-05");
    let agreed = decide(&network, "agree", q7);
    assert_eq!((&agreed["status"], &agreed["due"]), (&"agreed".into(), &day("2026-04-02")));
    network.go_to("2026-03-06");
    assert_eq!(decide(&network, "provision", q7)["status"], "provisioned");

    // The founding's calendar has 5 April, a Sunday; a vote adds the Monday after it.
    network.go_to("2026-03-12");
    assert_eq!(decide(&network, "agree", before)["due"], day("2026-04-09"));
    let then = records(&network);
    add_holiday(&network, "20260406");
    assert_eq!(decide(&network, "agree", after)["due"], day("2026-04-10"));
    assert_eq!(records(&network)[..3], then[..3], "what is due stays due");

    // 03-16 is the last day of Q8; on 03-17 every node says that nobody answered.
    network.go_to("2026-03-16");
    assert_eq!(overdue(&network, "request"), Vec::<u64>::new());
    network.go_to("2026-03-17");
    assert_eq!(overdue(&network, "request"), [q8]);
    let genesis = network.home().join("genesis.bin").display().to_string();
    let told = network.nodes().iter().map(|node| {
        let list = ["--json", "request", "list", "--overdue", "--gateway", &node.gateway, "--genesis", &genesis];
        network.fengni(&list, b"").expect(0).out
    });
    let told: Vec<String> = told.collect();
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
    let first: Value = serde_json::from_str(&told[0]).expect("JSON");
    assert_eq!((&first["today"], &first["requests"][0]["overdue"]), (&"2026-03-17".into(), &"answer".into()));

    // Answered too late is answered, and the record says when.
    let law = ["request", "refuse", "1", "--law", "社会保险法第九十二条(示例)"];
    assert_eq!(network.decreed("hrs", &law, "604")["effect"]["request"]["status"], "refused");
    assert_eq!(overdue(&network, "request"), Vec::<u64>::new());
    assert_eq!(records(&network)[1]["answer"]["done"], day("2026-03-17"));
    let _ = network.replayed("gov");
}

/// Puts a day into the calendar, by vote, and waits until it rules.
fn add_holiday(network: &Network, code: &str) {
    let genesis = network.genesis();
    let mut codes = genesis.codes.iter().find(|set| set.name == "calendar").expect("the sample has a calendar").clone();
    codes.version += 1;
    codes.codes.push(Code { code: code.to_owned(), name: "holiday".to_owned() });
    codes.codes.sort();
    let effective = network.decide(Measure::SetCodes { codes }, &["psb", "amr", "hrs"], 12);
    network.wait_height("gov", effective.0);
    network.wait_together();
}
