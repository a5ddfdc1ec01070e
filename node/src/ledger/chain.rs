//! What the engine asks of the ledger: propose, consider, decide.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::proof::{Place, StateProof};
use fengni_core::record::DoubleSigning;
use fengni_core::shelf::Shelf;
use fengni_core::transaction::TransactionId;
use fengni_core::{Block, BlockId, CommitCertificate, Height, MemberNumber, ValidatorSet};
use fengni_state::{Proposal, assemble, check, execute};

use super::{Executed, FinalState, Ledger, PROOF_HEIGHTS};
use crate::clock;
use crate::engine::{Candidate, Chain, Considered, Followed, Received, Refusal, Trouble};
use crate::membership;
use crate::store::{FinalBlock, Finality, Store, StoredCandidate};

impl Chain for Ledger {
    fn last_final(&self) -> Height {
        self.read().state.height()
    }

    fn first_kept(&self) -> Height {
        self.store.kept_from()
    }

    fn voter(&self) -> Option<MemberNumber> {
        membership::find(&self.read().state, self.voter.as_ref()?)
    }

    fn speaks(&self) -> u16 {
        self.speaks
    }

    fn validators(&self, height: Height) -> Result<ValidatorSet, Trouble> {
        let tip = self.read();
        if height == tip.state.height().next() {
            tip.state.check_spoken(self.speaks).map_err(Trouble::from_error)?;
        }
        if height == Height(1) {
            return Ok(self.first_validators.clone());
        }
        if height == tip.state.height().next() {
            return Ok(tip.state.next_validators());
        }
        drop(tip);
        let finality = self.store.finality(height);
        Ok(finality.ok_or_else(|| Trouble(format!("no validators are known for height {height}")))?.validators)
    }

    fn propose(&self, height: Height, round: u32) -> Result<Candidate, Trouble> {
        let proposer = self.voter().ok_or_else(|| Trouble("an observer was asked to propose".to_owned()))?;
        let stored = self.store.candidates(height, round).into_iter().find(|found| found.proposer == proposer);
        if let Some(stored) = stored {
            return Ok(to_candidate(stored));
        }
        let oldest = self.pool.oldest(BLOCK_BYTES);
        let certificate = self.latest().map(|last| last.certificate.clone());
        let (checked, applied) = {
            let tip = self.read();
            let proposal = Proposal { clock: clock::now(), proposer, parent_certificate: certificate };
            let candidates = oldest.iter().map(|(_, bytes)| bytes.clone());
            assemble(&tip.state, &self.store, &tip.recent, &self.pool, proposal, candidates)
        };
        if checked.ids().is_empty() && !oldest.is_empty() {
            self.drop_hopeless(&oldest);
        }
        let body = checked.block.encode();
        let id = checked.id;
        let stored = StoredCandidate { height, round, valid_round: None, proposer, id, body: body.clone() };
        self.store.keep_candidate(&stored);
        self.write().executed.insert(id, Arc::new(Executed { checked, applied, body }));
        Ok(to_candidate(stored))
    }

    fn consider(&self, received: Received) -> Result<Considered, Trouble> {
        let block = match Block::decode(&received.body) {
            Ok(block) => block,
            Err(error) => return Ok(Considered::Invalid { id: None, reason: error.to_string() }),
        };
        // A header is true or false by itself; bytes that it does not bind are not this block, and
        // whoever sent them is at fault, not the block.
        if !block.is_bound(&self.domain) {
            return Ok(Considered::Invalid { id: None, reason: "the body is not what the header names".to_owned() });
        }
        let id = block.header.id(&self.domain);
        let refused = |reason: String| Ok(Considered::Invalid { id: Some(id), reason });
        let first_hand = !received.synced && received.valid_round.is_none();
        if first_hand && block.header.proposer != received.proposer {
            return refused("the header names another proposer than the round's".to_owned());
        }
        if block.header.height != received.height {
            return refused("the block is of another height".to_owned());
        }
        if first_hand {
            self.note_clock(received.proposer, block.header.time, clock::now());
        }
        let known = self.read().executed.contains_key(&id);
        if !known {
            let clock = (!received.synced).then(clock::now);
            if let Err(error) = self.execute(block, received.body.to_vec(), clock) {
                return refused(error.to_string());
            }
        }
        self.store.keep_candidate(&StoredCandidate {
            height: received.height,
            round: received.round,
            valid_round: received.valid_round,
            proposer: received.proposer,
            id,
            body: received.body.to_vec(),
        });
        Ok(Considered::Valid(id))
    }

