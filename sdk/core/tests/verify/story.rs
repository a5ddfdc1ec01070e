//! One table: what is wrong, and the one answer it gets.

use fengni_core::assurance::Assurance::{RealName, RealPerson};
use fengni_core::book::FormerKeeper;
use fengni_core::certificate::{ClaimValue, Grade};
use fengni_core::id::{CreditCode, Serial, Version};
use fengni_core::keys::{KeyAlgorithm, Signature};
use fengni_core::proof::Place;
use fengni_core::record::{AgreementStatus, MemberStatus, Role, Roles};
use fengni_core::shelf::Shelf;
use fengni_core::standing::{ActKind, Hold, Standing, State};
use fengni_core::verdict::{
    AgreementFault, Answer, AssuranceFault, Assured, AuthorityFault, Body, Check, Detail, Display, Evidence,
    HolderFault, LineFault, VerdictCode,
};
use fengni_core::{BookNumber, Digest, Height, KeyNumber, LineNumber, LinePlace, MemberNumber, Millis, OrderNumber};

use crate::sample::{SERVICE_SEED, day, key};
use crate::scan::Scan;
use crate::world::*;

fn value(text: &str) -> Option<ClaimValue> {
    Some(ClaimValue::new(text).expect("short text"))
}

/// The P-256 signature that also verifies, with the other root.
fn high_s_twin(signature: &Signature) -> Signature {
    let low = p256::ecdsa::Signature::from_slice(&signature.raw()).expect("a signature");
    let (r, s) = low.split_scalars();
    let high = p256::ecdsa::Signature::from_scalars(r, -s).expect("scalars");
    Signature::new(KeyAlgorithm::P256, &high.to_bytes()).expect("64 bytes")
}

pub type Change = fn(&mut Scan);

