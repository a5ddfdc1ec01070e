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
use crate::selfcheck::{self, Depth};
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
    let report = selfcheck::check(ours, origin.genesis.domain(), &origin.founding, Depth::Whole, &mut |_| ());
    assert!(report.is_sound() && report.height == last, "{report:?}");
    decide(&joined);
    assert_eq!(joined.state().height(), last.next());
}

/// Takes so many answers of the ledger's snapshot into a folder, or all; which parts were asked for
/// after which key, and the height where it is whole.
fn taken_until(origin: &Origin, folder: &Path, answers: usize) -> (Vec<(Part, Vec<u8>)>, Option<Height>) {
    let latest = origin.ledger.latest().expect("blocks were decided");
    let (header, certificate) = (latest.header.clone(), latest.certificate.clone());
    let handovers = origin.ledger.handovers(Height(0));
    let begun = Arriving::begin(folder, &origin.genesis, header, certificate, &handovers);
    let (mut arriving, mut asked) = (begun.expect("a true header"), Vec::new());
    while let Some((part, after)) = arriving.next() {
        if asked.len() == answers {
            return (asked, None);
        }
        let (entries, more) = origin.ledger.store().entries_after(part, &after.0, 2000);
        arriving.take(&entries, more).expect("true entries");
        asked.push((part, after.0));
    }
    (asked, Some(arriving.finish().expect("a true snapshot").1))
}

#[test]
fn ops04_a_join_that_broke_off_goes_on_where_it_was() {
    let origin = Origin::new();
    let whole = tempfile::tempdir().expect("a folder for the test");
    let (all, _) = taken_until(&origin, whole.path(), usize::MAX);
    assert!(all.len() > 8, "some parts take several answers: {}", all.len());
    // Broken off after any number of answers, by a restart: nothing is asked for again, only what follows.
    for answers in [1, all.len() / 3, all.len() / 2, all.len() - 2] {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (first, none) = taken_until(&origin, folder.path(), answers);
        assert_eq!((first.len(), none), (answers, None));
        let (second, height) = taken_until(&origin, folder.path(), usize::MAX);
        assert_eq!(height, Some(origin.ledger.last_final()));
        let again: Vec<_> = second.iter().filter(|asked| first.contains(asked)).collect();
        assert!(again.is_empty(), "after {answers} answers: {again:?}");
        let joined = open(folder.path(), &origin.genesis, &origin.founding);
        assert_eq!(joined.state().root(), origin.ledger.state().root());
        assert_eq!(joined.store().arriving(), None);
    }
}

