//! Evidence against validators, kept until somebody acts on it.

use bincode::{Decode, Encode};
use fengni_core::codec;

use super::{Column, Store, broken};
use crate::engine::Evidence;

/// Evidence in the form in which it is kept: both statements as they were signed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct StoredEvidence {
    /// Who signed both.
    pub member: fengni_core::MemberNumber,
    /// For which height.
    pub height: fengni_core::Height,
    /// For which round.
    pub round: u32,
    /// In which step: 0 proposal, 1 prevote, 2 precommit.
    pub step: u8,
    /// (signed bytes, signature), the one seen first and the other.
    pub statements: [(fengni_core::bytes::Bytes, fengni_core::Signature); 2],
}

impl Store {
    /// Keeps evidence; the same again changes nothing.
    pub fn keep_evidence(&self, evidence: &Evidence) {
        let Evidence { member, height, round, step, .. } = evidence;
        let statements = [&evidence.first, &evidence.second]
            .map(|said| (fengni_core::bytes::Bytes(said.bytes.clone()), said.signature));
        let (member, height, round, step) = (*member, *height, *round, *step as u8);
        let stored = StoredEvidence { member, height, round, step, statements };
        let mut key = b"evidence/".to_vec();
        key.extend(height.0.to_be_bytes());
        key.extend(round.to_be_bytes());
        key.push(step);
        key.extend(member.0.to_be_bytes());
        self.db
            .put_cf_opt(self.column(Column::Meta), key, codec::encode(&stored), &Self::synced())
            .unwrap_or_else(|error| broken("store write", &error));
    }

    /// How much evidence is kept.
    pub fn evidence_count(&self) -> usize {
        self.scan(Column::Meta, b"evidence/").count()
    }
}
