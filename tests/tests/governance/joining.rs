//! J1: a department joins a network that runs.

use fengni_client::submit::{Settlement, Unsettled};
use fengni_core::Height;
use fengni_core::operation::Operation;
use fengni_genesis::Genesis;
use fengni_tests::{Deadline, Load, Network, Newcomer, fengni, until};

const FOUNDERS: [&str; 4] = ["gov", "psb", "amr", "hrs"];
const REFUSED: &str = "fengni_network_refused_total";
const FAILED: &str = "fengni_network_failed_total";

/// While the network makes blocks, an outsider gets none.
fn assert_left_out(network: &Network, load: &Load, outsider: &str) {
    load.wait_more(5);
    // A node without blocks looks for peers before it opens its listeners, and whoever dials believes
    // for a moment that it is connected.
    let alone = || network.status(outsider).filter(|status| (status.peers, status.transaction_peers) == (0, 0));
    let status = until("the outsider has nobody", Deadline::default(), alone);
    assert_eq!(status.height, 0, "{}", network.log_end(outsider));
}

#[test]
fn j1_a_department_joins_a_network_that_runs() {
    let mut network = Network::start();
    let load = Load::start(&network, 1);
    let yhr = Newcomer::YHR;
    let keys = network.home().join("members/yhr/keys");

    // (1) The applicant's machine: a wrong check character is noticed, and no secret leaves.
    let wrong = yhr.code().replace("4K", "4L");
    let folder = keys.display().to_string();
    let command = ["member", "apply", "--code", &wrong, "--name", "x", "--division", "339900", "--roles", "verifier"];
    let rest = ["--keys", &folder, "--contact", "x", "--out", "application.json", "--network", &network.map()];
    let refused = fengni(&[&command[..], &rest].concat(), b"").expect(3);
    assert!(refused.err.contains("no credit code") && refused.err.contains("; next: "), "{}", refused.err);
    let application = network.apply(&yhr, &keys);
    network.add_node(&yhr, &keys);
    let text = std::fs::read_to_string(&application).expect("the application is written");
    for entry in std::fs::read_dir(&keys).expect("the keys are made") {
        let stored = std::fs::read_to_string(entry.expect("an entry").path()).expect("readable");
        let stored: serde_json::Value = serde_json::from_str(&stored).expect("key files are JSON");
        let (seed, public) = (stored["seed"].as_str().expect("a seed"), stored["public"].as_str().expect("a key"));
        assert!(text.contains(public) && !text.contains(seed));
    }
    assert!(!text.contains("desk 7"), "only a hash of whom to reach");

    // (2) GOV asks back over another channel, and confirms.
    let number = network.file_and_confirm(&application);
    let shown = |number: u32| network.view(&["member", "show", &number.to_string()]).expect(0).json();
    assert!(shown(number)["status"]["confirmed"].is_object(), "{}", shown(number));
    let again = network.decree("psb", &["member", "review", &number.to_string(), "--confirm"], "101").expect(1);
    assert_eq!(again.json()["refusal"]["name"], "APPLICATION_STATE");

    // (3) Two votes are not enough: the proposal lapses, and nothing has changed. Meanwhile the node
    // knocks in vain.
    network.run("yhr");
    until("yhr is refused", Deadline::default(), || {
        FOUNDERS.iter().any(|name| network.count(name, REFUSED, "") > 0).then_some(())
    });
    let tried = network.view(&["gov", "simulate", "admit", &number.to_string()]).expect(0).json();
    assert_eq!(tried["after"]["validators"].as_array().map(Vec::len), Some(5));
    assert_eq!((&tried["needed"], &tried["after"]["needed"]), (&3.into(), &4.into()));
    let propose = |ahead: &str| {
        let command = ["gov", "propose", "admit", &number.to_string(), "--effective", ahead];
        let answer = network.decree("gov", &command, "101").expect(0).json();
        answer["effect"]["proposal"]["proposal"].as_u64().expect("a proposal's number").to_string()
    };
    let vote = |proposal: &str, member: &str| {
        network.member_command(member, &["gov", "vote", proposal, "--approve"]).expect(0).json()
    };
    let proposal = |number: &str| network.view(&["gov", "show", number]).expect(0).json();
    let early = network.decree("gov", &["gov", "propose", "admit", &number.to_string(), "--effective", "+3"], "101");
    assert_eq!(early.expect(1).json()["refusal"]["name"], "BAD_EFFECT");
    let first = propose("+60");
    vote(&first, "psb");
    vote(&first, "amr");
    assert_eq!(proposal(&first)["status"], "open");
    until("the vote closes", Deadline::default(), || proposal(&first)["status"]["lapsed"].is_object().then_some(()));
    let late = network.member_command("hrs", &["gov", "vote", &first, "--approve"]).expect(1).json();
    assert_eq!(late["refusal"]["name"], "PROPOSAL_STATE");
    assert!(shown(number)["status"]["confirmed"].is_object());
    assert_left_out(&network, &load, "yhr");

    // Three of four are.
    let second = propose("+250");
    let effective = Height(proposal(&second)["effective"].as_u64().expect("a height"));
    FOUNDERS[1..].iter().for_each(|member| drop(vote(&second, member)));
    assert!(proposal(&second)["status"]["passed"].is_object(), "{}", proposal(&second));
    let member = network.admitted(number);
    network.place_keys(&keys);

    // (4) and (5) Before its height the node is let in and catches up, and its keys sign nothing.
    network.wait_height("yhr", network.height("gov"));
    let mut clerk = network.actor("yhr", "admin", 1, "gov");
    let short = std::time::Duration::from_millis(100);
    clerk.submitter = network.submitter(&["gov"]).with_wait(short, short);
    let withdraw = Operation::Withdraw { proposal: fengni_core::ProposalNumber(1) };
    let too_early = clerk.submit(withdraw.clone());
    let seen = network.height("gov");
    assert!(matches!(too_early, Settlement::Undecided { reason: Unsettled::Declined(_), .. }), "{too_early:?}");
    assert!(seen < effective.0, "the test was too slow to see it: {seen} of {effective}");
    network.wait_height("gov", effective.0 + 1);
    let last = Height(effective.0 - 1);
    assert_eq!((network.set_of(last), network.set_of(effective)), (vec![0, 1, 2, 3], vec![0, 1, 2, 3, member.0]));
    assert!(proposal(&second)["status"]["enacted"].is_object());
    // From its height on its keys sign, and the ledger judges what they ask.
    let judged = network.actor("yhr", "admin", 1, "gov").submit(withdraw);
    assert!(matches!(judged, Settlement::Refused { .. }), "{judged:?}");
    network.wait_signs(member, "gov");
    network.wait_ready("yhr");
    assert_eq!(network.state_root("yhr", 1), network.state_root("gov", 1));

    // Five outlast one.
    network.kill("hrs");
    let before = network.height("gov");
    network.wait_height("gov", before + 5);
    network.run("hrs");
    network.wait_ready("hrs");
    let all = [&FOUNDERS[..], &["observer", "yhr"]].concat();
    load.stop().assert_kept(&network, &all);
    network.wait_agreed(&all);
    assert_eq!(network.replayed("yhr")["result"], "equal");
}

