//! Cases and one's own documents: how far each is, every step signed and proven, and nothing of
//! others. SVC-01, SVC-02, CRT-11; the queries of J12.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use fengni_core::Day;
use fengni_core::event::Event;
use fengni_tests::{Network, fengni};
use serde_json::Value;

/// 办件编号 of the clearance of the story.
const CASE: &str = "YS20260309000317";

/// A network, and what its inspection bureau works with.
struct Bureau {
    network: Network,
    home: String,
    map: String,
    document: String,
}

impl Bureau {
    fn new() -> Self {
        let network = Network::start();
        let document = network.scratch().join("step.pdf");
        std::fs::write(&document, "受理通知书").expect("the folder is writable");
        let home = network.home().join("members/ciq").display().to_string();
        let (map, document) = (network.map(), document.display().to_string());
        Self { network, home, map, document }
    }

    fn folder(&self, name: &str) -> String {
        self.network.scratch().join(name).display().to_string()
    }

    fn ask(&self, arguments: &[&str], code: i32) -> Value {
        fengni(&[&["--json"], arguments, &["--network", &self.map]].concat(), b"").expect(code).json()
    }

    /// Opens cases into a folder of slips.
    fn open(&self, cases: &[(&str, &str)], out: &str) -> Value {
        let rows: String = cases.iter().map(|(number, item)| format!("{number},{item}\n")).collect();
        let table = self.folder("cases.csv");
        std::fs::write(&table, format!("number,item\n{rows}")).expect("the folder is writable");
        self.ask(&["case", "open", "--table", &table, "--home", &self.home, "--out", out], 0)
    }

    fn step(&self, case: &str, step: &str, more: &[&str], code: i32) -> Value {
        let asked = ["case", "step", case, "--step", step, "--decision", &self.document, "--home", &self.home];
        self.ask(&[&asked[..], more].concat(), code)
    }

    fn lines(&self, book: &Value) -> Value {
        let books = self.ask(&["books"], 0);
        books["books"][usize::try_from(book.as_u64().expect("a number")).expect("small")]["lines"].clone()
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn svc02_whoever_waits_sees_every_step_proven_and_nobody_else_sees_whose_case_it_is() {
    let bureau = Bureau::new();
    let (ours, theirs) = (bureau.folder("company-a"), bureau.folder("company-b"));
    let opened = bureau.open(&[(CASE, "11319900XN010003XA4000"), ("YS20260309000318", "")], &ours);
    bureau.open(&[("YS20260309000319", "")], &theirs);
    let book = &opened["book"];
    assert_eq!(bureau.lines(book), 3);
    // The same again opens nothing, also where the answer to the first was lost.
    let journal = Path::new(&bureau.home).join("cases.jsonl");
    let told = std::fs::read_to_string(&journal).expect("the journal");
    let lost: String = told.split_inclusive('\n').filter(|line| !line.starts_with("{\"settled\"")).collect();
    std::fs::write(&journal, lost).expect("the journal");
    let again = bureau.open(&[(CASE, "11319900XN010003XA4000"), ("YS20260309000318", "")], &ours);
    assert_eq!((&again["cases"], bureau.lines(book)), (&opened["cases"], 3.into()));
    let taken = ["case", "open", CASE, "--item", "1", "--home", &bureau.home, "--out", &ours];
    let taken = fengni(&[&taken[..], &["--network", &bureau.map]].concat(), b"").expect(3);
    assert!(taken.err.contains("another number"), "{}", taken.err);

    for step in ["受理", "查验"] {
        assert_eq!(bureau.step(CASE, step, &[], 0)["result"], "done");
    }
    assert_eq!(bureau.step(CASE, "7", &["--close"], 0)["effect"]["acted"]["standing"], 9);
    assert_eq!(bureau.step(CASE, "受理", &[], 1)["refusal"]["name"], "WRONG_STATE");
    assert_eq!(bureau.step("YS20260309000318", "99", &[], 1)["refusal"]["name"], "UNKNOWN_REASON");

    let slip = format!("{ours}/{CASE}.slip.json");
    let proof = bureau.folder("case.history");
    let shown = bureau.ask(&["case", "show", &slip, "--prove", "--out", &proof], 0);
    assert_eq!(shown["result"], "complete");
    let steps: Vec<&Value> = shown["events"].as_array().expect("events").iter().map(|event| &event["kind"]).collect();
    assert_eq!(steps.len(), 4, "filed and three steps: {shown}");
    let plain = fengni(&["case", "show", &slip, "--network", &bureau.map], b"").expect(0).out;
    assert!(["受理", "查验", "放行", "closed 办结", CASE].iter().all(|word| plain.contains(word)), "{plain}");
    let founding = bureau.network.home().join("genesis.bin").display().to_string();
    assert_eq!(fengni(&["check", &proof, "--genesis", &founding], b"").code, 0);
    let events = ["watch", "--case", &slip, "--since", "0.0.0", "--count", "4"];
    let events = fengni(&[&["--json"], &events[..], &["--network", &bureau.map]].concat(), b"").expect(0).out;
    let events: Vec<Event> = events.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(events.iter().map(|event| event.kind.word()).collect::<Vec<_>>(), ["seal", "step", "step", "step"]);

    // A slip whose place is another's case shows nothing of that case.
    let text = std::fs::read_to_string(&slip).expect("a slip");
    let mut swapped: Value = serde_json::from_str(&text).expect("JSON");
    let other = std::fs::read_to_string(format!("{theirs}/YS20260309000319.slip.json")).expect("a slip");
    let other: Value = serde_json::from_str(&other).expect("JSON");
    swapped["place"] = other["place"].clone();
    let forged = bureau.folder("forged.slip.json");
    std::fs::write(&forged, swapped.to_string()).expect("the folder is writable");
    assert_eq!(bureau.ask(&["case", "show", &forged], 1)["result"], "refused");

    // No node has a number, nor anything that is made of one without the salt.
    bureau.network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    let nodes: Vec<PathBuf> = ["gov", "observer"].map(|name| bureau.network.home().join("nodes").join(name)).into();
    let salt = swapped["case"]["salt"].as_str().expect("a salt").to_owned();
    for file in nodes.iter().flat_map(|node| files(node)) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        for secret in [CASE.as_bytes(), &CASE.as_bytes()[2..], salt.as_bytes(), &hex::decode(&salt).expect("digits")] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", file.display());
        }
    }
}

