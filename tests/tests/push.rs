//! Push: a subscriber has every event that it wants exactly once and in order, whatever happens to it,
//! to the service or to a gateway; signatures and mail are read by programs of other people. SVC-04.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fengni_client::standing;
use fengni_core::certificate::CertificateFile;
use fengni_core::{BookNumber, KeyAlgorithm};
use fengni_genesis::{Genesis, sample};
use fengni_tests::{
    Actor, Deadline, Manner, Network, Paper, Posted, Push, Receiver, fengni, free_ports, holder_key, python, until,
};
use serde_json::{Value, json};

/// A department at work: licences are sealed, suspended and given back.
struct Work {
    psb: Actor,
    police: Actor,
    book: BookNumber,
    genesis: Genesis,
    serial: u64,
}

impl Work {
    fn begin(network: &Network) -> Self {
        let genesis = network.genesis();
        let mut psb = network.actor("psb", "issuing", 1, "psb");
        let police = network.actor("psb", "enforcement", 2, "psb");
        let book = psb.open_book("T-DL", &genesis);
        Self { psb, police, book, genesis, serial: 0 }
    }

    /// One licence: an event that nobody wants, and two that are wanted.
    fn licence(&mut self) {
        self.serial += 1;
        let paper = Paper::licence(self.serial);
        let mut file: CertificateFile =
            paper.certify(&self.genesis, &self.genesis.domain(), &holder_key(KeyAlgorithm::P256));
        self.psb.seal(self.book, std::slice::from_mut(&mut file));
        let ground = self.police.ground(201);
        self.police.done(standing::suspend(file.place, None, ground));
        let ground = self.police.ground(203);
        let keeper = sample::member("PSB").expect("a sample member");
        self.police.done(standing::give_back(file.place, keeper, ground));
    }
}

/// What a receiver has that drops ids which it has seen: each message once, in the order of the first
/// time. One that hung has the message as well, though the sender cannot know.
fn once(posted: &[Posted]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let had = posted.iter().filter(|it| matches!(it.manner, Manner::Takes | Manner::Hangs));
    let first = had.filter(|it| seen.insert(it.headers["webhook-id"].clone()));
    first.map(|it| serde_json::from_str(&it.body).expect("JSON")).collect()
}

/// Whether every signature holds, says a library of other people.
fn signed(folder: &Path, key: &str, posted: &[Posted], altered: bool) -> bool {
    let lines = posted.iter().map(|it| {
        let header = |name: &str| it.headers[name].clone();
        let body = if altered { it.body.replace("suspend", "resume") } else { it.body.clone() };
        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
        json!({ "id": id, "timestamp": timestamp, "signature": header("webhook-signature"), "body": body }).to_string()
    });
    let path = folder.join("posted.jsonl");
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).expect("the folder is writable");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/webhook.py");
    let said = Command::new(python()).args([script, key]).arg(path).output().expect("python runs");
    assert!(said.stderr.len() < 100, "{}", String::from_utf8_lossy(&said.stderr));
    said.status.success()
}

/// Everything that happened to the book's lines after a position, as the ledger proves it.
fn proven(network: &Network, since: &str, count: usize) -> Vec<Value> {
    let (map, count) = (network.map(), count.to_string());
    let watch = ["--json", "watch", "--kind", "suspend,return", "--book", "0", "--since", since, "--count", &count];
    let watched = fengni(&[&watch[..], &["--network", &map]].concat(), b"").expect(0);
    let event = |line: &str| {
        let mut event: Value = serde_json::from_str(line).expect("an event");
        event.as_object_mut().expect("an object").remove("schema");
        event
    };
    watched.out.lines().map(event).collect()
}

const FILTER: [&str; 2] = ["kinds=suspend,return", "books=0"];

