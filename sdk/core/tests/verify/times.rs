//! Boundaries in time: a code's minutes, a header's seconds, a certificate's last day.

use fengni_core::Millis;
use fengni_core::assurance::Assurance::RealPerson;
use fengni_core::certificate::PagePath;
use fengni_core::proof::Place;
use fengni_core::standing::{Hold, Standing};
use fengni_core::verdict::VerdictCode::{self, *};
use fengni_core::verify::Mode;

use crate::sample::{SERVICE_SEED, day};
use crate::scan::Scan;
use crate::world::*;

#[test]
fn v6_a_code_holds_two_minutes_and_the_skew() {
    let at = |millis: u64| {
        let mut scan = Scan::standard();
        scan.context.now = Millis(SHOWN_SECS * 1000 - 60_000 + millis);
        scan.world.time = scan.context.now;
        scan.verdict().code
    };
    let cases: [(u64, VerdictCode); 9] = [
        (20_000, CodeNotYetValid),
        (29_999, CodeNotYetValid),
        (30_000, Valid),
        (60_000, Valid),
        (179_000, Valid),
        (181_000, Valid),
        (210_000, Valid),
        (210_001, CodeExpired),
        (211_000, CodeExpired),
    ];
    for (millis, code) in cases {
        assert_eq!(at(millis), code, "{} s after issue", millis as f64 / 1000.0 - 60.0);
    }
}

#[test]
fn v7_a_header_counts_for_online_age_and_the_skew() {
    let aged = |millis: u64| {
        let mut scan = Scan::standard();
        scan.world.time = Millis(scan.context.now.0 - millis);
        scan.verdict().code
    };
    assert_eq!((aged(0), aged(45_000), aged(45_001)), (Valid, Valid, StatusStale));
    // A clock far behind the ledger's cannot tell what is current.
    let mut scan = Scan::standard();
    scan.world.time = Millis(scan.context.now.0 + 30_000);
    assert_eq!(scan.verdict().code, Valid);
    scan.world.time = Millis(scan.context.now.0 + 30_001);
    assert_eq!(scan.verdict().code, StatusStale);
}

#[test]
fn v7_offline_the_type_says_how_old_a_standing_may_be() {
    let offline = |age_secs: u64, clause: &dyn Fn(&mut Scan)| {
        let mut scan = Scan::standard();
        scan.context.mode = Mode::Offline;
        scan.world.time = Millis(scan.context.now.0 - age_secs * 1000);
        // A device keeps registries and pages, neither lines nor seals.
        scan.withheld = Box::new(|place| matches!(place, Place::Line(..) | Place::Seal(..)));
        clause(&mut scan);
        scan.verdict().code
    };
    assert_eq!(offline(3 * 3600, &|_| ()), ValidOffline);
    assert_eq!(offline(86_400, &|_| ()), ValidOffline);
    assert_eq!(offline(25 * 3600, &|_| ()), StatusStale);
    assert_eq!(
        offline(60, &|scan| scan.world.set(scan.file.place, Standing::ACTIVE, vec![Hold { by: PSB, until: None }])),
        Suspended
    );
    assert_eq!(offline(60, &|scan| scan.world.suspend(scan.file.place, 0, 1000)), IssuerKeyRevoked);
    // Without a path that leads to the page the device knows, nothing can be said.
    assert_eq!(offline(60, &|scan| scan.file.path = PagePath::UNKNOWN), LedgerUnreachable);
    assert_eq!(offline(60, &|scan| scan.file.path.hashes[0].0[0] ^= 1), LedgerUnreachable);
    assert_eq!(offline(60, &|scan| scan.file.path.lines = 1000), LedgerUnreachable);
}

#[test]
fn v24_an_assertion_holds_for_its_time_and_the_skew() {
    let at = |plus_secs: i64| {
        let mut scan = Scan::standard();
        let now_secs = scan.context.now.secs();
        let begins = now_secs.checked_add_signed(-plus_secs).expect("a time");
        scan.vouched_with(RealPerson, SERVICE_SEED, |said| said.time_secs = begins);
        scan.context.min_assurance = Some(RealPerson);
        scan.verdict().code
    };
    assert_eq!((at(-31), at(-30), at(0)), (AssuranceTooLow, Valid, Valid));
    assert_eq!((at(1800), at(1830), at(1831)), (Valid, Valid, AssuranceTooLow));
}

#[test]
fn v13_a_certificate_ends_with_its_last_day_in_china() {
    let at = |secs: u64| {
        let mut scan = Scan::standard();
        scan.reissue(|facts| facts.until = Some(day("2026-04-05")));
        // 2026-04-05T23:59:59+08:00
        let last = u64::from(day("2026-04-05").0) * 86_400 + 86_399 - 8 * 3600;
        scan.terms.issued_secs = last + secs;
        scan.context.now = Millis::from_secs(last + secs);
        scan.world.time = scan.context.now;
        scan.verdict().code
    };
    assert_eq!((at(0), at(1)), (Valid, Expired));
}

#[test]
fn v12_a_suspension_ends_at_its_moment() {
    let mut scan = Scan::standard();
    let now = scan.context.now;
    let hold = |until: u64| vec![Hold { by: PSB, until: Some(Millis(until)) }];
    scan.world.set(scan.file.place, Standing::ACTIVE, hold(now.0 + 1));
    assert_eq!(scan.verdict().code, Suspended);
    scan.world.set(scan.file.place, Standing::ACTIVE, hold(now.0));
    assert_eq!(scan.verdict().code, Valid);
}
