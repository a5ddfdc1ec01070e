//! Typed identifiers: what is recorded about a document, and never more.

use fengni_core::Millis;
use fengni_core::id::CertificateId;
use fengni_core::standing::{ActKind, Hold, Standing, State};
use fengni_core::verdict::{Answer, Detail, Verdict, VerdictCode};
use fengni_core::verify::verify_identifier;

use crate::sample::C2;
use crate::scan::Scan;
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
    // A lost phone says nothing about the document.
    assert_eq!(
        recorded(|s| s.world.set(s.file.place, Standing { key_blocked: true, ..Standing::ACTIVE }, vec![])),
        None
    );
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
