//! No byte on the ledger, in a log line or in a metric is personal data: CAT-03, invariant 1.
//!
//! The sample people's certificates are issued, shown, verified, suspended and replaced, and
//! careless callers send people's data to every listener. Then every file of every node, every
//! entry of its database and every metric is searched for every field, in every form it could
//! have: as it is, in another encoding, or under a hash without a salt.
//!
//! Messages of this test name a field and a form, never the data.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use fengni_client::clock;
use fengni_client::standing::suspend;
use fengni_client::wallet::{Disclose, Show, Wallet};
use fengni_core::ReasonCode;
use fengni_core::verdict::VerdictCode;
use fengni_genesis::sample::{self, SampleCertificate};
use fengni_tests::{Network, binary, fengni, purpose_code};
use sha2::Digest as _;

/// The fewest bytes looked for: of fewer, chance makes some in any file of random digests.
const BYTES_MIN: usize = 6;

// What is looked for.

/// Every field of the sample people and certificates, by a name that gives nothing away.
fn fields() -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for person in sample::people() {
        fields.insert(format!("name of {}", person.key), person.name.to_owned());
        fields.insert(format!("number of {}", person.key), person.number.to_owned());
    }
    for certificate in sample::certificates() {
        for (place, (_, value)) in certificate.claims.iter().enumerate() {
            let value = value.trim_end_matches("(虚构)");
            fields.insert(format!("claim {place} of {}", certificate.key), value.to_owned());
            // Of an address, what comes after the district says where somebody lives.
            if let Some((_, home)) = value.split_once("区") {
                fields.insert(format!("end of claim {place} of {}", certificate.key), home.to_owned());
            }
        }
    }
    fields
}

/// The fields that nothing but a certificate can bring onto a node.
///
/// The founding document and the calendar say some values anyway: the name of a port, and dates on
/// which this test may run.
fn secrets(genesis: &[u8]) -> BTreeMap<String, String> {
    let founding = String::from_utf8_lossy(genesis).into_owned();
    let coming = |value: &str| value.len() == 10 && value.as_bytes()[4] == b'-' && value >= "2026";
    let mut fields = fields();
    let public: Vec<String> = fields
        .iter()
        .filter(|(_, value)| founding.contains(value.as_str()) || coming(value))
        .map(|(field, _)| field.clone())
        .collect();
    for field in &public {
        assert!(field.contains("claim"), "the founding document has the {field}");
        fields.remove(field);
    }
    assert!(public.len() < 12, "most fields are looked for: {public:?}");
    fields
}

