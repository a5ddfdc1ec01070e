//! Each wrong thing gets exactly its own answer, on a real network, read from a node that is not
//! the issuer's: CAT-06, VER-01 to VER-04, REC-01, journeys J3 to J5.

#![forbid(unsafe_code)]

mod assurance;
mod common;
mod offline;
mod revoked;

use std::path::PathBuf;
use std::sync::Mutex;

use fengni_client::gateway::Trouble;
use fengni_client::verify::Verifier;
use fengni_client::wallet::{Disclose, Show};
use fengni_client::{agreement, clock, standing};
use fengni_core::book::{Line, Subject};
use fengni_core::certificate::{ClaimValue, Grade};
use fengni_core::code::Code;
use fengni_core::id::{CertificateId, Division, Version};
use fengni_core::operation::{Cause, Operation, StandingChange};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::proof::Place;
use fengni_core::record::Agreement;
use fengni_core::shelf::Shelf;
use fengni_core::verdict::{Answer, Detail, LineFault, VerdictCode};
use fengni_core::verify::SKEW_SECS;
use fengni_core::{
    AgreementNumber, BookNumber, Day, Digest, Height, KeyAlgorithm, LineNumber, LinePlace, Millis, PageNumber,
    Signature,
};
use fengni_genesis::sample;
use fengni_tests::{Paper, fengni, holder_key, random};

use common::{FalseGateway, Held, World, expect, fetch, nobody};

const TRAFFIC: &str = "交通执法";

/// A clerk of HRS, at home with every issuer of 东海, reading at its own node.
fn hrs(world: &World) -> Verifier {
    world.clerk("hrs", TRAFFIC, "hrs")
}

fn scan(clerk: &mut Verifier, code: &Code) -> fengni_client::verify::Checked {
    clerk.verify_text(&code.to_text(), None)
}

// REC-01, J4a, J5.

#[test]
fn rec01_a_certificate_counts_elsewhere_while_both_sides_stand_by_the_agreement() {
    let world = World::shared();
    let licence = world.sealed_licence();
    let copy = world.seal(&[Paper { grade: Grade::B, ..world.licence() }]).remove(0);
    let business = world.seal(&[world.paper("T-BL")]).remove(0);
    let clearance = world.seal(&[world.paper("T-CL")]).remove(0);
    // A clerk of 云山, reading at the node of his own province.
    let yhd = |story: &str, held: &Held, purpose: &str, code: VerdictCode, because: &str| {
        let checked = scan(&mut world.clerk("yhd", purpose, "observer"), &world.code(held, purpose));
        expect(story, &checked, code, because);
    };
    let nothing = "no agreement recognises";
    yhd("before anybody proposed anything", &licence, TRAFFIC, VerdictCode::NotRecognised, nothing);

    // The sample's terms, for whatever year it is.
    let day = |year| Day::from_ymd(year, 1, 1).expect("a real day");
    let terms = fengni_core::record::AgreementTerms { from: day(2020), until: day(2045), ..sample::agreement_terms() };
    let Effect::Agreement { agreement, in_force: false } = world.done("gov", "admin", 1, agreement::propose(terms))
    else {
        panic!("GOV alone puts nothing in force")
    };
    yhd("signed by one side", &licence, TRAFFIC, VerdictCode::NotRecognised, nothing);

    let read: Agreement = world.ledger(&[world.caught_up("observer")]).record(agreement.0).expect("it was proposed");
    let other = Operation::SignAgreement { agreement, digest: Digest([7; 32]) };
    world.refused("ygov", "admin", 1, other, Refusal::OtherTerms);
    let sign = || agreement::sign(&world.domain, agreement, &read);
    let signed = world.done("ygov", "admin", 1, sign());
    assert_eq!(signed, Effect::Agreement { agreement, in_force: true });
    world.refused("ygov", "admin", 1, sign(), Refusal::AlreadySigned);

    let label = "RA-2026-001";
    yhd("J4a", &licence, TRAFFIC, VerdictCode::Valid, "recognised here");
    yhd("J5", &business, "企业开办", VerdictCode::Valid, "recognised here");
    yhd("for another scenario", &licence, "企业开办", VerdictCode::PurposeNotCovered, label);
    yhd("a copy, where originals are asked for", &copy, TRAFFIC, VerdictCode::AssuranceTooLow, label);
    yhd("a type of which the agreement is silent", &clearance, "入境通关", VerdictCode::NotRecognised, nothing);

    let suspend = |agreement: AgreementNumber| agreement::suspend(agreement, world.ground(601));
    world.done("ygov", "admin", 1, suspend(agreement));
    yhd("suspended by a party", &licence, TRAFFIC, VerdictCode::NotRecognised, "RA-2026-001 is suspended");
    expect("at home meanwhile", &scan(&mut hrs(&world), &world.code(&licence, TRAFFIC)), VerdictCode::Valid, "");
    let resume = || agreement::resume(agreement, world.ground(601));
    world.refused("gov", "admin", 1, resume(), Refusal::NotEntitled);
    world.done("ygov", "admin", 1, resume());
    yhd("resumed", &licence, TRAFFIC, VerdictCode::Valid, "recognised here");
}

// VER-01: standings.

