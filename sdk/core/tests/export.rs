//! Streams of blocks. Rules J-1 to J-5.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::world::{certificate, validators};
use common::{domain, vectors};
use fengni_core::bytes::Bytes;
use fengni_core::export::{BlockReader, BlockWriter, ExportedBlock, StreamError};
use fengni_core::{BlockId, Digest, Domain, Height, NetworkId, Suite};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A block as a stream carries it; its bytes mean nothing here.
fn block(height: u64, bytes: Vec<u8>) -> ExportedBlock {
    let height = Height(height);
    let id = BlockId(Digest([u8::try_from(height.0 % 251).expect("small"); 32]));
    ExportedBlock {
        height,
        certificate: certificate(&domain(), height, 0, id, &[0, 1, 2]),
        next: height.0.is_multiple_of(2).then(|| validators(Suite::Standard)),
        terms: None,
        block: Bytes(bytes),
    }
}

fn stream(domain: Domain, first: u64, blocks: &[ExportedBlock]) -> Vec<u8> {
    let mut writer = BlockWriter::begin(Vec::new(), domain, Height(first)).expect("memory");
    for block in blocks {
        writer.write(block).expect("memory");
    }
    writer.finish().expect("memory")
}

/// Every block of a stream, or how far it went and why no further.
fn read(bytes: &[u8]) -> Result<Vec<ExportedBlock>, (usize, StreamError)> {
    let mut reader = BlockReader::open(bytes).map_err(|error| (0, error))?;
    let mut blocks = Vec::new();
    loop {
        match reader.read() {
            Ok(Some(block)) => blocks.push(block),
            Ok(None) => return Ok(blocks),
            Err(error) => return Err((blocks.len(), error)),
        }
    }
}

fn three() -> Vec<ExportedBlock> {
    vec![block(5, vec![1, 2, 3]), block(6, Vec::new()), block(7, vec![9; 70])]
}

