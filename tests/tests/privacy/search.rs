//! What is looked for, in every form it could have, and where: files, databases, metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use aho_corasick::AhoCorasick;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use fengni_genesis::sample;
use fengni_tests::{Network, binary};
use sha2::Digest as _;

/// The fewest bytes looked for: of fewer, chance makes some in any file of random digests.
pub const BYTES_MIN: usize = 6;

/// Every field of the sample people and certificates, by a name that gives nothing away.
pub fn fields() -> BTreeMap<String, String> {
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
pub fn secrets(genesis: &[u8]) -> BTreeMap<String, String> {
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
pub fn forms(value: &str) -> Vec<(String, Vec<u8>)> {
    let utf16: Vec<u16> = value.encode_utf16().collect();
    let mut plain = vec![
        ("UTF-8", value.as_bytes().to_vec()),
        ("UTF-16LE", utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("UTF-16BE", utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
    ];
    plain.retain(|(_, bytes)| bytes.len() >= BYTES_MIN);
    plain.push(("SHA-256", sha2::Sha256::digest(value).to_vec()));
    plain.push(("SM3", sm3::Sm3::digest(value).to_vec()));
    let mut forms: Vec<_> = plain.into_iter().flat_map(|(name, bytes)| encodings(name, &bytes)).collect();
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

/// Bytes as they are, and in every alphabet.
fn encodings(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        (name.to_owned(), bytes.to_vec()),
        (format!("{name} as hex"), hex::encode(bytes).into_bytes()),
        (format!("{name} as HEX"), hex::encode_upper(bytes).into_bytes()),
    ];
    for shift in 0..3 {
        for (alphabet, engine) in [("base64", &STANDARD), ("base64url", &URL_SAFE)] {
            forms.push((format!("{name} as {alphabet} after {shift} bytes"), inner_base64(engine, bytes, shift)));
        }
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
pub struct Search {
    names: Vec<String>,
    machine: AhoCorasick,
}

impl Search {
    pub fn of(fields: &BTreeMap<String, String>) -> Self {
        Self::of_all(fields, &[])
    }

    /// For fields, and for bytes by their names.
    pub fn of_all(fields: &BTreeMap<String, String>, more: &[(&str, Vec<u8>)]) -> Self {
        let of = |(field, value): (&String, &String)| {
            forms(value).into_iter().map(move |(form, bytes)| (format!("{field} in {form}"), bytes)).collect::<Vec<_>>()
        };
        let bytes = more.iter().flat_map(|(name, bytes)| encodings(name, bytes));
        let (names, patterns): (Vec<String>, Vec<Vec<u8>>) = fields.iter().flat_map(of).chain(bytes).unzip();
        Self { names, machine: AhoCorasick::new(patterns).expect("some thousand short patterns") }
    }

    /// What is found in a text, with the place given.
    pub fn look(&self, place: &str, bytes: &[u8], found: &mut BTreeSet<String>) {
        for hit in self.machine.find_overlapping_iter(bytes) {
            found.insert(format!("{} in {place}", self.names[hit.pattern().as_usize()]));
        }
    }

    /// Looks in every file of a folder; returns how many there were.
    pub fn look_in_files(&self, folder: &Path, found: &mut BTreeSet<String>) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder is readable").path();
            if path.is_dir() {
                files += self.look_in_files(&path, found);
            } else if path.is_file() {
                self.look(&path.display().to_string(), &std::fs::read(&path).expect("a readable file"), found);
                files += 1;
            }
        }
        files
    }

    /// Ends every node, and looks in its folder, its log, and all that its store has.
    pub fn look_in_nodes(&self, network: &Network, found: &mut BTreeSet<String>) {
        for node in network.nodes() {
            assert_eq!(network.terminate(&node.name), Some(0), "{} ends by itself", node.name);
        }
        for node in network.nodes() {
            assert!(node.home.join("node.log").is_file(), "{} wrote a log", node.name);
            assert!(self.look_in_files(&node.home, found) > 5, "{} wrote files", node.name);
            let entries = self.look_in_store(&node.home, found);
            // The dump is the node's own word: the database itself says whether a column is left out.
            let mut left_out = columns(&node.home);
            left_out.retain(|column| !entries.contains_key(column));
            // Blocks that were never decided are gone by now, validators never changed nor were lost, no block
            // was let go of and leaves its header, and nothing is ever put into the default.
            let empty = ["default", "candidates", "handovers", "recoveries", "headers"];
            left_out.retain(|column| !empty.contains(&column.as_str()));
            assert!(left_out.is_empty() && entries.len() > 10, "{} dumps {entries:?} without {left_out:?}", node.name);
        }
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
    pub fn look_in_dump(&self, dump: &[u8], found: &mut BTreeSet<String>) -> BTreeMap<String, usize> {
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

/// Every listener's metrics, which only the admin listener of a node has.
pub fn metrics(network: &Network) -> Vec<(String, Vec<u8>)> {
    let read = |node: &fengni_tests::Node| {
        let url = format!("{}/metrics", node.admin);
        let text = ureq::get(&url).call().expect("the node answers").body_mut().read_to_vec().expect("a body");
        assert!(text.len() > 1_000, "{} measures something", node.name);
        (format!("metrics of {}", node.name), text)
    };
    network.nodes().iter().map(read).collect()
}
