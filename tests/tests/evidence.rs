//! Evidence that outlives the system: packages checked by a program of the core alone, timestamps of
//! a service that openssl plays, receipts read by a COSE library of other people. AUD-03.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_client::standing;
use fengni_core::certificate::{CertificateFile, Claim};
use fengni_core::evidence::Evidence;
use fengni_core::{KeyAlgorithm, LinePlace};
use fengni_genesis::sample;
use fengni_tests::{Network, Paper, binary, fengni, holder_key, python};

/// A network on which one licence was issued, suspended and returned, and one more was issued.
struct Told {
    network: Network,
    place: LinePlace,
    certificate: PathBuf,
}

impl Told {
    fn new() -> Self {
        let network = Network::start();
        let genesis = network.genesis();
        let domain = genesis.domain();
        let mut psb = network.actor("psb", "issuing", 1, "gov");
        let mut police = network.actor("psb", "enforcement", 2, "gov");
        let book = psb.open_book("T-DL", &genesis);
        let mut files =
            [1, 2].map(|serial| Paper::licence(serial).certify(&genesis, &domain, &holder_key(KeyAlgorithm::P256)));
        psb.seal(book, &mut files);
        let place = files[0].place;
        let ground = police.ground(201);
        police.done(standing::suspend(place, None, ground));
        let ground = police.ground(203);
        police.done(standing::give_back(place, sample::member("PSB").expect("a sample member"), ground));
        network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
        let certificate = network.scratch().join("c1.cert");
        std::fs::write(&certificate, files[0].encode()).expect("the folder is writable");
        Self { network, place, certificate }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.network.scratch().join(name)
    }

    fn line(&self) -> String {
        format!("{}/{}", self.place.book, self.place.line)
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// What the small program says, without any network where the system lets a process go without one.
fn checked(file: &Path, checkpoint: &str) -> (Option<i32>, String) {
    let program = binary("fengni-evidence");
    let alone = Command::new("unshare").args(["--user", "--net", "true"]).output().is_ok_and(|it| it.status.success());
    let mut command = if alone { Command::new("unshare") } else { Command::new(&program) };
    if alone {
        command.args(["--user", "--net"]).arg(&program);
    }
    let said = command.arg(file).args(["--checkpoint", checkpoint]).output().expect("the program runs");
    (said.status.code(), String::from_utf8_lossy(&said.stdout).into_owned())
}

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let said = Command::new("openssl").current_dir(folder).args(arguments).output().expect("openssl is set up");
    let out = String::from_utf8_lossy(&said.stdout);
    said.status.success() && !out.contains("FAILED")
}

#[test]
fn aud03_a_package_proves_itself_without_any_network_and_no_byte_counts_for_nothing() {
    let told = Told::new();
    let (page, map) = (told.file("c1.html"), told.network.map());
    let make = |out: &Path, more: &[&str]| {
        let (line, out) = (told.line(), text(out));
        let command = [&["--json", "evidence", "make", &line, "--out", &out, "--network", &map], more].concat();
        fengni(&command, b"")
    };
    let made = make(&page, &["--certificate", &text(&told.certificate), "--show", "准驾车型"]).expect(0).json();
    assert_eq!(made["events"], 3);
    let digest = made["checkpoint_digest"].as_str().expect("a digest").to_owned();
    // The network publishes the same digest.
    let founding = told.network.home().join("genesis.bin");
    let published = fengni(&["--json", "genesis", "check", &text(&founding)], b"").expect(0).json();
    assert_eq!(published["checkpoint_digest"], digest.as_str());
    // No file is written over.
    assert!(make(&page, &[]).expect(3).err.contains("next: name a new file"));

    let (code, said) = checked(&page, &digest);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("every word is proven") && said.contains("3 events"), "{said}");
    let by_genesis = ["--json", "evidence", "check", &text(&page), "--genesis", &text(&founding)];
    assert_eq!(fengni(&by_genesis, b"").expect(0).json()["result"], "proven");
    assert_eq!(fengni(&["--json", "evidence", "check", &text(&page)], b"").expect(2).json()["result"], "undecided");
    let other = "00".repeat(32);
    assert_eq!(checked(&page, &other).0, Some(1));

    // One bit, in the words, in the proof, at the end.
    let whole = std::fs::read(&page).expect("it was written");
    let altered = told.file("altered.html");
    let words = whole.windows(6).position(|window| window == "暂扣".as_bytes()).expect("it was suspended");
    for place in [words, words + 5, whole.len() / 2, whole.len() * 3 / 4, whole.len() - 3] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&altered, bytes).expect("the folder is writable");
        assert_ne!(checked(&altered, &digest).0, Some(0), "byte {place}");
        let command = ["evidence", "check", &text(&altered), "--checkpoint-digest", &digest];
        assert_ne!(fengni(&command, b"").code, 0, "byte {place}");
    }
    // Of what was not shown no salt is in it, without which no value can be guessed at.
    let page = std::fs::read_to_string(&page).expect("a page is text");
    let file = std::fs::read(&told.certificate).expect("it was written");
    let file = CertificateFile::decode(&told.network.genesis().domain(), &file).expect("its own file");
    let claims = file.certificate.claims();
    let salted = |claim: &&Claim| page.contains(&hex::encode(claim.salt.0));
    assert_eq!((claims.iter().filter(salted).count(), claims.len() > 3), (1, true));
    let findings = Evidence::from_page(&page).expect("a page").judge().expect("an honest one");
    let content = findings.content.expect("it is shown");
    assert_eq!((content.claims.len(), content.hidden), (1, claims.len() - 1));
}