/// Every form a field could have, by name.
fn forms(value: &str) -> Vec<(String, Vec<u8>)> {
    let utf16: Vec<u16> = value.encode_utf16().collect();
    let mut plain = vec![
        ("UTF-8", value.as_bytes().to_vec()),
        ("UTF-16LE", utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("UTF-16BE", utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
    ];
    plain.retain(|(_, bytes)| bytes.len() >= BYTES_MIN);
    plain.push(("SHA-256", sha2::Sha256::digest(value).to_vec()));
    plain.push(("SM3", sm3::Sm3::digest(value).to_vec()));
    let mut forms = Vec::new();
    for (name, bytes) in plain {
        forms.push((format!("{name} as hex"), hex::encode(&bytes).into_bytes()));
        forms.push((format!("{name} as HEX"), hex::encode_upper(&bytes).into_bytes()));
        for shift in 0..3 {
            for (alphabet, engine) in [("base64", &STANDARD), ("base64url", &URL_SAFE)] {
                forms.push((format!("{name} as {alphabet} after {shift} bytes"), inner_base64(engine, &bytes, shift)));
            }
        }
        forms.push((name.to_owned(), bytes));
    }
    // As Unicode escapes in JSON, and percent-encoded in a URL.
    let escaped = |upper: bool| {
        utf16.iter().fold(String::new(), |mut text, unit| {
            let written = if upper { write!(text, "\\u{unit:04X}") } else { write!(text, "\\u{unit:04x}") };
            written.expect("a string takes text");
            text
        })
    };
    if !value.is_ascii() {
        let percent = value.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        forms.push(("percent-encoded".to_owned(), percent.to_lowercase().into_bytes()));
        forms.push(("PERCENT-ENCODED".to_owned(), percent.into_bytes()));
        forms.push(("JSON escapes".to_owned(), escaped(false).into_bytes()));
        forms.push(("JSON ESCAPES".to_owned(), escaped(true).into_bytes()));
    }
    forms
}

/// The characters of a base64 text that the bytes alone decide, when others stand before them.
fn inner_base64(engine: &impl base64::Engine, bytes: &[u8], shift: usize) -> Vec<u8> {
    let text = engine.encode([&[0; 2][..shift], bytes].concat());
    // The first character with a bit of what stands before, and the last with a bit of what follows.
    let first = (shift * 8).div_ceil(6);
    let last = (shift + bytes.len()) * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}

/// Finds forms of fields in bytes.
struct Search {
    names: Vec<String>,
    machine: AhoCorasick,
}

impl Search {
    fn of(fields: &BTreeMap<String, String>) -> Self {
        let mut names = Vec::new();
        let mut patterns = Vec::new();
        for (field, value) in fields {
            for (form, bytes) in forms(value) {
                names.push(format!("{field} in {form}"));
                patterns.push(bytes);
            }
        }
        Self { names, machine: AhoCorasick::new(patterns).expect("some thousand short patterns") }
    }

    /// What is found in a text, with the place given.
    fn look(&self, place: &str, bytes: &[u8], found: &mut BTreeSet<String>) {
        for hit in self.machine.find_overlapping_iter(bytes) {
            found.insert(format!("{} in {place}", self.names[hit.pattern().as_usize()]));
        }
    }

    /// Looks in every file of a folder; returns how many there were.
    fn look_in_files(&self, folder: &Path, found: &mut BTreeSet<String>) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder is readable").path();
            if path.is_dir() {
                files += self.look_in_files(&path, found);
            } else {
                self.look(&path.display().to_string(), &std::fs::read(&path).expect("a readable file"), found);
                files += 1;
            }
        }
        files
    }

    /// Looks in every key and value of a stopped node's store, which are compressed in its files;
    /// returns how many there were in each column.
    fn look_in_store(&self, home: &Path, found: &mut BTreeSet<String>) -> BTreeMap<String, usize> {
        let dump = Command::new(binary("fengni-node")).args(["dump", "--home"]).arg(home).output();
        let dump = dump.expect("fengni-node starts");
        assert!(dump.status.success(), "the store of a stopped node can be read");
        self.look_in_dump(&dump.stdout, found)
    }

    /// Looks in every entry of a dump: column, key and value, each after its length.
    fn look_in_dump(&self, dump: &[u8], found: &mut BTreeSet<String>) -> BTreeMap<String, usize> {
        let mut rest = dump;
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_be_bytes(*length)).expect("as long as the dump at most");
            let (bytes, after) = after.split_at(length);
            rest = after;
            Some(bytes)
        };
        let mut entries = BTreeMap::new();
        while let (Some(column), Some(key), Some(value)) = (part(), part(), part()) {
            let column = String::from_utf8_lossy(column).into_owned();
            let place = format!("the column {column}");
            self.look(&place, key, found);
            self.look(&place, value, found);
            *entries.entry(column).or_default() += 1;
        }
        assert!(rest.is_empty(), "the dump ends with a whole entry");
        entries
    }
}

/// The columns that a node's database says it has, in a file of its own beside the data.
fn columns(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder is readable").path();
        let is_options = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("OPTIONS-"));
        if path.is_dir() {
            found.extend(columns(&path));
        } else if is_options {
            let options = std::fs::read_to_string(&path).expect("the options are text");
            let name = |line: &str| Some(line.trim().strip_prefix("[CFOptions \"")?.strip_suffix("\"]")?.to_owned());
            found.extend(options.lines().filter_map(name));
        }
    }
    found
}

// What is done.

const ISSUERS: [(&str, &str); 4] = [("T-DL", "psb"), ("T-BL", "amr"), ("T-CL", "ciq"), ("T-RE", "res")];

/// Runs `fengni` and returns all it wrote. A failure shows only the exit code.
fn run(arguments: &[&str], expected: i32) -> String {
    let answer = fengni(arguments, b"");
    let subcommand = arguments[0];
    assert_eq!(answer.code, expected, "exit code of {subcommand}");
    format!("{}{}", answer.out, answer.err)
}

/// Issues the sample's certificates as an operator does, and returns the bundles for the holders.
fn issue(network: &Network, said: &mut String) -> Vec<PathBuf> {
    let mut bundles = Vec::new();
    for (kind, member) in ISSUERS {
        let own: Vec<&SampleCertificate> =
            sample::certificates().iter().filter(|certificate| certificate.certificate_type == kind).collect();
        let labels: Vec<&str> = own[0].claims.iter().map(|(label, _)| *label).collect();
        let mut rows = format!("identifier,issued,from,until,{}\n", labels.join(","));
        for certificate in own {
            let SampleCertificate { identifier, from, until, claims, .. } = certificate;
            let values: Vec<&str> = claims.iter().map(|(_, value)| *value).collect();
            writeln!(rows, "{identifier},{from},{from},{},{}", until.unwrap_or_default(), values.join(","))
                .expect("text");
        }
        let rows_file = network.scratch().join(format!("{kind}.csv"));
        std::fs::write(&rows_file, rows).expect("the test's own folder");
        let bundle = network.scratch().join(format!("{kind}.bundle"));
        let home = network.home().join("members").join(member);
        let [rows_file, home, to] = [&rows_file, &home, &bundle].map(|path| path.display().to_string());
        said.push_str(&run(&["issue", "--home", &home, "--type", kind, "--bundle", &to, &rows_file], 0));
        bundles.push(bundle);
    }
    bundles
}

