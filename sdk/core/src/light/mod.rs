//! The light client: what it trusts, and how that grows.
//!
//! It begins at a checkpoint that somebody pinned, follows handovers from one set of validators to
//! the next, and believes a header when more than two thirds of the set signed it. It keeps the
//! newest header it has seen and never goes back. Two final headers that contradict one another
//! mean that a third of the validators lied: from then on nothing is decided, and both are kept.
//! Members vouch for checkpoints with their signature. Where the validators are lost for good, it
//! follows a recovery and says so. Rules F-7, F-8, F-10 and F-11: `sdk/spec/finality.md`.

mod checkpoint;
mod handover;
#[cfg(feature = "recovery")]
mod recovery;
#[cfg(not(feature = "recovery"))]
#[path = "unrecovered.rs"]
mod recovery;
mod saved;

use bincode::{Decode, Encode};
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::{BlockId, Header, PROTOCOL_VERSION};
use crate::day::Millis;
use crate::digest::Domain;
use crate::finality::{CommitCertificate, FinalityError, ValidatorSet};
use crate::number::Height;
use crate::outcome::Outcome;
use crate::proof::{OutcomeProof, ProofError, Proven, StateProof};

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use handover::{Handover, HandoverError};
pub use recovery::RecoveryFault;
#[cfg(feature = "recovery")]
pub use recovery::{Recovered, Recovery};
pub use saved::Saved;

use recovery::Recoveries;

/// How many final headers are remembered, to catch a second one at a height.
const HEADERS_KEPT: usize = 1024;
/// How many contradictions are kept: one is enough to stop.
const EVIDENCE_KEPT: usize = 16;
/// How many validators of all sets together are remembered, for headers of the past: what the oldest
/// sets decided is not judged any more.
const VALIDATORS_KEPT: usize = 32 * 1024;

/// Validators, the first height they decide, and the time of the header before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
struct Epoch {
    from: Height,
    since: Millis,
    validators: ValidatorSet,
}

impl Epoch {
    fn after(height: Height, since: Millis, validators: ValidatorSet) -> Self {
        Self { from: height.next(), since, validators }
    }
}

fn remembered(epochs: &[Epoch]) -> usize {
    epochs.iter().map(|epoch| epoch.validators.len()).sum()
}

/// A header and what makes it final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct FinalHeader {
    /// The header.
    pub header: Header,
    /// Its commit certificate.
    pub certificate: CommitCertificate,
}

/// Two headers, both signed by a quorum, that cannot both be true. One of the quorums may have been
/// replaced by a recovery.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Evidence {
    /// The one seen first.
    pub first: FinalHeader,
    /// The one that contradicts it.
    pub second: FinalHeader,
}

/// Why the light client does not believe something.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LightError {
    /// Of another network or suite.
    #[error("the header is of another network")]
    OtherNetwork,
    /// H-5: final, and of a protocol version whose rules this program does not know.
    #[error("the ledger speaks protocol version {0}, this program {PROTOCOL_VERSION}; next: install a newer one")]
    LaterVersion(u16),
    /// No quorum of the known validators signed it.
    #[error("the header is not final: {0}")]
    NotFinal(#[from] FinalityError),
    /// Before the pinned checkpoint, or after a handover that is not at hand.
    #[error("no validator set is known for height {0}")]
    UnknownValidators(Height),
    /// Final headers contradict one another: nothing can be decided on this network.
    #[error(
        "two final headers contradict one another at height {0}: keep the evidence and ask the network's operators"
    )]
    Contradiction(Height),
    /// The entries are not of the header's state.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// By validators that had handed over before the time it names.
    #[error("height {0} was decided by validators that had handed over before the time it names")]
    AfterHandover(Height),
    /// The checkpoint is older than its trusting period: only a newer one leads on.
    #[error(
        "the checkpoint is {age_secs} seconds old, more than {limit_secs}; next: pin a newer one from an independent source"
    )]
    TooOld {
        /// Its age.
        age_secs: u64,
        /// The trusting period.
        limit_secs: u64,
    },
    /// The handover hands nothing over.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// The recovery is not followed.
    #[error(transparent)]
    Recovery(#[from] RecoveryFault),
    /// Older than the checkpoint at hand.
    #[error(
        "height {offered} is not above height {held}, which is believed already by a checkpoint, a handover or a final header; next: bring a newer one, or begin another store from a checkpoint"
    )]
    NotNewer {
        /// The height offered.
        offered: Height,
        /// The height held.
        held: Height,
    },
}

