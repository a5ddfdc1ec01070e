//! State and outcome proofs: what they prove, and that nothing else does. Rules P-1 to P-7:
//! `sdk/spec/proofs.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::world::{World, certificate, everywhere, validators};
use common::{SUITES, cases, domain, hex_of, variant, vectors};
use fengni_core::block::Header;
use fengni_core::codec;
use fengni_core::proof::{BookList, OutcomeProof, Place, ProofError, StateProof};
use fengni_core::shelf::Shelf;
use fengni_core::*;
use serde_json::{Value, json};

type Verified = Result<Vec<(String, String)>, String>;

/// Entries that a proof proves, or why not.
fn judge(bytes: &[u8]) -> Verified {
    let name = |error: ProofError| match error {
        ProofError::NotFinal(inner) => format!("NotFinal {}", variant(&inner)),
        other => variant(&other),
    };
    let proof = StateProof::decode(bytes).map_err(name)?;
    let proven = proof.verify(&domain(), &validators(Suite::Standard)).map_err(name)?;
    let entries = proof.entries.iter().map(|entry| (entry.place.to_string(), hex::encode(&entry.bytes.0)));
    assert!(proof.entries.iter().map(|entry| &entry.place).eq(proven.places()));
    Ok(entries.collect())
}

fn judge_outcome(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let name = |error: ProofError| variant(&error);
    let proof = OutcomeProof::decode(bytes).map_err(name)?;
    let outcome = proof.verify(&domain(), &validators(Suite::Standard)).map_err(name)?;
    Ok(outcome.encode())
}

#[test]
fn a_proof_shows_every_kind_of_entry() {
    for suite in SUITES {
        let world = World::new(suite);
        let proof = world.prove(&everywhere());
        let again = StateProof::decode(&proof.encode()).expect("own bytes");
        assert_eq!(again, proof);
        let proven = again.verify(&world.domain, &validators(suite)).expect("right");
        let book = BookNumber(0);
        assert_eq!(proven.header(), &world.header);
        assert_eq!(proven.record::<record::Parameters>(0), Ok(common::world::parameters()));
        assert_eq!(proven.record::<book::Book>(0).expect("there").lines, 1029);
        assert_eq!(proven.page(book, PageNumber(1)), Ok(common::world::pages(&world.domain)[1].clone()));
        assert_eq!(proven.act(book, ActNumber(2)), Ok(common::world::acts()[2].clone()));
        assert_eq!(proven.seal(book, SealNumber(1)), Ok(common::world::seals()[1].clone()));
        assert_eq!(proven.heads(book, PageNumber(0)), Ok(common::world::heads()[0].clone()));
        let place = LinePlace { book, line: LineNumber(1027) };
        assert_eq!(proven.line(place), Ok(common::world::line(1027)));
        assert_eq!(proven.seal_of(place), Some(common::world::seals()[1].clone()));
        assert_eq!(proven.seal_of(LinePlace { book, line: LineNumber(3) }), None);
        // P-6: what was not asked for is missing, not absent.
        let missing = Place::Record(Shelf::Members, 1);
        assert_eq!(proven.record::<record::Member>(1), Err(ProofError::Missing(missing)));
        assert_eq!(proven.size(Shelf::Members), 4);
        assert_eq!(proven.size(Shelf::Agreements), 0);
    }
}

#[test]
fn every_flipped_byte_of_a_proof_is_refused_or_proves_the_same() {
    let world = World::new(Suite::Standard);
    let small = [
        Place::Record(Shelf::Books, 0),
        Place::Page(BookNumber(0), PageNumber(1)),
        Place::Line(BookNumber(0), LineNumber(1026)),
    ];
    let bytes = world.prove(&small).encode();
    let right = judge(&bytes).expect("right");
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut other = bytes.clone();
            other[at] ^= bit;
            let found = judge(&other);
            assert!(found.is_err() || found.as_ref() == Ok(&right), "byte {at}: {found:?}");
        }
    }
    // The certificate too: no two certificates of one proof differ in a byte that counts.
    let outcome = world.outcome_proof(1).encode();
    let right = judge_outcome(&outcome).expect("right");
    for at in 0..outcome.len() {
        let mut other = outcome.clone();
        other[at] ^= 1 << (at % 8);
        let found = judge_outcome(&other);
        assert!(found.is_err() || found.as_ref() == Ok(&right), "byte {at}: {found:?}");
    }
}

