//! `fengni trust` as a user runs it: against a node of one block, and against none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_core::block::{BlockId, Header, PROTOCOL_VERSION};
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::digest::{Digest, Domain};
use fengni_core::finality::{CommitCertificate, CommitSignature, VoteStep, vote_bytes};
use fengni_core::light::{Checkpoint, SignedCheckpoint};
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::proof::{Entry, Place, ShelfHead, StateProof};
use fengni_core::record::{KeyPurpose, Record as _};
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::{Height, MemberNumber, Millis};
use fengni_genesis::{Document, Format, Genesis, sample};
use serde_json::Value;

/// Exit code and answer of a command, as JSON.
fn trust(arguments: &[&str]) -> (i32, Value) {
    let run = Command::new(env!("CARGO_BIN_EXE_fengni")).args(["--json", "trust"]).args(arguments).output();
    let run = run.expect("fengni starts");
    let answer = serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&run.stderr)));
    (run.status.code().expect("no signal"), answer)
}

/// The sample, founded so long ago that a checkpoint of then is too old.
fn old() -> Genesis {
    genesis(Millis(1_772_667_085_000))
}

/// The sample, founded an hour ago.
fn young() -> Genesis {
    genesis(Millis(fengni_client::clock::now().0 - 3_600_000))
}

fn genesis(founded: Millis) -> Genesis {
    let text = sample::network(founded, &sample::test_key).to_toml();
    Document::parse(&text, Format::Toml).and_then(|document| document.check()).expect("the sample")
}

/// A store that begins at the founding, and its path as an argument.
fn begin(folder: &Path, genesis: &Genesis) -> (PathBuf, String) {
    let founding = folder.join("genesis.bin");
    std::fs::write(&founding, genesis.encode()).expect("writable");
    let store = folder.join("desk.trust");
    let text = store.display().to_string();
    let (code, answer) = trust(&["init", &text, "--genesis", &founding.display().to_string()]);
    assert_eq!(code, 0, "{answer}");
    (store, text)
}

fn file(folder: &Path, name: &str, content: &impl serde::Serialize) -> String {
    let path = folder.join(name);
    std::fs::write(&path, serde_json::to_vec(content).expect("plain data")).expect("writable");
    path.display().to_string()
}

/// A checkpoint of a height, in the word of a member's node.
fn word(genesis: &Genesis, height: u64, block: BlockId) -> SignedCheckpoint {
    let founding = genesis.checkpoint();
    let checkpoint = Checkpoint { height: Height(height), block: Some(block), ..founding };
    let slot = sample::key_slots().into_iter().find(|slot| slot.member == "GOV" && slot.purpose == KeyPurpose::Peer);
    let slot = slot.expect("GOV has a node");
    let secret = sample::test_secret("GOV", KeyPurpose::Peer, slot.index);
    SignedCheckpoint::sign(checkpoint, sample::member("GOV").expect("a sample member"), slot.number, &secret)
}

/// A final header of height 1, and the proof of a member's record, whose shelf is the only one filled.
fn first_block(genesis: &Genesis, member: MemberNumber) -> StateProof {
    let domain = genesis.domain();
    let mut members = NumberedList::new(domain.suite, ListKind::Shelf);
    let records: Vec<Vec<u8>> = genesis.members.iter().map(|record| record.encode()).collect();
    for record in &records {
        members.append(record);
    }
    let empty = NumberedList::new(domain.suite, ListKind::Shelf);
    let shelves = Shelf::ALL.map(|shelf| if shelf == Shelf::Members { &members } else { &empty });
    let header = Header {
        version: PROTOCOL_VERSION,
        suite: domain.suite,
        network: domain.network,
        height: Height(1),
        time: Millis(genesis.checkpoint().time.0 + 1000),
        parent: BlockId::default(),
        proposer: MemberNumber(0),
        transactions: Digest::default(),
        outcomes: Digest::default(),
        parent_certificate: Digest::default(),
        state_root: state_root(&domain, &shelves.map(|shelf| shelf.digest(&domain))),
        next_validators: genesis.validators().digest(&domain),
    };
    let entry = Entry {
        place: Place::Record(Shelf::Members, member.0),
        bytes: Bytes(records[member.0 as usize].clone()),
        path: members.path(u64::from(member.0)).expect("a member"),
    };
    StateProof {
        certificate: certificate(&domain, &header),
        header,
        shelves: shelves.map(|shelf| ShelfHead { size: shelf.len(), root: shelf.root() }).to_vec(),
        roots: vec![],
        entries: vec![entry],
    }
}