impl LightError {
    /// Whether whoever gave the answer is to blame, rather than what this client does not know.
    pub fn is_fault_of_answer(&self) -> bool {
        match self {
            Self::Recovery(fault) => fault.is_fault_of_answer(),
            Self::OtherNetwork | Self::NotFinal(_) | Self::AfterHandover(_) | Self::Proof(_) | Self::Handover(_) => {
                true
            }
            _ => false,
        }
    }

    /// Whether handovers above a height may change what was said: the set that decides may be
    /// another than the one known.
    pub fn asks_for_handovers(&self, since: Height) -> bool {
        matches!(self, Self::NotFinal(_)) || matches!(self, Self::UnknownValidators(height) if *height > since)
    }
}

/// Follows one network and believes only quorums.
#[derive(Clone, Debug)]
pub struct LightClient {
    domain: Domain,
    trusting_period_secs: u64,
    /// The newest height and time that were trusted while the one before was young enough.
    trusted: (Height, Millis),
    /// By rising first height.
    epochs: Vec<Epoch>,
    /// The handover to a set that is not at hand.
    ended: Option<Height>,
    newest: Option<FinalHeader>,
    seen: LiteMap<Height, (BlockId, FinalHeader)>,
    recoveries: Recoveries,
    evidence: Vec<Evidence>,
}

impl LightClient {
    /// A client that begins at a pinned checkpoint, such as a network's founding.
    ///
    /// Compare it with one from another source: whoever chooses it chooses the network.
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Self {
        Self {
            recoveries: Recoveries::since(&checkpoint),
            domain: checkpoint.domain(),
            trusting_period_secs: checkpoint.trusting_period_secs,
            trusted: (checkpoint.height, checkpoint.time),
            epochs: vec![Epoch::after(checkpoint.height, checkpoint.time, checkpoint.validators)],
            ended: None,
            newest: None,
            seen: LiteMap::new(),
            evidence: Vec::new(),
        }
    }

    /// A client for statements about the past, which are judged against a checkpoint that the reader
    /// pins, however old: what it says of ages means nothing.
    pub fn of_the_past(checkpoint: Checkpoint) -> Self {
        Self::from_checkpoint(Checkpoint { trusting_period_secs: u64::MAX, ..checkpoint })
    }

    /// Whose rules digests and signatures follow.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The newest final header it has seen.
    pub fn newest(&self) -> Option<&Header> {
        self.newest.as_ref().map(|found| &found.header)
    }

    /// Height and time of the checkpoint that statements about the present rest on.
    pub fn checkpoint(&self) -> (Height, Millis) {
        self.trusted
    }

    /// How old that checkpoint is.
    pub fn checkpoint_age_secs(&self, now: Millis) -> u64 {
        now.0.saturating_sub(self.trusted.1.0) / 1000
    }

    /// The height above which a handover would lead on: the last known set decides the next one.
    pub fn handovers_since(&self) -> Height {
        let last = self.epochs.last().map_or(Height(0), |epoch| epoch.from);
        Height(last.0.saturating_sub(1))
    }

    /// The header it believes to be final at a height, as far as it remembers.
    pub fn header_at(&self, height: Height) -> Option<&FinalHeader> {
        self.seen.get(&height).map(|(_, found)| found)
    }

    /// A checkpoint for another device to begin at, of a header that this client believes.
    ///
    /// # Errors
    /// [`LightError::UnknownValidators`] where the set after the header is not at hand.
    pub fn checkpoint_at(&self, header: &Header) -> Result<Checkpoint, LightError> {
        let next = header.height.next();
        let validators = self.validators_at(next)?;
        if validators.digest(&self.domain) != header.next_validators {
            return Err(LightError::UnknownValidators(next));
        }
        Ok(Checkpoint {
            network: self.domain.network,
            suite: self.domain.suite,
            height: header.height,
            time: header.time,
            block: Some(header.id(&self.domain)),
            validators: validators.clone(),
            trusting_period_secs: self.trusting_period_secs,
        })
    }

    /// Headers that contradict one another. While there are any, nothing is decided.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The set that decides a height.
    ///
    /// # Errors
    /// [`LightError::UnknownValidators`].
    pub fn validators_at(&self, height: Height) -> Result<&ValidatorSet, LightError> {
        let unknown = LightError::UnknownValidators(height);
        if self.ended.is_some_and(|ended| ended < height) {
            return Err(unknown);
        }
        let epoch = self.epochs.iter().rev().find(|epoch| epoch.from <= height);
        epoch.map(|epoch| &epoch.validators).ok_or(unknown)
    }

