//! The pages in a real headless Chromium, served by a real node (VER-05, VER-14, VER-15, HLD-09).
//!
//! Needs what `make web` builds, Node and Chromium; the stories are in `sdk/web/test/browser.mjs`.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_core::BookNumber;
use fengni_genesis::sample;
use fengni_tests::sharing::papers::{self, CASE, HOLDER, OTHER_CASE};
use fengni_tests::sharing::{Consent, registries, terms};
use fengni_tests::{Deadline, Network, ProviderGateway, fengni, pages, until};

#[test]
fn the_pages_answer_as_the_command_line_does() {
    let (network, certificates) = served();
    another_decoder_reads_what_is_shown(&network, &certificates);
    stories(&network, &certificates, &[], 40);
}

#[test]
fn hld01_a_holder_sees_who_used_what_with_its_proof_and_withdraws() {
    let (mut network, certificates) = served();
    let (mine, provider) = share(&mut network);
    let hrs = sample::member("HRS").expect("a sample member");
    let provider = format!("{hrs}={}", provider.public().name());
    stories(
        &network,
        &certificates,
        &[("FENGNI_MINE", &mine.display().to_string()), ("FENGNI_PROVIDER", &provider)],
        16,
    );
}

/// A network that serves the pages, with three licences.
fn served() -> (Network, PathBuf) {
    let site = pages().expect("there are no pages; next: make web");
    let network = Network::made_with(&["--pages", &site.display().to_string()]);
    network.start_all();
    let certificates = network.scratch().join("certificates");
    issue(&network, &network.home(), &certificates);
    (network, certificates)
}

/// Tells the stories in a browser, which takes so many pictures at least.
fn stories(network: &Network, certificates: &Path, more: &[(&str, &str)], pictures: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shots = std::env::var_os("FENGNI_SHOTS").map_or_else(|| network.scratch().join("shots"), PathBuf::from);
    let output = Command::new("node")
        .arg(root.join("sdk/web/test/browser.mjs"))
        .env("FENGNI_HOME", network.home())
        .env("FENGNI_ISSUER", "members/psb")
        .env("FENGNI_WALLETS", certificates)
        .env("FENGNI_BIN", fengni_tests::binary("fengni"))
        .env("FENGNI_SITE", pages().expect("they are served"))
        .env("FENGNI_SERVED", "1")
        .env("FENGNI_SHOTS", &shots)
        .envs(more.iter().copied())
        .output()
        .expect("Node is there; next: make setup");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    let taken = std::fs::read_dir(&shots).expect("pictures were taken").count();
    assert!(taken >= pictures, "{taken} pictures\n{out}");
}

/// CRT: what `fengni show` draws is read by decoders that nobody here wrote. zxing-wasm reads the
/// camera and the uploads of the stories above; this is zbar, on the PNG at sizes that a phone's
/// screen shows, and on the SVG as a browser draws it.
fn another_decoder_reads_what_is_shown(network: &Network, certificates: &Path) {
    let file = |name: &str| network.scratch().join(name).display().to_string();
    let certificate = std::fs::read_dir(certificates)
        .expect("issued")
        .filter_map(|entry| {
            Some(entry.ok()?.path()).filter(|path| path.extension().is_some_and(|end| end == "certificate"))
        })
        .next()
        .expect("a certificate");
    let (svg, map) = (file("code.svg"), network.map());
    let show =
        ["show", &certificate.display().to_string(), "--purpose", "101", "--svg", &svg, "--text", "--network", &map];
    let text = fengni(&show, b"").expect(0).out.trim().to_owned();
    for scale in [3, 4, 6] {
        let png = file("code.png");
        std::fs::write(&png, fengni_client::picture::png(&text, scale).expect("a code fits")).expect("writable");
        assert_eq!(zbar(&png), text, "at {scale} pixels a module");
    }
    for size in ["360,360", "600,600"] {
        let drawn = file("drawn.png");
        let drawing = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--hide-scrollbars", "--default-background-color=FFFFFFFF"])
            .args([format!("--screenshot={drawn}"), format!("--window-size={size}"), format!("file://{svg}")])
            .output()
            .expect("Chromium is there; next: make setup");
        assert!(drawing.status.success(), "{}", String::from_utf8_lossy(&drawing.stderr));
        assert_eq!(zbar(&drawn), text, "drawn in a window of {size}");
    }
}

