//! Changes of validators: a client finds its way by itself, and is led astray by nobody (F-7, F-8).

use fengni_client::checkpoints::{self, Against, Doubt, Supplied, Voucher};
use fengni_client::gateway::Trouble;
use fengni_client::submit::Settlement;
use fengni_client::trust::{self, UpdateError};
use fengni_core::book::{Line, Tag};
use fengni_core::light::{Checkpoint, CheckpointError, LightClient, LightError, SignedCheckpoint};
use fengni_core::operation::Operation;
use fengni_core::pack::Subscription;
use fengni_core::proof::Place;
use fengni_core::record::Parameters;
use fengni_core::shelf::Shelf;
use fengni_core::trust::TrustStore;
use fengni_core::{BookNumber, Digest, Height, KeyNumber, MemberNumber, Millis, TypeNumber};

use crate::ledger::{Mood, NOW, Network, genesis, two_persons};

/// Three other sets, each by members that the one before shares little with.
const SETS: [&[&str]; 3] =
    [&["GOV", "PSB", "AMR", "HRS", "CIQ"], &["HRS", "CIQ", "RES", "YGOV"], &["AMR", "RES", "YGOV", "YHD"]];

/// A network whose validators change after blocks 2, 4 and 6 of 8.
fn changed() -> Network {
    let network = Network::new();
    change(&network);
    network
}

fn change(network: &Network) {
    let mut chain = network.chain();
    for set in SETS {
        chain.hand_over(set);
        chain.empty_block();
    }
    chain.empty_block();
}

fn lied(trouble: &Trouble, what: &str) -> bool {
    matches!(trouble, Trouble::Lied(reason) if reason.contains(what))
}

#[test]
fn f7_a_client_follows_three_changes_from_the_founding_by_itself() {
    let network = changed();
    let mut ledger = network.ledger(0);
    let answer = ledger.sync().expect("the node gives what it takes");
    assert_eq!((answer.value.height, answer.troubles), (Height(8), vec![]));
    assert_eq!(ledger.light().handovers_since(), Height(6));
    assert_eq!(ledger.light().newest().map(|newest| newest.height), Some(Height(8)));
    for height in 1..=8 {
        let found = ledger.header(Height(height)).expect("each height by its own set").value;
        assert_eq!(found.header, network.chain().header(Height(height)).0);
    }
    // Whatever is asked first finds the way, also in the middle of the story.
    assert!(network.ledger(0).parameters().is_ok());
    let mut early = network.ledger(0);
    early.header(Height(3)).expect("decided by the second set");
    // And a relay's answer is judged by today's set.
    let line = Line { tag: Tag([1; 16]), commitment: Digest([1; 32]) };
    let seal = Operation::Seal { book: BookNumber(0), lines: vec![line] };
    let mut ledger = network.ledger(0);
    let prepared = network.submitter().prepare(&mut ledger, &two_persons(), seal).expect("the ledger answers");
    network.chain().hand_over(&["GOV", "PSB", "AMR", "HRS"]);
    let settled = network.submitter().send(&mut ledger, &prepared).expect("the ledger answers");
    assert!(matches!(settled, Settlement::Done { .. }), "{settled:?}");
}

#[test]
fn f7_a_forged_handover_is_the_trouble_of_its_node_and_another_leads_on() {
    let network = changed();
    network.set(0, Mood::ForgesHandovers);
    let answer = network.ledger(0).sync().expect("the other node is honest");
    assert_eq!((answer.node.as_str(), answer.value.height), ("node-b", Height(8)));
    assert!(lied(&answer.troubles[0].trouble, "a handover that does not hold"), "{:?}", answer.troubles);
    network.set(1, Mood::ForgesHandovers);
    let mut ledger = network.ledger(0);
    ledger.sync().expect_err("nobody is honest");
    assert_eq!((ledger.light().newest(), ledger.light().handovers_since()), (None, Height(0)));
}

