//! Hostile bytes at every door: some ten thousand mutated inputs, seeded, none of which may panic,
//! and none of which may come back as other bytes than it was. Invariant 4.
//!
//! The same doors have fuzz targets in `tests/fuzz`. `FENGNI_MUTATIONS=1000000` runs more,
//! `FENGNI_SEED=7` others.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::domain;
use common::world::{self, World, everywhere, validators};
use fengni_core::block::Block;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::proof::{OutcomeProof, StateProof};
use fengni_core::record::{Agreement, CertificateType, Member, Record};
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::transaction::Transaction;
use fengni_core::{Height, Suite};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// One to three small harms: a flipped bit, an odd byte, a hostile number, a piece cut,
    /// doubled or moved.
    fn harm(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(7) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][self.below(6)],
                2 => {
                    let number = [u64::MAX, 1 << 62, 1 << 40, 1 << 32, 65_536, 0][self.below(6)];
                    let end = (at + 8).min(bytes.len());
                    bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
                }
                3 => bytes.truncate(at),
                4 => {
                    let end = (at + self.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                5 => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => bytes.push(self.next() as u8),
            }
        }
    }
}

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
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (count, seed) = (number("FENGNI_MUTATIONS", 11_000), number("FENGNI_SEED", 1));
    eprintln!("seed {seed}, {count} inputs");
    let doors = doors();
    let (mut random, mut read_back) = (Random(seed), 0);
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
