//! The driver: answers the engine with the ledger's answers.
//!
//! The loop itself never waits: every message becomes a task, and whatever touches the ledger runs
//! on a thread for blocking work. Proposing, considering and committing happen one at a time. A
//! body is durable before its message is answered. When the ledger is in trouble nothing is
//! answered any more and the process ends: a dropped or invented answer would stall the engine
//! silently, or make it believe what the disk does not hold.

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::record::{DoubleSigning, SignedKind, SignedStatement};
use fengni_core::{BlockId, Height, MemberNumber};
use futures::FutureExt as _;
use malachite::app::engine::host::{HeightParams, Next, SyncedValueOutcome};
use malachite::app::types::core::{LinearTimeouts, Round, SignedProposal, SignedVote, Validity};
use malachite::app::types::{LocallyProposedValue, MisbehaviorEvidence, ProposedValue};
use malachite::{AppMsg, NetworkMsg};
use malachite_sync::RawDecidedValue;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::catch_up::FAR;
use super::chain::{Candidate, Chain, Considered, Received, Trouble};
use super::codec;
use super::context::{Address, Context, EngineHeight, EngineSet, EngineValue, VoteType};
use super::health::HealthState;
use super::pace::Pace;
use super::parts::{Assembled, Assembler, Init, Standing, stream};
use super::peers::Peers;
use super::quiet::Quiet;
use super::ring::Ring;
use crate::network::Roster;

/// Complete bodies for the next height kept until it begins.
const HELD_MAX: usize = 8;

/// What every task needs.
pub(crate) struct Ledger {
    pub(crate) chain: Arc<dyn Chain>,
    /// Who this node votes as, if it does.
    pub(crate) voter: Option<Arc<Ring>>,
    /// Votes are withheld: a key has signed, or may have signed, what the store does not know of.
    pub(crate) quiet: Option<Quiet>,
    pub(crate) roster: Roster,
    pub(crate) health: Arc<HealthState>,
    pub(crate) pace: Pace,
    pub(crate) timeouts: LinearTimeouts,
    pub(crate) work: watch::Receiver<bool>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) network: mpsc::Sender<NetworkMsg<Context>>,
    /// Held while the ledger proposes, considers or commits.
    pub(crate) order: Arc<tokio::sync::Mutex<()>>,
    pub(crate) committed: watch::Sender<Height>,
    pub(crate) set: Mutex<Option<(Height, EngineSet)>>,
    pub(crate) streams: AtomicU64,
}

/// The ledger cannot answer; the process is ending.
pub(crate) struct Silent;