#[test]
fn f7_what_one_node_withholds_another_gives_and_what_all_withhold_is_not_believed() {
    let network = changed();
    network.set(0, Mood::Withholds);
    let answer = network.ledger(0).sync().expect("the other node has them");
    assert_eq!((answer.node.as_str(), answer.value.height), ("node-a", Height(8)));
    network.set(1, Mood::Withholds);
    let mut ledger = network.ledger(0);
    ledger.sync().expect_err("the set of height 8 is not known");
    assert_eq!(ledger.light().newest(), None);
    // What the founding's own validators decided is believed all the same.
    ledger.header(Height(2)).expect("the last height they decide");
    let unknown = ledger.header(Height(3)).expect_err("from here on others do").to_string();
    assert!(unknown.contains(&LightError::UnknownValidators(Height(3)).to_string()), "{unknown}");
}

#[test]
fn f7_nodes_that_answer_without_handovers_cost_one_question_each_and_two_besides() {
    let network = Network::of(&["GOV", "PSB", "AMR", "HRS", "RES", "YGOV"]);
    change(&network);
    network.set_all(Mood::Withholds);
    network.ledger(0).sync().expect_err("the set of height 8 is not known");
    assert_eq!(network.handovers_asked(), 6 + 2);
    // An update asks three questions: headers, words, and no node got as far as a pack.
    update(&mut store(), &network).expect_err("the set of height 8 is not known");
    assert_eq!(network.handovers_asked(), 2 * (6 + 2));
    network.set_all(Mood::OwnQuorum);
    network.ledger(0).parameters().expect_err("nobody is honest");
    // Each leads to the last handover and on to an empty answer, and is no more believed then.
    let after = network.handovers_asked();
    assert!(after <= 3 * 6 + 2, "{after}");
    // Who is asked first among the others gives them.
    network.set_all(Mood::Withholds);
    network.set(1, Mood::Honest);
    assert_eq!(network.ledger(0).sync().expect("one gives them").node, "node-a");
    // Who is asked last is asked only for its own answer.
    network.set_all(Mood::Withholds);
    network.set(5, Mood::Honest);
    let answer = network.ledger(0).sync().expect("the last one gives them");
    assert_eq!((answer.node.as_str(), answer.troubles.len()), ("node-f", 5));
}

#[test]
fn v23_what_decided_is_kept_with_the_handovers_that_lead_to_it() {
    let network = changed();
    let mut ledger = network.ledger(0);
    let proof =
        ledger.ask(|node| node.proof(&[Place::Record(Shelf::Parameters, 0)], None), |proof, _| Ok(proof.clone()));
    let proof = proof.expect("the nodes answer").value;
    let found = ledger.header(proof.header.height).expect("the nodes answer").value;
    let founding = genesis().checkpoint();
    let handovers = ledger.handovers(&founding, &found).expect("the nodes answer");
    assert_eq!(handovers.iter().map(|handover| handover.header.height.0).collect::<Vec<_>>(), [2, 4, 6]);
    // Years later, from the founding alone.
    let mut light = LightClient::from_checkpoint(founding.clone());
    assert!(light.clone().prove(&proof, NOW).is_err());
    for handover in &handovers {
        light.follow(handover, NOW).expect("a true handover");
    }
    let proven = light.prove(&proof, NOW).expect("by the last set");
    assert!(proven.record::<Parameters>(0).is_ok());
    // No more than lead there; none where the founding's validators decided.
    let middle = ledger.header(Height(4)).expect("the nodes answer").value;
    assert_eq!(ledger.handovers(&founding, &middle).expect("the nodes answer").len(), 1);
    let first = ledger.header(Height(2)).expect("the nodes answer").value;
    network.set_all(Mood::Silent);
    assert_eq!(ledger.handovers(&founding, &first), Ok(vec![]));
    ledger.handovers(&founding, &found).expect_err("nobody gives them");
}

fn store() -> TrustStore {
    // Of a type without books: the nodes of these stories make packs without pages.
    TrustStore::new(genesis().checkpoint(), Subscription::new(vec![TypeNumber(9)], vec![]))
}

fn update(store: &mut TrustStore, network: &Network) -> Result<trust::Updated, UpdateError> {
    trust::update(store, &network.gateway(), NOW, &mut |_, _| ())
}

