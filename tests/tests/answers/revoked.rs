//! The two answers about the issuer itself: a key in strange hands (GOV-05, SEC-12, J14), and an
//! authority withheld (GOV-06, GOV-08). On a network of their own, because its issuers lose both.

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use fengni_client::clock;
use fengni_client::submit::{Settlement, Unsettled};
use fengni_client::verify::Checked;
use fengni_core::operation::{Cause, Operation};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::pack::Subscription;
use fengni_core::record::KeyPurpose;
use fengni_core::verdict::{Answer, AuthorityFault, Detail, VerdictCode};
use fengni_core::{Height, KeyAlgorithm, KeyNumber, LineNumber, LinePlace};
use fengni_genesis::sample;
use fengni_tests::{Paper, fengni, holder_key, purpose_code};
use serde_json::Value;

use crate::TRAFFIC;
use crate::common::{Held, World, expect};
use crate::offline::{Device, phone};

fn world() -> Arc<World> {
    static APART: Mutex<Weak<World>> = Mutex::new(Weak::new());
    World::shared_in(&APART)
}

/// Issues a paper with these keys of its issuer alone; the height tells when.
fn seal_with(world: &World, member: &str, keys: &[&str], paper: &Paper) -> (Held, Height) {
    let mut held = world.certify(paper, holder_key(KeyAlgorithm::P256));
    let book = world.book(paper.kind);
    let lines = vec![held.file.line(&world.domain)];
    match world.act_with(member, keys, Operation::Seal { book, lines }) {
        Settlement::Done { effect: Effect::Sealed { first: LineNumber(line), .. }, height, .. } => {
            held.file.place = LinePlace { book, line: LineNumber(line) };
            (held, height)
        }
        other => panic!("{member} was to seal: {other:?}"),
    }
}

/// What a clerk of HRS is told online, at the node of his own department.
fn online(world: &World, held: &Held, purpose: &str) -> Checked {
    world.clerk("hrs", purpose, "hrs").verify_text(&world.code(held, purpose).to_text(), None)
}

/// An administrator's command with a decision, as the member types it; what it answered.
fn administer(world: &World, member: &str, command: &[&str], code: i32) -> Value {
    let (home, map) = {
        let network = world.network();
        (network.home().join("members").join(member).display().to_string(), network.map())
    };
    let folder = tempfile::tempdir().expect("a folder for the test");
    let decision = folder.path().join("order.txt");
    std::fs::write(&decision, "an order of a test").expect("writable");
    let decision = decision.display().to_string();
    let rest = ["--decision", &decision, "--home", &home, "--network", &map];
    let answer = fengni(&[&["--json"], command, &rest].concat(), b"").expect(code).json();
    world.seen(answer["height"].as_u64().expect("the including height"));
    answer
}

