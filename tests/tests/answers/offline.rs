//! Trust packs from a real network: what a clerk in a tunnel learns (VER-05, CRT-05, GOV-02; J5).

use std::path::Path;

use fengni_client::gateway::Gateway;
use fengni_client::transport::HttpOptions;
use fengni_client::trust::{self, UpdateError, Updated};
use fengni_client::wallet::{Show, Wallet};
use fengni_client::{clock, picture};
use fengni_core::code::{Code, StaticCode};
use fengni_core::operation::{Cause, Operation, StandingChange};
use fengni_core::pack::{PackError, Subscription};
use fengni_core::trust::{Question, TrustError, TrustStore};
use fengni_core::verdict::{Answer, Verdict, VerdictCode};
use fengni_core::{Millis, TypeNumber};
use fengni_genesis::sample;
use fengni_tests::{fengni, purpose_code};

use crate::TRAFFIC;
use crate::common::{Held, World};

const HOUR_MILLIS: u64 = 3_600_000;

/// A clerk's device.
pub(crate) struct Device {
    store: TrustStore,
    pub(crate) question: Question,
}

impl Device {
    pub(crate) fn new(world: &World, subscription: Subscription) -> Self {
        let verifier = sample::member("HRS").expect("a sample member");
        let question = Question {
            verifier,
            purpose: purpose_code(TRAFFIC),
            min_grade: None,
            min_assurance: None,
            challenge: None,
        };
        Self { store: TrustStore::new(world.genesis.checkpoint(), subscription), question }
    }

    pub(crate) fn update(&mut self, world: &World) -> Updated {
        let url = world.caught_up("hrs");
        let gateway = Gateway::http(&[url], &HttpOptions::default()).expect("a URL of this test");
        trust::update(&mut self.store, &gateway, clock::now(), &mut |_, _| ()).expect("an honest node")
    }

    #[track_caller]
    pub(crate) fn expect(&self, code: &Code, now: Millis, expected: VerdictCode, because: &str) -> Verdict {
        let verdict = self.store.judge(code, &self.question, now);
        let said = &verdict.reason.en;
        assert_eq!(verdict.code, expected, "{said}");
        assert!(said.contains(because), "{said:?} does not say {because:?}");
        assert_eq!(verdict.is_valid(), verdict.code == VerdictCode::ValidOffline);
        verdict
    }
}

/// A wallet that has asked where its certificate stands. Other stories seal on the same page: a
/// path that is younger than the pack leads in any case, an older one may not.
pub(crate) fn phone(world: &World, held: &Held) -> Wallet {
    let mut wallet = world.wallet(held);
    wallet.refresh(&mut world.ledger(&[world.caught_up("gov")])).expect("an honest node");
    wallet
}

pub(crate) fn show(wallet: &Wallet, now: Millis) -> Code {
    let identifier = wallet.certificates().next().expect("one certificate").identifier();
    wallet.show(&identifier, &Show::everyday(purpose_code(TRAFFIC), now).expect("randomness")).expect("a code")
}

fn change(world: &World, held: &Held, change: StandingChange, persons: usize) {
    let operation = Operation::Change { place: held.file.place, change, ground: world.ground(201) };
    world.done("psb", "issuing", persons, operation);
}

#[test]
fn ver05_a_pack_answers_without_a_network_and_says_as_of_when() {
    let world = World::shared();
    let held = world.sealed_licence();
    let mut device = Device::new(&world, Subscription::default());
    let fresh = || show(&phone(&world, &held), clock::now());
    device.expect(&fresh(), clock::now(), VerdictCode::LedgerUnreachable, "no trust pack on this device");
    let first = device.update(&world);
    assert_eq!(first.since, None);
    let code = fresh();
    let verdict = device.expect(&code, clock::now(), VerdictCode::ValidOffline, "");
    assert_eq!(verdict.as_of.map(|as_of| as_of.height), Some(first.height));
    assert!(verdict.ages.standing_secs.is_some() && verdict.ages.checkpoint_secs.is_some());
    // Online too, the same certificate counts: one rule, two ways.
    let checked = world.clerk("hrs", TRAFFIC, "hrs").verify_text(&code.to_text(), None);
    assert_eq!(checked.verdict.code, VerdictCode::Valid);

    // What happens afterwards reaches the device with the next pack: a small one.
    change(&world, &held, StandingChange::Suspend { until: None }, 1);
    device.expect(&fresh(), clock::now(), VerdictCode::ValidOffline, "");
    let second = device.update(&world);
    assert_eq!(second.since, Some(first.height));
    assert!(second.bytes < first.bytes, "{} after {}", second.bytes, first.bytes);
    let suspended = device.expect(&fresh(), clock::now(), VerdictCode::Suspended, "suspended by");
    assert_eq!(suspended.answer, Answer::Refused);

    // Kept on a disk and read again, it answers the same.
    let again = TrustStore::decode(&device.store.encode()).expect("as it was written");
    assert_eq!(again.pack(), device.store.pack());
    device.store = again;
    device.expect(&fresh(), clock::now(), VerdictCode::Suspended, "suspended by");
}