#[test]
fn f7_a_trust_store_goes_on_over_changes_and_reads_its_file_again() {
    let network = Network::new();
    let mut store = store();
    update(&mut store, &network).expect("honest nodes");
    change(&network);
    let updated = update(&mut store, &network).expect("honest nodes");
    assert_eq!((updated.height, updated.troubles), (Height(8), vec![]));
    let mut store = TrustStore::decode(&store.encode()).expect("its own file");
    assert_eq!(store.light().handovers_since(), Height(6));
    network.chain().hand_over(&["GOV", "PSB", "RES", "YHD"]);
    network.chain().empty_block();
    network.set(0, Mood::ForgesHandovers);
    let updated = update(&mut store, &network).expect("one honest node");
    assert_eq!((updated.node.as_str(), updated.height), ("node-b", Height(10)));
    assert!(lied(&updated.troubles[0].trouble, "a handover that does not hold"), "{:?}", updated.troubles);
}

#[test]
fn f8_gateways_vouch_for_what_quorums_signed_or_for_nothing() {
    let network = changed();
    let words = |network: &Network| update(&mut store(), network).expect("a quorum signed it");
    let updated = words(&network);
    assert_eq!(updated.words.iter().map(|word| word.node.as_str()).collect::<Vec<_>>(), ["node-a", "node-b"]);
    assert!(updated.words.iter().all(|word| word.signed.checkpoint.height == Height(8)));
    network.set(0, Mood::Mute);
    let updated = words(&network);
    assert_eq!((updated.words.len(), updated.troubles), (1, vec![]));
    network.set(0, Mood::VouchesForAnother);
    let updated = words(&network);
    assert_eq!(updated.words.len(), 1);
    assert!(lied(&updated.troubles[0].trouble, "not signed by the member it names"), "{:?}", updated.troubles);
}

#[test]
fn f8_a_word_that_nobody_can_check_is_the_trouble_of_its_node_alone() {
    let network = Network::of(&["GOV", "PSB", "AMR"]);
    change(&network);
    let mut ledger = network.ledger(0);
    let header = ledger.header(Height(7)).expect("the nodes answer").value.header;
    let late = ledger.light().checkpoint_at(&header).expect("the next set is known");
    let begun = |from: &Checkpoint| TrustStore::new(from.clone(), Subscription::new(vec![TypeNumber(9)], vec![]));
    let words = |from: &Checkpoint| {
        let updated = update(&mut begun(from), &network).expect("no word stops an update that nothing excludes");
        let nodes: Vec<String> = updated.words.into_iter().map(|word| word.node).collect();
        let blamed: Vec<String> = updated.troubles.iter().map(|found| found.node.clone()).collect();
        (nodes.join(" "), blamed.join(" "))
    };
    let all_but_one = ("node-b node-c".to_owned(), "node-a".to_owned());
    // Below what the reader knows validators of; and of the founding, which no header is of.
    network.set(0, Mood::RepeatsFirstWord);
    assert_eq!(words(&late), all_but_one);
    network.set(0, Mood::VouchesForFounding);
    assert_eq!(words(&late), all_but_one);
    assert_eq!(words(&genesis().checkpoint()), all_but_one);
    // A word from long ago that holds: true, and no longer what its node knows.
    network.set(0, Mood::RepeatsFirstWord);
    assert_eq!(words(&genesis().checkpoint()), ("node-a node-b node-c".to_owned(), String::new()));
    (0..100).for_each(|_| network.chain().empty_block());
    assert_eq!(words(&genesis().checkpoint()), all_but_one);
}

#[test]
fn f8_members_are_counted_and_not_gateways() {
    let network = Network::of(&["GOV", "GOV", "PSB"]);
    let words = update(&mut store(), &network).expect("honest nodes").words;
    assert_eq!((words.len(), checkpoints::members(&words)), (3, 2));
}

