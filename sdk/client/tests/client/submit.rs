//! Submitting: done and refused are proven, and whatever else happens is undecided.

use fengni_client::keys::HeldKey;
use fengni_client::submit::{Settlement, Signers, SignersError, Unsettled};
use fengni_core::book::{Line, Tag};
use fengni_core::operation::Operation;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::KeyPurpose;
use fengni_core::{BookNumber, Digest, LineNumber, MemberNumber};

use crate::ledger::{Mood, Network, held_keys, two_persons};

fn seal(tags: &[u8]) -> Operation {
    let line = |tag: &u8| Line { tag: Tag([*tag; 16]), commitment: Digest([*tag; 32]) };
    Operation::Seal { book: BookNumber(0), lines: tags.iter().map(line).collect() }
}

#[test]
fn an_outcome_is_believed_with_its_proof_and_sending_twice_changes_nothing() {
    let network = Network::new();
    let (mut ledger, submitter, signers) = (network.ledger(0), network.submitter(), two_persons());
    let prepared = submitter.prepare(&mut ledger, &signers, seal(&[1, 2])).expect("the ledger answers");
    let first = submitter.send(&mut ledger, &prepared).expect("the ledger answers");
    let Settlement::Done { effect: Effect::Sealed { first: line, count, .. }, .. } = first else { panic!("{first:?}") };
    assert_eq!((line, count), (LineNumber(0), 2));
    assert_eq!(submitter.send(&mut ledger, &prepared).expect("the ledger answers"), first);
    assert_eq!(network.chain().lines(), 2);
    let again = submitter.submit(&mut ledger, &signers, seal(&[3, 2])).expect("the ledger answers");
    let Settlement::Refused { refusal, detail, .. } = again else { panic!("{again:?}") };
    assert_eq!((refusal, detail), (Refusal::DuplicateTag, 1));
}

#[test]
fn without_an_outcome_it_is_undecided_and_why() {
    let network = Network::new();
    let (mut ledger, submitter, signers) = (network.ledger(0), network.submitter(), two_persons());
    let prepared = submitter.prepare(&mut ledger, &signers, seal(&[1])).expect("the ledger answers");
    let mut reason = || match submitter.send(&mut ledger, &prepared).expect("undecided is no error") {
        Settlement::Undecided { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    network.chain().stalled = true;
    assert_eq!(reason(), Unsettled::Waiting);
    network.set_all(Mood::Silent);
    assert!(matches!(reason(), Unsettled::NotTaken(error) if error.is_unreachable()));
    network.set_all(Mood::Honest);
    network.chain().let_the_window_pass();
    assert_eq!(reason(), Unsettled::Late(prepared.valid_until));
}

#[test]
fn several_are_in_flight_at_once_and_each_settles_by_itself() {
    let network = Network::new();
    let (mut ledger, submitter, signers) = (network.ledger(0), network.submitter(), two_persons());
    let operations = (1..40).map(|tag| seal(&[tag, if tag == 7 { 1 } else { 100 + tag }]));
    let prepared: Vec<_> =
        operations.map(|operation| submitter.prepare(&mut ledger, &signers, operation).expect("an answer")).collect();
    let mut refused = vec![];
    let mut note = |place, settlement| {
        if matches!(settlement, Settlement::Refused { .. }) {
            refused.push(place);
        }
        Ok::<(), fengni_client::submit::SubmitError>(())
    };
    assert_eq!(submitter.send_all(&mut ledger, &prepared, &mut note), Ok(vec![]));
    assert_eq!(refused, [6]);
    assert_eq!(network.chain().lines(), 76);
}

#[test]
fn only_different_keys_of_one_member_for_one_purpose_sign_together() {
    let keys = held_keys();
    let key = |purpose, member| {
        let mut key = keys[1].clone();
        (key.purpose, key.member) = (purpose, member);
        key
    };
    let with = |second: HeldKey| Signers::new(&[keys[0].clone(), second]).map(|signers| signers.are_two_persons());
    assert_eq!(with(keys[1].clone()), Ok(true));
    assert_eq!(with(keys[0].clone()), Err(SignersError::Twice));
    assert_eq!(with(key(KeyPurpose::Issuing, MemberNumber(0))), Err(SignersError::OtherMember));
    assert_eq!(with(key(KeyPurpose::Admin, keys[0].member)), Err(SignersError::OtherPurpose));
    assert_eq!(Signers::new(&[]).map(drop), Err(SignersError::Count));
}
