//! Properties: no altered byte passes, and no province is treated in another way than its sibling.

use fengni_core::assurance::Assurance;
use fengni_core::code::Code;
use fengni_core::proof::StateProof;
use fengni_core::standing::{Standing, State};
use fengni_core::verdict::{Answer, VerdictCode};
use fengni_core::verify::{Scene, verify_code, verify_code_in};
use fengni_core::{AgreementNumber, KeyAlgorithm};
use proptest::prelude::*;

use crate::random::{Random, number};
use crate::sample;
use crate::scan::Scan;
use crate::world::*;

const BASE45: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// A scan by each algorithm, with and without an assertion in the code.
fn scans() -> [Scan; 4] {
    let (ed25519, p256) = (KeyAlgorithm::Ed25519, KeyAlgorithm::P256);
    [(ed25519, false), (p256, false), (ed25519, true), (p256, true)].map(|(algorithm, vouched)| {
        let mut scan = Scan::new(sample::domain(), algorithm);
        if vouched {
            scan.vouched(Assurance::RealPerson);
        }
        scan
    })
}

#[test]
fn no_altered_character_of_a_code_is_valid() {
    for scan in scans().into_iter().step_by(2) {
        let text = scan.code().to_text();
        let proven = scan.proven(scan.file.place);
        for place in 0..text.len() {
            for step in [1, 17] {
                let mut altered = text.clone().into_bytes();
                let found = BASE45.iter().position(|c| *c == altered[place]).expect("base45");
                altered[place] = BASE45[(found + step) % BASE45.len()];
                let altered = String::from_utf8(altered).expect("ASCII");
                if let Ok(code) = Code::parse(&altered) {
                    let verdict = verify_code(&code, &proven, &scan.context);
                    assert_ne!(verdict.answer, Answer::Valid, "character {place}");
                }
            }
        }
    }
}

#[test]
fn no_altered_bit_of_a_code_is_valid() {
    for scan in scans() {
        let bytes = scan.code().encode();
        let proven = scan.proven(scan.file.place);
        for place in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[place / 8] ^= 1 << (place % 8);
            if let Ok(code) = Code::decode(&altered) {
                let verdict = verify_code(&code, &proven, &scan.context);
                assert_ne!(verdict.answer, Answer::Valid, "bit {place}");
            }
        }
    }
}

/// A million with `FENGNI_MUTATIONS=1000000`.
#[test]
fn no_mutated_code_is_valid() {
    let (count, seed) = (number("FENGNI_MUTATIONS", 20_000), number("FENGNI_SEED", 1));
    let mut random = Random::new(seed);
    let scans = scans();
    let right = scans.each_ref().map(|scan| (scan.code().encode(), scan.proven(scan.file.place)));
    let mut read = 0;
    for at in 0..count {
        let (scan, (bytes, proven)) = (&scans[at as usize % 4], &right[at as usize % 4]);
        let mut altered = bytes.clone();
        random.harm(&mut altered);
        if altered != *bytes
            && let Ok(code) = Code::decode(&altered)
        {
            read += 1;
            let verdict = verify_code(&code, proven, &scan.context);
            assert_ne!(verdict.answer, Answer::Valid, "input {at} of seed {seed}");
        }
    }
    assert!(read > count / 50, "{read} of {count} were read: the deeper checks saw too few");
    eprintln!("seed {seed}: {count} codes, {read} read, none valid");
}

