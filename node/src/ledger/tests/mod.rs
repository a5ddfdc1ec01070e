//! Ledgers over real stores, decided by the keys of the sample network.

mod following;
mod handovers;
mod pruning;
mod recovery;

use std::path::Path;

use fengni_core::book::{Line, Subject, Tag};
use fengni_core::operation::{Ground, Operation, StandingChange};
use fengni_core::outcome::Decision;
use fengni_core::record::{KeyPurpose, MemberKey, Role, Roles};
use fengni_core::transaction::{TransactionBody, TransactionId};
use fengni_core::{
    BlockId, BookNumber, CommitCertificate, CommitSignature, Digest, Height, LineNumber, LinePlace, MemberNumber,
    Millis, ReasonCode, SecretKey, VoteStep, vote_bytes,
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
    certify_with(ledger, height, block, |member, height| secret(MEMBERS[member.0 as usize], height))
}

/// The certificate of every validator of a height, by keys of the caller.
fn certify_with(
    ledger: &Ledger,
    height: Height,
    block: BlockId,
    secret: impl Fn(MemberNumber, Height) -> SecretKey,
) -> CommitCertificate {
    let sign = |member: MemberNumber| {
        let message = vote_bytes(ledger.domain(), VoteStep::Precommit, height, 0, Some(block), member);
        CommitSignature { member, signature: secret(member, height).sign(&message) }
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

/// Puts an operation of PSB into the next block, where it must be done.
pub(crate) fn perform(ledger: &Ledger, operation: Operation) -> TransactionId {
    let slots = sample::key_slots();
    let issuing = slots.iter().filter(|slot| slot.member == "PSB" && slot.purpose == KeyPurpose::Issuing);
    // Some acts want two persons.
    let keys: Vec<_> =
        issuing.map(|slot| (slot.number, sample::test_secret("PSB", slot.purpose, slot.index))).take(2).collect();
    let keys: Vec<_> = keys.iter().map(|(number, secret)| (*number, secret)).collect();
    let last = ledger.last_final();
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&last.0.to_be_bytes());
    let body = TransactionBody {
        network: ledger.domain().network,
        member: MemberNumber(1),
        valid_until: last.next(),
        salt,
        operation,
    };
    let (id, _) = ledger.admit(body.sign(ledger.domain(), &keys).encode()).expect("in order");
    decide(ledger);
    let outcome = ledger.outcome(&id).expect("included").outcome;
    assert!(matches!(outcome.decision, Decision::Done(_)), "the story goes on: {outcome:?}");
    id
}

/// A ground that the sample knows.
fn ground(ledger: &Ledger) -> Ground {
    let state = ledger.state();
    let reasons = state.code_set("reasons").expect("the sample has reasons");
    let reason = reasons.codes[0].code.parse().expect("reasons are numbers");
    Ground { reason: ReasonCode(reason), decision: Digest([7; 32]) }
}

/// A line that is like no other.
fn line(number: u16) -> Line {
    let digest = fengni_core::Suite::Standard.hash(&[&number.to_be_bytes()]);
    Line { tag: Tag(*digest.0.first_chunk().expect("32 bytes")), commitment: digest }
}

/// The place of a line in the first book.
pub(crate) fn place(line: u64) -> LinePlace {
    LinePlace { book: BookNumber(0), line: LineNumber(line) }
}

/// A book of 1,040 lines, the last page open; one line disputed, and one under a new holder key at
/// its end. Returns the transactions in order.
pub(crate) fn a_book(ledger: &Ledger) -> Vec<TransactionId> {
    let kind = sample::certificate_type("T-DL").expect("a sample type");
    let state = ledger.state();
    let authority = state.authorities().iter().find(|authority| authority.member == MemberNumber(1)).cloned();
    let division = authority.expect("the sample authorises PSB").division;
    let subject = Subject::Certificates { certificate_type: kind };
    let ground = ground(ledger);
    let operations = [
        Operation::OpenBook { subject, division },
        Operation::Seal { book: BookNumber(0), lines: (0..1020).map(line).collect() },
        Operation::Seal { book: BookNumber(0), lines: (1020..1039).map(line).collect() },
        Operation::Change { place: place(3), change: StandingChange::Dispute, ground },
        Operation::Rekey { old: place(5), new: Line { commitment: Digest([9; 32]), ..line(5) }, ground },
    ];
    operations.map(|operation| perform(ledger, operation)).to_vec()
}
