//! Joining by a snapshot: the joined node is the other's equal, and nothing false gets in.

use std::path::Path;

use bytes::Bytes;
use fengni_core::{Domain, Height, KeyAlgorithm, MemberNumber, SecretKey, codec};
use fengni_genesis::Genesis;
use fengni_state::{Founding, Records as _, StateParts as _};
use tempfile::TempDir;

use super::arriving::{Arriving, Refused};
use super::{Answer, Joining, Question};
use crate::engine::Chain as _;
use crate::ledger::Ledger;
use crate::ledger::tests::{a_book, decide, founding, open, place};
use crate::network::{
    Limits, MeshConfig, NetworkMetrics, PeerAddress, PeerId, Purpose, Roster, TxFeeds, TxNetwork, peer_id,
};
use crate::store::{Entry, Part, Store, copy};

/// A ledger of a book and some blocks, whose window is shorter than it, in `data/store`.
struct Origin {
    genesis: Genesis,
    founding: Founding,
    home: TempDir,
    ledger: Ledger,
}

impl Origin {
    fn new() -> Self {
        let (genesis, mut founding, _) = founding();
        founding.parameters.window = 3;
        let home = tempfile::tempdir().expect("a folder for the test");
        let ledger = open(&copy::place(home.path()), &genesis, &founding);
        a_book(&ledger);
        for _ in 0..4 {
            decide(&ledger);
        }
        Self { genesis, founding, home, ledger }
    }

    /// Takes the ledger's snapshot into a folder, with entries as `edit` leaves them.
    fn taken(&self, folder: &Path, mut edit: impl FnMut(Part, &mut Vec<Entry>)) -> Result<Height, Refused> {
        let latest = self.ledger.latest().expect("blocks were decided");
        let (header, certificate) = (latest.header.clone(), latest.certificate.clone());
        let handovers = self.ledger.handovers(Height(0));
        let mut arriving = Arriving::begin(folder, &self.genesis, header, certificate, &handovers)?;
        while let Some((part, after)) = arriving.next() {
            // Small answers, so that every part takes several.
            let (mut entries, more) = self.ledger.store().entries_after(part, &after.0, 2000);
            edit(part, &mut entries);
            arriving.take(&entries, more)?;
        }
        arriving.finish().map(|(_, height)| height)
    }
}

#[test]
fn a_node_that_joined_knows_what_the_other_knows_and_goes_on() {
    let origin = Origin::new();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let last = origin.taken(folder.path(), |_, _| ()).expect("a true snapshot");
    let joined = open(folder.path(), &origin.genesis, &origin.founding);
    assert_eq!((joined.state().height(), joined.state().root()), (last, origin.ledger.state().root()));
    assert_eq!(joined.first_kept(), Height(last.0 - 3));
    assert_eq!(joined.handovers(Height(0)), origin.ledger.handovers(Height(0)));
    joined.verify_from(origin.genesis.checkpoint()).expect("quorums lead here");
    // Tags were made here; the line with a new holder key is the current one of its tag.
    let (theirs, ours) = (origin.ledger.store(), joined.store());
    let lines: Vec<_> = (0..2).flat_map(|page| theirs.lines_of_page(place(0).book, page)).collect();
    assert_eq!(lines.len(), 1040);
    let tags: Vec<_> = lines.iter().map(|line| line.tag).collect();
    assert_eq!(ours.find_tags(place(0).book, &tags), theirs.find_tags(place(0).book, &tags));
    assert_eq!(ours.find_tags(place(0).book, &tags[5..6]), [Some(place(1039))]);
    assert_eq!(ours.acts(place(0).book), theirs.acts(place(0).book));
    for height in (last.0 - 3..=last.0).map(Height) {
        assert_eq!((ours.body(height), ours.outcomes(height)), (theirs.body(height), theirs.outcomes(height)));
        let (header, certificate) = joined.finality(height).expect("a recent height");
        let validators = ours.finality(height).expect("a recent height").validators;
        assert_eq!(Some(&validators), theirs.finality(height).map(|it| it.validators).as_ref());
        certificate.verify(joined.domain(), &validators, height, header.id(joined.domain())).expect("final");
    }
    decide(&joined);
    assert_eq!(joined.state().height(), last.next());
}

