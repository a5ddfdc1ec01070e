//! Blocks of a replay that were tampered with on the way: the first that does not hold is named.

use std::sync::Arc;

use fengni_core::block::Block;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::finality::CommitCertificate;
use fengni_core::limits::BLOCK_BYTES;
use fengni_tests::liar::{Rule, Said, withhold};

use crate::foreign;
use crate::rows::{Row, Tool};
use crate::world::World;

/// The rows.
pub fn rows(world: &World) -> Vec<Row> {
    let acted = world.acted.0;
    let (before, after) = (format!("block {} ", acted - 1), format!("block {} ", acted + 1));
    let row = |name, rule: Rule| {
        let named = format!("block {acted}");
        Row::gateway(name, Tool::Replay, vec![rule], 1, &[&named]).alone().never(&[&before, &after])
    };
    let header = |alter: fn(&mut Block)| block(acted, move |bytes, _| rewritten(bytes, alter));
    vec![
        Row::gateway(
            "replay: a block is removed",
            Tool::Replay,
            vec![withhold(&path(acted))],
            3,
            &[&format!("block {acted}")],
        )
        .alone(),
        row("replay: another block in its place", swapped(acted, acted + 1)),
        row("replay: the block before once more", swapped(acted, acted - 1)),
        row(
            "replay: a transaction is altered",
            header(|block| {
                let last = block.transactions[0].0.len() - 1;
                block.transactions[0].0[last] ^= 1;
            }),
        ),
        row("replay: a transaction is removed", header(|block| drop(block.transactions.pop()))),
        row("replay: the outcomes are altered", header(|block| block.header.outcomes.0[0] ^= 1)),
        row("replay: the state root is altered", header(|block| block.header.state_root.0[0] ^= 1)),
        row("replay: the time is altered", header(|block| block.header.time.0 += 1)),
        row("replay: the block is cut", block(acted, |bytes, _| bytes.0.truncate(100))),
        row("replay: too few signatures", block(acted, |_, certificate| certificate.signatures.truncate(2))),
        row(
            "replay: a signer counts twice",
            block(acted, |_, certificate| {
                let again = certificate.signatures[0].clone();
                certificate.signatures.insert(0, again);
            }),
        ),
        row("replay: the certificate is of another round", block(acted, |_, certificate| certificate.round += 1)),
        row(
            "replay: a quorum of strangers",
            block(acted, |bytes, certificate| {
                let block = Block::decode(&bytes.0).expect("a node's block");
                *certificate = foreign::signed_by_its_own(&block.header);
            }),
        ),
    ]
}

fn path(height: u64) -> String {
    format!("/v1/blocks/{height}")
}

fn rewritten(bytes: &mut Bytes, alter: fn(&mut Block)) {
    let mut block = Block::decode(&bytes.0).expect("a node's block");
    alter(&mut block);
    bytes.0 = block.encode();
}

/// Alters one block of all.
fn block(height: u64, alter: impl Fn(&mut Bytes, &mut CommitCertificate) + Send + Sync + 'static) -> Rule {
    Arc::new(move |asked, node| {
        let said = (asked == path(height)).then(|| node.says(asked))?;
        let (mut bytes, mut certificate): (Bytes, CommitCertificate) =
            codec::decode(&said.body, 2 * BLOCK_BYTES).ok()?;
        alter(&mut bytes, &mut certificate);
        Some(Said::good(codec::encode(&(bytes, certificate))))
    })
}

/// Gives another block in the place of one.
fn swapped(height: u64, other: u64) -> Rule {
    Arc::new(move |asked, node| (asked == path(height)).then(|| node.says(&path(other))))
}
