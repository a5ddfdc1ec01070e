//! Challenges: whose they are, how long they hold, and which code answers them.

#[path = "verify/sample.rs"]
mod sample;

use fengni_core::challenge::{Challenge, ChallengeError, Question};
use fengni_core::code::{Code, CodeError, Terms};
use fengni_core::id::{CreditCode, Division};
use fengni_core::record::{KeyPurpose, Member, MemberKey, MemberStatus, Roles};
use fengni_core::{Day, Digest, Domain, Height, KeyAlgorithm, KeyNumber, MemberNumber, Millis, NetworkId, PurposeCode};
use sample::*;
use serde_json::json;

const ASKED_SECS: u64 = 1_772_670_660;
const VERIFIER: MemberNumber = MemberNumber(4);
const PURPOSE: PurposeCode = PurposeCode(2);

fn question() -> Question {
    Question {
        verifier: VERIFIER,
        key: KeyNumber(1),
        purpose: PURPOSE,
        issued_secs: ASKED_SECS,
        lifetime_secs: 120,
        nonce: [0x51; 16],
    }
}

fn signed(algorithm: KeyAlgorithm) -> Challenge {
    question().sign(&domain(), &key(algorithm, 21)).expect("an allowed lifetime")
}

/// The verifier: key 0 is for administration, key 1 for applications.
fn member(algorithm: KeyAlgorithm) -> Member {
    let key = |purpose, seed| MemberKey { purpose, key: key(algorithm, seed).public(), from: Height(0), until: None };
    Member {
        version: 1,
        code: CreditCode::parse("11339900XN0200022E").expect("a code"),
        name: "云山省住房和城乡建设厅".into(),
        division: Division::parse("3399").expect("a division"),
        superior: None,
        roles: Roles::default(),
        power: 0,
        status: MemberStatus::Active,
        keys: vec![key(KeyPurpose::Admin, 20), key(KeyPurpose::Application, 21)],
        authorities: vec![],
        agreements: vec![],
        terminal_acts: (Day(0), 0),
    }
}

fn check(challenge: &Challenge, member: &Member, plus_secs: i64) -> Result<(), ChallengeError> {
    let now = Millis::from_secs(ASKED_SECS.saturating_add_signed(plus_secs));
    challenge.check(&domain(), member, Height(100), now)
}

#[test]
fn y11_who_asks_is_checked_before_anything_is_shown() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
        let (challenge, asker) = (signed(algorithm), member(algorithm));
        assert_eq!(check(&challenge, &asker, 5), Ok(()));
        // Somebody else's key, or the right one for something else.
        let forged = question().sign(&domain(), &key(algorithm, 66)).expect("an allowed lifetime");
        assert_eq!(check(&forged, &asker, 5), Err(ChallengeError::Signature));
        let admin = Question { key: KeyNumber(0), ..question() }.sign(&domain(), &key(algorithm, 20));
        let admin = admin.expect("an allowed lifetime");
        assert_eq!(check(&admin, &asker, 5), Err(ChallengeError::Key { key: KeyNumber(0) }));
        let mut retired = asker.clone();
        retired.keys[1].until = Some(Height(99));
        assert_eq!(check(&challenge, &retired, 5), Err(ChallengeError::Key { key: KeyNumber(1) }));
        let suspended = Member { status: MemberStatus::Suspended, ..asker };
        assert_eq!(check(&challenge, &suspended, 5), Err(ChallengeError::NotActive));
    }
}

#[test]
fn y11_an_altered_challenge_is_nobodys() {
    let (challenge, asker) = (signed(KeyAlgorithm::P256), member(KeyAlgorithm::P256));
    let changes: [fn(&mut Question); 6] = [
        |q| q.verifier.0 += 1,
        |q| q.key.0 = 7,
        |q| q.purpose.0 += 1,
        |q| q.issued_secs += 1,
        |q| q.lifetime_secs += 1,
        |q| q.nonce[15] ^= 1,
    ];
    for change in changes {
        let mut altered = challenge;
        change(&mut altered.question);
        assert!(check(&altered, &asker, 5).is_err());
        assert_ne!(altered.hash(&domain()), challenge.hash(&domain()));
    }
    // Made for one network, shown in another.
    let elsewhere = Domain { network: NetworkId(Digest([8; 32])), ..domain() };
    let now = Millis::from_secs(ASKED_SECS);
    assert_eq!(challenge.check(&elsewhere, &asker, Height(100), now), Err(ChallengeError::Signature));
    assert_ne!(challenge.hash(&elsewhere), challenge.hash(&domain()));
}