#[test]
fn what_is_left_of_another_snapshot_or_was_damaged_is_not_gone_on_with() {
    let origin = Origin::new();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (first, _) = taken_until(&origin, folder.path(), 12);
    assert!(first.iter().any(|(part, _)| *part != Part::Records), "past the records");
    // The peer's copy is of a later block by now: all of it is asked for.
    decide(&origin.ledger);
    let (second, height) = taken_until(&origin, folder.path(), usize::MAX);
    assert_eq!((second[0].clone(), height), ((Part::Records, Vec::new()), Some(origin.ledger.last_final())));

    let folder = tempfile::tempdir().expect("a folder for the test");
    taken_until(&origin, folder.path(), 12);
    let store = Store::open(folder.path(), &origin.genesis.domain()).expect("a store");
    let (mut entries, _) = store.entries_after(Part::Records, &[], 2000);
    entries[3].1.0[0] ^= 0x10;
    store.put_entries(Part::Records, &entries);
    drop(store);
    let latest = origin.ledger.latest().expect("blocks were decided");
    let handovers = origin.ledger.handovers(Height(0));
    let (header, certificate) = (latest.header.clone(), latest.certificate.clone());
    let refused = || -> Result<(), Refused> {
        let begin = Arriving::begin(folder.path(), &origin.genesis, header.clone(), certificate.clone(), &handovers);
        let mut arriving = begin?;
        while let Some((part, after)) = arriving.next() {
            let (entries, more) = origin.ledger.store().entries_after(part, &after.0, 2000);
            arriving.take(&entries, more)?;
        }
        arriving.finish().map(drop)
    };
    refused().expect_err("the records have another root");
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

/// Answers as a peer of that ledger, a little at a time, and falls silent after so many answers; what
/// `edit` leaves of each part's entries.
async fn answering(
    ledger: std::sync::Arc<Ledger>,
    network: TxNetwork,
    mut feeds: TxFeeds,
    answers: usize,
    edit: fn(Part, &mut Vec<Entry>),
) -> usize {
    let latest = ledger.latest().expect("blocks were decided");
    let mut given = 0;
    while let Some(asked) = feeds.questions.recv().await {
        let answer = match codec::decode(&asked.bytes, super::QUESTION_BYTES).expect("a question") {
            // Far ahead, so that a node that joins waits for all its peers.
            Question::Tip => Answer::Tip(Height(1_000_000)),
            Question::Open => {
                Answer::Opened { header: Box::new(latest.header.clone()), certificate: latest.certificate.clone() }
            }
            Question::Handovers { since } => Answer::Handovers(ledger.handovers(since)),
            Question::Part { .. } if given == answers => Answer::Gone,
            Question::Part { part, after, .. } => {
                let (mut entries, more) = ledger.store().entries_after(part, &after.0, 2000);
                edit(part, &mut entries);
                given += 1;
                Answer::Part { entries, more }
            }
        };
        let is_last = matches!(answer, Answer::Gone);
        network.mesh().answer(asked.id, Bytes::from(codec::encode(&answer))).await;
        if is_last {
            break;
        }
    }
    given
}

#[tokio::test(flavor = "multi_thread")]
async fn ops04_another_peer_goes_on_with_a_snapshot_and_a_false_start_is_not_its_fault() {
    let origin = Origin::new();
    let (domain, genesis, root) = (origin.genesis.domain(), origin.genesis.clone(), origin.ledger.state().root());
    let founding = origin.founding.clone();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let all = taken_until(&origin, folder.path(), usize::MAX).0.len();
    let ledger = std::sync::Arc::new(origin.ledger);
    for (false_start, seeds) in [(false, [3, 4]), (true, [5, 6])] {
        // Peers are asked in the order of what they show, and then of their names.
        let first_asked = if peer(seeds[0]) < peer(seeds[1]) { seeds } else { [seeds[1], seeds[0]] };
        let (first, first_feeds, first_at) = listening(first_asked[0], domain).await;
        let (second, second_feeds, second_at) = listening(first_asked[1], domain).await;
        // Page records are compared with the state's root at the end.
        let spoil = |part, entries: &mut Vec<Entry>| {
            if let Some((_, value)) = entries.first_mut().filter(|_| part == Part::Pages) {
                let middle = value.0.len() / 2;
                value.0[middle] ^= 1;
            }
        };
        let edit: fn(Part, &mut Vec<Entry>) = if false_start { spoil } else { |_, _| () };
        let breaking = tokio::spawn(answering(ledger.clone(), first, first_feeds, all / 2, edit));
        let going_on = tokio::spawn(answering(ledger.clone(), second, second_feeds, usize::MAX, |_, _| ()));
        let home = tempfile::tempdir().expect("a folder for the test");
        join(home.path(), &genesis, vec![first_at, second_at], None).await;
        assert_eq!(breaking.await.expect("no panic"), all / 2);
        going_on.abort();
        let joined = open(&copy::place(home.path()), &genesis, &founding);
        assert_eq!(joined.state().root(), root);
        assert!(!home.path().join("store.joining").exists());
    }
}

#[test]
fn questions_are_short() {
    let longest =
        Question::Part { height: Height(1), part: Part::Lines, after: fengni_core::bytes::Bytes(vec![0; 44]) };
    assert!(codec::encode(&longest).len() <= super::QUESTION_BYTES);
}
