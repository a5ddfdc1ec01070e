//! The set of validators grows from four to seven and shrinks to five under load; one that left comes
//! back; and whoever has the founding alone follows all of it without asking anybody.

use std::path::PathBuf;

use fengni_client::clock;
use fengni_core::light::{Handover, LightClient};
use fengni_core::record::Measure;
use fengni_core::{ApplicationNumber, Height, MemberNumber};
use fengni_tests::{Deadline, Load, Network, Newcomer, until};

/// Heights from a proposal to its effect.
const AHEAD: u64 = 40;

const NEWCOMERS: [Newcomer; 3] =
    [Newcomer::YHR, Newcomer { key: "ENT1", superior: None }, Newcomer { key: "ENT3", superior: Some("YGOV") }];

fn keys(network: &Network, newcomer: &Newcomer, folder: &str) -> PathBuf {
    network.home().join("members").join(newcomer.name()).join(folder)
}

/// Has a newcomer admitted, its node started, and waits until it votes.
fn join(network: &mut Network, newcomer: &Newcomer, folder: &str, voters: &[&str]) -> (MemberNumber, Height) {
    let keys = keys(network, newcomer, folder);
    let application = network.apply(newcomer, &keys);
    let number = network.file_and_confirm(&application);
    network.add_node(newcomer, &keys);
    let admit = Measure::Admit { application: ApplicationNumber(number), power: 1 };
    let effective = network.decide(admit, voters, AHEAD);
    network.run(&newcomer.name());
    let member = network.admitted(number);
    network.place_keys(&keys);
    network.wait_height("gov", effective.0);
    network.wait_signs(member, "gov");
    (member, effective)
}

fn leave(network: &Network, member: MemberNumber, voters: &[&str]) -> Height {
    let effective = network.decide(Measure::Remove { member }, voters, AHEAD);
    network.wait_height("gov", effective.0 + 2);
    effective
}

#[test]
fn gov03_four_validators_become_seven_and_five_and_one_comes_back() {
    let mut network = Network::start();
    let load = Load::start(&network, 2);
    let [yhr, ent1, ent3] = NEWCOMERS;
    let mut changes = Vec::new();
    let (first, from) = join(&mut network, &yhr, "keys", &["gov", "psb", "amr"]);
    changes.push((from, vec![0, 1, 2, 3, first.0]));
    let (second, from) = join(&mut network, &ent1, "keys", &["gov", "psb", "amr", "yhr"]);
    changes.push((from, vec![0, 1, 2, 3, first.0, second.0]));
    let (third, from) = join(&mut network, &ent3, "keys", &["gov", "psb", "amr", "yhr", "ent1"]);
    changes.push((from, vec![0, 1, 2, 3, first.0, second.0, third.0]));
    load.wait_more(3);

    // Whoever is to leave does not count in its own vote.
    let from = leave(&network, second, &["gov", "psb", "amr", "hrs", "yhr"]);
    changes.push((from, vec![0, 1, 2, 3, first.0, third.0]));
    let from = leave(&network, third, &["gov", "psb", "amr", "yhr"]);
    changes.push((from, vec![0, 1, 2, 3, first.0]));
    load.wait_more(3);

    // One that left comes back under its old number, with new keys and the blocks it had.
    network.kill("ent3");
    let (again, from) = join(&mut network, &ent3, "new", &["gov", "psb", "amr", "yhr"]);
    assert_eq!(again, third);
    changes.push((from, vec![0, 1, 2, 3, first.0, third.0]));
    load.wait_more(3);

    let mut before = vec![0, 1, 2, 3];
    for (from, set) in &changes {
        assert_eq!(network.set_of(Height(from.0 - 1)), before, "before {from}");
        assert_eq!(network.set_of(*from), *set, "at {from}");
        before.clone_from(set);
    }
    load.stop().assert_kept(&network, &["gov", "psb", "amr", "hrs", "observer", "yhr", "ent3"]);
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer", "yhr", "ent3"]);
    followed_offline(&network, changes.len(), again);
}

/// The founding, the handovers and one header in a file: all that a reader needs.
fn followed_offline(network: &Network, changes: usize, last: MemberNumber) {
    let mut ledger = network.ledger(&["yhr"]);
    // Without its signature the set before is a quorum of its own.
    let found = until("the last member signs a header", Deadline::default(), || {
        let newest = ledger.sync().ok()?.value;
        let found = ledger.header(newest.height).ok()?.value;
        found.certificate.signatures.iter().any(|signature| signature.member == last).then_some(found)
    });
    let checkpoint = network.genesis().checkpoint();
    let handovers: Vec<Handover> = ledger.handovers(&checkpoint, &found).expect("the node has them all");
    assert_eq!(handovers.len(), changes);

    let now = clock::now();
    let mut light = LightClient::from_checkpoint(checkpoint.clone());
    for handover in &handovers {
        light.follow(handover, now).expect("each is signed by the set before");
    }
    light.accept(&found.header, &found.certificate, now).expect("the last set signed it");
    // Without the last one the way is not proven.
    let mut light = LightClient::from_checkpoint(checkpoint);
    for handover in &handovers[..changes - 1] {
        light.follow(handover, now).expect("each is signed by the set before");
    }
    light.accept(&found.header, &found.certificate, now).expect_err("the set of the header is not known");
}