#[test]
fn j1_a_newcomer_with_another_founding_cannot_connect() {
    let mut network = Network::start();
    let load = Load::start(&network, 1);
    let yhr = Newcomer::YHR;
    let keys = network.home().join("members/yhr/keys");
    let application = network.apply(&yhr, &keys);
    let number = network.file_and_confirm(&application);
    network.add_node(&yhr, &keys);
    let mut contents = network.genesis().into_contents();
    contents.parameters.window += 1;
    let other = Genesis::new(contents).expect("the change breaks no rule");
    std::fs::write(network.home().join("other.bin"), other.encode()).expect("the folder is writable");
    let configuration = network.node("yhr").home.join("node.toml");
    let text = std::fs::read_to_string(&configuration).expect("the file is there");
    std::fs::write(&configuration, text.replace("genesis.bin", "other.bin")).expect("the file is writable");
    let measure = fengni_core::record::Measure::Admit { application: fengni_core::ApplicationNumber(number), power: 1 };
    let effective = network.decide(measure, &["psb", "amr", "hrs"], 40);

    // It is a member by now, and still speaks of another network.
    network.run("yhr");
    until("the handshake fails", Deadline::default(), || (network.count("yhr", FAILED, "") > 0).then_some(()));
    assert_left_out(&network, &load, "yhr");
    // Its power counts from its height on: four of five go on without it.
    network.wait_height("gov", effective.0 + 3);
    network.kill("yhr");
    std::fs::write(&configuration, text).expect("the file is writable");
    std::fs::remove_dir_all(network.node("yhr").home.join("data")).expect("the folder is ours");
    network.run("yhr");
    network.wait_signs(network.admitted(number), "gov");
    load.stop().assert_kept(&network, &["gov", "psb", "amr", "hrs", "yhr"]);
}
