//! Following a recovery: validators that no quorum of the ones before has named. Rules F-10, F-11.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Checkpoint, Epoch, FinalHeader, LightClient, LightError};
use crate::block::{BlockId, Header, PROTOCOL_VERSION};
use crate::day::Millis;
use crate::digest::Domain;
use crate::finality::{CommitCertificate, ValidatorSet};
use crate::number::Height;
use crate::proof::StateProof;
use crate::record::Parameters;
use crate::recovery::{LastFinal, RecoveryError, RecoveryHandover, RecoveryPlan};

/// A recovery as a reader checks it, who knows the validators that were lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Recovery {
    /// The last final header, and the parameters in its state: whose signatures recover.
    pub last: StateProof,
    /// What these keys have signed.
    pub handover: RecoveryHandover,
    /// The first block of the new validators.
    pub first: FinalHeader,
}

/// A recovery that was followed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Recovered {
    /// What was signed.
    pub plan: RecoveryPlan,
    /// The validators that were lost: a header of theirs above the plan's height contradicts it.
    pub lost: ValidatorSet,
    /// The first block of the new ones.
    pub first: FinalHeader,
    /// Whether the person who answers for this device has taken note.
    pub acknowledged: bool,
}

/// Format of a saved client with recoveries.
pub(super) const FORMAT: u16 = 3;

/// The recoveries that a client follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub(super) struct Recoveries {
    /// The block of the checkpoint that somebody pinned: it may be the last one of lost validators.
    pinned: Option<(Height, BlockId)>,
    /// By rising height.
    followed: Vec<Recovered>,
}

impl Recoveries {
    pub(super) fn since(checkpoint: &Checkpoint) -> Self {
        let mut none = Self { pinned: None, followed: Vec::new() };
        none.pin(checkpoint);
        none
    }

    pub(super) fn pin(&mut self, checkpoint: &Checkpoint) {
        self.pinned = checkpoint.block.map(|block| (checkpoint.height, block));
    }

    /// What a person pinned is final: nothing before it was recovered from.
    fn pinned_height(&self) -> Height {
        self.pinned.map_or(Height(0), |(height, _)| height)
    }

    /// Rule F-11: the first block after the recovery that replaced the validators who have made this
    /// header final.
    pub(super) fn by_lost_validators(
        &self,
        domain: &Domain,
        header: &Header,
        certificate: &CommitCertificate,
    ) -> Option<FinalHeader> {
        let id = header.id(domain);
        let signed = |lost: &ValidatorSet| certificate.verify(domain, lost, header.height, id).is_ok();
        let found = self.followed.iter().find(|it| header.height > it.plan.height && signed(&it.lost));
        found.map(|it| it.first.clone())
    }
}

/// Why a recovery is not followed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RecoveryFault {
    /// F-9: the handover does not hold.
    #[error("the recovery does not hold: {0}")]
    Handover(#[from] RecoveryError),
    /// F-10: the block given with it does not follow from it.
    #[error("block {0} does not follow from the recovery it is given with")]
    OtherBlock(Height),
    /// F-10: it does not hold yet.
    #[error("a recovery of this network begins to hold in {wait_secs} seconds; next: ask again then")]
    TooEarly {
        /// How long this clock has to wait.
        wait_secs: u64,
    },
}

impl RecoveryFault {
    /// A recovery to come is no fault of whoever shows it.
    pub(super) fn is_fault_of_answer(&self) -> bool {
        !matches!(self, Self::TooEarly { .. })
    }
}

impl LightClient {
    /// The recoveries that it follows, by rising height.
    pub fn recoveries(&self) -> &[Recovered] {
        &self.recoveries.followed
    }

    /// Rule F-11: the last final height of the newest recovery that nobody has taken note of. Every
    /// verdict shows it.
    pub fn unacknowledged(&self) -> Option<Height> {
        self.recoveries.followed.iter().rev().find(|it| !it.acknowledged).map(|it| it.plan.height)
    }

    /// Takes note of every recovery that was followed; how many were not noted before.
    pub fn acknowledge(&mut self) -> usize {
        let unnoted = self.recoveries.followed.iter_mut().filter(|it| !it.acknowledged);
        unnoted.map(|it| it.acknowledged = true).count()
    }

