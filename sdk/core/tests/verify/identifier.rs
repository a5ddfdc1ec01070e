//! Typed identifiers: what is recorded about a document, and never more.

use fengni_core::Millis;
use fengni_core::code::{Code, StaticCode};
use fengni_core::id::CertificateId;
use fengni_core::proof::Place;
use fengni_core::standing::{ActKind, Hold, Standing, State};
use fengni_core::verdict::{Answer, Detail, Display, Verdict, VerdictCode};
use fengni_core::verify::{Mode, verify_identifier, verify_static};
use proptest::prelude::*;

use crate::sample::C2;
use crate::scan::Scan;
use crate::story::STORIES;
use crate::world::*;

fn typed(scan: &Scan) -> Verdict {
    verify_identifier(&scan.identifier(), Some((scan.file.place, &scan.proven(scan.file.place))), &scan.context)
}

#[test]
fn v19_a_typed_identifier_gives_what_is_recorded() {
    let recorded = |change: fn(&mut Scan)| {
        let mut scan = Scan::standard();
        change(&mut scan);
        let verdict = typed(&scan);
        assert_eq!((verdict.code, verdict.answer), (VerdictCode::DocumentStatusOnly, Answer::Undecided));
        match verdict.detail {
            Some(Detail::Recorded { standing, .. }) => standing,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(recorded(|_| ()), None);
    assert_eq!(recorded(|s| s.world.state(s.file.place, State::Revoked)), Some(VerdictCode::Revoked));
    assert_eq!(
        recorded(|s| s.world.set(s.file.place, Standing::ACTIVE, vec![Hold { by: PSB, until: None }])),
        Some(VerdictCode::Suspended)
    );
    assert_eq!(
        recorded(|s| s.world.succeed(s.file.place, ActKind::Renew, State::Superseded, s.second.place)),
        Some(VerdictCode::Superseded)
    );
    // What a stolen key sealed is that first, whatever was done to it afterwards.
    let stolen = |s: &mut Scan| {
        s.world.state(s.file.place, State::Revoked);
        s.world.suspend(s.file.place, 0, 1000);
    };
    assert_eq!(recorded(stolen), Some(VerdictCode::IssuerKeyRevoked));
    // A lost phone says nothing about the document.
    assert_eq!(
        recorded(|s| s.world.set(s.file.place, Standing { key_blocked: true, ..Standing::ACTIVE }, vec![])),
        None
    );
}

fn printed(scan: &Scan) -> StaticCode {
    let mut file = scan.file.clone();
    file.path = scan.world.path(file.place);
    StaticCode::of(&scan.context.domain, &file)
}

/// Whatever is wrong or right with a certificate, its paper proves nobody's presence.
#[test]
fn v22_no_story_makes_a_static_code_valid() {
    for (story, change, _) in STORIES {
        for (mode, line_is_proven) in [(Mode::Online, true), (Mode::Offline, true), (Mode::Offline, false)] {
            let mut scan = Scan::standard();
            change(&mut scan);
            scan.context.mode = mode;
            if !line_is_proven {
                scan.withheld = Box::new(|place| matches!(place, Place::Line(..)));
            }
            let proven = scan.proven(scan.file.place);
            let verdict = verify_static(&printed(&scan), Some((scan.file.place, &proven)), &scan.context);
            assert_eq!(verdict.answer, Answer::Undecided, "{story}");
            assert_eq!(verdict.display, Display::Abnormal, "{story}");
            assert!(verdict.document.is_none_or(|document| document.claims.is_empty()), "{story}");
        }
    }
}

#[test]
fn v22_a_static_code_gives_what_is_recorded_online_and_offline() {
    for line_is_proven in [true, false] {
        let mut scan = Scan::standard();
        scan.context.mode = Mode::Offline;
        scan.world.set(scan.file.place, Standing::ACTIVE, vec![Hold { by: PSB, until: None }]);
        if !line_is_proven {
            scan.withheld = Box::new(|place| matches!(place, Place::Line(..)));
        }
        let proven = scan.proven(scan.file.place);
        let judge = |code: &StaticCode| verify_static(code, Some((scan.file.place, &proven)), &scan.context);
        let verdict = judge(&printed(&scan));
        assert_eq!(verdict.code, VerdictCode::DocumentStatusOnly, "{}", verdict.reason.en);
        let suspended = Some(VerdictCode::Suspended);
        assert!(matches!(verdict.detail, Some(Detail::Recorded { standing, .. }) if standing == suspended));
        // Another document's identifier on this one's place is no answer about either.
        let mut other = printed(&scan);
        other.identifier = CertificateId::parse(C2).expect("an identifier");
        assert_ne!(judge(&other).code, VerdictCode::DocumentStatusOnly);
        let mut moved = printed(&scan);
        moved.path.hashes[3].0[0] ^= 1;
        assert_eq!(judge(&moved).code == VerdictCode::DocumentStatusOnly, line_is_proven);
    }
    let scan = Scan::standard();
    let nothing = verify_static(&printed(&scan), None, &scan.context);
    assert_eq!((nothing.code, nothing.answer), (VerdictCode::UnknownCert, Answer::Undecided));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A static code altered anywhere, or made up, is never valid, and never taken for a person's.
    #[test]
    fn v22_no_altered_static_code_is_valid(at in 0usize..4096, bit in 0u8..8, class in any::<bool>()) {
        let scan = Scan::standard();
        let proven = scan.proven(scan.file.place);
        let mut bytes = printed(&scan).encode();
        let place = at % bytes.len();
        bytes[place] ^= 1 << bit;
        if class {
            bytes[2] = 0;
        }
        prop_assert!(Code::decode(&bytes).is_err());
        if let Ok(code) = StaticCode::decode(&bytes) {
            let verdict = verify_static(&code, Some((scan.file.place, &proven)), &scan.context);
            prop_assert_eq!(verdict.answer, Answer::Undecided);
        }
    }
}

#[test]
fn v19_what_is_not_found_is_undecided() {
    let scan = Scan::standard();
    let nothing = verify_identifier(&scan.identifier(), None, &scan.context);
    assert_eq!((nothing.code, nothing.answer), (VerdictCode::UnknownCert, Answer::Undecided));

    // A gateway that points to another line has found nothing either.
    let other = CertificateId::parse(C2).expect("an identifier");
    let wrong = verify_identifier(&other, Some((scan.file.place, &scan.proven(scan.file.place))), &scan.context);
    assert_eq!((wrong.code, wrong.answer), (VerdictCode::UnknownCert, Answer::Undecided));
}

#[test]
fn v19_an_old_state_says_nothing_about_now() {
    let mut scan = Scan::standard();
    scan.world.time = Millis(scan.context.now.0 - 46_000);
    assert_eq!(typed(&scan).code, VerdictCode::StatusStale);
}