impl Ledger {
    /// Runs blocking work of the ledger; trouble and panics end the process.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&dyn Chain) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Silent> {
        if self.health.has_ended() {
            return Err(Silent);
        }
        let chain = Arc::clone(&self.chain);
        let number = self.health.works(what);
        let worked = tokio::task::spawn_blocking(move || work(&*chain)).await;
        self.health.worked(number);
        match worked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(trouble)) => {
                self.health.end(format!("the ledger could not {what}: {trouble}"));
                Err(Silent)
            }
            Err(panic) => {
                self.health.end(format!("the ledger could not {what}: {panic}"));
                Err(Silent)
            }
        }
    }

    fn set(&self) -> MutexGuard<'_, Option<(Height, EngineSet)>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn a round is, where the height's validators are known.
    fn turn(&self, height: Height, round: u32) -> Option<MemberNumber> {
        let set = self.set();
        let (of, set) = set.as_ref()?;
        (*of == height).then(|| set.proposer(height, round))
    }

    /// Whom this node votes for in a set, which is silent where the register names another key than
    /// those of its ring, or none.
    fn votes_in(&self, set: &EngineSet) -> Option<MemberNumber> {
        self.voter.as_ref().map(|ring| ring.member()).filter(|member| set.votes(*member))
    }

    /// The engine's parameters of a height, from the state of the block before.
    async fn begin(&self, height: Height) -> Result<HeightParams<Context>, Silent> {
        let set = self.ask("name its validators", move |chain| chain.validators(height)).await?;
        let decided_by = set.clone();
        let mut set = EngineSet::new(&set);
        let silence = self.silence(height, &set);
        if silence.is_some() {
            set = set.silent();
        }
        self.health.note_standing(silence);
        self.health.decided_by(decided_by, self.votes_in(&set));
        *self.set() = Some((height, set.clone()));
        Ok(HeightParams::new(set, self.timeouts, None))
    }

    /// Why this node does not vote at a height at which its member could.
    fn silence(&self, height: Height, set: &EngineSet) -> Option<String> {
        let ring = self.voter.as_ref()?;
        let (member, key) = (ring.member(), set.key(ring.member())?);
        if let Some(quiet) = self.quiet.as_ref().filter(|quiet| quiet.holds()) {
            return Some(quiet.reason());
        }
        (!ring.name(height, key)).then(|| {
            format!(
                "the ledger names consensus key {key} for member {member}, and no file of keys.consensus holds it: \
                 following without voting"
            )
        })
    }

    async fn ready(&self) -> Result<(EngineHeight, HeightParams<Context>), Silent> {
        let last = self.ask("name its last block", |chain| Ok(chain.last_final())).await?;
        self.committed.send_replace(last);
        let params = self.begin(last.next()).await?;
        info!(height = %last.next(), "consensus begins");
        Ok((EngineHeight(last.next()), params))
    }

    /// Builds a block, durably, and sends its parts on their way.
    async fn propose(&self, height: Height, round: u32) -> Result<Option<LocallyProposedValue<Context>>, Silent> {
        // The register may name another key than this node's: then another machine proposes.
        let own = self.set().as_ref().and_then(|(of, set)| self.votes_in(set).filter(|_| *of == height));
        let Some(member) = own else { return Ok(None) };
        let candidate = {
            let _order = self.order.lock().await;
            self.ask("propose a block", move |chain| {
                if chain.last_final().next() != height {
                    return Ok(None);
                }
                chain.propose(height, round).map(Some)
            })
            .await?
        };
        let Some(candidate) = candidate else { return Ok(None) };
        self.publish(member, round, None, height, &candidate.body).await;
        let value = EngineValue(candidate.id);
        Ok(Some(LocallyProposedValue::new(EngineHeight(height), Round::new(round), value)))
    }

    /// Sends a block again that an earlier round found valid.
    async fn restream(&self, height: Height, round: u32, valid_round: Option<u32>, id: BlockId) -> Result<(), Silent> {
        let Some(member) = self.voter.as_ref().map(|ring| ring.member()) else { return Ok(()) };
        match self.ask("find a block", move |chain| chain.body(id)).await? {
            Some(body) => self.publish(member, round, valid_round, height, &body).await,
            None => warn!(%height, round, block = %id, "a block to send again is not stored"),
        }
        Ok(())
    }

    async fn publish(
        &self,
        proposer: MemberNumber,
        round: u32,
        valid_round: Option<u32>,
        height: Height,
        body: &Bytes,
    ) {
        let Ok(length) = u32::try_from(body.len()) else { return };
        let init = Init { height, round, valid_round, proposer, length };
        let number = self.streams.fetch_add(1, Ordering::Relaxed);
        for part in stream(init, number, body) {
            let _ = self.network.send(NetworkMsg::PublishProposalPart(part)).await;
        }
    }

    /// Considers a body of a peer; `None` where there is nothing to tell the engine.
    async fn consider(&self, assembled: Assembled) -> Result<Option<ProposedValue<Context>>, Silent> {
        let Assembled { init, body } = assembled;
        let Init { height, round, valid_round, proposer, .. } = init;
        let _order = self.order.lock().await;
        if self.turn(height, round) != Some(proposer) {
            self.health.metrics.dropped_parts.inc();
            return Ok(None);
        }
        let received = Received { height, round, valid_round, proposer, body, synced: false };
        let considered = self
            .ask("consider a block", move |chain| {
                // Late: the height was decided while the body was on its way.
                if chain.last_final().next() != height {
                    return Ok(None);
                }
                chain.consider(received).map(Some)
            })
            .await?;
        let (id, validity) = match considered {
            None => return Ok(None),
            Some(Considered::Valid(id)) => (id, Validity::Valid),
            Some(Considered::Invalid { id, reason }) => {
                self.health.metrics.invalid_blocks.inc();
                self.health.note(format!(
                    "the block of member {proposer} for height {height} round {round} is refused here: {reason}"
                ));
                match id {
                    Some(id) => (id, Validity::Invalid),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(ProposedValue {
            height: EngineHeight(height),
            round: Round::new(round),
            valid_round: Round::from(valid_round),
            proposer: Address::of(proposer),
            value: EngineValue(id),
            validity,
        }))
    }

    /// Everything the ledger holds of a round: what was stored before a crash, and bodies that
    /// arrived before the height began.
    async fn undecided(
        &self,
        height: Height,
        round: u32,
        held: Vec<Assembled>,
    ) -> Result<Vec<ProposedValue<Context>>, Silent> {
        let stored = {
            let _order = self.order.lock().await;
            self.ask("find its candidates", move |chain| chain.candidates(height, round)).await?
        };
        let mut values: Vec<_> = stored.iter().map(value_of).collect();
        let mut seen: BTreeSet<BlockId> = stored.iter().map(|candidate| candidate.id).collect();
        for assembled in held {
            let considered = self.consider(assembled).await?;
            values.extend(considered.filter(|value| seen.insert(value.value.0)));
        }
        Ok(values)
    }

    async fn synced(
        &self,
        height: Height,
        round: u32,
        proposer: MemberNumber,
        body: Bytes,
    ) -> Result<SyncedValueOutcome<Context>, Silent> {
        let received = Received { height, round, valid_round: None, proposer, body, synced: true };
        let considered = {
            let _order = self.order.lock().await;
            self.ask("consider a final block", move |chain| {
                if chain.last_final().next() != height {
                    return Ok(None);
                }
                chain.consider(received).map(Some)
            })
            .await?
        };
        let (id, validity) = match considered {
            None => return Ok(SyncedValueOutcome::LocalTransientError),
            Some(Considered::Valid(id)) => (id, Validity::Valid),
            Some(Considered::Invalid { id, reason }) => {
                self.health.metrics.invalid_blocks.inc();
                let Some(id) = id else {
                    warn!(%height, "a peer served bytes that are no block: {reason}");
                    return Ok(SyncedValueOutcome::PeerFault);
                };
                // Where the id is the certificate's, a quorum holds valid what is invalid here:
                // the engine waits, and people must look.
                self.health.note(format!("a block {id} served for height {height} is invalid here: {reason}"));
                (id, Validity::Invalid)
            }
        };
        Ok(SyncedValueOutcome::Verdict(ProposedValue {
            height: EngineHeight(height),
            round: Round::new(round),
            valid_round: Round::Nil,
            proposer: Address::of(proposer),
            value: EngineValue(id),
            validity,
        }))
    }

    /// Makes a block final. No answer ever follows a failure.
    async fn commit(&self, certificate: fengni_core::CommitCertificate) -> Result<(), Silent> {
        let height = certificate.height;
        {
            let _order = self.order.lock().await;
            self.ask("make a block final", move |chain| chain.commit(certificate)).await?;
        }
        self.made_final(height);
        Ok(())
    }

    /// Tells everybody who waits for it that a height is final here.
    pub(crate) fn made_final(&self, height: Height) {
        self.health.made_final(height);
        if let Some(quiet) = self.quiet.as_ref().filter(|quiet| quiet.holds())
            && quiet.is_over(height, &self.health.tips(), self.roster.len())
            && let Err(error) = quiet.lift()
        {
            self.health.end(format!("the mark of a quiet start cannot be taken away: {error}"));
        }
        self.committed.send_modify(|committed| *committed = height.max(*committed));
    }

    /// Waits until the block is committed and there is a reason for the next one, which is a later
    /// one where the network is far ahead.
    async fn next(&self, height: Height) -> Result<Next<Context>, Silent> {
        let mut committed = self.committed.subscribe();
        if committed.wait_for(|committed| *committed >= height).await.is_err() {
            return Err(Silent);
        }
        if self.is_behind(FAR) {
            self.catch_up(FAR).await?;
        }
        let height = *committed.borrow();
        let since = Instant::now();
        let params = self.begin(height.next()).await?;
        // Whoever does not vote waits for nobody: it only follows.
        if self.votes_in(&params.validator_set).is_some() {
            self.pace.hold(height.next(), since, self.work.clone(), self.peers.ahead()).await;
        }
        Ok(Next::Start(EngineHeight(height.next()), params))
    }

    async fn blocks(&self, first: Height, last: Height) -> Result<Vec<RawDecidedValue<Context>>, Silent> {
        let blocks = self.ask("read final blocks", move |chain| chain.final_blocks(first..=last, BLOCK_BYTES)).await?;
        Ok(blocks
            .into_iter()
            .map(|(body, certificate)| RawDecidedValue::new(body, codec::extended(&certificate)))
            .collect())
    }

    async fn report(&self, evidence: Vec<DoubleSigning>) -> Result<(), Silent> {
        for piece in evidence {
            self.health.metrics.evidence.inc();
            warn!(member = %piece.member, height = %piece.height, kind = ?piece.kind, "a validator signed twice");
            self.ask("keep evidence", move |chain| {
                chain.evidence(piece);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

fn value_of(candidate: &Candidate) -> ProposedValue<Context> {
    ProposedValue {
        height: EngineHeight(candidate.height),
        round: Round::new(candidate.round),
        valid_round: Round::from(candidate.valid_round),
        proposer: Address::of(candidate.proposer),
        value: EngineValue(candidate.id),
        validity: Validity::Valid,
    }
}

/// The engine's evidence in the ledger's words.
fn evidence_of(found: &MisbehaviorEvidence<Context>) -> Vec<DoubleSigning> {
    let votes = found.votes.iter().flat_map(|(address, pairs)| {
        pairs.iter().map(move |(first, second)| {
            let statement = |signed: &SignedVote<Context>| SignedStatement {
                block: signed.message.block(),
                valid_round: None,
                signature: signed.signature,
            };
            DoubleSigning {
                member: address.0,
                height: first.message.height.0,
                round: first.message.round.as_u32().unwrap_or(0),
                kind: match first.message.step {
                    VoteType::Prevote => SignedKind::Prevote,
                    VoteType::Precommit => SignedKind::Precommit,
                },
                first: statement(first),
                second: statement(second),
            }
        })
    });
    let proposals = found.proposals.iter().flat_map(|(address, pairs)| {
        pairs.iter().map(move |(first, second)| {
            let statement = |signed: &SignedProposal<Context>| SignedStatement {
                block: Some(signed.message.value.0),
                valid_round: signed.message.valid_round.as_u32(),
                signature: signed.signature,
            };
            DoubleSigning {
                member: address.0,
                height: first.message.height.0,
                round: first.message.round.as_u32().unwrap_or(0),
                kind: SignedKind::Proposal,
                first: statement(first),
                second: statement(second),
            }
        })
    });
    votes.chain(proposals).collect()
}

/// The loop over the engine's messages.
pub(crate) struct Driver {
    ledger: Arc<Ledger>,
    assembler: Assembler,
    held: Vec<Assembled>,
    height: Height,
    round: u32,
}

impl Driver {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, assembler: Assembler::default(), held: Vec::new(), height: Height(0), round: 0 }
    }

    /// Runs until the engine closes its channel.
    pub(crate) async fn run(mut self, mut messages: mpsc::Receiver<AppMsg<Context>>) {
        while let Some(message) = messages.recv().await {
            self.on(message);
        }
    }

    /// Starts a task; an answer that cannot be given is not given, and a panic ends the process.
    fn spawn<F>(&self, task: impl FnOnce(Arc<Ledger>) -> F)
    where
        F: Future<Output = Result<(), Silent>> + Send + 'static,
    {
        let health = Arc::clone(&self.ledger.health);
        let task = AssertUnwindSafe(task(Arc::clone(&self.ledger)));
        tokio::spawn(async move {
            if task.catch_unwind().await.is_err() {
                health.end("a task of the consensus driver panicked");
            }
        });
    }

    /// An engine that no longer listens for an answer is ending; its handle tells why.
    fn on(&mut self, message: AppMsg<Context>) {
        match message {
            AppMsg::ConsensusReady { reply } => self.spawn(|ledger| async move {
                let _ = reply.send(ledger.ready().await?);
                Ok(())
            }),
            AppMsg::StartedRound { height, round, reply_value, .. } => {
                let (height, round) = (height.0, round.as_u32().unwrap_or(0));
                let held = self.started(height, round);
                self.spawn(move |ledger| async move {
                    let _ = reply_value.send(ledger.undecided(height, round, held).await?);
                    Ok(())
                });
            }
            AppMsg::GetValue { height, round, reply, .. } => self.spawn(move |ledger| async move {
                if let Some(value) = ledger.propose(height.0, round.as_u32().unwrap_or(0)).await? {
                    let _ = reply.send(value);
                }
                Ok(())
            }),
            AppMsg::RestreamProposal { height, round, valid_round, value_id, .. } => {
                self.spawn(move |ledger| async move {
                    let round = round.as_u32().unwrap_or(0);
                    ledger.restream(height.0, round, valid_round.as_u32(), value_id.0).await
                });
            }
            AppMsg::ReceivedProposalPart { from, part, reply, .. } => {
                self.ledger.peers.part_room.add_permits(1);
                match self.part(&from, part) {
                    Some(assembled) => self.spawn(move |ledger| async move {
                        let _ = reply.send(ledger.consider(assembled).await?);
                        Ok(())
                    }),
                    None => drop(reply.send(None)),
                }
            }
            AppMsg::Decided { certificate, reply, .. } => match codec::certificate(&certificate) {
                Ok(certificate) => self.spawn(move |ledger| async move {
                    ledger.commit(certificate).await?;
                    let _ = reply.send(());
                    Ok(())
                }),
                Err(error) => self.ledger.health.end(format!("the engine decided without a round: {error}")),
            },
            AppMsg::Finalized { certificate, evidence, reply, .. } => {
                let evidence = evidence_of(&evidence);
                self.spawn(move |ledger| async move {
                    ledger.report(evidence).await?;
                    let _ = reply.send(ledger.next(certificate.height.0).await?);
                    Ok(())
                });
            }
            AppMsg::GetHistoryMinHeight { reply } => self.spawn(|ledger| async move {
                let first = ledger.ask("name its oldest block", |chain| Ok(chain.first_kept())).await?;
                let _ = reply.send(EngineHeight(first));
                Ok(())
            }),
            AppMsg::GetDecidedValues { range, reply } => self.spawn(move |ledger| async move {
                let _ = reply.send(ledger.blocks(range.start().0, range.end().0).await?);
                Ok(())
            }),
            AppMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply } => {
                self.spawn(move |ledger| async move {
                    let round = round.as_u32().unwrap_or(0);
                    let _ = reply.send(ledger.synced(height.0, round, proposer.0, value_bytes).await?);
                    Ok(())
                });
            }
            // Votes carry no extensions: the policy of every height forbids them.
            AppMsg::ExtendVote { reply, .. } => drop(reply.send(None)),
            AppMsg::VerifyVoteExtensions { extensions, reply, .. } => {
                drop(reply.send(extensions.into_iter().map(|(address, ())| (address, Ok(()))).collect()));
            }
        }
    }

    fn started(&mut self, height: Height, round: u32) -> Vec<Assembled> {
        self.ledger.health.started_round(height, round);
        if height != self.height {
            self.assembler.start_height(height);
        }
        (self.height, self.round) = (height, round);
        let (now, later) =
            std::mem::take(&mut self.held).into_iter().partition(|held: &Assembled| held.init.height <= height);
        self.held = later;
        now
    }

    /// Adds a part; a body that is complete for the height in progress is returned, one for the
    /// next height is held until that begins.
    fn part(
        &mut self,
        from: &malachite_sync::PeerId,
        part: malachite::app::streaming::StreamMessage<super::parts::Part>,
    ) -> Option<Assembled> {
        let (peer, member) = self.ledger.peers.member(from)?;
        let (height, ledger) = (self.height, &self.ledger);
        let turn = |round| ledger.turn(height, round);
        let standing = Standing { height, round: self.round, turn: &turn };
        let assembled = match self.assembler.add(peer, member, part, &standing) {
            Ok(assembled) => assembled?,
            Err(error) => {
                ledger.health.metrics.dropped_parts.inc();
                debug!(%peer, %member, "dropped part: {error}");
                return None;
            }
        };
        if assembled.init.height == self.height {
            return Some(assembled);
        }
        // One per proposer and round, the latest.
        let same =
            |held: &Assembled| (held.init.proposer, held.init.round) == (assembled.init.proposer, assembled.init.round);
        self.held.retain(|held| !same(held));
        if self.held.len() < HELD_MAX {
            self.held.push(assembled);
        }
        None
    }
}
