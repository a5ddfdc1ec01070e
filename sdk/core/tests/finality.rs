//! Finality: what a quorum is, which bytes are signed, which certificates count, and who vouches for
//! a checkpoint. Rules F-1 to F-6 and F-8: `sdk/spec/finality.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::world::{self, certificate, validators};
use common::{SUITES, cases, domain, domain_of, hex_of, variant, vectors};
use fengni_core::codec;
use fengni_core::finality::FinalityError;
use fengni_core::light::{Checkpoint, SignedCheckpoint};
use fengni_core::record::{KeyPurpose, Member, MemberKey, MemberStatus};
use fengni_core::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn block() -> BlockId {
    BlockId(Digest([0xb1; 32]))
}

fn set(powers: &[u64]) -> Result<ValidatorSet, finality::SetError> {
    let key = world::secret(Suite::Standard, 0, 0).public();
    let validators = powers.iter().zip(0..);
    ValidatorSet::new(
        validators.map(|(power, member)| Validator { member: MemberNumber(member), key, power: *power }).collect(),
    )
}

#[test]
fn f1_a_set_has_1_to_256_validators_in_rising_order_each_with_power() {
    assert!(set(&[1]).is_ok());
    assert!(set(&[1; 256]).is_ok());
    assert!(set(&[]).is_err());
    assert!(set(&[1; 257]).is_err());
    assert!(set(&[1, 0, 1]).is_err());
    assert!(set(&[1 << 61, (1 << 61) - 1]).is_ok());
    assert!(set(&[1 << 61, 1 << 61]).is_err());
    assert!(set(&[u64::MAX, u64::MAX]).is_err());
    let mut twice: Vec<Validator> = set(&[1, 1]).expect("a set").into();
    twice[1].member = MemberNumber(0);
    assert!(ValidatorSet::new(twice.clone()).is_err());
    // Decoding goes through the same door.
    assert!(codec::decode::<ValidatorSet>(&codec::encode(&twice), 10_000).is_err());
}

#[test]
fn f6_a_quorum_is_more_than_two_thirds() {
    for (powers, quorum) in [
        (vec![1], 1),
        (vec![1, 1], 2),
        (vec![1, 1, 1], 3),
        (vec![1; 4], 3),
        (vec![1; 5], 4),
        (vec![1; 6], 5),
        (vec![1; 7], 5),
        (vec![3, 2, 2, 1], 6),
        (vec![1; 100], 67),
        (vec![(1 << 62) - 1], 3_074_457_345_618_258_603),
    ] {
        let set = set(&powers).expect("a set");
        assert_eq!(set.quorum(), quorum, "{powers:?}");
        let (quorum, power) = (u128::from(quorum), u128::from(set.power()));
        assert!(3 * quorum > 2 * power && 3 * (quorum - 1) <= 2 * power);
    }
}