/// What bodies do to a licence, one after the other, and what a clerk is told then. An act that
/// the ledger must refuse carries the refusal behind a colon.
const STANDINGS: &str = "
    acts                                             | answer       | because
    none                                             | VALID        | in force
    psb suspends                                     | SUSPENDED    | suspended by 东海省公安厅交通管理局
    gov suspends                                     | SUSPENDED    | suspended by 东海省数据局
    psb suspends, psb gives back                     | VALID        | in force
    gov suspends, psb suspends, psb gives back       | SUSPENDED    | suspended by 东海省数据局
    gov suspends, psb gives back: NOT_HELD           | SUSPENDED    | suspended by 东海省数据局
    psb suspends, psb suspends: ALREADY_HELD         | SUSPENDED    | suspended by 东海省公安厅交通管理局
    amr suspends: NOT_ENTITLED                       | VALID        | in force
    psb cancels                                      | CANCELLED    | cancelled
    psb cancels alone: SECOND_PERSON_MISSING         | VALID        | in force
    psb annuls                                       | ANNULLED     | annulled
    gov annuls                                       | ANNULLED     | annulled
    psb revokes alone: SECOND_PERSON_MISSING         | VALID        | in force
    psb revokes                                      | REVOKED      | revoked
    gov revokes: NOT_ENTITLED                        | VALID        | in force
    psb revokes, psb revokes: WRONG_STATE            | REVOKED      | revoked
    psb revokes, psb suspends: WRONG_STATE           | REVOKED      | revoked
    psb records expiry                               | EXPIRED      | expired
    psb transfers out                                | TRANSFERRED  | transferred to another issuer
    psb transfers out, psb takes it back             | VALID        | in force
    psb blocks the key                               | HOLDER_PROOF_INVALID | phone was reported lost
    psb suspends, psb blocks the key                 | SUSPENDED    | suspended by 东海省公安厅交通管理局
    psb cancels, psb blocks the key: WRONG_STATE     | CANCELLED    | cancelled
";

#[test]
fn ver01_every_standing_has_its_own_answer() {
    let world = World::shared();
    let stories: Vec<[&str; 3]> = STANDINGS.trim().lines().skip(1).map(columns).collect();
    let papers: Vec<Paper> = stories.iter().map(|_| world.licence()).collect();
    let held = world.seal(&papers);
    for ([acts, ..], held) in stories.iter().zip(&held) {
        acts.split(", ").filter(|act| *act != "none").for_each(|act| do_to(&world, held.file.place, act));
    }
    let mut clerk = hrs(&world);
    for ([acts, answer, because], held) in stories.iter().zip(&held) {
        expect(acts, &scan(&mut clerk, &world.code(held, TRAFFIC)), named(answer), because);
    }
}

fn columns(row: &'static str) -> [&'static str; 3] {
    let mut cells = row.split('|').map(str::trim);
    [(); 3].map(|()| cells.next().expect("three columns"))
}

fn named(code: &str) -> VerdictCode {
    VerdictCode::ALL.into_iter().find(|known| known.name() == code).unwrap_or_else(|| panic!("no code {code}"))
}

/// Does one act of a story.
fn do_to(world: &World, place: LinePlace, act: &str) {
    let (act, refusal) = act.split_once(": ").map_or((act, None), |(act, refusal)| (act, Some(refusal)));
    let (member, verb) = act.split_once(' ').expect("somebody does something");
    let number = sample::member(&member.to_ascii_uppercase()).expect("a sample member");
    // The issuer acts with its issuing keys, except where the type names it as a body.
    let keeper = if member == "psb" { "issuing" } else { "enforcement" };
    let (purpose, persons, change) = match verb {
        "suspends" => (keeper, 1, StandingChange::Suspend { until: None }),
        "gives back" => (keeper, 1, StandingChange::Return { hold: number }),
        "cancels" => (keeper, 2, StandingChange::Cancel),
        "cancels alone" => (keeper, 1, StandingChange::Cancel),
        "annuls" => (keeper, 2, StandingChange::Annul),
        "revokes" => ("enforcement", 2, StandingChange::Revoke),
        "revokes alone" => ("enforcement", 1, StandingChange::Revoke),
        "records expiry" => (keeper, 1, StandingChange::Expire),
        "transfers out" => {
            (keeper, 1, StandingChange::TransferOut { target: sample::member("AMR").expect("a sample member") })
        }
        "takes it back" => (keeper, 1, StandingChange::CancelTransfer),
        "blocks the key" => (keeper, 1, StandingChange::BlockKey),
        _ => panic!("nobody knows how to {verb}"),
    };
    let operation = standing::change(place, change, world.ground(201));
    match refusal {
        None => drop(world.done(member, purpose, persons, operation)),
        Some(name) => {
            let why = Refusal::ALL.into_iter().find(|known| known.name() == name).expect("a refusal's name");
            world.refused(member, purpose, persons, operation, why);
        }
    }
}

#[test]
fn ver01_a_dispute_is_a_warning_beside_a_valid_answer() {
    let world = World::shared();
    let held = world.sealed_licence();
    world.done("psb", "issuing", 1, standing::change(held.file.place, StandingChange::Dispute, world.ground(401)));
    let checked = scan(&mut hrs(&world), &world.code(&held, TRAFFIC));
    expect("disputed", &checked, VerdictCode::Valid, "in force");
    assert_eq!(checked.verdict.warnings, [VerdictCode::Disputed]);
}