    fn candidates(&self, height: Height, round: u32) -> Result<Vec<Candidate>, Trouble> {
        Ok(self.store.candidates(height, round).into_iter().map(to_candidate).collect())
    }

    fn body(&self, id: BlockId) -> Result<Option<Bytes>, Trouble> {
        if let Some(executed) = self.read().executed.get(&id) {
            return Ok(Some(Bytes::from(executed.body.clone())));
        }
        let next = self.last_final().next();
        Ok(self.store.candidate(next, id).map(|found| Bytes::from(found.body)))
    }

    fn commit(&self, certificate: CommitCertificate) -> Result<(), Trouble> {
        let (height, id) = (certificate.height, certificate.block);
        let last = self.read().state.clone();
        if height == last.height() && id == last.last() {
            return Ok(());
        }
        if height != last.height().next() {
            return Err(Trouble(format!("block {height} was decided after block {}", last.height())));
        }
        let executed = self.decided(height, id)?;
        self.make_final(&executed, certificate, Store::commit);
        Ok(())
    }

    fn follow(&self, blocks: Vec<(Bytes, CommitCertificate)>) -> Result<Followed, Trouble> {
        let refused = blocks.into_iter().find_map(|(body, certificate)| self.follow_one(body, certificate).err());
        // One wait for the disk for all of them: this node has signed nothing that rests on them,
        // and whatever a crash takes away is fetched again.
        self.store.sync();
        self.read().state.check_spoken(self.speaks).map_err(Trouble::from_error)?;
        Ok(Followed { last: self.last_final(), refused })
    }

    fn final_blocks(
        &self,
        heights: RangeInclusive<Height>,
        bytes: usize,
    ) -> Result<Vec<(Bytes, CommitCertificate)>, Trouble> {
        let mut blocks = Vec::new();
        let mut room = bytes;
        for height in (heights.start().0..=heights.end().0).map(Height) {
            let (Some(body), Some(finality)) = (self.store.body(height), self.store.finality(height)) else { break };
            match room.checked_sub(body.len()) {
                Some(left) => room = left,
                None if blocks.is_empty() => room = 0,
                None => break,
            }
            blocks.push((Bytes::from(body), finality.certificate));
        }
        Ok(blocks)
    }

    fn evidence(&self, evidence: DoubleSigning) {
        tracing::error!(
            member = %evidence.member,
            height = %evidence.height,
            round = evidence.round,
            kind = ?evidence.kind,
            "a validator signed two statements that exclude each other"
        );
        self.store.keep_evidence(&evidence);
    }
}

impl Ledger {
    /// Takes a block that others decided, if its certificate and its content hold here.
    fn follow_one(&self, body: Bytes, certificate: CommitCertificate) -> Result<(), Refusal> {
        let block = Block::decode(&body).map_err(|error| Refusal::Unproven(error.to_string()))?;
        if !block.is_bound(&self.domain) {
            return Err(Refusal::Unproven("the body is not what the header names".to_owned()));
        }
        let state = self.state();
        let (height, id) = (state.height().next(), block.header.id(&self.domain));
        let proven = certificate.verify(&self.domain, &state.next_validators(), height, id);
        proven.map_err(|error| Refusal::Unproven(error.to_string()))?;
        let executed = self.execute(block, body.to_vec(), None);
        let executed = executed.map_err(|error| Refusal::Invalid { height, reason: error.to_string() })?;
        self.make_final(&executed, certificate, Store::commit_unsynced);
        Ok(())
    }

