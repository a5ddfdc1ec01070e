//! The light client: what it believes, and that it never goes back.

use fengni_client::light;
use fengni_core::light::{Checkpoint, Handover, LightClient, LightError};
use fengni_core::record::KeyPurpose;
use fengni_core::{Height, MemberNumber, Millis, Validator, ValidatorSet};
use fengni_genesis::sample;

use crate::ledger::{Chain, NOW, certificate, genesis};

fn chain_of(heights: u64) -> Chain {
    let mut chain = Chain::new();
    while chain.height().0 < heights {
        chain.seal_for_another(&sample::certificates()[0].id());
    }
    chain
}

#[test]
fn it_keeps_the_newest_header_through_its_file() {
    let chain = chain_of(3);
    let mut client = LightClient::from_checkpoint(genesis().checkpoint());
    for height in [2, 3, 1] {
        let (header, signed) = chain.header(Height(height));
        client.accept(&header, &signed, NOW).expect("final");
    }
    assert_eq!(client.newest().map(|newest| newest.height), Some(Height(3)));
    assert_eq!(client.checkpoint().0, Height(3));
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("light.json");
    light::save(&client, &path).expect("a writable folder");
    let read = light::open(&path, &genesis()).expect("its own file");
    assert_eq!((read.newest(), read.checkpoint()), (client.newest(), client.checkpoint()));
    let mut old = genesis().checkpoint();
    old.height = Height(2);
    assert_eq!(client.pin(old), Err(LightError::NotNewer { offered: Height(2), held: Height(3) }));
    std::fs::write(&path, b"{}").expect("the test's own file");
    assert!(light::open(&path, &genesis()).is_err(), "a damaged file is not replaced in silence");
}

#[test]
fn two_of_four_are_no_quorum() {
    let chain = chain_of(2);
    let (header, _) = chain.header(Height(2));
    let signed = certificate(&chain.domain, &header, &["GOV", "PSB"], 0);
    let mut client = LightClient::from_checkpoint(genesis().checkpoint());
    assert!(matches!(client.accept(&header, &signed, NOW), Err(LightError::NotFinal(_))));
}

#[test]
fn two_final_headers_at_one_height_are_kept_and_nothing_is_decided_any_more() {
    let chain = chain_of(4);
    let (first, signed) = chain.header(Height(3));
    let mut second = first.clone();
    second.time = Millis(second.time.0 + 7);
    let mut client = LightClient::from_checkpoint(genesis().checkpoint());
    client.accept(&first, &signed, NOW).expect("final");
    let lie = certificate(&chain.domain, &second, &["GOV", "PSB", "AMR"], 0);
    assert_eq!(client.accept(&second, &lie, NOW), Err(LightError::Contradiction(Height(3))));
    let (next, signed) = chain.header(Height(4));
    assert_eq!(client.accept(&next, &signed, NOW), Err(LightError::Contradiction(Height(3))));
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("light.json");
    light::save(&client, &path).expect("a writable folder");
    let read = light::load(&path, chain.domain.network).expect("its own file");
    assert_eq!(read.evidence(), client.evidence());
    assert_eq!(read.evidence()[0].second.header, second);
}

#[test]
fn a_header_that_does_not_follow_its_parent_contradicts_it() {
    let chain = chain_of(4);
    let mut client = LightClient::from_checkpoint(genesis().checkpoint());
    let (third, signed) = chain.header(Height(3));
    client.accept(&third, &signed, NOW).expect("final");
    let mut fourth = chain.header(Height(4)).0;
    fourth.parent = chain.header(Height(1)).0.id(&chain.domain);
    let signed = certificate(&chain.domain, &fourth, &["GOV", "PSB", "AMR"], 0);
    assert_eq!(client.accept(&fourth, &signed, NOW), Err(LightError::Contradiction(Height(4))));
}

#[test]
fn a_handover_must_be_at_hand_before_the_next_set_is_believed() {
    let chain = chain_of(4);
    let domain = chain.domain;
    let key = sample::test_secret("YHR", KeyPurpose::Consensus, 0).public();
    let mut members: Vec<Validator> = genesis().validators().iter().cloned().collect();
    members.push(Validator { member: MemberNumber(8), key, power: 1 });
    let next = ValidatorSet::new(members).expect("five validators");
    let mut header = chain.header(Height(3)).0;
    header.next_validators = next.digest(&domain);
    let signed = certificate(&domain, &header, &["GOV", "PSB", "AMR"], 0);
    let mut after = chain.header(Height(4)).0;
    after.parent = header.id(&domain);
    after.next_validators = next.digest(&domain);
    let three = certificate(&domain, &after, &["GOV", "PSB", "AMR"], 0);
    let four = certificate(&domain, &after, &["GOV", "PSB", "AMR", "HRS"], 0);

    let mut client = LightClient::from_checkpoint(genesis().checkpoint());
    client.accept(&header, &signed, NOW).expect("final");
    assert_eq!(client.accept(&after, &four, NOW), Err(LightError::UnknownValidators(Height(4))));
    let wrong = Handover { header: header.clone(), certificate: signed.clone(), next: genesis().validators() };
    assert!(client.follow(&wrong, NOW).is_err());
    client.follow(&Handover { header, certificate: signed, next }, NOW).expect("the set the header names");
    assert!(matches!(client.accept(&after, &three, NOW), Err(LightError::NotFinal(_))), "three of five are no quorum");
    client.accept(&after, &four, NOW).expect("four of five");
    // What was decided before the handover still counts under the set of its time.
    let (first, signed) = chain.header(Height(1));
    client.accept(&first, &signed, NOW).expect("final under the first set");
}

#[test]
fn a_checkpoint_that_grew_too_old_stays_old_until_a_newer_one_is_pinned() {
    let chain = chain_of(3);
    let late = Millis(NOW.0 + 22 * 86_400_000);
    let mut client = LightClient::from_checkpoint(genesis().checkpoint());
    let (header, signed) = chain.header(Height(3));
    client.accept(&header, &signed, late).expect("final all the same");
    assert_eq!(client.checkpoint().0, Height(0));
    assert!(client.checkpoint_age_secs(late) > 21 * 86_400);
    let pinned = Checkpoint {
        height: header.height,
        time: late,
        block: Some(header.id(&chain.domain)),
        ..genesis().checkpoint()
    };
    client.pin(pinned).expect("newer");
    assert_eq!(client.checkpoint_age_secs(late), 0);
}
