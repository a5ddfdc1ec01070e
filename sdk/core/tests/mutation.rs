//! Hostile bytes at every door: some ten thousand mutated inputs, seeded, none of which may panic,
//! and none of which may come back as other bytes than it was. Invariant 4.
//!
//! The same doors have fuzz targets in `tests/fuzz`. `FENGNI_MUTATIONS=1000000` runs more,
//! `FENGNI_SEED=7` others.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::domain;
use common::random::{Random, number};
use common::world::{self, World, everywhere, validators};
use fengni_core::block::Block;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::proof::{OutcomeProof, StateProof};
use fengni_core::record::{Agreement, CertificateType, Member, Record};
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::transaction::Transaction;
use fengni_core::{Height, Suite};

/// One door: its name, right bytes for it, and what reads them; what was read is written back.
type Door = (&'static str, Vec<u8>, fn(&[u8]) -> Option<Vec<u8>>);

fn doors() -> Vec<Door> {
    let world = World::new(Suite::Standard);
    let block = Block {
        header: world.header.clone(),
        parent_certificate: Some(world.certificate()),
        transactions: (0..3).map(|number| Bytes(world::transaction(&world.domain, number).encode())).collect(),
    };
    vec![
        ("transaction", world::transaction(&world.domain, 0).encode(), |bytes| {
            let read = Transaction::decode(bytes).ok()?;
            let member = world::member(Suite::Standard, 1);
            let id = read.body.id(&domain());
            let _ = read.check_window(&domain(), Height(12), 10);
            let _ = read.check_signatures(&domain(), id, &member, Height(12));
            Some(read.encode())
        }),
        ("block", block.encode(), |bytes| {
            let read = Block::decode(bytes).ok()?;
            let _ = read.header.id(&domain());
            if let Some(certificate) = &read.parent_certificate {
                let _ =
                    certificate.verify(&domain(), &validators(Suite::Standard), certificate.height, certificate.block);
            }
            read.transactions.iter().for_each(|bytes| drop(Transaction::decode(&bytes.0)));
            Some(read.encode())
        }),
        ("state proof", world.prove(&everywhere()).encode(), |bytes| {
            let read = StateProof::decode(bytes).ok()?;
            let _ = read.verify(&domain(), &validators(Suite::Standard));
            // As a client does that has seen this header before: hostile entries under a good header.
            if let Ok(proven) = read.verify_under_final_header(&domain()) {
                for place in proven.places() {
                    let _ = place.to_string();
                }
            }
            Some(read.encode())
        }),
        ("outcome proof", world.outcome_proof(1).encode(), |bytes| {
            let read = OutcomeProof::decode(bytes).ok()?;
            let _ = read.verify(&domain(), &validators(Suite::Standard));
            Some(read.encode())
        }),
        ("page", world::pages(&world.domain)[0].encode(), |bytes| {
            let read = Page::decode(bytes).ok()?;
            for place in 0..read.lines {
                let _ = read.standing(place);
            }
            Some(read.encode())
        }),
        ("heads", world::heads()[0].encode(), |bytes| ActHeads::decode(bytes).ok().map(|read| read.encode())),
        ("act", world::acts()[2].encode(), |bytes| Act::decode(bytes).ok().map(|read| read.encode())),
        ("member", world::member(Suite::Standard, 1).encode(), |bytes| {
            Member::decode(bytes).ok().map(|read| read.encode())
        }),
        ("type", world::certificate_type().encode(), |bytes| {
            CertificateType::decode(bytes).ok().map(|read| read.encode())
        }),
        ("agreement", world::agreement().encode(), |bytes| Agreement::decode(bytes).ok().map(|read| read.encode())),
        ("validators", codec::encode(&validators(Suite::Standard)), |bytes| {
            let read: fengni_core::ValidatorSet = codec::decode(bytes, 65_536).ok()?;
            let _ = (read.quorum(), read.digest(&domain()));
            Some(codec::encode(&read))
        }),
    ]
}

#[test]
fn no_mutated_input_panics_or_reads_as_another() {
    let (count, seed) = (number("FENGNI_MUTATIONS", 11_000), number("FENGNI_SEED", 1));
    eprintln!("seed {seed}, {count} inputs");
    let doors = doors();
    let (mut random, mut read_back) = (Random::new(seed), 0);
    for (_, bytes, read) in &doors {
        assert_eq!(read(bytes).as_ref(), Some(bytes), "right bytes come back");
    }
    for at in 0..count {
        let (name, right, read) = &doors[at as usize % doors.len()];
        let mut bytes = right.clone();
        random.harm(&mut bytes);
        if let Some(again) = read(&bytes) {
            assert_eq!(again, bytes, "{name}, input {at} of seed {seed}");
            read_back += 1;
        }
    }
    // Most harm is noticed at once; some must get through, or the deeper checks saw nothing.
    assert!(read_back > count / 50, "{read_back} of {count} were read");
}