/// By all that decide at the founding.
fn certificate(domain: &Domain, header: &Header) -> CommitCertificate {
    let block = header.id(domain);
    let sign = |name| {
        let member = sample::member(name).expect("a sample member");
        let message = vote_bytes(domain, VoteStep::Precommit, header.height, 0, Some(block), member);
        CommitSignature { member, signature: sample::test_secret(name, KeyPurpose::Consensus, 0).sign(&message) }
    };
    let signatures = ["GOV", "PSB", "AMR", "HRS"].map(sign).to_vec();
    CommitCertificate { height: header.height, round: 0, block, signatures }
}

/// A node on this machine that gives headers, a proof and a word, and no pack.
fn node(proof: &StateProof, word: &SignedCheckpoint) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener"));
    let header = codec::encode(&(&proof.header, &proof.certificate));
    let (proof, word) = (proof.encode(), codec::encode(word));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let asked = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let body: Option<&[u8]> = match asked.split([' ', '?']).nth(1) {
                Some("/v1/headers/latest" | "/v1/headers/1") => Some(&header),
                Some("/v1/proofs") => Some(&proof),
                Some("/v1/checkpoint") => Some(&word),
                _ => None,
            };
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), body].concat());
        }
    });
    url
}

#[test]
fn f8_a_word_against_a_final_header_ends_undecided_and_leaves_its_evidence_beside_the_store() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let genesis = young();
    let (store, text) = begin(folder.path(), &genesis);
    let proof = first_block(&genesis, sample::member("GOV").expect("a sample member"));
    let other = word(&genesis, 1, BlockId(Digest([0xee; 32])));
    let (code, answer) = trust(&["update", &text, "--gateway", &node(&proof, &other)]);
    assert_eq!((code, &answer["result"]), (2, &"undecided".into()), "{answer}");
    let beside = folder.path().join("desk.trust.disagreement.json");
    assert_eq!(answer["evidence"], beside.display().to_string());
    let kept: Value = serde_json::from_slice(&std::fs::read(&beside).expect("the evidence")).expect("JSON");
    assert_eq!(kept["word"], serde_json::to_value(&other).expect("plain data"));
    assert_eq!(kept["against"]["header"]["header"], serde_json::to_value(&proof.header).expect("plain data"));

    // The header was believed, and trust moved on to it: a checkpoint below it is not pinned, and the
    // way out is named.
    let founding = file(folder.path(), "founding.json", &genesis.checkpoint());
    let before = std::fs::read(&store).expect("the store");
    let (code, answer) = trust(&["pin", &text, &founding]);
    let said = |field: &str| answer[field].as_str().expect("a text");
    assert_eq!(code, 1);
    assert!(
        said("reason").contains("of height 0") && said("reason").contains("height 1 by the checkpoint it rests on"),
        "{answer}"
    );
    assert!(said("next").contains(&format!("fengni trust init NEW --checkpoint {founding}")), "{answer}");
    assert_eq!(std::fs::read(&store).expect("the store"), before);
}

#[test]
fn f8_a_word_that_cannot_be_checked_is_pinned_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let genesis = old();
    let (_, text) = begin(folder.path(), &genesis);
    let block = BlockId(Digest([5; 32]));
    let signed = file(folder.path(), "signed.json", &word(&genesis, 5, block));
    let (code, answer) = trust(&["pin", &text, &signed]);
    assert_eq!((code, &answer["result"], &answer["member"]), (0, &"pinned".into(), &Value::Null), "{answer}");
    let warning = answer["warning"].as_str().expect("a warning");
    assert!(warning.contains("word of member 0 was not checked"), "{warning}");
    // A file without a word warns of nothing.
    let plain = file(folder.path(), "plain.json", &word(&genesis, 6, block).checkpoint);
    let (code, answer) = trust(&["pin", &text, &plain]);
    assert_eq!((code, &answer["warning"]), (0, &Value::Null), "{answer}");
    // Nor does a store go back behind what was pinned.
    let (code, answer) = trust(&["pin", &text, &signed]);
    let reason = answer["reason"].as_str().expect("a text");
    assert!(code == 1 && reason.contains("height 6 by the checkpoint it rests on"), "{answer}");
}