#[test]
fn ver01_what_took_the_place_of_a_certificate_is_named() {
    let world = World::shared();
    let paper = world.licence();
    let old = world.seal(std::slice::from_ref(&paper)).remove(0);
    let before = world.code(&old, TRAFFIC);
    let mut new = world.certify(&Paper { version: 2, ..paper }, holder_key(KeyAlgorithm::P256));
    let (ground, into) = (world.ground(102), world.book("T-DL"));
    let line = new.file.line(&world.domain);
    let change = standing::supersede(old.file.place, into, line, Cause::Change, ground);
    new.file.place = replaced(world.done("psb", "issuing", 1, change));

    let mut clerk = hrs(&world);
    let named = format!("goes on as {}", world.identifier(&new));
    expect("a code from before", &scan(&mut clerk, &before), VerdictCode::Superseded, &named);
    expect("a new code of the old", &scan(&mut clerk, &world.code(&old, TRAFFIC)), VerdictCode::Superseded, &named);
    expect("the new certificate", &scan(&mut clerk, &world.code(&new, TRAFFIC)), VerdictCode::Valid, "");
    let again = standing::supersede(old.file.place, into, line, Cause::Change, ground);
    world.refused("psb", "issuing", 1, again, Refusal::DuplicateTag);
}

#[test]
fn ver01_a_lost_phone_shows_nothing_and_the_new_one_goes_on() {
    let world = World::shared();
    let paper = world.licence();
    let lost = world.seal(std::slice::from_ref(&paper)).remove(0);
    let place = lost.file.place;
    expect("before", &scan(&mut hrs(&world), &world.code(&lost, TRAFFIC)), VerdictCode::Valid, "");

    let reported = std::time::Instant::now();
    world.done("psb", "issuing", 1, standing::change(place, StandingChange::BlockKey, world.ground(105)));
    let mut clerk = hrs(&world);
    let code = world.code(&lost, TRAFFIC);
    expect("reported lost", &scan(&mut clerk, &code), VerdictCode::HolderProofInvalid, "phone was reported lost");
    // IDN-02: from the report to the refusal at another member's node.
    assert!(reported.elapsed().as_secs() < 5, "{:?}", reported.elapsed());
    // The certificate itself stands.
    let recorded = clerk.verify_identifier(&world.identifier(&lost)).verdict;
    assert_eq!(recorded.detail, Some(Detail::Recorded { standing: None, successor: None }));

    let mut found = world.certify(&paper, holder_key(KeyAlgorithm::Ed25519));
    let line = found.file.line(&world.domain);
    let other = Line { tag: fengni_core::book::Tag([9; 16]), ..line };
    let rekey = |line| standing::rekey(place, line, world.ground(105));
    world.refused("psb", "issuing", 1, rekey(other), Refusal::OtherTag);
    found.file.place = replaced(world.done("psb", "issuing", 1, rekey(line)));

    let mut clerk = hrs(&world);
    let named = format!("goes on as {}", world.identifier(&found));
    expect("the lost phone", &scan(&mut clerk, &world.code(&lost, TRAFFIC)), VerdictCode::Superseded, &named);
    expect("the new phone", &scan(&mut clerk, &world.code(&found, TRAFFIC)), VerdictCode::Valid, "");
    let thief = Held { file: found.file.clone(), key: lost.key.clone() };
    let forged = signed_by(&world, &world.code(&found, TRAFFIC), &thief);
    expect(
        "the new certificate on the lost phone",
        &scan(&mut clerk, &forged),
        VerdictCode::HolderProofInvalid,
        "not signed",
    );
}

fn replaced(effect: Effect) -> LinePlace {
    match effect {
        Effect::Replaced { book, line, .. } => LinePlace { book, line },
        other => panic!("another effect: {other:?}"),
    }
}

// REC-04.

#[test]
fn rec04_a_one_time_document_is_used_up_once() {
    let world = World::shared();
    let held = world.seal(&[world.paper("T-CL")]).remove(0);
    let port = "入境通关";
    let clerk = |purpose| world.clerk("hrs", purpose, "hrs");
    expect("before", &scan(&mut clerk(port), &world.code(&held, port)), VerdictCode::Valid, "");
    let elsewhere = scan(&mut clerk("企业开办"), &world.code(&held, "企业开办"));
    expect("for what its type is not", &elsewhere, VerdictCode::PurposeNotCovered, "purpose");
    let consume = || standing::consume(held.file.place, world.ground(501));
    world.refused("psb", "enforcement", 1, consume(), Refusal::NotEntitled);
    world.done("gov", "enforcement", 1, consume());
    expect("used", &scan(&mut clerk(port), &world.code(&held, port)), VerdictCode::AlreadyConsumed, "used up");
    world.refused("gov", "enforcement", 1, consume(), Refusal::AlreadyConsumed);
}

// VER-01, VER-03: forgeries.

