//! Keys follow one another without anybody noticing: those that seal, and those that vote. SEC-10.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use fengni_client::keys::HeldKey;
use fengni_client::rotation;
use fengni_client::submit::{Settlement, Signers};
use fengni_core::book::{Line, Tag};
use fengni_core::operation::Operation;
use fengni_core::outcome::Effect;
use fengni_core::record::{KeyPurpose, Member, NewKey};
use fengni_core::{BookNumber, Digest, Height, KeyAlgorithm, KeyNumber, MemberNumber, SecretKey};
use fengni_genesis::sample;
use fengni_tests::{Actor, Load, Network, holder_key, random};

/// Rotations of the test, by each of two departments.
const EACH: usize = 50;
/// Heights for which the old key signs besides the new one.
const OVERLAP: u64 = 40;

/// Keys of a department that seal, each with its first height.
type Ring = Arc<Mutex<Vec<(Height, HeldKey)>>>;

/// A department that rotates the key with which its clerk seals.
struct Department {
    admins: Actor,
    clerk: Actor,
    book: BookNumber,
    member: MemberNumber,
    ring: Ring,
}

impl Department {
    fn of(network: &Network, name: &str, kind: &str) -> Self {
        let genesis = network.genesis();
        let mut clerk = network.actor(name, "issuing", 1, "gov");
        let book = clerk.open_book(kind, &genesis);
        let member = clerk.signers.member();
        let keys = &genesis.members[member.0 as usize].keys;
        let place = keys.iter().position(|key| key.purpose == KeyPurpose::Issuing).expect("an issuer");
        let number = KeyNumber(u16::try_from(place).expect("few keys"));
        let file = network.home().join("members").join(name).join("keys/issuing-a.json");
        let first = fengni_client::keys::KeyFile::load(&file).expect("sample wrote it");
        assert_eq!(first.number, Some(number));
        let first = HeldKey::open(&first, &fengni_client::keys::Passphrases::asked()).expect("sample wrote it");
        let ring = Arc::new(Mutex::new(vec![(Height(0), first)]));
        Self { admins: network.actor(name, "admin", 2, "psb"), clerk, book, member, ring }
    }

    /// Rotates again and again while the clerk seals; returns how much was sealed, by how many keys.
    fn work(self) -> (usize, usize) {
        let Self { mut admins, mut clerk, book, member, ring } = self;
        let stopping = Arc::new(AtomicBool::new(false));
        let sealer = thread::spawn({
            let (ring, stopping) = (Arc::clone(&ring), Arc::clone(&stopping));
            move || {
                let (mut sealed, mut used) = (0, std::collections::BTreeSet::new());
                while !stopping.load(Ordering::SeqCst) {
                    let height = clerk.ledger.sync().expect("the node answers").value.height;
                    let good = |(from, _): &&(Height, HeldKey)| *from <= height;
                    let key = ring.lock().expect("nobody panics").iter().rfind(good).expect("one at least").1.clone();
                    used.insert(key.number);
                    clerk.signers = Signers::new(&[key]).expect("one key");
                    let line = Line { tag: Tag(random()), commitment: Digest(random()) };
                    let settled = clerk.submit(Operation::Seal { book, lines: vec![line] });
                    assert!(matches!(settled, Settlement::Done { .. }), "a rotation failed a seal: {settled:?}");
                    sealed += 1;
                }
                (sealed, used.len())
            }
        });
        for _ in 0..EACH {
            let secret: SecretKey = holder_key(KeyAlgorithm::Ed25519);
            let code = admins.ledger.record::<Member>(member.0).expect("the node answers").code;
            let new = NewKey::of(&admins.ledger.domain(), &code, KeyPurpose::Issuing, &secret);
            let from = Height(admins.ledger.sync().expect("the node answers").value.height.0 + 12);
            let old = ring.lock().expect("nobody panics").last().expect("one at least").1.number;
            let effect = admins.done(rotation::rotate(new, from, Some((old, Height(from.0 + OVERLAP)))));
            let Effect::KeyAdded { key, .. } = effect else { panic!("another effect: {effect:?}") };
            ring.lock().expect("nobody panics").push((from, HeldKey::new(KeyPurpose::Issuing, member, key, secret)));
            assert!(!sealer.is_finished(), "the clerk gave up");
        }
        stopping.store(true, Ordering::SeqCst);
        sealer.join().expect("no seal fails")
    }
}

#[test]
fn sec10_a_hundred_rotations_under_load_fail_no_transaction() {
    let network = Network::start();
    let departments = [Department::of(&network, "psb", "T-DL"), Department::of(&network, "amr", "T-BL")];
    let at_work = departments.map(|department| thread::spawn(move || department.work()));
    for department in at_work {
        let (sealed, keys) = department.join().expect("no rotation fails");
        assert!(sealed >= EACH / 2 && keys >= 5, "{sealed} seals by {keys} keys");
    }
    for name in ["PSB", "AMR"] {
        let member = sample::member(name).expect("a sample member");
        let record: Member = network.ledger(&["hrs"]).record(member.0).expect("the node answers");
        let issuing = record.keys.iter().filter(|key| key.purpose == KeyPurpose::Issuing);
        // Two of the founding, of which the first was rotated out, and what followed.
        assert_eq!(issuing.clone().count(), 2 + EACH, "{name}");
        assert_eq!(issuing.filter(|key| key.until.is_none()).count(), 2, "{name}");
    }
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
}

#[test]
fn sec10_a_validator_votes_with_the_key_that_the_ledger_names_for_the_height() {
    let network = Network::start();
    let load = Load::start(&network, 1);
    let home = network.node("hrs").home.clone();
    let new = home.join("keys/consensus-new.json").display().to_string();
    let command = ["key", "rotate", &new, "--purpose", "consensus", "--plain", "--from", "+80", "--ends", "0"];
    let rotated = network.member_command("hrs", &command).expect(0).json();
    let from = rotated["effect"]["key-added"]["from"].as_u64().expect("a height");
    let configuration = home.join("node.toml");
    let text = std::fs::read_to_string(&configuration).expect("the file is there");
    let one = "consensus = \"keys/consensus.json\"";
    assert!(text.contains(one));
    let both = "consensus = [\"keys/consensus.json\", \"keys/consensus-new.json\"]";
    std::fs::write(&configuration, text.replace(one, both)).expect("the file is writable");
    assert_eq!(network.terminate("hrs"), Some(0));
    network.run("hrs");
    network.wait_height("gov", from + 2);

    let member = sample::member("HRS").expect("a sample member");
    let key_at = |height: u64| network.validators_at(Height(height)).get(member).expect("a validator").key;
    let stored = std::fs::read_to_string(&new).expect("the key was made");
    assert!(stored.contains(&key_at(from).to_string()) && key_at(from) != key_at(from - 1));
    network.wait_signs(member, "gov");
    network.wait_ready("hrs");
    load.stop().assert_kept(&network, &["gov", "psb", "amr", "hrs", "observer"]);
}