#[test]
fn f8_a_file_s_word_is_refused_only_where_a_known_key_did_not_sign_it() {
    let network = Network::new();
    let signed = network.gateway().nodes()[0].checkpoint().expect("it vouches");
    let mut held = store();
    let judged = |signed: &SignedCheckpoint, held: &TrustStore| Supplied::Signed(signed.clone()).voucher(held);
    let doubted = |member, doubt| Ok(Voucher::Unchecked { member, doubt });
    assert_eq!(judged(&signed, &held), doubted(signed.member, Doubt::NoPack));
    update(&mut held, &network).expect("honest nodes");
    assert_eq!(judged(&signed, &held), Ok(Voucher::Member(signed.member)));
    assert_eq!(Supplied::Plain(signed.checkpoint.clone()).voucher(&held), Ok(Voucher::Nobody));
    // Its key came after the pack; it joined after the pack.
    let key = KeyNumber(99);
    assert_eq!(judged(&SignedCheckpoint { key, ..signed.clone() }, &held), doubted(signed.member, Doubt::Key));
    let member = MemberNumber(9999);
    assert_eq!(judged(&SignedCheckpoint { member, ..signed.clone() }, &held), doubted(member, Doubt::Member));
    // A key of another purpose, and a signature that is not the key's.
    let consensus = KeyNumber(signed.key.0 - 1);
    let other = SignedCheckpoint { key: consensus, ..signed.clone() };
    assert_eq!(judged(&other, &held), Err(CheckpointError::Key { key: consensus }));
    let checkpoint = Checkpoint { time: NOW, ..signed.checkpoint.clone() };
    let forged = SignedCheckpoint { checkpoint, ..signed };
    assert_eq!(judged(&forged, &held), Err(CheckpointError::Signature));
}

#[test]
fn f8_a_member_that_vouches_for_another_block_stops_the_update_and_is_named() {
    let network = changed();
    for (moods, with_header) in [
        ([Mood::VouchesOtherwise, Mood::Honest], false),
        ([Mood::Honest, Mood::VouchesOtherwise], false),
        ([Mood::Mute, Mood::VouchesOtherwise], true),
        ([Mood::VouchesOtherwise, Mood::VouchesOtherwise], true),
    ] {
        (0..).zip(moods).for_each(|(node, mood)| network.set(node, mood));
        let mut store = store();
        let refused = update(&mut store, &network).expect_err("two ids at one height");
        let UpdateError::Disagreement(found) = &refused else { panic!("{refused}") };
        assert_eq!(
            (found.height(), matches!(found.against, Against::Header(_))),
            (Height(8), with_header),
            "{moods:?}"
        );
        assert!(store.pack().is_none() && store.light().evidence().is_empty());
        // The evidence speaks for itself.
        let kept = serde_json::to_string(found).expect("plain data");
        assert_eq!(serde_json::from_str::<fengni_client::checkpoints::Disagreement>(&kept).expect("its own"), **found);
    }
}

#[test]
fn f8_a_supplied_checkpoint_is_pinned_and_leads_on_where_the_one_at_hand_is_too_old() {
    let network = Network::new();
    let mut held = store();
    update(&mut held, &network).expect("honest nodes");
    change(&network);
    let late = Millis(NOW.0 + 22 * 86_400_000);
    let mut ledger = network.ledger(0);
    let header = ledger.header(Height(7)).expect("the nodes answer").value.header;
    let checkpoint = Checkpoint { time: late, ..ledger.light().checkpoint_at(&header).expect("the next set is known") };
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path
    };
    let plain = file("plain.json", serde_json::to_string(&checkpoint).expect("plain data"));
    let supplied = Supplied::load(&plain).expect("a checkpoint");
    assert_eq!(supplied, Supplied::Plain(checkpoint.clone()));
    let word = network.gateway().nodes()[0].checkpoint().expect("it vouches");
    let signed = file("signed.json", serde_json::to_string(&word).expect("plain data"));
    assert_eq!(Supplied::load(&signed).expect("a signed one").checkpoint(), &word.checkpoint);
    assert!(Supplied::load(&file("other.json", "{}".into())).is_err());

    // Nobody gives a handover any more; the checkpoint leads on, and the pack at hand stays readable.
    network.set_all(Mood::Withholds);
    update(&mut held, &network).expect_err("the validators are not known");
    assert!(held.light().checkpoint_age_secs(late) > 21 * 86_400);
    held.light_mut().pin(checkpoint).expect("newer");
    let mut held = TrustStore::decode(&held.encode()).expect("its own file, with the pack of before");
    assert_eq!(
        (held.light().checkpoint_age_secs(late), held.pack().map(|pack| pack.header().height)),
        (0, Some(Height(1)))
    );
    let updated = update(&mut held, &network).expect("signed by the set of the checkpoint");
    assert_eq!(updated.height, Height(8));
}