#[test]
fn ver03_a_code_is_its_holders_and_cannot_be_altered() {
    let world = World::shared();
    // Two licences on one phone, and one on another.
    let phone = holder_key(KeyAlgorithm::P256);
    let mut pair: Vec<Held> = (0..2).map(|_| world.certify(&world.licence(), phone.clone())).collect();
    world.seal_held("T-DL", pair.iter_mut());
    let [mine, second] = [&pair[0], &pair[1]];
    let other = world.sealed_licence();
    let never = {
        let held = world.certify(&world.licence(), phone.clone());
        let line = LineNumber(1 << 40);
        Held {
            file: fengni_core::certificate::CertificateFile {
                place: LinePlace { line, ..mine.file.place },
                ..held.file
            },
            ..held
        }
    };
    let code = world.code(mine, TRAFFIC);
    let with = |alter: &dyn Fn(&mut Code)| {
        let mut altered = code.clone();
        alter(&mut altered);
        assert_ne!(altered, code);
        altered
    };
    let claim = |value: &str| ClaimValue::new(value).ok();
    let richer = with(&|code| code.shown.disclosed[0].value = claim("A1"));
    let all = Show { disclose: Disclose::Labels(vec!["姓名".into()]), ..everyday() };
    let full = world.wallet(mine).show(&world.identifier(mine), &all).expect("the wallet holds it");
    let key_taken = with(&|code| code.shown.facts.holder = other.key.public());
    let (holder, content) = (VerdictCode::HolderProofInvalid, VerdictCode::ContentMismatch);

    let stories: Vec<(&str, Code, VerdictCode, &str)> = vec![
        ("another phone signed", signed_by(&world, &code, &other), holder, "not signed by"),
        (
            "the signature was moved to other claims",
            Code { signature: code.signature, ..full },
            holder,
            "not signed by",
        ),
        (
            "the signature was moved to another certificate",
            Code { signature: code.signature, ..world.code(second, TRAFFIC) },
            holder,
            "not signed by",
        ),
        ("another purpose", with(&|code| code.terms.purpose.0 += 1), holder, "not signed by"),
        ("a later time", with(&|code| code.terms.issued_secs += 1), holder, "not signed by"),
        ("a longer life", with(&|code| code.terms.lifetime_secs += 1), holder, "not signed by"),
        ("another nonce", with(&|code| code.terms.nonce[0] ^= 1), holder, "not signed by"),
        ("another challenge", with(&|code| code.terms.challenge = Some(Digest([1; 32]))), holder, "not signed by"),
        ("the high-s twin", high_s_twin(&world, &code), holder, "not signed by"),
        ("one claim was changed", richer.clone(), content, "not what the issuer sealed"),
        ("and the holder signed that", signed_by(&world, &richer, mine), content, "not what the issuer sealed"),
        ("one salt was changed", with(&|code| code.shown.disclosed[1].salt.0[3] ^= 1), content, "not what the issuer"),
        ("a later last day", with(&|code| code.shown.facts.until = None), content, "not what the issuer sealed"),
        ("a better grade", with(&|code| code.shown.facts.grade = Grade::B), content, "not what the issuer sealed"),
        ("another phone's key in the header", signed_by(&world, &key_taken, &other), content, "not what the issuer"),
        (
            "the line of another certificate",
            signed_by(&world, &with(&|code| code.shown.place = second.file.place), mine),
            VerdictCode::UnknownCert,
            "another certificate's",
        ),
        (
            "another book",
            signed_by(&world, &with(&|code| code.shown.place.book = BookNumber(4_000)), mine),
            VerdictCode::UnknownCert,
            "does not exist",
        ),
        ("a line beyond the count", world.code(&never, TRAFFIC), VerdictCode::UnknownCert, "does not exist"),
        ("too long a life", held_for(&world, mine, 121), VerdictCode::Malformed, "this type allows 120"),
    ];
    let mut clerk = hrs(&world);
    for (story, code, verdict, because) in stories {
        expect(story, &scan(&mut clerk, &code), verdict, because);
    }
    // None of this used the code up.
    expect("the code itself", &scan(&mut clerk, &code), VerdictCode::Valid, "");
}

#[test]
fn ver01_no_altered_text_is_a_code() {
    let world = World::shared();
    let held = world.sealed_licence();
    let text = world.code(&held, TRAFFIC).to_text();
    let mut clerk = hrs(&world);
    let mut malformed = |story: &str, text: &str| {
        expect(story, &clerk.verify_text(text, None), VerdictCode::Malformed, "not a code");
    };
    malformed("another prefix", &text.replacen("FN1:", "HC1:", 1));
    malformed("no prefix", &text[4..]);
    malformed("lower case", &text.to_lowercase());
    malformed("cut off", &text[..text.len() - 3]);
    malformed("drawn out", &format!("{text}AB8"));
    malformed("nothing", "");
    malformed("a link", "https://example.invalid/?code=1");

    // Whichever character is altered, somebody's check refuses, and none takes it for a failure.
    let mut answers = std::collections::BTreeSet::new();
    for place in (4..text.len()).step_by(11) {
        let old = &text[place..=place];
        let new = if old == "7" { "8" } else { "7" };
        let altered = format!("{}{new}{}", &text[..place], &text[place + 1..]);
        let verdict = clerk.verify_text(&altered, None).verdict;
        assert_eq!(verdict.answer, Answer::Refused, "character {place}: {}", verdict.reason.en);
        answers.insert(verdict.code);
    }
    for code in [VerdictCode::Malformed, VerdictCode::HolderProofInvalid] {
        assert!(answers.contains(&code), "{code} is not among {answers:?}");
    }
    expect("unaltered", &clerk.verify_text(&format!(" {text}\n"), None), VerdictCode::Valid, "");
}

fn everyday() -> Show {
    Show::everyday(fengni_tests::purpose_code(TRAFFIC), clock::now()).expect("randomness")
}

fn held_for(world: &World, held: &Held, secs: u32) -> Code {
    let show = Show { lifetime_secs: Some(secs), ..everyday() };
    world.wallet(held).show(&world.identifier(held), &show).expect("the wallet holds it")
}

/// The same code, signed by another phone.
fn signed_by(world: &World, code: &Code, phone: &Held) -> Code {
    let header = code.header(&world.domain).expect("its siblings fit");
    let signature = phone.key.sign(&code.message(&world.domain, &header.commitment(&world.domain)));
    Code { signature, ..code.clone() }
}

