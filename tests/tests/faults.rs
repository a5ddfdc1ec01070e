//! Faults: whatever is killed whenever, no acknowledged transaction is lost, no validator signs
//! twice, and four validators outlast one. GOV-01, OPS-02; invariants 2, 3 and 5.
//!
//! Kills are `kill -9` of real processes. The loops draw their moments from a seed, which they
//! print; set `FENGNI_SEED` to draw the same again. `FENGNI_KILLS` is how many the long loop draws.

#![allow(clippy::print_stdout, reason = "a seed that is not printed cannot be replayed")]
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use fengni_client::clock;
use fengni_client::submit::{Settlement, Unsettled};
use fengni_client::verify::Verifier;
use fengni_core::operation::Operation;
use fengni_core::verdict::{Answer, VerdictCode};
use fengni_core::{Height, KeyAlgorithm, Millis};
use fengni_genesis::sample;
use fengni_tests::{Deadline, Draw, Load, Network, Paper, copy_folder, holder_key, purpose_code, random, until};

const VALIDATORS: [&str; 4] = ["gov", "psb", "amr", "hrs"];
const ALL: [&str; 5] = ["gov", "psb", "amr", "hrs", "observer"];

/// The validators but one.
fn others(gone: &str) -> Vec<&'static str> {
    VALIDATORS.into_iter().filter(|name| *name != gone).collect()
}

/// No node ever saw two statements of one validator that exclude each other, and none had to be
/// kept from making them.
#[track_caller]
fn assert_nobody_signed_twice(network: &Network) {
    for name in ALL {
        let log = network.log(name);
        let words = ["exclude each other", "a signature was refused", "no signature", "stopped for safety", "panicked"];
        let found = log.lines().find(|line| words.iter().any(|word| line.contains(word)));
        assert!(found.is_none(), "{name} logged: {}", found.unwrap_or_default());
        if network.is_running(name) {
            for counter in ["evidence_total", "guard_refusals_total", "safety_failure"] {
                let count = network.count(name, &format!("fengni_consensus_{counter}"), "");
                assert_eq!(count, 0, "{name}: {counter}");
            }
        }
    }
}

/// Whether a validator's signature is in the newest certificate that `node` has.
fn signs(network: &Network, validator: &str, node: &str) -> bool {
    let member = sample::member(&validator.to_ascii_uppercase()).expect("a sample member");
    let ledger = network.ledger(&[node]);
    let newest = ledger.gateway().ask(|node| node.latest_header());
    newest.is_ok_and(|answer| answer.value.1.signatures.iter().any(|signature| signature.member == member))
}

#[test]
fn gov01_any_one_of_four_may_die_and_finality_goes_on() {
    let network = Network::start();
    let load = Load::start(&network, 2);
    for gone in VALIDATORS {
        load.wait_more(3);
        network.kill(gone);
        let left = others(gone);
        let before = network.height(left[0]);
        left.iter().for_each(|name| network.wait_height(name, before + 5));
        load.wait_more(3);

        network.run(gone);
        network.wait_ready(gone);
        // By itself, and to the same state, while the others go on.
        network.wait_agreed(&VALIDATORS);
        until(&format!("{gone} votes again"), Deadline::default(), || signs(&network, gone, left[0]).then_some(()));
    }
    load.wait_more(3);
    let sealed = load.stop();
    println!("{} transactions acknowledged", sealed.acknowledged());
    sealed.assert_kept(&network, &ALL);
    network.wait_agreed(&ALL);
    assert_nobody_signed_twice(&network);
}

#[test]
fn ops02_ten_random_kills_lose_nothing() {
    random_kills(10);
}

/// `make test-long`.
#[test]
#[ignore = "takes minutes: make test-long"]
fn ops02_two_hundred_random_kills_lose_nothing() {
    let given = std::env::var("FENGNI_KILLS").ok();
    random_kills(given.map_or(200, |kills| kills.parse().expect("a number")));
}