/// Shows and scans every certificate, with all its fields where they fit, and by its identifier.
fn verify(network: &Network, bundles: &[PathBuf], said: &mut String) {
    let mut ledger = network.ledger(&["gov"]);
    let mut wallet = Wallet::new(ledger.domain());
    for bundle in bundles {
        wallet.import(bundle).expect("bundles of this network");
    }
    wallet.refresh(&mut ledger).expect("the ledger answers");
    assert_eq!(wallet.certificates().count(), sample::certificates().len());
    let height = ledger.sync().expect("the ledger answers").value.height;
    for node in network.nodes() {
        network.wait_height(&node.name, height.0);
    }
    let nodes: Vec<&str> = network.nodes().iter().map(|node| node.name.as_str()).collect();
    for certificate in sample::certificates() {
        for node in &nodes {
            let mut clerk = network.verifier("HRS", "入境通关", &[node]);
            let everyday = Show::everyday(purpose_code("入境通关"), clock::now()).expect("randomness");
            let most =
                Disclose::Labels(certificate.claims[2..4].iter().map(|(label, _)| (*label).to_owned()).collect());
            for show in [everyday.clone(), Show { disclose: most, nonce: [1; 8], ..everyday }] {
                let code = wallet.show(&certificate.id(), &show).expect("the wallet holds it");
                let checked = clerk.verify_code(&code, None);
                // Some are out of their dates by now: what matters is that the node was asked.
                assert!(checked.node.is_some(), "{} was judged by {node}", certificate.key);
                assert_ne!(checked.verdict.code, VerdictCode::LedgerUnreachable, "{}", certificate.key);
            }
            let recorded = clerk.verify_identifier(&certificate.id()).verdict.code;
            assert_eq!(recorded, VerdictCode::DocumentStatusOnly, "{}", certificate.key);
        }
    }
    // The typed identifier at the command line, whose answer also must not repeat anything.
    let map = network.map();
    let identifier = sample::certificates()[0].identifier;
    said.push_str(&run(&["verify", "--identifier", identifier, "--network", &map, "--as", "HRS"], 2));
}

/// PSB suspends the first licence for a reason that its own decision document names.
fn suspend_one(network: &Network) {
    let mut psb = network.actor("psb", "issuing", 1, "psb");
    let (place, _) =
        psb.ledger.find(&sample::certificates()[0].id()).expect("the ledger answers").expect("it was issued");
    let decision = format!("{}: {}", sample::people()[0].name, sample::people()[0].number);
    let domain = psb.ledger.domain();
    let decision = fengni_client::decision::Decision::of(&domain, decision.as_bytes()).expect("randomness");
    psb.done(suspend(place, None, decision.ground(ReasonCode(201))));
}

/// Callers that do not know better send people's data to every route that takes anything.
fn careless_callers(network: &Network) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for (person, certificate) in sample::people().iter().zip(sample::certificates()) {
        let body = format!("{} {} {:?}", person.name, person.number, certificate.claims);
        let percent: String = person.name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for node in network.nodes() {
            let listeners = [Some(&node.gateway), node.relay.as_ref(), Some(&node.admin)];
            for url in listeners.into_iter().flatten() {
                let paths = [
                    format!("/v1/proofs/identifier/{}", person.number),
                    format!("/v1/proofs/identifier/{percent}"),
                    format!("/v1/proofs?places={percent}"),
                    format!("/v1/proofs/line?book=0&line=0&verifier={}", person.number),
                    format!("/v1/headers/{}", person.number),
                    format!("/v1/transactions/{percent}"),
                    format!("/people/{percent}/{}?name={percent}", person.number),
                ];
                for path in paths {
                    let answer = agent
                        .get(format!("{url}{path}"))
                        .header("user-agent", person.number)
                        .header("x-request-id", person.number)
                        .header("referer", format!("https://example.invalid/{percent}"))
                        .call()
                        .expect("the listener answers");
                    assert!(answer.status().as_u16() >= 400, "a careless question is refused");
                }
                for path in ["/v1/transactions", "/v1/transactions/batch", "/v1/nothing"] {
                    for kind in ["application/octet-stream", "application/json"] {
                        let answer = agent
                            .post(format!("{url}{path}"))
                            .header("content-type", kind)
                            .send(body.as_bytes())
                            .expect("the listener answers");
                        assert!(answer.status().as_u16() >= 400, "a careless call is refused");
                    }
                }
            }
        }
    }
}