#[test]
fn ver05_states_that_follow_one_another_each_have_their_answer_offline() {
    let world = World::shared();
    let held: Vec<Held> = world.seal(&[(); 5].map(|()| world.licence()));
    change(&world, &held[0], StandingChange::Cancel, 2);
    change(&world, &held[1], StandingChange::Annul, 2);
    change(&world, &held[2], StandingChange::BlockKey, 1);
    change(&world, &held[3], StandingChange::Dispute, 1);
    let renewed = world.certify(&world.licence(), fengni_tests::holder_key(fengni_core::KeyAlgorithm::P256));
    let (old, into) = (held[4].file.place, held[4].file.place.book);
    let new = renewed.file.line(&world.domain);
    world.done(
        "psb",
        "issuing",
        1,
        Operation::Supersede { old, into, new, cause: Cause::Renew, ground: world.ground(102) },
    );
    let mut device = Device::new(&world, Subscription::default());
    device.update(&world);
    let wallets: Vec<Wallet> = held.iter().map(|held| phone(&world, held)).collect();
    let now = clock::now();
    let expected = [
        (VerdictCode::Cancelled, "cancelled"),
        (VerdictCode::Annulled, "annulled"),
        (VerdictCode::HolderProofInvalid, "reported lost"),
        (VerdictCode::ValidOffline, ""),
        (VerdictCode::Superseded, "replaced"),
    ];
    for (wallet, (code, because)) in wallets.iter().zip(expected) {
        let verdict = device.expect(&show(wallet, now), now, code, because);
        let disputed = verdict.warnings.contains(&VerdictCode::Disputed);
        assert_eq!(disputed, code == VerdictCode::ValidOffline);
    }
}

#[test]
fn ver05_what_is_too_old_or_turned_back_is_never_valid() {
    let world = World::shared();
    let held = world.sealed_licence();
    let mut device = Device::new(&world, Subscription::default());
    device.update(&world);
    let wallet = phone(&world, &held);
    let header = device.store.pack().expect("just fetched").header().time;
    let day = Millis(header.0 + 24 * HOUR_MILLIS);
    device.expect(&show(&wallet, day), day, VerdictCode::ValidOffline, "");
    let later = Millis(header.0 + 25 * HOUR_MILLIS);
    let stale = device.expect(&show(&wallet, later), later, VerdictCode::StatusStale, "90000 seconds old; 86400");
    assert_eq!(stale.answer, Answer::Undecided);
    // Having seen that hour, the device does not believe an earlier one.
    let question = device.question;
    assert_eq!(device.store.verify(&show(&wallet, later), &question, later).code, VerdictCode::StatusStale);
    device.expect(&show(&wallet, day), day, VerdictCode::StatusStale, "clock is 3600 seconds behind");
    // Nor after it was switched off and on.
    device.store = TrustStore::decode(&device.store.encode()).expect("as it was written");
    device.expect(&show(&wallet, day), day, VerdictCode::StatusStale, "clock is 3600 seconds behind");
    // The pack at hand says nothing about the hour, offered as often as one likes; news does.
    let same = device.store.pack().expect("at hand").to_full().encode();
    device.store.update(&same, clock::now()).expect("the pack at hand");
    device.expect(&show(&wallet, day), day, VerdictCode::StatusStale, "clock is 3600 seconds behind");
    world.sealed_licence();
    device.update(&world);
    let wallet = phone(&world, &held);
    let now = clock::now();
    device.expect(&show(&wallet, now), now, VerdictCode::ValidOffline, "");
    let question = device.question;
    let code = show(&wallet, now);
    assert!(device.store.verify(&code, &question, now).is_valid());
    assert_eq!(device.store.verify(&code, &question, now).code, VerdictCode::CodeReplayed);
}

#[test]
fn ver05_a_tampered_or_older_pack_is_refused_and_the_one_at_hand_stays() {
    let world = World::shared();
    let node = world.ledger(&[world.caught_up("gov")]).gateway().nodes()[0].clone();
    let everything = Subscription::default();
    let old = node.pack(&everything, None, 1, &mut |_, _| ()).expect("an honest node");
    world.sealed_licence();
    world.caught_up("gov");
    let new = node.pack(&everything, None, 1, &mut |_, _| ()).expect("an honest node");
    let mut device = Device::new(&world, everything);
    device.store.update(&new, clock::now()).expect("an honest pack");
    let held = device.store.pack().cloned();
    let older = device.store.update(&old, clock::now());
    assert!(matches!(older, Err(TrustError::Pack(PackError::Older { .. }))), "{:?}", older.err());
    for place in (0..new.len()).step_by(new.len() / 97) {
        let mut altered = new.clone();
        altered[place] ^= 1;
        assert!(device.store.update(&altered, clock::now()).is_err(), "byte {place}");
        assert_eq!(device.store.pack().cloned(), held);
    }
    let silent = Gateway::http(&["http://127.0.0.1:9"], &HttpOptions::default()).expect("a URL");
    let unreachable = trust::update(&mut device.store, &silent, clock::now(), &mut |_, _| ());
    assert!(matches!(unreachable, Err(UpdateError::NoNode(_))));
    assert_eq!(device.store.pack().cloned(), held);
}

