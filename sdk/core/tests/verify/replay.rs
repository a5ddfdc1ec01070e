//! The replay cache: once for one verifier, until the code is over.

use fengni_core::code::Code;
use fengni_core::verdict::{Answer, Check, VerdictCode};
use fengni_core::verify::{ReplayCache, verify_without_ledger};

use crate::scan::Scan;

#[test]
fn v18_a_code_counts_once() {
    let mut scan = Scan::standard();
    let mut cache = ReplayCache::new(10);
    let first = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(first.code, VerdictCode::Valid);
    assert_eq!(first.checked.last(), Some(&Check::SingleUse));

    // Ten seconds later the same code comes again, and then one that the phone has refreshed.
    scan.at(25);
    let second = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(second.code, VerdictCode::CodeReplayed);
    assert!(second.document.is_some_and(|document| document.claims.is_empty()));
    scan.terms.nonce = [4; 8];
    let fresh = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(fresh.code, VerdictCode::Valid);
    assert_eq!(cache.len(), 2);

    // When the codes are over, they are forgotten.
    scan.at(400);
    scan.terms.issued_secs += 400;
    cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(cache.len(), 1);
}

#[test]
fn v18_a_scan_that_failed_can_be_repeated() {
    let mut scan = Scan::standard();
    let mut cache = ReplayCache::new(10);
    scan.withheld = Box::new(|_| true);
    let failed = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(failed.code, VerdictCode::LedgerUnreachable);
    scan.withheld = Box::new(|_| false);
    assert_eq!(cache.admit(scan.verdict(), &scan.code(), &scan.context).code, VerdictCode::Valid);
}

#[test]
fn v18_a_full_cache_does_not_pass_what_it_cannot_remember() {
    let mut scan = Scan::standard();
    let mut cache = ReplayCache::new(1);
    assert_eq!(cache.admit(scan.verdict(), &scan.code(), &scan.context).code, VerdictCode::Valid);
    scan.terms.nonce = [4; 8];
    let verdict = cache.admit(scan.verdict(), &scan.code(), &scan.context);
    assert_eq!(verdict.answer, Answer::Undecided);
}

#[test]
fn without_a_ledger_the_best_answer_is_undecided() {
    let judge = |scan: &Scan| {
        let code = Code::parse(&scan.code().to_text()).expect("a code");
        verify_without_ledger(&code, &scan.context, "no gateway answers").code
    };
    let mut scan = Scan::standard();
    assert_eq!(judge(&scan), VerdictCode::LedgerUnreachable);
    scan.at(500);
    assert_eq!(judge(&scan), VerdictCode::CodeExpired);
}