#[test]
fn p7_an_outcome_is_proven_at_its_place() {
    for suite in SUITES {
        let world = World::new(suite);
        for place in 0..3 {
            let proof = world.outcome_proof(place);
            let outcome = proof.verify(&world.domain, &validators(suite)).expect("right");
            assert_eq!(*outcome, world.outcomes[place as usize]);
        }
    }
}

fn made() -> Value {
    let world = World::new(Suite::Standard);
    let domain = world.domain;
    let all = world.prove(&everywhere());
    let two = |places: &[Place]| world.prove(places);
    let book = Place::Record(Shelf::Books, 0);
    let (page, line) = (Place::Page(BookNumber(0), PageNumber(1)), Place::Line(BookNumber(0), LineNumber(1027)));
    let short = two(&[book, page, line]);
    let mut refused = Vec::new();
    let mut refuse = |why: &str, rule: &str, proof: &StateProof| {
        let bytes = proof.encode();
        let error = judge(&bytes).err().unwrap_or_else(|| panic!("{why} is accepted"));
        refused.push(json!({ "why": why, "rule": rule, "hex": hex::encode(bytes), "error": error }));
    };
    let with = |change: &dyn Fn(&mut StateProof)| {
        let mut other = short.clone();
        change(&mut other);
        other
    };
    // Signed by a quorum, so that only the rule under test is broken.
    let resigned = |change: &dyn Fn(&mut Header)| {
        let mut other = short.clone();
        change(&mut other.header);
        let id = other.header.id(&domain);
        other.certificate = certificate(&domain, other.header.height, 1, id, &[0, 1, 2]);
        other
    };
    refuse("another network", "P-2", &resigned(&|header| header.network = NetworkId::default()));
    refuse("too few signatures", "P-3", &with(&|proof| proof.certificate.signatures.truncate(1)));
    refuse("a header nobody signed", "P-3", &with(&|proof| proof.header.time.0 += 1));
    refuse("a root of other shelves", "P-4", &resigned(&|header| header.state_root = Digest([1; 32])));
    refuse("a shelf of another size", "P-4", &with(&|proof| proof.shelves[1].size = 5));
    refuse(
        "a shelf too few",
        "P-4",
        &with(&|proof| {
            proof.shelves.pop();
        }),
    );
    refuse("a shelf too many", "P-4", &with(&|proof| proof.shelves.push(proof.shelves[0])));
    refuse("two shelves exchanged", "P-4", &with(&|proof| proof.shelves.swap(2, 3)));
    refuse("other bytes", "P-5", &with(&|proof| proof.entries[2].bytes.0[0] ^= 1));
    refuse(
        "another place",
        "P-5",
        &with(&|proof| proof.entries[2].place = Place::Line(BookNumber(0), LineNumber(1026))),
    );
    refuse(
        "a place beyond its list",
        "P-5",
        &with(&|proof| proof.entries[2].place = Place::Line(BookNumber(0), LineNumber(1029))),
    );
    refuse(
        "a path too short",
        "P-5",
        &with(&|proof| {
            proof.entries[2].path.pop();
        }),
    );
    refuse("a path too long", "P-5", &with(&|proof| proof.entries[2].path.push(Digest([0; 32]))));
    refuse("an entry twice", "P-5", &with(&|proof| proof.entries.push(proof.entries[2].clone())));
    refuse("a page before its book", "P-5", &with(&|proof| proof.entries.swap(0, 1)));
    refuse("a page without its book", "P-5", &two(&[page]));
    refuse("a line without its page", "P-5", &two(&[book, line]));
    refuse("a line of another page", "P-5", &two(&[book, Place::Page(BookNumber(0), PageNumber(0)), line]));
    let list = (BookNumber(0), BookList::Pages);
    refuse(
        "no root for a list",
        "P-5",
        &with(&|proof| {
            proof.roots.retain(|(of, _)| *of != list);
        }),
    );
    refuse(
        "another root for a list",
        "P-5",
        &with(&|proof| proof.roots.iter_mut().for_each(|(_, root)| *root = Digest([2; 32]))),
    );
    refuse(
        "a root that no entry uses",
        "P-5",
        &with(&|proof| {
            let place = proof.roots.partition_point(|(of, _)| *of < (BookNumber(0), BookList::Acts));
            proof.roots.insert(place, ((BookNumber(0), BookList::Acts), Digest([2; 32])));
        }),
    );
    let mut trailing = short.encode();
    trailing.push(0);
    refused.push(json!({ "why": "a byte too many", "rule": "P-1", "hex": hex::encode(&trailing), "error": judge(&trailing).expect_err("trailing") }));
    let accepted = [&all, &short, &two(&[])].map(|proof| {
        let bytes = proof.encode();
        let entries = judge(&bytes).expect("right");
        let entries: Vec<Value> =
            entries.into_iter().map(|(place, bytes)| json!({ "place": place, "bytes": bytes })).collect();
        json!({ "hex": hex::encode(bytes), "entries": entries })
    });
    let outcomes = [0, 2].map(|place| {
        let bytes = world.outcome_proof(place).encode();
        json!({ "hex": hex::encode(&bytes), "outcome": world.outcomes[place as usize], "error": null, "bytes": hex::encode(judge_outcome(&bytes).expect("right")) })
    });
    let mut wrong = Vec::new();
    let mut refuse = |why: &str, change: &dyn Fn(&mut OutcomeProof)| {
        let mut proof = world.outcome_proof(1);
        change(&mut proof);
        let bytes = proof.encode();
        let error = judge_outcome(&bytes).err().unwrap_or_else(|| panic!("{why} is accepted"));
        wrong.push(json!({ "why": why, "rule": "P-7", "hex": hex::encode(bytes), "error": error }));
    };
    refuse("another place", &|proof| proof.place = 0);
    refuse("a place beyond the block", &|proof| proof.place = 3);
    refuse("another size", &|proof| proof.size = 4);
    refuse("another outcome", &|proof| proof.outcome = world.outcomes[0].clone());
    refuse("a path too short", &|proof| {
        proof.path.pop();
    });
    refuse("a header nobody signed", &|proof| proof.header.outcomes = Digest([1; 32]));
    json!({
        "about": "Rules P-1 to P-7, under the validators given. Network: 32 bytes 46.",
        "network": domain.network.to_string(),
        "validators": hex::encode(codec::encode(&validators(Suite::Standard))),
        "header": { "id": world.header.id(&domain), "hex": hex::encode(codec::encode(&world.header)), "value": world.header },
        "accepted": accepted,
        "refused": refused,
        "outcomes": outcomes,
        "outcomes_refused": wrong,
    })
}

