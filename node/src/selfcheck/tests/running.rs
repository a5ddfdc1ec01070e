//! A running node looks at its store beside its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Column, Edit, Kept, alter, book, open};
use crate::ledger::tests::decide;
use crate::selfcheck::{CheckError, Checking, Checks, Report};

fn done(checks: &Checks) -> Report {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match checks.now() {
            Checking::Done { report } => return report,
            Checking::Running { .. } if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
            other => panic!("it is under way until it is done: {other:?}"),
        }
    }
}

#[test]
fn aud04_a_running_ledger_is_examined_and_serves_nothing_once_it_is_damaged() {
    let kept = Kept::new();
    let ledger = Arc::new(open(&kept.folder(), &kept.genesis, &kept.founding));
    let checks = Checks::new(ledger.clone(), kept.founding.clone(), kept.home.path());
    assert_eq!(checks.now(), Checking::Never);
    checks.begin().expect("there are blocks");
    decide(&ledger);
    let report = done(&checks);
    assert!(report.is_sound() && report.entries > 1000, "{report:?}");
    assert_eq!(ledger.damage(), None);
    assert!(!kept.home.path().join("checking").exists(), "the copy is gone");

    alter(ledger.store(), Column::Lines, &book(0), &Edit::Flip(0));
    checks.begin().expect("the one before is done");
    let report = done(&checks);
    assert_eq!(report.damage.len(), 1);
    let said = ledger.damage().expect("it is noted").to_owned();
    assert!(said.starts_with("lines, book 0, line 1023: ") && said.contains("next: "), "{said}");
    assert!(matches!(checks.begin(), Ok(()) | Err(CheckError::Busy)));
    done(&checks);
}