/// Order of the group of P-256 (SEC 2, section 2.4.2).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// The other signature (r, n - s) that the same key and message have in plain ECDSA.
fn high_s_twin(world: &World, code: &Code) -> Code {
    use p256::ecdsa::signature::Verifier as _;

    let mut raw = code.signature.raw();
    let order = hex::decode(P256_ORDER).expect("hexadecimal");
    let mut borrow = false;
    for (digit, order) in raw[32..].iter_mut().zip(order).rev() {
        let (less, first) = order.overflowing_sub(*digit);
        let (less, second) = less.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (less, first || second);
    }
    assert!(!borrow, "s is below the order");
    // Whoever knows only ECDSA takes the twin.
    let header = code.header(&world.domain).expect("its siblings fit");
    let message = code.message(&world.domain, &header.commitment(&world.domain));
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(header.facts.holder.bytes()).expect("a key of P-256");
    let twin = p256::ecdsa::Signature::from_slice(&raw).expect("in range");
    assert!(key.verify(&message, &twin).is_ok(), "the twin holds in plain ECDSA");
    let signature = Signature::new(KeyAlgorithm::P256, &raw).expect("64 bytes");
    Code { signature, ..code.clone() }
}

// VER-02, CRT-05: times.

/// Milliseconds from the moment the holder signed to the scan; codes hold 120 seconds.
const TIMES: &str = "
    milliseconds | answer             | because
    -40000       | CODE_NOT_YET_VALID | one of the two clocks is wrong
    -30001       | CODE_NOT_YET_VALID | one of the two clocks is wrong
    -30000       | VALID              | in force
    0            | VALID              | in force
    119000       | VALID              | in force
    150000       | VALID              | in force
    150001       | CODE_EXPIRED       | ask for a new one
    151000       | CODE_EXPIRED       | ask for a new one
    86400000     | CODE_EXPIRED       | ask for a new one
";

#[test]
fn ver02_a_code_holds_from_30_seconds_before_to_30_seconds_after_its_time() {
    let world = World::shared();
    let held = world.sealed_licence();
    for [late, answer, because] in TIMES.trim().lines().skip(1).map(columns) {
        let url = world.caught_up("hrs");
        // The clerk's clock is right; the phone's is not, or the code is old.
        let issued_secs = clock::now().secs();
        let late: i64 = late.parse().expect("milliseconds");
        let whole = late.div_euclid(1000);
        let issued = Millis::from_secs(issued_secs.checked_add_signed(-whole).expect("after 1970"));
        let now = Millis(issued.0.checked_add_signed(late).expect("after 1970"));
        let code = world.code_at(&held, TRAFFIC, issued);
        let mut clerk = world.clerk_at(now, "hrs", TRAFFIC, &[url]);
        expect(&format!("{late} ms"), &scan(&mut clerk, &code), named(answer), because);
    }
}

#[test]
fn crt05_a_certificate_holds_from_its_first_day_to_the_end_of_its_last() {
    let world = World::shared();
    let today = Day::of(clock::now()).0;
    let day = |from: i32| Day(today.checked_add_signed(from).expect("after 1970"));
    let stories = [(-9, Some(-1)), (-9, Some(0)), (-9, Some(1)), (0, None), (1, None), (2, Some(3))];
    let days: Vec<(Day, Option<Day>)> = stories.iter().map(|(from, until)| (day(*from), until.map(day))).collect();
    let held = world.seal_days(&days);
    for ((from, until), held) in days.iter().zip(&held) {
        // Midnight in China may pass during the test: what is right follows from the clerk's clock.
        let url = world.caught_up("hrs");
        let now = clock::now();
        let today = Day::of(now);
        let (answer, because) = if today < *from {
            (VerdictCode::CodeNotYetValid, "valid from")
        } else if until.is_some_and(|until| until < today) {
            (VerdictCode::Expired, "valid from")
        } else {
            (VerdictCode::Valid, "in force")
        };
        let checked = scan(&mut world.clerk_at(now, "hrs", TRAFFIC, &[url]), &world.code_at(held, TRAFFIC, now));
        expect(&format!("{from} to {until:?} on {today}"), &checked, answer, because);
    }
}

// VER-04.

#[test]
fn ver04_a_code_counts_once_and_for_its_own_purpose_and_challenge() {
    let world = World::shared();
    let held = world.sealed_licence();
    let mut clerk = hrs(&world);
    let code = world.code(&held, TRAFFIC);
    let elsewhere = world.code(&held, "企业开办");
    expect("for another purpose", &scan(&mut clerk, &elsewhere), VerdictCode::PurposeNotCovered, "not for 101");
    expect("first scan", &scan(&mut clerk, &code), VerdictCode::Valid, "");
    expect("second scan", &scan(&mut clerk, &code), VerdictCode::CodeReplayed, "used before");
    expect("a photograph of it", &scan(&mut clerk, &code), VerdictCode::CodeReplayed, "used before");
    expect("a new code", &scan(&mut clerk, &world.code(&held, TRAFFIC)), VerdictCode::Valid, "");

    let asked = Some(Digest(random()));
    let show = Show { challenge: asked, ..everyday() };
    let answer = world.wallet(&held).show(&world.identifier(&held), &show).expect("the wallet holds it");
    let silent = world.code(&held, TRAFFIC);
    let mut ask = |code: &Code, challenge| clerk.verify_text(&code.to_text(), challenge);
    let wrong = VerdictCode::HolderProofInvalid;
    expect("no challenge was answered", &ask(&silent, asked), wrong, "challenge");
    expect("another challenge was answered", &ask(&answer, Some(Digest(random()))), wrong, "challenge");
    expect("a challenge nobody asked", &ask(&answer, None), wrong, "challenge");
    expect("the challenge was answered", &ask(&answer, asked), VerdictCode::Valid, "");
}