#[test]
fn f5_f6_only_a_quorum_of_the_heights_validators_over_these_bytes_counts() {
    for suite in SUITES {
        let (domain, set, height) = (domain_of(suite), validators(suite), Height(7));
        let made = |signers: &[u8]| certificate(&domain, height, 2, block(), signers);
        let judge = |certificate: &CommitCertificate| certificate.verify(&domain, &set, height, block());
        // Powers are 3, 2, 2, 1; six are needed.
        for (signers, signed) in [
            (&[0u8, 1, 2, 3][..], 8),
            (&[0, 1, 2], 7),
            (&[0, 1, 3], 6),
            (&[0, 2, 3], 6),
            (&[1, 2, 3], 5),
            (&[0, 1], 5),
            (&[0, 3], 4),
            (&[0], 3),
            (&[], 0),
        ] {
            let wanted = if signed >= 6 { Ok(()) } else { Err(FinalityError::BelowQuorum { signed, needed: 6 }) };
            assert_eq!(judge(&made(signers)), wanted, "{signers:?}");
        }
        let member = |number: u32| MemberNumber(number);
        // One signature counted twice, signers out of order, a signer who is no validator.
        let mut twice = made(&[0, 1]);
        twice.signatures.insert(1, twice.signatures[0].clone());
        assert_eq!(judge(&twice), Err(FinalityError::SignerOrder { member: member(0) }));
        let mut reversed = made(&[0, 1, 2]);
        reversed.signatures.swap(1, 2);
        assert_eq!(judge(&reversed), Err(FinalityError::SignerOrder { member: member(1) }));
        let mut stranger = made(&[0, 1, 2]);
        stranger.signatures.push(CommitSignature { member: member(9), ..stranger.signatures[0].clone() });
        assert_eq!(judge(&stranger), Err(FinalityError::UnknownSigner { member: member(9) }));
        // One wrong signature spoils a certificate that would be heavy enough without it.
        let mut moved = made(&[0, 1, 2, 3]);
        moved.signatures[3].signature = moved.signatures[0].signature;
        assert_eq!(judge(&moved), Err(FinalityError::BadSignature { member: member(3) }));
        let mut round = made(&[0, 1, 2]);
        round.round = 3;
        assert_eq!(judge(&round), Err(FinalityError::BadSignature { member: member(0) }));
        // Another block or height, both as claimed and as asked.
        let mut other = made(&[0, 1, 2]);
        other.block = BlockId::default();
        assert_eq!(judge(&other), Err(FinalityError::OtherBlock));
        assert_eq!(made(&[0, 1, 2]).verify(&domain, &set, Height(8), block()), Err(FinalityError::OtherBlock));
        let lied = CommitCertificate { height: Height(8), ..made(&[0, 1, 2]) };
        assert_eq!(
            lied.verify(&domain, &set, Height(8), block()),
            Err(FinalityError::BadSignature { member: member(0) })
        );
        // Another network's votes.
        let mut foreign = domain;
        foreign.network.0.0[0] ^= 1;
        let votes = certificate(&foreign, height, 2, block(), &[0, 1, 2]);
        assert_eq!(judge(&votes), Err(FinalityError::BadSignature { member: member(0) }));
    }
}