    /// Recoveries whose first block is above this height may lead on.
    pub fn recoveries_since(&self) -> Height {
        let followed = self.recoveries.followed.last().map_or(Height(0), |it| it.plan.height.next());
        let begun = self.epochs.first().map_or(Height(0), |epoch| Height(epoch.from.0.saturating_sub(1)));
        followed.max(begun).max(self.recoveries.pinned_height())
    }

    /// Follows a recovery to the validators it names, and believes their first block.
    ///
    /// # Errors
    /// [`LightError`]. A recovery that contradicts what a quorum signed, or another recovery, is
    /// kept with it as evidence: from then on nothing is decided.
    ///
    /// # Source
    /// `sdk/spec/finality.md`, rules F-10 and F-11.
    pub fn recover(&mut self, recovery: &Recovery, now: Millis) -> Result<(), LightError> {
        let Recovery { last, handover, first } = recovery;
        let (header, from) = (&last.header, last.header.height.next());
        if let Some(error) = self.too_old(now) {
            return Err(error);
        }
        let pinned = self.recoveries.pinned_height();
        if header.height < pinned {
            return Err(LightError::NotNewer { offered: from, held: pinned });
        }
        let found = LastFinal::of(&self.domain, header);
        // The pinned block itself may be the last one: who signed it is not known then, nor asked.
        if self.recoveries.pinned != Some((found.height, found.block)) {
            self.accept(header, &last.certificate, now)?;
        }
        let parameters: Parameters = last.verify_under_final_header(&self.domain)?.record(0)?;
        let validators =
            handover.verify(&self.domain, parameters.recovery.as_ref(), &found).map_err(RecoveryFault::from)?;
        let plan = &handover.plan;
        if now < plan.from {
            let wait_secs = Millis(plan.from.0 - now.0).secs() + 1;
            return Err(RecoveryFault::TooEarly { wait_secs }.into());
        }
        self.check_first(plan, &validators, first)?;
        if let Some(other) = self.excludes(plan, first) {
            return Err(self.contradiction(other, first.clone()));
        }
        if self.recoveries.followed.iter().any(|it| it.plan == *plan) {
            return Err(LightError::NotNewer { offered: from, held: from });
        }
        let lost = self.validators_at(from)?.clone();
        if lost.digest(&self.domain) != header.next_validators {
            return Err(LightError::UnknownValidators(from));
        }
        // The validators that an ordinary handover at the last block had named decided nothing.
        self.epochs.retain(|epoch| epoch.from < from);
        self.begin(Epoch::after(header.height, header.time, validators));
        self.ended = None;
        self.recoveries.followed.push(Recovered {
            plan: plan.clone(),
            lost,
            first: first.clone(),
            acknowledged: false,
        });
        self.accept(&first.header, &first.certificate, now)
    }

    /// Rule F-10: the first block of the new validators follows the last one, when the delay is over.
    fn check_first(
        &self,
        plan: &RecoveryPlan,
        validators: &ValidatorSet,
        first: &FinalHeader,
    ) -> Result<(), LightError> {
        let FinalHeader { header, certificate } = first;
        if header.domain() != self.domain {
            return Err(LightError::OtherNetwork);
        }
        if (header.height, header.parent) != (plan.height.next(), plan.block) || header.time < plan.from {
            return Err(RecoveryFault::OtherBlock(header.height).into());
        }
        certificate.verify(&self.domain, validators, plan.height.next(), header.id(&self.domain))?;
        if header.version > PROTOCOL_VERSION { Err(LightError::LaterVersion(header.version)) } else { Ok(()) }
    }

    /// What was believed that cannot be true together with a recovery: a block above its height that
    /// the lost validators decided, or another plan.
    fn excludes(&self, plan: &RecoveryPlan, first: &FinalHeader) -> Option<FinalHeader> {
        let above = self.recoveries.followed.iter().find(|it| it.plan.height == plan.height);
        if let Some(known) = above {
            return (known.plan != *plan).then(|| known.first.clone());
        }
        let seen = self.seen.iter().find(|(height, _)| **height > plan.height);
        seen.map(|(_, (_, found))| found.clone()).filter(|found| found.header != first.header)
    }
}
