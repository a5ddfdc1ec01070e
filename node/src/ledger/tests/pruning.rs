//! Pruning: what is dropped is gone from the disk, and what stays proves as before.

use std::path::Path;

use fengni_core::block::PROTOCOL_VERSION;
use fengni_core::bytes::Bytes;
use fengni_core::proof::Place;
use fengni_core::{Block, BlockId, CommitCertificate, Digest, Header, Height, MemberNumber, Millis};

use super::{a_book, decide, founding, open, perform, place};
use crate::engine::Chain as _;
use crate::store::{FinalBlock, Finality, Store};

/// Bytes of everything in a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.and_then(|entry| entry.metadata()).map_or(0, |file| file.len())).sum()
}

/// Bytes that no compression makes smaller.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let suite = fengni_core::Suite::Standard;
    (0..).flat_map(|part: u64| suite.hash(&[&seed.to_be_bytes(), &part.to_be_bytes()]).0).take(length).collect()
}

#[test]
fn ops04_the_space_of_removed_bodies_comes_back() {
    const BLOCKS: u64 = 300;
    const KEPT: u64 = 20;
    let (genesis, _, _) = founding();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let store = Store::open(folder.path(), &genesis.domain()).expect("a store");
    let domain = genesis.domain();
    let validators = genesis.checkpoint().validators;
    let mut removed = 0;
    for height in (1..=BLOCKS).map(Height) {
        let header = Header {
            version: PROTOCOL_VERSION,
            suite: domain.suite,
            network: domain.network,
            height,
            time: Millis(height.0),
            parent: BlockId::default(),
            proposer: MemberNumber(0),
            transactions: Digest::default(),
            outcomes: Digest::default(),
            parent_certificate: Digest::default(),
            state_root: Digest::default(),
            next_validators: Digest::default(),
        };
        let transactions = vec![Bytes(noise(height.0, 32 * 1024))];
        let body = Block { header: header.clone(), parent_certificate: None, transactions }.encode();
        let certificate = CommitCertificate { height, round: 0, block: header.id(&domain), signatures: Vec::new() };
        let finality = Finality { certificate, validators: validators.clone() };
        store.commit(&FinalBlock {
            height,
            body: &body,
            finality: &finality,
            next: None,
            recovery: None,
            outcomes: &[],
            writes: &[],
        });
        if height.0 <= BLOCKS - KEPT {
            removed += body.len() as u64;
        }
    }
    // Out of the log and into tables, as on a node that has run for long.
    store.compact();
    let before = size(folder.path());
    let end = Height(BLOCKS - KEPT + 1);
    let mut steps = 0;
    while store.drop_below(end) < end {
        steps += 1;
    }
    assert!(steps > 0, "it takes more than one step");
    let freed = before.saturating_sub(size(folder.path()));
    assert!(freed * 10 >= removed * 9, "{freed} bytes of {removed} came back");
    assert_eq!((store.kept_from(), store.body(Height(end.0 - 1)), store.body(end).is_some()), (end, None, true));
    assert_eq!(store.header(Height(7)).map(|header| header.time), Some(Millis(7)));
    assert_eq!(store.drop_below(end), end, "nothing more to do");
    assert_eq!(store.drop_below(Height(u64::MAX)), Height(BLOCKS), "the last block stays, whatever is asked");
}

#[test]
fn ops04_after_pruning_and_a_restart_proofs_and_handovers_hold() {
    let (genesis, mut founding, changes) = founding();
    founding.parameters.window = 3;
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut ledger = open(folder.path(), &genesis, &founding);
    let old = a_book(&ledger);
    for _ in 0..4 {
        decide(&ledger);
    }
    let handovers = ledger.handovers(Height(0));
    let finality = ledger.store().finality(Height(1));
    let header = ledger.finality(Height(1)).map(|(header, _)| header);
    let kept = Height(ledger.last_final().0 - 3);
    assert_eq!(ledger.store().drop_below(kept), kept);
    for _ in 0..2 {
        assert_eq!(ledger.first_kept(), kept);
        assert_eq!(ledger.final_blocks(Height(1)..=kept, usize::MAX).expect("no trouble"), []);
        assert_eq!(ledger.final_blocks(kept..=kept, usize::MAX).expect("no trouble").len(), 1);
        // What became of old transactions is an archive's to say; header and certificate are here.
        assert!(old.iter().all(|id| ledger.outcome(id).is_none()));
        assert_eq!(ledger.handovers(Height(0)), handovers);
        assert_eq!(ledger.handovers(Height(0)).iter().map(|it| it.header.height).collect::<Vec<_>>(), changes);
        assert_eq!(ledger.finality(Height(1)).map(|(header, _)| header), header);
        assert_eq!(ledger.store().finality(Height(1)), finality);
        // The history of the line that was given a new holder key, from its first act to its successor.
        let at = ledger.latest().expect("blocks were decided");
        let places = ledger.history_places(&at, place(5));
        assert!(places.contains(&Place::Line(place(1039).book, place(1039).line)), "{places:?}");
        let proof = ledger.prove(&at, places.into_iter().collect()).expect("everything is there");
        proof
            .verify(ledger.domain(), &ledger.validators(at.header.height).expect("known"))
            .expect("a proof of the present");
        drop((ledger, at));
        ledger = open(folder.path(), &genesis, &founding);
    }
    decide(&ledger);
    let place = place(4);
    let ground = super::ground(&ledger);
    let change = fengni_core::operation::StandingChange::Dispute;
    perform(&ledger, fengni_core::operation::Operation::Change { place, change, ground });
}
