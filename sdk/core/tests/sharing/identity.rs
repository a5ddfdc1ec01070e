//! Identities and grant lines by a proven state. Rules I-2 and I-10.

use fengni_core::book::FormerKeeper;
use fengni_core::certificate::CertificateFile;
use fengni_core::code::CodeError;
use fengni_core::record::{Code, CodeSet, DataSubject, HolderKind};
use fengni_core::sharing::*;
use fengni_core::standing::{Hold, Standing, State};
use fengni_core::*;

use crate::common::domain;
use crate::sample::{C1, day, filler};
use crate::scene::*;
use crate::world::{LICENCES, World};

fn open(world: &World, file: &CertificateFile, now: Millis) -> Result<Person, IdentityError> {
    let proven = world.prove(&[file.place]).verify(&domain(), &world.validators()).expect("a proof");
    Identity::of(&domain(), file, &[NUMBER]).expect("the file has the claim").open(
        &domain(),
        &proven,
        Some(&naming()),
        now,
    )
}

/// One thing about the register or the day, and whether the identity still says whom it is of.
type Case = (&'static str, fn(&mut World, LinePlace, &mut Millis), Result<(), IdentityError>);

const CASES: [Case; 11] = [
    ("in force", |_, _, _| (), Ok(())),
    ("disputed", |world, at, _| world.set(at, Standing { disputed: true, ..Standing::ACTIVE }, vec![]), Ok(())),
    ("a hold that has ended", |world, at, _| hold(world, at, Some(NOW)), Ok(())),
    ("held", |world, at, _| hold(world, at, None), Err(IdentityError::NotInForce)),
    ("a lost phone", |world, at, _| world.set(at, Standing { key_blocked: true, ..Standing::ACTIVE }, vec![]), {
        Err(IdentityError::NotInForce)
    }),
    ("another phone's line", |world, at, _| world.state(at, State::Rekeyed), Err(IdentityError::NotInForce)),
    ("cancelled", |world, at, _| world.state(at, State::Cancelled), Err(IdentityError::NotInForce)),
    ("suspended with others", |world, at, _| world.suspend(at, 0, 9), Err(IdentityError::NotInForce)),
    ("before its first day", |_, _, now| *now = at_noon("2026-03-01"), Err(IdentityError::NotInForce)),
    ("on its last day", |_, _, now| *now = at_noon("2036-03-01"), Ok(())),
    ("after its last day", |_, _, now| *now = at_noon("2036-03-02"), Err(IdentityError::NotInForce)),
];

fn hold(world: &mut World, at: LinePlace, until: Option<Millis>) {
    world.set(at, Standing::ACTIVE, vec![Hold { by: MemberNumber(1), until }]);
}

fn at_noon(text: &str) -> Millis {
    Millis::from_secs(u64::from(day(text).0) * 86_400 + 4 * 3_600)
}

#[test]
fn i2_an_identity_is_of_whom_its_certificate_is_while_it_is_in_force() {
    for (name, change, expected) in CASES {
        let ((mut world, file), mut now) = (register(), NOW);
        change(&mut world, file.place, &mut now);
        assert_eq!(open(&world, &file, now).map(drop), expected, "{name}");
    }
}

#[test]
fn i2_another_line_is_nobodys() {
    let (world, file) = register();
    let elsewhere = |book: u32, line: u64| {
        let place = LinePlace { book: BookNumber(book), line: LineNumber(line) };
        open(&world, &CertificateFile { place, ..file.clone() }, NOW).map(drop)
    };
    for (book, line) in [(0, 4), (0, 6), (0, u64::MAX), (2, 0), (9, 0), (u32::MAX, 0)] {
        assert_eq!(elsewhere(book, line), Err(IdentityError::OtherLine), "{book} {line}");
    }
    assert_eq!(elsewhere(0, 5), Ok(()));
    // What a gateway leaves out is no statement about anybody.
    let bare = world.prove(&[]).verify(&domain(), &world.validators()).expect("a proof");
    let identity = Identity::of(&domain(), &file, &[NUMBER]).expect("the file has the claim");
    assert!(matches!(identity.open(&domain(), &bare, Some(&naming()), NOW), Err(IdentityError::Unproven(_))));
}

#[test]
fn i2_a_subject_is_who_or_what_the_certificate_names() {
    let person = person();
    let certificate = |number| DataSubject::Certificate { certificate_type: TypeNumber(number) };
    let cases = [
        (DataSubject::Person, SUBJECT, true),
        (DataSubject::Person, "319901198511230041", false),
        (DataSubject::Person, C1, false),
        (DataSubject::Body, SUBJECT, false),
        (certificate(0), C1, true),
        (certificate(0), SUBJECT, false),
        (certificate(1), C1, false),
    ];
    for (kind, subject, expected) in cases {
        assert_eq!(person.is(kind, &value(subject)), expected, "{kind:?}");
    }
    let body = Person { kind: HolderKind::Body, ..person };
    assert!(body.is(DataSubject::Body, &value(SUBJECT)) && !body.is(DataSubject::Person, &value(SUBJECT)));
}

#[test]
fn i2_only_what_was_disclosed_names_anybody() {
    let (world, file) = register();
    let proven = world.prove(&[file.place]).verify(&domain(), &world.validators()).expect("a proof");
    let identity = Identity::of(&domain(), &file, &[0, 1]).expect("the file has the claims");
    let person = identity.open(&domain(), &proven, Some(&naming()), NOW).expect("in force");
    assert!(!person.is(DataSubject::Person, &value(SUBJECT)));
    // Where nothing says which claim names the holder, or another one does, the number is anybody's: a spouse's,
    // a parent's.
    let identity = Identity::of(&domain(), &file, &[NUMBER]).expect("the file has the claim");
    let other = CodeSet { codes: vec![naming_code("姓名")], ..naming() };
    let elsewhere =
        CodeSet { codes: vec![Code { code: "11100000XN00000473002".into(), ..naming_code("证号") }], ..naming() };
    for codes in [None, Some(&other), Some(&elsewhere)] {
        let person = identity.open(&domain(), &proven, codes, NOW).expect("in force");
        assert!(!person.is(DataSubject::Person, &value(SUBJECT)) && person.named.is_none());
    }
    let fields = file.certificate.claims().len() as u16;
    for wrong in [&[][..], &[1, 0], &[1, 1], &[fields]] {
        assert!(matches!(Identity::of(&domain(), &file, wrong), Err(CodeError::Disclose { .. })), "{wrong:?}");
    }
}

#[test]
fn i10_a_grants_line_is_one_of_a_book_of_grants() {
    let (mut world, file) = register();
    let place = LinePlace { book: GRANTS, line: LineNumber(1) };
    let load = |world: &World, place| {
        let proven = world.prove(&[place]).verify(&domain(), &world.validators()).expect("a proof");
        GrantLine::load(&proven, place, NOW).expect("proven")
    };
    let line = filler(&domain(), 2)[1];
    assert_eq!(load(&world, place), Some(GrantLine { line, opener: YHR, is_withdrawn: false, is_suspended: false }));
    let beyond = LinePlace { line: LineNumber(2), ..place };
    for other in [file.place, beyond, LinePlace { book: BookNumber(9), ..place }, LinePlace { book: LICENCES, ..place }]
    {
        assert_eq!(load(&world, other), None, "{other}");
    }
    // Of a book of grants, whatever is not active was withdrawn.
    world.state(place, State::Cancelled);
    assert!(load(&world, place).is_some_and(|line| line.is_withdrawn && !line.is_suspended));
    // Whoever keeps the book by now, it was opened by the same member.
    let former = FormerKeeper { member: YHR, until: Height(1200), lines: 2 };
    let record = &mut world.books[GRANTS.0 as usize].record;
    (record.keeper, record.former) = (MemberNumber(3), vec![former]);
    assert!(load(&world, place).is_some_and(|line| line.opener == YHR));
    world.set(place, Standing::ACTIVE, vec![]);
    world.suspend(place, 0, 1);
    assert!(load(&world, place).is_some_and(|line| !line.is_withdrawn && line.is_suspended));
    let bare = world.prove(&[]).verify(&domain(), &world.validators()).expect("a proof");
    assert!(GrantLine::load(&bare, place, NOW).is_err());
}