/// Kills validators at so many moments under load, drawn at random: while they vote, write, start and
/// catch up; now and then two at once.
fn random_kills(moments: usize) {
    let begun = Instant::now();
    let mut draw = Draw::seeded();
    let network = Network::start();
    let load = Load::start(&network, 2);
    let mut kills = 0;
    for moment in 1..=moments {
        draw.pause(700);
        let first = draw.below(4);
        let mut gone = vec![first];
        if draw.below(5) == 0 {
            gone.push((first + 1 + draw.below(3)) % 4);
        }
        let gone: Vec<&str> =
            gone.into_iter().map(|place| VALIDATORS[usize::try_from(place).expect("below 4")]).collect();
        kills += gone.len();
        println!("kill {moment} of {moments}: {gone:?} at height {}", network.height("observer"));
        gone.iter().for_each(|name| network.kill(name));
        draw.pause(500);
        gone.iter().for_each(|name| network.run(name));
        for name in VALIDATORS {
            assert!(network.is_running(name), "{name} ended by itself:\n{}", network.log_end(name));
        }
        // Without a pause for breath nothing would ever be acknowledged in between.
        if draw.below(3) == 0 {
            load.wait_more(1);
        }
    }
    load.wait_more(4);
    let sealed = load.stop();
    sealed.assert_kept(&network, &ALL);
    let height = network.wait_agreed(&ALL);
    assert_nobody_signed_twice(&network);
    println!(
        "FENGNI_SEED={}: {kills} kills at {moments} moments in {} s; {} transactions acknowledged and none lost; one state root on {} nodes at height {height}",
        draw.seed,
        begun.elapsed().as_secs(),
        sealed.acknowledged(),
        ALL.len(),
    );
}

#[test]
fn gov01_without_a_quorum_nothing_becomes_final_and_reads_say_how_old_they_are() {
    let network = Network::start();
    let mut clerk = network.actor("psb", "issuing", 1, "gov");
    let genesis = network.genesis();
    let book = clerk.open_book("T-DL", &genesis);
    let paper = Paper::licence(1);
    let holder = holder_key(KeyAlgorithm::P256);
    clerk.seal(book, &mut [paper.certify(&genesis, &clerk.ledger.domain(), &holder)]);
    let identifier = paper.identifier(&genesis);
    let load = Load::resume(&network, book, 1);
    load.wait_more(3);

    network.kill("amr");
    network.kill("hrs");
    let unready = |name: &str| {
        until(&format!("{name} is not ready"), Deadline::default(), || {
            network.readiness(name).filter(|(status, _)| *status == 503).map(|(_, body)| body.to_string())
        })
    };
    for name in ["gov", "psb"] {
        let said = unready(name);
        assert!(said.contains("no block for"), "{name}: {said}");
    }
    let (height, settled) = (network.height("gov"), load.settled());
    // Ready again is what a block would make it: that does not happen while another node is asked.
    let said = unready("observer");
    assert!(said.contains("no block for"), "{said}");
    assert_eq!((network.height("gov"), network.height("psb")), (height, height));
    assert_eq!(load.settled(), settled, "nothing is acknowledged without a quorum");
    assert!(unready("gov").contains("no block for"));

    // Reads answer from the last final state and carry its age.
    let policy = || fengni_client::verify::Policy {
        verifier: sample::member("HRS").expect("a sample member"),
        purpose: purpose_code("交通执法"),
        min_grade: None,
        min_assurance: None,
    };
    let mut now = Verifier::new(network.ledger(&["gov"]), policy());
    let verdict = now.verify_identifier(&identifier).verdict;
    let (as_of, header) = (verdict.as_of.expect("a state was used"), now.ledger().light().newest().cloned());
    assert_eq!(as_of.height, Height(height), "{}", verdict.reason.en);
    let header = header.expect("the verifier saw one");
    let age = clock::now().0 - header.time.0;
    assert!(age >= 9_000, "no block for two idle intervals, and yet the header is {age} ms old");
    let said = verdict.ages.standing_secs.expect("the evidence has an age");
    assert!(said >= 9 && said <= age / 1000, "{said} s, {age} ms");
    // Somewhat later the same answer decides nothing any more, and is never a refusal.
    let later = network.ledger(&["gov"]).with_clock(|| Millis(clock::now().0 + 120_000));
    let verdict = Verifier::new(later, policy()).verify_identifier(&identifier).verdict;
    assert_eq!((verdict.code, verdict.answer), (VerdictCode::StatusStale, Answer::Undecided), "{}", verdict.reason.en);

    // A transaction is taken and waits; nobody is told that it is done.
    let submitter = network.submitter(&["gov"]).with_wait(Duration::from_millis(300), Duration::from_millis(300));
    let line =
        fengni_core::book::Line { tag: fengni_core::book::Tag(random()), commitment: fengni_core::Digest(random()) };
    let waiting = Operation::Seal { book, lines: vec![line] };
    let mut ledger = network.ledger(&["gov"]);
    let prepared = submitter.prepare(&mut ledger, &clerk.signers, waiting).expect("a read is enough");
    let settlement = submitter.send(&mut ledger, &prepared).expect("the node answers");
    assert!(matches!(settlement, Settlement::Undecided { reason: Unsettled::Waiting, .. }), "{settlement:?}");
    assert_eq!(network.height("gov"), height);

    network.run("hrs");
    until("the waiting transaction is done", Deadline::default(), || {
        let settlement = submitter.send(&mut ledger, &prepared).expect("the node answers");
        matches!(settlement, Settlement::Done { .. }).then_some(())
    });
    network.run("amr");
    load.wait_more(3);
    ALL.iter().for_each(|name| network.wait_ready(name));
    // The licence and the waiting line stand in the same book: its count is not the load's alone.
    let _ = load.stop();
    network.wait_agreed(&ALL);
    assert_nobody_signed_twice(&network);
}