#[test]
fn nothing_false_gets_in() {
    let origin = Origin::new();
    let parts =
        [Part::Records, Part::Pages, Part::Heads, Part::Seals, Part::Acts, Part::Lines, Part::Blocks, Part::Outcomes];
    let foil = |what: &str, wanted: Part, change: &dyn Fn(&mut Vec<Entry>)| {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut done = false;
        let taken = origin.taken(folder.path(), |part, entries| {
            if part == wanted && !done && !entries.is_empty() {
                change(entries);
                done = true;
            }
        });
        assert!(done, "{wanted:?} has entries");
        assert!(taken.is_err(), "{wanted:?}: {what}");
    };
    for part in parts {
        for bit in [0x01, 0x80] {
            foil("the first byte is another", part, &|entries| entries[0].1.0[0] ^= bit);
            foil("the last byte is another", part, &|entries| *entries[0].1.0.last_mut().expect("bytes") ^= bit);
            foil("a byte in the middle is another", part, &|entries| {
                let middle = entries[0].1.0.len() / 2;
                entries[0].1.0[middle] ^= bit;
            });
        }
        foil("an entry is left out", part, &|entries| drop(entries.remove(0)));
        foil("an entry stands twice", part, &|entries| entries.insert(0, entries[0].clone()));
        foil("an entry is empty", part, &|entries| entries[0].1.0.clear());
        foil("a key is another", part, &|entries| *entries[0].0.0.last_mut().expect("a key") ^= 1);
        foil("a key is longer", part, &|entries| entries[0].0.0.push(0));
        foil("a key is empty", part, &|entries| entries[0].0.0.clear());
    }
}

#[test]
fn a_header_needs_a_quorum_of_the_validators_that_the_founding_leads_to() {
    let origin = Origin::new();
    let latest = origin.ledger.latest().expect("blocks were decided");
    let handovers = origin.ledger.handovers(Height(0));
    let begin = |edit: &dyn Fn(&mut fengni_core::Header, &mut fengni_core::CommitCertificate), handovers| {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (mut header, mut certificate) = (latest.header.clone(), latest.certificate.clone());
        edit(&mut header, &mut certificate);
        Arriving::begin(folder.path(), &origin.genesis, header, certificate, handovers).map(drop)
    };
    begin(&|_, _| (), &handovers).expect("a true header");
    let other = |header: &mut fengni_core::Header, _: &mut _| header.state_root.0[0] ^= 1;
    assert!(matches!(begin(&other, &handovers), Err(Refused::Header(_))));
    let fewer = |_: &mut _, certificate: &mut fengni_core::CommitCertificate| certificate.signatures.truncate(2);
    assert!(matches!(begin(&fewer, &handovers), Err(Refused::Header(_))));
    assert!(matches!(begin(&|_, _| (), &handovers[1..]), Err(Refused::Header(_))), "a handover is left out");
    assert!(matches!(begin(&|_, _| (), &[]), Err(Refused::Header(_))), "none is given");
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[seed; 32]).expect("any seed is an ed25519 key")
}

fn peer(seed: u8) -> PeerId {
    peer_id(&key(seed).public()).expect("an ed25519 key")
}

fn mesh(seed: u8, domain: Domain, peers: Vec<PeerAddress>) -> MeshConfig {
    MeshConfig {
        key: key(seed),
        domain,
        purpose: Purpose::Transactions,
        shared_key: None,
        listen: Some("/ip4/127.0.0.1/tcp/0".parse().expect("an address")),
        peers,
        limits: Limits::default(),
    }
}

