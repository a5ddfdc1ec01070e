//! Evidence against validators, kept until somebody puts it on record.

use fengni_core::codec;
use fengni_core::limits::RECORD_BYTES;
use fengni_core::record::DoubleSigning;

use super::{Column, Store, broken};
use crate::fault;

/// Where evidence stands among the keys of its column.
const PREFIX: &[u8] = b"evidence/";

impl Store {
    /// Keeps evidence; the same again changes nothing.
    pub fn keep_evidence(&self, evidence: &DoubleSigning) {
        let mut key = PREFIX.to_vec();
        key.extend(evidence.height.0.to_be_bytes());
        key.extend(evidence.round.to_be_bytes());
        key.push(evidence.kind as u8);
        key.extend(evidence.member.0.to_be_bytes());
        self.db
            .put_cf_opt(self.column(Column::Meta), key, codec::encode(evidence), &Self::synced())
            .unwrap_or_else(|error| broken("store write", &error));
    }

    /// The newest evidence that is kept, at most so many pieces.
    pub fn evidence(&self, max: usize) -> Vec<DoubleSigning> {
        let kept: Vec<_> = self.scan(Column::Meta, PREFIX).map(|(_, value)| value).collect();
        let read = |value: &[u8]| {
            codec::decode(value, RECORD_BYTES).unwrap_or_else(|error| fault::stop("kept evidence", error))
        };
        kept.iter().rev().take(max).map(|value| read(value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::record::{SignedKind, SignedStatement};
    use fengni_core::{Domain, Height, MemberNumber, NetworkId, Suite, VoteStep, vote_bytes};
    use fengni_genesis::sample;

    use super::*;

    #[test]
    fn evidence_is_kept_as_the_ledger_judges_it_and_the_same_again_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let domain = Domain { suite: Suite::Standard, network: NetworkId::default() };
        let store = Store::open(folder.path(), &domain).expect("an empty folder");
        let secret = sample::test_secret("PSB", fengni_core::record::KeyPurpose::Consensus, 0);
        let member = MemberNumber(1);
        let twice = |height: u64| {
            let statement = |block: Option<fengni_core::BlockId>| SignedStatement {
                block,
                valid_round: None,
                signature: secret.sign(&vote_bytes(&domain, VoteStep::Prevote, Height(height), 0, block, member)),
            };
            let (first, second) = (statement(None), statement(Some(Default::default())));
            DoubleSigning { member, height: Height(height), round: 0, kind: SignedKind::Prevote, first, second }
        };
        for height in [7, 9, 7] {
            store.keep_evidence(&twice(height));
        }
        let kept = store.evidence(10);
        assert_eq!(kept, [twice(9), twice(7)]);
        assert!(kept.iter().all(|proof| proof.is_proven(&domain, &secret.public())));
        assert_eq!(store.evidence(1), [twice(9)]);
    }
}
