//! `fengni audit replay`: runs the whole ledger again from its founding (AUD-05).
//!
//! ```text
//! node --blocks--> fetcher --channel--> decode, check, certificate, execute --> state root
//! ```
//!
//! Nothing the node says is believed but the bytes of its blocks: their signatures, their order and
//! every outcome are recomputed here, and each block's certificate is checked under the validators
//! that the state before it names.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use fengni_client::gateway::Gateway;
use fengni_client::ledger::Ledger;
use fengni_client::transport::HttpOptions;
use fengni_core::block::Block;
use fengni_core::bytes::Bytes;
use fengni_core::finality::CommitCertificate;
use fengni_core::light::LightClient;
use fengni_core::outcome::Decision;
use fengni_core::record::Offence;
use fengni_core::{Digest, Height, ValidatorSet};
use fengni_genesis::Genesis;
use fengni_state::{AdoptError, BlockError, MemoryRecords, RecentIds, State, check, execute, recovery_of};
use serde::Serialize;
use thiserror::Error;

use crate::connect::load_genesis;
use crate::ending::Ending;
use crate::offence;
use crate::output::Output;

/// Blocks fetched ahead of the replay.
const AHEAD: usize = 64;

/// `fengni audit replay`.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 the state root is equal, 1 a block does not hold, 3 a block cannot be had.

Examples:
  fengni audit replay --gateway http://127.0.0.1:27002 --genesis net/genesis.bin
  fengni audit replay --gateway http://127.0.0.1:27002 --genesis net/genesis.bin --to 2000")]
pub(crate) struct ReplayArgs {
    /// URL of the gateway whose blocks are replayed
    #[arg(long, value_name = "URL")]
    gateway: String,
    /// Founding document, as genesis.bin or genesis.toml
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Last height; else the newest
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
}