#[test]
fn gov05_what_a_stolen_key_sealed_is_refused_and_what_it_sealed_before_is_not() {
    let world = world();
    let (older, _) = seal_with(&world, "psb", &["issuing-b"], &world.licence());
    let (own, _) = seal_with(&world, "psb", &["issuing-a"], &world.licence());
    let (stolen, suspected) = seal_with(&world, "psb", &["issuing-b"], &world.licence());
    let (between, _) = seal_with(&world, "psb", &["issuing-a"], &world.licence());
    let mut device = Device::new(&world, Subscription::default());
    let offline = |device: &Device, held: &Held, code: VerdictCode, because: &str| {
        let now = clock::now();
        device.expect(&crate::offline::show(&phone(&world, held), now), now, code, because)
    };
    expect("before anybody knows", &online(&world, &stolen, TRAFFIC), VerdictCode::Valid, "in force");
    device.update(&world);
    offline(&device, &stolen, VerdictCode::ValidOffline, "");

    let psb = sample::member("PSB").expect("a sample member");
    let keys = &world.genesis.members[psb.0 as usize].keys;
    let number = keys.iter().rposition(|key| key.purpose == KeyPurpose::Issuing).expect("two issuing keys").to_string();
    let from = suspected.to_string();
    let revoke = ["key", "revoke", "PSB", &number, "--from", &from, "--reason", "901"];
    let strange = administer(&world, "amr", &revoke, 1);
    assert_eq!(strange["refusal"]["name"], "NOT_ENTITLED");
    let revoked = administer(&world, "psb", &revoke, 0);
    assert_eq!(revoked["effect"]["key-revoked"]["lines"], 1);
    let again = administer(&world, "gov", &revoke, 1);
    assert_eq!(again["refusal"]["name"], "KEY_ENDED");

    // Online and offline, the same three answers.
    let checked = online(&world, &stolen, TRAFFIC);
    expect("sealed since", &checked, VerdictCode::IssuerKeyRevoked, "");
    let key = KeyNumber(number.parse().expect("a number"));
    let facts = Detail::SealKeys { keys: vec![key], height: Some(suspected) };
    assert_eq!(checked.verdict.detail, Some(facts));
    for held in [&older, &own, &between] {
        expect("another line", &online(&world, held, TRAFFIC), VerdictCode::Valid, "in force");
    }
    let update = device.update(&world);
    assert!(update.since.is_some(), "a delta is enough");
    let refused = offline(&device, &stolen, VerdictCode::IssuerKeyRevoked, "");
    assert_eq!(refused.detail, Some(Detail::SealKeys { keys: vec![key], height: None }));
    for held in [&older, &own, &between] {
        offline(&device, held, VerdictCode::ValidOffline, "");
    }

    // By its number alone: what is recorded.
    let typed = |held: &Held| world.clerk("hrs", TRAFFIC, "hrs").verify_identifier(&world.identifier(held)).verdict;
    for (held, standing) in [(&stolen, Some(VerdictCode::IssuerKeyRevoked)), (&older, None)] {
        let verdict = typed(held);
        assert_eq!((verdict.code, verdict.answer), (VerdictCode::DocumentStatusOnly, Answer::Undecided));
        assert_eq!(verdict.detail, Some(Detail::Recorded { standing, successor: None }));
    }
    listed(&world, &stolen, &number, suspected);

    // The key is good for nothing more; the department works on with its other one.
    let late = world.certify(&world.licence(), holder_key(KeyAlgorithm::P256));
    let lines = vec![late.file.line(&world.domain)];
    let seal = || Operation::Seal { book: world.book("T-DL"), lines: lines.clone() };
    let declined = world.act_with("psb", &["issuing-b"], seal());
    assert!(matches!(declined, Settlement::Undecided { reason: Unsettled::Declined(_), .. }), "{declined:?}");
    let both = world.act_with("psb", &["issuing-a", "issuing-b"], seal());
    assert!(matches!(both, Settlement::Undecided { reason: Unsettled::Declined(_), .. }), "{both:?}");
    // What was right is sealed anew.
    let renewed = world.certify(&world.licence(), holder_key(KeyAlgorithm::P256));
    let (old, new) = (stolen.file.place, renewed.file.line(&world.domain));
    let operation = Operation::Supersede { old, into: old.book, new, cause: Cause::Correct, ground: world.ground(901) };
    let Effect::Replaced { book, line, .. } = world.done("psb", "issuing", 1, operation) else {
        panic!("another effect")
    };
    let mut renewed = renewed;
    renewed.file.place = LinePlace { book, line };
    expect("sealed anew", &online(&world, &renewed, TRAFFIC), VerdictCode::Valid, "in force");
    expect("the old line", &online(&world, &stolen, TRAFFIC), VerdictCode::IssuerKeyRevoked, "");
    // What took the place of a suspended line is listed, so that people look at it.
    // The command asks whichever node comes first in the map.
    world.network().wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    let map = world.network().map();
    let followed = fengni(&["--json", "key", "successors", "PSB", &number, "--network", &map], b"").expect(0).json();
    let place = |place: LinePlace| serde_json::to_value(place).expect("JSON");
    assert_eq!(followed["successors"].as_array().map(Vec::len), Some(1));
    assert_eq!(followed["successors"][0]["line"], place(stolen.file.place));
    assert_eq!(followed["successors"][0]["successor"], place(renewed.file.place));
}

/// The command line lists the key's last height, the suspended lines and their standing.
fn listed(world: &World, stolen: &Held, number: &str, suspected: Height) {
    let map = world.network().map();
    let run = |arguments: &[&str]| fengni(&[&["--json"], arguments, &["--network", &map]].concat(), b"").expect(0);
    let keys = run(&["key", "list", "PSB"]).json();
    let ended: Vec<&Value> =
        keys["keys"].as_array().expect("a list").iter().filter(|key| !key["until"].is_null()).collect();
    assert_eq!(ended.len(), 1);
    let (named, until) = (ended[0]["number"].to_string(), ended[0]["until"].as_u64());
    assert_eq!((named.as_str(), until), (number, Some(suspected.0 - 1)));
    let (book, line) = (stolen.file.place.book.0 as usize, stolen.file.place.line.0);
    let books = run(&["books"]).json();
    let run_of_lines = &books["books"][book]["suspended"][0];
    assert_eq!((run_of_lines["first"].as_u64(), run_of_lines["last"].as_u64()), (Some(line), Some(line)));
    let shown = run(&["standing", "show", &format!("{book}/{line}")]).json();
    assert_eq!(shown["revoked_keys"][0].to_string(), number);
}

