//! Ledgers over real stores, decided by the keys of the sample network.

mod following;
mod handovers;

use std::path::Path;

use fengni_core::record::{KeyPurpose, MemberKey, Role, Roles};
use fengni_core::{
    BlockId, CommitCertificate, CommitSignature, Height, MemberNumber, Millis, SecretKey, VoteStep, vote_bytes,
};
use fengni_genesis::{Genesis, sample};
use fengni_state::Founding;

use super::Ledger;
use crate::clock;
use crate::engine::Chain as _;
use crate::pool::PoolLimits;
use crate::store::Store;

const MEMBERS: [&str; 5] = ["GOV", "PSB", "AMR", "HRS", "CIQ"];

/// The sample network, and the heights at which its validators change: member 0 takes another key
/// from height 3 on, and member 4 decides heights 5 and 6 with the others.
pub(crate) fn founding() -> (Genesis, Founding, [Height; 3]) {
    // An hour ago, because blocks carry the hour of now: from a founding of long ago nobody is followed.
    let founded = clock::now().0 - 3_600_000;
    let genesis = sample::network(Millis(founded), &sample::test_key).check().expect("the sample is right");
    let mut founding = genesis.founding();
    let key = |name, index, from, until: Option<u64>| MemberKey {
        purpose: KeyPurpose::Consensus,
        key: sample::test_secret(name, KeyPurpose::Consensus, index).public(),
        from: Height(from),
        until: until.map(Height),
    };
    founding.members[0].keys.push(key("GOV", 1, 3, None));
    let fifth = &mut founding.members[4];
    fifth.roles = Roles::of(&[Role::Validator]);
    fifth.power = 1;
    fifth.keys.retain(|key| key.purpose != KeyPurpose::Consensus);
    fifth.keys.push(key("CIQ", 0, 5, Some(6)));
    (genesis, founding, [Height(2), Height(4), Height(6)])
}

/// Opens the ledger that is in a folder, or founds it there.
pub(crate) fn open(folder: &Path, genesis: &Genesis, founding: &Founding) -> Ledger {
    let store = Store::open(folder, &genesis.domain()).expect("a store");
    let voter = founding.members[0].code;
    Ledger::open(store, genesis.domain(), founding.clone(), Some(voter), PoolLimits::default()).expect("its own ledger")
}

fn secret(name: &str, height: Height) -> SecretKey {
    let index = usize::from(name == "GOV" && height.0 >= 3);
    sample::test_secret(name, KeyPurpose::Consensus, index)
}

/// The certificate of every validator of a height.
pub(crate) fn certify(ledger: &Ledger, height: Height, block: BlockId) -> CommitCertificate {
    let sign = |member: MemberNumber| {
        let message = vote_bytes(ledger.domain(), VoteStep::Precommit, height, 0, Some(block), member);
        CommitSignature { member, signature: secret(MEMBERS[member.0 as usize], height).sign(&message) }
    };
    let validators = ledger.validators(height).expect("a height up to the next");
    CommitCertificate { height, round: 0, block, signatures: validators.iter().map(|it| sign(it.member)).collect() }
}

/// Decides the next block, signed by every validator of its height.
pub(crate) fn decide(ledger: &Ledger) {
    let height = ledger.last_final().next();
    let block = ledger.propose(height, 0).expect("a proposal").id;
    ledger.commit(certify(ledger, height, block)).expect("the block was executed");
}
