//! The vectors shared with other languages: document, bytes and identity.
//!
//! `FENGNI_WRITE_VECTORS=1 cargo test -p fengni-genesis --test vectors` writes the file again.

use fengni_core::{Digest, Millis, Suite};
use fengni_genesis::{Document, Format, Genesis, sample};
use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/spec/vectors/genesis.json");
const FOUNDING: &str = include_str!("data/founding.toml");

fn entry(name: &str, text: &str) -> Value {
    let genesis = founded(text);
    let bytes = genesis.encode();
    json!({
        "name": name,
        "toml": text,
        "encoded": hex::encode(&bytes),
        "sha256": Suite::Standard.hash(&[&bytes]),
        "network": genesis.network(),
        "first_validators": genesis.validators().digest(&genesis.domain()),
    })
}

fn founded(text: &str) -> Genesis {
    let document = Document::parse(text, Format::Toml).unwrap_or_else(|problems| panic!("{problems}"));
    document.check().unwrap_or_else(|problems| panic!("{problems}"))
}

fn vectors() -> Value {
    let sample = sample::network(Millis(1_767_196_800_000), &sample::test_key).to_toml();
    let renamed = sample.replacen("东海云山", "云山东海", 1);
    json!({
        "about": "Founding documents: sdk/spec/genesis.md. Every member is fictitious and every key well known: \
                  its seed is SHA-256 of \"fengni sample key/MEMBER/PURPOSE/INDEX\".",
        "networks": [
            entry("the sample network", &sample),
            entry("the same with another name", &renamed),
            entry("with an agreement in force", FOUNDING),
        ],
    })
}

#[test]
fn the_vector_file_is_what_this_code_makes() {
    let made = vectors();
    if std::env::var_os("FENGNI_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&made).expect("plain data") + "\n";
        std::fs::write(FILE, text).expect("the folder of the vectors can be written");
    }
    let text = std::fs::read_to_string(FILE).expect("the vector file is there");
    let file: Value = serde_json::from_str(&text).expect("the vector file is JSON");
    assert_eq!(file, made);
}

#[test]
fn bytes_of_the_vector_file_decode_to_its_networks() {
    let text = std::fs::read_to_string(FILE).expect("the vector file is there");
    let file: Value = serde_json::from_str(&text).expect("the vector file is JSON");
    let networks = file["networks"].as_array().expect("a list");
    assert_eq!(networks.len(), 3);
    for entry in networks {
        let bytes = hex::decode(entry["encoded"].as_str().expect("a text")).expect("hexadecimal digits");
        let genesis = Genesis::decode(&bytes).unwrap_or_else(|error| panic!("{error}"));
        let network = Digest::from_hex(entry["network"].as_str().expect("a text")).expect("a digest");
        assert_eq!(genesis.network().0, network, "{}", entry["name"]);
        // Rule G-3, with no help of the crate that owns it.
        let parts: [&[u8]; 4] = [b"fengni/1/", b"genesis\0", &[0; 32], &bytes];
        assert_eq!(Suite::Standard.hash(&parts), network, "{}", entry["name"]);
    }
}