#[test]
fn ver05_a_path_made_on_a_shorter_page_still_leads_or_says_what_to_do() {
    let world = World::shared();
    let early = world.sealed_licence();
    let wallet = phone(&world, &early);
    // The page grows: what was complete then still is.
    let place = early.file.place.line.place();
    let mut device = Device::new(&world, Subscription::default());
    world.seal(&[world.licence(), world.licence(), world.licence()]);
    device.update(&world);
    let now = clock::now();
    let verdict = device.store.judge(&show(&wallet, now), &device.question, now);
    let leads = verdict.code == VerdictCode::ValidOffline;
    let says =
        verdict.code == VerdictCode::LedgerUnreachable && verdict.reason.en.contains("next: let the holder's wallet");
    assert!(leads || says, "line {place}: {}", verdict.reason.en);
    // With a path that is younger than the pack it always does.
    device.update(&world);
    let wallet = phone(&world, &early);
    let now = clock::now();
    device.expect(&show(&wallet, now), now, VerdictCode::ValidOffline, "");
    let unknown = show(&world.wallet(&early), now);
    device.expect(&unknown, now, VerdictCode::LedgerUnreachable, "next: let the holder's wallet");
}

#[test]
fn a_book_outside_the_subscription_is_undecided_and_recognition_is_judged_offline() {
    let world = World::shared();
    let held = world.sealed_licence();
    let wallet = phone(&world, &held);
    let now = clock::now();
    let mut narrow = Device::new(&world, Subscription::new(vec![TypeNumber(1)], vec![]));
    narrow.update(&world);
    narrow.expect(&show(&wallet, now), now, VerdictCode::LedgerUnreachable, "does not cover this book");
    let mut abroad = Device::new(&world, Subscription::default());
    abroad.question.verifier = sample::member("YHD").expect("a sample member");
    abroad.question.purpose = purpose_code(TRAFFIC);
    abroad.update(&world);
    let wallet = phone(&world, &held);
    let now = clock::now();
    abroad.expect(&show(&wallet, now), now, VerdictCode::NotRecognised, "no agreement recognises");
}

#[test]
fn the_command_line_takes_a_pack_along() {
    let world = World::shared();
    let held = world.sealed_licence();
    let map = world.network().map();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let store = folder.path().join("desk.trust").display().to_string();
    let run = |arguments: &[&str], code: i32| fengni(&[&["--json"], arguments].concat(), b"").expect(code).json();
    let _ = run(&["trust", "init", &store, "--network", &map, "--types", "T-DL", "--regions", "31"], 0);
    let _ = run(&["trust", "init", &store, "--network", &map], 3);
    let _ = run(&["trust", "show", &store], 2);
    let full = run(&["trust", "update", &store, "--network", &map], 0);
    assert!(full["since"].is_null() && full["height"].as_u64().is_some(), "{full}");
    let delta = run(&["trust", "update", &store, "--network", &map], 0);
    assert!(delta["since"].as_u64().is_some(), "{delta}");
    let shown = run(&["trust", "show", &store], 0);
    assert_eq!(shown["books"][0]["held"], true);
    let wallet = phone(&world, &held);
    let image = folder.path().join("code.png");
    std::fs::write(&image, picture::png(&show(&wallet, clock::now()).to_text(), 4).expect("a code fits"))
        .expect("writable");
    let scan = |path: &Path, code| {
        let path = path.display().to_string();
        run(&["verify", &path, "--as", "HRS", "--purpose", TRAFFIC, "--trust", &store, "--network", &map], code)
    };
    let verdict = scan(&image, 0);
    assert_eq!((verdict["code"].as_str(), verdict["answer"].as_str()), (Some("VALID_OFFLINE"), Some("valid")));
    assert_eq!(scan(&image, 1)["code"], "CODE_REPLAYED");

    // Many at once: a code twice, a printed one, a certificate file, and something else.
    let code = show(&wallet, clock::now()).to_text();
    let file = folder.path().join("held.certificate");
    let kept = wallet.certificates().next().expect("one certificate").clone();
    std::fs::write(&file, kept.encode()).expect("writable");
    let printed = StaticCode::of(&world.domain, &kept).to_text();
    let lines = [code.as_str(), &code, &printed, &file.display().to_string(), "FN1:NO"].join("\n");
    let arguments = ["bulk", "-", "--trust", &store, "--as", "HRS", "--purpose", TRAFFIC, "--network", &map];
    let answer = fengni(&arguments, lines.as_bytes()).expect(2);
    let verdicts: Vec<serde_json::Value> =
        answer.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let codes: Vec<&str> = verdicts.iter().filter_map(|verdict| verdict["code"].as_str()).collect();
    let recorded = "DOCUMENT_STATUS_ONLY";
    assert_eq!(codes, ["VALID_OFFLINE", "CODE_REPLAYED", recorded, recorded, "MALFORMED"]);
    assert!(answer.err.contains("5 judged: 1 valid, 2 refused, 2 undecided"), "{}", answer.err);
}