#[test]
fn y11_a_challenge_has_its_time() {
    let (challenge, asker) = (signed(KeyAlgorithm::Ed25519), member(KeyAlgorithm::Ed25519));
    for (plus, answer) in [
        (-31, Err(ChallengeError::Early)),
        (-30, Ok(())),
        (0, Ok(())),
        (150, Ok(())),
        (151, Err(ChallengeError::Expired)),
    ] {
        assert_eq!(check(&challenge, &asker, plus), answer, "{plus}");
    }
    for secs in [0, 301] {
        let wrong = Question { lifetime_secs: secs, ..question() };
        let signed = wrong.sign(&domain(), &key(KeyAlgorithm::Ed25519, 21));
        assert_eq!(signed, Err(ChallengeError::Lifetime { secs }));
    }
}

#[test]
fn y12_a_verifier_takes_an_answer_to_its_own_question_alone() {
    let challenge = signed(KeyAlgorithm::Ed25519);
    let at = |secs: u64| Millis::from_secs(ASKED_SECS + secs);
    let expect = |verifier, purpose, now| challenge.expect(&domain(), verifier, purpose, now);
    assert_eq!(expect(VERIFIER, PURPOSE, at(20)), Ok(challenge.hash(&domain())));
    assert_eq!(expect(MemberNumber(3), PURPOSE, at(20)), Err(ChallengeError::Other));
    assert_eq!(expect(VERIFIER, PurposeCode(3), at(20)), Err(ChallengeError::Other));
    assert_eq!(expect(VERIFIER, PURPOSE, at(151)), Err(ChallengeError::Expired));
}

#[test]
fn y10_a_challenge_survives_its_text_and_nothing_else_is_one() {
    let challenge = signed(KeyAlgorithm::P256);
    let text = challenge.to_text();
    assert_eq!(Challenge::parse(&text), Ok(challenge));
    assert_eq!(Challenge::parse("FN1:00"), Err(CodeError::Prefix { prefix: "FC1:" }));
    assert!(Code::parse(&text).is_err());
    for wrong in [text.to_lowercase(), format!("{text} "), text[..text.len() - 1].to_owned()] {
        assert!(Challenge::parse(&wrong).is_err(), "{wrong}");
    }
}

/// An answer holds for the one who asked and for nobody who asks something else.
#[test]
fn y12_a_code_carries_the_hash_of_one_question() {
    let holder = key(KeyAlgorithm::P256, 5);
    let licence = file(&domain(), C1, &LICENCE, &holder);
    let challenge = signed(KeyAlgorithm::P256);
    let terms = Terms { challenge: Some(challenge.hash(&domain())), ..terms(ASKED_SECS + 10) };
    let code = Code::show(&domain(), &licence, &holder, &[0, 1], true, terms).expect("a code");
    assert_eq!(code.terms.challenge, Some(challenge.hash(&domain())));
    let again = Question { nonce: [0x52; 16], ..question() };
    let again = again.sign(&domain(), &key(KeyAlgorithm::P256, 21)).expect("an allowed lifetime");
    assert_ne!(code.terms.challenge, Some(again.hash(&domain())));
}

#[test]
fn the_challenge_vectors_hold() {
    let accepted: Vec<_> = [KeyAlgorithm::Ed25519, KeyAlgorithm::P256]
        .into_iter()
        .map(|algorithm| {
            let challenge = signed(algorithm);
            let Question { verifier, key: number, purpose, issued_secs, lifetime_secs, nonce } = challenge.question;
            json!({
                "key": key(algorithm, 21).public(),
                "verifier": verifier,
                "key_number": number,
                "purpose": purpose,
                "issued_secs": issued_secs,
                "lifetime_secs": lifetime_secs,
                "nonce": hex::encode(nonce),
                "message": hex::encode(challenge.question.message(&domain())),
                "hash": challenge.hash(&domain()),
                "text": challenge.to_text(),
            })
        })
        .collect();
    let altered = |change: &dyn Fn(&mut Challenge)| {
        let mut challenge = signed(KeyAlgorithm::Ed25519);
        change(&mut challenge);
        challenge.to_text()
    };
    let text = signed(KeyAlgorithm::Ed25519).to_text();
    let refused = [
        ("the prefix of a code", text.replace("FC1:", "FN1:")),
        ("lower case", text.to_lowercase()),
        ("a lifetime of 0", altered(&|challenge| challenge.question.lifetime_secs = 0)),
        ("a lifetime of 301", altered(&|challenge| challenge.question.lifetime_secs = 301)),
    ];
    for (why, text) in &refused {
        assert!(Challenge::parse(text).is_err(), "{why}");
    }
    let refused: Vec<_> = refused.iter().map(|(why, text)| json!({ "why": why, "text": text })).collect();
    check_vectors(
        "challenges",
        &json!({
            "about": "Challenges: sdk/spec/codes.md. Everybody named is fictitious.",
            "suite": domain().suite.number(),
            "network": domain().network,
            "accepted": accepted,
            "refused": refused,
        }),
    );
}