    /// Stores an executed block by `store` and makes it the last final one.
    fn make_final(
        &self,
        executed: &Executed,
        certificate: CommitCertificate,
        store: impl FnOnce(&Store, &FinalBlock<'_>),
    ) {
        let last = self.state();
        let validators = last.next_validators();
        let height = certificate.height;
        let Executed { checked, applied, body } = executed;
        let finality = Finality { certificate: certificate.clone(), validators: validators.clone() };
        let (outcomes, writes) = (&applied.outcomes, &applied.writes);
        let next = Some(applied.state.next_validators()).filter(|next| *next != validators);
        let next = next.as_ref();
        let recovery = last.recovery().map(|handover| (self.terms_proof(), handover.clone()));
        let recovery = recovery.as_ref();
        store(&self.store, &FinalBlock { height, body, finality: &finality, next, recovery, outcomes, writes });
        let header = checked.block.header.clone();
        let final_state = FinalState { state: applied.state.clone(), header, certificate };
        {
            let mut tip = self.write();
            tip.state = applied.state.clone();
            tip.validators = Some(validators);
            tip.finals.push_back(Arc::new(final_state));
            if tip.finals.len() > PROOF_HEIGHTS {
                tip.finals.pop_front();
            }
            let window = applied.state.parameters().window;
            tip.recent.push(checked.ids(), window);
            tip.executed.clear();
            tip.adopt();
        }
        self.pool.settle(&checked.ids(), height);
        self.heights.send_replace(height);
    }

    /// Checks and executes a block on the last final state, and remembers the result.
    fn execute(
        &self,
        block: Block,
        body: Vec<u8>,
        clock: Option<fengni_core::Millis>,
    ) -> Result<Arc<Executed>, fengni_state::BlockError> {
        let (checked, applied) = {
            let tip = self.read();
            tip.state.check_spoken(self.speaks)?;
            let checked = check(&tip.state, &tip.recent, &self.pool, tip.validators.as_ref(), clock, block)?;
            let applied = execute(&tip.state, &self.store, &checked)?;
            (checked, applied)
        };
        let executed = Arc::new(Executed { checked, applied, body });
        self.write().executed.insert(executed.checked.id, executed.clone());
        Ok(executed)
    }

    /// Proves the parameters of the last final state, which say whose signatures recover.
    fn terms_proof(&self) -> StateProof {
        let last = self.latest().expect("a recovery follows a block: no plan names the founding's");
        self.prove(&last, vec![Place::Record(Shelf::Parameters, 0)]).expect("there are always parameters")
    }

    /// Drops waiting transactions that broke since they were taken: they would wake the proposer
    /// for ever.
    fn drop_hopeless(&self, waiting: &[(TransactionId, fengni_core::bytes::Bytes)]) {
        let tip = self.read();
        let broken = waiting.iter().filter(|(_, bytes)| !tip.state.still_stands(&tip.recent, &self.pool, bytes));
        let ids: Vec<TransactionId> = broken.map(|(id, _)| *id).collect();
        drop(tip);
        self.pool.drop_all(&ids);
    }

    /// The decided block: executed before, or stored and executed now (after a restart).
    fn decided(&self, height: Height, id: BlockId) -> Result<Arc<Executed>, Trouble> {
        if let Some(executed) = self.read().executed.get(&id) {
            return Ok(executed.clone());
        }
        let stored = self.store.candidate(height, id);
        let stored = stored.ok_or_else(|| Trouble(format!("block {height} was decided, but its body is not here")))?;
        let block = Block::decode(&stored.body).map_err(Trouble::from_error)?;
        self.execute(block, stored.body, None).map_err(Trouble::from_error)
    }
}

fn to_candidate(stored: StoredCandidate) -> Candidate {
    let StoredCandidate { height, round, valid_round, proposer, id, body } = stored;
    Candidate { height, round, valid_round, proposer, id, body: Bytes::from(body) }
}