#[test]
fn svc04_a_webhook_has_every_event_once_and_in_order_whatever_is_killed() {
    let network = Network::start();
    let mut work = Work::begin(&network);
    let mut push = Push::made(&network, &["gov", "psb"], "[webhook]\ntimeout_secs = 1\n");
    let mut receiver = Receiver::start(free_ports());
    let secret = "hook-4711";
    push.run();
    push.add("desk", "webhook", &receiver.url(secret), &FILTER);
    push.add("never", "webhook", &receiver.url("never"), &FILTER);
    // From before its approval: nothing of it is sent.
    work.licence();
    let approved = push.approve("desk");
    let mut licences = 0;
    let mut more = |work: &mut Work| {
        work.licence();
        licences += 2;
        licences
    };
    let wanted = more(&mut work);
    until("the first messages are there", Deadline::default(), || {
        (once(&receiver.posted()).len() == wanted).then_some(())
    });

    // Nobody there.
    receiver.close();
    more(&mut work);
    until("attempts fail", Deadline::default(), || (push.view("desk")["failures"] != 0).then_some(()));
    assert_eq!(push.ask(&["status"]).expect(1).json()["well"], false);
    // There, and failing, or sending the message elsewhere.
    receiver.be(Manner::Fails(500));
    receiver.open();
    more(&mut work);
    for status in [500, 302] {
        receiver.be(Manner::Fails(status));
        let fails = |it: &Posted| it.manner == Manner::Fails(status);
        until("it fails", Deadline::default(), || receiver.posted().iter().any(fails).then_some(()));
    }
    // Killed while it waits for one that hangs; a gateway as well.
    receiver.be(Manner::Hangs);
    until("it hangs", Deadline::default(), || {
        receiver.posted().last().is_some_and(|it| it.manner == Manner::Hangs).then_some(())
    });
    push.kill();
    let wanted = more(&mut work);
    network.kill("gov");
    push.run();
    receiver.be(Manner::Takes);
    until("everything is there", Deadline::default(), || (once(&receiver.posted()).len() >= wanted).then_some(()));

    // What it is told while it is paused is told when it goes on.
    let _ = push.ask(&["pause", "desk"]).expect(0);
    let wanted = more(&mut work);
    assert_eq!(
        push.ask(&["pause", "desk"]).expect(1).json()["refused"].as_str().map(|it| it.contains("paused")),
        Some(true)
    );
    let _ = push.ask(&["resume", "desk"]).expect(0);
    until("everything is there", Deadline::default(), || (once(&receiver.posted()).len() >= wanted).then_some(()));

    let posted = receiver.posted();
    let told = once(&posted);
    let expected = proven(&network, &approved, wanted);
    assert_eq!(told.iter().map(|it| it["data"].clone()).collect::<Vec<_>>(), expected);
    assert!(told.iter().all(|it| it["subscription"] == "desk" && it["type"] == it["data"]["kind"]));
    assert!(posted.iter().all(|it| it.path == format!("/{secret}")), "no redirect is followed");
    assert!(posted.len() < 3 * wanted, "{} attempts for {wanted} messages", posted.len());
    let key = push.ask(&["key"]).expect(0).json()["key"].as_str().expect("a key").to_owned();
    assert!(signed(network.scratch(), &key, &posted, false));
    assert!(!signed(network.scratch(), &key, &posted, true), "an altered body is noticed");

    // 410: paused until a person goes on; the end erases the address.
    receiver.be(Manner::Fails(410));
    more(&mut work);
    until("it is paused", Deadline::default(), || (push.view("desk")["state"] == "paused").then_some(()));
    assert_eq!(push.view("desk")["why"], "status 410");
    let log = push.ask(&["log", "desk", "--newest", "1000"]).expect(0);
    let attempts = log.json()["attempts"].as_array().expect("a list").clone();
    let arrived = attempts.iter().filter(|it| it["result"] == "delivered").count();
    let counted = push.ask(&["counters"]).expect(0).json();
    assert_eq!(counted["total"]["messages"]["webhook"], arrived, "one for each message, across the kill");
    assert_eq!(counted["total"]["failures"]["webhook"], attempts.len() - arrived);
    assert_eq!(log.json()["attempts"].as_array().expect("a list").last().expect("attempts")["result"], "status 410");
    let _ = push.ask(&["end", "desk"]).expect(0);
    // Nowhere but in the private folder.
    for said in [log.out, push.ask(&["list"]).out, push.ask(&["status"]).out, push.log()] {
        assert!(!said.contains(secret), "{said}");
    }
    assert_eq!(push.view("never")["state"], "pending");
}

/// One licence a step while a receiver is away for so long; then everything has to be there.
fn down_for(outage: Duration) {
    let network = Network::start();
    let mut work = Work::begin(&network);
    let mut push = Push::made(&network, &["psb"], "[webhook]\ntimeout_secs = 1\n");
    let mut receiver = Receiver::start(free_ports());
    push.run();
    push.add("desk", "webhook", &receiver.url("hook"), &FILTER);
    let approved = push.approve("desk");
    receiver.close();
    let begun = Instant::now();
    let mut wanted = 0;
    while begun.elapsed() < outage {
        work.licence();
        wanted += 2;
        std::thread::sleep(outage / 20);
    }
    let failures = push.view("desk")["failures"].as_u64().expect("a count");
    assert!((1..=20).contains(&failures), "{failures} attempts in {outage:?}");
    receiver.open();
    // The next attempt comes after as long again, at most.
    let patience = Deadline(outage + Deadline::default().0);
    until("everything is there", patience, || (once(&receiver.posted()).len() >= wanted).then_some(()));
    let told: Vec<Value> = once(&receiver.posted()).iter().map(|it| it["data"].clone()).collect();
    assert_eq!(told, proven(&network, &approved, wanted));
    assert_eq!(receiver.posted().len(), wanted, "nothing was sent twice");
}

#[test]
#[ignore = "takes up to eleven minutes: make test-long"]
fn svc04_a_receiver_that_is_down_for_five_minutes_misses_nothing() {
    down_for(Duration::from_secs(300));
}

/// A server of other people, with a certificate of its own, ended when dropped.
struct Server(Child);

