//! The pages in a real headless Chromium, served by a real node (VER-05, VER-14, VER-15, HLD-09).
//!
//! Needs what `make web` builds, Node and Chromium; the stories are in `sdk/web/test/browser.mjs`.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_tests::{Network, fengni};

fn site() -> PathBuf {
    // Beside the programs under test: target/debug/fengni, target/web.
    let programs = fengni_tests::binary("fengni");
    programs.ancestors().nth(2).expect("a target folder").join("web")
}

#[test]
fn the_pages_answer_as_the_command_line_does() {
    let site = site();
    assert!(site.join("fengni/index.js").is_file(), "there are no pages at {}; next: make web", site.display());
    let network = Network::made();
    let observer = network.node("observer").home.join("node.toml");
    let text = std::fs::read_to_string(&observer).expect("sample wrote it");
    // A top-level field stands before the first table.
    std::fs::write(&observer, format!("pages = {:?}\n{text}", site.display().to_string())).expect("writable");
    network.start_all();
    let home = network.home();
    let certificates = network.scratch().join("certificates");
    issue(&network, &home, &certificates);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shots = std::env::var_os("FENGNI_SHOTS").map_or_else(|| network.scratch().join("shots"), PathBuf::from);
    let output = Command::new("node")
        .arg(root.join("sdk/web/test/browser.mjs"))
        .env("FENGNI_HOME", &home)
        .env("FENGNI_ISSUER", "members/psb")
        .env("FENGNI_WALLETS", &certificates)
        .env("FENGNI_BIN", fengni_tests::binary("fengni"))
        .env("FENGNI_SITE", &site)
        .env("FENGNI_SERVED", "1")
        .env("FENGNI_SHOTS", &shots)
        .output()
        .expect("Node is there; next: make setup");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    let pictures = std::fs::read_dir(&shots).expect("pictures were taken").count();
    assert!(pictures >= 40, "{pictures} pictures\n{out}");
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