#[test]
fn j2_a_stream_cut_off_anywhere_is_named_as_such() {
    let blocks = three();
    let whole = stream(domain(), 5, &blocks);
    assert_eq!(read(&whole).expect("its own bytes"), blocks);
    for length in 0..whole.len() {
        let (count, error) = read(&whole[..length]).expect_err("it was cut off");
        match error {
            StreamError::NotAStream => assert!(length < 14, "{length}"),
            StreamError::CutOff { after } => {
                let last = count.checked_sub(1).map(|place| blocks[place].height);
                assert_eq!(after.0, last, "{length}");
            }
            other => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn j3_a_flipped_bit_is_named_where_it_is() {
    let blocks = three();
    let whole = stream(domain(), 5, &blocks);
    // Where each block begins, and the end mark.
    let mut starts = vec![57];
    for count in 1..=3 {
        starts.push(stream(domain(), 5, &blocks[..count]).len() - 17);
    }
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        match read(&flipped) {
            Ok(_) => panic!("byte {place} counts for nothing"),
            // The network and the first height are judged with the first block.
            Err((count, _)) if place < 57 => assert_eq!(count, 0, "byte {place}"),
            Err((count, error)) => {
                let struck = starts.iter().rposition(|start| *start <= place).expect("behind the head");
                assert_eq!(count, struck, "byte {place}: {error}");
            }
        }
    }
}

#[test]
fn j1_to_j5_each_refuse_their_case() {
    let blocks = three();
    let whole = stream(domain(), 5, &blocks);
    let end = whole.len() - 17;
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        read(&bytes).expect_err("it was changed").1
    };
    assert!(matches!(with(&|bytes| bytes[14] = 2), StreamError::Format(2)));
    assert!(matches!(with(&|bytes| bytes[16] = 9), StreamError::Suite(9)));
    assert!(matches!(with(&|bytes| bytes[57] = 3), StreamError::Mark { found: 3, .. }));
    assert!(matches!(with(&|bytes| bytes[61] = 0xff), StreamError::TooLong { height: Height(5), .. }));
    assert!(matches!(with(&|bytes| bytes[end + 1] = 4), StreamError::Count { counted: 4, found: 3, .. }));
    assert!(matches!(with(&|bytes| bytes.push(0)), StreamError::Trailing { .. }));
    // Whoever writes it anew without a block computes every digest again.
    let gap = stream_of_parts(&[&blocks[0], &blocks[2]]);
    assert!(matches!(read(&gap), Err((1, StreamError::Gap { expected: Height(6), found: Height(7) }))));
    let none = stream(domain(), 0, &[]);
    assert!(matches!(read(&none), Err((0, StreamError::Gap { expected: Height(1), found: Height(0) }))));
    assert_eq!(read(&stream(domain(), 1, &[])).expect("a stream of no block"), []);
    assert!(BlockWriter::begin(Vec::new(), domain(), Height(1)).expect("memory").write(&blocks[0]).is_err());
}

/// A stream put together from the entries of others, as a forger does.
fn stream_of_parts(blocks: &[&ExportedBlock]) -> Vec<u8> {
    let mut bytes = stream(domain(), 5, &[])[..57].to_vec();
    for block in blocks {
        let alone = stream(domain(), block.height.0, std::slice::from_ref(block));
        bytes.extend(&alone[57..alone.len() - 17]);
    }
    bytes.push(0);
    bytes.extend((blocks.len() as u64).to_le_bytes());
    bytes.extend(7u64.to_le_bytes());
    bytes
}

#[test]
fn streams_are_those_of_the_vectors() {
    let blocks = three();
    let whole = stream(domain(), 5, &blocks);
    let refused = |rule: &str, bytes: Vec<u8>| {
        let (blocks, error) = read(&bytes).expect_err("it is refused");
        json!({ "rule": rule, "stream": hex::encode(bytes), "blocks": blocks, "error": common::variant(&error) })
    };
    let changed = |place: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[place] = byte;
        bytes
    };
    let listed: Vec<Value> = blocks
        .iter()
        .map(|block| json!({ "height": block.height, "block": block.block, "next": block.next.is_some() }))
        .collect();
    let made = json!({
        "accepted": [
            { "network": domain().network, "first": 5, "blocks": listed, "stream": hex::encode(&whole) },
            { "network": domain().network, "first": 1, "blocks": [], "stream": hex::encode(stream(domain(), 1, &[])) },
        ],
        "refused": [
            refused("J-1", changed(0, b'F')),
            refused("J-1", changed(14, 2)),
            refused("J-1", changed(16, 9)),
            refused("J-2", changed(57, 3)),
            refused("J-2", whole[..whole.len() - 1].to_vec()),
            refused("J-2", whole[..whole.len() - 30].to_vec()),
            refused("J-3", changed(61, 0xff)),
            refused("J-3", changed(100, whole[100] ^ 1)),
            refused("J-4", stream_of_parts(&[&blocks[0], &blocks[2]])),
            refused("J-5", changed(whole.len() - 16, 4)),
            refused("J-5", [whole.as_slice(), &[0]].concat()),
        ],
    });
    let _ = vectors("exports", &made);
}

proptest! {
    #[test]
    fn j3_what_is_written_is_read(
        first in 1u64..1_000_000,
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        network in any::<[u8; 32]>(),
    ) {
        let domain = Domain { suite: Suite::Standard, network: NetworkId(Digest(network)) };
        let blocks: Vec<_> = (first..).zip(bodies).map(|(height, body)| block(height, body)).collect();
        let bytes = stream(domain, first, &blocks);
        let reader = BlockReader::open(bytes.as_slice()).expect("its own bytes");
        prop_assert_eq!(reader.domain(), &domain);
        prop_assert_eq!(read(&bytes).expect("its own bytes"), blocks);
    }

    #[test]
    fn j3_hostile_bytes_end_in_an_answer(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let head = stream(domain(), 1, &[]);
        let _ = read(&bytes);
        bytes.splice(0..0, head[..57].iter().copied());
        let _ = read(&bytes);
    }
}