pub const STORIES: &[(&str, Change, VerdictCode)] = &[
    ("nothing is wrong", |_| (), VerdictCode::Valid),
    ("a business licence for opening a branch", |s| s.business(), VerdictCode::Valid),
    // What is shown.
    (
        "one claim changed",
        |s| s.tampered(|_, code| code.shown.disclosed[0].value = value("A1")),
        VerdictCode::ContentMismatch,
    ),
    (
        "one claim changed, and signed by the holder",
        |s| {
            s.tampered(|s, code| {
                code.shown.disclosed[0].value = value("A1");
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::ContentMismatch,
    ),
    (
        "one salt changed",
        |s| s.tampered(|_, code| code.shown.disclosed[1].salt.0[0] ^= 1),
        VerdictCode::ContentMismatch,
    ),
    (
        "a claim passed off as another field",
        |s| s.tampered(|_, code| code.shown.disclosed[1].index = 2),
        VerdictCode::Malformed,
    ),
    ("the last day moved", |s| s.tampered(|_, code| code.shown.facts.until = None), VerdictCode::ContentMismatch),
    (
        "the trust grade raised",
        |s| {
            s.reissue(|facts| facts.grade = Grade::C);
            s.tampered(|s, code| {
                code.shown.facts.grade = Grade::A;
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::ContentMismatch,
    ),
    (
        "another phone's key in the header, which signs",
        |s| {
            s.tampered(|s, code| {
                let thief = key(KeyAlgorithm::P256, 66);
                code.shown.facts.holder = thief.public();
                s.sign(code, &thief);
            });
        },
        VerdictCode::ContentMismatch,
    ),
    (
        "an invented certificate, at the line of another",
        |s| {
            s.tampered(|s, code| {
                code.shown.facts.serial = Serial::parse("20260302000000000666").expect("a serial");
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::UnknownCert,
    ),
    (
        "a later version that was never issued",
        |s| {
            s.tampered(|s, code| {
                code.shown.facts.version = Version::new(2).expect("a version");
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::UnknownCert,
    ),
    (
        "the line of another certificate",
        |s| s.tampered(|_, code| code.shown.place.line.0 += 1),
        VerdictCode::UnknownCert,
    ),
    (
        "a line beyond the book",
        |s| {
            s.tampered(|s, code| {
                code.shown.place.line = LineNumber(100_000);
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::UnknownCert,
    ),
    (
        "the book of another department",
        |s| {
            s.tampered(|s, code| {
                code.shown.place = LinePlace { book: BUSINESSES, line: LineNumber(0) };
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::UnknownCert,
    ),
    ("siblings left out", |s| s.tampered(|_, code| code.shown.siblings.truncate(1)), VerdictCode::Malformed),
    // Who shows it.
    (
        "signed by another phone",
        |s| s.tampered(|s, code| s.sign(code, &key(KeyAlgorithm::P256, 66))),
        VerdictCode::HolderProofInvalid,
    ),
    (
        "the high-s twin of the signature",
        |s| s.tampered(|_, code| code.signature = high_s_twin(&code.signature)),
        VerdictCode::HolderProofInvalid,
    ),
    (
        "the signature moved to other claims",
        |s| {
            s.tampered(|s, code| {
                let narrow = fengni_core::code::Code::show(&s.context.domain, &s.file, &s.phone, &[0], true, s.terms);
                code.signature = narrow.expect("a code").signature;
            });
        },
        VerdictCode::HolderProofInvalid,
    ),
    (
        "the signature moved to another certificate",
        |s| {
            s.tampered(|s, code| {
                let other =
                    fengni_core::code::Code::show(&s.context.domain, &s.second, &s.phone, &[0, 1], true, s.terms);
                code.signature = other.expect("a code").signature;
            });
        },
        VerdictCode::HolderProofInvalid,
    ),
    (
        "the path altered",
        |s| s.tampered(|_, code| code.shown.path.hashes[3] = Digest([0; 32])),
        VerdictCode::HolderProofInvalid,
    ),
    ("the purpose rewritten", |s| s.tampered(|_, code| code.terms.purpose = OPENING), VerdictCode::HolderProofInvalid),
    (
        "a code for another verifier's challenge",
        |s| s.terms.challenge = Some(Digest([8; 32])),
        VerdictCode::HolderProofInvalid,
    ),
    (
        "a code that leaves out the challenge",
        |s| s.context.challenge = Some(Digest([8; 32])),
        VerdictCode::HolderProofInvalid,
    ),
    (
        "a lost phone",
        |s| s.world.set(s.file.place, Standing { key_blocked: true, ..Standing::ACTIVE }, vec![]),
        VerdictCode::HolderProofInvalid,
    ),
    // When.
    ("a photograph, shown three minutes later", |s| s.at(190), VerdictCode::CodeExpired),
    ("a clock 40 seconds behind", |s| s.context.now = Millis::from_secs(SHOWN_SECS - 40), VerdictCode::CodeNotYetValid),
    (
        "a code that claims five minutes where the type allows two",
        |s| s.terms.lifetime_secs = 300,
        VerdictCode::Malformed,
    ),
    (
        "a frozen gateway that replays an old proof",
        |s| s.world.time = Millis::from_secs(SHOWN_SECS - 31),
        VerdictCode::StatusStale,
    ),
    (
        "a frozen gateway from before the certificate was issued",
        |s| {
            s.world.time = Millis::from_secs(SHOWN_SECS - 86_400);
            s.tampered(|s, code| {
                code.shown.place.line = LineNumber(100_000);
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::StatusStale,
    ),
    ("a checkpoint of last month", |s| s.context.checkpoint_age_secs = 30 * 86_400, VerdictCode::StatusStale),
    // Who issued it.
    (
        "an authority for another type",
        |s| s.world.authorities[0].certificate_type.0 = 1,
        VerdictCode::IssuerNotAuthorised,
    ),
    (
        "an authority for another region",
        |s| s.world.authorities[0].division = s.world.members[3].division,
        VerdictCode::IssuerNotAuthorised,
    ),
    (
        "an authority that ended before the day of issue",
        |s| s.world.authorities[0].until = day("2026-03-01"),
        VerdictCode::IssuerNotAuthorised,
    ),
    ("a suspended authority", |s| s.world.authorities[0].suspended = Some(GOV), VerdictCode::IssuerNotAuthorised),
    ("no authority at all", |s| s.world.members[1].authorities.clear(), VerdictCode::IssuerNotAuthorised),
    (
        "a keeper with another code than the book's issuer",
        |s| s.world.members[1].code = CreditCode::parse("12319900XN0100064T").expect("a code"),
        VerdictCode::IssuerNotAuthorised,
    ),
    (
        "a key that was revoked from before the seal, with what it sealed",
        |s| {
            s.world.members[1].keys[0].until = Some(Height(1200));
            s.world.suspend(s.file.place, 0, 1000);
        },
        VerdictCode::IssuerKeyRevoked,
    ),
    (
        "a key that was revoked from before the seal, and a line that its keeper has confirmed since",
        |s| s.world.members[1].keys[0].until = Some(Height(1200)),
        VerdictCode::Valid,
    ),
    (
        "among lines that an order suspends",
        |s| s.world.order(s.file.place, s.file.place.line.0, s.file.place.line.0),
        VerdictCode::Suspended,
    ),
    (
        "beside lines that an order suspends",
        |s| s.world.order(s.file.place, s.file.place.line.0 + 1, 1000),
        VerdictCode::Valid,
    ),
    (
        "suspended by an order, and with a key",
        |s| {
            s.world.order(s.file.place, 0, 1000);
            s.world.suspend(s.file.place, 0, 1000);
        },
        VerdictCode::IssuerKeyRevoked,
    ),
    (
        "a key that was retired after the seal",
        |s| s.world.members[1].keys[0].until = Some(Height(1250)),
        VerdictCode::Valid,
    ),
    (
        "among lines that are suspended with a key",
        |s| s.world.suspend(s.file.place, s.file.place.line.0, s.file.place.line.0 + 9),
        VerdictCode::IssuerKeyRevoked,
    ),
    (
        "the last of the lines that are suspended with a key, and annulled",
        |s| {
            s.world.state(s.file.place, State::Annulled);
            s.world.suspend(s.file.place, 0, s.file.place.line.0);
        },
        VerdictCode::IssuerKeyRevoked,
    ),
    (
        "between lines that are suspended with a key",
        |s| {
            s.world.suspend(s.file.place, 0, s.file.place.line.0 - 1);
            s.world.suspend(s.file.place, s.file.place.line.0 + 1, s.file.place.line.0 + 1);
        },
        VerdictCode::Valid,
    ),
    ("a schema the type does not have", |s| s.reissue(|facts| facts.schema = 2), VerdictCode::ContentMismatch),
    // Where it stands.
    (
        "suspended by its keeper",
        |s| s.world.set(s.file.place, Standing::ACTIVE, vec![Hold { by: PSB, until: None }]),
        VerdictCode::Suspended,
    ),
    (
        "a suspension that ended by itself",
        |s| s.world.set(s.file.place, Standing::ACTIVE, vec![Hold { by: PSB, until: Some(s.context.now) }]),
        VerdictCode::Valid,
    ),
    ("annulled", |s| s.world.state(s.file.place, State::Annulled), VerdictCode::Annulled),
    ("cancelled", |s| s.world.state(s.file.place, State::Cancelled), VerdictCode::Cancelled),
    ("revoked", |s| s.world.state(s.file.place, State::Revoked), VerdictCode::Revoked),
    ("its end recorded", |s| s.world.state(s.file.place, State::Expired), VerdictCode::Expired),
    ("leaving for another province", |s| s.world.state(s.file.place, State::TransferringOut), VerdictCode::Transferred),
    (
        "taken over by another issuer",
        |s| s.world.succeed(s.file.place, ActKind::TransferIn, State::Superseded, s.second.place),
        VerdictCode::Transferred,
    ),
    (
        "renewed",
        |s| s.world.succeed(s.file.place, ActKind::Renew, State::Superseded, s.second.place),
        VerdictCode::Superseded,
    ),
    (
        "bound to a new phone",
        |s| s.world.succeed(s.file.place, ActKind::Rekey, State::Rekeyed, s.second.place),
        VerdictCode::Superseded,
    ),
    ("consumed", |s| s.world.state(s.file.place, State::Consumed), VerdictCode::AlreadyConsumed),
    ("the day after its last", |s| s.on("2036-03-02"), VerdictCode::Expired),
    ("the day before its first", |s| s.reissue(|facts| facts.from = day("2026-03-06")), VerdictCode::CodeNotYetValid),
    ("valid for ever", |s| s.reissue(|facts| facts.until = None), VerdictCode::Valid),
    // What counts here.
    ("no agreement with that province", |s| s.context.verifier = FAR, VerdictCode::NotRecognised),
    (
        "an agreement that is suspended",
        |s| s.world.agreements[0].status = AgreementStatus::Suspended { by: GOV, since: Height(1290) },
        VerdictCode::NotRecognised,
    ),
    (
        "an agreement with a signature missing",
        |s| s.world.agreements[0].status = AgreementStatus::Proposed,
        VerdictCode::NotRecognised,
    ),
    ("an agreement that ended", |s| s.world.agreements[0].terms.until = day("2026-03-04"), VerdictCode::NotRecognised),
    (
        "an agreement for other regions",
        |s| s.world.agreements[0].terms.divisions = vec![s.world.members[3].division],
        VerdictCode::NotRecognised,
    ),
    (
        "an agreement that does not speak of the type",
        |s| drop(s.world.agreements[0].terms.terms.remove(0)),
        VerdictCode::NotRecognised,
    ),
    (
        "an agreement that the verifier's side never accepted",
        |s| s.world.members[3].agreements.clear(),
        VerdictCode::NotRecognised,
    ),
    (
        "a driving licence for opening a branch",
        |s| {
            s.terms.purpose = OPENING;
            s.context.purpose = OPENING;
        },
        VerdictCode::PurposeNotCovered,
    ),
    ("asked for another purpose than shown for", |s| s.context.purpose = OPENING, VerdictCode::PurposeNotCovered),
    (
        "at home, for a purpose the type is not for",
        |s| {
            s.context.verifier = AMR;
            s.terms.purpose = HOUSING;
            s.context.purpose = HOUSING;
        },
        VerdictCode::PurposeNotCovered,
    ),
    (
        "at home, for a purpose no agreement has",
        |s| {
            s.context.verifier = AMR;
            s.terms.purpose = OPENING;
            s.context.purpose = OPENING;
        },
        VerdictCode::Valid,
    ),
    (
        "an uploaded copy where the agreement asks for grade A",
        |s| s.reissue(|f| f.grade = Grade::C),
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an uploaded copy where the item demands grade A",
        |s| {
            s.context.verifier = GOV;
            s.context.min_grade = Some(Grade::A);
            s.reissue(|facts| facts.grade = Grade::C);
        },
        VerdictCode::AssuranceTooLow,
    ),
    (
        "a verifier that was suspended",
        |s| s.world.members[4].status = MemberStatus::Suspended,
        VerdictCode::AppSuspended,
    ),
    (
        "a purpose for which the type asks for the holder's grant",
        |s| s.world.types[0].grant_purposes = vec![TRAFFIC],
        VerdictCode::GrantRequired,
    ),
    (
        "at the issuer's own window, for a purpose that needs a grant",
        |s| {
            s.context.verifier = PSB;
            s.world.types[0].grant_purposes = vec![TRAFFIC];
        },
        VerdictCode::GrantRequired,
    ),
    ("a grant needed for another purpose", |s| s.world.types[0].grant_purposes = vec![OPENING], VerdictCode::Valid),
    (
        "a verifier that left the network",
        |s| s.world.members[4].status = MemberStatus::Removed,
        VerdictCode::AppSuspended,
    ),
    // Who vouches for the holder.
    ("an assertion that nobody asked for", |s| s.vouched(RealName), VerdictCode::Valid),
    (
        "an item that demands 实人, and a code with it",
        |s| {
            s.context.min_assurance = Some(RealPerson);
            s.vouched(RealPerson);
        },
        VerdictCode::Valid,
    ),
    (
        "an item that demands 实名, and a code with 实人",
        |s| {
            s.context.min_assurance = Some(RealName);
            s.vouched(RealPerson);
        },
        VerdictCode::Valid,
    ),
    (
        "an item that demands 实人, and a code with 实名 alone",
        |s| {
            s.context.min_assurance = Some(RealPerson);
            s.vouched(RealName);
        },
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an item that demands 实名, and a code for which nobody vouches",
        |s| s.context.min_assurance = Some(RealName),
        VerdictCode::AssuranceTooLow,
    ),
    (
        "a type that demands 实人, and a code with 实名 alone",
        |s| {
            s.world.types[0].assurance = Some(RealPerson);
            s.context.min_assurance = Some(RealName);
            s.vouched(RealName);
        },
        VerdictCode::AssuranceTooLow,
    ),
    (
        "a type that demands 实名, and a code with it",
        |s| {
            s.world.types[0].assurance = Some(RealName);
            s.vouched(RealName);
        },
        VerdictCode::Valid,
    ),
    (
        "an assertion whose half hour is over",
        |s| s.vouched_with(RealPerson, SERVICE_SEED, |said| said.time_secs -= 1800),
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an assertion of a service whose clock is fast",
        |s| s.vouched_with(RealPerson, SERVICE_SEED, |said| said.time_secs += 1200),
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an assertion made for another phone",
        |s| s.vouched_with(RealPerson, SERVICE_SEED, |said| said.holder = key(KeyAlgorithm::P256, 66).public()),
        VerdictCode::HolderProofInvalid,
    ),
    ("an assertion that the holder made", |s| s.vouched_with(RealPerson, 66, |_| ()), VerdictCode::HolderProofInvalid),
    (
        "an assertion whose level the holder raised, and signed",
        |s| {
            s.vouched(RealName);
            s.tampered(|s, code| {
                let assertion = code.terms.assertion.as_mut().expect("vouched for");
                assertion.statement.level = RealPerson;
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::HolderProofInvalid,
    ),
    (
        "an assertion whose end the holder moved, and signed",
        |s| {
            s.vouched(RealPerson);
            s.tampered(|s, code| {
                let assertion = code.terms.assertion.as_mut().expect("vouched for");
                assertion.statement.valid_secs = 86_400;
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::HolderProofInvalid,
    ),
    (
        "an assertion taken out of a code",
        |s| {
            s.vouched(RealName);
            s.tampered(|_, code| code.terms.assertion = None);
        },
        VerdictCode::HolderProofInvalid,
    ),
    (
        "an assertion of a member that is not there",
        |s| s.vouched_with(RealPerson, SERVICE_SEED, |said| said.service.0 = 7),
        VerdictCode::HolderProofInvalid,
    ),
    (
        "an assertion of a body that is no identity service",
        |s| {
            s.world.members[6].roles = Roles::of(&[Role::Issuer, Role::Verifier]);
            s.vouched(RealPerson);
        },
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an identity service that was suspended",
        |s| {
            s.world.members[6].status = MemberStatus::Suspended;
            s.vouched(RealPerson);
        },
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an identity service whose key was revoked",
        |s| {
            s.world.members[6].keys[1].until = Some(Height(1299));
            s.vouched(RealPerson);
        },
        VerdictCode::AssuranceTooLow,
    ),
    (
        "an assertion by a key for something else",
        |s| s.vouched_with(RealPerson, 11, |said| said.key.0 = 0),
        VerdictCode::AssuranceTooLow,
    ),
    (
        "a gateway that withholds the identity service",
        |s| {
            s.withheld = Box::new(|place| *place == Place::Record(Shelf::Members, HRS.0));
            s.vouched(RealPerson);
        },
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a gateway that withholds an identity service which the code does not name",
        |s| s.withheld = Box::new(|place| *place == Place::Record(Shelf::Members, HRS.0)),
        VerdictCode::Valid,
    ),
    // What was not proven is neither valid nor forged.
    (
        "a gateway that withholds the page",
        |s| s.withheld = Box::new(|place| matches!(place, Place::Page(..) | Place::Line(..))),
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a gateway that withholds the book",
        |s| s.withheld = Box::new(|place| !matches!(place, Place::Record(shelf, _) if *shelf != Shelf::Books)),
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a gateway that withholds the agreement",
        |s| s.withheld = Box::new(|place| matches!(place, Place::Record(Shelf::Agreements, _))),
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a gateway that withholds an authority",
        |s| s.withheld = Box::new(|place| matches!(place, Place::Record(Shelf::Authorities, _))),
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a gateway that withholds the verifier's superior",
        |s| s.withheld = Box::new(|place| *place == Place::Record(Shelf::Members, YGOV.0)),
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a gateway that withholds the seals",
        |s| s.withheld = Box::new(|place| matches!(place, Place::Seal(..))),
        VerdictCode::LedgerUnreachable,
    ),
    (
        "a book that is not there",
        |s| {
            s.tampered(|s, code| {
                code.shown.place.book = BookNumber(9);
                s.sign(code, &s.phone);
            });
        },
        VerdictCode::UnknownCert,
    ),
    (
        "a gateway that withholds everything, and a code that is not its holder's",
        |s| {
            s.withheld = Box::new(|_| true);
            s.tampered(|s, code| s.sign(code, &key(KeyAlgorithm::P256, 66)));
        },
        VerdictCode::HolderProofInvalid,
    ),
];

#[test]
fn each_wrong_thing_gets_exactly_its_own_answer() {
    for (story, change, code) in STORIES {
        let mut scan = Scan::standard();
        change(&mut scan);
        let verdict = scan.verdict();
        assert_eq!(verdict.code, *code, "{story}: {}", verdict.reason.en);
        assert_eq!(verdict.answer, code.answer(), "{story}");
        let claims = verdict.document.as_ref().map_or(0, |document| document.claims.len());
        assert_eq!(claims > 0, verdict.is_valid(), "{story}: only what was accepted is repeated");
        assert_eq!(verdict.display == Display::Normal, verdict.is_valid(), "{story}");
    }
}

/// The facts of one story.
fn detail(change: Change) -> Detail {
    let mut scan = Scan::standard();
    change(&mut scan);
    scan.verdict().detail.expect("a refusal with facts")
}

#[test]
fn a_refusal_names_its_facts() {
    let suspended = detail(|s| {
        s.world.set(s.file.place, Standing::ACTIVE, vec![Hold { by: GOV, until: None }, Hold { by: PSB, until: None }]);
    });
    let body = |member, name: &str| Body { member, name: Some(name.into()) };
    let by = vec![body(GOV, "东海省数据局"), body(PSB, "东海省公安厅交通管理局")];
    assert_eq!(suspended, Detail::Holds { by });

    let ordered = detail(|s| s.world.order(s.file.place, 0, 1000));
    assert_eq!(ordered, Detail::Order { order: OrderNumber(3) });

    let agreement = detail(|s| {
        s.world.agreements[0].status = AgreementStatus::Suspended { by: GOV, since: Height(1290) };
    });
    assert_eq!(agreement, Detail::Agreement { label: "RA-2026-001".into(), fault: AgreementFault::Suspended });

    let authority = detail(|s| s.world.authorities[0].division = s.world.members[3].division);
    let issuer = "东海省公安厅交通管理局".to_owned();
    assert_eq!(authority, Detail::Authority { issuer, fault: AuthorityFault::OtherDivision });

    let revoked = detail(|s| s.world.suspend(s.file.place, 0, 1000));
    assert_eq!(revoked, Detail::SealKeys { keys: vec![KeyNumber(0)], height: Some(Height(1250)) });

    let beyond = detail(|s| {
        s.tampered(|s, code| {
            code.shown.place.line = LineNumber(100_000);
            s.sign(code, &s.phone);
        });
    });
    assert!(matches!(beyond, Detail::Line { fault: LineFault::BeyondCount, .. }));

    let lost = detail(|s| s.world.set(s.file.place, Standing { key_blocked: true, ..Standing::ACTIVE }, vec![]));
    assert_eq!(lost, Detail::Holder { fault: HolderFault::KeyLost });

    let stale = detail(|s| s.world.time = Millis::from_secs(SHOWN_SECS - 31));
    assert_eq!(stale, Detail::Stale { what: Evidence::Standing, age_secs: 46, limit_secs: 45 });
}

/// VER-10: who vouches is told, and what the holder does where that is not enough.
#[test]
fn v24_who_vouches_is_named_and_what_is_missing_is_told() {
    let mut scan = Scan::standard();
    scan.vouched(RealPerson);
    let verdict = scan.verdict();
    let service = "东海省人力资源和社会保障厅".to_owned();
    let assured = Assured { level: RealPerson, service, time_secs: SHOWN_SECS - 600 };
    assert_eq!((verdict.assurance, verdict.checked.last()), (Some(assured), Some(&Check::Assurance)));

    let told = |change: Change| {
        let mut scan = Scan::standard();
        change(&mut scan);
        let verdict = scan.verdict();
        assert_eq!(verdict.assurance, None, "nothing is repeated");
        (verdict.detail.expect("a refusal with facts"), verdict.plain_text)
    };
    let (found, needed) = (Some(RealName), Some(RealPerson));
    let (detail, text) = told(|s| {
        s.context.min_assurance = Some(RealPerson);
        s.vouched(RealName);
    });
    assert_eq!(detail, Detail::Assurance { found, needed, fault: AssuranceFault::Level });
    assert_eq!(text, "请先在身份认证平台完成实人认证,再重新亮证。");
    let (detail, text) = told(|s| s.context.min_assurance = Some(RealName));
    assert_eq!(detail, Detail::Assurance { found: None, needed: found, fault: AssuranceFault::Absent });
    assert_eq!(text, "请先在身份认证平台完成实名认证,再重新亮证。");
    let (detail, text) = told(|s| s.vouched_with(RealPerson, SERVICE_SEED, |said| said.time_secs -= 1800));
    assert_eq!(detail, Detail::Assurance { found: needed, needed: None, fault: AssuranceFault::Expired });
    assert_eq!(text, "身份认证已过期,请重新认证后再亮证。");
    let (detail, _) = told(|s| s.vouched_with(RealPerson, 66, |_| ()));
    assert_eq!(detail, Detail::Holder { fault: HolderFault::Assertion });
}

#[test]
fn a_replaced_certificate_names_the_new_one() {
    // A renewal, a change of holder key, a takeover by another issuer: the same serial goes on.
    let successor = |book: BookNumber, version: u16, kind: ActKind, state: State| {
        let mut scan = Scan::standard();
        let next = scan.next_version(version);
        let (old, first) = (scan.file.place, scan.identifier());
        let new = scan.world.issue(book, next);
        scan.second = new.clone();
        scan.world.succeed(old, kind, state, new.place);
        (first, new, scan.verdict())
    };
    let (_, new, verdict) = successor(LICENCES, 2, ActKind::Renew, State::Superseded);
    assert_eq!(verdict.code, VerdictCode::Superseded);
    let identifier = Some(new.identifier().to_string());
    assert_eq!(verdict.detail, Some(Detail::Successor { place: new.place, identifier }));
    assert!(verdict.reason.en.contains(".002."), "{}", verdict.reason.en);

    let (old, new, verdict) = successor(LICENCES, 1, ActKind::Rekey, State::Rekeyed);
    assert_eq!(verdict.code, VerdictCode::Superseded);
    assert_eq!(verdict.detail, Some(Detail::Successor { place: new.place, identifier: Some(old.to_string()) }));

    // Another serial cannot be guessed: the place alone is named.
    let mut scan = Scan::standard();
    scan.world.succeed(scan.file.place, ActKind::Change, State::Superseded, scan.second.place);
    let place = scan.second.place;
    assert_eq!(scan.verdict().detail, Some(Detail::Successor { place, identifier: None }));
}

#[test]
fn a_valid_verdict_tells_what_was_checked_and_how_old_it_is() {
    let scan = Scan::standard();
    let verdict = scan.verdict();
    assert_eq!((verdict.answer, verdict.code), (Answer::Valid, VerdictCode::Valid));
    assert_eq!(
        verdict.checked,
        [
            Check::Finality,
            Check::Content,
            Check::HolderSignature,
            Check::CodeTime,
            Check::Freshness,
            Check::IssuerAuthority,
            Check::IssuerKey,
            Check::Standing,
            Check::Validity,
            Check::HolderKey,
            Check::Purpose,
            Check::Recognition,
            Check::Grade,
        ]
    );
    let ages = verdict.ages;
    assert_eq!((ages.holder_proof_secs, ages.standing_secs, ages.checkpoint_secs), (Some(15), Some(5), Some(3600)));
    assert_eq!(verdict.as_of.map(|as_of| as_of.height), Some(Height(1300)));
    let document = verdict.document.expect("the certificate");
    assert_eq!(document.certificate_type, "机动车驾驶证");
    assert_eq!(document.issuer, "东海省公安厅交通管理局");
    assert_eq!(document.identifier, crate::sample::C1);
    assert_eq!(document.claims.len(), 2);
    assert_eq!(document.claims[0].label, "准驾车型");
    assert_eq!(document.claims[0].value.as_deref(), Some("C1"));
}

#[test]
fn v10_v16_a_certificate_stays_its_issuers_whoever_keeps_the_book() {
    let mut scan = Scan::standard();
    let given = |to: MemberNumber, from: MemberNumber, scan: &mut Scan| {
        let record = &mut scan.world.books[LICENCES.0 as usize].record;
        (record.keeper, record.former) = (to, vec![FormerKeeper { member: from, until: Height(1200), lines: 2000 }]);
    };
    // To a department that may issue nothing of the kind, and that nobody here recognises.
    given(FAR, PSB, &mut scan);
    let verdict = scan.verdict();
    assert_eq!(verdict.code, VerdictCode::Valid, "{}", verdict.reason.en);
    assert_eq!(verdict.document.expect("the certificate").issuer, "东海省公安厅交通管理局");
    // From one that had no such authority.
    given(PSB, FAR, &mut scan);
    assert_eq!(scan.verdict().code, VerdictCode::IssuerNotAuthorised);
}

#[test]
fn an_open_objection_warns_and_does_not_refuse() {
    let mut scan = Scan::standard();
    scan.world.set(scan.file.place, Standing { disputed: true, ..Standing::ACTIVE }, vec![]);
    let verdict = scan.verdict();
    assert_eq!(verdict.code, VerdictCode::Valid);
    assert_eq!(verdict.warnings, [VerdictCode::Disputed]);
    // Nothing a clerk can miss: the screen is not the one of an ordinary certificate.
    assert_eq!(verdict.display, Display::Abnormal);
    assert!(verdict.plain_text.contains("异议"), "{}", verdict.plain_text);
}

#[test]
fn the_suite_and_the_algorithm_do_not_matter() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
        let mut scan = Scan::new(crate::sample::domain(), algorithm);
        assert_eq!(scan.verdict().code, VerdictCode::Valid);
        scan.tampered(|s, code| s.sign(code, &key(KeyAlgorithm::Ed25519, 66)));
        assert_eq!(scan.verdict().code, VerdictCode::HolderProofInvalid);
    }
}

#[cfg(feature = "trial-suite")]
#[test]
fn nothing_depends_on_the_first_suite() {
    let domain = fengni_core::Domain { suite: fengni_core::Suite::Trial, ..crate::sample::domain() };
    let mut scan = Scan::new(domain, KeyAlgorithm::Trial);
    assert_eq!(scan.verdict().code, VerdictCode::Valid);
    scan.tampered(|_, code| code.shown.disclosed[0].value = value("A1"));
    assert_eq!(scan.verdict().code, VerdictCode::ContentMismatch);
}
