//! An outcome proof from a gateway. Rule P-7.

#![no_main]

use fengni_core::proof::OutcomeProof;
use fengni_core::{KeyAlgorithm, MemberNumber, SecretKey, Validator, ValidatorSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = OutcomeProof::decode(bytes) {
        assert_eq!(proof.encode(), bytes);
        let key = SecretKey::from_seed(KeyAlgorithm::Ed25519, &[1; 32]).expect("any 32 bytes").public();
        let set = ValidatorSet::new(vec![Validator { member: MemberNumber(0), key, power: 1 }]).expect("one");
        let _ = proof.verify(&proof.header.domain(), &set);
    }
});
