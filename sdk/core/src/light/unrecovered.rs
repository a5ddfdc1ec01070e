//! Without the feature `recovery`: a client that follows no recovery, for downloads that must stay
//! small. What only new validators signed is undecided for it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Checkpoint, FinalHeader, LightClient};
use crate::block::Header;
use crate::digest::Domain;
use crate::finality::CommitCertificate;
use crate::number::Height;

/// Format of a saved client without recoveries.
pub(super) const FORMAT: u16 = 2;

/// The recoveries that a client follows: none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub(super) struct Recoveries;

impl Recoveries {
    pub(super) fn since(_: &Checkpoint) -> Self {
        Self
    }

    pub(super) fn pin(&mut self, _: &Checkpoint) {}

    pub(super) fn by_lost_validators(&self, _: &Domain, _: &Header, _: &CommitCertificate) -> Option<FinalHeader> {
        None
    }
}

/// Why a recovery is not followed: there is no case of it here.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RecoveryFault {}

impl RecoveryFault {
    pub(super) fn is_fault_of_answer(&self) -> bool {
        match *self {}
    }
}

impl LightClient {
    /// Rule F-11: no recovery is followed here.
    pub fn unacknowledged(&self) -> Option<Height> {
        None
    }
}