fn zbar(picture: &str) -> String {
    let read =
        Command::new("zbarimg").args(["-q", "--raw", picture]).output().expect("zbarimg is there; next: make setup");
    String::from_utf8_lossy(&read.stdout).trim().to_owned()
}

/// Three licences, each with its phone's key.
fn issue(network: &Network, home: &Path, into: &Path) {
    let psb = home.join("members/psb");
    let all = std::fs::read_to_string(psb.join("rows.csv")).expect("sample wrote rows");
    let few: Vec<&str> = all.lines().take(4).collect();
    let rows = network.scratch().join("rows.csv");
    std::fs::write(&rows, few.join("\n")).expect("writable");
    let (psb, rows, into) = (psb.display().to_string(), rows.display().to_string(), into.display().to_string());
    let map = network.map();
    let _ =
        fengni(&["issue", &rows, "--type", "T-DL", "--home", &psb, "--out", &into, "--network", &map], b"").expect(0);
}

/// What 林晓禾 sees on her own page: a use of her insured months by her grant, another that was refused, and an
/// objection to her certificate. With the folder of her files, and the gateway to ask.
fn share(network: &mut Network) -> (PathBuf, ProviderGateway) {
    let resource = registries::propose(network, papers::MONTHS);
    registries::publish(network, resource);
    registries::put(network, papers::HOUSING);
    let _ = registries::file(network, &papers::request());
    for decision in ["agree", "provision"] {
        let _ = registries::decide(network, decision, 0);
    }
    let opened = network.done("hrs", &["book", "open", "receipts"]);
    let book = BookNumber(u32::try_from(opened["book"].as_u64().expect("a number")).expect("few books"));
    let mut provider = ProviderGateway::made(network, "hrs", "hrs", book, &papers::data());
    papers::write_data(provider.home()).expect("sqlite3 is there");
    provider.run();

    let mine = network.scratch().join("mine");
    let file = |name: &str| mine.join(name).display().to_string();
    let found = sample::certificates().iter().find(|it| it.key == "C4").expect("the sample has it");
    let rows = network.home().join("members/res/rows.csv").display().to_string();
    let into = mine.display().to_string();
    let _ = network.done("res", &["issue", &rows, "--type", found.certificate_type, "--out", &into]);
    let _ = network.decreed("yhd", &["objection", "file", found.identifier], "401");
    let certificate = file(&format!("{}.certificate", found.identifier));
    let agreed = network.written("g1.toml", papers::GRANT);
    let (ask, signed, pending) = (file("ask.json"), file("signed.json"), file("pending.json"));
    let (recorded, kept) = (file("g1.grant.json"), file("g1.mine.json"));
    let _ = network.done("yhd", &["grant", "ask", &agreed, "--out", &ask]);
    let sign = ["grant", "sign", &ask, "--certificate", &certificate, "--disclose", "证件号码", "--yes"];
    let _ = network.view(&[&sign[..], &["--out", &signed, "--keep", &pending]].concat()).expect(0);
    let _ = network.done("yhd", &["grant", "record", &signed, "--out", &recorded]);
    let _ = network.view(&["grant", "keep", &pending, "--out", &kept]).expect(0);
    let departments = provider.departments();
    for (number, case, code) in [(0, CASE, 0), (1, OTHER_CASE, 1)] {
        let terms =
            network.written(&format!("access-{number}.toml"), &terms(HOLDER, Consent::Grant("mine/g1"), 0, Some(case)));
        let kept = network.scratch().join(format!("taken-{number}.json")).display().to_string();
        let ask = ["access", "ask", &terms, "--provider", departments.name(), "--keep", &kept];
        let _ = network.member_command("yhd", &ask).expect(code);
    }
    until("the receipts are on the ledger", Deadline::default(), || (provider.status()["waiting"] == 0).then_some(()));
    (mine, provider)
}