#[test]
fn gov08_what_was_issued_by_a_suspended_authority_is_refused_until_it_is_given_back() {
    const OPENING: &str = "企业开办";
    let world = world();
    let held = world.seal(&[world.paper("T-BL")]).remove(0);
    let mut device = Device::new(&world, Subscription::default());
    device.question.purpose = purpose_code(OPENING);
    let offline = |device: &mut Device, code: VerdictCode, because: &str| {
        device.update(&world);
        let wallet = phone(&world, &held);
        let now = clock::now();
        let show = fengni_client::wallet::Show::everyday(purpose_code(OPENING), now).expect("randomness");
        let code_shown = wallet.show(&held.file.identifier(), &show).expect("the wallet holds it");
        device.expect(&code_shown, now, code, because)
    };
    expect("to begin with", &online(&world, &held, OPENING), VerdictCode::Valid, "in force");
    offline(&mut device, VerdictCode::ValidOffline, "");

    let amr = sample::member("AMR").expect("a sample member");
    let number = world.genesis.authorities.iter().position(|authority| authority.member == amr);
    let number = number.expect("an authority of AMR").to_string();
    let change = |member: &str, verb: &str, code: i32| {
        administer(&world, member, &["authority", verb, &number, "--reason", "602"], code)
    };
    for stranger in ["psb", "ygov", "amr"] {
        assert_eq!(change(stranger, "suspend", 1)["refusal"]["name"], "NOT_ENTITLED", "{stranger}");
    }
    assert_eq!(change("gov", "suspend", 0)["effect"]["authority"]["suspended"], true);
    assert_eq!(change("gov", "suspend", 1)["refusal"]["name"], "AUTHORITY_STATE");

    let because = "has its authority suspended";
    let checked = online(&world, &held, OPENING);
    expect("suspended", &checked, VerdictCode::IssuerNotAuthorised, because);
    let suspended =
        |detail: &Option<Detail>| matches!(detail, Some(Detail::Authority { fault: AuthorityFault::Suspended, .. }));
    assert!(suspended(&checked.verdict.detail));
    assert!(suspended(&offline(&mut device, VerdictCode::IssuerNotAuthorised, because).detail));
    let more = world.certify(&world.paper("T-BL"), holder_key(KeyAlgorithm::P256)).file.line(&world.domain);
    let seal = Operation::Seal { book: world.book("T-BL"), lines: vec![more] };
    world.refused("amr", "issuing", 1, seal.clone(), Refusal::IssuerNotAuthorised);

    assert_eq!(change("amr", "resume", 1)["refusal"]["name"], "NOT_ENTITLED");
    assert_eq!(change("gov", "resume", 0)["effect"]["authority"]["suspended"], false);
    expect("given back", &online(&world, &held, OPENING), VerdictCode::Valid, "in force");
    offline(&mut device, VerdictCode::ValidOffline, "");
    world.done("amr", "issuing", 1, seal);
    let home = world.network().home().join("members/gov");
    decisions_are_kept(&home);
}

/// The salts of an administrator's decisions stay with the member.
fn decisions_are_kept(home: &Path) {
    let kept = std::fs::read_to_string(home.join("decisions.jsonl")).expect("decisions are kept");
    let first: Value = serde_json::from_str(kept.lines().next().expect("one at least")).expect("JSON");
    assert!(first["place"].is_null() && first["salt"].is_string(), "{first}");
}

/// Administers with further arguments after the reason.
fn decree(world: &World, member: &str, command: &[&str], reason: &str, code: i32) -> Value {
    administer(world, member, &[command, &["--reason", reason]].concat(), code)
}