// VER-01, VER-15: what is not there, and what was only typed.

#[test]
fn ver15_a_typed_identifier_tells_what_is_recorded_and_never_who_holds_it() {
    let world = World::shared();
    let held = world.seal(&[world.licence(), world.licence()]);
    let revoke = standing::change(held[1].file.place, StandingChange::Revoke, world.ground(202));
    world.done("psb", "enforcement", 2, revoke);
    let mut clerk = hrs(&world);
    let mut typed = |text: &str| clerk.verify_text(text, None);
    let recorded = |standing| Some(Detail::Recorded { standing, successor: None });

    let checked = typed(&world.identifier(&held[0]).to_string());
    expect("in force", &checked, VerdictCode::DocumentStatusOnly, "");
    assert_eq!(checked.verdict.detail, recorded(None));
    let checked = typed(&world.identifier(&held[1]).to_string());
    expect("revoked", &checked, VerdictCode::DocumentStatusOnly, "revoked; its holder was not checked");
    assert_eq!(checked.verdict.detail, recorded(Some(VerdictCode::Revoked)));

    // Nobody has it: that no node finds it proves nothing.
    let unknown = world.licence().identifier(&world.genesis);
    let verdict = typed(&unknown.to_string()).verdict;
    assert_eq!((verdict.code, verdict.answer), (VerdictCode::UnknownCert, Answer::Undecided));

    // A wrong check character is no identifier at all, and costs no question to a node.
    let misread = misread(&unknown);
    let checked = typed(&misread);
    expect("bad check character", &checked, VerdictCode::Malformed, "not a code");
    assert_eq!((checked.node, checked.troubles), (None, Vec::new()));
    let answer = fengni(&["id", "check", &misread, "--json"], b"").expect(1).json();
    assert_eq!((&answer["kind"], &answer["valid"]), (&"certificate identifier".into(), &false.into()), "{answer}");
}

/// An identifier with another check character.
fn misread(identifier: &CertificateId) -> String {
    let text = identifier.to_string();
    let (front, check) = text.split_at(text.len() - 1);
    format!("{front}{}", if check == "A" { "B" } else { "A" })
}

// CRT-01, GOV-06, CRT-09: what the ledger does not take.

#[test]
fn crt01_the_ledger_refuses_the_wrong_issuer_and_the_second_certificate() {
    let world = World::shared();
    let open = |kind: &str, division: &str| Operation::OpenBook {
        subject: Subject::Certificates { certificate_type: sample::certificate_type(kind).expect("a sample type") },
        division: Division::parse(division).expect("a division"),
    };
    let issuing = |member: &str, operation, why| world.refused(member, "issuing", 2, operation, why);
    issuing("amr", open("T-DL", "319900"), Refusal::IssuerNotAuthorised);
    issuing("psb", open("T-DL", "339900"), Refusal::IssuerNotAuthorised);
    issuing("psb", open("T-DL", "319900"), Refusal::DuplicateBook);
    world.refused("hrs", "admin", 2, open("T-DL", "319900"), Refusal::RoleMissing);
    world.refused("psb", "admin", 2, open("T-DL", "319900"), Refusal::KeyPurpose);

    let held = world.seal(&[world.licence(), world.licence()]);
    let fresh = || world.certify(&world.licence(), holder_key(KeyAlgorithm::P256)).file.line(&world.domain);
    let (book, taken) = (world.book("T-DL"), held[1].file.line(&world.domain));
    let seal = |lines| Operation::Seal { book, lines };
    issuing("amr", seal(vec![fresh()]), Refusal::NotEntitled);
    issuing("psb", seal(Vec::new()), Refusal::LineCount);
    assert_eq!(issuing("psb", seal(vec![fresh(), fresh(), taken]), Refusal::DuplicateTag), 2, "the third line");
    let twice = fresh();
    assert_eq!(issuing("psb", seal(vec![twice, twice]), Refusal::DuplicateTag), 1, "the second line");
    // The same identifier with other content is the same certificate.
    let other = Line { commitment: Digest(random()), ..taken };
    assert_eq!(issuing("psb", seal(vec![other]), Refusal::DuplicateTag), 0, "the only line");
}