#[test]
fn ops02_all_four_killed_at_once_go_on_where_they_were() {
    let network = Network::start();
    let load = Load::start(&network, 2);
    load.wait_more(10);
    VALIDATORS.iter().for_each(|name| network.kill(name));
    // The observer is no validator: it still has what was final, and can be asked.
    let last = network.height("observer");
    let root = network.state_root("observer", last);
    let settled = load.settled();

    VALIDATORS.iter().for_each(|name| network.run(name));
    VALIDATORS.iter().for_each(|name| network.wait_ready(name));
    for name in VALIDATORS {
        network.wait_height(name, last);
        assert_eq!(network.state_root(name, last), root, "{name}");
        network.wait_height(name, last + 3);
    }
    load.wait_more(3);
    assert!(load.settled() > settled);
    load.stop().assert_kept(&network, &ALL);
    network.wait_agreed(&ALL);
    assert_nobody_signed_twice(&network);
}

#[test]
fn inv3_a_validator_whose_store_was_rolled_back_signs_nothing_twice() {
    let network = Network::start();
    let load = Load::start(&network, 1);
    load.wait_more(3);

    // A backup of the store alone, as an operator makes it.
    let name = "psb";
    let store = network.node(name).home.join("data/store");
    let backup = network.scratch().join("backup");
    assert_eq!(network.terminate(name), Some(0));
    copy_folder(&store, &backup);
    network.run(name);
    network.wait_ready(name);
    let height = network.height("gov");
    network.wait_height(name, height + 10);
    until("psb signed again", Deadline::default(), || signs(&network, name, "gov").then_some(()));

    network.kill(name);
    std::fs::remove_dir_all(&store).expect("the folder is ours");
    copy_folder(&backup, &store);
    network.run(name);
    // It follows in silence until what it signed is behind it, and then votes again by itself.
    until("psb keeps quiet", Deadline::default(), || network.log(name).contains("not voting until").then_some(()));
    let again = "nothing keeps this node from voting";
    until("psb may vote again", Deadline::default(), || network.log(name).contains(again).then_some(()));
    until("psb signs again", Deadline::default(), || signs(&network, name, "gov").then_some(()));
    load.wait_more(3);
    load.stop().assert_kept(&network, &ALL);
    network.wait_agreed(&ALL);
    assert_nobody_signed_twice(&network);
}