/// J14: the superior ends a stolen key by two persons; what it sealed since is refused, and is good
/// again once people have looked and stand for it with keys that are good.
#[test]
fn j14_lines_of_a_stolen_key_are_confirmed_after_review_and_valid_again() {
    let world = world();
    let (right, suspected) = seal_with(&world, "res", &["issuing-b"], &world.paper("T-RE"));
    let (wrong, _) = seal_with(&world, "res", &["issuing-b"], &world.paper("T-RE"));
    let res = sample::member("RES").expect("a sample member");
    let keys = &world.genesis.members[res.0 as usize].keys;
    let number = keys.iter().rposition(|key| key.purpose == KeyPurpose::Issuing).expect("two issuing keys").to_string();
    let from = suspected.to_string();
    let revoke = ["key", "revoke", "RES", &number, "--from", &from];
    let one = world.network().home().join("members/gov/keys/admin-a.json").display().to_string();
    let alone = decree(&world, "gov", &[&revoke[..], &["--key", &one]].concat(), "901", 1);
    assert_eq!(alone["refusal"]["name"], "SECOND_PERSON_MISSING");
    assert_eq!(decree(&world, "gov", &revoke, "901", 0)["effect"]["key-revoked"]["lines"], 2);
    for held in [&right, &wrong] {
        expect("sealed since", &online(&world, held, TRAFFIC), VerdictCode::IssuerKeyRevoked, "");
    }

    // A second good key first: two persons confirm.
    let (home, map) = {
        let network = world.network();
        (network.home().join("members/res"), network.map())
    };
    let key = |name: &str| home.join("keys").join(name).display().to_string();
    let (made, folder) = (key("issuing-c.json"), home.display().to_string());
    let rotate = ["--json", "key", "rotate", &made, "--purpose", "issuing", "--plain", "--from", "+4"];
    let rotated = fengni(&[&rotate[..], &["--home", &folder, "--network", &map]].concat(), b"").expect(0).json();
    world.seen(rotated["effect"]["key-added"]["from"].as_u64().expect("a height"));
    world.caught_up("gov");
    let place = right.file.place;
    let (book, line) = (place.book.to_string(), place.line.to_string());
    let confirm = |keys: [&str; 2], code: i32| {
        let command = ["key", "confirm", &book, &line, &line, "--key", keys[0], "--key", keys[1]];
        decree(&world, "res", &command, "901", code)
    };
    assert_eq!(confirm([&key("issuing-a.json"), &made], 0)["effect"]["confirmed"]["lines"], 1);
    assert_eq!(confirm([&key("issuing-a.json"), &made], 1)["refusal"]["name"], "NOT_SUSPENDED");
    expect("confirmed", &online(&world, &right, TRAFFIC), VerdictCode::Valid, "in force");
    expect("not looked at", &online(&world, &wrong, TRAFFIC), VerdictCode::IssuerKeyRevoked, "");
}

/// CRT-12: one act suspends every line of a department, and one gives them back.
#[test]
fn crt12_a_keeper_is_suspended_by_one_act_and_given_back_by_one() {
    const CUSTOMS: &str = "入境通关";
    let world = world();
    let held: Vec<Held> = (0..2).map(|_| world.seal(&[world.paper("T-CL")]).remove(0)).collect();
    let strange = decree(&world, "amr", &["order", "suspend", "keeper", "CIQ"], "201", 1);
    assert_eq!(strange["refusal"]["name"], "NOT_ENTITLED");
    let given = decree(&world, "gov", &["order", "suspend", "keeper", "CIQ"], "201", 0);
    let order = given["effect"]["order"]["order"].to_string();
    assert!(given["effect"]["order"]["lines"].as_u64() >= Some(2), "{given}");
    for held in &held {
        expect("suspended", &online(&world, held, CUSTOMS), VerdictCode::Suspended, "");
    }
    // What is sealed afterwards is another matter.
    let later = world.seal(&[world.paper("T-CL")]).remove(0);
    expect("sealed later", &online(&world, &later, CUSTOMS), VerdictCode::Valid, "in force");
    assert_eq!(decree(&world, "gov", &["order", "lift", &order], "203", 0)["effect"]["order"]["lifted"], true);
    assert_eq!(decree(&world, "gov", &["order", "lift", &order], "203", 1)["refusal"]["name"], "ORDER_STATE");
    for held in &held {
        expect("given back", &online(&world, held, CUSTOMS), VerdictCode::Valid, "in force");
    }
    let map = world.network().map();
    let listed = fengni(&["--json", "order", "show", &order, "--network", &map], b"").expect(0).json();
    assert!(listed["orders"][0]["lifted"].is_u64(), "{listed}");
}