async fn listening(seed: u8, domain: Domain) -> (TxNetwork, TxFeeds, PeerAddress) {
    let roster = Roster::new([(peer(9), MemberNumber(9))]);
    let started = TxNetwork::start(mesh(seed, domain, Vec::new()), roster, NetworkMetrics::default()).await;
    let (network, feeds) = started.expect("a mesh");
    let address = network.mesh().listening().expect("a listener").clone();
    (network, feeds, PeerAddress { peer: peer(seed), address })
}

/// Joins with the data folder `home` from these peers.
async fn join(home: &Path, origin: &Genesis, peers: Vec<PeerAddress>, snapshot: Option<bool>) -> Option<Height> {
    let mesh = MeshConfig { listen: None, ..mesh(9, origin.domain(), peers) };
    super::join(Joining { mesh, genesis: origin, data: home, snapshot }).await.expect("a mesh and a disk")
}

#[tokio::test(flavor = "multi_thread")]
async fn ops04_a_node_without_blocks_passes_a_liar_by_and_joins() {
    let origin = Origin::new();
    let domain = origin.genesis.domain();
    let (root, last) = (origin.ledger.state().root(), origin.ledger.last_final());
    let (genesis, founding) = (origin.genesis.clone(), origin.founding.clone());
    let data = origin.home.path().to_owned();
    let stray = data.join("snapshots/1");
    std::fs::create_dir_all(&stray).expect("a folder");
    let latest = origin.ledger.latest().expect("blocks were decided");
    let ledger = std::sync::Arc::new(origin.ledger);
    let (honest, feeds, honest_at) = listening(1, domain).await;
    let serving = super::start(ledger.clone(), honest.mesh().clone(), feeds.questions, &data);
    assert!(!stray.exists(), "copies of an earlier run are deleted");

    // The liar says it is further, and gives a header that no quorum signed.
    let (liar, mut feeds, liar_at) = listening(2, domain).await;
    let lying = tokio::spawn(async move {
        while let Some(asked) = feeds.questions.recv().await {
            let mut header = latest.header.clone();
            header.height = Height(1_000_000);
            let answer = match codec::decode(&asked.bytes, super::QUESTION_BYTES).expect("a question") {
                Question::Tip => Answer::Tip(header.height),
                Question::Open => Answer::Opened { header: Box::new(header), certificate: latest.certificate.clone() },
                _ => Answer::Handovers(Vec::new()),
            };
            liar.mesh().answer(asked.id, Bytes::from(codec::encode(&answer))).await;
        }
    });

    let home = tempfile::tempdir().expect("a folder for the test");
    let place = copy::place(home.path());
    // Not far behind: nothing is taken unless it is asked for. Never where that is forbidden.
    assert_eq!(join(home.path(), &genesis, vec![honest_at.clone()], None).await, Some(last));
    assert_eq!(join(home.path(), &genesis, vec![honest_at.clone()], Some(false)).await, Some(last));
    assert!(!place.exists());
    // From the liar alone nothing is taken, and nothing is kept of it.
    join(home.path(), &genesis, vec![liar_at.clone()], Some(true)).await;
    assert!(!place.exists() && !home.path().join("store.joining").exists());
    join(home.path(), &genesis, vec![honest_at.clone(), liar_at.clone()], None).await;
    let store = Store::open(&place, &domain).expect("a store");
    assert_eq!((store.last_height(), store.kept_from()), (last, Height(last.0 - 3)));
    drop(store);
    assert_eq!(open(&place, &genesis, &founding).state().root(), root);
    // A node with blocks asks nobody.
    assert_eq!(join(home.path(), &genesis, vec![honest_at], None).await, None);
    serving.abort();
    lying.abort();
}

#[test]
fn questions_are_short() {
    let longest =
        Question::Part { height: Height(1), part: Part::Lines, after: fengni_core::bytes::Bytes(vec![0; 44]) };
    assert!(codec::encode(&longest).len() <= super::QUESTION_BYTES);
}
