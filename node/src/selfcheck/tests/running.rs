//! A running node looks at its store beside its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Column, Depth, Edit, Kept, alter, book, first, named, open};
use crate::ledger::OpenError;
use crate::ledger::tests::decide;
use crate::selfcheck::{CheckError, Checking, Checks, Look, RUN_AT_START, Report, check_stopped, look};

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
fn n28_damage_that_no_start_looks_for_is_known_to_every_start_until_a_check_finds_none() {
    let kept = Kept::new();
    let check = |mend| check_stopped(&kept.store(), kept.genesis.domain(), &kept.founding, mend, &mut |_| ());
    let refused = |next: &str| {
        let said = kept.start(&kept.folder()).map(drop).expect_err("it is known").to_string();
        assert!(said.contains("lines, book 0, line 1023: ") && said.contains(next), "{said}");
    };
    // Found beside a running node, in a full page.
    let ledger = Arc::new(kept.start(&kept.folder()).expect("a sound store"));
    let right = alter(ledger.store(), Column::Lines, &book(0), &Edit::Flip(0));
    let checks = Checks::new(ledger.clone(), kept.founding.clone(), kept.home.path());
    checks.begin().expect("there are blocks");
    done(&checks);
    drop(checks);
    drop(Arc::into_inner(ledger).expect("no check is under way"));
    refused("next: stop the node, then move data/store away");
    // A mark that was torn is one.
    std::fs::write(kept.folder().join("damaged"), "").expect("a disk");
    assert!(matches!(kept.start(&kept.folder()), Err(OpenError::Known(_))));
    // Found in a stopped node's, which cannot be mended.
    assert!(!check(true).expect("a disk").is_sound());
    refused("next: stop the node, then move data/store away");
    // A store that takes its place is another.
    let aside = kept.home.path().join("aside");
    std::fs::rename(kept.folder(), &aside).expect("one disk");
    assert_eq!(kept.store().known_damage(), None);
    std::fs::remove_dir_all(kept.folder()).and_then(|()| std::fs::rename(&aside, kept.folder())).expect("one disk");
    refused("next: ");
    // It is right again, and a check says so.
    kept.store().mend(&[right]).expect("a disk");
    refused("next: ");
    assert!(check(false).expect("a disk").is_sound());
    drop(kept.start(&kept.folder()).expect("a sound store"));
    // An index that is made again is sound.
    let key = first(&kept.store(), Column::Tags).0;
    alter(&kept.store(), Column::Tags, &key, &Edit::Remove);
    assert!(check(false).expect("a disk").mendable);
    let said = kept.start(&kept.folder()).map(drop).expect_err("it is known").to_string();
    assert!(said.contains("tags, ") && said.contains("check --store --repair"), "{said}");
    assert!(check(true).expect("a disk").mendable);
    drop(kept.start(&kept.folder()).expect("a sound store"));
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
