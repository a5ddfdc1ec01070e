//! A state proof from a gateway, checked as under a header whose quorum is known. Rules P-1 to P-5.

#![no_main]

use fengni_core::proof::StateProof;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = StateProof::decode(bytes) {
        assert_eq!(proof.encode(), bytes);
        let domain = proof.header.domain();
        if let Ok(proven) = proof.verify_under_final_header(&domain) {
            assert_eq!(proven.places().count(), proof.entries.len());
        }
    }
});