#[test]
fn f3_prevotes_and_votes_for_none_make_nothing_final() {
    let (domain, set) = (domain(), validators(Suite::Standard));
    for (step, voted) in [(VoteStep::Prevote, Some(block())), (VoteStep::Precommit, None)] {
        let mut certificate = certificate(&domain, Height(7), 2, block(), &[0, 1, 2]);
        for CommitSignature { member, signature } in &mut certificate.signatures {
            let key = world::secret(Suite::Standard, member.0 as u8, u8::from(member.0 == 2));
            *signature = key.sign(&vote_bytes(&domain, step, Height(7), 2, voted, *member));
        }
        let found = certificate.verify(&domain, &set, Height(7), block());
        assert_eq!(found, Err(FinalityError::BadSignature { member: MemberNumber(0) }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn f3_f4_no_two_votes_or_proposals_share_their_bytes(
        a in any::<(bool, u64, u32, Option<u8>, u32)>(), b in any::<(bool, u64, u32, Option<u8>, u32)>(),
    ) {
        let bytes = |(prevote, height, round, voted, member): (bool, u64, u32, Option<u8>, u32)| {
            let step = if prevote { VoteStep::Prevote } else { VoteStep::Precommit };
            let block = voted.map(|byte| BlockId(Digest([byte; 32])));
            vote_bytes(&domain(), step, Height(height), round, block, MemberNumber(member))
        };
        prop_assert_eq!(bytes(a) == bytes(b), a == b);
        let proposal = |(_, height, round, voted, member): (bool, u64, u32, Option<u8>, u32)| {
            proposal_bytes(&domain(), Height(height), round, voted.map(u32::from), block(), MemberNumber(member))
        };
        prop_assert_ne!(bytes(a), proposal(a));
        prop_assert_eq!(proposal(a) == proposal(b), (a.1, a.2, a.3, a.4) == (b.1, b.2, b.3, b.4));
    }
}

/// Member 1, whose key 0 signs votes, key 1 names its node, and key 2 did so up to height 6.
fn signer() -> Member {
    let key = |purpose, key, until| MemberKey {
        purpose,
        key: world::secret(Suite::Standard, 1, key).public(),
        from: Height(0),
        until,
    };
    let keys = vec![
        key(KeyPurpose::Consensus, 0, None),
        key(KeyPurpose::Peer, 2, None),
        key(KeyPurpose::Peer, 4, Some(Height(6))),
    ];
    Member { keys, ..world::member(Suite::Standard, 1) }
}

fn checkpoint(height: u64) -> Checkpoint {
    Checkpoint {
        network: domain().network,
        suite: Suite::Standard,
        height: Height(height),
        time: Millis(1_772_670_685_000),
        block: Some(block()),
        validators: validators(Suite::Standard),
        trusting_period_secs: 1_209_600,
    }
}

/// What member 1 vouches for at a height with one of its keys.
fn vouched(height: u64, key: u16) -> SignedCheckpoint {
    let secret = world::secret(Suite::Standard, 1, key as u8 * 2);
    SignedCheckpoint::sign(checkpoint(height), MemberNumber(1), KeyNumber(key), &secret)
}

#[test]
fn f8_a_checkpoint_counts_as_the_word_of_the_member_whose_peer_key_signed_it() {
    let (domain, record) = (domain(), signer());
    let verify = |signed: &SignedCheckpoint, height| signed.verify(&domain, &record, Height(height));
    let why = |found: Result<(), _>| found.err().map(|error| variant(&error));
    let signed = vouched(7, 1);
    assert_eq!(verify(&signed, 7), Ok(()));
    assert_eq!(verify(&vouched(6, 2), 6), Ok(()));
    // Withdrawn before that height, or since: the key's word counts for nothing any more.
    assert_eq!(why(verify(&vouched(7, 2), 7)).as_deref(), Some("Key"));
    assert_eq!(why(verify(&vouched(6, 2), 7)).as_deref(), Some("Key"));
    // A key for something else, and one that is not there.
    assert_eq!(why(verify(&vouched(7, 0), 7)).as_deref(), Some("Key"));
    assert_eq!(why(verify(&vouched(7, 3), 7)).as_deref(), Some("Key"));
    let suspended = Member { status: MemberStatus::Suspended, ..signer() };
    assert_eq!(why(signed.verify(&domain, &suspended, Height(7))).as_deref(), Some("NotActive"));
    let mut foreign = domain;
    foreign.network.0.0[0] ^= 1;
    assert_eq!(why(signed.verify(&foreign, &record, Height(7))).as_deref(), Some("OtherNetwork"));
    let altered: [&dyn Fn(&mut SignedCheckpoint); 6] = [
        &|it| it.checkpoint.height = Height(8),
        &|it| it.checkpoint.time = Millis(1),
        &|it| it.checkpoint.block = None,
        &|it| it.checkpoint.trusting_period_secs += 1,
        &|it| it.checkpoint.validators = set(&[1, 1]).expect("a set"),
        &|it| it.member = MemberNumber(2),
    ];
    for change in altered {
        let mut signed = signed.clone();
        change(&mut signed);
        assert_eq!(why(verify(&signed, 7)).as_deref(), Some("Signature"));
    }
}

fn made() -> Value {
    let (domain, set) = (domain(), validators(Suite::Standard));
    let vote = |step, height, round, voted: Option<BlockId>, member| {
        let bytes = vote_bytes(&domain, step, Height(height), round, voted, MemberNumber(member));
        json!({ "step": step as u8, "height": height, "round": round, "block": voted, "member": member, "message": hex::encode(bytes) })
    };
    let proposal = |height, round, valid: Option<u32>, member| {
        let bytes = proposal_bytes(&domain, Height(height), round, valid, block(), MemberNumber(member));
        json!({ "height": height, "round": round, "valid_round": valid, "block": block(), "member": member, "message": hex::encode(bytes) })
    };
    let good = |signers: &[u8]| certificate(&domain, Height(7), 2, block(), signers);
    let case = |what: &str, rule: &str, certificate: CommitCertificate| {
        let error = certificate.verify(&domain, &set, Height(7), block()).err();
        json!({
            "what": what, "rule": rule, "hex": hex::encode(codec::encode(&certificate)),
            "digest": certificate.digest(&domain), "error": error.map(|error| variant(&error)),
        })
    };
    let with = |signers: &[u8], change: &dyn Fn(&mut CommitCertificate)| {
        let mut certificate = good(signers);
        change(&mut certificate);
        certificate
    };
    let word = |what: &str, signed: SignedCheckpoint| {
        let error = signed.verify(&domain, &signer(), Height(7)).err();
        json!({
            "what": what, "signed": signed, "hex": hex::encode(codec::encode(&signed)),
            "error": error.map(|error| variant(&error)),
        })
    };
    let altered = |change: &dyn Fn(&mut SignedCheckpoint)| {
        let mut signed = vouched(7, 1);
        change(&mut signed);
        signed
    };
    json!({
        "about": "Rules F-1 to F-6 and F-8, for height 7 and the block of 32 bytes b1. Network: 32 bytes 46.",
        "network": domain.network.to_string(),
        "set": { "validators": set, "hex": hex::encode(codec::encode(&set)), "digest": set.digest(&domain), "power": 8, "quorum": 6 },
        "votes": [
            vote(VoteStep::Prevote, 7, 0, Some(block()), 0), vote(VoteStep::Precommit, 7, 2, Some(block()), 3),
            vote(VoteStep::Precommit, 7, 2, None, 3), vote(VoteStep::Prevote, u64::MAX, u32::MAX, None, u32::MAX),
        ],
        "proposals": [proposal(7, 0, None, 0), proposal(7, 2, Some(1), 3)],
        "certificates": [
            case("all", "F-6", good(&[0, 1, 2, 3])),
            case("exactly a quorum", "F-6", good(&[0, 1, 3])),
            case("below the quorum", "F-6", good(&[1, 2, 3])),
            case("nobody", "F-6", good(&[])),
            case("one twice", "F-5", with(&[0, 1], &|it| it.signatures.insert(1, it.signatures[0].clone()))),
            case("out of order", "F-5", with(&[0, 1, 2], &|it| it.signatures.reverse())),
            case("a stranger", "F-5", with(&[0, 1, 2], &|it| it.signatures[2].member = MemberNumber(9))),
            case("another's signature", "F-5", with(&[0, 1, 2, 3], &|it| it.signatures[3].signature = it.signatures[0].signature)),
            case("another round than was signed", "F-5", with(&[0, 1, 2], &|it| it.round = 1)),
            case("another height", "F-5", with(&[0, 1, 2], &|it| it.height = Height(8))),
            case("another block", "F-5", with(&[0, 1, 2], &|it| it.block = BlockId::default())),
        ],
        "keys": signer().keys,
        "checkpoints": [
            word("its peer key's", vouched(7, 1)),
            word("its consensus key's", vouched(7, 0)),
            word("a key of before", vouched(6, 2)),
            word("a key it has not", vouched(7, 3)),
            word("another height", altered(&|it| it.checkpoint.height = Height(8))),
            word("another block", altered(&|it| it.checkpoint.block = Some(BlockId::default()))),
            word("the founding", altered(&|it| it.checkpoint.block = None)),
            word("another member's name", altered(&|it| it.member = MemberNumber(2))),
            word("another network", altered(&|it| it.checkpoint.network.0.0[0] ^= 1)),
        ],
    })
}

#[test]
fn f1_to_f8_vectors_hold() {
    let file = vectors("finality", &made());
    let set: ValidatorSet = serde_json::from_value(file["set"]["validators"].clone()).expect("a set");
    assert_eq!(codec::encode(&set), hex_of(&file["set"], "hex"));
    for case in cases(&file, "certificates") {
        let certificate: CommitCertificate = codec::decode(&hex_of(case, "hex"), 10_000).expect("a certificate");
        let found = certificate.verify(&domain(), &set, Height(7), block()).err().map(|error| variant(&error));
        assert_eq!(found.as_deref(), case["error"].as_str(), "{case}");
    }
    for case in cases(&file, "checkpoints") {
        let signed: SignedCheckpoint = codec::decode(&hex_of(case, "hex"), 10_000).expect("a signed checkpoint");
        assert_eq!(signed, serde_json::from_value(case["signed"].clone()).expect("the same in JSON"), "{case}");
        let found = signed.verify(&domain(), &signer(), Height(7)).err().map(|error| variant(&error));
        assert_eq!(found.as_deref(), case["error"].as_str(), "{case}");
    }
}
