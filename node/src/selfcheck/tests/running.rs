//! A running node looks at its store beside its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Column, Depth, Edit, Kept, alter, book, named, open};
use crate::ledger::tests::decide;
use crate::selfcheck::{CheckError, Checking, Checks, Look, RUN_AT_START, Report, look};

fn done(checks: &Checks) -> Report {
    ended(checks).expect("it comes to its end")
}

/// What it found, or why it could not be done.
fn ended(checks: &Checks) -> Result<Report, String> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match checks.now() {
            Checking::Done { report } => return Ok(report),
            Checking::Failed { reason } => return Err(reason),
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

#[test]
fn aud04_a_check_that_ends_early_leaves_no_copy_and_keeps_nobody_from_the_next() {
    let kept = Kept::new();
    let copy = kept.home.path().join("checking");
    let ledger = Arc::new(open(&kept.folder(), &kept.genesis, &kept.founding));
    // A crash has left a copy: the next start removes it.
    ledger.store().copy_to(&copy).expect("one disk");
    let checks = Checks::new(ledger.clone(), kept.founding.clone(), kept.home.path());
    assert!(!copy.exists());
    // The node stops meanwhile: the thread ends, and the store is nobody's.
    checks.begin().expect("there are blocks");
    drop(checks);
    assert!(!copy.exists());
    assert_eq!((Arc::strong_count(&ledger), ledger.damage()), (1, None));
    // It meets what it panics at: a founding that was never checked.
    let mut founding = kept.founding.clone();
    founding.members.clear();
    let checks = Checks::new(ledger, founding, kept.home.path());
    for _ in 0..2 {
        checks.begin().expect("none is under way");
        let reason = ended(&checks).expect_err("a panic");
        assert!(reason.contains("broke off; next: "), "{reason}");
        assert!(!copy.exists());
    }
}

#[test]
fn aud04_beside_a_nodes_work_a_long_chain_is_not_run_again() {
    let kept = Kept::new();
    let store = kept.store();
    alter(&store, Column::Acts, &book(0), &Edit::Flip(45));
    let found = |runs| {
        let mut tell = |_| ();
        let begun = Look::new(&store, kept.genesis.domain(), &kept.founding, Depth::Beside, &mut tell);
        named(&look(Look { runs, ..begun }).0)
    };
    assert_eq!(found(8), ["acts, book 0, act 0"]);
    assert_eq!(found(7), ["acts, book 0, one or more"]);
    assert_eq!((Depth::Beside.runs(), Depth::Whole.runs()), (RUN_AT_START, u64::MAX));
}