#[test]
fn no_altered_byte_of_a_proof_is_valid() {
    let scan = Scan::standard();
    let code = scan.code();
    let bytes = scan.proof(scan.file.place).encode();
    let validators = scan.world.validators();
    for place in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[place] ^= 1 << (place % 8);
        let Ok(proof) = StateProof::decode(&altered) else { continue };
        if let Ok(proven) = proof.verify(&scan.context.domain, &validators) {
            let verdict = verify_code(&code, &proven, &scan.context);
            assert_ne!(verdict.answer, Answer::Valid, "byte {place}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..900), text in ".{0,200}") {
        let _ = Code::decode(&bytes);
        let _ = Code::parse(&text);
        let _ = Code::parse(&format!("FN1:{}", base45::encode(&bytes)));
    }

    #[test]
    fn a_mutated_code_never_panics(cut in 0usize..700, at in 0usize..700, byte in any::<u8>()) {
        let scan = Scan::standard();
        let mut bytes = scan.code().encode();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(cut.max(1));
        let _ = Code::decode(&bytes);
    }

    /// REC-03: a licence gets the same answer whichever province issued it and whichever reads it,
    /// as long as the standing is the same.
    #[test]
    fn both_provinces_are_treated_alike(state in 0u8..9, disputed: bool, key_blocked: bool, home: bool, purpose in 2u16..5) {
        let answer = |mirrored: bool| {
            let mut scan = Scan::standard();
            let byte = state | if disputed { 0x10 } else { 0 } | if key_blocked { 0x20 } else { 0 };
            let standing = Standing::try_from(byte).expect("a standing");
            scan.world.set(scan.file.place, standing, vec![]);
            scan.terms.purpose.0 = purpose;
            scan.context.purpose.0 = purpose;
            scan.context.verifier = if home { AMR } else { YHD };
            if mirrored {
                // The issuing department moves over to the other province, and the reader back.
                scan.world.members[1].superior = Some(YGOV);
                scan.context.verifier = if home { YHD } else { AMR };
            }
            let verdict = scan.verdict();
            (verdict.answer, verdict.code, verdict.warnings, verdict.checked)
        };
        prop_assert_eq!(answer(false), answer(true));
    }
}

#[test]
fn many_agreements_are_searched_for_the_one_that_carries() {
    let mut scan = Scan::standard();
    let mut other = scan.world.agreements[0].clone();
    other.terms.label = "RA-2026-002".into();
    other.terms.until = sample::day("2026-02-28");
    scan.world.agreements.insert(0, other);
    for member in [0, 3] {
        scan.world.members[member].agreements = vec![AgreementNumber(0), AgreementNumber(1)];
    }
    assert_eq!(scan.verdict().code, VerdictCode::Valid);
}

#[test]
fn a_scene_is_of_one_state_book_and_verifier() {
    let scan = Scan::standard();
    let (code, proven) = (scan.code(), scan.proven(scan.file.place));
    let scene = |book, verifier| Scene::new(&proven, book, verifier).expect("everything is proven");
    let judge = |scene: &Scene| verify_code_in(scene, &code, &proven, &scan.context).code;
    assert_eq!(judge(&scene(LICENCES, YHD)), VerdictCode::Valid);
    assert_eq!(judge(&scene(LICENCES, GOV)), VerdictCode::LedgerUnreachable);
    assert_eq!(judge(&scene(BUSINESSES, YHD)), VerdictCode::LedgerUnreachable);

    let mut later = Scan::standard();
    later.world.state(later.file.place, State::Revoked);
    let proven = later.proven(later.file.place);
    let stale = verify_code_in(&scene(LICENCES, YHD), &code, &proven, &scan.context);
    assert_eq!(stale.code, VerdictCode::LedgerUnreachable);
}

/// How fast one core judges: `cargo test -p fengni-core --test verify -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
        let scan = Scan::new(sample::domain(), algorithm);
        let text = scan.code().to_text();
        let proven = scan.proven(scan.file.place);
        let scene = Scene::new(&proven, LICENCES, YHD).expect("everything is proven");
        let rate = |judge: &dyn Fn() -> bool| {
            let start = std::time::Instant::now();
            let count = (0..5000).filter(|_| judge()).count();
            format!("{:.0}/s", f64::from(count as u32) / start.elapsed().as_secs_f64())
        };
        let alone = rate(&|| verify_code(&Code::parse(&text).expect("a code"), &proven, &scan.context).is_valid());
        let shared =
            rate(&|| verify_code_in(&scene, &Code::parse(&text).expect("a code"), &proven, &scan.context).is_valid());
        let parse = rate(&|| Code::parse(&text).is_ok());
        eprintln!("{algorithm:?}: verify {alone}, in a scene {shared}, only reading the text {parse}");
    }
}