#[test]
fn p1_to_p7_vectors_hold() {
    let file = vectors("proofs", &made());
    for case in cases(&file, "accepted") {
        let entries = judge(&hex_of(case, "hex")).expect("accepted");
        let listed: Vec<(String, String)> = case["entries"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| {
                let text = |field: &str| entry[field].as_str().expect("text").to_owned();
                (text("place"), text("bytes"))
            })
            .collect();
        assert_eq!(entries, listed);
    }
    for case in cases(&file, "refused") {
        assert_eq!(judge(&hex_of(case, "hex")).err().as_deref(), case["error"].as_str(), "{case}");
    }
    for case in cases(&file, "outcomes") {
        assert_eq!(judge_outcome(&hex_of(case, "hex")).map(hex::encode).ok().as_deref(), case["bytes"].as_str());
    }
    for case in cases(&file, "outcomes_refused") {
        assert_eq!(judge_outcome(&hex_of(case, "hex")).err().as_deref(), case["error"].as_str(), "{case}");
    }
}

#[test]
fn places_have_one_text() {
    for place in everywhere() {
        assert_eq!(Place::parse(&place.to_string()), Some(place));
    }
    for wrong in [
        "",
        "members",
        "members/",
        "members/x",
        "members/1/2",
        "line/0",
        "line/0/1/2",
        "line/0/-1",
        "nobody/3",
        "page/4294967296/0",
    ] {
        assert_eq!(Place::parse(wrong), None, "{wrong}");
    }
}
