//! Undecided blocks: a body is synced before anybody votes for it, because after a crash the
//! engine decides a block without asking for its body again.

use fengni_core::{BlockId, Height, MemberNumber};
use rocksdb::WriteBatch;

use super::{Column, Store, broken, keys};

/// A block that is not decided yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredCandidate {
    /// Its height.
    pub height: Height,
    /// The round it was proposed in.
    pub round: u32,
    /// The earlier round it was found valid in.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: MemberNumber,
    /// Its id.
    pub id: BlockId,
    /// Its encoding.
    pub body: Vec<u8>,
}

impl Store {
    /// Keeps a candidate, synced, until its height is decided.
    pub fn keep_candidate(&self, candidate: &StoredCandidate) {
        let (there, round) = candidate.valid_round.map_or((0, 0), |round| (1, round));
        let mut value = candidate.proposer.0.to_be_bytes().to_vec();
        value.push(there);
        value.extend(round.to_be_bytes());
        value.extend(&candidate.body);
        let key = keys::candidate(candidate.height, candidate.round, candidate.id);
        self.db
            .put_cf_opt(self.column(Column::Candidates), key, value, &Self::synced())
            .unwrap_or_else(|error| broken("store write", &error));
    }

    /// Candidates of a round.
    pub fn candidates(&self, height: Height, round: u32) -> Vec<StoredCandidate> {
        let prefix = [height.0.to_be_bytes().as_slice(), &round.to_be_bytes()].concat();
        self.scan(Column::Candidates, &prefix).map(|(key, value)| read(&key, &value)).collect()
    }

    /// A candidate by its id, in whatever round it was proposed.
    pub fn candidate(&self, height: Height, id: BlockId) -> Option<StoredCandidate> {
        let found = self.scan(Column::Candidates, &height.0.to_be_bytes()).find(|(key, _)| key[12..] == id.0.0);
        found.map(|(key, value)| read(&key, &value))
    }

    /// Forgets the candidates of a height that its validators will never decide.
    pub fn forget_candidates(&self, height: Height) {
        let mut batch = WriteBatch::default();
        self.drop_candidates(&mut batch, height);
        self.db.write_opt(batch, &Self::synced()).unwrap_or_else(|error| broken("store write", &error));
    }

    /// Forgets the candidates of a decided height, by name: a range to delete would be remembered
    /// and read again by every later look, one more with each block.
    pub(super) fn drop_candidates(&self, batch: &mut WriteBatch, decided: Height) {
        for (key, _) in self.scan(Column::Candidates, &decided.0.to_be_bytes()) {
            batch.delete_cf(self.column(Column::Candidates), key);
        }
    }
}

fn read(key: &[u8], value: &[u8]) -> StoredCandidate {
    let mut id = BlockId::default();
    id.0.0.copy_from_slice(&key[12..]);
    StoredCandidate {
        height: Height(keys::to_u64(&key[..8])),
        round: keys::to_u32(&key[8..12]),
        valid_round: (value[4] == 1).then(|| keys::to_u32(&value[5..9])),
        proposer: MemberNumber(keys::to_u32(&value[..4])),
        id,
        body: value[9..].to_vec(),
    }
}