#[test]
fn crt01_a_row_for_another_book_is_refused_before_anything_is_sealed() {
    let world = World::shared();
    let licence = world.licence();
    let wrong_type = world.paper("T-BL").identifier(&world.genesis).to_string();
    let person = sample::people()[0].number;
    let good = licence.identifier(&world.genesis);
    let stories = [
        ("of another type", wrong_type, "names another type or issuer"),
        ("bad check character", misread(&good), "check character"),
        (
            "with a person's number",
            CertificateId::new(
                good.type_code(),
                good.issuer(),
                fengni_core::id::Serial::parse(person).expect("its form is a serial's"),
                Version::FIRST,
            )
            .to_string(),
            "contains a resident number",
        ),
    ];
    for (story, identifier, because) in stories {
        let labels = LABELS.join(",");
        let rows = format!("identifier,issued,from,until,{labels}\n{identifier},2026-03-02,2026-03-02,,{labels}\n");
        let file = world.network().scratch().join("rows.csv");
        std::fs::write(&file, rows).expect("the test's own folder");
        let home: PathBuf = world.network().home().join("members").join("psb");
        let archive = world.network().scratch().join("archive");
        let [home, archive, file] = [home, archive, file].map(|path| path.display().to_string());
        let arguments = ["issue", "--home", &home, "--archive", &archive, "--type", "T-DL", "--json", &file];
        let answer = fengni(&arguments, b"").expect(1);
        assert!(!answer.out.contains(person) && !answer.err.contains(person), "{story}: the number is repeated");
        let said = answer.json()["problems"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(said.contains(because), "{story}: {said:?}");
    }
    let mut ledger = world.ledger(&[world.caught_up("hrs")]);
    assert_eq!(ledger.find(&good).map(|found| found.is_none()), Ok(true));
}

/// Fields of T-DL that every licence has.
const LABELS: [&str; 6] = ["准驾车型", "有效期止", "姓名", "证件号码", "住址", "出生日期"];

// VER-01: nodes that are silent, lie, or stand still.

#[test]
fn ver01_without_a_node_nothing_is_valid_and_nothing_is_forged() {
    let world = World::shared();
    let held = world.sealed_licence();
    let now = clock::now();
    let code = world.code_at(&held, TRAFFIC, now);
    let mut clerk = world.clerk_at(now, "hrs", TRAFFIC, &[nobody(), nobody()]);
    let unreachable = VerdictCode::LedgerUnreachable;
    let checked = scan(&mut clerk, &code);
    expect("no node answers", &checked, unreachable, "no node can be reached");
    assert!(checked.troubles.iter().all(|found| matches!(found.trouble, Trouble::Unreachable(_))));
    assert_eq!(checked.troubles.len(), 2);
    expect("typed", &clerk.verify_identifier(&world.identifier(&held)), unreachable, "no node can be reached");
    // What the code alone tells, it tells without a node.
    let mut altered = code.clone();
    altered.terms.nonce[0] ^= 1;
    expect("forged", &scan(&mut clerk, &altered), VerdictCode::HolderProofInvalid, "not signed by");
    let old = world.code_at(&held, TRAFFIC, Millis::from_secs(now.secs() - 151));
    expect("old", &scan(&mut clerk, &old), VerdictCode::CodeExpired, "ask for a new one");
    // The failed scan has not used the code up.
    let mut clerk = world.clerk_at(now, "hrs", TRAFFIC, &[nobody(), world.caught_up("hrs")]);
    expect("one node answers", &scan(&mut clerk, &code), VerdictCode::Valid, "");
}

#[test]
fn ver01_a_node_that_lies_is_passed_over_and_named() {
    let world = World::shared();
    let held = world.sealed_licence();
    let honest = world.caught_up("hrs");
    let turn = Mutex::new(0usize);
    let upstream = honest.clone();
    let liar = FalseGateway::start(move |path| {
        let mut body = fetch(&format!("{upstream}{path}"));
        let mut turn = turn.lock().expect("one thread serves");
        // Another byte each time, all over the proof: header, certificate, roots, entries.
        let place = *turn * 997 % body.len();
        *turn += 1;
        body[place] ^= 1;
        body
    });
    for turn in 0..40 {
        let now = clock::now();
        let mut clerk = world.clerk_at(now, "hrs", TRAFFIC, &[liar.url(), honest.clone()]);
        let checked = scan(&mut clerk, &world.code_at(&held, TRAFFIC, now));
        expect(&format!("turn {turn}"), &checked, VerdictCode::Valid, "");
        assert_eq!(checked.node, Some(honest.clone()), "turn {turn}");
        let troubles: Vec<&Trouble> = checked.troubles.iter().map(|found| &found.trouble).collect();
        assert!(matches!(troubles[..], [Trouble::Lied(_) | Trouble::Malformed(_)]), "turn {turn}: {troubles:?}");
        assert_eq!(checked.troubles[0].node, liar.url());
    }
    let checked = scan(&mut world.clerk("hrs", TRAFFIC, "hrs"), &world.code(&held, TRAFFIC));
    expect("nobody lies", &checked, VerdictCode::Valid, "");
    for turn in 0..10 {
        let now = clock::now();
        let mut clerk = world.clerk_at(now, "hrs", TRAFFIC, &[liar.url()]);
        let checked = scan(&mut clerk, &world.code_at(&held, TRAFFIC, now));
        expect(&format!("only the liar, {turn}"), &checked, VerdictCode::LedgerUnreachable, "");
    }
}

#[test]
fn ver01_a_gateway_that_stands_still_is_stale_and_hides_no_suspension() {
    let world = World::shared();
    let held = world.sealed_licence();
    let hrs = sample::member("HRS").expect("a sample member");
    let honest = world.caught_up("hrs");
    let query = format!("/v1/proofs/line?book={}&line={}&verifier={hrs}", held.file.place.book, held.file.place.line);
    let recorded = fetch(&format!("{honest}{query}"));
    let frozen_at = fengni_core::proof::StateProof::decode(&recorded).expect("a proof").header.time;
    let frozen = FalseGateway::start(move |_| recorded.clone());

    let suspend = standing::suspend(held.file.place, None, world.ground(201));
    world.done("psb", "issuing", 1, suspend);
    let honest = world.caught_up("hrs");
    let newest = world.ledger(std::slice::from_ref(&honest)).sync().expect("the node answers").value;
    assert!(frozen_at < newest.time, "the suspension is in a later block");

    let limit = (u64::from(world.genesis.parameters.online_age_secs) + SKEW_SECS) * 1000;
    let scan_at = |now: Millis, urls: &[String]| {
        scan(&mut world.clerk_at(now, "hrs", TRAFFIC, urls), &world.code_at(&held, TRAFFIC, now))
    };
    // As long as the old proof may stand for the present, it does: that is what online_age bounds.
    let last = Millis(frozen_at.0 + limit);
    expect("at the limit", &scan_at(last, &[frozen.url()]), VerdictCode::Valid, "");
    let later = Millis(last.0 + 1);
    expect("a millisecond later", &scan_at(later, &[frozen.url()]), VerdictCode::StatusStale, "45 are allowed");
    // A clock at which the honest node is just fresh enough, so that the frozen one is not.
    let now = Millis(newest.time.0 + limit);
    expect("only the frozen one", &scan_at(now, &[frozen.url()]), VerdictCode::StatusStale, "state of the ledger");
    let checked = scan_at(now, &[frozen.url(), honest.clone()]);
    expect("an honest one as well", &checked, VerdictCode::Suspended, "suspended by 东海省公安厅交通管理局");
    assert_eq!(checked.node, Some(honest));
    let behind = |trouble: &Trouble| matches!(trouble, Trouble::Behind(_));
    assert!(checked.troubles.iter().any(|found| found.node == frozen.url() && behind(&found.trouble)));
}

#[test]
fn ver01_a_clock_behind_the_ledgers_is_no_clock_to_judge_by() {
    let world = World::shared();
    let held = world.sealed_licence();
    let url = world.caught_up("hrs");
    let newest = world.ledger(std::slice::from_ref(&url)).sync().expect("the node answers").value.time;
    let now = Millis(newest.0 - 1000 * SKEW_SECS - 1);
    let checked = scan(&mut world.clerk_at(now, "hrs", TRAFFIC, &[url]), &world.code_at(&held, TRAFFIC, now));
    expect("behind", &checked, VerdictCode::StatusStale, "clock is");
}

#[test]
fn ver01_an_empty_place_and_anothers_place_are_told_apart() {
    let world = World::shared();
    let held = world.seal(&[world.licence(), world.licence()]);
    let mut clerk = hrs(&world);
    let mut fault = |place: LinePlace| {
        let mut code = world.code(&held[0], TRAFFIC);
        code.shown.place = place;
        match scan(&mut clerk, &signed_by(&world, &code, &held[0])).verdict.detail {
            Some(Detail::Line { place: found, fault }) if found == place => fault,
            other => panic!("another detail: {other:?}"),
        }
    };
    assert_eq!(fault(held[1].file.place), LineFault::OtherCertificate);
    assert_eq!(fault(LinePlace { line: LineNumber(1 << 33), ..held[0].file.place }), LineFault::BeyondCount);
    assert_eq!(fault(LinePlace { book: BookNumber(77), ..held[0].file.place }), LineFault::BeyondCount);
}

// CAT-06.

#[test]
fn cat06_every_node_answers_the_same_at_one_height() {
    let world = World::shared();
    let held = world.seal(&[world.licence(), world.licence()]);
    world.done("psb", "issuing", 1, standing::suspend(held[0].file.place, None, world.ground(201)));
    let nodes = ["gov", "amr", "hrs", "observer"];
    let urls: Vec<String> = nodes.iter().map(|node| world.caught_up(node)).collect();
    let height = nodes.iter().map(|node| world.network().height(node)).min().expect("nodes");
    let LinePlace { book, line } = held[0].file.place;
    // Nothing is agreed and nothing decided together yet.
    let empty = [
        Shelf::Agreements,
        Shelf::Applications,
        Shelf::Proposals,
        Shelf::Orders,
        Shelf::Offences,
        Shelf::Resources,
        Shelf::Items,
        Shelf::Requests,
        Shelf::Objections,
    ];
    let filled = Shelf::ALL.into_iter().filter(|shelf| !empty.contains(shelf));
    let records = filled.map(|shelf| Place::Record(shelf, 0));
    let mut places: Vec<Place> = records.collect();
    places.extend([
        Place::Record(Shelf::Books, book.0),
        Place::Page(book, PageNumber(0)),
        Place::Heads(book, PageNumber(0)),
        Place::Line(book, line),
    ]);
    places.sort_unstable();
    places.dedup();
    let mut answers = Vec::new();
    for url in &urls {
        let mut ledger = world.ledger(std::slice::from_ref(url));
        let node = ledger.gateway().nodes()[0].clone();
        let proof = node.proof(&places, Some(Height(height))).expect("the node proves it");
        ledger.light_mut().prove(&proof, clock::now()).expect("a quorum stands behind it");
        let (block, _) = node.block(Height(height)).expect("the node has the block");
        let lines = node.page_lines(book, PageNumber(0)).expect("the node has the page");
        // Each node has its own commit certificate for the same block.
        answers.push((proof.header, proof.shelves, proof.roots, proof.entries, block, lines[..=0].to_vec()));
    }
    for (node, answer) in nodes.iter().zip(&answers) {
        assert_eq!(answer.0.state_root, answers[0].0.state_root, "{node}");
        assert_eq!(answer, &answers[0], "{node}");
    }
}