#[test]
fn aud03_a_timestamp_from_outside_is_asked_for_attached_and_held_against_the_package() {
    let told = Told::new();
    let (page, map, line) = (told.file("c1.html"), told.network.map(), told.line());
    let made = fengni(&["--json", "evidence", "make", &line, "--out", &text(&page), "--network", &map], b"");
    let made = made.expect(0).json();
    let digest = made["checkpoint_digest"].as_str().expect("a digest").to_owned();
    let imprint = made["imprint"].as_str().expect("a digest").to_owned();
    let request = told.file("c1.tsq");
    let _ = fengni(&["evidence", "request", &text(&page), "--out", &text(&request)], b"").expect(0);

    // A service of the test's own.
    let folder = told.network.scratch();
    std::fs::write(folder.join("tsa.cnf"), TSA).expect("the folder is writable");
    std::fs::write(folder.join("serial"), "01\n").expect("the folder is writable");
    // A kind of key that openssl signs timestamps with.
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let own = [&["req", "-x509", "-keyout", "tsa.key", "-out", "tsa.crt"], &kind[..]].concat();
    assert!(openssl(folder, &[&own[..], &["-config", "tsa.cnf", "-extensions", "stamps"]].concat()));
    let reply = ["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "c1.tsq", "-out", "c1.tsr"];
    assert!(openssl(folder, &reply));

    let stamped = told.file("stamped.html");
    let stamp = |page: &Path, out: &Path| {
        let command = ["evidence", "stamp", &text(page), "--reply", &text(&told.file("c1.tsr")), "--out", &text(out)];
        fengni(&command, b"")
    };
    let _ = stamp(&page, &stamped).expect(0);
    assert_eq!(checked(&stamped, &digest).0, Some(0));
    let shown = fengni(&["--json", "evidence", "check", &text(&stamped), "--checkpoint-digest", &digest], b"");
    assert!(shown.expect(0).json()["timestamp"].as_str().is_some_and(|time| time.contains(':')));
    // Its signature is openssl's to judge, over the digest that the page prints.
    let verify = ["ts", "-verify", "-in", "c1.tsr", "-CAfile", "tsa.crt", "-digest"];
    assert!(openssl(folder, &[&verify[..], &[&imprint]].concat()));
    assert!(!openssl(folder, &[&verify[..], &[&"00".repeat(32)]].concat()));

    // For another package it is none.
    let other = told.file("other.html");
    let _ = fengni(&["evidence", "make", "0/1", "--out", &text(&other), "--network", &map], b"").expect(0);
    let refused = stamp(&other, &told.file("wrong.html")).expect(3);
    assert!(refused.err.contains("it is for other bytes"), "{}", refused.err);
}

/// A timestamp service in openssl's words.
const TSA: &str = "
[req]
distinguished_name = name
prompt = no
[name]
CN = A timestamp service of a test
[stamps]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = service
[service]
serial = ./serial
signer_cert = ./tsa.crt
certs = ./tsa.crt
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
";

#[test]
fn aud03_a_receipt_is_read_by_a_library_of_other_people() {
    let told = Told::new();
    let (map, line, receipt) = (told.network.map(), told.line(), told.file("c1.receipt"));
    let home = text(&told.network.home().join("members/psb"));
    let make = ["--json", "receipt", "make", &line, "--home", &home, "--out", &text(&receipt), "--network", &map];
    let made = fengni(&make, b"").expect(0).json();
    let (entry, key) = (made["entry"].as_str().expect("digits"), made["public_key"].as_str().expect("a key"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/receipt.py");
    let read = |file: &Path, entry: &str| {
        let said = Command::new(python()).arg(script).arg(file).args([entry, key]).output().expect("python runs");
        (said.status.code(), String::from_utf8_lossy(&said.stderr).into_owned())
    };
    assert_eq!(read(&receipt, entry), (Some(0), String::new()));
    // Another line, and an altered receipt.
    let other = format!("{}{}", &entry[..94], if entry.ends_with("00") { "01" } else { "00" });
    assert_eq!(read(&receipt, &other).0, Some(1));
    let altered = told.file("altered.receipt");
    let mut bytes = std::fs::read(&receipt).expect("it was written");
    *bytes.last_mut().expect("it has bytes") ^= 1;
    std::fs::write(&altered, bytes).expect("the folder is writable");
    assert_eq!(read(&altered, entry).0, Some(1));

    // Our own reader agrees, and asks the register for the key.
    let check = |file: &Path, line: &str| fengni(&["receipt", "check", &text(file), line, "--network", &map], b"");
    let _ = check(&receipt, &line).expect(0);
    let _ = check(&receipt, "0/1").expect(1);
    let _ = check(&altered, &line).expect(1);
    // Nobody but the keeper signs one.
    let home = text(&told.network.home().join("members/ciq"));
    let stranger = ["receipt", "make", &line, "--home", &home, "--out", &text(&told.file("x")), "--network", &map];
    assert!(fengni(&stranger, b"").expect(3).err.contains("is kept by member"));
}