/// Every listener's metrics, which only the admin listener of a node has.
fn metrics(network: &Network) -> Vec<(String, Vec<u8>)> {
    let read = |node: &fengni_tests::Node| {
        let url = format!("{}/metrics", node.admin);
        let text = ureq::get(&url).call().expect("the node answers").body_mut().read_to_vec().expect("a body");
        assert!(text.len() > 1_000, "{} measures something", node.name);
        (format!("metrics of {}", node.name), text)
    };
    network.nodes().iter().map(read).collect()
}

#[test]
fn cat03_no_personal_data_is_on_a_node_in_its_logs_or_in_its_metrics() {
    let network = Network::start();
    let mut said = String::new();
    let bundles = issue(&network, &mut said);
    verify(&network, &bundles, &mut said);
    suspend_one(&network);
    verify(&network, &bundles, &mut said);
    careless_callers(&network);

    let metrics = metrics(&network);
    for node in network.nodes().to_vec() {
        assert_eq!(network.terminate(&node.name), Some(0), "{} ends by itself", node.name);
    }

    let genesis = std::fs::read(network.home().join("genesis.bin")).expect("sample wrote the genesis");
    let search = Search::of(&secrets(&genesis));
    let mut found = BTreeSet::new();
    search.look("what fengni said", said.as_bytes(), &mut found);
    metrics.iter().for_each(|(place, text)| search.look(place, text, &mut found));
    for node in network.nodes() {
        assert!(node.home.join("node.log").is_file(), "{} wrote a log", node.name);
        assert!(search.look_in_files(&node.home, &mut found) > 5, "{} wrote files", node.name);
        let entries = search.look_in_store(&node.home, &mut found);
        // The dump is the node's own word: the database itself says whether a column is left out.
        let mut left_out = columns(&node.home);
        left_out.retain(|column| !entries.contains_key(column));
        // Blocks that were never decided are gone by now, validators never changed nor were lost, no block
        // was let go of and leaves its header, and nothing is ever put into the default.
        let empty = ["default", "candidates", "handovers", "recoveries", "headers"];
        left_out.retain(|column| !empty.contains(&column.as_str()));
        assert!(left_out.is_empty() && entries.len() > 10, "{} dumps {entries:?} without {left_out:?}", node.name);
    }
    assert!(found.is_empty(), "personal data is where it must not be: {found:#?}");

    // The holders' bundles do hold it: the search sees what is there.
    let mut found = BTreeSet::new();
    for bundle in &bundles {
        search.look("a bundle", &std::fs::read(bundle).expect("issue wrote it"), &mut found);
    }
    assert!(!found.is_empty(), "a holder's bundle holds the holder's data");
}

// That the search can find anything.

#[test]
fn cat03_the_search_finds_every_planted_form() {
    let fields = fields();
    let search = Search::of(&fields);
    let folder = tempfile::tempdir().expect("a folder for the test");
    let planted = folder.path().join("deep").join("planted");
    std::fs::create_dir(planted.parent().expect("a folder")).expect("the test's own folder");
    for (field, value) in &fields {
        for (form, bytes) in forms(value) {
            let noise = [0xa5; 700];
            std::fs::write(&planted, [&noise[..], &bytes, &noise].concat()).expect("the test's own folder");
            let mut found = BTreeSet::new();
            assert_eq!(search.look_in_files(folder.path(), &mut found), 1);
            let place = planted.display();
            assert!(found.contains(&format!("{field} in {form} in {place}")), "{field} in {form} is not found");
        }
    }
}

#[test]
fn cat03_base64_is_found_wherever_the_field_begins() {
    let fields = fields();
    let search = Search::of(&fields);
    for (field, value) in fields.iter().filter(|(_, value)| value.len() >= BYTES_MIN) {
        for before in ["", "x", "xy", "xyz"] {
            let text = STANDARD.encode(format!("{before}{value}, and more"));
            let mut found = BTreeSet::new();
            search.look("a text", text.as_bytes(), &mut found);
            assert!(found.iter().any(|hit| hit.starts_with(&format!("{field} in UTF-8 as base64"))), "{field}");
        }
    }
}

#[test]
fn cat03_what_is_planted_in_a_dump_is_found() {
    let fields = fields();
    let search = Search::of(&fields);
    let person = sample::people()[0];
    let mut dump = Vec::new();
    for part in ["lines", "a key", &person.number.repeat(3)] {
        dump.extend((part.len() as u64).to_be_bytes());
        dump.extend(part.as_bytes());
    }
    let mut found = BTreeSet::new();
    assert_eq!(search.look_in_dump(&dump, &mut found), BTreeMap::from([("lines".to_owned(), 1)]));
    assert!(found.iter().any(|hit| hit.starts_with(&format!("number of {}", person.key))), "what was planted is found");
}