    /// Believes a header if a quorum signed it, and remembers it.
    ///
    /// A header older than the newest one is believed as a statement about the past. The
    /// checkpoint moves along while it is younger than the trusting period. Afterwards a header is
    /// still judged, and what rests on it shows the checkpoint's age; but it leaves no trace,
    /// because validators of long ago may have signed another past, which must not count when a
    /// newer checkpoint is pinned.
    ///
    /// # Errors
    /// [`LightError`].
    ///
    /// # Source
    /// `sdk/spec/finality.md`, rule F-7.
    pub fn accept(&mut self, header: &Header, certificate: &CommitCertificate, now: Millis) -> Result<(), LightError> {
        let young = self.too_old(now).is_none();
        self.judge(header, certificate, young)?;
        if young && header.height > self.trusted.0 {
            self.trusted = (header.height, header.time);
        }
        Ok(())
    }

    /// Believes a header that this device believed before: it is its own store that gives it back.
    ///
    /// # Errors
    /// [`LightError`].
    pub(crate) fn recall(&mut self, header: &Header, certificate: &CommitCertificate) -> Result<(), LightError> {
        self.judge(header, certificate, true)
    }

    fn judge(&mut self, header: &Header, certificate: &CommitCertificate, remember: bool) -> Result<(), LightError> {
        if header.domain() != self.domain {
            return Err(LightError::OtherNetwork);
        }
        let id = header.id(&self.domain);
        if self.seen.get(&header.height).is_none_or(|(seen, _)| *seen != id) {
            if let Err(error) = self.decided(header.height, id, certificate) {
                return Err(self.disowned(header, certificate, remember).unwrap_or(error));
            }
            // Only a quorum tells that this program is too old, not whoever gave the answer.
            if header.version > PROTOCOL_VERSION {
                return Err(LightError::LaterVersion(header.version));
            }
            // Validators that have handed over say nothing about what came after.
            if self.epochs.iter().any(|epoch| epoch.from > header.height && epoch.since < header.time) {
                return Err(LightError::AfterHandover(header.height));
            }
            let found = FinalHeader { header: header.clone(), certificate: certificate.clone() };
            let first = self.contradicted_by(id, header);
            if !remember {
                return first.map_or(Ok(()), |_| Err(LightError::Contradiction(header.height)));
            }
            match first {
                Some(first) => drop(self.contradiction(first, found)),
                None => self.remember(id, found),
            }
        }
        match self.evidence.first() {
            Some(evidence) => Err(LightError::Contradiction(evidence.second.header.height)),
            None => Ok(()),
        }
    }

    /// Whether the validators of a height have decided a block.
    fn decided(&self, height: Height, id: BlockId, certificate: &CommitCertificate) -> Result<(), LightError> {
        Ok(certificate.verify(&self.domain, self.validators_at(height)?, height, id)?)
    }

    /// Other validators decide; the oldest that are too many are forgotten.
    fn begin(&mut self, epoch: Epoch) {
        self.epochs.push(epoch);
        while remembered(&self.epochs) > VALIDATORS_KEPT {
            self.epochs.remove(0);
        }
    }

    /// Rule F-11: the contradiction, where a header was made final by validators that a recovery
    /// replaced.
    fn disowned(&mut self, header: &Header, certificate: &CommitCertificate, remember: bool) -> Option<LightError> {
        let first = self.recoveries.by_lost_validators(&self.domain, header, certificate)?;
        if !remember {
            return Some(LightError::Contradiction(header.height));
        }
        let second = FinalHeader { header: header.clone(), certificate: certificate.clone() };
        Some(self.contradiction(first, second))
    }

    /// Keeps two headers that cannot both be true.
    fn contradiction(&mut self, first: FinalHeader, second: FinalHeader) -> LightError {
        let height = second.header.height;
        let known = self.evidence.iter().any(|evidence| evidence.second.header == second.header);
        if !known && self.evidence.len() < EVIDENCE_KEPT {
            self.evidence.push(Evidence { first, second });
        }
        LightError::Contradiction(height)
    }

    /// Why nothing new is taken for the present: the checkpoint is older than its trusting period.
    pub(crate) fn too_old(&self, now: Millis) -> Option<LightError> {
        let (age_secs, limit_secs) = (self.checkpoint_age_secs(now), self.trusting_period_secs);
        (age_secs > limit_secs).then_some(LightError::TooOld { age_secs, limit_secs })
    }