#[test]
fn svc01_a_company_sees_its_documents_and_no_others() {
    let bureau = Bureau::new();
    let (ours, theirs) = (bureau.folder("company-a"), bureau.folder("company-b"));
    let rows = std::fs::read_to_string(format!("{}/rows.csv", bureau.home)).expect("the sample's rows");
    let mut rows = rows.lines();
    let (head, rows): (_, Vec<&str>) = (rows.next().expect("columns"), rows.collect());
    let issue = |rows: &[&str], out: &str| {
        let file = bureau.folder("rows.csv");
        std::fs::write(&file, [&[head], rows].concat().join("\n") + "\n").expect("the folder is writable");
        let asked = ["issue", "--home", &bureau.home, "--type", "T-CL", &file, "--out", out];
        assert_eq!(bureau.ask(&asked, 0)["sealed"], rows.len());
    };
    issue(&rows[..1], &ours);
    bureau.open(&[(CASE, ""), ("YS20260309000318", "")], &ours);
    bureau.open(&[("YS20260309000319", "")], &theirs);
    bureau.step(CASE, "受理", &[], 0);
    let proofs = bureau.folder("proofs");
    let told = bureau.ask(&["documents", &ours, "--out", &proofs], 0);
    let documents = told["documents"].as_array().expect("documents");
    assert_eq!((documents.len(), &told["result"]), (3, &"complete".into()));
    assert!(!told.to_string().contains("YS20260309000319"), "nothing of the other company");
    let kinds: Vec<&str> = documents.iter().filter_map(|document| document["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| kind.contains("办件")).count(), 2, "{kinds:?}");
    let founding = bureau.network.home().join("genesis.bin").display().to_string();
    for proof in files(Path::new(&proofs)) {
        assert_eq!(fengni(&["check", &proof.display().to_string(), "--genesis", &founding], b"").code, 0);
    }
    let one = bureau.ask(&["documents", &ours, "--number", CASE], 0);
    assert_eq!((one["documents"].as_array().map(Vec::len), &one["documents"][0]["last"]), (Some(1), &"3 受理".into()));
    // A file of somebody's whose line is another's is not taken for what it says.
    let slip = format!("{ours}/{CASE}.slip.json");
    let text = std::fs::read_to_string(&slip).expect("a slip").replace(CASE, "YS20260309000999");
    std::fs::write(&slip, text).expect("the folder is writable");
    assert_eq!(bureau.ask(&["documents", &ours], 1)["result"], "refused");
}

#[test]
fn crt11_every_node_says_that_a_seal_was_late() {
    let bureau = Bureau::new();
    let home = bureau.network.home().join("members/res").display().to_string();
    let today = Day::of(fengni_client::clock::now());
    let issue = |acted: Day, rows: &str, code: i32| {
        let acted = acted.to_string();
        let asked = ["issue", "--home", &home, "--type", "T-RE", rows, "--acted", &acted];
        bureau.ask(&asked, code)
    };
    let rows = format!("{home}/rows.csv");
    assert_eq!(issue(Day(today.0 + 1), &rows, 1)["result"], Value::Null, "a day to come is refused");
    issue(Day(today.0 - 21), &rows, 0);
    bureau.network.wait_agreed(&["gov", "observer"]);
    let founding = bureau.network.home().join("genesis.bin").display().to_string();
    let told: Vec<Vec<Event>> = ["gov", "observer"]
        .map(|node| {
            let gateway = &bureau.network.node(node).gateway;
            let asked = ["--json", "watch", "--kind", "seal", "--since", "0.0.0", "--count", "1", "--gateway", gateway];
            let out = fengni(&[&asked[..], &["--genesis", &founding]].concat(), b"").expect(0).out;
            out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
        })
        .into();
    assert_eq!(told[0], told[1], "the same from any node");
    let event = &told[0][0];
    assert_eq!(event.acted, Some(Day(today.0 - 21)));
    let due = event.due.expect("the type has a limit of five working days");
    assert!(due > Day(today.0 - 21 + 4) && due < Day::of(event.time), "{due}: three weeks are more than five days");
}