impl Server {
    /// - `script`: takes a port, the files of certificate and key, and a file for what it was given.
    fn start(script: &str, folder: &Path, port: u16, out: &Path) -> Self {
        std::fs::write(folder.join("own.cnf"), CERTIFICATE).expect("the folder is writable");
        let own = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -config own.cnf \
                   -keyout own.key -out own.crt";
        let made =
            Command::new("openssl").current_dir(folder).args(own.split(' ').filter(|it| !it.is_empty())).output();
        assert!(made.is_ok_and(|made| made.status.success()), "openssl is set up");
        let mut child = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script))
            .arg(port.to_string())
            .args([folder.join("own.crt"), folder.join("own.key"), out.to_owned()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python runs");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut ready).expect("it speaks");
        assert_eq!(ready.trim(), "ready");
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const CERTIFICATE: &str = "[req]
distinguished_name = name
x509_extensions = own
prompt = no
[name]
CN = localhost
[own]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost
";

#[test]
fn svc04_a_mail_is_taken_once_by_a_real_mail_server_over_tls() {
    let network = Network::start();
    let mut work = Work::begin(&network);
    let (port, out): (u16, PathBuf) = (free_ports(), network.scratch().join("mails.jsonl"));
    let _server = Server::start("mail.py", network.scratch(), port, &out);
    let roots = network.scratch().join("own.crt");
    // Gateways on loopback are asked without TLS, so that these roots are for the mail server alone.
    let mail = format!(
        "roots = {roots:?}\n[mail]\nserver = \"localhost\"\nport = {port}\nfrom = \"register@register.example\"\n\
         tls = \"starttls\"\n"
    );
    let mut push = Push::made(&network, &["psb"], &mail);
    push.run();
    push.add("owner", "mail", "owner@desk.example", &FILTER);
    push.add("gone", "mail", "gone@desk.example", &FILTER);
    let (approved, _) = (push.approve("owner"), push.approve("gone"));
    work.licence();
    let mails = until("both mails are there", Deadline::default(), || {
        let text = std::fs::read_to_string(&out).ok()?;
        let mails: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (mails.len() >= 2).then_some(mails)
    });
    let events = proven(&network, &approved, 2);
    for (mail, (event, word)) in mails.iter().zip(events.iter().zip(["暂扣", "发还"])) {
        let place = format!("{}-{}-{}", event["height"], event["place"], event["part"]);
        let id = mail["id"].as_str().expect("a Message-ID");
        assert!(id.starts_with("<fengni-") && id.ends_with(&format!("-{place}@fengni.invalid>")), "{id}");
        let (subject, text) = (mail["subject"].as_str().expect("one"), mail["text"].as_str().expect("one"));
        assert!(subject.contains(word) && subject.contains(event["kind"].as_str().expect("a kind")), "{subject}");
        assert!(text.contains(word) && text.contains(&format!("line {}", event["line"])), "{text}");
        assert_eq!((&mail["to"], &mail["tls"]), (&json!(["owner@desk.example"]), &json!(true)));
        assert_eq!(mail["automatic"], "auto-generated");
    }
    // The first was put off, and came again; whoever is gone is left alone.
    let attempts = push.ask(&["log", "owner"]).expect(0).json()["attempts"].clone();
    let results: Vec<&str> =
        attempts.as_array().expect("a list").iter().filter_map(|it| it["result"].as_str()).collect();
    assert_eq!(results, ["mail server says 451", "delivered", "delivered"]);
    until("it is paused", Deadline::default(), || (push.view("gone")["state"] == "paused").then_some(()));
    assert_eq!(push.view("gone")["why"], "mail server says 550");
    // Nothing came a second time meanwhile.
    let all = std::fs::read_to_string(&out).expect("what it was given");
    assert_eq!(all.lines().count(), mails.len());
    for said in [push.ask(&["log", "gone"]).out, push.ask(&["list"]).out, push.log()] {
        assert!(!said.contains("desk.example"), "{said}");
    }
}

#[test]
fn svc04_a_webhook_elsewhere_is_spoken_to_over_tls_by_whoever_is_vouched_for() {
    let network = Network::start();
    let mut work = Work::begin(&network);
    let (port, out): (u16, PathBuf) = (free_ports(), network.scratch().join("posted"));
    let _server = Server::start("https.py", network.scratch(), port, &out);
    let mut push = Push::made(&network, &["psb"], "");
    push.run();
    push.add("desk", "webhook", &format!("https://localhost:{port}/hook"), &FILTER);
    let approved = push.approve("desk");
    work.licence();
    // Nobody that it knows vouches for the receiver.
    until("it fails", Deadline::default(), || (push.view("desk")["failures"] != 0).then_some(()));
    assert!(!out.exists(), "nothing was said to it");
    push.kill();
    let roots = format!("roots = {:?}\n", network.scratch().join("own.crt"));
    let config = std::fs::read_to_string(push.home().join("push.toml")).expect("its own file");
    push.write("push.toml", &(roots + &config));
    push.run();
    let posted = until("everything is there", Deadline::default(), || {
        let text = std::fs::read_to_string(&out).ok()?;
        let posted: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (posted.len() >= 2).then_some(posted)
    });
    assert_eq!(posted.iter().map(|it| it["data"].clone()).collect::<Vec<_>>(), proven(&network, &approved, 2));
}