    /// A header seen before that cannot be true together with this one: another at its height, or
    /// a neighbour that is not its parent or child.
    fn contradicted_by(&self, id: BlockId, header: &Header) -> Option<FinalHeader> {
        let at = |height: u64| self.seen.get(&Height(height));
        let same = at(header.height.0).filter(|(seen, _)| *seen != id);
        let parent = header.height.0.checked_sub(1).and_then(at).filter(|(seen, _)| *seen != header.parent);
        let child = at(header.height.0.saturating_add(1)).filter(|(_, child)| child.header.parent != id);
        same.or(parent).or(child).map(|(_, found)| found.clone())
    }

    fn remember(&mut self, id: BlockId, found: FinalHeader) {
        let Header { height, next_validators, .. } = found.header;
        let handed_over = self.validators_at(height).is_ok_and(|set| set.digest(&self.domain) != next_validators);
        let followed = self.epochs.iter().any(|epoch| epoch.from == height.next());
        if handed_over && !followed {
            self.ended = Some(self.ended.map_or(height, |ended| ended.min(height)));
        }
        if self.newest().is_none_or(|newest| newest.height < height) {
            self.newest = Some(found.clone());
        }
        self.seen.insert(height, (id, found));
        let lowest = self.seen.first().map(|(height, _)| *height);
        if let Some(lowest) = lowest.filter(|_| self.seen.len() > HEADERS_KEPT) {
            self.seen.remove(&lowest);
        }
    }

    /// Follows a handover to the next set of validators.
    ///
    /// # Errors
    /// [`LightError`]; a handover below the last one that was followed is of no use any more.
    pub fn follow(&mut self, handover: &Handover, now: Millis) -> Result<(), LightError> {
        let from = handover.header.height.next();
        if let Some(last) = self.epochs.last().filter(|last| last.from >= from) {
            return Err(LightError::NotNewer { offered: from, held: last.from });
        }
        if let Some(error) = self.too_old(now) {
            return Err(error);
        }
        if let Err(error) = handover.verify(&self.domain, self.validators_at(handover.header.height)?) {
            let disowned = self.disowned(&handover.header, &handover.certificate, true);
            return Err(disowned.unwrap_or(error.into()));
        }
        self.accept(&handover.header, &handover.certificate, now)?;
        self.begin(Epoch::after(handover.header.height, handover.header.time, handover.next.clone()));
        // A header may have been believed because enough of the set before signed it as well: the set
        // it names may be this very one.
        let named = handover.header.next_validators;
        let mut later = self.seen.iter().filter(|(height, _)| **height >= from);
        self.ended = later.find(|(_, (_, found))| found.header.next_validators != named).map(|(height, _)| *height);
        Ok(())
    }

    /// Pins a newer checkpoint from an independent source.
    ///
    /// Heights between the last one known and the checkpoint stay unknown, because validators may
    /// have changed in between.
    ///
    /// # Errors
    /// [`LightError::OtherNetwork`], and [`LightError::NotNewer`] where it would go back.
    pub fn pin(&mut self, checkpoint: Checkpoint) -> Result<(), LightError> {
        if checkpoint.domain() != self.domain {
            return Err(LightError::OtherNetwork);
        }
        let held = self.newest().map_or(self.trusted.0, |newest| newest.height.max(self.trusted.0));
        if checkpoint.height < held {
            return Err(LightError::NotNewer { offered: checkpoint.height, held });
        }
        if let Some((seen, found)) = self.seen.get(&checkpoint.height) {
            let other_block = checkpoint.block.is_some_and(|block| block != *seen);
            if other_block || checkpoint.validators.digest(&self.domain) != found.header.next_validators {
                return Err(LightError::Contradiction(checkpoint.height));
            }
        }
        self.recoveries.pin(&checkpoint);
        self.trusted = (checkpoint.height, checkpoint.time);
        self.trusting_period_secs = checkpoint.trusting_period_secs;
        let known = self.validators_at(checkpoint.height.next()).ok();
        if known != Some(&checkpoint.validators) {
            self.epochs = vec![Epoch::after(checkpoint.height, checkpoint.time, checkpoint.validators)];
            self.ended = None;
        }
        Ok(())
    }

    /// Believes the entries of a state proof.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn prove(&mut self, proof: &StateProof, now: Millis) -> Result<Proven, LightError> {
        self.accept(&proof.header, &proof.certificate, now)?;
        Ok(proof.verify_under_final_header(&self.domain)?)
    }

    /// Believes what became of a transaction.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn outcome(&mut self, proof: &OutcomeProof, now: Millis) -> Result<Outcome, LightError> {
        self.accept(&proof.header, &proof.certificate, now)?;
        let validators = self.validators_at(proof.header.height)?;
        Ok(proof.verify(&self.domain, validators)?.clone())
    }

    /// What a device keeps of it.
    pub fn saved(&self) -> Saved {
        Saved::of(self)
    }
}