/// Why a ledger cannot be what it says.
#[derive(Debug, Error)]
pub(crate) enum ReplayError {
    /// The bytes are no block.
    #[error("not a block: {0}")]
    Encoding(#[from] fengni_core::codec::DecodeError),
    /// The block breaks a rule, or executing it gives something else than its header says.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The recovery by which its validators were named does not hold.
    #[error("the recovery before the block: {0}")]
    Recovery(#[from] AdoptError),
    /// The certificate does not make it final under the validators of its height.
    #[error("the block is not final: {0}")]
    NotFinal(#[from] fengni_core::finality::FinalityError),
}

/// A ledger run again, block by block.
pub(crate) struct Replay {
    state: State,
    records: MemoryRecords,
    recent: RecentIds,
    validators: Option<ValidatorSet>,
    /// Transactions so far.
    pub(crate) transactions: u64,
    /// Those the ledger refused.
    pub(crate) refused: u64,
    /// Last heights before a recovery: from there on, validators that no quorum has named.
    pub(crate) recoveries: Vec<Height>,
}

impl Replay {
    /// Before the first block.
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self {
            state: State::found(genesis.domain(), genesis.founding()),
            records: MemoryRecords::default(),
            recent: RecentIds::default(),
            validators: None,
            transactions: 0,
            refused: 0,
            recoveries: Vec::new(),
        }
    }

    /// Runs the next block.
    pub(crate) fn apply(&mut self, bytes: &[u8], certificate: &CommitCertificate) -> Result<(), ReplayError> {
        let block = Block::decode(bytes)?;
        if let Some(handover) = recovery_of(&block) {
            self.state = self.state.adopt(&handover)?;
            self.recoveries.push(handover.plan.height);
        }
        let deciders = self.state.next_validators().clone();
        // No clock: the block is final already, whenever that was.
        let checked = check(&self.state, &self.recent, &(), self.validators.as_ref(), None, block)?;
        certificate.verify(self.state.domain(), &deciders, checked.block.header.height, checked.id)?;
        let applied = execute(&self.state, &self.records, &checked)?;
        let refused = applied.outcomes.iter().filter(|outcome| matches!(outcome.decision, Decision::Refused { .. }));
        self.refused = self.refused.saturating_add(refused.count() as u64);
        self.transactions = self.transactions.saturating_add(applied.outcomes.len() as u64);
        self.records.write(&applied.writes);
        self.recent.push(checked.ids(), self.state.parameters().window);
        self.state = applied.state;
        self.validators = Some(deciders);
        Ok(())
    }

    /// Height of the last block.
    pub(crate) fn height(&self) -> Height {
        self.state.height()
    }

    /// Offences on record after it.
    pub(crate) fn offences(&self) -> Vec<Offence> {
        self.state.registries().offences.iter().map(|record| record.as_ref().clone()).collect()
    }

    /// State root after it.
    pub(crate) fn root(&self) -> Digest {
        self.state.root()
    }
}

#[derive(Serialize)]
struct Replayed {
    /// `equal`, or `refused` where a block does not hold.
    result: &'static str,
    height: Height,
    state_root: Digest,
    transactions: u64,
    refused_transactions: u64,
    recoveries: Vec<Height>,
    /// Validators that signed twice, as the ledger has on record.
    offences: Vec<Offence>,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_height: Option<Height>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) fn run(args: &ReplayArgs, output: Output) -> Result<Ending> {
    let genesis = load_genesis(&args.genesis)?;
    let gateway = |url: &String| Gateway::http(std::slice::from_ref(url), &HttpOptions::default());
    let mut ledger = Ledger::new(LightClient::from_checkpoint(genesis.checkpoint()), gateway(&args.gateway)?);
    let last = match args.to {
        Some(to) => Height(to),
        // Whatever it is: the replay judges it in the end.
        None => ledger.gateway().ask(|node| Ok(node.latest_header()?.0.height))?.value,
    };
    let _ = ledger.sync();
    let began = Instant::now();
    let bar = output.bar("replay", last.0);
    let mut replay = Replay::new(&genesis);
    let mut failure = None;
    let (sender, blocks) = mpsc::sync_channel::<Result<(Bytes, CommitCertificate)>>(AHEAD);
    let source = gateway(&args.gateway)?;
    std::thread::scope(|scope| -> Result<()> {
        // Takes the receiver along: where the replay stops, so does the fetching.
        let blocks = blocks;
        scope.spawn(move || {
            for height in 1..=last.0 {
                let answer = fetch(&source, Height(height));
                let failed = answer.is_err();
                if sender.send(answer).is_err() || failed {
                    return;
                }
            }
        });
        for answer in &blocks {
            let (bytes, certificate) = answer?;
            if let Err(error) = replay.apply(&bytes.0, &certificate) {
                failure = Some((replay.height().next(), error.to_string()));
                return Ok(());
            }
            bar.inc(1);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let elapsed = began.elapsed();
    let replayed = Replayed {
        result: if failure.is_none() { "equal" } else { "refused" },
        height: replay.height(),
        state_root: replay.root(),
        transactions: replay.transactions,
        refused_transactions: replay.refused,
        recoveries: replay.recoveries.clone(),
        offences: replay.offences(),
        seconds: elapsed.as_secs_f64(),
        failed_height: failure.as_ref().map(|(height, _)| *height),
        reason: failure.map(|(_, reason)| reason),
    };
    output.answer(&replayed, || text(&replayed, elapsed, &args.gateway));
    Ok(Ending::from(replayed.result == "equal"))
}

/// A block, asked for again where the node is busy.
fn fetch(source: &Gateway, height: Height) -> Result<(Bytes, CommitCertificate)> {
    let mut pause = Duration::from_millis(100);
    for _ in 0..5 {
        match source.ask(|node| node.block(height)) {
            Ok(answer) => return Ok(answer.value),
            Err(error) if error.problem().is_some_and(|problem| !problem.is_passing()) => {
                return Err(error).with_context(|| format!("block {height} cannot be had"));
            }
            Err(_) => std::thread::sleep(pause),
        }
        pause = pause.saturating_mul(2);
    }
    let answer = source.ask(|node| node.block(height));
    Ok(answer.with_context(|| format!("block {height} cannot be had"))?.value)
}

fn text(replayed: &Replayed, elapsed: Duration, gateway: &str) -> String {
    let Replayed { height, state_root, transactions, refused_transactions, .. } = replayed;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = *transactions as f64 / elapsed.as_secs_f64().max(0.001);
    let done = format!(
        "{height} blocks, {transactions} transactions ({refused_transactions} refused by a rule) in {:.1} s, {rate:.0} a second",
        elapsed.as_secs_f64()
    );
    let offences = replayed.offences.iter().map(|it| format!("\noffence: {}", offence::describe(&it.proof)));
    let done = done + &offences.collect::<String>();
    match (&replayed.failed_height, &replayed.reason) {
        (Some(failed), Some(reason)) => {
            format!(
                "{done}\nrefused: block {failed} of {gateway} does not hold: {reason}\nnext: replay another node and compare"
            )
        }
        _ => {
            let recovered =
                |height: &Height| format!("\nrecovered after height {height}: recovery keys named the validators");
            let recovered: String = replayed.recoveries.iter().map(recovered).collect();
            format!("{done}{recovered}\nstate root equal at height {height}: {state_root}")
        }
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::finality::{CommitSignature, VoteStep, vote_bytes};
    use fengni_core::record::{KeyPurpose, Role};
    use fengni_core::{MemberNumber, Millis};
    use fengni_genesis::{ValidatorEntry, sample};
    use fengni_state::{Proposal, assemble};

    use super::*;

    /// A network whose only validator is the first member, and its first blocks, all empty.
    fn chain(blocks: u64) -> (Genesis, Vec<(Vec<u8>, CommitCertificate)>) {
        let mut document = sample::network(Millis(1_767_196_800_000), &sample::test_key);
        for member in document.members.iter_mut().skip(1).filter(|member| member.roles.contains(&Role::Validator)) {
            member.roles.retain(|role| *role != Role::Validator);
            member.roles.push(Role::Observer);
            member.keys.retain(|key| key.purpose != KeyPurpose::Consensus);
        }
        document.validators = vec![ValidatorEntry { member: document.members[0].key.clone(), power: 1 }];
        document.parameters.validators_min = 1;
        let secret = sample::test_secret(&document.members[0].key, KeyPurpose::Consensus, 0);
        let genesis = document.check().expect("a sample with one validator holds");
        let domain = genesis.domain();
        let mut state = State::found(domain, genesis.founding());
        let mut made: Vec<(Vec<u8>, CommitCertificate)> = Vec::new();
        for height in (1..=blocks).map(Height) {
            let proposal = Proposal {
                clock: Millis(1_767_196_800_000 + height.0 * 1_000),
                proposer: MemberNumber(0),
                parent_certificate: made.last().map(|(_, certificate)| certificate.clone()),
            };
            let (checked, applied) =
                assemble(&state, &MemoryRecords::default(), &RecentIds::default(), &(), proposal, []);
            let message = vote_bytes(&domain, VoteStep::Precommit, height, 0, Some(checked.id), MemberNumber(0));
            let signatures = vec![CommitSignature { member: MemberNumber(0), signature: secret.sign(&message) }];
            made.push((checked.block.encode(), CommitCertificate { height, round: 0, block: checked.id, signatures }));
            state = applied.state;
        }
        (genesis, made)
    }

    #[test]
    fn a_ledger_runs_again_to_the_same_root() {
        let (genesis, blocks) = chain(3);
        let mut replay = Replay::new(&genesis);
        for (bytes, certificate) in &blocks {
            replay.apply(bytes, certificate).expect("its own block");
        }
        let last = Block::decode(&blocks[2].0).expect("its own block");
        assert_eq!((replay.height(), replay.root()), (Height(3), last.header.state_root));
    }

    #[test]
    fn a_flipped_bit_a_missing_block_and_a_lost_signature_are_refused() {
        let (genesis, blocks) = chain(2);
        let (bytes, certificate) = &blocks[0];
        for place in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            assert!(Replay::new(&genesis).apply(&flipped, certificate).is_err(), "byte {place}");
        }
        let (second, its_certificate) = &blocks[1];
        let skipped = Replay::new(&genesis).apply(second, its_certificate);
        assert!(matches!(skipped, Err(ReplayError::Block(BlockError::NotNext { .. }))));
        let unsigned = CommitCertificate { signatures: Vec::new(), ..certificate.clone() };
        assert!(matches!(Replay::new(&genesis).apply(bytes, &unsigned), Err(ReplayError::NotFinal(_))));
    }
}
