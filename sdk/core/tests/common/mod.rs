//! What the tests of this crate share: vector files and a tiny register to prove things in.

// Each test file uses its own part of this module, and a test has nobody to export to.
#![allow(dead_code, unreachable_pub)]

pub mod governed;
pub mod random;
pub mod shared;
pub mod world;

use std::fmt::Debug;
use std::path::PathBuf;

use fengni_core::{Digest, Domain, NetworkId, Suite};
use serde_json::Value;

/// The network of vectors and tests.
pub fn domain() -> Domain {
    domain_of(Suite::Standard)
}

pub fn domain_of(suite: Suite) -> Domain {
    Domain { suite, network: NetworkId(Digest([0x46; 32])) }
}

/// Both suites: nothing may depend on the first.
pub const SUITES: [Suite; 2] = [Suite::Standard, Suite::Trial];

/// Holds freshly made vectors against the file in `sdk/spec/vectors`, and returns the file's.
///
/// `FENGNI_BLESS=1 cargo test -p fengni-core` writes the files instead; look at the difference
/// before you commit it, and run `sdk/spec/vectors/check.py`.
pub fn vectors(name: &str, made: &Value) -> Value {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../spec/vectors", &format!("{name}.json")].iter().collect();
    let text = format!("{made:#}\n");
    if std::env::var_os("FENGNI_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the vectors' folder can be written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stored: Value = serde_json::from_str(&stored).expect("a vector file is JSON");
    assert_eq!(&stored, made, "{name}.json says otherwise");
    stored
}

/// Entries of one list of a vector file; never empty.
pub fn cases<'a>(vectors: &'a Value, list: &str) -> &'a [Value] {
    let cases = vectors[list].as_array().unwrap_or_else(|| panic!("no list {list}"));
    assert!(!cases.is_empty(), "{list}");
    cases
}

/// Bytes of a hexadecimal field.
pub fn hex_of(case: &Value, field: &str) -> Vec<u8> {
    hex::decode(case[field].as_str().unwrap_or_else(|| panic!("{case}: no {field}"))).expect("hexadecimal")
}

/// The name of an error's variant, such as `BelowQuorum`.
pub fn variant(error: &impl Debug) -> String {
    format!("{error:?}").split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
