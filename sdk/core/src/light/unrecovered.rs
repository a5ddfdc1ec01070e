//! Without the feature `recovery`: a client that follows no recovery, for downloads that must stay
//! small. What only new validators signed is undecided for it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Checkpoint, FinalHeader};
use crate::block::Header;
use crate::digest::Domain;
use crate::finality::CommitCertificate;

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
